//! Errors that the gateway itself sends: time exceeded, fragmentation needed.
//!
//! They quote the packet as the *sender* sent it, so they are made before any
//! translation (dataplane trap 5). The shell has made room for the two headers:
//!
//! ```text
//!   | Ethernet, tags | IPv4 20 | ICMP 8 | the packet, cut to QUOTE bytes |
//!                    ^ ip
//! ```

use crate::checksum::fold;
use crate::headers::{icmp, ipv4, protocol};
use crate::parse::{Fragment, Packet, Transport};
use crate::verdict::Reason;
use crate::view::PacketView;

/// Bytes of the offending packet that are quoted at most: header with options
/// (60), transport header, and what tracers put behind it. A multiple of 4.
pub const QUOTE: usize = 128;
/// Room for the two headers in front of the quote.
pub const HEADERS: usize = ipv4::HEADER + icmp::HEADER;

/// An error to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The gateway's address on the interface where the packet came in.
    pub source: u32,
    /// ICMP type.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Next-hop MTU, 0 unless fragmentation is needed.
    pub mtu: u16,
}

impl Answer {
    /// "Time to live exceeded in transit" (RFC 792).
    #[must_use]
    pub const fn ttl_expired(source: u32) -> Self {
        Self {
            source,
            kind: icmp::TIME_EXCEEDED,
            code: 0,
            mtu: 0,
        }
    }

    /// "Fragmentation needed and DF set" (RFC 1191 section 4).
    #[must_use]
    pub const fn too_big(source: u32, mtu: u16) -> Self {
        Self {
            source,
            kind: icmp::UNREACHABLE,
            code: icmp::FRAGMENTATION_NEEDED,
            mtu,
        }
    }
}

/// Whether an error may be sent about `packet` (RFC 1122 section 3.2.2): not
/// about errors, later fragments, or to a source that is no single host.
#[inline(always)]
#[must_use]
pub fn is_answerable(packet: &Packet) -> bool {
    packet.fragment != Fragment::Later
        && !matches!(
            packet.transport,
            Transport::IcmpError | Transport::OtherIcmp
        )
        && packet.source != 0
        && packet.source < 0xe000_0000
        && packet.source >> 24 != 127
}

/// How much of `packet` is quoted: whole words, so that the sum is simple.
#[inline(always)]
#[must_use]
pub const fn quote_length(packet: &Packet) -> usize {
    let length = packet.total_length as usize;
    if length >= QUOTE { QUOTE } else { length & !3 }
}

/// Writes the two headers where `packet`'s own was; the quote of `quote` bytes
/// follows them.
///
/// # Errors
/// [`Reason::Truncated`] when the room is not there.
#[inline(always)]
pub fn write(
    view: &mut impl PacketView,
    packet: &Packet,
    answer: &Answer,
    quote: usize,
) -> Result<(), Reason> {
    let ip = usize::from(packet.ip);
    let total = (HEADERS + quote) as u32;
    // TOS 0xc0, internetwork control (RFC 1812 section 4.3.2.5); DF; TTL 64.
    let header = [
        0x45c0_0000 | total,
        0x0000_4000,
        64 << 24 | (protocol::ICMP as u32) << 16,
        answer.source,
        packet.source,
    ];
    let mut sum = 0;
    for word in header {
        sum += (word >> 16) + (word & 0xffff);
    }
    let [first, second, third, source, destination] = header;
    let third = third | !fold(sum) as u32;
    view.put_words(ip, [first, second, third, source, destination])?;

    let mut sum = (answer.kind as u32) << 8 | answer.code as u32;
    sum += answer.mtu as u32;
    let mut at = 0;
    while at < QUOTE {
        if at >= quote {
            break;
        }
        let [word] = view.words(ip + HEADERS + at)?;
        sum += (word >> 16) + (word & 0xffff);
        at += 4;
    }
    let kind = (answer.kind as u16) << 8 | answer.code as u16;
    view.put_halves(ip + ipv4::HEADER, [kind, !fold(sum), 0, answer.mtu])
}

#[cfg(test)]
mod tests;
