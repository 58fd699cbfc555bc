//! What the maps take.

use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _};

use aya::maps::MapData;

/// A map and its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapMemory {
    /// Name of the map.
    pub map: &'static str,
    /// Entries it was made for.
    pub entries: u32,
    /// Bytes of kernel memory.
    pub bytes: u64,
}

/// Asks the kernel what it accounts for a map.
pub(crate) fn of(name: &'static str, map: &MapData) -> MapMemory {
    let fd = map.fd().as_fd().as_raw_fd();
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap_or_default();
    let field = |key: &str| {
        text.lines()
            .find_map(|line| {
                line.strip_prefix(key)?
                    .strip_prefix(':')?
                    .trim()
                    .parse()
                    .ok()
            })
            .unwrap_or(0u64)
    };
    MapMemory {
        map: name,
        entries: u32::try_from(field("max_entries")).unwrap_or(u32::MAX),
        bytes: field("memlock"),
    }
}
