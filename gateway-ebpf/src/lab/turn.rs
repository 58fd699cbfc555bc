//! Several programs at one device, one of them at work: the bench says which.

use aya_ebpf::programs::XdpContext;

use crate::maps;

/// Never comes back, unless there is no program to call.
#[inline(always)]
pub(crate) fn run(ctx: &XdpContext) -> Option<u32> {
    let traffic = maps::LAB_TRAFFIC.get(0)?;
    // SAFETY: only plain values live in this frame.
    unsafe { maps::LAB_TARGETS.tail_call(ctx, traffic.target) };
    None
}
