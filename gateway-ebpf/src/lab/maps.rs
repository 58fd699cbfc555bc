//! The lab's maps, and three of the gateway's, which the loader replaces by the pinned
//! ones for the programs in `look_up.rs`.

use aya_ebpf::{
    bindings::BPF_F_MMAPABLE,
    macros::map,
    maps::{Array, DevMapHash, HashMap, PerCpuArray, ProgramArray},
};
use gateway_common::abi::{BlockRecord, Leaf, Node};

use crate::abi::{COUNTS, Traffic};

/// State of one CPU.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct State {
    /// Random numbers, never 0 once seeded.
    pub random: u64,
    /// The flow whose turn it is.
    pub flow: u32,
    pub reserved: u32,
}

#[map]
pub static LAB_TRAFFIC: Array<Traffic> = Array::with_max_entries(1, 0);
#[map]
pub static LAB_STATE: PerCpuArray<State> = PerCpuArray::with_max_entries(1, 0);
#[map]
pub static LAB_COUNTS: PerCpuArray<u64> = PerCpuArray::with_max_entries(COUNTS, 0);
#[map]
pub static LAB_TARGETS: ProgramArray = ProgramArray::with_max_entries(3, 0);
#[map]
pub static LAB_PORTS: DevMapHash = DevMapHash::with_max_entries(8, 0);

/// Private address to a record; public address and range to the same. As large as the
/// gateway's records, and in the hash's own element: no further step.
#[map]
pub static LAB_BY_PRIVATE: HashMap<u32, [u64; 4]> = HashMap::with_max_entries(1, 0);
#[map]
pub static LAB_BY_PUBLIC: HashMap<[u32; 2], [u64; 4]> = HashMap::with_max_entries(1, 0);

#[map]
pub static NODES: Array<Node> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
pub static LEAVES: Array<Leaf> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
pub static BLOCKS: Array<BlockRecord> = Array::with_max_entries(1, BPF_F_MMAPABLE);
