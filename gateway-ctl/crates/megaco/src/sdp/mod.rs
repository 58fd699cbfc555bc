//! Session descriptions as H.248 has them in Local and Remote (RFC 3525 section 7.1.8), which are
//! not those of SIP: `o=`, `s=` and `t=` may be absent, `$` leaves a value to the gateway, and
//! several descriptions are alternatives.
//!
//! ```text
//!   v=0                          an alternative begins
//!   c=IN IP4 $                   its address, for media without one of their own
//!   m=audio $ RTP/AVP 8          media: port, formats
//!   c=IN IP4 192.0.2.9           the media's address
//!   a=rtcp:40001 IN IP4 ...      where RTCP goes, if not to the next port (RFC 3605)
//!   v=0                          the next alternative
//! ```
//!
//! Addresses and ports can be replaced; all else stays as it came, to the octet.

mod line;

use std::net::IpAddr;

use crate::message::Octets;
use line::{Field, Line};

/// Session descriptions, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sdp {
    lines: Vec<Line>,
}

/// A value that may be left to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given<T> {
    /// `$`
    Choose,
    /// This.
    Value(T),
}

impl<T> Given<T> {
    /// The value, unless it is left to the gateway.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Choose => None,
            Self::Value(value) => Some(value),
        }
    }
}

/// A media line, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdpMedia<'a> {
    /// Which alternative it is in, from 0.
    pub alternative: usize,
    /// `audio`, for one.
    pub kind: &'a str,
    /// Its port; `None` when it cannot be read.
    pub port: Option<Given<u16>>,
    /// `RTP/AVP`, for one.
    pub protocol: &'a str,
    /// Payload types, with spaces between them.
    pub formats: &'a str,
    /// Its address, or that of its alternative; `None` when there is none, or a name.
    pub address: Option<Given<IpAddr>>,
    /// Where RTCP goes, if it is said.
    pub rtcp: Option<Rtcp>,
}

/// `a=rtcp` (RFC 3605).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtcp {
    /// Port.
    pub port: Given<u16>,
    /// Address, if it is not that of the media.
    pub address: Option<Given<IpAddr>>,
}

impl Sdp {
    /// Reads any octets; lines that mean nothing here are kept.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Self {
        Self {
            lines: line::split(octets),
        }
    }

    /// As octets again.
    #[must_use]
    pub fn to_octets(&self) -> Octets {
        Octets::new(
            self.lines
                .iter()
                .flat_map(Line::octets)
                .collect::<Vec<u8>>(),
        )
    }

    /// All media of all alternatives, in order.
    #[must_use]
    pub fn media(&self) -> Vec<SdpMedia<'_>> {
        let mut all: Vec<SdpMedia<'_>> = Vec::new();
        let (mut alternative, mut begun, mut session) = (0, false, None);
        for line in &self.lines {
            // In whose part the line stands: of the alternative, or of its last media.
            let last = all
                .last_mut()
                .filter(|media| media.alternative == alternative);
            match line.kind() {
                b'v' => {
                    alternative += usize::from(begun);
                    session = None;
                }
                b'm' => all.push(SdpMedia {
                    alternative,
                    kind: line.word(Field::MediaKind),
                    port: line.port(),
                    protocol: line.word(Field::Protocol),
                    formats: line.rest(Field::Formats),
                    address: session,
                    rtcp: None,
                }),
                b'c' => match last {
                    Some(media) => media.address = line.address(Field::Address),
                    None => session = line.address(Field::Address),
                },
                b'a' => {
                    if let (Some(media), Some(rtcp)) = (last, line.rtcp()) {
                        media.rtcp = Some(rtcp);
                    }
                }
                _ => {}
            }
            begun = true;
        }
        all
    }

    /// How many alternatives there are; at least one, unless there are no lines.
    #[must_use]
    pub fn alternatives(&self) -> usize {
        let begins = self.lines.iter().skip(1).filter(|line| line.kind() == b'v');
        usize::from(!self.lines.is_empty()) + begins.count()
    }

    /// One alternative alone, from 0.
    #[must_use]
    pub fn alternative(&self, index: usize) -> Self {
        let (mut at, mut lines) = (0, Vec::new());
        for (number, line) in self.lines.iter().enumerate() {
            at += usize::from(number > 0 && line.kind() == b'v');
            if at == index {
                lines.push(line.clone());
            }
        }
        Self { lines }
    }

    /// Whether any address or port is left to the gateway.
    #[must_use]
    pub fn has_choose(&self) -> bool {
        self.lines.iter().any(|line| match line.kind() {
            b'm' => line.port() == Some(Given::Choose),
            b'c' => line.address(Field::Address) == Some(Given::Choose),
            _ => false,
        })
    }

    /// Replaces every address that media or RTCP come to, in all alternatives. How many.
    pub fn set_address(&mut self, address: IpAddr) -> usize {
        let mut replaced = 0;
        for line in &mut self.lines {
            replaced += usize::from(line.set_address(address));
        }
        replaced
    }

    /// Replaces the port of the media of this index in [`Self::media`]. Whether there is one.
    pub fn set_port(&mut self, media: usize, port: u16) -> bool {
        let mut lines = self.lines.iter_mut().filter(|line| line.kind() == b'm');
        lines.nth(media).is_some_and(|line| line.set_port(port))
    }

    /// Replaces the port of RTCP of the media of this index, where it is said. Whether it is.
    pub fn set_rtcp_port(&mut self, media: usize, port: u16) -> bool {
        let mut at = None;
        for line in &mut self.lines {
            match line.kind() {
                b'm' => at = Some(at.map_or(0, |at| at + 1)),
                b'v' if at == Some(media) => return false,
                b'a' if at == Some(media) && line.rtcp().is_some() => {
                    return line.set_rtcp_port(port);
                }
                _ => {}
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
