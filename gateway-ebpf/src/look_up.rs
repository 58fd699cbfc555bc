//! The engine's look-ups over the maps.

use core::ffi::c_void;
use core::mem::offset_of;

use aya_ebpf::helpers::bpf_ktime_get_ns;
use gateway_common::abi::{
    AddressRecord, BlockRecord, Direction, EchoKey, FRAGMENT_LIFETIME_NS, FragmentKey,
    FragmentOwner, INTERFACE_PLACES, Interface, InterfaceEntry, Settings, block_index,
};
use gateway_common::interface_table;
use gateway_common::tables::{FragmentReceiver, Hop, Phone, Route, RouteQuery, Tables};

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
pub fn arrival(ifindex: u32, vids: u32) -> Option<&'static Interface> {
    let key = interface_table::packed(ifindex, vids);
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
    fn node_entry(&self, node: u32, byte: u8) -> u32 {
        match maps::NODES.get_ptr(node) {
            // SAFETY: a node has 256 entries; entries are written as whole words.
            Some(node) => unsafe { node.cast::<u32>().add(byte as usize & 0xff).read_volatile() },
            None => 0,
        }
    }

    #[inline(always)]
    fn leaf_entry(&self, record: u32) -> u32 {
        match address_record(record) {
            // SAFETY: as above.
            Some(record) => unsafe { (&raw const (*record).entry).read_volatile() },
            None => 0,
        }
    }

    #[inline(always)]
    fn sender(&self, record: u32, private: u32) -> Option<Phone> {
        // SAFETY: map memory, valid for the program's run, two whole words of it.
        let words = unsafe { words(address_record(record)?.cast()) };
        Phone::sending(AddressRecord::from_words(words), record, private)
    }

    #[inline(always)]
    fn block(&self, pool: u32, port: u16) -> u32 {
        // SAFETY: as in `settings`, one word of it.
        let shift = maps::SETTINGS.get_ptr(0).map_or(0, |settings| unsafe {
            (&raw const (*settings).block_shift).read_volatile()
        });
        block_index(pool, port, shift)
    }

    #[inline(always)]
    fn receiver(&self, block: u32, public: u32) -> Option<Phone> {
        // SAFETY: as for `sender`.
        let words = unsafe { words(maps::BLOCKS.get_ptr(block)?.cast()) };
        Phone::receiving(BlockRecord::from_words(words), block, public)
    }

    #[inline(always)]
    fn fragment_owner(&self, key: FragmentKey) -> Option<FragmentReceiver> {
        // SAFETY: an LRU entry may be given to another key while we read it; the
        // block it names is checked against the packet by the caller.
        let owner = unsafe { maps::FRAGMENTS.get(key) }?;
        let age = unsafe { bpf_ktime_get_ns() }.wrapping_sub(owner.seen_ns);
        (age < FRAGMENT_LIFETIME_NS).then_some(FragmentReceiver {
            block: owner.block,
            private: owner.private,
        })
    }

    #[inline(always)]
    fn remember_fragment(&self, key: FragmentKey, receiver: FragmentReceiver) {
        let owner = FragmentOwner {
            seen_ns: unsafe { bpf_ktime_get_ns() },
            block: receiver.block,
            private: receiver.private,
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
        arrival(ifindex, 0)
    }

    #[inline(always)]
    fn count(&self, record: u32, direction: Direction, bytes: u16) {
        // Shared counters beside the addresses cost two locked adds instead of one
        // more cache miss, and no memory per CPU: ARCHITECTURE.md, "The records".
        // SAFETY: aligned words of map memory, only ever added to atomically.
        unsafe {
            let (packets, octets) = match direction {
                Direction::Out => match address_record(record) {
                    Some(found) => (&raw mut (*found).packets, &raw mut (*found).bytes),
                    None => return,
                },
                Direction::In => match maps::BLOCKS.get_ptr_mut(record) {
                    Some(found) => (&raw mut (*found).packets, &raw mut (*found).bytes),
                    None => return,
                },
            };
            add(packets, 1);
            add(octets, u64::from(bytes));
        }
    }
}

/// The record with this index in the leaves.
#[inline(always)]
fn address_record(record: u32) -> Option<*mut AddressRecord> {
    let leaf = maps::LEAVES.get_ptr_mut(record >> 8)?;
    // SAFETY: a leaf has 256 records.
    Some(unsafe { leaf.cast::<AddressRecord>().add(record as usize & 0xff) })
}

/// The words of a record that are read whole.
///
/// # Safety
/// Two aligned words of map memory.
#[inline(always)]
unsafe fn words(record: *const u64) -> [u64; 2] {
    // SAFETY: as the caller promises.
    unsafe { [record.read_volatile(), record.add(1).read_volatile()] }
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
