//! What an audit asks for: whole descriptors, or parts of them (H.248.1 version 2 section
//! 7.1.12, version 3).

use super::{Package, Property, RequestId, ServiceState, Signal, StreamMode};
use crate::name::{Name, PkgdName};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditItem {
    /// All of Mux.
    Mux,
    /// All of Modem.
    Modem,
    /// All of Media.
    Media,
    /// All signals.
    Signals,
    /// The event buffer.
    EventBuffer,
    /// The digit map.
    DigitMap,
    /// All figures.
    Statistics,
    /// All events watched for.
    Events,
    /// What happened.
    ObservedEvents,
    /// All packages.
    Packages,
    /// Parts of Media.
    PartOfMedia(MediaAudit),
    /// Whether this event is watched for.
    Event(Option<RequestId>, PkgdName),
    /// A signal; `None`: `SG{}`.
    Signal(Option<SignalAudit>),
    /// The digit map of this name.
    DigitMapNamed(Name),
    /// This event in the event buffer, with a stream or a parameter of it.
    BufferedEvent(PkgdName, Option<BufferedPart>),
    /// This figure.
    Statistic(PkgdName),
    /// This package.
    Package(Package),
}

/// What is asked of an event in the event buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BufferedPart {
    /// On this stream.
    Stream(u16),
    /// This parameter.
    Parameter(Name),
}

/// Parts of Media.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaAudit {
    /// Parts of the termination's state.
    pub state: Vec<StateItem>,
    /// Either one without a number, or any with numbers.
    pub streams: Vec<StreamAudit>,
}

/// Parts of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamAudit {
    /// Its number.
    pub id: Option<u16>,
    /// Parts of LocalControl.
    pub control: Vec<LocalControlItem>,
    /// Local (version 3).
    pub local: bool,
    /// Remote (version 3).
    pub remote: bool,
    /// A figure (version 3).
    pub statistic: Option<PkgdName>,
}

/// Which values are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `=`
    Equal,
    /// `#`
    Unequal,
}

/// A part of the termination's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateItem {
    /// In service or not; only terminations that are so (version 3).
    Service(Option<(Relation, ServiceState)>),
    /// How the event buffer works.
    Buffer,
    /// A property.
    Property(PkgdName),
    /// Only terminations with this property (version 3).
    With(Property),
}

/// A part of LocalControl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalControlItem {
    /// Which way; only terminations that are so (version 3).
    Mode(Option<(Relation, StreamMode)>),
    /// Whether all groups are reserved for.
    ReserveGroup,
    /// Whether all values are reserved for.
    ReserveValue,
    /// A property.
    Property(PkgdName),
    /// Only terminations with this property (version 3).
    With(Property),
}

/// A signal that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalAudit {
    /// This, with its parameters.
    Signal(Signal),
    /// One of a list, or the whole list.
    List(u16, Option<Signal>),
}
