//! Whose each block of public ports is.

use gateway_common::PortRange;
use gateway_common::abi::{BlockRecord, block_index};

use crate::mapped::wait_for_running_packets;
use crate::records::Records;

/// The blocks of the pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks<'m> {
    pub(crate) records: Records<'m>,
    pub(crate) shift: u32,
}

impl Blocks<'_> {
    /// The indices of a range's blocks, at the pool address with this index.
    pub(crate) fn of(self, pool: u32, range: PortRange) -> std::ops::RangeInclusive<u32> {
        let index = |port| block_index(pool, port, self.shift);
        index(range.first())..=index(range.last())
    }

    /// A record, without its counters; `None` for an index beyond them.
    pub(crate) fn read(self, block: u32) -> Option<BlockRecord> {
        ((block as usize) < self.records.len())
            .then(|| BlockRecord::from_words(self.records.read(block)))
    }

    /// Gives blocks to a phone, or to nobody.
    pub(crate) fn set(self, blocks: std::ops::RangeInclusive<u32>, record: BlockRecord) {
        for block in blocks {
            self.records.write(block, record.words());
        }
    }

    /// The private address of the phone that has one of these blocks.
    pub(crate) fn taken(self, mut blocks: std::ops::RangeInclusive<u32>) -> Option<u32> {
        blocks.find_map(|block| match self.read(block)?.private {
            0 => None,
            private => Some(private),
        })
    }

    /// What a phone's blocks have counted: packets and bytes.
    pub(crate) fn counted(self, blocks: std::ops::RangeInclusive<u32>, private: u32) -> [u64; 2] {
        let mut sums = [0; 2];
        for block in blocks {
            if self
                .read(block)
                .is_some_and(|record| record.private == private)
            {
                let [packets, bytes] = self.records.counted(block);
                sums = [sums[0] + packets, sums[1] + bytes];
            }
        }
        sums
    }

    /// Makes the blocks say what `owners` says: by pool address, ranges and their
    /// records, without overlap. What says so already keeps its counters. Blocks that
    /// pass from one phone to another are nobody's for now, see [`Self::pass_on`].
    pub(crate) fn sync(self, owners: &[Vec<(PortRange, BlockRecord)>]) -> Vec<PassedOn> {
        let mut passed_on = Vec::new();
        let mut page = Vec::new();
        for (pool, owners) in (0u32..).zip(owners) {
            let first = block_index(pool, 0, self.shift);
            page.clear();
            page.resize(1 << (16 - self.shift), BlockRecord::default());
            for (range, record) in owners {
                for block in self.of(pool, *range) {
                    page[(block - first) as usize] = *record;
                }
            }
            for (block, want) in (first..).zip(&page) {
                let have = BlockRecord::from_words(self.records.read(block));
                if have.private != 0 && have.private != want.private {
                    self.records.end(block, 0);
                    if want.private != 0 {
                        passed_on.push((block, *want));
                    }
                } else if want.private != 0 && have.words() != want.words() {
                    self.records.write(block, want.words());
                }
            }
        }
        passed_on
    }

    /// Gives blocks to their new phones, once the former ones send with them no more.
    pub(crate) fn pass_on(self, blocks: &[PassedOn]) {
        // A packet to the former phone may be about to count for it.
        if !blocks.is_empty() {
            wait_for_running_packets();
        }
        for (block, record) in blocks {
            self.records.write(*block, record.words());
        }
    }
}

/// A block and whose it will be.
pub(crate) type PassedOn = (u32, BlockRecord);

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::records::WORDS;

    const SHIFT: u32 = 3;

    fn range(first: u16, last: u16) -> PortRange {
        PortRange::new(first, last).expect("a valid range")
    }

    fn memory() -> Vec<AtomicU64> {
        let words = (2 * WORDS) << (16 - SHIFT);
        (0..words).map(|_| AtomicU64::new(0)).collect()
    }

    fn phone(private: u32) -> BlockRecord {
        BlockRecord {
            private,
            inside: 1,
            ..BlockRecord::default()
        }
    }

    /// How many blocks passed from one phone to another.
    fn sync(blocks: Blocks<'_>, at_second: Vec<(PortRange, BlockRecord)>) -> usize {
        let passed_on = blocks.sync(&[vec![], at_second]);
        for (block, _) in &passed_on {
            assert_eq!(blocks.taken(*block..=*block), None, "nobody's in between");
        }
        blocks.pass_on(&passed_on);
        passed_on.len()
    }

    #[test]
    fn what_stays_keeps_its_counters() {
        let memory = memory();
        let blocks = Blocks {
            records: Records(&memory),
            shift: SHIFT,
        };
        let (wide, small) = (range(40000, 40063), range(40064, 40071));
        assert_eq!(sync(blocks, vec![(wide, phone(1)), (small, phone(2))]), 0);
        assert_eq!(blocks.of(1, wide).count(), 8);
        assert_eq!(blocks.taken(blocks.of(1, range(40032, 40063))), Some(1));
        assert_eq!(blocks.taken(blocks.of(1, small)), Some(2));
        assert_eq!(blocks.taken(blocks.of(1, range(40072, 40079))), None);
        assert_eq!(blocks.taken(blocks.of(0, wide)), None);
        for block in blocks.of(1, wide).chain(blocks.of(1, small)) {
            blocks.records.count(block, 100);
        }

        assert_eq!(sync(blocks, vec![(small, phone(3)), (wide, phone(1))]), 1);
        assert_eq!(blocks.counted(blocks.of(1, wide), 1), [8, 800]);
        assert_eq!(blocks.counted(blocks.of(1, small), 3), [0, 0]);

        // The same phone: a block that says something else begins anew.
        let moved = BlockRecord {
            public: 9,
            ..phone(1)
        };
        assert_eq!(sync(blocks, vec![(wide, moved)]), 0);
        assert_eq!(blocks.read(*blocks.of(1, wide).start()), Some(moved));
        assert_eq!(blocks.counted(blocks.of(1, wide), 1), [0, 0]);

        assert_eq!(sync(blocks, vec![(small, phone(1))]), 0);
        assert_eq!(blocks.taken(blocks.of(1, wide)), None);
        assert_eq!(blocks.taken(blocks.of(1, small)), Some(1));
        blocks.set(blocks.of(1, small), BlockRecord::default());
        assert_eq!(blocks.taken(blocks.of(1, range(32768, 65535))), None);
    }

    #[test]
    fn an_index_beyond_the_blocks_is_nobodys() {
        let memory = memory();
        let blocks = Blocks {
            records: Records(&memory),
            shift: SHIFT,
        };
        assert_eq!(blocks.read(2 << 13), None);
        assert!(blocks.read((2 << 13) - 1).is_some());
    }
}
