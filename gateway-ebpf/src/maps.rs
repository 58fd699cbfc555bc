//! The maps. Names, keys and values: gateway-common/src/abi.rs. Sizes here are the
//! smallest; the loader sets those of `NODES`, `LEAVES` and `BLOCKS` from the
//! configuration.

use aya_ebpf::{
    bindings::BPF_F_MMAPABLE,
    macros::map,
    maps::{Array, DevMapHash, LruHashMap, PerCpuArray, RingBuf},
};
use gateway_common::abi::{
    AnswerBudget, BlockRecord, Counters, EchoKey, FragmentKey, FragmentOwner, Hook, InterfaceTable,
    Leaf, MAX_INTERFACES, Node, Settings,
};

#[map]
pub static SETTINGS: Array<Settings> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
pub static INTERFACES: Array<InterfaceTable> = Array::with_max_entries(2, BPF_F_MMAPABLE);
#[map]
pub static PORTS: DevMapHash = DevMapHash::with_max_entries(MAX_INTERFACES, 0);
#[map]
pub static NODES: Array<Node> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
pub static LEAVES: Array<Leaf> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
pub static BLOCKS: Array<BlockRecord> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
pub static FRAGMENTS: LruHashMap<FragmentKey, FragmentOwner> =
    LruHashMap::with_max_entries(65536, 0);
#[map]
pub static ECHO_IDS: LruHashMap<EchoKey, u32> = LruHashMap::with_max_entries(65536, 0);
#[map]
pub static COUNTERS: PerCpuArray<Counters> =
    PerCpuArray::with_max_entries(MAX_INTERFACES * Hook::ALL.len() as u32, 0);
#[map]
pub static ANSWERS: PerCpuArray<AnswerBudget> = PerCpuArray::with_max_entries(1, 0);
#[map]
pub static TRACE: RingBuf = RingBuf::with_byte_size(256 * 1024, 0);
#[map]
pub static EARLY_FRAGMENTS: RingBuf = RingBuf::with_byte_size(1024 * 1024, 0);
