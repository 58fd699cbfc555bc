//! What the pinned maps say, read past the daemon.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use aya::Pod;
use aya::maps::{Array, Map, MapData};
use gateway_common::abi::{AddressRecord, BlockRecord, Leaf, NODE_ENTRIES, map};
use gateway_common::address_tree::Owner;

use super::Gateway;

/// Where the daemon pins, in its namespace.
const PINS: &str = "/sys/fs/bpf/gateway";

/// All that is bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// Whose blocks of ports are: private address, public address, first and last port of the
    /// whole range. A range of several blocks is here once.
    pub blocks: BTreeSet<(Ipv4Addr, Ipv4Addr, u16, u16)>,
    /// Blocks that are somebody's.
    pub taken: usize,
    /// Public addresses and ports that phones' records name.
    pub phones: Vec<(Ipv4Addr, u16, u16)>,
}

#[derive(Clone, Copy)]
#[repr(transparent)]
struct Value<T>(T);

// SAFETY: plain old data without padding, by bytemuck's check on both.
unsafe impl Pod for Value<BlockRecord> {}
// SAFETY: as above.
unsafe impl Pod for Value<Leaf> {}

impl Gateway {
    /// Reads the pinned maps, whoever runs or does not.
    ///
    /// # Errors
    /// When there are none, or several generations of them.
    pub fn bound(&self) -> Result<Bound> {
        self.router.enter(read)
    }
}

fn read() -> Result<Bound> {
    let directory = generation()?;
    let mut bound = Bound::default();
    for record in values::<BlockRecord>(&directory, map::BLOCKS)? {
        if record.private != 0 {
            let (private, public) = (record.private.into(), record.public.into());
            let ports = (record.first_port, record.last_port);
            bound.blocks.insert((private, public, ports.0, ports.1));
            bound.taken += 1;
        }
    }
    for leaf in values::<[AddressRecord; NODE_ENTRIES]>(&directory, map::LEAVES)? {
        let phones = leaf
            .iter()
            .filter(|record| matches!(Owner::from_entry(record.entry), Owner::Binding(_)));
        let ranges =
            phones.map(|record| (record.public.into(), record.first_port, record.last_port));
        bound.phones.extend(ranges);
    }
    bound.phones.sort_unstable();
    Ok(bound)
}

fn generation() -> Result<PathBuf> {
    let entries = std::fs::read_dir(PINS).with_context(|| PINS.to_owned())?;
    let names = entries.flatten().map(|entry| entry.path());
    let is_generation = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        name.is_some_and(|name| name.starts_with("gen-"))
    };
    let mut found: Vec<PathBuf> = names.filter(is_generation).collect();
    ensure!(found.len() == 1, "generations of maps: {found:?}");
    found.pop().context("no maps")
}

fn values<T>(directory: &Path, name: &str) -> Result<Vec<T>>
where
    Value<T>: Pod,
{
    let data = MapData::from_pin(directory.join(name))?;
    let array: Array<_, Value<T>> = Map::Array(data).try_into()?;
    let all = array.iter().map(|value| Ok(value?.0));
    all.collect()
}
