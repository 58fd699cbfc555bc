//! The engine's look-ups over the maps.

use core::ffi::c_void;
use core::mem::offset_of;

use aya_ebpf::helpers::bpf_ktime_get_ns;
use gateway_common::abi::{
    Direction, EchoKey, FRAGMENT_LIFETIME_NS, FragmentKey, FragmentOwner, INTERFACE_PLACES,
    Interface, InterfaceEntry, InterfaceKey, PoolAddress, Settings, pool_flags,
};
use gateway_common::interface_table;
use gateway_common::tables::{Hop, Phone, Route, RouteQuery, Tables};

use crate::bounded::{bounded, plus};
use crate::{fib, maps};

/// Maps, and the context the FIB helper wants.
pub struct KernelTables {
    pub ctx: *mut c_void,
}

/// What the running program is told by the controller.
#[inline(always)]
pub fn settings() -> Settings {
    // SAFETY: map memory is valid for the program's run; the controller writes whole
    // aligned words, so a volatile read sees an old or a new value.
    maps::SETTINGS
        .get_ptr(0)
        .map_or(Settings::default(), |settings| unsafe {
            settings.read_volatile()
        })
}

/// The interface that a frame with these tags came in on.
#[inline(always)]
pub fn arrival(ifindex: u32, outer_vid: u16, inner_vid: u16) -> Option<&'static Interface> {
    let key = InterfaceKey {
        ifindex,
        outer_vid,
        inner_vid,
    }
    .packed();
    let settings = maps::SETTINGS.get_ptr(0)?;
    // SAFETY: map memory, valid for the program's run; a word, written whole. The table
    // it names is written again only after a grace period without it, so it stays as it
    // is while this program runs. Below the mask is a place.
    unsafe {
        let in_force = (&raw const (*settings).interface_table).read_volatile() & 1;
        let table = maps::INTERFACES.get_ptr(in_force)?;
        let place = interface_table::place(key, (*table).multiplier);
        let place = bounded::<{ INTERFACE_PLACES as u32 - 1 }>(place) as usize;
        let entries = (&raw const (*table).entries).cast::<InterfaceEntry>();
        let entry = entries.add(place);
        if (*entry).key != key {
            return None;
        }
        // A sum the compiler cannot take apart: it would keep the parts, for which a
        // kernel of 6.1 has no room on the stack.
        let interface = plus::<{ offset_of!(InterfaceEntry, interface) }>(entry as usize);
        Some(&*(interface as *const Interface))
    }
}

impl Tables for KernelTables {
    #[inline(always)]
    fn tree_entry(&self, node: u32, byte: u8) -> u32 {
        match maps::NODES.get_ptr(node) {
            // SAFETY: a node has 256 entries; entries are written as whole words.
            Some(node) => unsafe { node.cast::<u32>().add(byte as usize & 0xff).read_volatile() },
            None => 0,
        }
    }

    #[inline(always)]
    fn phone(&self, index: u32) -> Option<Phone> {
        if index == 0 {
            return None;
        }
        let binding = maps::BINDINGS.get_ptr(index)?;
        // SAFETY: map memory, valid for the program's run. The controller fills a
        // record before any index leads to it and clears it only after a grace
        // period, so these fields belong together.
        unsafe {
            if (&raw const (*binding).in_use).read_volatile() == 0 {
                return None;
            }
            Some(Phone {
                index,
                private: (*binding).private,
                public: (*binding).public,
                first_port: (*binding).first_port,
                last_port: (*binding).last_port,
                inside: (*binding).inside,
            })
        }
    }

    #[inline(always)]
    fn pool(&self, index: u32) -> Option<PoolAddress> {
        // SAFETY: as for bindings.
        let pool = unsafe { maps::POOL.get_ptr(index)?.read_volatile() };
        (pool.flags & pool_flags::IN_USE != 0).then_some(pool)
    }

    #[inline(always)]
    fn block_owner(&self, pool: u32, port: u16) -> u32 {
        let block = (port / gateway_common::port_range::BLOCK_PORTS) as usize & 0x1fff;
        match maps::BLOCKS.get_ptr(pool) {
            // SAFETY: 8192 blocks for an address, written as whole words.
            Some(blocks) => unsafe { blocks.cast::<u32>().add(block).read_volatile() },
            None => 0,
        }
    }

    #[inline(always)]
    fn fragment_owner(&self, key: FragmentKey) -> Option<u32> {
        // SAFETY: an LRU entry may be given to another key while we read it; the
        // binding it names is checked against the packet by the caller.
        let owner = unsafe { maps::FRAGMENTS.get(key) }?;
        let age = unsafe { bpf_ktime_get_ns() }.wrapping_sub(owner.seen_ns);
        (age < FRAGMENT_LIFETIME_NS).then_some(owner.binding)
    }

    #[inline(always)]
    fn remember_fragment(&self, key: FragmentKey, binding: u32) {
        let owner = FragmentOwner {
            seen_ns: unsafe { bpf_ktime_get_ns() },
            binding,
            reserved: 0,
        };
        // A full map evicts its oldest entry: nothing to do about an error.
        let _ = maps::FRAGMENTS.insert(key, owner, 0);
    }

    #[inline(always)]
    fn echo_id(&self, key: EchoKey) -> Option<u16> {
        // SAFETY: a single word, read whole.
        unsafe { maps::ECHO_IDS.get(key) }.map(|id| *id as u16)
    }

    #[inline(always)]
    fn remember_echo_id(&self, key: EchoKey, id: u16) {
        let _ = maps::ECHO_IDS.insert(key, u32::from(id), 0);
    }

    #[inline(always)]
    fn route(&self, query: &RouteQuery, hop: &mut Hop) -> Route {
        fib::look_up(self.ctx, query, hop)
    }

    #[inline(always)]
    fn egress(&self, ifindex: u32) -> Option<&Interface> {
        // Nobody's place has the key of device 0, which is none.
        if ifindex == 0 {
            return None;
        }
        arrival(ifindex, 0, 0)
    }

    #[inline(always)]
    fn count(&self, binding: u32, direction: Direction, bytes: u16) {
        let Some(binding) = maps::BINDINGS.get_ptr_mut(binding) else {
            return;
        };
        // Shared counters beside the addresses cost one locked add instead of one
        // more cache miss, and no memory per CPU: ARCHITECTURE.md, "A binding".
        // SAFETY: aligned words of map memory, only ever added to atomically.
        unsafe {
            let (packets, octets) = match direction {
                Direction::Out => (
                    &raw mut (*binding).out_packets,
                    &raw mut (*binding).out_bytes,
                ),
                Direction::In => (&raw mut (*binding).in_packets, &raw mut (*binding).in_bytes),
            };
            add(packets, 1);
            add(octets, u64::from(bytes));
        }
    }
}

/// Atomic add (BPF_XADD).
///
/// # Safety
/// `counter` is an aligned word of map memory.
#[inline(always)]
unsafe fn add(counter: *mut u64, value: u64) {
    // `core` has no atomics for this target; its intrinsic changes between compilers.
    // SAFETY: as the caller promises.
    unsafe {
        core::arch::asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) counter, in(reg) value);
    }
}
