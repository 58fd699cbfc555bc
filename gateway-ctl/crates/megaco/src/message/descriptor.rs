//! Descriptors (RFC 3525 section 7.1), the short ones; media, events, signals and audits have
//! files of their own.

use super::{
    AuditItem, Events, Media, ObservedEvent, ObservedEvents, ParmValue, Property, Signals,
    TerminationId,
};
use crate::error::ErrorCode;
use crate::name::{DialMap, Name, PkgdName};
use crate::text::Text;

/// What is set, or what is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Descriptor {
    /// Streams and the termination's state.
    Media(Media),
    /// A modem (out of use since 2002).
    Modem(Modem),
    /// Terminations that are multiplexed.
    Mux(Mux),
    /// What to watch for.
    Events(Events),
    /// What to send.
    Signals(Signals),
    /// What numbers look like.
    DigitMap(DigitMap),
    /// What to put into the event buffer, or what is there.
    EventBuffer(Vec<ObservedEvent>),
    /// What to tell.
    Audit(Vec<AuditItem>),
    /// Figures.
    Statistics(Vec<Statistic>),
    /// What happened.
    ObservedEvents(ObservedEvents),
    /// What the termination can do.
    Packages(Vec<Package>),
    /// What is wrong.
    Error(ErrorDescriptor),
    /// The bare word: there is nothing of this kind.
    Empty(DescriptorKind),
}

/// Kinds of which there is a bare word in answers to audits, besides Events, Signals,
/// EventBuffer and Statistics, whose bare word is an empty descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DescriptorKind {
    /// Media
    Media,
    /// Modem
    Modem,
    /// Mux
    Mux,
    /// DigitMap
    DigitMap,
    /// ObservedEvents
    ObservedEvents,
    /// Packages
    Packages,
}

/// Descriptors, each kind at most once when it was parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Descriptors(pub Vec<Descriptor>);

impl Descriptors {
    /// None.
    pub const NONE: Self = Self(Vec::new());

    /// The Media descriptor.
    #[must_use]
    pub fn media(&self) -> Option<&Media> {
        self.0.iter().find_map(|descriptor| match descriptor {
            Descriptor::Media(media) => Some(media),
            _ => None,
        })
    }

    /// The Events descriptor.
    #[must_use]
    pub fn events(&self) -> Option<&Events> {
        self.0.iter().find_map(|descriptor| match descriptor {
            Descriptor::Events(events) => Some(events),
            _ => None,
        })
    }

    /// The Signals descriptor.
    #[must_use]
    pub fn signals(&self) -> Option<&Signals> {
        self.0.iter().find_map(|descriptor| match descriptor {
            Descriptor::Signals(signals) => Some(signals),
            _ => None,
        })
    }

    /// The DigitMap descriptor.
    #[must_use]
    pub fn digit_map(&self) -> Option<&DigitMap> {
        self.0.iter().find_map(|descriptor| match descriptor {
            Descriptor::DigitMap(map) => Some(map),
            _ => None,
        })
    }

    /// The ObservedEvents descriptor.
    #[must_use]
    pub fn observed_events(&self) -> Option<&ObservedEvents> {
        self.0.iter().find_map(|descriptor| match descriptor {
            Descriptor::ObservedEvents(events) => Some(events),
            _ => None,
        })
    }

    /// The figures.
    #[must_use]
    pub fn statistics(&self) -> Option<&[Statistic]> {
        self.0.iter().find_map(|descriptor| match descriptor {
            Descriptor::Statistics(statistics) => Some(statistics.as_slice()),
            _ => None,
        })
    }

    /// The packages.
    #[must_use]
    pub fn packages(&self) -> Option<&[Package]> {
        self.0.iter().find_map(|descriptor| match descriptor {
            Descriptor::Packages(packages) => Some(packages.as_slice()),
            _ => None,
        })
    }

    /// What is asked for.
    #[must_use]
    pub fn audit(&self) -> Option<&[AuditItem]> {
        self.0.iter().find_map(|descriptor| match descriptor {
            Descriptor::Audit(items) => Some(items.as_slice()),
            _ => None,
        })
    }

    /// What is wrong.
    #[must_use]
    pub fn error(&self) -> Option<&ErrorDescriptor> {
        self.0.iter().find_map(|descriptor| match descriptor {
            Descriptor::Error(error) => Some(error),
            _ => None,
        })
    }
}

impl From<Vec<Descriptor>> for Descriptors {
    fn from(descriptors: Vec<Descriptor>) -> Self {
        Self(descriptors)
    }
}

impl<const N: usize> From<[Descriptor; N]> for Descriptors {
    fn from(descriptors: [Descriptor; N]) -> Self {
        Self(descriptors.into())
    }
}

/// What is wrong (RFC 3525 section 7.1.19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDescriptor {
    /// Code.
    pub code: ErrorCode,
    /// For people; may be empty.
    pub text: Text,
}

impl ErrorDescriptor {
    /// The code with some text of one's own; what cannot be written of it is replaced.
    #[must_use]
    pub fn new(code: ErrorCode, text: &str) -> Self {
        let text = Text::lossy(text);
        Self { code, text }
    }
}

impl From<ErrorCode> for ErrorDescriptor {
    /// The code with its usual text.
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.text())
    }
}

/// A modem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modem {
    /// Modulations, such as `V32b`; at least one.
    pub kinds: Vec<Name>,
    /// Properties of it.
    pub properties: Vec<Property>,
}

/// Terminations that are multiplexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mux {
    /// How.
    pub kind: MuxKind,
    /// Which; at least one.
    pub terminations: Vec<TerminationId>,
}

/// How terminations are multiplexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MuxKind {
    /// H.221
    H221,
    /// H.223
    H223,
    /// H.226
    H226,
    /// V.76
    V76,
    /// n × 64 kbit/s (version 2)
    Nx64k,
    /// An extension, such as `X-abc`.
    Other(Name),
}

/// What numbers look like: a name, a value, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DigitMap {
    /// The one that is known by this name; with a value: is now known by it.
    Named(Name, Option<DigitMapValue>),
    /// This one, without a name.
    Value(DigitMapValue),
}

/// What numbers look like, and how long to wait for the next digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitMapValue {
    /// `T`: for the first digit, seconds, 0 to 99.
    pub start: Option<u8>,
    /// `S`: when no more is needed, seconds, 0 to 99.
    pub short: Option<u8>,
    /// `L`: when more is needed, seconds, 0 to 99.
    pub long: Option<u8>,
    /// `Z`: how long a long digit is, tenths of a second, 0 to 99.
    pub duration: Option<u8>,
    /// The patterns.
    pub map: DialMap,
}

impl From<DialMap> for DigitMapValue {
    fn from(map: DialMap) -> Self {
        Self {
            start: None,
            short: None,
            long: None,
            duration: None,
            map,
        }
    }
}

/// A figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistic {
    /// Which.
    pub name: PkgdName,
    /// [`ParmValue::Is`] or, in version 3, [`ParmValue::All`]; `None`: to be counted.
    pub value: Option<ParmValue>,
}

/// A package and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name, without `-` at its end.
    pub name: Name,
    /// Version.
    pub version: u16,
}
