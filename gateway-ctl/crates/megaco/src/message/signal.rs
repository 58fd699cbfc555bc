//! Signals: what to send (RFC 3525 section 7.1.11).

use super::{Parameter, RequestId};
use crate::name::PkgdName;

/// What to send, instead of what is sent now. Empty: stop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals(pub Vec<SignalItem>);

impl Signals {
    /// Stop.
    pub const STOP: Self = Self(Vec::new());

    /// One, as its package describes it.
    #[must_use]
    pub fn one(name: PkgdName) -> Self {
        Self(vec![SignalItem::Signal(name.into())])
    }
}

/// A signal, or some one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalItem {
    /// A signal.
    Signal(Signal),
    /// One after the other.
    List(SignalList),
}

/// Signals, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalList {
    /// Its number.
    pub id: u16,
    /// At least one.
    pub signals: Vec<Signal>,
}

/// A signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Which.
    pub name: PkgdName,
    /// On this stream.
    pub stream: Option<u16>,
    /// How it ends, if not as its package says.
    pub kind: Option<SignalKind>,
    /// How long, hundredths of a second.
    pub duration: Option<u16>,
    /// When to tell that it has ended; empty: never.
    pub completion: Completion,
    /// It goes on when an event happens.
    pub keep_active: bool,
    /// Where to (version 3).
    pub direction: Option<SignalDirection>,
    /// Number for telling (version 3).
    pub request: Option<RequestId>,
    /// Pause after it in a list, hundredths of a second (version 3).
    pub pause: Option<u16>,
    /// Parameters of the signal.
    pub parameters: Vec<Parameter>,
}

impl From<PkgdName> for Signal {
    fn from(name: PkgdName) -> Self {
        Self {
            name,
            stream: None,
            kind: None,
            duration: None,
            completion: Completion::NEVER,
            keep_active: false,
            direction: None,
            request: None,
            pause: None,
            parameters: Vec::new(),
        }
    }
}

/// How a signal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalKind {
    /// When it is told to.
    OnOff,
    /// When its time is over.
    TimeOut,
    /// By itself.
    Brief,
}

/// Where a signal goes (H.248.1 version 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalDirection {
    /// Out of the context.
    External,
    /// Into the context.
    Internal,
    /// Both.
    Both,
}

/// For which ends of a signal an event is told: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Completion(pub(crate) u8);

impl Completion {
    /// For none.
    pub const NEVER: Self = Self(0);
    /// Its time was over.
    pub const TIME_OUT: Self = Self(1);
    /// An event interrupted it.
    pub const BY_EVENT: Self = Self(2);
    /// Other signals took its place.
    pub const BY_SIGNALS: Self = Self(4);
    /// Anything else.
    pub const OTHER: Self = Self(8);
    /// It begins anew (version 3).
    pub const ITERATION: Self = Self(16);

    /// Both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of the other set is in this one.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
