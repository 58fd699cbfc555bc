//! tc at egress of outside interfaces: fail closed.
//!
//! What XDP and tc ingress send has its public source already. What the kernel
//! itself routes out here either is the router's own (or translated by its own
//! NAT), or a phone's packet left to it for fragmentation, which is translated
//! now, or has no business outside.

use aya_ebpf::bindings::TC_ACT_SHOT;
use aya_ebpf::{EbpfContext as _, programs::TcContext};
use gateway_common::Reason;
use gateway_common::abi::{Hook, interface_flags};
use gateway_common::nat::{self, Translation, TtlChange};
use gateway_common::parse;
use gateway_common::tables::Tables as _;

use crate::look_up::{self, KernelTables};
use crate::tc::{TC_ACT_UNSPEC, TcView};
use crate::{count, trace};

/// The program: every packet ends in exactly one counted verdict.
#[inline(always)]
pub fn run(ctx: &TcContext) -> i32 {
    let mut view = TcView { ctx };
    let mut slot = 0;
    let mut ip_offset = u16::MAX;
    let reason = leave(&mut view, &mut slot, &mut ip_offset).unwrap_or_else(|reason| reason);
    count::verdict(Hook::TcEgress, slot, reason);
    match crate::tc::action(reason) {
        TC_ACT_UNSPEC => TC_ACT_UNSPEC,
        _ => {
            let ifindex = view.ifindex();
            trace::dropped(&view, Hook::TcEgress, ifindex, ip_offset, reason);
            TC_ACT_SHOT
        }
    }
}

/// Why the packet may leave, or may not.
#[inline(always)]
fn leave(view: &mut TcView<'_>, slot: &mut u16, ip_offset: &mut u16) -> Result<Reason, Reason> {
    let exit = look_up::arrival(view.ifindex(), 0).ok_or(Reason::UnknownInterface)?;
    *slot = exit.slot;
    let frame = if exit.has(interface_flags::NO_ETHERNET) {
        parse::no_frame(view)?
    } else {
        parse::frame(view)?
    };
    // Of a VLAN device above, inside perhaps: that one has its own door.
    if view.is_tagged(&frame) {
        return Ok(Reason::Tagged);
    }
    if !frame.is_ipv4() {
        return Ok(Reason::Egress);
    }
    *ip_offset = frame.ip;
    let packet = parse::ipv4(view, frame.ip)?;
    let tables = KernelTables {
        ctx: view.ctx.as_ptr(),
    };
    if !tables.owner(packet.source).is_inside() {
        return Ok(Reason::Egress);
    }
    // Private, so it must be a phone's, from where the phone is.
    let arrival = tables
        .egress(view.ingress_ifindex())
        .filter(|arrival| arrival.is_inside())
        .ok_or(Reason::PrivateSourceLeak)?;
    let mut translation = Translation::of(&packet);
    nat::decide(view, &packet, arrival, &tables, &mut translation)
        .map_err(|_| Reason::PrivateSourceLeak)?;
    if translation.reason != Reason::Outbound {
        return Err(Reason::PrivateSourceLeak);
    }
    nat::rewrite(view, &packet, &translation, TtlChange::Keep)?;
    count::bindings(&tables, &translation, packet.total_length);
    Ok(Reason::EgressTranslated)
}
