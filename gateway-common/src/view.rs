//! Checked access to a packet's bytes, wherever they are.
//!
//! The same engine runs over an XDP buffer, an skb and a byte slice on the host.
//! Every load and store goes through this one trait, and every one is checked:
//! an access beyond the packet is [`Reason::Truncated`], never undefined.

use crate::checksum::Delta;
use crate::verdict::Reason;

/// Offsets are in bytes from the start of the frame (of the IP header on devices
/// without Ethernet header). Multi-byte values are big-endian on the wire and given
/// and taken in host byte order. Runs of values cost one check for all of them: the
/// engine reads a header at once.
///
/// Every method fails with [`Reason::Truncated`] beyond the end of what is there.
#[expect(
    clippy::missing_errors_doc,
    reason = "one sentence above says it for all"
)]
pub trait PacketView {
    /// Reads a byte.
    fn u8(&self, offset: usize) -> Result<u8, Reason>;
    /// Reads `N` 16-bit fields in a row.
    fn halves<const N: usize>(&self, offset: usize) -> Result<[u16; N], Reason>;
    /// Reads `N` 32-bit fields in a row.
    fn words<const N: usize>(&self, offset: usize) -> Result<[u32; N], Reason>;
    /// Writes a byte.
    fn put_u8(&mut self, offset: usize, value: u8) -> Result<(), Reason>;
    /// Writes `N` 16-bit fields in a row.
    fn put_halves<const N: usize>(&mut self, offset: usize, values: [u16; N])
    -> Result<(), Reason>;
    /// Writes `N` 32-bit fields in a row.
    fn put_words<const N: usize>(&mut self, offset: usize, values: [u32; N]) -> Result<(), Reason>;
    /// Length of the whole frame in bytes.
    fn len(&self) -> usize;

    /// Whether there is nothing at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the frame reaches `end`, an offset.
    #[inline(always)]
    fn holds(&self, end: usize) -> bool {
        end <= self.len()
    }

    /// Reads a 16-bit field.
    #[inline(always)]
    fn u16(&self, offset: usize) -> Result<u16, Reason> {
        self.halves::<1>(offset).map(|[half]| half)
    }

    /// Writes a 16-bit field.
    #[inline(always)]
    fn put_u16(&mut self, offset: usize, value: u16) -> Result<(), Reason> {
        self.put_halves(offset, [value])
    }

    /// Updates a transport checksum whose pseudo header changed by `address`.
    ///
    /// `zero_means_none` is for UDP: 0 stays 0, a result of 0 is sent as 0xffff
    /// (RFC 768).
    #[inline(always)]
    fn update_pseudo_checksum(
        &mut self,
        offset: usize,
        change: AddressChange,
        zero_means_none: bool,
    ) -> Result<(), Reason> {
        let old = self.u16(offset)?;
        if zero_means_none && old == 0 {
            return Ok(());
        }
        let new = change.delta().apply(old);
        let new = if zero_means_none && new == 0 {
            0xffff
        } else {
            new
        };
        self.put_u16(offset, new)
    }

    /// Updates a checksum over words that changed from `old` to `new` and are
    /// part of the packet (ICMP: no pseudo header).
    #[inline(always)]
    fn update_checksum(&mut self, offset: usize, delta: Delta) -> Result<(), Reason> {
        let new = delta.apply(self.u16(offset)?);
        self.put_u16(offset, new)
    }
}

/// Source and destination address before and after, host byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressChange {
    /// Source as it came.
    pub old_source: u32,
    /// Source as it leaves.
    pub source: u32,
    /// Destination as it came.
    pub old_destination: u32,
    /// Destination as it leaves.
    pub destination: u32,
}

impl AddressChange {
    /// What the change does to a checksum that covers both addresses.
    #[inline(always)]
    #[must_use]
    pub const fn delta(self) -> Delta {
        Delta::NONE
            .long(self.old_source, self.source)
            .long(self.old_destination, self.destination)
    }
}

/// A packet in memory: the engine's view in tests and in the controller.
#[derive(Debug)]
pub struct SliceView<'a>(pub &'a mut [u8]);

impl SliceView<'_> {
    fn bytes(&self, offset: usize, length: usize) -> Result<&[u8], Reason> {
        self.0
            .get(offset..)
            .and_then(|rest| rest.get(..length))
            .ok_or(Reason::Truncated)
    }

    fn bytes_mut(&mut self, offset: usize, length: usize) -> Result<&mut [u8], Reason> {
        self.0
            .get_mut(offset..)
            .and_then(|rest| rest.get_mut(..length))
            .ok_or(Reason::Truncated)
    }
}

impl PacketView for SliceView<'_> {
    fn u8(&self, offset: usize) -> Result<u8, Reason> {
        self.bytes(offset, 1).map(|bytes| bytes[0])
    }

    fn halves<const N: usize>(&self, offset: usize) -> Result<[u16; N], Reason> {
        let bytes = self.bytes(offset, 2 * N)?;
        Ok(core::array::from_fn(|i| {
            u16::from_be_bytes([bytes[2 * i], bytes[2 * i + 1]])
        }))
    }

    fn words<const N: usize>(&self, offset: usize) -> Result<[u32; N], Reason> {
        let bytes = self.bytes(offset, 4 * N)?;
        Ok(core::array::from_fn(|i| {
            let at = 4 * i;
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        }))
    }

    fn put_u8(&mut self, offset: usize, value: u8) -> Result<(), Reason> {
        self.bytes_mut(offset, 1).map(|bytes| bytes[0] = value)
    }

    fn put_halves<const N: usize>(
        &mut self,
        offset: usize,
        values: [u16; N],
    ) -> Result<(), Reason> {
        let bytes = self.bytes_mut(offset, 2 * N)?;
        for (to, from) in bytes.chunks_exact_mut(2).zip(values) {
            to.copy_from_slice(&from.to_be_bytes());
        }
        Ok(())
    }

    fn put_words<const N: usize>(&mut self, offset: usize, values: [u32; N]) -> Result<(), Reason> {
        let bytes = self.bytes_mut(offset, 4 * N)?;
        for (to, from) in bytes.chunks_exact_mut(4).zip(values) {
            to.copy_from_slice(&from.to_be_bytes());
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}
