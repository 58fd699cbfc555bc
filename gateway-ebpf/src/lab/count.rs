//! Counting, each CPU for itself.

use aya_ebpf::programs::XdpContext;

use crate::{abi, maps};

/// Where the IPv4 source address stands in an untagged frame.
const SOURCE: usize = 26;

/// Adds one.
#[inline(always)]
pub fn one(index: u32) {
    if let Some(count) = maps::LAB_COUNTS.get_ptr_mut(index) {
        // SAFETY: this CPU's own entry.
        unsafe { *count += 1 }
    }
}

/// Counts a packet by whose source it has; what is no phone's is not counted.
#[inline(always)]
pub fn arrival(ctx: &XdpContext) {
    let at = ctx.data() + SOURCE;
    let Some(traffic) = maps::LAB_TRAFFIC.get(0) else {
        return;
    };
    if at + 4 > ctx.data_end() {
        return;
    }
    // SAFETY: four bytes are there, as just checked, at an even address.
    let [high, low] = unsafe { (at as *const [u16; 2]).read() }.map(u16::from_be);
    let source = u32::from(high) << 16 | u32::from(low);
    if source.wrapping_sub(traffic.first_private) < traffic.phones {
        one(abi::ARRIVED_PRIVATE);
    } else if source.wrapping_sub(traffic.first_public) < traffic.phones {
        one(abi::ARRIVED_PUBLIC);
    }
}
