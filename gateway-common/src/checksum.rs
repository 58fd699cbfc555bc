//! The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
//!
//! All values are 16-bit words as they stand on the wire, read big-endian. A
//! change of words `m -> m'` turns a checksum `HC` into `~(~HC + ~m + m')`
//! (RFC 1624 equation 3): a wrong checksum stays exactly as wrong as it was, so
//! that the receiver still discards a damaged packet.

/// A change to summed words, to be applied to any checksum that covers them.
///
/// Kept unfolded: additions cannot overflow before 65,536 words were changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta(u32);

impl Delta {
    /// Nothing changed.
    pub const NONE: Self = Self(0);

    /// One 16-bit word changed.
    #[inline(always)]
    #[must_use]
    pub const fn word(self, old: u16, new: u16) -> Self {
        Self(self.0 + (!old) as u32 + new as u32)
    }

    /// One 32-bit field changed (two words, 16-bit aligned).
    #[inline(always)]
    #[must_use]
    pub const fn long(self, old: u32, new: u32) -> Self {
        self.word((old >> 16) as u16, (new >> 16) as u16)
            .word(old as u16, new as u16)
    }

    /// The checksum after the change.
    #[inline(always)]
    #[must_use]
    pub const fn apply(self, checksum: u16) -> u16 {
        !fold((!checksum) as u32 + self.0)
    }
}

/// Folds the carries of a sum of words into 16 bits.
#[inline(always)]
#[must_use]
pub const fn fold(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn from_scratch(words: &[u16]) -> u16 {
        let mut sum = 0u64;
        for word in words {
            sum += u64::from(*word);
        }
        while sum >> 16 != 0 {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    proptest! {
        #[test]
        fn update_agrees_with_recomputing(
            mut words in proptest::collection::vec(1u16.., 2..40),
            new: u32,
            at in 0usize..39,
        ) {
            let at = at % (words.len() - 1);
            let before = from_scratch(&words);
            let old = u32::from(words[at]) << 16 | u32::from(words[at + 1]);
            words[at] = (new >> 16) as u16;
            words[at + 1] = new as u16;
            let updated = Delta::NONE.long(old, new).apply(before);
            let expected = from_scratch(&words);
            // 0 and 0xffff are the same number in one's complement; which of the
            // two stands there is settled only where all words are zero.
            prop_assert_eq!(updated % 0xffff, expected % 0xffff);
        }
    }

    #[test]
    fn a_carry_of_the_carry_counts() {
        assert_eq!(fold(0x0001_ffff), 0x0001);
        assert_eq!(fold(u32::MAX), 0xffff);
        assert_eq!(fold(0xfffe_0001), 0xffff);
    }

    #[test]
    fn rfc1624_section_4_example() {
        // The example there: 0x5555 becomes 0x3285, header checksum 0xdd2f.
        assert_eq!(Delta::NONE.word(0x5555, 0x3285).apply(0xdd2f), 0x0000);
    }
}
