//! The translation: whose packet is it, where does it go, what is changed.
//!
//! ```text
//!            arrival inside                         arrival outside
//!   to a pool address      elsewhere             to a pool address
//!        hairpin            outbound                  inbound
//!             \________________|_________________________/
//!                        decide -> Translation
//!                        route  -> Hop            (FIB, with the new addresses)
//!                        rewrite                  (only when all is certain)
//! ```
//!
//! [`decide`] and [`route`] change nothing in the packet: whatever they refuse
//! reaches the kernel as it came. ICMP errors, echo identifiers and fragments have
//! a file each.

mod echo;
mod fragment;
mod hairpin;
mod icmp_error;
mod inbound;
mod outbound;
mod rewrite;
mod route;
#[cfg(test)]
mod tests;

pub use fragment::key as fragment_key;
pub use rewrite::{TtlChange, rewrite};
pub use route::{Stage, Step, query, route};

use crate::abi::Interface;
use crate::parse::{Packet, Transport};
use crate::tables::Tables;
use crate::verdict::Reason;
use crate::view::{AddressChange, PacketView};

/// What is to be done to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// Outbound, inbound or hairpin.
    pub reason: Reason,
    /// The packet's addresses.
    pub change: AddressChange,
    /// The echo identifier it leaves with (echo messages only).
    pub echo_id: u16,
    /// What changes in the packet that an ICMP error quotes (ICMP errors only).
    pub quoted: QuotedChange,
    /// Record it is counted in as sent, 0: none.
    pub from: u32,
    /// Record it is counted in as received, 0: none.
    pub to: u32,
    /// Slot of the inside interface it must leave by; 0: any outside interface.
    pub inside: u16,
}

/// What changes in a quoted packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotedChange {
    /// Its source address.
    pub source: u32,
    /// Its destination address.
    pub destination: u32,
    /// Its echo identifier, if it is an echo message.
    pub echo_id: u16,
}

impl QuotedChange {
    const NONE: Self = Self {
        source: 0,
        destination: 0,
        echo_id: 0,
    };
}

impl Translation {
    /// A translation that changes nothing yet: what [`decide`] fills in.
    #[inline(always)]
    #[must_use]
    pub const fn of(packet: &Packet) -> Self {
        Self {
            reason: Reason::Outbound,
            change: AddressChange {
                old_source: packet.source,
                source: packet.source,
                old_destination: packet.destination,
                destination: packet.destination,
            },
            echo_id: packet.source_port,
            quoted: QuotedChange::NONE,
            from: 0,
            to: 0,
            inside: 0,
        }
    }
}

/// Decides what happens to `packet`, which came in on `arrival`, and fills in the
/// translation (made by [`Translation::of`]; on the BPF stack it exists once).
///
/// # Errors
/// The reason why it is not translated: a pass or a drop.
#[inline(always)]
pub fn decide(
    view: &impl PacketView,
    packet: &Packet,
    arrival: &Interface,
    tables: &impl Tables,
    translation: &mut Translation,
) -> Result<(), Reason> {
    if is_multicast(packet.destination) || packet.source == 0 {
        return Err(Reason::Multicast);
    }
    let inside = arrival.is_inside();
    let source = tables.owner(packet.source);
    if !inside && (!source.is_nobodys() || is_no_host(packet.source)) {
        return Err(Reason::SpoofedSource);
    }
    let destination = tables.owner(packet.destination);
    if destination.is_inside() {
        return Err(match inside {
            true => Reason::InsideToInside,
            false => Reason::InsideDestination,
        });
    }
    translation.reason = match (inside, destination.is_pool()) {
        (true, true) => Reason::Hairpin,
        // The kernel drops it; by a default route it would leave.
        (true, false) if is_no_host(packet.destination) => return Err(Reason::NotTranslated),
        (true, false) => Reason::Outbound,
        (false, true) => Reason::Inbound,
        (false, false) => return Err(Reason::NotTranslated),
    };
    if packet.transport == Transport::IcmpError {
        return icmp_error::decide(view, packet, arrival, tables, translation);
    }
    match translation.reason {
        Reason::Hairpin => {
            let owners = (source, destination);
            hairpin::decide(packet, arrival, tables, owners, translation)
        }
        Reason::Outbound => outbound::decide(packet, arrival, tables, source, translation),
        _ => inbound::decide(packet, tables, destination, translation),
    }
}

/// Addresses that no host on the internet has (RFC 1812 section 5.3.7): this
/// network, loopback, multicast and above.
#[inline(always)]
const fn is_no_host(address: u32) -> bool {
    matches!(address >> 24, 0 | 127 | 224..)
}

/// Multicast (224/4), reserved (240/4) and the limited broadcast.
#[inline(always)]
const fn is_multicast(address: u32) -> bool {
    address >= 0xe000_0000
}
