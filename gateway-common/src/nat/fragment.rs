//! Later fragments on their way in: they carry no ports, so the first fragment of
//! their datagram must have said whose they are (RFC 4787 REQ-14).
//!
//! One that comes ahead of its first is held by the controller for a moment and
//! sent on when that arrives. On an address that the router shares, the kernel
//! gets it too: it may belong to the router's own IKE or DNS.

use super::inbound::unowned;
use crate::abi::FragmentKey;
use crate::parse::Packet;
use crate::tables::{Phone, Tables};
use crate::verdict::Reason;

/// The key of a packet's datagram (RFC 791: source, destination, id, protocol).
#[inline(always)]
#[must_use]
pub fn key(packet: &Packet) -> FragmentKey {
    FragmentKey {
        source: packet.source,
        destination: packet.destination,
        id: packet.id,
        protocol: u16::from(packet.protocol),
    }
}

#[inline(always)]
pub(super) fn receiver(
    packet: &Packet,
    tables: &impl Tables,
    shared: bool,
) -> Result<Phone, Reason> {
    match tables.fragment_owner(key(packet)) {
        None if shared => Err(Reason::EarlyFragmentShared),
        None => Err(Reason::FragmentHeld),
        Some(owner) if owner.block == 0 => Err(unowned(shared)),
        // The ports may have become another phone's in between.
        Some(owner) => tables
            .receiver(owner.block, packet.destination)
            .filter(|phone| phone.private == owner.private)
            .ok_or_else(|| unowned(shared)),
    }
}
