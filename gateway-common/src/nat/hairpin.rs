//! From one phone to another's public address: both ends translated in one pass
//! (RFC 4787 REQ-9: the receiver sees the sender's public address and port).

use super::{Translation, inbound, outbound};
use crate::abi::Interface;
use crate::address_tree::Entry;
use crate::parse::{Packet, Transport};
use crate::tables::Tables;
use crate::verdict::Reason;

/// `owners`: whose the source is, and the pool address it is sent to.
#[inline(always)]
pub(super) fn decide(
    packet: &Packet,
    arrival: &Interface,
    tables: &impl Tables,
    owners: (Entry, Entry),
    translation: &mut Translation,
) -> Result<(), Reason> {
    let (source, pool) = owners;
    // An identifier cannot say both whose the request is and whom it is for.
    if packet.transport == Transport::EchoRequest {
        return Err(if pool.is_shared() {
            Reason::RouterPort
        } else {
            Reason::UnsupportedIcmp
        });
    }
    let receiver = inbound::receiver(packet, tables, pool)?;
    let sender = outbound::sender(packet, arrival, tables, source)?;
    translation.echo_id = outbound::source_port(packet, &sender, tables)?;
    translation.change.source = sender.public;
    translation.change.destination = receiver.private;
    translation.from = sender.index;
    translation.to = receiver.index;
    translation.inside = receiver.inside;
    Ok(())
}
