//! From a phone to the world: the private source becomes the public one.

use super::{Translation, echo};
use crate::abi::{Interface, interface_flags};
use crate::address_tree::Entry;
use crate::parse::{Packet, Transport};
use crate::tables::{Phone, Tables};
use crate::verdict::Reason;

#[inline(always)]
pub(super) fn decide(
    packet: &Packet,
    arrival: &Interface,
    tables: &impl Tables,
    source: Entry,
    translation: &mut Translation,
) -> Result<(), Reason> {
    let phone = sender(packet, arrival, tables, source)?;
    translation.echo_id = source_port(packet, &phone, tables)?;
    translation.change.source = phone.public;
    translation.from = phone.index;
    Ok(())
}

/// The phone that sent it, if it did so where it belongs.
#[inline(always)]
pub(super) fn sender(
    packet: &Packet,
    arrival: &Interface,
    tables: &impl Tables,
    source: Entry,
) -> Result<Phone, Reason> {
    let Some(phone) = tables.phone_of(source, packet.source) else {
        return Err(if arrival.has(interface_flags::UNBOUND_TO_KERNEL) {
            Reason::UnboundHost
        } else {
            Reason::UnboundSource
        });
    };
    if phone.inside != arrival.slot {
        return Err(Reason::WrongInterface);
    }
    Ok(phone)
}

/// The port or echo identifier it leaves with: its own, or not at all.
///
/// Later fragments carry none; their source address decides (no state needed).
#[inline(always)]
pub(super) fn source_port(
    packet: &Packet,
    phone: &Phone,
    tables: &impl Tables,
) -> Result<u16, Reason> {
    match packet.transport {
        Transport::Unknown => Ok(0),
        Transport::Ports | Transport::EchoReply if phone.owns(packet.source_port) => {
            Ok(packet.source_port)
        }
        Transport::Ports | Transport::EchoReply => Err(Reason::SourcePortOutOfRange),
        Transport::EchoRequest => Ok(echo::leave(phone, packet.source_port, tables)),
        Transport::IcmpError | Transport::OtherIcmp => Err(Reason::UnsupportedIcmp),
        Transport::Portless => Err(Reason::UnsupportedProtocol),
    }
}
