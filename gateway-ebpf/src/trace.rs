//! Dropped packets for `gateway-ctl trace`: while somebody looks, so many a second
//! and CPU, with their first bytes as they came.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use gateway_common::Reason;
use gateway_common::abi::{Hook, TRACE_BYTES, TraceEvent};

use crate::{bounded::bounded, look_up::settings, maps};

/// Copies `length` bytes from the start of the frame to `to`; whether it could.
pub trait Capture {
    /// Length of the frame.
    fn frame_length(&self) -> u32;
    /// Copies bytes of the frame.
    ///
    /// # Safety
    /// `to` has room for `length` bytes.
    unsafe fn copy(&self, offset: u32, to: *mut u8, length: u32) -> bool;
}

const SECOND_NS: u64 = 1_000_000_000;

/// Puts a dropped packet before the tracer, if there is one and it has room.
#[cold]
#[inline(never)]
pub fn dropped(packet: &impl Capture, hook: Hook, ifindex: u32, ip_offset: u16, reason: Reason) {
    let rate = settings().trace_rate;
    if rate == 0 || !within_rate(rate) {
        return;
    }
    let Some(mut entry) = maps::TRACE.reserve::<TraceEvent>(0) else {
        return;
    };
    let event = entry.as_mut_ptr();
    let length = packet.frame_length();
    // SAFETY: reserved memory of this type; every field is written before it is
    // submitted (the bytes by the zeroing, then by the copy).
    unsafe {
        (*event).time_ns = bpf_ktime_get_ns();
        (*event).ifindex = ifindex;
        (*event).frame_length = length;
        (*event).captured = 0;
        (*event).ip_offset = ip_offset;
        (*event).reason = reason as u8;
        (*event).hook = hook as u8;
        (*event).reserved = [0; 2];
        (*event).bytes = [0; TRACE_BYTES];
        let bytes = (&raw mut (*event).bytes).cast::<u8>();
        if length > 0 {
            let wanted = length.min(TRACE_BYTES as u32);
            // 1..=128 as the verifier sees it.
            let wanted = bounded::<{ TRACE_BYTES as u32 - 1 }>(wanted - 1) + 1;
            if packet.copy(0, bytes, wanted) {
                (*event).captured = wanted as u16;
            }
        }
    }
    entry.submit(0);
}

#[inline(always)]
fn within_rate(rate: u32) -> bool {
    let Some(budget) = maps::ANSWERS.get_ptr_mut(0) else {
        return false;
    };
    // SAFETY: this CPU's own entry.
    unsafe {
        let now = bpf_ktime_get_ns();
        if now.wrapping_sub((*budget).traces_since_ns) >= SECOND_NS {
            (*budget).traces_since_ns = now;
            (*budget).traces = 0;
        }
        (*budget).traces += 1;
        (*budget).traces <= u64::from(rate)
    }
}
