//! Checked access to a packet's bytes, wherever they are.
//!
//! The same engine runs over an XDP buffer, an skb and a byte slice on the host.
//! Every load and store goes through this one trait, and every one is checked:
//! an access beyond the packet is [`Reason::Truncated`], never undefined.

use crate::checksum::Delta;
use crate::verdict::Reason;

/// Offsets are in bytes from the start of the frame (of the IP header on devices
/// without Ethernet header). Multi-byte values are big-endian on the wire and
/// given and taken in host byte order.
pub trait PacketView {
    /// Reads `N` bytes.
    ///
    /// # Errors
    /// [`Reason::Truncated`] beyond the end of what is there.
    fn load<const N: usize>(&self, offset: usize) -> Result<[u8; N], Reason>;

    /// Writes `N` bytes.
    ///
    /// # Errors
    /// [`Reason::Truncated`] beyond the end of what is there.
    fn store<const N: usize>(&mut self, offset: usize, bytes: [u8; N]) -> Result<(), Reason>;

    /// Length of the whole frame in bytes.
    fn len(&self) -> usize;

    /// Whether there is nothing at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Updates a transport checksum whose pseudo header changed by `address`.
    ///
    /// `zero_means_none` is for UDP: 0 stays 0, a result of 0 is sent as 0xffff
    /// (RFC 768).
    ///
    /// # Errors
    /// [`Reason::Truncated`] when the field is not there.
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
        let new = if zero_means_none && new == 0 { 0xffff } else { new };
        self.store(offset, new.to_be_bytes())
    }

    /// Updates a checksum over words that changed from `old` to `new` and are
    /// part of the packet (ICMP: no pseudo header).
    ///
    /// # Errors
    /// [`Reason::Truncated`] when the field is not there.
    #[inline(always)]
    fn update_checksum(&mut self, offset: usize, delta: Delta) -> Result<(), Reason> {
        let new = delta.apply(self.u16(offset)?);
        self.store(offset, new.to_be_bytes())
    }

    /// Reads a byte.
    ///
    /// # Errors
    /// [`Reason::Truncated`] beyond the end.
    #[inline(always)]
    fn u8(&self, offset: usize) -> Result<u8, Reason> {
        self.load::<1>(offset).map(|[byte]| byte)
    }

    /// Reads a 16-bit field.
    ///
    /// # Errors
    /// [`Reason::Truncated`] beyond the end.
    #[inline(always)]
    fn u16(&self, offset: usize) -> Result<u16, Reason> {
        self.load(offset).map(u16::from_be_bytes)
    }

    /// Reads a 32-bit field.
    ///
    /// # Errors
    /// [`Reason::Truncated`] beyond the end.
    #[inline(always)]
    fn u32(&self, offset: usize) -> Result<u32, Reason> {
        self.load(offset).map(u32::from_be_bytes)
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

impl PacketView for SliceView<'_> {
    fn load<const N: usize>(&self, offset: usize) -> Result<[u8; N], Reason> {
        self.0
            .get(offset..)
            .and_then(|rest| rest.first_chunk::<N>())
            .copied()
            .ok_or(Reason::Truncated)
    }

    fn store<const N: usize>(&mut self, offset: usize, bytes: [u8; N]) -> Result<(), Reason> {
        self.0
            .get_mut(offset..)
            .and_then(|rest| rest.first_chunk_mut::<N>())
            .map(|place| *place = bytes)
            .ok_or(Reason::Truncated)
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}
