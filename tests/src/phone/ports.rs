//! A phone's own ports: the range that came with its lease, and nothing beside it.
//!
//! ```text
//!   first      signalling
//!   first + 1  fetching files at boot
//!   first + 2  RTP \ a pair, and so on up to the last
//!   first + 3  RTCP/
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Result, ensure};

/// Ports of a phone, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    first: u16,
    last: u16,
}

impl Range {
    /// At least four ports from an even one on: signalling, files and one pair.
    ///
    /// # Errors
    /// When it begins at an odd port or has fewer.
    pub fn new(first: u16, last: u16) -> Result<Self> {
        ensure!(
            first.is_multiple_of(2),
            "ports {first}-{last}: expected an even first one"
        );
        let enough = u32::from(last) >= u32::from(first) + 3;
        ensure!(enough, "ports {first}-{last}: expected at least 4");
        Ok(Self { first, last })
    }

    /// Where SIP or H.248 is spoken.
    #[must_use]
    pub const fn signalling(self) -> u16 {
        self.first
    }

    /// Where files are fetched from.
    #[must_use]
    pub const fn files(self) -> u16 {
        self.first + 1
    }

    /// The lowest port.
    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The highest port.
    #[must_use]
    pub const fn last(self) -> u16 {
        self.last
    }
}

impl FromStr for Range {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (first, last) = text
            .split_once('-')
            .with_context(|| format!("ports: got {text:?}, expected such as 1024-1087"))?;
        let port = |text: &str| {
            let port = text.parse::<u16>();
            port.with_context(|| format!("ports: got {text:?}, expected a port"))
        };
        Self::new(port(first)?, port(last)?)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// The pairs for media that nobody uses now. The one that has been free for longest is taken
/// first, so that what is still under way to an old call finds no new one.
#[derive(Clone, Debug)]
pub struct Pairs(VecDeque<u16>);

impl Pairs {
    /// All of a range.
    #[must_use]
    pub fn new(range: Range) -> Self {
        // An even port whose odd one is still in the range.
        let even = (range.first + 2..range.last).step_by(2);
        Self(even.collect())
    }

    /// RTP's port of a free pair.
    pub fn take(&mut self) -> Option<u16> {
        self.0.pop_front()
    }

    /// A pair is free again.
    pub fn give(&mut self, port: u16) {
        self.0.push_back(port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_has_one_use() {
        let range: Range = "1024-1031".parse().unwrap();
        assert_eq!((range.signalling(), range.files()), (1024, 1025));
        let mut pairs = Pairs::new(range);
        let all: Vec<u16> = std::iter::from_fn(|| pairs.take()).collect();
        assert_eq!(all, [1026, 1028, 1030]);
        pairs.give(1028);
        pairs.give(1026);
        assert_eq!(pairs.take(), Some(1028));
        assert_eq!(range.to_string(), "1024-1031");
    }

    #[test]
    fn the_end_of_all_ports() {
        let mut pairs = Pairs::new("65532-65535".parse().unwrap());
        assert_eq!((pairs.take(), pairs.take()), (Some(65534), None));
    }

    #[test]
    fn too_few_and_odd_ones_are_refused() {
        for wrong in ["1025-1088", "1024-1026", "1024", "a-b", "65532-65536"] {
            assert!(wrong.parse::<Range>().is_err(), "{wrong}");
        }
    }
}
