//! The address tree of the maps (`gateway_common::address_tree`): planned in
//! memory, then made so entry by entry, each step whole for the packets that read.

use std::sync::atomic::{AtomicU32, Ordering};

use gateway_common::abi::NODE_ENTRIES;
use gateway_common::address_tree::{Owner, child, child_of};

use crate::Error;
use crate::desired::Prefix;
use crate::mapped::wait_for_running_packets;

/// A tree as it should be.
#[derive(Debug)]
pub(crate) struct PlannedTree {
    nodes: Vec<[u32; NODE_ENTRIES]>,
}

impl PlannedTree {
    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![[0; NODE_ENTRIES]],
        }
    }

    /// How many nodes it takes.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Gives all of `prefix` to `owner`. Shorter prefixes go first.
    pub(crate) fn set(&mut self, prefix: Prefix, owner: Owner) {
        let bytes = prefix.address().octets();
        let length = usize::from(prefix.length());
        let mut node = 0;
        let last = (length - 1) / 8;
        for byte in &bytes[..last] {
            node = self.descend(node, usize::from(*byte));
        }
        let first = usize::from(bytes[last]);
        let span = 1 << (8 * (last + 1) - length);
        self.nodes[node][first..first + span].fill(owner.entry());
    }

    fn descend(&mut self, node: usize, byte: usize) -> usize {
        let entry = self.nodes[node][byte];
        if let Some(next) = child_of(entry) {
            return next as usize;
        }
        // What held for the whole entry holds for each of its parts.
        self.nodes.push([entry; NODE_ENTRIES]);
        let next = self.nodes.len() - 1;
        self.nodes[node][byte] = child(u32::try_from(next).unwrap_or(u32::MAX));
        next
    }
}

/// The tree in the maps, and which of its nodes are free.
#[derive(Debug)]
pub(crate) struct TreeNodes {
    free: Vec<u32>,
    /// Unlinked, but perhaps still read by a packet on its way.
    released: Vec<u32>,
    capacity: usize,
}

/// The tree in the maps contradicts itself: it was not written by this code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Corrupt;

impl TreeNodes {
    /// Finds out which nodes the tree uses.
    pub(crate) fn read(words: &[AtomicU32]) -> Result<Self, Corrupt> {
        let capacity = words.len() / NODE_ENTRIES;
        let mut used = vec![false; capacity];
        used[0] = true;
        let mut level = vec![0usize];
        for depth in 0..4 {
            let mut next = Vec::new();
            for node in level {
                for byte in 0..NODE_ENTRIES {
                    let Some(below) = child_of(entry(words, node, byte).load(Ordering::Acquire))
                    else {
                        continue;
                    };
                    let below = below as usize;
                    if depth == 3 || below >= capacity || used[below] {
                        return Err(Corrupt);
                    }
                    used[below] = true;
                    next.push(below);
                }
            }
            level = next;
        }
        let free = (0..capacity)
            .rev()
            .filter(|node| !used[*node])
            .filter_map(|node| u32::try_from(node).ok())
            .collect();
        Ok(Self {
            free,
            released: Vec::new(),
            capacity,
        })
    }

    /// How many nodes are in use.
    pub(crate) fn used(&self) -> usize {
        self.capacity - self.free.len() - self.released.len()
    }

    /// Whether there is room for the planned tree.
    pub(crate) fn check(&self, planned: &PlannedTree) -> Result<(), Error> {
        if planned.nodes() > self.capacity {
            return Err(self.full(planned.nodes()));
        }
        Ok(())
    }

    /// Makes the tree in `words` the planned one; returns how many entries changed.
    pub(crate) fn sync(
        &mut self,
        words: &[AtomicU32],
        planned: &PlannedTree,
    ) -> Result<usize, Error> {
        self.check(planned)?;
        // What ends first, so that its nodes are there for what begins.
        let ended = self.end(words, planned, 0, 0);
        let begun = self.begin(words, planned, 0, 0)?;
        Ok(ended + begun)
    }

    /// Gives one address to `owner`.
    pub(crate) fn set_address(
        &mut self,
        words: &[AtomicU32],
        address: u32,
        owner: Owner,
    ) -> Result<(), Error> {
        let [a, b, c, d] = address.to_be_bytes().map(usize::from);
        let mut node = 0;
        for byte in [a, b, c] {
            let place = entry(words, node, byte);
            let found = place.load(Ordering::Acquire);
            node = match child_of(found) {
                Some(next) => next as usize,
                None => {
                    let next = self.allocate()?;
                    for word in node_words(words, next as usize) {
                        word.store(found, Ordering::Relaxed);
                    }
                    place.store(child(next), Ordering::Release);
                    next as usize
                }
            };
        }
        entry(words, node, d).store(owner.entry(), Ordering::Release);
        Ok(())
    }

    /// Makes entries what they should be that lead no further.
    fn end(
        &mut self,
        words: &[AtomicU32],
        planned: &PlannedTree,
        wanted: usize,
        actual: usize,
    ) -> usize {
        let mut changed = 0;
        for byte in 0..NODE_ENTRIES {
            let want = planned.nodes[wanted][byte];
            let place = entry(words, actual, byte);
            let have = place.load(Ordering::Acquire);
            match (child_of(want), child_of(have)) {
                (Some(want), Some(have)) => {
                    changed += self.end(words, planned, want as usize, have as usize);
                }
                (Some(_), None) => {}
                (None, _) if want == have => {}
                (None, below) => {
                    place.store(want, Ordering::Release);
                    changed += 1;
                    if let Some(below) = below {
                        self.release(words, below as usize);
                    }
                }
            }
        }
        changed
    }

    /// Links the subtrees that are new.
    fn begin(
        &mut self,
        words: &[AtomicU32],
        planned: &PlannedTree,
        wanted: usize,
        actual: usize,
    ) -> Result<usize, Error> {
        let mut changed = 0;
        for byte in 0..NODE_ENTRIES {
            let Some(want) = child_of(planned.nodes[wanted][byte]) else {
                continue;
            };
            let place = entry(words, actual, byte);
            if let Some(have) = child_of(place.load(Ordering::Acquire)) {
                changed += self.begin(words, planned, want as usize, have as usize)?;
            } else {
                let mut taken = Vec::new();
                match self.build(words, planned, want as usize, &mut taken) {
                    Ok(node) => place.store(child(node), Ordering::Release),
                    Err(error) => {
                        // Never linked: no packet has seen them.
                        self.free.append(&mut taken);
                        return Err(error);
                    }
                }
                changed += 1;
            }
        }
        Ok(changed)
    }

    /// Writes a whole planned subtree into free nodes (`taken`), not yet linked.
    fn build(
        &mut self,
        words: &[AtomicU32],
        planned: &PlannedTree,
        wanted: usize,
        taken: &mut Vec<u32>,
    ) -> Result<u32, Error> {
        let node = self.allocate()?;
        taken.push(node);
        for (byte, want) in planned.nodes[wanted].iter().enumerate() {
            let value = match child_of(*want) {
                Some(below) => child(self.build(words, planned, below as usize, taken)?),
                None => *want,
            };
            entry(words, node as usize, byte).store(value, Ordering::Release);
        }
        Ok(node)
    }

    fn release(&mut self, words: &[AtomicU32], node: usize) {
        for byte in 0..NODE_ENTRIES {
            if let Some(below) = child_of(entry(words, node, byte).load(Ordering::Acquire)) {
                self.release(words, below as usize);
            }
        }
        self.released.extend(u32::try_from(node));
    }

    fn allocate(&mut self) -> Result<u32, Error> {
        if self.free.is_empty() {
            self.reclaim();
        }
        self.free.pop().ok_or_else(|| self.full(self.capacity + 1))
    }

    fn reclaim(&mut self) {
        if !self.released.is_empty() {
            wait_for_running_packets();
            self.free.append(&mut self.released);
        }
    }

    fn full(&self, wanted: usize) -> Error {
        Error::Limit {
            what: "nodes of the address tree",
            wanted,
            limit: self.capacity,
            key: "tree_nodes",
        }
    }
}

fn entry(words: &[AtomicU32], node: usize, byte: usize) -> &AtomicU32 {
    &words[node * NODE_ENTRIES + byte]
}

fn node_words(words: &[AtomicU32], node: usize) -> &[AtomicU32] {
    &words[node * NODE_ENTRIES..(node + 1) * NODE_ENTRIES]
}

#[cfg(test)]
mod tests;
