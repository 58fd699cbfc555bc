//! Events: what to watch for, and what happened (RFC 3525 sections 7.1.9, 7.1.10, 7.1.17).

use super::{DigitMapValue, Parameter, Signals, Timestamp};
use crate::name::{Name, PkgdName};

/// Number by which a gateway says to which Events descriptor an event belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequestId {
    /// `*`: all, in answers to AuditCapability.
    All,
    /// This.
    Id(u32),
}

/// What to watch for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Its number, unless `events` is empty.
    pub request: Option<RequestId>,
    /// Instead of those watched for up to now; none: watch for nothing.
    pub events: Vec<RequestedEvent>,
}

impl Events {
    /// Watch for these.
    #[must_use]
    pub fn new(request: u32, events: Vec<RequestedEvent>) -> Self {
        Self {
            request: Some(RequestId::Id(request)),
            events,
        }
    }
}

/// An event to watch for, and what to do when it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedEvent {
    /// Which.
    pub name: PkgdName,
    /// On this stream.
    pub stream: Option<u16>,
    /// Signals go on.
    pub keep_active: bool,
    /// Collect digits by this map.
    pub digit_map: Option<EventDigitMap>,
    /// Do this without asking.
    pub embed: Option<Box<Embed>>,
    /// How soon to tell (version 3).
    pub notify: Option<NotifyBehaviour>,
    /// Watch for all the others anew (version 3).
    pub reset: bool,
    /// Parameters of the event.
    pub parameters: Vec<Parameter>,
}

impl From<PkgdName> for RequestedEvent {
    fn from(name: PkgdName) -> Self {
        Self {
            name,
            stream: None,
            keep_active: false,
            digit_map: None,
            embed: None,
            notify: None,
            reset: false,
            parameters: Vec::new(),
        }
    }
}

/// By which map to collect digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventDigitMap {
    /// The one of this name.
    Named(Name),
    /// This one.
    Value(DigitMapValue),
}

/// What to do without asking. The events of an embedded one can embed signals, no events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Embed {
    /// Send these.
    pub signals: Option<Signals>,
    /// Watch for these.
    pub events: Option<Events>,
}

/// How soon to tell (H.248.1 version 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotifyBehaviour {
    /// At once.
    Immediate,
    /// Never.
    Never,
    /// As regulation allows; when it does not, do this.
    Regulated(Option<Box<Embed>>),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedEvents {
    /// Number of the Events descriptor that asked for it.
    pub request: RequestId,
    /// At least one.
    pub events: Vec<ObservedEvent>,
}

/// An event that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedEvent {
    /// When.
    pub time: Option<Timestamp>,
    /// What.
    pub name: PkgdName,
    /// On this stream.
    pub stream: Option<u16>,
    /// Parameters of the event.
    pub parameters: Vec<Parameter>,
}

impl ObservedEvent {
    /// The parameter's one value.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&super::Value> {
        let mut all = self.parameters.iter();
        all.find(|parameter| parameter.name == *name)?.value.value()
    }
}

impl From<PkgdName> for ObservedEvent {
    fn from(name: PkgdName) -> Self {
        Self {
            time: None,
            name,
            stream: None,
            parameters: Vec::new(),
        }
    }
}
