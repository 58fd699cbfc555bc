//! The ways a packet goes. Each says what may change on it: anything else that
//! differs, fails the row.

use std::net::Ipv4Addr;

use gateway_common::Reason::{self, Hairpin, Inbound, Outbound, TooBig, TtlExpired};
use gateway_tests::packet::{Packet, frag_needed, time_exceeded};

use crate::answers::{answer, quoted};
use crate::bed::*;
use crate::row::{Port, Row, row};

/// A phone's public address, and where the phone is.
fn home(phone: Ipv4Addr) -> (Ipv4Addr, Port) {
    match phone {
        C => (SHARED, Port::In0),
        D => (PUBLIC_2, Port::In1),
        E => (PUBLIC_APART, Port::In0),
        _ => (PUBLIC, Port::In0),
    }
}

/// One router further: the TTL is one less.
fn hop(packet: Packet) -> Packet {
    let ttl = packet.ip.ttl - 1;
    packet.ttl(ttl)
}

/// From a phone to the world: its source is replaced.
pub(super) fn out(packet: Packet) -> Row {
    let (public, at) = home(packet.ip.source);
    out_as(at, packet.clone(), packet.source(public))
}

/// From inside to the world, with these changes and a hop further.
pub(super) fn out_as(at: Port, packet: Packet, leaves: Packet) -> Row {
    row("", at, packet).sent(Outbound, Port::Out0, hop(leaves))
}

/// From the world to `phone`: the destination is replaced.
pub(super) fn into(packet: Packet, phone: Ipv4Addr) -> Row {
    into_as(packet.clone(), packet.destination(phone))
}

/// From the world to a phone, with these changes and a hop further.
pub(super) fn into_as(packet: Packet, arrives: Packet) -> Row {
    let (_, at) = home(arrives.ip.destination);
    row("", Port::Out0, packet).sent(Inbound, at, hop(arrives))
}

/// From a phone to the public address of `phone`: both addresses are replaced.
pub(super) fn across(packet: Packet, phone: Ipv4Addr) -> Row {
    let (public, at) = home(packet.ip.source);
    let (_, to) = home(phone);
    let arrives = packet.clone().source(public).destination(phone);
    row("", at, packet).sent(Hairpin, to, hop(arrives))
}

/// Left as it is: passed or dropped, as the reason says, and never answered.
pub(super) fn left(at: Port, packet: Packet, reason: Reason) -> Row {
    row("", at, packet).untouched(reason)
}

/// An error from outside about `sent`, which is as its phone sent it: `error` says
/// to whom and about what.
pub(super) fn error_into(sent: &Packet, error: impl Fn(Ipv4Addr, &Packet) -> Packet) -> Row {
    let phone = sent.ip.source;
    let (public, _) = home(phone);
    let seen = sent.clone().source(public);
    into_as(error(public, &seen), error(phone, sent))
}

/// An error that `from` sends about `received`, which is as its phone received it:
/// `error` says from whom and about what.
pub(super) fn error_out(
    from: Ipv4Addr,
    received: &Packet,
    error: impl Fn(Ipv4Addr, &Packet) -> Packet,
) -> Row {
    let (public, at) = home(received.ip.destination);
    let sent = received.clone().destination(public);
    out_as(at, error(from, received), error(public, &sent))
}

/// Answered with time exceeded.
pub(super) fn expires(at: Port, packet: Packet) -> Row {
    let error = time_exceeded(at.router(), packet.ip.source);
    row("", at, packet.clone()).answered(TtlExpired, quoting(error, &packet))
}

/// Answered with fragmentation needed.
pub(super) fn too_big(at: Port, packet: Packet, mtu: u16) -> Row {
    let error = frag_needed(at.router(), packet.ip.source, mtu);
    row("", at, packet.clone()).answered(TooBig, quoting(error, &packet))
}

fn quoting(error: Packet, packet: &Packet) -> Packet {
    answer(error).quoting_bytes(packet, quoted(packet))
}

/// A row of another table under a name of the ledger.
pub(super) fn as_in(rows: Vec<Row>, topic: &str, name: &'static str) -> Row {
    let found = rows.into_iter().find(|row| row.name == topic);
    let Some(mut row) = found else {
        panic!("{name}: no row {topic}");
    };
    row.name = name;
    row
}
