//! Numbers that look random and are the same for the same seed: whoever runs a phone again with
//! its seed gets the same identifiers.

/// A sequence (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    #[expect(
        clippy::should_implement_trait,
        reason = "there is always another one: nothing to iterate over"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number of 32 bits.
    pub fn word(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }

    /// A number from 0 up to `below`, which is not 0.
    pub fn below(&mut self, below: u64) -> u64 {
        self.next() % below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides() {
        let (mut one, mut same, mut other) = (Random::new(7), Random::new(7), Random::new(8));
        let first: Vec<u64> = (0..9).map(|_| one.next()).collect();
        assert_eq!(first, (0..9).map(|_| same.next()).collect::<Vec<_>>());
        assert!(!first.contains(&other.next()));
        assert!((0..100).all(|_| one.below(3) < 3));
    }
}
