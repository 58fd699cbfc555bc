//! A traffic generator: every flow has its turn, in an order that jumps about.

use aya_ebpf::{
    bindings::xdp_action,
    helpers::generated::{bpf_redirect, bpf_xdp_adjust_head},
    programs::XdpContext,
};

use crate::abi::{self, Traffic};
use crate::headers::{self, Ends};
use crate::{count, maps};

#[inline(always)]
pub(crate) fn run(ctx: &XdpContext) -> Option<u32> {
    let traffic = maps::LAB_TRAFFIC.get(0)?;
    if traffic.flows == 0 {
        return Some(xdp_action::XDP_DROP);
    }
    // Network cards put a frame at the start of a cache line, the kernel's page of a live
    // frame leaves 48 bytes of another before it.
    // SAFETY: this program's context; pointers are taken anew afterwards.
    if unsafe { bpf_xdp_adjust_head(ctx.ctx, abi::LEAD as i32) } != 0 {
        return None;
    }
    let flow = next(traffic)?;
    let phone = flow % traffic.phones;
    let port = flow / traffic.phones;
    let ends = Ends {
        source: traffic.first_private + phone,
        source_port: (first_port(traffic, phone) + port) as u16,
        destination: traffic.first_remote,
        destination_port: 30_000,
    };
    headers::write(ctx, traffic, &ends)?;
    count::one(abi::MADE);
    // SAFETY: a helper without pointers.
    let answer = unsafe { bpf_redirect(traffic.ifindex, 0) };
    Some(if answer < 0 {
        xdp_action::XDP_ABORTED
    } else {
        answer as u32
    })
}

/// The first port of a phone.
#[inline(always)]
pub(crate) fn first_port(traffic: &Traffic, phone: u32) -> u32 {
    traffic.first_port + phone % traffic.phones_per_address * traffic.ports_per_phone
}

#[inline(always)]
fn next(traffic: &Traffic) -> Option<u32> {
    let state = maps::LAB_STATE.get_ptr_mut(0)?;
    // SAFETY: this CPU's own entry. What another bench left there may be beyond the
    // flows of this one.
    unsafe {
        let flow = (*state).flow + traffic.stride;
        let flow = if flow < traffic.flows {
            flow
        } else {
            flow.wrapping_sub(traffic.flows)
        };
        let flow = if flow < traffic.flows { flow } else { 0 };
        (*state).flow = flow;
        Some(flow)
    }
}
