//! A line of a phone, as its user has it: what can be done, and what is heard.

use std::net::SocketAddrV4;

use super::event::{Event, choice};
use super::streams::Output;

/// What a user does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Lifts the handset; of a phone that rings this is an answer.
    OffHook,
    /// Puts it down; of a SIP phone that rings this is a refusal.
    OnHook,
    /// Puts it down and lifts it at once.
    Flash,
    /// Presses all of these: 0 to 9, A to D, `*`, `#`.
    Dial(String),
}

/// What is heard in the handset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A number can be dialled.
    Dial,
    /// The other phone rings.
    RingBack,
    /// The other is busy.
    Busy,
    /// It cannot be done.
    Congestion,
    /// Another signal, by its name.
    Other(String),
}

impl Tone {
    /// As output and scripts say it.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Dial => "dial",
            Self::RingBack => "ringback",
            Self::Busy => "busy",
            Self::Congestion => "congestion",
            Self::Other(name) => name,
        }
    }
}

/// Whom a line talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// By RTP.
    Stream {
        /// Where it leaves from.
        local: SocketAddrV4,
        /// Where it goes.
        remote: SocketAddrV4,
    },
    /// Another line of the same phone.
    Internal,
}

/// How a line is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The handset is lifted.
    pub off_hook: bool,
    /// It rings.
    pub ringing: bool,
    /// Who calls.
    pub caller: Option<String>,
    /// Which number a trunk is to call.
    pub called: Option<String>,
    /// What is heard.
    pub tone: Option<Tone>,
    /// RTP's port of its stream, if there is one.
    pub stream: Option<u16>,
    /// Whom it talks to.
    pub talk: Option<Talk>,
    /// It is part of a call that is neither over nor on its way to this line alone.
    pub in_call: bool,
    /// The other side ended the call, and the handset has not been put down since.
    pub hung_up: bool,
    /// Why.
    pub reason: Option<String>,
}

impl State {
    /// Tells what is different from `before`.
    pub fn tell(&self, before: &Self, line: usize, out: &mut Vec<Output>) {
        let mut tell = |event| out.push(Output::Tell(Some(line), event));
        if self.off_hook != before.off_hook {
            tell(if self.off_hook {
                Event::OffHook
            } else {
                Event::OnHook
            });
        }
        if self.ringing != before.ringing {
            let (caller, called) = (self.caller.clone(), self.called.clone());
            tell(if self.ringing {
                Event::Ringing { caller, called }
            } else {
                Event::Quiet
            });
        }
        if let Some(tone) = &self.tone
            && self.tone != before.tone
        {
            let tone = tone.word().to_owned();
            tell(Event::Tone { tone });
        }
        match self.talk {
            talk if talk == before.talk => {}
            Some(Talk::Internal) => tell(Event::Talking {
                remote: None,
                local: None,
                choice: "internal",
            }),
            Some(Talk::Stream { local, remote }) => tell(Event::Talking {
                remote: Some(remote),
                local: Some(local),
                choice: choice(*remote.ip()),
            }),
            None if self.off_hook && self.in_call => tell(Event::Held),
            None => {}
        }
        if self.hung_up && !before.hung_up {
            let reason = self.reason.clone();
            tell(Event::HungUp { reason });
        }
    }
}
