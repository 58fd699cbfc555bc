//! Carrying a translation out: addresses, TTL, checksums, and what ICMP quotes.
//!
//! No port is ever written. TTL is decremented in the same pass, because the
//! packet leaves without the kernel.

use super::{QuotedChange, Translation};
use crate::checksum::Delta;
use crate::headers::{icmp, ipv4, protocol, tcp, udp};
use crate::parse::{self, Packet, Transport};
use crate::verdict::Reason;
use crate::view::{AddressChange, PacketView};

/// Whether this program forwards the packet (TTL - 1) or the kernel does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TtlChange {
    /// Decrement it.
    Decrement,
    /// Leave it.
    Keep,
}

/// Rewrites `packet` in `view` as `translation` says.
///
/// # Errors
/// [`Reason::Truncated`], which `parse` has ruled out.
#[inline(always)]
pub fn rewrite(
    view: &mut impl PacketView,
    packet: &Packet,
    translation: &Translation,
    ttl: TtlChange,
) -> Result<(), Reason> {
    let at = usize::from(packet.transport_at);
    match packet.transport {
        Transport::Ports if packet.protocol == protocol::UDP => {
            view.update_pseudo_checksum(at + udp::CHECKSUM, translation.change, true)?;
        }
        Transport::Ports if packet.protocol == protocol::TCP => {
            view.update_pseudo_checksum(at + tcp::CHECKSUM, translation.change, false)?;
        }
        Transport::EchoRequest | Transport::EchoReply
            if translation.echo_id != packet.source_port =>
        {
            let delta = Delta::NONE.word(packet.source_port, translation.echo_id);
            view.put_u16(at + icmp::ID, translation.echo_id)?;
            view.update_checksum(at + icmp::CHECKSUM, delta)?;
        }
        Transport::IcmpError => {
            let mut delta = Delta::NONE;
            rewrite_quoted(view, packet, &translation.quoted, &mut delta)?;
            view.update_checksum(at + icmp::CHECKSUM, delta)?;
        }
        _ => {}
    }
    rewrite_header(view, packet, &translation.change, ttl)
}

/// The IP header proper.
#[inline(always)]
fn rewrite_header(
    view: &mut impl PacketView,
    packet: &Packet,
    change: &AddressChange,
    ttl: TtlChange,
) -> Result<(), Reason> {
    let ip = usize::from(packet.ip);
    let mut delta = change.delta();
    if ttl == TtlChange::Decrement {
        // TTL and protocol are one word of the checksum.
        let old = u16::from_be_bytes([packet.ttl, packet.protocol]);
        let new = u16::from_be_bytes([packet.ttl.wrapping_sub(1), packet.protocol]);
        delta = delta.word(old, new);
        view.put_u16(ip + ipv4::TTL, new)?;
    }
    view.update_checksum(ip + ipv4::CHECKSUM, delta)?;
    view.put_words(ip + ipv4::SOURCE, [change.source, change.destination])
}

/// The quoted packet; `remains` is what the change means to the ICMP checksum.
///
/// Quoted addresses and the quoted IP checksum cancel out. So do a quoted echo
/// identifier and its ICMP checksum. A quoted UDP or TCP checksum moves once more,
/// against the addresses, and that is what remains.
#[cold]
#[inline(never)]
fn rewrite_quoted(
    view: &mut impl PacketView,
    packet: &Packet,
    change: &QuotedChange,
    remains: &mut Delta,
) -> Result<(), Reason> {
    // Once more: cheaper than keeping it on the fast path's stack.
    let quoted = parse::quoted(view, packet)?;
    let addresses = AddressChange {
        old_source: quoted.source,
        source: change.source,
        old_destination: quoted.destination,
        destination: change.destination,
    };
    let ip = usize::from(quoted.ip);
    let transport_at = usize::from(quoted.transport_at);
    *remains = addresses.delta();
    let old = view.u16(ip + ipv4::CHECKSUM)?;
    let new = addresses.delta().apply(old);
    *remains = remains.word(old, new);
    view.put_u16(ip + ipv4::CHECKSUM, new)?;
    view.put_words(ip + ipv4::SOURCE, [change.source, change.destination])?;

    let (checksum_at, delta) = match quoted.protocol {
        protocol::UDP => (transport_at + udp::CHECKSUM, addresses.delta()),
        protocol::TCP => (transport_at + tcp::CHECKSUM, addresses.delta()),
        protocol::ICMP => {
            let delta = Delta::NONE.word(quoted.source_port, change.echo_id);
            view.put_u16(transport_at + icmp::ID, change.echo_id)?;
            *remains = remains.word(quoted.source_port, change.echo_id);
            (transport_at + icmp::CHECKSUM, delta)
        }
        _ => return Ok(()),
    };
    // A short quote may end before the TCP checksum.
    if checksum_at as u32 + 2 > quoted.end {
        return Ok(());
    }
    let old = view.u16(checksum_at)?;
    if old == 0 && quoted.protocol == protocol::UDP {
        return Ok(());
    }
    let new = match delta.apply(old) {
        0 if quoted.protocol == protocol::UDP => 0xffff,
        new => new,
    };
    view.put_u16(checksum_at, new)?;
    *remains = remains.word(old, new);
    Ok(())
}
