//! DATA to be sent: which blocks, and where in the file their bytes are.

use crate::packet::{HEADER, data_header};

/// Blocks in a row. Their bytes are in a row in the file too, so that one look at it is
/// enough for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// Where their bytes begin in the file (of netascii: in the text as it is sent).
    pub offset: u64,
    /// How many bytes all of them have.
    pub length: usize,
    /// How many blocks.
    pub count: u16,
    /// Bytes of each but perhaps the last.
    pub block_size: u16,
    /// Number of the first, from 1; on the wire are its low 16 bits.
    pub first: u64,
}

impl Blocks {
    /// The datagrams, each as its header and its part of `bytes`.
    ///
    /// `bytes` are those of the file from `offset` on; what lacks is missing in the last
    /// blocks, what is too much is left out.
    pub fn datagrams<'b>(
        &self,
        bytes: &'b [u8],
    ) -> impl Iterator<Item = ([u8; HEADER], &'b [u8])> + use<'b> {
        let bytes = &bytes[..self.length.min(bytes.len())];
        let (size, first) = (usize::from(self.block_size), self.first);
        (0..self.count).map(move |index| {
            let start = (usize::from(index) * size).min(bytes.len());
            let end = (start + size).min(bytes.len());
            (
                data_header(wire(first + u64::from(index))),
                &bytes[start..end],
            )
        })
    }

    /// Bytes of each datagram but perhaps the last.
    #[must_use]
    pub const fn datagram_size(&self) -> usize {
        HEADER + self.block_size as usize
    }
}

/// A block's number on the wire: after 65535 comes 0.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the low 16 bits are what is wanted"
)]
pub(crate) const fn wire(block: u64) -> u16 {
    block as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_may_be_short_or_empty() {
        let blocks = Blocks {
            offset: 0,
            length: 5,
            count: 3,
            block_size: 2,
            first: 65535,
        };
        let found: Vec<_> = blocks.datagrams(b"abcde-more").collect();
        assert_eq!(
            found,
            [
                (*b"\0\x03\xff\xff", &b"ab"[..]),
                (*b"\0\x03\0\0", b"cd"),
                (*b"\0\x03\0\x01", b"e"),
            ]
        );
        let exact = Blocks {
            length: 4,
            ..blocks
        };
        let last = exact.datagrams(b"abcd").last();
        assert_eq!(last, Some((*b"\0\x03\0\x01", &b""[..])));
    }
}
