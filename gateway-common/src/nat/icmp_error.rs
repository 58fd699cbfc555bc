//! ICMP errors: the quoted packet says whose they are, and is translated too
//! (RFC 5508 section 4).
//!
//! ```text
//!   outside sees                                    inside sees
//!   R -> public | quotes public:port -> R     <=>   R -> phone | quotes phone:port -> R
//! ```
//!
//! A quote travels against its packet: an error that comes in quotes a packet that
//! went out, so its *source* is the phone; one that goes out quotes a packet that
//! came in, so its *destination* is.

use super::{Translation, echo, outbound};
use crate::abi::Interface;
use crate::address_tree::Entry;
use crate::parse::{self, Packet, Quoted, Transport};
use crate::tables::{Phone, Tables};
use crate::verdict::Reason;
use crate::view::PacketView;

/// Fills in the translation of an ICMP error. Rare, so a function of its own: the
/// fast path's stack stays small.
#[cold]
#[inline(never)]
pub(super) fn decide(
    view: &impl PacketView,
    packet: &Packet,
    arrival: &Interface,
    tables: &impl Tables,
    translation: &mut Translation,
) -> Result<(), Reason> {
    let done = translate(view, packet, arrival, tables, translation);
    if done == Err(Reason::IcmpErrorUnmatched) && arrival.is_inside() {
        // A host that is the kernel's answers packets that the kernel let in to it.
        let source = tables.owner(packet.source);
        if outbound::sender(packet, arrival, tables, source) == Err(Reason::UnboundHost) {
            return Err(Reason::UnboundHost);
        }
    }
    done
}

#[inline(always)]
fn translate(
    view: &impl PacketView,
    packet: &Packet,
    arrival: &Interface,
    tables: &impl Tables,
    translation: &mut Translation,
) -> Result<(), Reason> {
    let quoted = parse::quoted(view, packet)?;
    // An error goes back to where the quoted packet came from.
    if quoted.source != packet.destination {
        return Err(Reason::IcmpErrorUnmatched);
    }
    translation.quoted.source = quoted.source;
    translation.quoted.destination = quoted.destination;
    translation.quoted.echo_id = quoted.source_port;
    // By what is in maps, not by `translation.reason`: kernels before 6.8 take a
    // constant that they see behind a pointer to the caller's stack for the only one,
    // and cut the other branches off.
    let destination = tables.owner(packet.destination);
    if destination.is_pool() {
        towards_phone(packet, &quoted, tables, destination, translation)?;
    }
    if arrival.is_inside() {
        from_phone(packet, &quoted, arrival, tables, translation)?;
    }
    Ok(())
}

/// About a packet that a phone sent: its public address and port are the quoted
/// source.
#[inline(always)]
fn towards_phone(
    packet: &Packet,
    quoted: &Quoted,
    tables: &impl Tables,
    pool: Entry,
    translation: &mut Translation,
) -> Result<(), Reason> {
    let shared = pool.is_shared();
    let found = tables.phone_at(pool, packet.destination, quoted.source_port);
    let own_ping = |phone: &Phone| {
        shared
            && quoted.transport == Transport::EchoRequest
            && !echo::was_asked(phone, quoted.source_port, tables)
    };
    let Some(phone) = found.filter(|phone| !own_ping(phone)) else {
        return Err(match shared {
            true => Reason::RouterPort,
            false => Reason::IcmpErrorUnmatched,
        });
    };
    translation.change.destination = phone.private;
    translation.to = phone.index;
    translation.inside = phone.inside;
    translation.quoted.source = phone.private;
    // A quoted echo request left with an outside identifier: its own comes back.
    if quoted.transport == Transport::EchoRequest {
        translation.quoted.echo_id = echo::come_back(&phone, quoted.source_port, tables);
    }
    Ok(())
}

/// About a packet that a phone received: its private address is the quoted
/// destination. The sender is the phone or a router on the way to it, which then
/// speaks with the phone's public address (RFC 5508 REQ-5).
#[inline(always)]
fn from_phone(
    packet: &Packet,
    quoted: &Quoted,
    arrival: &Interface,
    tables: &impl Tables,
    translation: &mut Translation,
) -> Result<(), Reason> {
    let phone = quoted_receiver(quoted, arrival, tables)?;
    let sender = tables
        .phone_of(tables.owner(packet.source), packet.source)
        .unwrap_or(phone);
    translation.change.source = sender.public;
    translation.from = sender.index;
    translation.quoted.destination = phone.public;
    // A quoted echo reply came in with the identifier that stands for this one.
    if quoted.transport == Transport::EchoReply {
        translation.quoted.echo_id = echo::left_as(&phone, quoted.destination_port, tables)
            .ok_or(Reason::IcmpErrorUnmatched)?;
    }
    Ok(())
}

/// The phone that received the quoted packet, seen from inside.
#[inline(always)]
fn quoted_receiver(
    quoted: &Quoted,
    arrival: &Interface,
    tables: &impl Tables,
) -> Result<Phone, Reason> {
    let phone = tables
        .phone_of(tables.owner(quoted.destination), quoted.destination)
        .ok_or(Reason::IcmpErrorUnmatched)?;
    if phone.inside != arrival.slot {
        return Err(Reason::WrongInterface);
    }
    // An echo reply was given the host's own identifier on the way in.
    if quoted.transport == Transport::EchoReply || phone.owns(quoted.destination_port) {
        Ok(phone)
    } else {
        Err(Reason::IcmpErrorUnmatched)
    }
}
