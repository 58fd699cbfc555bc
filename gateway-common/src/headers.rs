//! Wire formats: offsets, numbers and bits, with their sources.

/// Ethernet II (IEEE 802.3) and VLAN tags (IEEE 802.1Q, 802.1ad).
pub mod ethernet {
    /// Length of destination, source and EtherType.
    pub const HEADER: usize = 14;
    /// Offset of the EtherType.
    pub const ETHERTYPE: usize = 12;
    /// Length of a VLAN tag: TPID and TCI.
    pub const TAG: usize = 4;
    /// IPv4.
    pub const IPV4: u16 = 0x0800;
    /// Customer VLAN tag.
    pub const VLAN: u16 = 0x8100;
    /// Service VLAN tag (QinQ).
    pub const SERVICE_VLAN: u16 = 0x88a8;
    /// Bits of a TCI that are the VLAN identifier.
    pub const VID: u16 = 0x0fff;
}

/// IPv4 (RFC 791).
pub mod ipv4 {
    /// Length without options.
    pub const HEADER: usize = 20;
    /// Version and header length.
    pub const VERSION_IHL: usize = 0;
    /// Type of service, now DSCP and ECN (RFC 2474, RFC 3168).
    pub const TOS: usize = 1;
    /// Length of header and data.
    pub const TOTAL_LENGTH: usize = 2;
    /// Identification.
    pub const ID: usize = 4;
    /// Flags and fragment offset.
    pub const FRAGMENT: usize = 6;
    /// Time to live, followed by the protocol.
    pub const TTL: usize = 8;
    /// Protocol.
    pub const PROTOCOL: usize = 9;
    /// Header checksum.
    pub const CHECKSUM: usize = 10;
    /// Source address.
    pub const SOURCE: usize = 12;
    /// Destination address.
    pub const DESTINATION: usize = 16;
    /// Don't fragment.
    pub const DF: u16 = 0x4000;
    /// More fragments.
    pub const MF: u16 = 0x2000;
    /// Bits of the fragment offset, in units of 8 bytes.
    pub const OFFSET: u16 = 0x1fff;
}

/// IP protocol numbers.
pub mod protocol {
    /// RFC 792.
    pub const ICMP: u8 = 1;
    /// RFC 9293.
    pub const TCP: u8 = 6;
    /// RFC 768.
    pub const UDP: u8 = 17;
    /// RFC 9260.
    pub const SCTP: u8 = 132;
}

/// Source and destination port stand first in UDP, TCP and SCTP alike.
pub mod ports {
    /// Offset of the source port.
    pub const SOURCE: usize = 0;
    /// Offset of the destination port.
    pub const DESTINATION: usize = 2;
}

/// UDP (RFC 768).
pub mod udp {
    /// Length of the header.
    pub const HEADER: usize = 8;
    /// Checksum, 0: none.
    pub const CHECKSUM: usize = 6;
}

/// TCP (RFC 9293).
pub mod tcp {
    /// Length without options.
    pub const HEADER: usize = 20;
    /// Checksum.
    pub const CHECKSUM: usize = 16;
}

/// SCTP (RFC 9260): its CRC32c has no pseudo header, so addresses don't matter.
pub mod sctp {
    /// Length of the common header.
    pub const HEADER: usize = 12;
}

/// ICMP (RFC 792).
pub mod icmp {
    /// Length of the header; in errors the quoted packet follows.
    pub const HEADER: usize = 8;
    /// Type, followed by the code.
    pub const TYPE: usize = 0;
    /// Checksum.
    pub const CHECKSUM: usize = 2;
    /// Identifier of an echo message.
    pub const ID: usize = 4;
    /// Next-hop MTU of "fragmentation needed" (RFC 1191 section 4).
    pub const NEXT_HOP_MTU: usize = 6;
    /// Echo reply.
    pub const ECHO_REPLY: u8 = 0;
    /// Destination unreachable.
    pub const UNREACHABLE: u8 = 3;
    /// Code of [`UNREACHABLE`]: fragmentation needed and DF set.
    pub const FRAGMENTATION_NEEDED: u8 = 4;
    /// Echo request.
    pub const ECHO_REQUEST: u8 = 8;
    /// Time exceeded; code 0: in transit.
    pub const TIME_EXCEEDED: u8 = 11;
    /// Parameter problem.
    pub const PARAMETER_PROBLEM: u8 = 12;
    /// Bytes of transport header that every error quotes at least.
    pub const QUOTED_TRANSPORT: usize = 8;
}
