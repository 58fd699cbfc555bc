//! Where an interface stands in its table: a perfect hash.
//!
//! ```text
//! key:    | inner VLAN 16 | outer VLAN 16 | ifindex 32 |
//! place:  key * multiplier mod 2^64, its highest 10 bits
//! ```
//!
//! The controller chooses a multiplier with which all keys have places of their own, so
//! a program compares one key and knows. With 126 keys (63 interfaces, as IP interface
//! and as port with tags) in 1024 places, one of some 2,000 multipliers does.

use crate::abi::{INTERFACE_PLACES, InterfaceKey};

/// Multipliers tried. That none of so many fits 126 keys does not happen.
const TRIES: u64 = 1 << 20;

impl InterfaceKey {
    /// The key as one word; 0 is no key, as no device has the index 0.
    #[inline(always)]
    #[must_use]
    pub const fn packed(self) -> u64 {
        packed(
            self.ifindex,
            self.outer_vid as u32 | (self.inner_vid as u32) << 16,
        )
    }

    /// The key that was packed.
    #[must_use]
    pub const fn unpacked(word: u64) -> Self {
        Self {
            ifindex: word as u32,
            outer_vid: (word >> 32) as u16,
            inner_vid: (word >> 48) as u16,
        }
    }
}

/// The key of a device and [`crate::parse::Frame::vids`] as one word.
#[inline(always)]
#[must_use]
pub const fn packed(ifindex: u32, vids: u32) -> u64 {
    ifindex as u64 | (vids as u64) << 32
}

/// Place of a packed key, below [`INTERFACE_PLACES`].
#[inline(always)]
#[must_use]
pub const fn place(key: u64, multiplier: u64) -> u32 {
    (key.wrapping_mul(multiplier) >> (u64::BITS - INTERFACE_PLACES.ilog2())) as u32
}

/// An odd multiplier that gives each of `keys` a place of its own, always the same for
/// the same keys. `None` when a key is there twice, or there are far too many.
#[must_use]
pub fn multiplier(keys: &[InterfaceKey]) -> Option<u64> {
    (0..TRIES)
        .map(candidate)
        .find(|multiplier| are_apart(keys, *multiplier))
}

fn are_apart(keys: &[InterfaceKey], multiplier: u64) -> bool {
    let mut taken = [false; INTERFACE_PLACES];
    keys.iter().all(|key| {
        let place = place(key.packed(), multiplier) as usize;
        !core::mem::replace(&mut taken[place], true)
    })
}

/// The splitmix64 sequence, made odd: an even multiplier would lose the highest bits of
/// the key.
const fn candidate(number: u64) -> u64 {
    let mut word = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (word ^ word >> 31) | 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::MAX_INTERFACES;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    const MOST_KEYS: usize = 2 * (MAX_INTERFACES as usize - 1);

    fn key(ifindex: u32, outer_vid: u16, inner_vid: u16) -> InterfaceKey {
        InterfaceKey {
            ifindex,
            outer_vid,
            inner_vid,
        }
    }

    fn check(keys: &[InterfaceKey]) {
        let multiplier = multiplier(keys).unwrap();
        assert_eq!(multiplier % 2, 1);
        let places: BTreeSet<u32> = keys
            .iter()
            .map(|key| place(key.packed(), multiplier))
            .collect();
        assert_eq!(places.len(), keys.len(), "each has a place of its own");
        assert!(places.iter().all(|place| *place < INTERFACE_PLACES as u32));
    }

    #[test]
    fn sites_as_they_are() {
        check(&[]);
        check(&[key(2, 0, 0), key(3, 0, 0)]);
        let devices = 10..73_u32;
        let one_tag = |ifindex: u32| [key(ifindex, 0, 0), key(3, ifindex as u16 + 90, 0)];
        check(&devices.clone().flat_map(one_tag).collect::<Vec<_>>());
        let two_tags = |ifindex: u32| [key(ifindex, 0, 0), key(3, 100, ifindex as u16)];
        check(&devices.clone().flat_map(two_tags).collect::<Vec<_>>());
        let far_apart = |ifindex: u32| [key(ifindex, 0, 0), key(3, ifindex as u16 * 64 % 4095, 0)];
        check(&devices.flat_map(far_apart).collect::<Vec<_>>());
    }

    #[test]
    fn the_same_key_twice_has_no_two_places() {
        assert_eq!(multiplier(&[key(2, 0, 0), key(2, 0, 0)]), None);
    }

    proptest! {
        #[test]
        fn any_keys_have_places(
            words in prop::collection::btree_set((1..=u32::MAX, 0..4096_u16, 0..4096_u16), 0..=MOST_KEYS),
        ) {
            let keys: Vec<_> = words.iter().map(|(device, outer, inner)| key(*device, *outer, *inner)).collect();
            check(&keys);
        }

        #[test]
        fn unpacked_is_what_was_packed(ifindex: u32, outer: u16, inner: u16) {
            let key = key(ifindex, outer, inner);
            prop_assert_eq!(InterfaceKey::unpacked(key.packed()), key);
        }
    }
}
