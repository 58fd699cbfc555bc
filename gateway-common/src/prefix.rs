//! IPv4 networks.

use core::fmt;
use core::net::Ipv4Addr;

/// An IPv4 prefix without host bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    address: u32,
    length: u8,
}

impl Prefix {
    /// The prefix, if `length` is 1 to 32 and `address` has no bits beyond it.
    #[must_use]
    pub fn new(address: Ipv4Addr, length: u8) -> Option<Self> {
        let address = u32::from(address);
        if !(1..=32).contains(&length) || address & !mask(length) != 0 {
            return None;
        }
        Some(Self { address, length })
    }

    /// Its first address.
    #[must_use]
    pub fn address(self) -> Ipv4Addr {
        self.address.into()
    }

    /// How many bits count, 1 to 32.
    #[must_use]
    pub fn length(self) -> u8 {
        self.length
    }

    /// Whether `address` lies in it.
    #[must_use]
    pub fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask(self.length) == self.address
    }

    /// Whether the two share an address (one then contains the other).
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let mask = mask(self.length.min(other.length));
        self.address & mask == other.address & mask
    }
}

fn mask(length: u8) -> u32 {
    u32::MAX << (32 - u32::from(length))
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), self.length)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
