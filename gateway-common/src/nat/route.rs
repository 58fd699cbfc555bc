//! Where a translated packet goes: the kernel's FIB is asked with the addresses
//! the packet will have, and the packet is written to only after it said yes.

use super::Translation;
use crate::abi::{Interface, interface_flags};
use crate::parse::Packet;
use crate::tables::{Hop, Route, RouteQuery, Tables};
use crate::verdict::Reason;

/// Which program asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// XDP: sends frames itself, where the next hop is known and can take them.
    Xdp,
    /// tc: can also have a neighbour resolved and use any device.
    Tc,
}

/// What to do after the route is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'t> {
    /// Rewrite it and send it along the hop, out of this interface.
    Send(&'t Interface),
    /// Rewrite it and leave it to the kernel, which fragments it (inbound, tc).
    Stack,
    /// Drop it and tell the sender: time exceeded.
    TtlExpired,
    /// Drop it and tell the sender: fragmentation needed, to this many bytes.
    TooBig(u16),
}

/// Finds the way for `packet`, given what [`super::decide`] said of it: `refused`,
/// or the translation. Fills in `hop`.
///
/// # Errors
/// The reason why it is not sent: a pass (as it came) or a drop.
#[inline(always)]
pub fn route<'t>(
    packet: &Packet,
    decided: Result<&Translation, Reason>,
    query: &RouteQuery,
    tables: &'t impl Tables,
    stage: Stage,
    hop: &mut Hop,
) -> Result<Step<'t>, Reason> {
    let answer = match decided {
        Err(reason) if !unless_local(reason) => return Err(reason),
        _ => tables.route(query, hop),
    };
    let translation = match decided {
        Ok(translation) => translation,
        // A host may talk to the router itself from any port.
        Err(_) if answer == Route::Local => return Err(Reason::RouterLocal),
        Err(reason) => return Err(reason),
    };
    match answer {
        Route::Via => via(packet, translation, hop, tables, stage),
        Route::Local => Err(match translation.reason {
            Reason::Outbound => Reason::RouterLocal,
            _ => Reason::WrongEgress,
        }),
        Route::TooBig(_) if packet.ttl <= 1 => Ok(Step::TtlExpired),
        Route::TooBig(mtu) => too_big(packet, translation, mtu, stage),
        Route::None => Err(match translation.reason {
            Reason::Outbound => Reason::NoRouteOutbound,
            _ => Reason::NoRoute,
        }),
        Route::ForwardingDisabled => Err(Reason::ForwardingDisabled),
    }
}

/// What to ask the FIB for a packet that leaves with the translation's addresses
/// (those it came with, where nothing was decided).
#[inline(always)]
#[must_use]
pub const fn query(
    packet: &Packet,
    translation: &Translation,
    arrival: &Interface,
    length: u16,
) -> RouteQuery {
    RouteQuery {
        source: translation.change.source,
        destination: translation.change.destination,
        ifindex: arrival.ifindex,
        length,
        tos: packet.tos,
        protocol: packet.protocol,
    }
}

/// Refusals that do not apply to what is addressed to the router.
#[inline(always)]
const fn unless_local(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::SourcePortOutOfRange
            | Reason::UnboundSource
            | Reason::WrongInterface
            | Reason::UnsupportedProtocol
            | Reason::UnsupportedIcmp
            | Reason::IcmpErrorUnmatched
    )
}

#[inline(always)]
fn via<'t>(
    packet: &Packet,
    translation: &Translation,
    hop: &Hop,
    tables: &'t impl Tables,
    stage: Stage,
) -> Result<Step<'t>, Reason> {
    let Some(egress) = tables.egress(hop.ifindex) else {
        return Err(match translation.reason {
            Reason::Outbound => Reason::NotTranslated,
            _ => Reason::WrongEgress,
        });
    };
    match (translation.reason, egress.is_inside()) {
        (Reason::Outbound, true) => return Err(Reason::InsideToInside),
        (Reason::Outbound, false) => {}
        _ if egress.slot != translation.inside => return Err(Reason::WrongEgress),
        _ => {}
    }
    if packet.ttl <= 1 {
        return Ok(Step::TtlExpired);
    }
    if stage == Stage::Xdp {
        if !egress.has(interface_flags::XDP_TRANSMIT) {
            return Err(Reason::StackEgress);
        }
        if !hop.resolved {
            return Err(Reason::NeighbourUnknown);
        }
    }
    Ok(Step::Send(egress))
}

#[inline(always)]
fn too_big<'t>(
    packet: &Packet,
    translation: &Translation,
    mtu: u16,
    stage: Stage,
) -> Result<Step<'t>, Reason> {
    match (packet.df, translation.reason, stage) {
        (true, ..) => Ok(Step::TooBig(mtu)),
        (false, Reason::Hairpin, _) => Err(Reason::HairpinTooBig),
        (false, Reason::Inbound, Stage::Tc) => Ok(Step::Stack),
        (false, ..) => Err(Reason::NeedsFragmentation),
    }
}
