//! A phone's own public ports: an aligned block of a power of two.
//!
//! Alignment makes the range a PSID (RFC 7597 section 5.1), lets a table
//! of equal blocks describe it, keeps RTP/RTCP pairs together (even
//! start, RFC 4787 REQ-3) and makes overlap a question of nesting.

use core::fmt;

/// The smallest range.
pub const MIN_PORTS: u16 = 8;
/// Ports below this are the router's own and no phone's (RFC 6335 system ports).
pub const FIRST_PORT: u16 = 1024;
/// The largest range; a pool address holds one of these above [`FIRST_PORT`].
pub const MAX_PORTS: u16 = 32768;

/// A non-empty, aligned, power-of-two range of ports, valid by construction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// Why two numbers are not a [`PortRange`]. Display tells what would be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortRangeError {
    /// `last` is below `first`.
    Reversed { first: u16, last: u16 },
    /// `first` is below [`FIRST_PORT`].
    SystemPorts { first: u16 },
    /// The size is no power of two between [`MIN_PORTS`] and [`MAX_PORTS`].
    Size { ports: u32 },
    /// `first` is no multiple of the size.
    Unaligned { first: u16, ports: u16 },
}

impl PortRange {
    /// The range `first..=last`.
    ///
    /// # Errors
    /// When it is reversed, starts below 1024, has a size that is no power of two
    /// from 8 to 32768, or does not start at a multiple of its size.
    pub const fn new(first: u16, last: u16) -> Result<Self, PortRangeError> {
        if last < first {
            return Err(PortRangeError::Reversed { first, last });
        }
        if first < FIRST_PORT {
            return Err(PortRangeError::SystemPorts { first });
        }
        let ports = last as u32 - first as u32 + 1;
        if !ports.is_power_of_two() || ports < MIN_PORTS as u32 || ports > MAX_PORTS as u32 {
            return Err(PortRangeError::Size { ports });
        }
        let ports = ports as u16;
        if !first.is_multiple_of(ports) {
            return Err(PortRangeError::Unaligned { first, ports });
        }
        Ok(Self { first, last })
    }

    /// First port, host byte order.
    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    /// Last port, host byte order, inclusive.
    #[must_use]
    pub const fn last(self) -> u16 {
        self.last
    }

    /// How many ports.
    #[must_use]
    pub const fn ports(self) -> u16 {
        self.last - self.first + 1
    }

    /// Whether `port` (host byte order) is one of them.
    #[must_use]
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    /// Whether the two share a port.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl fmt::Debug for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PortRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Reversed { first, last } => {
                write!(f, "range {first}-{last} is reversed: write {last}-{first}")
            }
            Self::SystemPorts { first } => write!(
                f,
                "range starts at {first}, expected 1024 or above: lower ports belong to the router"
            ),
            Self::Size { ports } => write!(
                f,
                "range has {ports} ports, expected a power of two from {MIN_PORTS} to {MAX_PORTS}"
            ),
            Self::Unaligned { first, ports } => {
                let below = first - first % ports;
                write!(
                    f,
                    "range of {ports} ports starts at {first}, expected a multiple of {ports}: \
                     use {}-{}",
                    below,
                    below + (ports - 1)
                )
            }
        }
    }
}

impl core::error::Error for PortRangeError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_the_fix() {
        extern crate std;
        use std::string::ToString;
        let text = |first, last| PortRange::new(first, last).map_err(|e| e.to_string());
        assert_eq!(text(40000, 40063).map(PortRange::ports), Ok(64));
        assert_eq!(
            text(40001, 40064),
            Err(
                "range of 64 ports starts at 40001, expected a multiple of 64: use 40000-40063"
                    .into()
            )
        );
        assert_eq!(
            text(40000, 40062),
            Err("range has 63 ports, expected a power of two from 8 to 32768".into())
        );
        assert!(text(1016, 1023).is_err());
        assert!(text(40063, 40000).is_err());
        assert_eq!(text(32768, 65535).map(PortRange::ports), Ok(32768));
    }

    proptest! {
        #[test]
        fn every_range_is_aligned_and_even(first: u16, last: u16) {
            if let Ok(range) = PortRange::new(first, last) {
                prop_assert_eq!(range.first() % range.ports(), 0);
                prop_assert_eq!(range.first() % 2, 0);
                prop_assert!(range.contains(first) && range.contains(last));
            }
        }
    }
}
