//! The address tree of the maps (`gateway_common::address_tree`): planned in
//! memory, then made so entry by entry, each step whole for the packets that read.

use std::sync::atomic::{AtomicU32, Ordering};

use gateway_common::abi::{AddressRecord, NODE_ENTRIES};
use gateway_common::address_tree::{Entry, Owner, child, child_of, look_up, record};

use crate::Error;
use crate::mapped::wait_for_running_packets;
use crate::records::Records;

mod planned;

pub(crate) use planned::PlannedTree;
use planned::plain;

/// Depth of the nodes whose children are leaves.
const LAST: usize = 2;

/// The record at this index: a phone's says it itself.
pub(crate) fn numbered(record: AddressRecord, at: u32) -> AddressRecord {
    match Owner::from_entry(record.entry) {
        Owner::Binding(_) => AddressRecord {
            entry: Owner::Binding(at).entry(),
            ..record
        },
        _ => record,
    }
}

/// The maps that hold the tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TreeMaps<'m> {
    /// The upper levels.
    pub(crate) nodes: &'m [AtomicU32],
    /// The records of all leaves.
    pub(crate) leaves: Records<'m>,
}

impl TreeMaps<'_> {
    /// Whose an address is.
    pub(crate) fn owner(self, address: u32) -> Entry {
        look_up(
            address,
            |node, byte| self.node_entry(node, byte),
            |record| self.leaf_entry(record),
        )
    }

    /// Entry of a node; one that does not exist leads nowhere.
    pub(crate) fn node_entry(self, node: u32, byte: u8) -> u32 {
        let at = node as usize * NODE_ENTRIES + usize::from(byte);
        let entry = self.nodes.get(at);
        entry.map_or(0, |entry| entry.load(Ordering::Acquire))
    }

    /// Entry in a record; one that does not exist leads nowhere.
    pub(crate) fn leaf_entry(self, record: u32) -> u32 {
        self.record(record).map_or(0, |record| record.entry)
    }

    /// A record, without its counters.
    pub(crate) fn record(self, at: u32) -> Option<AddressRecord> {
        ((at as usize) < self.leaves.len()).then(|| AddressRecord::from_words(self.leaves.read(at)))
    }

    /// Calls `found` with each phone and pool address, in the order of addresses, and
    /// the index of its record.
    pub(crate) fn each(self, found: &mut impl FnMut(u32, u32, Owner)) {
        self.each_below(0, 0, 0, found);
    }

    fn each_below(
        self,
        node: usize,
        depth: usize,
        above: u32,
        found: &mut impl FnMut(u32, u32, Owner),
    ) {
        for byte in 0..=u8::MAX {
            let value = entry(self.nodes, node, usize::from(byte)).load(Ordering::Acquire);
            let Some(below) = child_of(value) else {
                continue;
            };
            let prefix = above << 8 | u32::from(byte);
            if depth < LAST {
                self.each_below(below as usize, depth + 1, prefix, found);
                continue;
            }
            for byte in 0..=u8::MAX {
                let at = record(below, byte);
                let owner = Owner::from_entry(self.leaf_entry(at));
                if !matches!(owner, Owner::Nobody | Owner::Inside) {
                    found(prefix << 8 | u32::from(byte), at, owner);
                }
            }
        }
    }
}

/// Places for nodes, or for leaves.
#[derive(Debug)]
struct Places {
    free: Vec<u32>,
    /// Unlinked, but perhaps still read by a packet on its way.
    released: Vec<u32>,
    capacity: usize,
}

impl Places {
    fn new(used: &[bool]) -> Self {
        let free = (0..used.len())
            .rev()
            .filter(|place| !used[*place])
            .filter_map(|place| u32::try_from(place).ok())
            .collect();
        Self {
            free,
            released: Vec::new(),
            capacity: used.len(),
        }
    }

    fn used(&self) -> usize {
        self.capacity - self.free.len() - self.released.len()
    }

    fn allocate(&mut self) -> Result<u32, Error> {
        if self.free.is_empty() && !self.released.is_empty() {
            wait_for_running_packets();
            self.free.append(&mut self.released);
        }
        let full = full(self.capacity + 1, self.capacity);
        self.free.pop().ok_or(full)
    }
}

fn full(wanted: usize, limit: usize) -> Error {
    Error::Limit {
        what: "nodes of the address tree",
        wanted,
        limit,
        key: "tree_nodes",
    }
}

/// Which nodes and leaves of the maps are free.
#[derive(Debug)]
pub(crate) struct TreeNodes {
    nodes: Places,
    leaves: Places,
}

/// The tree in the maps contradicts itself: it was not written by this code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Corrupt;

impl TreeNodes {
    /// Finds out which nodes the tree uses.
    pub(crate) fn read(maps: TreeMaps<'_>) -> Result<Self, Corrupt> {
        let mut nodes = vec![false; maps.nodes.len() / NODE_ENTRIES];
        let mut leaves = vec![false; maps.leaves.len() / NODE_ENTRIES];
        // The root, and the leaf whose records would have index 0.
        nodes[0] = true;
        leaves[0] = true;
        let mut level = vec![0usize];
        for depth in 0..=LAST {
            let used = if depth == LAST {
                &mut leaves
            } else {
                &mut nodes
            };
            let mut next = Vec::new();
            for node in level {
                for byte in 0..NODE_ENTRIES {
                    let value = entry(maps.nodes, node, byte).load(Ordering::Acquire);
                    let Some(below) = child_of(value) else {
                        continue;
                    };
                    let below = below as usize;
                    if below >= used.len() || used[below] {
                        return Err(Corrupt);
                    }
                    used[below] = true;
                    next.push(below);
                }
            }
            level = next;
        }
        for leaf in level {
            for byte in 0..=u8::MAX {
                let at = record(leaf as u32, byte);
                let value = maps.leaf_entry(at);
                let strange = matches!(Owner::from_entry(value), Owner::Binding(of) if of != at);
                if child_of(value).is_some() || strange {
                    return Err(Corrupt);
                }
            }
        }
        Ok(Self {
            nodes: Places::new(&nodes),
            leaves: Places::new(&leaves),
        })
    }

    /// How many nodes are in use, or leaves, if those are more.
    pub(crate) fn used(&self) -> usize {
        self.nodes.used().max(self.leaves.used())
    }

    /// Whether there is room for the planned tree.
    pub(crate) fn check(&self, planned: &PlannedTree) -> Result<(), Error> {
        let room = self.nodes.capacity.min(self.leaves.capacity);
        if planned.nodes() > room {
            return Err(full(planned.nodes(), room));
        }
        Ok(())
    }

    /// Makes the tree in the maps the planned one; returns how many entries changed.
    pub(crate) fn sync(
        &mut self,
        maps: TreeMaps<'_>,
        planned: &PlannedTree,
    ) -> Result<usize, Error> {
        self.check(planned)?;
        // What ends first, so that its nodes are there for what begins.
        let ended = self.end(maps, planned, (0, 0), 0);
        let begun = self.begin(maps, planned, (0, 0), 0)?;
        Ok(ended + begun)
    }

    /// Gives one address its record.
    pub(crate) fn set_record(
        &mut self,
        maps: TreeMaps<'_>,
        address: u32,
        value: AddressRecord,
    ) -> Result<(), Error> {
        let [a, b, c, d] = address.to_be_bytes();
        let mut node = 0;
        for byte in [a, b] {
            let place = entry(maps.nodes, node, usize::from(byte));
            let found = place.load(Ordering::Acquire);
            node = match child_of(found) {
                Some(next) => next as usize,
                None => {
                    let next = self.nodes.allocate()?;
                    for byte in 0..NODE_ENTRIES {
                        entry(maps.nodes, next as usize, byte).store(found, Ordering::Relaxed);
                    }
                    place.store(child(next), Ordering::Release);
                    next as usize
                }
            };
        }
        let place = entry(maps.nodes, node, usize::from(c));
        let found = place.load(Ordering::Acquire);
        let leaf = match child_of(found) {
            Some(leaf) => leaf,
            None => {
                let leaf = self.leaves.allocate()?;
                for byte in 0..=u8::MAX {
                    maps.leaves.write(record(leaf, byte), plain(found).words());
                }
                place.store(child(leaf), Ordering::Release);
                leaf
            }
        };
        sync_record(maps.leaves, record(leaf, d), value);
        Ok(())
    }

    /// Makes entries what they should be that lead no further, and leaves that stay.
    fn end(
        &mut self,
        maps: TreeMaps<'_>,
        planned: &PlannedTree,
        (wanted, actual): (usize, usize),
        depth: usize,
    ) -> usize {
        let mut changed = 0;
        for byte in 0..NODE_ENTRIES {
            let want = planned.nodes[wanted][byte];
            let place = entry(maps.nodes, actual, byte);
            let have = place.load(Ordering::Acquire);
            match (child_of(want), child_of(have)) {
                (Some(want), Some(have)) if depth == LAST => {
                    for (byte, want) in (0..=u8::MAX).zip(planned.leaves[want as usize].iter()) {
                        let at = record(have, byte);
                        changed += usize::from(sync_record(maps.leaves, at, *want));
                    }
                }
                (Some(want), Some(have)) => {
                    let below = (want as usize, have as usize);
                    changed += self.end(maps, planned, below, depth + 1);
                }
                (Some(_), None) => {}
                (None, _) if want == have => {}
                (None, below) => {
                    place.store(want, Ordering::Release);
                    changed += 1;
                    if let Some(below) = below {
                        self.release(maps, below, depth + 1);
                    }
                }
            }
        }
        changed
    }

    /// Links the subtrees that are new.
    fn begin(
        &mut self,
        maps: TreeMaps<'_>,
        planned: &PlannedTree,
        (wanted, actual): (usize, usize),
        depth: usize,
    ) -> Result<usize, Error> {
        let mut changed = 0;
        for byte in 0..NODE_ENTRIES {
            let Some(want) = child_of(planned.nodes[wanted][byte]) else {
                continue;
            };
            let place = entry(maps.nodes, actual, byte);
            match child_of(place.load(Ordering::Acquire)) {
                Some(_) if depth == LAST => {}
                Some(have) => {
                    let below = (want as usize, have as usize);
                    changed += self.begin(maps, planned, below, depth + 1)?;
                }
                None => {
                    let mut taken = Taken::default();
                    match self.build(maps, planned, want as usize, depth + 1, &mut taken) {
                        Ok(node) => place.store(child(node), Ordering::Release),
                        Err(error) => {
                            // Never linked: no packet has seen them.
                            self.nodes.free.append(&mut taken.nodes);
                            self.leaves.free.append(&mut taken.leaves);
                            return Err(error);
                        }
                    }
                    changed += 1;
                }
            }
        }
        Ok(changed)
    }

    /// Writes a whole planned subtree into free nodes (`taken`), not yet linked.
    fn build(
        &mut self,
        maps: TreeMaps<'_>,
        planned: &PlannedTree,
        wanted: usize,
        depth: usize,
        taken: &mut Taken,
    ) -> Result<u32, Error> {
        if depth > LAST {
            let leaf = self.leaves.allocate()?;
            taken.leaves.push(leaf);
            for (byte, want) in (0..=u8::MAX).zip(planned.leaves[wanted].iter()) {
                let at = record(leaf, byte);
                maps.leaves.write(at, numbered(*want, at).words());
            }
            return Ok(leaf);
        }
        let node = self.nodes.allocate()?;
        taken.nodes.push(node);
        for (byte, want) in planned.nodes[wanted].iter().enumerate() {
            let value = match child_of(*want) {
                Some(below) => {
                    child(self.build(maps, planned, below as usize, depth + 1, taken)?)
                }
                None => *want,
            };
            entry(maps.nodes, node as usize, byte).store(value, Ordering::Release);
        }
        Ok(node)
    }

    fn release(&mut self, maps: TreeMaps<'_>, below: u32, depth: usize) {
        if depth > LAST {
            self.leaves.released.push(below);
            return;
        }
        for byte in 0..NODE_ENTRIES {
            let value = entry(maps.nodes, below as usize, byte).load(Ordering::Acquire);
            if let Some(below) = child_of(value) {
                self.release(maps, below, depth + 1);
            }
        }
        self.nodes.released.push(below);
    }
}

/// What a subtree is built of.
#[derive(Debug, Default)]
struct Taken {
    nodes: Vec<u32>,
    leaves: Vec<u32>,
}

/// Makes a record say what it should; whether it did not already.
fn sync_record(leaves: Records<'_>, at: u32, want: AddressRecord) -> bool {
    let want = numbered(want, at);
    let is_phone = matches!(Owner::from_entry(want.entry), Owner::Binding(_));
    let (have, want) = (leaves.read(at), want.words());
    if is_phone && have != want {
        leaves.write(at, want);
    } else if have[0] != want[0] {
        // A phone that is gone: its record still says its range, to nobody.
        leaves.end(at, want[0]);
    } else {
        return false;
    }
    true
}

fn entry(words: &[AtomicU32], node: usize, byte: usize) -> &AtomicU32 {
    &words[node * NODE_ENTRIES + byte]
}

#[cfg(test)]
mod tests;
