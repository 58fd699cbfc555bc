//! A tree in memory, as the maps are to have it.

use gateway_common::abi::{AddressRecord, Leaf, NODE_ENTRIES, Node};
use gateway_common::address_tree::{Owner, child, child_of};

use super::LAST;
use gateway_common::Prefix;

/// A tree as it should be.
#[derive(Debug)]
pub(crate) struct PlannedTree {
    pub(super) nodes: Vec<Node>,
    pub(super) leaves: Vec<Box<Leaf>>,
}

impl PlannedTree {
    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![[0; NODE_ENTRIES]],
            leaves: Vec::new(),
        }
    }

    /// How many nodes it takes, or leaves, if those are more. One leaf stays empty.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len().max(self.leaves.len() + 1)
    }

    /// Gives all of `prefix` to `owner`. Shorter prefixes go first.
    pub(crate) fn set(&mut self, prefix: Prefix, owner: Owner) {
        let bytes = prefix.address().octets();
        let length = usize::from(prefix.length());
        let last = (length - 1) / 8;
        let first = usize::from(bytes[last]);
        let entries = first..first + (1 << (8 * (last + 1) - length));
        if last > LAST {
            self.leaf(bytes)[entries].fill(plain(owner.entry()));
        } else {
            let node = self.node(&bytes[..last]);
            self.nodes[node][entries].fill(owner.entry());
        }
    }

    /// Gives an address its record.
    pub(crate) fn set_record(&mut self, address: u32, record: AddressRecord) {
        let bytes = address.to_be_bytes();
        self.leaf(bytes)[usize::from(bytes[3])] = record;
    }

    /// The node that these bytes lead to.
    fn node(&mut self, bytes: &[u8]) -> usize {
        let mut node = 0;
        for byte in bytes {
            let entry = self.nodes[node][usize::from(*byte)];
            node = match child_of(entry) {
                Some(next) => next as usize,
                None => {
                    // What held for the whole entry holds for each of its parts.
                    self.nodes.push([entry; NODE_ENTRIES]);
                    let next = self.nodes.len() - 1;
                    self.nodes[node][usize::from(*byte)] = link(next);
                    next
                }
            };
        }
        node
    }

    /// The leaf of an address.
    fn leaf(&mut self, [a, b, c, _]: [u8; 4]) -> &mut Leaf {
        let node = self.node(&[a, b]);
        let entry = self.nodes[node][usize::from(c)];
        let leaf = match child_of(entry) {
            Some(leaf) => leaf as usize,
            None => {
                self.leaves.push(Box::new([plain(entry); NODE_ENTRIES]));
                let leaf = self.leaves.len() - 1;
                self.nodes[node][usize::from(c)] = link(leaf);
                leaf
            }
        };
        &mut self.leaves[leaf]
    }
}

fn link(index: usize) -> u32 {
    child(u32::try_from(index).unwrap_or(u32::MAX))
}

/// The record of an address that is no phone's.
pub(super) fn plain(entry: u32) -> AddressRecord {
    AddressRecord {
        entry,
        ..AddressRecord::default()
    }
}
