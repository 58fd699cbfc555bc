//! Media descriptors: streams and the termination's state (RFC 3525 sections 7.1.4 to 7.1.8).

use super::{Property, Statistic};

/// Streams and the termination's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// Of the termination, not of a stream.
    pub state: Option<TerminationState>,
    /// Either one without a number, or any with numbers.
    pub streams: Vec<Stream>,
}

impl Media {
    /// The stream of a number. One without a number is stream 1.
    #[must_use]
    pub fn stream(&self, id: u16) -> Option<&Stream> {
        self.streams
            .iter()
            .find(|stream| stream.id.unwrap_or(1) == id)
    }
}

/// State of a termination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TerminationState {
    /// In service or not.
    pub service: Option<ServiceState>,
    /// How the event buffer works.
    pub buffer: Option<EventBufferControl>,
    /// Properties of packages.
    pub properties: Vec<Property>,
}

/// In service or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// Under test.
    Test,
    /// Out of service.
    OutOfService,
    /// In service.
    InService,
}

/// How the event buffer works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventBufferControl {
    /// There is none.
    Off,
    /// One event at a time.
    LockStep,
}

/// A stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// Its number; `None`: the only one.
    pub id: Option<u16>,
    /// How it goes.
    pub control: Option<LocalControl>,
    /// What the gateway receives.
    pub local: Option<Octets>,
    /// What the gateway sends.
    pub remote: Option<Octets>,
    /// Its figures (version 3).
    pub statistics: Option<Vec<Statistic>>,
}

/// How a stream goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalControl {
    /// Which way.
    pub mode: Option<StreamMode>,
    /// Reserve for all groups of alternatives, not for one.
    pub reserve_group: Option<bool>,
    /// Reserve for all values of a group, not for one.
    pub reserve_value: Option<bool>,
    /// Properties of packages.
    pub properties: Vec<Property>,
}

/// Which way a stream goes, seen from outside the context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamMode {
    /// Only out.
    SendOnly,
    /// Only in.
    ReceiveOnly,
    /// Both.
    SendReceive,
    /// Neither.
    Inactive,
    /// Back.
    Loopback,
}

/// What stands in Local and Remote: session descriptions, as they came.
///
/// Spaces and line ends before them belong to the brace, so they are no part of it. `}` is
/// escaped on the wire; a backslash at the end would escape the closing brace, so a line end
/// follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Octets(Vec<u8>);

impl Octets {
    /// Of any octets.
    #[must_use]
    pub fn new(octets: impl Into<Vec<u8>>) -> Self {
        let mut octets = octets.into();
        let blank = octets.iter().take_while(|octet| is_blank(**octet)).count();
        octets.drain(..blank);
        if octets.last() == Some(&b'\\') {
            octets.push(b'\n');
        }
        Self(octets)
    }

    /// The octets, without escapes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Octets {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

pub(crate) fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}
