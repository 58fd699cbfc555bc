//! A line, and the words in it that can be replaced.

use std::net::IpAddr;
use std::ops::Range;

use super::{Given, Rtcp};

/// A line and how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    text: Vec<u8>,
    end: &'static [u8],
}

/// Which word, counted from 0 behind `x=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// `m=HERE`
    MediaKind = 0,
    /// `m=audio HERE`
    Port = 1,
    /// `m=audio 40000 HERE`, `c=IN IP4 HERE`
    Protocol = 2,
    /// `m=audio 40000 RTP/AVP HERE`, `a=rtcp:40001 IN IP4 HERE`
    Formats = 3,
}

impl Field {
    /// `c=IN IP4 HERE`
    #[expect(non_upper_case_globals, reason = "another name of the third word")]
    pub(super) const Address: Self = Self::Protocol;
    /// `a=rtcp:40001 IN IP4 HERE`
    #[expect(non_upper_case_globals, reason = "another name of the fourth word")]
    pub(super) const RtcpAddress: Self = Self::Formats;
}

/// Lines, whatever ends them.
pub(super) fn split(octets: &[u8]) -> Vec<Line> {
    let (mut lines, mut rest) = (Vec::new(), octets);
    while !rest.is_empty() {
        let length = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n'));
        let (text, behind) = rest.split_at(length.unwrap_or(rest.len()));
        let end: &[u8] = match behind {
            [b'\r', b'\n', ..] => b"\r\n",
            [b'\r', ..] => b"\r",
            [_, ..] => b"\n",
            [] => b"",
        };
        let text = text.to_vec();
        lines.push(Line { text, end });
        rest = &behind[end.len()..];
    }
    lines
}

impl Line {
    pub(super) fn octets(&self) -> impl Iterator<Item = u8> {
        self.text.iter().chain(self.end).copied()
    }

    /// The letter before `=`; 0 when there is none.
    pub(super) fn kind(&self) -> u8 {
        match self.text.as_slice() {
            [letter, b'=', ..] => *letter,
            _ => 0,
        }
    }

    /// Where a word is.
    fn range(&self, field: Field) -> Option<Range<usize>> {
        let mut words = 0;
        let mut at = 2;
        loop {
            at += self
                .text
                .get(at..)?
                .iter()
                .take_while(|octet| **octet == b' ')
                .count();
            let rest = self.text.get(at..).filter(|rest| !rest.is_empty())?;
            let length = rest.iter().take_while(|octet| **octet != b' ').count();
            if words == field as usize {
                return Some(at..at + length);
            }
            (words, at) = (words + 1, at + length);
        }
    }

    pub(super) fn word(&self, field: Field) -> &str {
        let word = self.range(field).and_then(|range| self.text.get(range));
        word.and_then(|word| std::str::from_utf8(word).ok())
            .unwrap_or_default()
    }

    /// A word and all behind it.
    pub(super) fn rest(&self, field: Field) -> &str {
        let rest = self
            .range(field)
            .and_then(|range| self.text.get(range.start..));
        rest.and_then(|rest| std::str::from_utf8(rest).ok())
            .unwrap_or_default()
    }

    fn replace(&mut self, range: Range<usize>, text: &str) {
        self.text.splice(range, text.bytes());
    }

    /// The port in `m=audio 40000/2`, and where it is.
    fn port_range(&self) -> Option<Range<usize>> {
        let range = self.range(Field::Port)?;
        let word = self.text.get(range.clone())?;
        let length = word.iter().position(|octet| *octet == b'/');
        Some(range.start..range.start + length.unwrap_or(word.len()))
    }

    pub(super) fn port(&self) -> Option<Given<u16>> {
        let word = self.text.get(self.port_range()?)?;
        given(std::str::from_utf8(word).ok()?)
    }

    pub(super) fn set_port(&mut self, port: u16) -> bool {
        match self.port_range() {
            Some(range) => {
                self.replace(range, &port.to_string());
                true
            }
            None => false,
        }
    }

    /// The address in `IN IP4 192.0.2.9/127`, and where it is.
    fn address_range(&self, field: Field) -> Option<Range<usize>> {
        let range = self.range(field)?;
        let word = self.text.get(range.clone())?;
        let length = word.iter().position(|octet| *octet == b'/');
        Some(range.start..range.start + length.unwrap_or(word.len()))
    }

    pub(super) fn address(&self, field: Field) -> Option<Given<IpAddr>> {
        let word = self.text.get(self.address_range(field)?)?;
        given(std::str::from_utf8(word).ok()?)
    }

    /// The address of `c=` and `a=rtcp`, with its family. Whether there was one to replace.
    pub(super) fn set_address(&mut self, address: IpAddr) -> bool {
        let (family, field) = match self.kind() {
            b'c' => (Field::Port, Field::Address),
            b'a' if self.rtcp().is_some() => (Field::Protocol, Field::RtcpAddress),
            _ => return false,
        };
        let (Some(before), Some(place)) = (self.range(family), self.address_range(field)) else {
            return false;
        };
        // The later one first: the earlier keeps its place.
        self.replace(place, &address.to_string());
        self.replace(before, if address.is_ipv4() { "IP4" } else { "IP6" });
        true
    }

    /// Where the port of `a=rtcp:40001` is.
    fn rtcp_range(&self) -> Option<Range<usize>> {
        const BEFORE: usize = b"a=rtcp:".len();
        let rest = self.text.strip_prefix(b"a=rtcp:")?;
        let length = rest.iter().take_while(|octet| **octet != b' ').count();
        Some(BEFORE..BEFORE + length)
    }

    pub(super) fn rtcp(&self) -> Option<Rtcp> {
        let word = self.text.get(self.rtcp_range()?)?;
        Some(Rtcp {
            port: given(std::str::from_utf8(word).ok()?)?,
            address: self.address(Field::RtcpAddress),
        })
    }

    pub(super) fn set_rtcp_port(&mut self, port: u16) -> bool {
        match self.rtcp_range() {
            Some(range) => {
                self.replace(range, &port.to_string());
                true
            }
            None => false,
        }
    }
}

fn given<T: std::str::FromStr>(word: &str) -> Option<Given<T>> {
    match word {
        "$" => Some(Given::Choose),
        word => word.parse().ok().map(Given::Value),
    }
}
