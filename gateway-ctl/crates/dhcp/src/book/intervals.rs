//! A set of addresses in few pieces.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Addresses; neighbours are in one piece. Every call takes time in the logarithm of the pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Intervals {
    /// Last address of a piece by its first.
    pieces: BTreeMap<u32, u32>,
    addresses: u64,
}

impl Intervals {
    /// How many addresses.
    pub(crate) fn len(&self) -> u64 {
        self.addresses
    }

    /// The lowest.
    pub(crate) fn first(&self) -> Option<Ipv4Addr> {
        self.pieces
            .first_key_value()
            .map(|(first, _)| Ipv4Addr::from(*first))
    }

    /// The piece that an address is in.
    fn piece(&self, address: u32) -> Option<(u32, u32)> {
        let (first, last) = self.pieces.range(..=address).next_back()?;
        (address <= *last).then_some((*first, *last))
    }

    pub(crate) fn insert(&mut self, address: Ipv4Addr) {
        let address = u32::from(address);
        if self.piece(address).is_some() {
            return;
        }
        let below = address.checked_sub(1).and_then(|below| self.piece(below));
        let above = address.checked_add(1).and_then(|above| self.piece(above));
        let first = below.map_or(address, |(first, _)| first);
        let last = above.map_or(address, |(_, last)| last);
        if let Some((first, _)) = above {
            self.pieces.remove(&first);
        }
        self.pieces.insert(first, last);
        self.addresses += 1;
    }

    /// Inserts all from one to another, both included.
    pub(crate) fn insert_range(&mut self, first: Ipv4Addr, last: Ipv4Addr) {
        let (mut first, mut last) = (u32::from(first), u32::from(last));
        if last < first {
            return;
        }
        // Whatever touches it becomes part of it.
        let until = last.saturating_add(1);
        while let Some((&from, &to)) = self.pieces.range(..=until).next_back()
            && to.saturating_add(1) >= first
        {
            self.pieces.remove(&from);
            self.addresses -= u64::from(to - from) + 1;
            first = first.min(from);
            last = last.max(to);
        }
        self.pieces.insert(first, last);
        self.addresses += u64::from(last - first) + 1;
    }

    pub(crate) fn remove(&mut self, address: Ipv4Addr) {
        let address = u32::from(address);
        let Some((first, last)) = self.piece(address) else {
            return;
        };
        self.pieces.remove(&first);
        if first < address {
            self.pieces.insert(first, address - 1);
        }
        if address < last {
            self.pieces.insert(address + 1, last);
        }
        self.addresses -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_of_all_addresses() {
        let mut set = Intervals::default();
        set.insert_range(Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST);
        assert_eq!(set.len(), 1 << 32);
        set.remove(Ipv4Addr::UNSPECIFIED);
        set.remove(Ipv4Addr::BROADCAST);
        set.insert(Ipv4Addr::BROADCAST);
        assert_eq!(
            (set.len(), set.first()),
            ((1 << 32) - 1, Some(Ipv4Addr::new(0, 0, 0, 1)))
        );
        set.insert_range(Ipv4Addr::new(9, 0, 0, 0), Ipv4Addr::BROADCAST);
        assert_eq!(set.pieces.len(), 1);
    }

    proptest! {
        #[test]
        fn a_set_like_any_other(steps in proptest::collection::vec((0u8..3, 0u32..60, 0u32..12), 0..80)) {
            let (mut set, mut model) = (Intervals::default(), BTreeSet::new());
            for (step, address, more) in steps {
                match step {
                    0 => {
                        set.insert(address.into());
                        model.insert(address);
                    }
                    1 => {
                        set.remove(address.into());
                        model.remove(&address);
                    }
                    _ => {
                        set.insert_range(address.into(), (address + more).into());
                        model.extend(address..=address + more);
                    }
                }
                prop_assert_eq!(set.len(), model.len() as u64);
                prop_assert_eq!(set.first().map(u32::from), model.first().copied());
                let pieces: Vec<u32> = set.pieces.iter().flat_map(|(a, b)| *a..=*b).collect();
                prop_assert_eq!(&pieces, &model.iter().copied().collect::<Vec<_>>());
                let apart = set.pieces.iter().zip(set.pieces.iter().skip(1));
                prop_assert!(apart.into_iter().all(|((_, last), (first, _))| last + 1 < *first));
            }
        }
    }
}
