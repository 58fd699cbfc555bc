//! What should not happen, said in the controller's log (aya-log): one line a second
//! and CPU. Packets are not logged; drops have counters and the tracer.

use aya_ebpf::{EbpfContext, helpers::bpf_ktime_get_ns};
use aya_log_ebpf::warn;

use crate::maps;

const SECOND_NS: u64 = 1_000_000_000;

/// The kernel refused to make a frame longer or shorter.
#[cold]
#[inline(never)]
pub fn size_refused(ctx: &impl EbpfContext, ifindex: u32, change: i32) {
    if is_due() {
        warn!(
            ctx,
            "interface {}: frame could not be changed by {} bytes; the driver leaves too little room",
            ifindex,
            change
        );
    }
}

#[inline(always)]
fn is_due() -> bool {
    let Some(budget) = maps::ANSWERS.get_ptr_mut(0) else {
        return false;
    };
    // SAFETY: this CPU's own entry.
    unsafe {
        let now = bpf_ktime_get_ns();
        let due = now.wrapping_sub((*budget).logged_ns) >= SECOND_NS;
        if due {
            (*budget).logged_ns = now;
        }
        due
    }
}
