//! Free blocks of all public addresses of a pool, by size.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Ports of the smallest block.
pub(crate) const SMALLEST: u16 = 8;
/// Ports of the largest.
pub(crate) const LARGEST: u16 = 4096;
/// How many sizes there are: 8, 16, .. 4096.
const SIZES: usize = (LARGEST / SMALLEST).ilog2() as usize + 1;

/// A block: where it begins. Its size is where it is kept.
type Block = (Ipv4Addr, u16);

/// Free blocks. Neighbours that could be one are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FreeBlocks {
    by_size: [BTreeSet<Block>; SIZES],
    ports: u64,
}

/// Place of a size in the list of sizes.
pub(crate) fn order(ports: u16) -> Option<usize> {
    let fits = ports.is_power_of_two() && (SMALLEST..=LARGEST).contains(&ports);
    fits.then(|| (ports / SMALLEST).ilog2() as usize)
}

fn ports(order: usize) -> u16 {
    SMALLEST << order
}

impl FreeBlocks {
    /// All free ports.
    pub(crate) fn ports(&self) -> u64 {
        self.ports
    }

    /// Gives back a block of this order.
    pub(crate) fn insert(&mut self, address: Ipv4Addr, first: u16, order: usize) {
        self.ports += u64::from(ports(order));
        let (mut first, mut order) = (first, order);
        while order + 1 < SIZES && self.by_size[order].remove(&(address, first ^ ports(order))) {
            first &= !ports(order);
            order += 1;
        }
        self.by_size[order].insert((address, first));
    }

    /// Takes a block of this order, from the smallest that has one.
    pub(crate) fn take_any(&mut self, order: usize) -> Option<Block> {
        let (from, (address, first)) =
            (order..SIZES).find_map(|from| Some((from, self.by_size[from].pop_first()?)))?;
        for half in order..from {
            self.by_size[half].insert((address, first + ports(half)));
        }
        self.ports -= u64::from(ports(order));
        Some((address, first))
    }

    /// Takes this block, if all of it is free.
    pub(crate) fn take(&mut self, address: Ipv4Addr, first: u16, order: usize) -> bool {
        let base = |order: usize| first & !(ports(order) - 1);
        let whole = (order..SIZES).find(|from| self.by_size[*from].remove(&(address, base(*from))));
        let Some(from) = whole else {
            return false;
        };
        for half in order..from {
            // The half that it is not in.
            self.by_size[half].insert((address, base(half) ^ ports(half)));
        }
        self.ports -= u64::from(ports(order));
        true
    }
}
