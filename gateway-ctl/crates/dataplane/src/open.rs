//! Opening the dataplane: take over the maps that are there, or make new ones.

use std::collections::BTreeMap;
use std::path::Path;

use aya::maps::{MapData, MapInfo, PerCpuArray};
use aya::{Ebpf, EbpfLoader};
use gateway_common::abi::{
    ABI_VERSION, BlockRecord, InterfaceTable, Leaf, Node, Settings, map, program,
};
use gateway_common::address_tree::Owner;

use crate::attach::Programs;
use crate::counters::{self, InterfaceCounters, Values};
use crate::desired::{InterfaceSpec, Limits};
use crate::mapped::Mapped;
use crate::memory::{self, MapMemory};
use crate::pins::{Pins, make_directory};
use crate::records::Records;
use crate::tree::{TreeMaps, TreeNodes};
use crate::{Error, GATEWAY_OBJECT};

/// The dataplane: maps, programs and what is known about them.
#[derive(Debug)]
pub struct Dataplane {
    pub(crate) pins: Pins,
    pub(crate) generation: u32,
    pub(crate) limits: Limits,
    pub(crate) ebpf: Ebpf,
    pub(crate) maps: Maps,
    pub(crate) nodes: TreeNodes,
    /// Index of the record of each phone's private address.
    pub(crate) by_private: BTreeMap<u32, u32>,
    /// Index of each public address in the pool.
    pub(crate) pool: BTreeMap<u32, u32>,
    /// Interfaces by slot.
    pub(crate) slots: BTreeMap<u16, InterfaceSpec>,
}

/// The maps in memory.
#[derive(Debug)]
pub(crate) struct Maps {
    pub(crate) settings: Mapped<Settings>,
    /// Two: one in force, one to be written.
    pub(crate) interfaces: Mapped<InterfaceTable>,
    pub(crate) nodes: Mapped<Node>,
    pub(crate) leaves: Mapped<Leaf>,
    pub(crate) blocks: Mapped<BlockRecord>,
}

impl Maps {
    /// The address tree.
    pub(crate) fn tree(&self) -> TreeMaps<'_> {
        TreeMaps {
            nodes: self.nodes.words(),
            leaves: Records(self.leaves.wide_words()),
        }
    }

    /// The blocks of all public addresses.
    pub(crate) fn blocks(&self) -> Records<'_> {
        Records(self.blocks.wide_words())
    }
}

/// How it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// There was nothing.
    Fresh,
    /// The maps that were there serve on: nothing is lost.
    Adopted,
    /// What was there could not be taken over. Traffic goes on over it until the
    /// new maps are filled; counters start at zero, echo identifiers and fragments
    /// on their way are forgotten.
    Rebuilt {
        /// Why.
        why: String,
    },
}

impl Dataplane {
    /// Makes the pin directory, for whoever locks it before [`Dataplane::open`].
    ///
    /// # Errors
    /// When there is no bpffs.
    pub fn prepare(pin_directory: &Path) -> Result<(), Error> {
        Pins::prepare(pin_directory).map(drop)
    }

    /// Opens the dataplane pinned under `pin_directory`.
    ///
    /// # Errors
    /// When there is no bpffs, or the kernel refuses maps or programs. What was
    /// attached before goes on.
    pub fn open(pin_directory: &Path, limits: Limits) -> Result<(Self, Opened), Error> {
        let pins = Pins::prepare(pin_directory)?;
        let generations = pins.generations()?;
        let why = match generations[..] {
            [] => None,
            [number] => match reusable(&pins, number, limits) {
                Ok(()) => match Self::load(&pins, number, limits)? {
                    Ok(dataplane) => return Ok((dataplane, Opened::Adopted)),
                    Err(why) => Some(why),
                },
                Err(why) => Some(why),
            },
            _ => {
                // Programs that run keep theirs; which ones those are does not matter.
                for number in &generations {
                    pins.remove_generation(*number)?;
                }
                Some("a former daemon was stopped while it rebuilt the maps".to_owned())
            }
        };
        let number = generations.last().map_or(1, |last| last.wrapping_add(1));
        let loaded = Self::load(&pins, number, limits).and_then(|loaded| {
            loaded.map_err(|_| Error::Missing("empty address tree in new maps"))
        });
        let dataplane = match loaded {
            Ok(dataplane) => dataplane,
            Err(error) => {
                // Nothing runs on them: a start that fails again and again must not
                // fill the kernel's memory.
                pins.remove_generation(number)?;
                return Err(error);
            }
        };
        let opened = why.map_or(Opened::Fresh, |why| Opened::Rebuilt { why });
        Ok((dataplane, opened))
    }

    /// Loads the object with the maps of a generation, made where missing. The inner
    /// error: the tree in there cannot be trusted.
    fn load(pins: &Pins, generation: u32, limits: Limits) -> Result<Result<Self, String>, Error> {
        let directory = pins.generation(generation);
        make_directory(&directory)?;
        let mut loader = EbpfLoader::new();
        loader
            .map_max_entries(map::NODES, limits.tree_nodes)
            .map_max_entries(map::LEAVES, limits.tree_nodes)
            .map_max_entries(map::BLOCKS, limits.blocks());
        for name in map::PINNED {
            loader.map_pin_path(name, directory.join(name));
        }
        let mut ebpf = loader.load(GATEWAY_OBJECT)?;
        Programs::load(&mut ebpf)?;
        let maps = Maps {
            settings: Mapped::new(map::SETTINGS, data(&ebpf, map::SETTINGS)?, 1)?,
            interfaces: Mapped::new(map::INTERFACES, data(&ebpf, map::INTERFACES)?, 2)?,
            nodes: Mapped::new(map::NODES, data(&ebpf, map::NODES)?, limits.tree_nodes)?,
            leaves: Mapped::new(map::LEAVES, data(&ebpf, map::LEAVES)?, limits.tree_nodes)?,
            blocks: Mapped::new(map::BLOCKS, data(&ebpf, map::BLOCKS)?, limits.blocks())?,
        };
        let Ok(nodes) = TreeNodes::read(maps.tree()) else {
            return Ok(Err("the address tree contradicts itself".to_owned()));
        };
        let mut settings = maps.settings.get(0);
        settings.abi_version = ABI_VERSION;
        settings.trace_rate = 0;
        settings.block_shift = limits.block_shift();
        maps.settings.set(0, &settings);
        let mut by_private = BTreeMap::new();
        let mut pool = BTreeMap::new();
        maps.tree().each(&mut |address, record, owner| match owner {
            Owner::Pool(index) | Owner::SharedPool(index) => {
                pool.insert(address, index);
            }
            _ => {
                by_private.insert(address, record);
            }
        });
        Ok(Ok(Self {
            pins: pins.clone(),
            generation,
            limits,
            ebpf,
            maps,
            nodes,
            by_private,
            pool,
            slots: BTreeMap::new(),
        }))
    }

    /// The limits the maps were made for.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Sets how many bindings there may be; those that are there stay.
    pub fn allow_bindings(&mut self, bindings: u32) {
        self.limits.bindings = bindings;
    }

    /// Whether the maps are still pinned: what is not can be taken over by nobody.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        let directory = self.pins.generation(self.generation);
        map::PINNED.iter().all(|name| directory.join(name).exists())
    }

    /// How many nodes of the address tree are in use.
    #[must_use]
    pub fn used_tree_nodes(&self) -> usize {
        self.nodes.used()
    }

    /// How many bindings there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_private.len()
    }

    /// Whether there are no bindings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_private.is_empty()
    }

    /// What the maps take.
    #[must_use]
    pub fn memory(&self) -> Vec<MapMemory> {
        map::PINNED
            .iter()
            .filter_map(|name| {
                let data = MapData::from_pin(self.pins.generation(self.generation).join(name));
                data.ok().map(|data| memory::of(name, &data))
            })
            .collect()
    }

    /// How many events each CPU may hand to the tracer in a second; 0: none.
    pub fn set_trace_rate(&self, events: u32) {
        let mut settings = self.maps.settings.get(0);
        settings.trace_rate = events;
        self.maps.settings.set(0, &settings);
    }

    /// Counters of all interfaces, and of what came in on none of them.
    ///
    /// # Errors
    /// When the kernel does not let the map be read.
    pub fn counters(&self) -> Result<Vec<InterfaceCounters>, Error> {
        let map = self.counters_map()?;
        let mut all = vec![InterfaceCounters {
            interface: "unknown".to_owned(),
            hooks: counters::read(&map, 0)?,
        }];
        for (slot, interface) in &self.slots {
            all.push(InterfaceCounters {
                interface: interface.name.clone(),
                hooks: counters::read(&map, *slot)?,
            });
        }
        Ok(all)
    }

    pub(crate) fn counters_map(&self) -> Result<PerCpuArray<MapData, Values>, Error> {
        let path = self.pins.generation(self.generation).join(map::COUNTERS);
        let at = |source| Error::Map {
            map: map::COUNTERS,
            source,
        };
        let data = MapData::from_pin(path).map_err(at)?;
        let data = aya::maps::Map::PerCpuArray(data);
        PerCpuArray::try_from(data).map_err(at)
    }
}

/// A map's data in a loaded object.
pub(crate) fn data<'e>(ebpf: &'e Ebpf, name: &'static str) -> Result<&'e MapData, Error> {
    use aya::maps::Map;
    match ebpf.map(name) {
        Some(Map::Array(data) | Map::HashMap(data) | Map::LruHashMap(data)) => Ok(data),
        Some(Map::DevMapHash(data) | Map::PerCpuArray(data) | Map::RingBuf(data)) => Ok(data),
        _ => Err(Error::Missing(name)),
    }
}

/// Whether the maps of a generation are what this binary would make.
fn reusable(pins: &Pins, number: u32, limits: Limits) -> Result<(), String> {
    let directory = pins.generation(number);
    let settings = directory.join(map::SETTINGS);
    let found = abi_version(&settings)?;
    if found != ABI_VERSION {
        return Err(format!(
            "the maps have ABI version {found}, this program needs {ABI_VERSION}"
        ));
    }
    let found = block_shift(&settings)?;
    if found != limits.block_shift() {
        return Err(format!(
            "the maps have blocks of {} ports, {} are wanted",
            1 << (found & 15),
            limits.smallest_range
        ));
    }
    let wanted = [
        (map::NODES, limits.tree_nodes),
        (map::LEAVES, limits.tree_nodes),
        (map::BLOCKS, limits.blocks()),
    ];
    for (name, wanted) in wanted {
        let info = MapInfo::from_pin(directory.join(name)).map_err(|error| error.to_string())?;
        let found = info.max_entries();
        if found != wanted {
            return Err(format!(
                "map {name} has {found} entries, {wanted} are wanted"
            ));
        }
    }
    for name in map::PINNED {
        if !directory.join(name).exists() {
            return Err(format!("map {name} is missing"));
        }
    }
    Ok(())
}

/// The version in a settings map of any layout: its first word.
fn abi_version(path: &Path) -> Result<u32, String> {
    let data = MapData::from_pin(path).map_err(|error| error.to_string())?;
    let map: Mapped<u64> =
        Mapped::new(map::SETTINGS, &data, 1).map_err(|error| error.to_string())?;
    Ok(map.words()[0].load(std::sync::atomic::Ordering::Acquire))
}

/// Of settings of this version.
fn block_shift(path: &Path) -> Result<u32, String> {
    let data = MapData::from_pin(path).map_err(|error| error.to_string())?;
    let map: Mapped<Settings> =
        Mapped::new(map::SETTINGS, &data, 1).map_err(|error| error.to_string())?;
    Ok(map.get(0).block_shift)
}

/// The names the programs go by.
pub(crate) const PROGRAMS: [&str; 3] = [program::XDP, program::TC_INGRESS, program::TC_EGRESS];
