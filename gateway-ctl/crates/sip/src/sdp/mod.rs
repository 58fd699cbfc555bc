//! Session descriptions of offers and answers (RFC 8866, 3264; a=rtcp: RFC 3605), as far as
//! addresses and ports go. Everything else is passed on byte for byte.
//!
//! ```text
//!   v=0
//!   o=- 1 1 IN IP4 10.0.0.2               Place::Origin
//!   c=IN IP4 10.0.0.2                     Place::Session: of every media without one
//!   m=audio 40000 RTP/AVP 8 0
//!   c=IN IP4 10.0.0.3                     Place::Media(0)
//!   a=rtcp:40001 IN IP4 10.0.0.3          Place::Rtcp(0)
//! ```
//! H.248 has descriptions of its own kind (no o=, wildcards); these are crate `megaco`'s.

use std::net::IpAddr;

use crate::message::Status;

mod read;
#[cfg(test)]
mod tests;

use read::Reader;

/// Most bytes of a description.
const LONGEST: usize = 16 * 1024;
/// Most media of one.
const MOST_MEDIA: usize = 32;

/// Why a description can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum SdpFault {
    /// More than 16 KiB or 32 media.
    #[error("more than {LONGEST} bytes or {MOST_MEDIA} media")]
    TooLong,
    /// It does not begin with `v=0`, or a line has no `letter=`.
    #[error("a line is not `letter=value`, or the first not `v=0`")]
    Line,
    /// A `c=` or `o=` line whose address can't be read.
    #[error("address of c= or o= can't be read")]
    Address,
    /// An `m=` line that can't be read.
    #[error("m= is not `media port protocol formats`")]
    Media,
    /// `a=rtcp` that can't be read.
    #[error("a=rtcp is not `port [IN IP4 address]`")]
    Rtcp,
    /// A media that is used and has no address.
    #[error("a media has no c=, neither its own nor the session's")]
    NoAddress,
}

impl SdpFault {
    /// Every kind, in the order of their counters.
    pub const ALL: [Self; 6] = [
        Self::TooLong,
        Self::Line,
        Self::Address,
        Self::Media,
        Self::Rtcp,
        Self::NoAddress,
    ];

    /// The word used in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::TooLong => "sdp-too-long",
            Self::Line => "sdp-line",
            Self::Address => "sdp-address",
            Self::Media => "sdp-media",
            Self::Rtcp => "sdp-rtcp",
            Self::NoAddress => "sdp-no-address",
        }
    }

    /// What the sender is told: 400 for what can't be read, 488 for what is not acceptable.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::TooLong | Self::NoAddress => Status::NOT_ACCEPTABLE_HERE,
            _ => Status::BAD_REQUEST,
        }
    }
}

/// Where an address stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `o=`: a part of the session's name, no media goes there.
    Origin,
    /// `c=` before the first media.
    Session,
    /// `c=` of that media, counted from 0.
    Media(usize),
    /// `a=rtcp` of that media.
    Rtcp(usize),
}

/// Which way a media flows, as its sender says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// From who says so.
    SendOnly,
    /// To who says so.
    RecvOnly,
    /// Not at all.
    Inactive,
}

/// One `m=` line and what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media<'a> {
    /// `audio`, `video`, `image` ..
    pub kind: &'a str,
    /// 0: not used.
    pub port: u16,
    /// Ports in a row, mostly 1.
    pub ports: u16,
    /// `RTP/AVP` and so on.
    pub protocol: &'a str,
    /// Where it is received; none for a name or when it is not used.
    pub address: Option<IpAddr>,
    /// The port of `a=rtcp`.
    pub rtcp: Option<u16>,
    /// RTCP is received on the port of RTP (RFC 5761), if the other end wants so too.
    pub rtcp_mux: bool,
    /// Which way it flows.
    pub direction: Direction,
}

impl Media<'_> {
    /// The port RTCP is received on: that of `a=rtcp`, or the next one.
    #[must_use]
    pub fn rtcp_port(&self) -> Option<u16> {
        match (self.port, self.rtcp) {
            (0, _) => None,
            (_, Some(port)) => Some(port),
            (port, None) => port.checked_add(1),
        }
    }

    /// Whether the other end is to hear nothing: on hold, in the old way (address 0.0.0.0) or
    /// the new one.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let nowhere = self.address.is_some_and(|address| address.is_unspecified());
        nowhere || matches!(self.direction, Direction::SendOnly | Direction::Inactive)
    }
}

/// An address in the text: `IP4 10.0.0.2`.
#[derive(Clone, Copy, Debug)]
struct Field {
    place: Place,
    address: IpAddr,
    /// Of type and address together.
    start: usize,
    end: usize,
}

/// A description, read in place.
#[derive(Clone, Debug)]
pub struct Sdp<'a> {
    body: &'a [u8],
    fields: Vec<Field>,
    media: Vec<Media<'a>>,
}

impl<'a> Sdp<'a> {
    /// Reads a body of type `application/sdp`. Lines may end with LF alone.
    ///
    /// # Errors
    /// An [`SdpFault`].
    pub fn parse(body: &'a [u8]) -> Result<Self, SdpFault> {
        if body.len() > LONGEST {
            return Err(SdpFault::TooLong);
        }
        let mut reader = Reader::default();
        let mut at = 0;
        for line in body.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if !text.is_empty() {
                reader.line(text, at)?;
            }
            at += line.len();
        }
        reader.end()?;
        Ok(Self {
            body,
            fields: reader.fields,
            media: reader.media,
        })
    }

    /// Its media, in order.
    #[must_use]
    pub fn media(&self) -> &[Media<'a>] {
        &self.media
    }

    /// Every address and where it stands, in order. Names are not among them.
    pub fn addresses(&self) -> impl Iterator<Item = (Place, IpAddr)> {
        self.fields.iter().map(|field| (field.place, field.address))
    }

    /// The same text with other addresses: `choose` is asked for each, and leaves it with none.
    /// It is not asked for 0.0.0.0 and ::, which mean hold.
    #[must_use]
    pub fn rewrite(&self, mut choose: impl FnMut(Place, IpAddr) -> Option<IpAddr>) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 32);
        let mut at = 0;
        for field in &self.fields {
            if field.address.is_unspecified() {
                continue;
            }
            let Some(address) = choose(field.place, field.address) else {
                continue;
            };
            out.extend_from_slice(self.body.get(at..field.start).unwrap_or_default());
            let kind = if address.is_ipv4() { "IP4" } else { "IP6" };
            out.extend_from_slice(format!("{kind} {address}").as_bytes());
            at = field.end;
        }
        out.extend_from_slice(self.body.get(at..).unwrap_or_default());
        out
    }
}
