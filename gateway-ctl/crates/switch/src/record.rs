//! Calls as the store and the log of calls keep them.

use serde::{Deserialize, Serialize};

use crate::address::{Choice, Place};
use crate::identity::GatewayId;
use crate::registration::as_text;

/// Which call; grows with each, over restarts.
pub type CallId = u64;

/// One of the two ends of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Who calls.
    Caller,
    /// Who is called.
    Called,
}

impl Side {
    /// The one at the other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Called,
            Self::Called => Self::Caller,
        }
    }
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The caller hung up.
    CallerHungUp,
    /// Who was called hung up.
    CalledHungUp,
    /// Who was called has another call.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// The number leads nowhere.
    NoSuchNumber,
    /// Who was called is not registered, or not in service.
    Unavailable,
    /// All trunks are full, or a gateway has no room.
    Congestion,
    /// A gateway refused what it was told.
    Refused,
    /// A gateway was lost, or has restarted.
    #[serde(rename = "lost")]
    GatewayLost,
    /// The operator ended it.
    Operator,
}

impl EndReason {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::CallerHungUp,
        Self::CalledHungUp,
        Self::Busy,
        Self::NoAnswer,
        Self::NoSuchNumber,
        Self::Unavailable,
        Self::Congestion,
        Self::Refused,
        Self::GatewayLost,
        Self::Operator,
    ];

    /// Name in metrics and records.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::CallerHungUp => "caller_hung_up",
            Self::CalledHungUp => "called_hung_up",
            Self::Busy => "busy",
            Self::NoAnswer => "no_answer",
            Self::NoSuchNumber => "no_such_number",
            Self::Unavailable => "unavailable",
            Self::Congestion => "congestion",
            Self::Refused => "refused",
            Self::GatewayLost => "lost",
            Self::Operator => "operator",
        }
    }
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// The caller's media are being set up.
    Seizing,
    /// Who is called is being told.
    Offering,
    /// It rings.
    Ringing,
    /// It was answered, and media are being connected.
    Connecting,
    /// Both talk.
    Talking,
}

/// An end of an established call: enough to end it after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeptEnd {
    /// A line of a media gateway.
    Line(KeptLine),
    /// Somebody who speaks SIP.
    Sip(KeptUser),
}

/// A line that is an end of an established call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptLine {
    /// Which gateway.
    #[serde(with = "as_text")]
    pub gateway: GatewayId,
    /// Which of its lines.
    pub line: String,
    /// In which context.
    pub context: u32,
    /// The termination of its media.
    pub media: String,
    /// What it offers, where the other end speaks SIP and may ask again.
    #[serde(default)]
    pub local: Option<String>,
    /// Its addresses.
    pub place: Place,
    /// Its number.
    pub number: Option<String>,
}

/// Somebody who speaks SIP and is an end of an established call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptUser {
    /// User or trunk.
    pub name: String,
    /// The addresses for media.
    pub place: Place,
    /// The number.
    pub number: Option<String>,
    /// Where requests go, and what they say.
    pub party: crate::sip::Party,
}

/// An established call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCall {
    /// Which.
    pub id: CallId,
    /// What was dialled.
    pub dialled: String,
    /// Who called.
    pub caller: KeptEnd,
    /// Who was called.
    pub called: KeptEnd,
    /// The addresses they were given.
    pub choice: Choice,
    /// When it was dialled, milliseconds since 1970.
    pub started: u64,
    /// When it was answered, milliseconds since 1970.
    pub answered: u64,
}

/// An end in the log of calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedEnd {
    /// Its number, if it has one.
    pub number: Option<String>,
    /// Which gateway or user.
    pub peer: String,
    /// Which of its lines.
    pub line: String,
    /// Its addresses.
    pub place: Place,
    /// What its media termination has counted, as it says itself: name and value.
    pub statistics: Vec<(String, String)>,
}

/// A call that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveCall {
    /// Which.
    pub id: CallId,
    /// What was dialled.
    pub dialled: String,
    /// How far it is.
    pub progress: Progress,
    /// Who calls.
    pub caller: LoggedEnd,
    /// Who is called, as far as that was found out.
    pub called: Option<LoggedEnd>,
    /// The addresses they were given.
    pub choice: Option<Choice>,
    /// When it was dialled, milliseconds since 1970.
    pub started: u64,
    /// When it was answered.
    pub answered: Option<u64>,
}

/// A call that is over: its line in the log of calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Which.
    pub id: CallId,
    /// What was dialled.
    pub dialled: String,
    /// Who called.
    pub caller: LoggedEnd,
    /// Who was called, as far as that was found out.
    pub called: Option<LoggedEnd>,
    /// The addresses they were given.
    pub choice: Option<Choice>,
    /// When it was dialled, milliseconds since 1970.
    pub started: u64,
    /// When it began to ring.
    pub rang: Option<u64>,
    /// When it was answered.
    pub answered: Option<u64>,
    /// When it ended.
    pub ended: u64,
    /// Why it ended.
    pub reason: EndReason,
}
