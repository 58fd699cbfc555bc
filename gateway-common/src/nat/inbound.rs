//! From the world to a phone: (public address, port block) says whose it is.

use super::{Translation, echo, fragment};
use crate::address_tree::Entry;
use crate::parse::{Fragment, Packet, Transport};
use crate::tables::{FragmentReceiver, Phone, Tables};
use crate::verdict::Reason;

#[inline(always)]
pub(super) fn decide(
    packet: &Packet,
    tables: &impl Tables,
    pool: Entry,
    translation: &mut Translation,
) -> Result<(), Reason> {
    let phone = receiver(packet, tables, pool)?;
    translation.change.destination = phone.private;
    translation.to = phone.index;
    translation.inside = phone.inside;
    translation.echo_id = echo_id(packet, &phone, tables);
    Ok(())
}

/// The phone that owns the destination port, or whose it is instead.
#[inline(always)]
pub(super) fn receiver(
    packet: &Packet,
    tables: &impl Tables,
    pool: Entry,
) -> Result<Phone, Reason> {
    let shared = pool.is_shared();
    let phone = match packet.transport {
        Transport::Ports | Transport::EchoRequest => {
            tables.phone_at(pool, packet.destination, packet.destination_port)
        }
        // On a shared address a reply that no phone asked for is the router's own.
        Transport::EchoReply => tables
            .phone_at(pool, packet.destination, packet.destination_port)
            .filter(|phone| !shared || echo::was_asked(phone, packet.destination_port, tables)),
        Transport::Unknown => return fragment::receiver(packet, tables, shared),
        _ if shared => return Err(Reason::RouterPort),
        Transport::Portless => return Err(Reason::UnsupportedProtocol),
        Transport::IcmpError | Transport::OtherIcmp => return Err(Reason::UnsupportedIcmp),
    };
    if packet.fragment == Fragment::First {
        let (block, private) = phone.map_or((0, 0), |phone| (phone.index, phone.private));
        tables.remember_fragment(fragment::key(packet), FragmentReceiver { block, private });
    }
    phone.ok_or_else(|| unowned(shared))
}

/// Why a packet to a port of no range is not translated.
#[inline(always)]
pub(super) const fn unowned(shared: bool) -> Reason {
    if shared {
        Reason::RouterPort
    } else {
        Reason::NoBinding
    }
}

#[inline(always)]
fn echo_id(packet: &Packet, phone: &Phone, tables: &impl Tables) -> u16 {
    if packet.transport == Transport::EchoReply {
        echo::come_back(phone, packet.destination_port, tables)
    } else {
        packet.destination_port
    }
}
