//! Line by line through a description.

use std::net::IpAddr;

use super::{Direction, Field, MOST_MEDIA, Media, Place, SdpFault};
use crate::message::lex;

/// What is known while lines are read.
#[derive(Default)]
pub(super) struct Reader<'a> {
    started: bool,
    pub(super) fields: Vec<Field>,
    pub(super) media: Vec<Media<'a>>,
    /// What the session's c= says: nothing, a name, an address.
    session: Option<Option<IpAddr>>,
    /// The same for the media being read.
    own: Option<Option<IpAddr>>,
    direction: Direction,
}

impl<'a> Reader<'a> {
    pub(super) fn line(&mut self, text: &'a [u8], at: usize) -> Result<(), SdpFault> {
        let [letter, b'=', value @ ..] = text else {
            return Err(SdpFault::Line);
        };
        if !self.started {
            self.started = (*letter, value) == (b'v', b"0");
            return if self.started {
                Ok(())
            } else {
                Err(SdpFault::Line)
            };
        }
        match letter {
            b'o' => self.origin(value, at + 2),
            b'c' => self.connection(value, at + 2),
            b'm' => self.medium(value),
            b'a' => self.attribute(value, at + 2),
            letter if letter.is_ascii_alphabetic() => Ok(()),
            _ => Err(SdpFault::Line),
        }
    }

    fn origin(&mut self, value: &[u8], at: usize) -> Result<(), SdpFault> {
        // user session version IN IP4 address
        let before = words(value).nth(3).ok_or(SdpFault::Address)?;
        let rest = value.get(before.start..).unwrap_or_default();
        self.address(rest, at + before.start, Place::Origin)
            .map(drop)
    }

    fn connection(&mut self, value: &[u8], at: usize) -> Result<(), SdpFault> {
        let place = match self.media.len() {
            0 => Place::Session,
            count => Place::Media(count - 1),
        };
        let address = self.address(value, at, place)?;
        match place {
            Place::Session => self.session = Some(address),
            _ => self.own = Some(address),
        }
        Ok(())
    }

    /// `IN IP4 address[/ttl]`; none for a name.
    fn address(
        &mut self,
        value: &[u8],
        at: usize,
        place: Place,
    ) -> Result<Option<IpAddr>, SdpFault> {
        let mut parts = words(value);
        let (Some(net), Some(kind), Some(whole), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SdpFault::Address);
        };
        let ipv6 = match (net.of(value), kind.of(value)) {
            (b"IN", b"IP4") => false,
            (b"IN", b"IP6") => true,
            _ => return Err(SdpFault::Address),
        };
        let text = whole.of(value);
        let length = text
            .iter()
            .position(|byte| *byte == b'/')
            .unwrap_or(text.len());
        let text = std::str::from_utf8(text.get(..length).unwrap_or_default());
        let text = text.map_err(|_| SdpFault::Address)?;
        let Ok(address) = text.parse::<IpAddr>() else {
            let named =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
            let name = text.bytes().any(|byte| byte.is_ascii_alphabetic());
            let sound = name && text.bytes().all(named);
            return if sound {
                Ok(None)
            } else {
                Err(SdpFault::Address)
            };
        };
        if address.is_ipv6() != ipv6 {
            return Err(SdpFault::Address);
        }
        self.fields.push(Field {
            place,
            address,
            start: at + kind.start,
            end: at + whole.start + length,
        });
        Ok(Some(address))
    }

    fn medium(&mut self, value: &'a [u8]) -> Result<(), SdpFault> {
        if self.media.len() == MOST_MEDIA {
            return Err(SdpFault::TooLong);
        }
        self.end_medium()?;
        let text = std::str::from_utf8(value).map_err(|_| SdpFault::Media)?;
        let mut parts = text.split(' ').filter(|part| !part.is_empty());
        let (Some(kind), Some(ports), Some(protocol), Some(_)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SdpFault::Media);
        };
        let (port, count) = ports.split_once('/').unwrap_or((ports, "1"));
        let number = |text: &str| lex::port(text.as_bytes()).ok_or(SdpFault::Media);
        self.media.push(Media {
            kind,
            port: number(port)?,
            ports: number(count)?,
            protocol,
            address: None,
            rtcp: None,
            rtcp_mux: false,
            direction: self.direction,
        });
        Ok(())
    }

    fn attribute(&mut self, value: &[u8], at: usize) -> Result<(), SdpFault> {
        let direction = match value {
            b"sendrecv" => Some(Direction::SendRecv),
            b"sendonly" => Some(Direction::SendOnly),
            b"recvonly" => Some(Direction::RecvOnly),
            b"inactive" => Some(Direction::Inactive),
            _ => None,
        };
        let count = self.media.len();
        let Some(medium) = self.media.last_mut() else {
            self.direction = direction.unwrap_or(self.direction);
            return Ok(());
        };
        if let Some(direction) = direction {
            medium.direction = direction;
        } else if value == b"rtcp-mux" {
            medium.rtcp_mux = true;
        } else if let Some(rest) = value.strip_prefix(b"rtcp:") {
            let port = words(rest).next().ok_or(SdpFault::Rtcp)?;
            medium.rtcp = Some(lex::port(port.of(rest)).ok_or(SdpFault::Rtcp)?);
            if let Some(net) = words(rest).nth(1) {
                let place = Place::Rtcp(count - 1);
                let address = rest.get(net.start..).unwrap_or_default();
                self.address(address, at + b"rtcp:".len() + net.start, place)
                    .map_err(|_| SdpFault::Rtcp)?;
            }
        }
        Ok(())
    }

    /// Gives the media that was read its address.
    fn end_medium(&mut self) -> Result<(), SdpFault> {
        let address = self.own.take().or(self.session);
        let Some(medium) = self.media.last_mut() else {
            return Ok(());
        };
        if address.is_none() && medium.port != 0 {
            return Err(SdpFault::NoAddress);
        }
        medium.address = address.flatten().filter(|_| medium.port != 0);
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<(), SdpFault> {
        if !self.started {
            return Err(SdpFault::Line);
        }
        self.end_medium()
    }
}

/// A word's place in its line.
#[derive(Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
}

impl Word {
    fn of(self, line: &[u8]) -> &[u8] {
        line.get(self.start..self.end).unwrap_or_default()
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = Word> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = line.get(at..)?;
        let start = at + rest.iter().position(|byte| *byte != b' ')?;
        let rest = line.get(start..)?;
        let end = start
            + rest
                .iter()
                .position(|byte| *byte == b' ')
                .unwrap_or(rest.len());
        at = end;
        Some(Word { start, end })
    })
}
