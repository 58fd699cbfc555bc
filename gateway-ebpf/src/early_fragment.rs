//! Fragments that come before the one with the ports: handed to the controller,
//! which holds them for a moment (gateway-ctl/src/run/fragments.rs).

use aya_ebpf::helpers::bpf_ktime_get_ns;
use gateway_common::Reason;
use gateway_common::abi::{EarlyFragment, HELD_BYTES};
use gateway_common::nat::fragment_key;
use gateway_common::parse::Packet;

use crate::{bounded::bounded, maps, trace::Capture};

/// Copies the fragment for the controller; the reason it ends with here.
#[cold]
#[inline(never)]
pub fn hold(bytes: &impl Capture, packet: &Packet, slot: u16, reason: Reason) -> Reason {
    if copy(bytes, packet, slot) {
        return reason;
    }
    match reason {
        // The kernel has it all the same.
        Reason::EarlyFragmentShared => reason,
        _ => Reason::FragmentNotHeld,
    }
}

#[inline(always)]
fn copy(bytes: &impl Capture, packet: &Packet, slot: u16) -> bool {
    let length = u32::from(packet.total_length);
    if length == 0 || length > HELD_BYTES as u32 {
        return false;
    }
    let Some(mut entry) = maps::EARLY_FRAGMENTS.reserve::<EarlyFragment>(0) else {
        return false;
    };
    let held = entry.as_mut_ptr();
    // SAFETY: reserved memory of this type. The tail behind `length` stays as it is
    // in the ring: the reader takes `length` bytes.
    let copied = unsafe {
        (*held).time_ns = bpf_ktime_get_ns();
        (*held).key = fragment_key(packet);
        (*held).length = length;
        (*held).slot = u32::from(slot);
        (*held).reserved = 0;
        let to = (&raw mut (*held).packet).cast::<u8>();
        // 1..=2048 as the verifier sees it: (length - 1) masked, plus one.
        let length = bounded::<{ HELD_BYTES as u32 - 1 }>(length - 1) + 1;
        bytes.copy(packet.ip as u32, to, length)
    };
    if copied {
        entry.submit(0);
    } else {
        entry.discard(0);
    }
    copied
}
