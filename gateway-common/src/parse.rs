//! What a packet is: from bytes to [`Packet`], or the [`Reason`] why not.
//!
//! ```text
//! | Ethernet 14 | tag 4 | tag 4 | IPv4 20..60 | UDP 8 / TCP 20 / SCTP 12 / ICMP 8 ...
//! ^ 0           (0, 1 or 2 tags) ^ ip          ^ transport
//! ```

use crate::headers::{ethernet, icmp, ipv4, ports, protocol, sctp, tcp, udp};
use crate::verdict::Reason;
use crate::view::PacketView;

/// The frame around an IPv4 packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where the IP header starts.
    pub ip: u16,
    /// VLAN identifiers, 0 without: of the outer tag in the lower half, of the inner in
    /// the upper.
    pub vids: u32,
    /// What follows.
    pub ethertype: u16,
}

impl Frame {
    /// Whether IPv4 follows.
    #[inline(always)]
    #[must_use]
    pub const fn is_ipv4(&self) -> bool {
        self.ethertype == ethernet::IPV4
    }
}

/// Which part of a datagram a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fragment {
    /// All of it.
    Whole,
    /// The beginning, with the ports.
    First,
    /// Some later part, without ports.
    Later,
}

/// What follows the IP header, as far as the translation cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP, TCP or SCTP: ports, and a checksum over addresses at this offset in
    /// the transport header (0: none to update).
    Ports,
    /// ICMP echo request; both ports are its identifier.
    EchoRequest,
    /// ICMP echo reply; both ports are its identifier.
    EchoReply,
    /// An ICMP error, quoting a packet.
    IcmpError,
    /// Any other ICMP message.
    OtherIcmp,
    /// A later fragment: transport header unknown.
    Unknown,
    /// A protocol without ports.
    Portless,
}

/// An IPv4 packet, fields in host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Offset of the IP header in the view.
    pub ip: u16,
    /// Offset of the transport header.
    pub transport_at: u16,
    /// Header and data, bytes.
    pub total_length: u16,
    /// Identification.
    pub id: u16,
    /// Time to live.
    pub ttl: u8,
    /// IP protocol.
    pub protocol: u8,
    /// DSCP and ECN.
    pub tos: u8,
    /// Don't fragment.
    pub df: bool,
    /// Which part of a datagram.
    pub fragment: Fragment,
    /// What follows.
    pub transport: Transport,
    /// Source address.
    pub source: u32,
    /// Destination address.
    pub destination: u32,
    /// Source port or echo identifier, 0 where unknown.
    pub source_port: u16,
    /// Destination port or echo identifier, 0 where unknown.
    pub destination_port: u16,
}

/// Reads the Ethernet header and up to two VLAN tags.
///
/// # Errors
/// [`Reason::Truncated`] when it ends in the headers.
#[inline(always)]
pub fn frame(view: &impl PacketView) -> Result<Frame, Reason> {
    let (mut ip, mut vids) = (ethernet::HEADER, 0);
    let mut ethertype = view.u16(ethernet::ETHERTYPE)?;
    if is_tag(ethertype) {
        vids = u32::from(view.u16(ethernet::HEADER)? & ethernet::VID);
        ethertype = view.u16(ethernet::HEADER + 2)?;
        ip += ethernet::TAG;
        if is_tag(ethertype) {
            let inner = view.u16(ethernet::HEADER + ethernet::TAG)? & ethernet::VID;
            vids |= u32::from(inner) << 16;
            ethertype = view.u16(ethernet::HEADER + ethernet::TAG + 2)?;
            ip += ethernet::TAG;
        }
    }
    Ok(Frame {
        ip: ip as u16,
        vids,
        ethertype,
    })
}

/// What stands for the frame of a packet without one: tells by the IP version.
///
/// # Errors
/// [`Reason::Truncated`] when there is nothing.
#[inline(always)]
pub fn no_frame(view: &impl PacketView) -> Result<Frame, Reason> {
    Ok(Frame {
        ip: 0,
        vids: 0,
        ethertype: match view.u8(0)? >> 4 {
            4 => ethernet::IPV4,
            _ => 0,
        },
    })
}

/// Whether the frame is for `mac`: a promiscuous device also sees others'.
///
/// # Errors
/// [`Reason::Multicast`] for group addresses, [`Reason::OtherHost`] for others.
#[inline(always)]
pub fn addressed_to(view: &impl PacketView, mac: [u16; 3]) -> Result<(), Reason> {
    let to = view.halves::<3>(0)?;
    if to == mac {
        Ok(())
    } else if to[0] & 0x0100 != 0 {
        Err(Reason::Multicast)
    } else {
        Err(Reason::OtherHost)
    }
}

#[inline(always)]
const fn is_tag(ethertype: u16) -> bool {
    matches!(ethertype, ethernet::VLAN | ethernet::SERVICE_VLAN)
}

/// Reads the IPv4 packet whose header starts at `ip`.
///
/// # Errors
/// [`Reason::Truncated`], [`Reason::BadHeader`] or [`Reason::TinyFragment`].
#[inline(always)]
pub fn ipv4(view: &impl PacketView, ip: u16) -> Result<Packet, Reason> {
    let [
        first,
        id_and_fragment,
        ttl_and_protocol,
        source,
        destination,
    ] = view.words(usize::from(ip))?;
    let header_length = header_length(first);
    let total_length = first as u16;
    if first >> 28 != 4 || header_length < ipv4::HEADER as u16 || total_length < header_length {
        return Err(Reason::BadHeader);
    }
    if !view.holds(usize::from(ip) + usize::from(total_length)) {
        return Err(Reason::Truncated);
    }
    let flags = id_and_fragment as u16;
    let mut packet = Packet {
        ip,
        transport_at: ip + header_length,
        total_length,
        id: (id_and_fragment >> 16) as u16,
        ttl: (ttl_and_protocol >> 24) as u8,
        protocol: (ttl_and_protocol >> 16) as u8,
        tos: (first >> 16) as u8,
        df: flags & ipv4::DF != 0,
        fragment: match (flags & ipv4::OFFSET, flags & ipv4::MF) {
            (0, 0) => Fragment::Whole,
            (0, _) => Fragment::First,
            _ => Fragment::Later,
        },
        transport: Transport::Portless,
        source,
        destination,
        source_port: 0,
        destination_port: 0,
    };
    let needed = transport_header(packet.protocol);
    if needed == 0 {
        return Ok(packet);
    }
    if packet.fragment == Fragment::Later {
        // Offset 8 would overwrite what the first fragment's ports promised.
        if packet.protocol == protocol::TCP && flags & ipv4::OFFSET == 1 {
            return Err(Reason::TinyFragment);
        }
        packet.transport = Transport::Unknown;
        return Ok(packet);
    }
    if total_length < header_length + needed {
        return Err(match packet.fragment {
            Fragment::First => Reason::TinyFragment,
            _ => Reason::Truncated,
        });
    }
    transport(view, packet)
}

/// Length in bytes that the first word of a header claims for it.
#[inline(always)]
const fn header_length(first: u32) -> u16 {
    (first >> 24 & 0x0f) as u16 * 4
}

/// Length of the part of the transport header that must be there, 0 for
/// protocols without ports.
#[inline(always)]
const fn transport_header(protocol: u8) -> u16 {
    (match protocol {
        protocol::UDP => udp::HEADER,
        protocol::TCP => tcp::HEADER,
        protocol::SCTP => sctp::HEADER,
        protocol::ICMP => icmp::HEADER,
        _ => 0,
    }) as u16
}

#[inline(always)]
fn transport(view: &impl PacketView, mut packet: Packet) -> Result<Packet, Reason> {
    let at = usize::from(packet.transport_at);
    if packet.protocol != protocol::ICMP {
        [packet.source_port, packet.destination_port] = view.halves(at + ports::SOURCE)?;
        packet.transport = Transport::Ports;
        return Ok(packet);
    }
    packet.transport = match view.u8(at + icmp::TYPE)? {
        icmp::ECHO_REQUEST => Transport::EchoRequest,
        icmp::ECHO_REPLY => Transport::EchoReply,
        icmp::UNREACHABLE | icmp::TIME_EXCEEDED | icmp::PARAMETER_PROBLEM => Transport::IcmpError,
        _ => Transport::OtherIcmp,
    };
    if matches!(
        packet.transport,
        Transport::EchoRequest | Transport::EchoReply
    ) {
        packet.source_port = view.u16(at + icmp::ID)?;
        packet.destination_port = packet.source_port;
    }
    Ok(packet)
}

/// A packet quoted by an ICMP error: a header and at least 8 bytes of transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// Offset of the quoted IP header in the view.
    pub ip: u16,
    /// Offset of the quoted transport header.
    pub transport_at: u16,
    /// End of the quote in the view.
    pub end: u32,
    /// IP protocol.
    pub protocol: u8,
    /// What follows the quoted header.
    pub transport: Transport,
    /// Source address.
    pub source: u32,
    /// Destination address.
    pub destination: u32,
    /// Source port or echo identifier.
    pub source_port: u16,
    /// Destination port or echo identifier.
    pub destination_port: u16,
}

/// Reads the packet that the ICMP error `packet` quotes.
///
/// # Errors
/// [`Reason::Truncated`] or [`Reason::BadHeader`]; [`Reason::IcmpErrorUnmatched`]
/// for a quote that no host may have sent an error about.
#[inline(always)]
pub fn quoted(view: &impl PacketView, packet: &Packet) -> Result<Quoted, Reason> {
    let ip = packet.transport_at + icmp::HEADER as u16;
    let end = u32::from(packet.ip) + u32::from(packet.total_length);
    if u32::from(ip) + ipv4::HEADER as u32 > end {
        return Err(Reason::Truncated);
    }
    let [
        first,
        id_and_fragment,
        ttl_and_protocol,
        source,
        destination,
    ] = view.words(usize::from(ip))?;
    let header_length = header_length(first);
    if first >> 28 != 4 || header_length < ipv4::HEADER as u16 {
        return Err(Reason::BadHeader);
    }
    let transport_at = ip + header_length;
    if u32::from(transport_at) + icmp::QUOTED_TRANSPORT as u32 > end {
        return Err(Reason::Truncated);
    }
    // Errors are only sent about first fragments (RFC 1122 section 3.2.2).
    if id_and_fragment as u16 & ipv4::OFFSET != 0 {
        return Err(Reason::IcmpErrorUnmatched);
    }
    let mut quoted = Quoted {
        ip,
        transport_at,
        end,
        protocol: (ttl_and_protocol >> 16) as u8,
        transport: Transport::Ports,
        source,
        destination,
        source_port: 0,
        destination_port: 0,
    };
    let transport_at = usize::from(transport_at);
    match quoted.protocol {
        protocol::UDP | protocol::TCP | protocol::SCTP => {
            [quoted.source_port, quoted.destination_port] =
                view.halves(transport_at + ports::SOURCE)?;
        }
        protocol::ICMP => {
            quoted.transport = match view.u8(transport_at + icmp::TYPE)? {
                icmp::ECHO_REQUEST => Transport::EchoRequest,
                icmp::ECHO_REPLY => Transport::EchoReply,
                _ => return Err(Reason::IcmpErrorUnmatched),
            };
            quoted.source_port = view.u16(transport_at + icmp::ID)?;
            quoted.destination_port = quoted.source_port;
        }
        _ => return Err(Reason::IcmpErrorUnmatched),
    }
    Ok(quoted)
}

#[cfg(test)]
mod tests;
