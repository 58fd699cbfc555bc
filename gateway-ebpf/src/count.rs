//! Every packet is counted twice: when it comes, and once for how it ends.

use gateway_common::Reason;
use gateway_common::abi::{Counters, Direction, Hook, RECEIVED, counters_index};
use gateway_common::nat::Translation;
use gateway_common::tables::Tables;

use crate::{bounded::bounded, maps};

/// This CPU's counters of an interface at a hook.
#[inline(always)]
pub fn at(hook: Hook, slot: u16) -> Option<*mut Counters> {
    maps::COUNTERS.get_ptr_mut(counters_index(hook, slot))
}

/// Counts a packet that came and ended for `reason`.
#[inline(always)]
pub fn verdict(hook: Hook, slot: u16, reason: Reason) {
    if let Some(counters) = at(hook, slot) {
        add(counters, RECEIVED);
        add(counters, reason.index());
    }
}

/// Adds one to a counter.
#[inline(always)]
pub fn add(counters: *mut Counters, index: usize) {
    let index = bounded::<63>(index as u32) as usize;
    // SAFETY: this CPU's own 64 counters; the index is masked to them.
    unsafe { *counters.cast::<u64>().add(index) += 1 }
}

/// Counts a translated packet for the bindings it belongs to.
#[inline(always)]
pub fn bindings(tables: &impl Tables, translation: &Translation, bytes: u16) {
    if translation.from != 0 {
        tables.count(translation.from, Direction::Out, bytes);
    }
    if translation.to != 0 {
        tables.count(translation.to, Direction::In, bytes);
    }
}
