//! Frames for packet tables: built from one line, and checked from scratch.
//!
//! ```
//! use gateway_tests::packet::{check, udp};
//! let (phone, remote, public) = ([10, 10, 1, 1], [203, 0, 113, 10], [192, 0, 2, 1]);
//! let sent = udp(phone, 40_000, remote, 5060).ttl(64).payload(b"hi");
//! let expected = sent.clone().source(public).ttl(63);
//! assert_eq!(check(&expected.bytes()), Ok(expected));
//! ```
//!
//! ```text
//!   Packet = Ethernet (addresses, 0..2 tags) | IPv4 (options, fragment fields) | Body | padding
//! ```
//!
//! [`Packet::bytes`] and [`check`] are each other's inverse. Neither shares a line with the code
//! under test: every checksum is summed over the whole of what it covers (RFC 1071), never updated.

mod build;
mod check;
mod checksum;
mod encode;
mod fragment;
mod hexdump;
mod icmp;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

pub use build::{sctp, tcp, udp};
pub use check::{check, check_ip};
pub use fragment::{reassemble, reassemble_ip};
pub use hexdump::{assert_bytes, assert_frame, assert_ip, hexdump};
pub use icmp::{echo_reply, echo_request, frag_needed, icmp_error, time_exceeded, unreachable};

/// IP protocol numbers.
pub mod protocol {
    /// RFC 792.
    pub const ICMP: u8 = 1;
    /// RFC 9293.
    pub const TCP: u8 = 6;
    /// RFC 768.
    pub const UDP: u8 = 17;
    /// RFC 4303.
    pub const ESP: u8 = 50;
    /// RFC 9260.
    pub const SCTP: u8 = 132;
}

/// TCP flags.
pub mod flags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Starts a connection.
    pub const SYN: u8 = 0x02;
    /// Aborts a connection.
    pub const RST: u8 = 0x04;
    /// Hand the data over at once.
    pub const PSH: u8 = 0x08;
    /// The acknowledgement number is valid.
    pub const ACK: u8 = 0x10;
}

/// An Ethernet frame with an IPv4 packet in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The Ethernet header; not part of [`Packet::ip_bytes`].
    pub ethernet: Ethernet,
    /// The IPv4 header, without what follows from the rest (lengths, checksum, protocol).
    pub ip: Ip,
    /// What the IPv4 packet carries.
    pub body: Body,
    /// Bytes of the frame behind the IPv4 packet's end.
    pub padding: Vec<u8>,
}

/// An Ethernet header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ethernet {
    /// The receiver's address.
    pub destination: [u8; 6],
    /// The sender's address.
    pub source: [u8; 6],
    /// VLAN tags, the outermost first: TPID and TCI, host byte order.
    pub tags: Vec<(u16, u16)>,
}

/// What can be chosen in an IPv4 header (RFC 791).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ip {
    /// DSCP and ECN.
    pub tos: u8,
    /// Identification.
    pub id: u16,
    /// Don't fragment.
    pub dont_fragment: bool,
    /// More fragments follow.
    pub more_fragments: bool,
    /// Where this fragment's data starts in the whole, in bytes: a multiple of 8 below 65,536.
    pub fragment_offset: u16,
    /// Time to live in hops.
    pub ttl: u8,
    /// The sender.
    pub source: Ipv4Addr,
    /// The receiver.
    pub destination: Ipv4Addr,
    /// Options: at most 40 bytes, a multiple of 4.
    pub options: Vec<u8>,
}

/// What an IPv4 packet carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// RFC 768.
    Udp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
        /// Whether there is a checksum; without, its field is zero.
        checksum: bool,
        /// The datagram's data.
        payload: Vec<u8>,
    },
    /// RFC 9293.
    Tcp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
        /// Sequence number.
        sequence: u32,
        /// Acknowledgement number.
        acknowledgement: u32,
        /// See [`flags`].
        flags: u8,
        /// Receive window as sent.
        window: u16,
        /// Options: at most 40 bytes, a multiple of 4.
        options: Vec<u8>,
        /// The segment's data.
        payload: Vec<u8>,
    },
    /// RFC 9260.
    Sctp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
        /// Verification tag.
        tag: u32,
        /// The chunks, as bytes.
        payload: Vec<u8>,
    },
    /// ICMP echo (RFC 792).
    Echo {
        /// A reply, else a request.
        reply: bool,
        /// The identifier, which is a port to a NAT (RFC 5508).
        identifier: u16,
        /// The sequence number.
        sequence: u16,
        /// The data to be echoed.
        payload: Vec<u8>,
    },
    /// An ICMP error (RFC 792) and any other ICMP message.
    Icmp {
        /// Type, such as 3 for "destination unreachable".
        kind: u8,
        /// Code.
        code: u8,
        /// The second word of the header: in "fragmentation needed" its lower half is the MTU.
        rest: u32,
        /// In an error the start of the packet that caused it, from its IP header on.
        quote: Vec<u8>,
    },
    /// Another protocol, or a fragment: its checksum can only be verified in the whole.
    Raw {
        /// IP protocol number.
        protocol: u8,
        /// All bytes behind the IP header.
        payload: Vec<u8>,
    },
}

impl Body {
    /// The IP protocol number.
    #[must_use]
    pub const fn protocol(&self) -> u8 {
        match self {
            Self::Udp { .. } => protocol::UDP,
            Self::Tcp { .. } => protocol::TCP,
            Self::Sctp { .. } => protocol::SCTP,
            Self::Echo { .. } | Self::Icmp { .. } => protocol::ICMP,
            Self::Raw { protocol, .. } => *protocol,
        }
    }
}
