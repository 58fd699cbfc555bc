//! ICMP: echo, and errors that quote the packet that caused them.

use std::net::Ipv4Addr;

use super::encode::IP_HEADER;
use super::{Body, Packet};

/// Destination unreachable (RFC 792).
const UNREACHABLE: u8 = 3;
/// Its code for "fragmentation needed and DF set" (RFC 1191).
const FRAG_NEEDED: u8 = 4;
/// Time exceeded in transit (RFC 792).
const TIME_EXCEEDED: u8 = 11;
/// What RFC 792 asks every error to quote behind the IP header, in bytes; many send no more.
const LEAST_QUOTE: usize = 8;

/// An echo request without data and with sequence number 1.
pub fn echo_request(
    source: impl Into<Ipv4Addr>,
    destination: impl Into<Ipv4Addr>,
    identifier: u16,
) -> Packet {
    let body = Body::Echo {
        reply: false,
        identifier,
        sequence: 1,
        payload: Vec::new(),
    };
    Packet::new(source, destination, body)
}

/// An echo reply without data and with sequence number 1.
pub fn echo_reply(
    source: impl Into<Ipv4Addr>,
    destination: impl Into<Ipv4Addr>,
    identifier: u16,
) -> Packet {
    let body = Body::Echo {
        reply: true,
        identifier,
        sequence: 1,
        payload: Vec::new(),
    };
    Packet::new(source, destination, body)
}

/// Any ICMP error; say with [`Packet::quoting`] or [`Packet::quoting_all`] which packet caused it.
pub fn icmp_error(
    source: impl Into<Ipv4Addr>,
    destination: impl Into<Ipv4Addr>,
    kind: u8,
    code: u8,
) -> Packet {
    Packet::new(
        source,
        destination,
        Body::Icmp {
            kind,
            code,
            rest: 0,
            quote: Vec::new(),
        },
    )
}

/// "Destination unreachable" with a code such as 3 for the port.
pub fn unreachable(
    source: impl Into<Ipv4Addr>,
    destination: impl Into<Ipv4Addr>,
    code: u8,
) -> Packet {
    icmp_error(source, destination, UNREACHABLE, code)
}

/// "Time exceeded in transit".
pub fn time_exceeded(source: impl Into<Ipv4Addr>, destination: impl Into<Ipv4Addr>) -> Packet {
    icmp_error(source, destination, TIME_EXCEEDED, 0)
}

/// "Fragmentation needed", with the MTU of the next link in bytes.
pub fn frag_needed(
    source: impl Into<Ipv4Addr>,
    destination: impl Into<Ipv4Addr>,
    mtu: u16,
) -> Packet {
    let body = Body::Icmp {
        kind: UNREACHABLE,
        code: FRAG_NEEDED,
        rest: u32::from(mtu),
        quote: Vec::new(),
    };
    Packet::new(source, destination, body)
}

impl Packet {
    /// Quotes the IP header of `cause` and the first 8 bytes behind it.
    #[must_use]
    pub fn quoting(self, cause: &Self) -> Self {
        self.quoting_bytes(cause, LEAST_QUOTE)
    }

    /// Quotes the IP header of `cause` and at most `length` bytes behind it.
    #[must_use]
    pub fn quoting_bytes(self, cause: &Self, length: usize) -> Self {
        let mut quote = cause.ip_bytes();
        quote.truncate(IP_HEADER + cause.ip.options.len() + length);
        self.payload(&quote)
    }

    /// Quotes all of `cause`.
    #[must_use]
    pub fn quoting_all(self, cause: &Self) -> Self {
        self.payload(&cause.ip_bytes())
    }

    /// Whether this is an ICMP message that quotes a packet (RFC 792).
    #[must_use]
    pub const fn is_icmp_error(&self) -> bool {
        matches!(
            self.body,
            Body::Icmp {
                kind: UNREACHABLE | 4 | 5 | TIME_EXCEEDED | 12,
                ..
            }
        )
    }
}
