//! Which binding owns which port block of a pool address.

use std::sync::atomic::{AtomicU32, Ordering};

use gateway_common::PortRange;

/// Makes a pool address' page say what `owners` says: ranges and the index of their
/// binding, in any order, without overlap. Returns how many blocks changed.
pub(crate) fn sync(page: &[AtomicU32], owners: &[(PortRange, u32)]) -> usize {
    let mut planned = vec![0u32; page.len()];
    for (range, binding) in owners {
        planned[range.blocks()].fill(*binding);
    }
    let mut changed = 0;
    for (place, want) in page.iter().zip(planned) {
        if place.load(Ordering::Acquire) != want {
            place.store(want, Ordering::Release);
            changed += 1;
        }
    }
    changed
}

/// Gives the blocks of `range` to a binding.
pub(crate) fn set(page: &[AtomicU32], range: PortRange, binding: u32) {
    for block in &page[range.blocks()] {
        block.store(binding, Ordering::Release);
    }
}

/// The binding that has one of the blocks of `range`.
pub(crate) fn taken(page: &[AtomicU32], range: PortRange) -> Option<u32> {
    page[range.blocks()]
        .iter()
        .map(|block| block.load(Ordering::Acquire))
        .find(|binding| *binding != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_common::abi::BLOCKS_PER_ADDRESS;

    fn range(first: u16, last: u16) -> PortRange {
        PortRange::new(first, last).expect("a valid range")
    }

    #[test]
    fn sync_writes_the_difference_only() {
        let page: Vec<AtomicU32> = (0..BLOCKS_PER_ADDRESS).map(|_| AtomicU32::new(0)).collect();
        let a = (range(40000, 40063), 1);
        let b = (range(40064, 40071), 2);
        assert_eq!(sync(&page, &[a, b]), 9);
        assert_eq!(sync(&page, &[b, a]), 0);
        assert_eq!(taken(&page, range(40032, 40063)), Some(1));
        assert_eq!(taken(&page, range(40072, 40079)), None);
        assert_eq!(sync(&page, &[b]), 8);
        assert_eq!(taken(&page, range(40000, 40063)), None);
        set(&page, a.0, 7);
        assert_eq!(taken(&page, a.0), Some(7));
    }
}
