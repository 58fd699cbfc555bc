//! Records of phones and blocks in shared memory: two words of 64 bits that a packet
//! reads whole, and two counters.

use std::sync::atomic::{AtomicU64, Ordering};

/// Words of a record.
pub(crate) const WORDS: usize = 4;

/// Records, each of [`WORDS`] words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Records<'m>(pub(crate) &'m [AtomicU64]);

impl<'m> Records<'m> {
    /// How many.
    pub(crate) fn len(self) -> usize {
        self.0.len() / WORDS
    }

    fn record(self, at: u32) -> &'m [AtomicU64] {
        let at = at as usize * WORDS;
        &self.0[at..at + WORDS]
    }

    /// What packets read.
    pub(crate) fn read(self, at: u32) -> [u64; 2] {
        let record = self.record(at);
        [0, 1].map(|word| record[word].load(Ordering::Acquire))
    }

    /// Packets and bytes.
    pub(crate) fn counted(self, at: u32) -> [u64; 2] {
        let record = self.record(at);
        [2, 3].map(|word| record[word].load(Ordering::Relaxed))
    }

    /// Writes a record that begins or changes; it counts from zero. What says whose it
    /// is comes last.
    pub(crate) fn write(self, at: u32, [who, range]: [u64; 2]) {
        let record = self.record(at);
        record[2].store(0, Ordering::Relaxed);
        record[3].store(0, Ordering::Relaxed);
        record[1].store(range, Ordering::Release);
        record[0].store(who, Ordering::Release);
    }

    /// Ends a record: `who` is nobody in particular. Its counters stay to be read.
    pub(crate) fn end(self, at: u32, who: u64) {
        self.record(at)[0].store(who, Ordering::Release);
    }

    /// Counts a packet.
    pub(crate) fn count(self, at: u32, bytes: u16) {
        let record = self.record(at);
        record[2].fetch_add(1, Ordering::Relaxed);
        record[3].fetch_add(u64::from(bytes), Ordering::Relaxed);
    }
}
