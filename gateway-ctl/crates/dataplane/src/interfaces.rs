//! What the programs know of interfaces: the ways in and out, in two tables of which one
//! is in force, and the ports.

use std::collections::{BTreeMap, BTreeSet};

use aya::Pod;
use aya::maps::MapData;
use aya::maps::xdp::XdpMapError;
use bytemuck::Zeroable as _;
use gateway_common::abi::{
    INTERFACE_PLACES, Interface, InterfaceEntry, InterfaceKey, InterfaceTable, MAX_INTERFACES,
    VlanTag, interface_flags, map,
};
use gateway_common::interface_table::{multiplier, place};

use crate::Error;
use crate::counters;
use crate::desired::{Desired, InterfaceSpec, Role, UnboundHosts};
use crate::mapped::wait_for_running_packets;
use crate::open::Dataplane;

/// A value of `gateway_common::abi` as aya's maps take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub(crate) struct Abi<T>(pub(crate) T);

// SAFETY: bytemuck has checked that any bytes are a T and that it has no padding.
unsafe impl<T: bytemuck::Pod> Pod for Abi<T> {}

/// Interfaces by where packets come in and where they leave.
type Ways = BTreeMap<InterfaceKey, Interface>;

impl Dataplane {
    /// A slot for each interface, by its index; those that stay keep theirs, and
    /// with it their counters.
    pub(crate) fn assign_slots(&mut self, desired: &Desired) -> Result<BTreeMap<u32, u16>, Error> {
        let known: BTreeMap<u32, Interface> = self.known_interfaces();
        let mut slots = BTreeMap::new();
        for interface in &desired.interfaces {
            if let Some(there) = known.get(&interface.ifindex) {
                slots.insert(interface.ifindex, there.slot);
            }
        }
        let taken: BTreeSet<u16> = slots.values().copied().collect();
        let last = u16::try_from(MAX_INTERFACES).unwrap_or(u16::MAX);
        let mut free = (1..last).filter(|slot| !taken.contains(slot));
        let mut map = self.counters_map()?;
        for interface in &desired.interfaces {
            if let std::collections::btree_map::Entry::Vacant(place) =
                slots.entry(interface.ifindex)
            {
                // As many as slots at most, and that was checked.
                let slot = free.next().unwrap_or(0);
                counters::clear(&mut map, slot)?;
                place.insert(slot);
            }
        }
        Ok(slots)
    }

    /// The interfaces that the programs know, by index.
    fn known_interfaces(&self) -> BTreeMap<u32, Interface> {
        self.ways()
            .into_iter()
            .filter(|(way, interface)| *way == key(interface.ifindex, &[]))
            .map(|(_, interface)| (interface.ifindex, interface))
            .collect()
    }

    /// Writes what the programs know of interfaces.
    pub(crate) fn write_interfaces(
        &mut self,
        desired: &Desired,
        slots: &BTreeMap<u32, u16>,
    ) -> Result<(), Error> {
        let known = self.known_interfaces();
        let mut ways = Ways::new();
        for spec in &desired.interfaces {
            let mut interface = value(spec, slots[&spec.ifindex]);
            // Whether it takes XDP frames is known after it was attached to.
            if let Some(there) = known.get(&spec.ifindex) {
                interface.flags |= there.flags & interface_flags::XDP_TRANSMIT;
            }
            // tc sees packets on the IP interface, and the FIB sends them there; XDP
            // sees them on the port with their tags.
            ways.insert(key(spec.ifindex, &[]), interface);
            ways.insert(key(spec.port_ifindex, &spec.tags), interface);
        }
        self.put_in_force(&ways)?;
        self.set_icmp_error_rate(desired.icmp_error_rate);
        self.slots = desired
            .interfaces
            .iter()
            .map(|spec| (slots[&spec.ifindex], spec.clone()))
            .collect();
        Ok(())
    }

    /// What the table in force says.
    fn ways(&self) -> Ways {
        let in_force = self.maps.settings.get(0).interface_table & 1;
        let table = self.maps.interfaces.get(in_force as usize);
        let used = table.entries.iter().filter(|entry| entry.key != 0);
        used.map(|entry| (InterfaceKey::unpacked(entry.key), entry.interface))
            .collect()
    }

    /// Writes the table that no program reads, and has them all read it by one store.
    /// Killed before that, a daemon has changed nothing; after it, everything.
    fn put_in_force(&self, ways: &Ways) -> Result<(), Error> {
        let table = table(ways)?;
        let mut settings = self.maps.settings.get(0);
        let in_force = settings.interface_table & 1;
        if self.maps.interfaces.get(in_force as usize) == *table {
            return Ok(());
        }
        // A packet may still be looking at what the former change took out of force.
        wait_for_running_packets();
        let other = in_force ^ 1;
        self.maps.interfaces.set(other as usize, &table);
        settings.interface_table = other;
        self.maps.settings.set(0, &settings);
        Ok(())
    }

    fn set_icmp_error_rate(&self, rate: u32) {
        let mut settings = self.maps.settings.get(0);
        settings.icmp_error_rate = rate;
        self.maps.settings.set(0, &settings);
    }

    /// Says that an interface's port takes frames redirected by XDP, or does not.
    pub(crate) fn set_xdp_transmit(
        &mut self,
        spec: &InterfaceSpec,
        transmits: bool,
    ) -> Result<(), Error> {
        if transmits {
            // The port first: whoever reads the flag finds it there.
            self.ports()?
                .insert(spec.port_ifindex, spec.port_ifindex, None, 0)
                .map_err(|error| Error::Map {
                    map: map::PORTS,
                    source: match error {
                        XdpMapError::MapError(error) => error,
                        // No program is chained.
                        XdpMapError::ChainedProgramNotSupported => {
                            aya::maps::MapError::ElementNotFound
                        }
                    },
                })?;
        }
        let mut ways = self.ways();
        for interface in ways.values_mut() {
            if interface.ifindex == spec.ifindex {
                interface.flags &= !interface_flags::XDP_TRANSMIT;
                if transmits {
                    interface.flags |= interface_flags::XDP_TRANSMIT;
                }
            }
        }
        self.put_in_force(&ways)
    }

    /// Takes ports out that no interface uses any more.
    pub(crate) fn retire_ports(&mut self, used: &BTreeSet<u32>) -> Result<(), Error> {
        let mut ports = self.ports()?;
        let stale: Vec<u32> = ports
            .keys()
            .filter_map(Result::ok)
            .filter(|port| !used.contains(port))
            .collect();
        for port in stale {
            ports.remove(port).map_err(at(map::PORTS))?;
        }
        Ok(())
    }

    fn ports(&mut self) -> Result<aya::maps::DevMapHash<&mut MapData>, Error> {
        let map = self
            .ebpf
            .map_mut(map::PORTS)
            .ok_or(Error::Missing(map::PORTS))?;
        aya::maps::DevMapHash::try_from(map).map_err(at(map::PORTS))
    }
}

fn at(map: &'static str) -> impl Fn(aya::maps::MapError) -> Error {
    move |source| Error::Map { map, source }
}

fn key(ifindex: u32, tags: &[VlanTag]) -> InterfaceKey {
    let vid = |index: usize| tags.get(index).map_or(0, |tag| tag.vid);
    InterfaceKey {
        ifindex,
        outer_vid: vid(0),
        inner_vid: vid(1),
    }
}

/// A table in memory.
fn table(ways: &Ways) -> Result<Box<InterfaceTable>, Error> {
    let keys: Vec<InterfaceKey> = ways.keys().copied().collect();
    let mut table = Box::new(InterfaceTable::zeroed());
    table.multiplier = multiplier(&keys).ok_or(Error::Places {
        keys: keys.len(),
        places: INTERFACE_PLACES,
    })?;
    for (key, interface) in ways {
        let key = key.packed();
        table.entries[place(key, table.multiplier) as usize] = InterfaceEntry {
            key,
            interface: *interface,
            reserved: [0; 2],
        };
    }
    Ok(table)
}

fn value(spec: &InterfaceSpec, slot: u16) -> Interface {
    let mut flags = 0;
    if let Role::Inside { unbound_hosts, .. } = &spec.role {
        flags |= interface_flags::INSIDE;
        if *unbound_hosts == UnboundHosts::Kernel {
            flags |= interface_flags::UNBOUND_TO_KERNEL;
        }
    }
    if !spec.ethernet {
        flags |= interface_flags::NO_ETHERNET;
    }
    let mut tags = [VlanTag::default(); 2];
    for (to, from) in tags.iter_mut().zip(&spec.tags) {
        *to = *from;
    }
    Interface {
        ifindex: spec.ifindex,
        port_ifindex: spec.port_ifindex,
        address: spec.address.map_or(0, u32::from),
        mtu: spec.mtu,
        slot,
        flags,
        tag_count: spec.tags.len().min(2) as u32,
        tags,
        mac: [0, 2, 4].map(|at| u16::from_be_bytes([spec.mac[at], spec.mac[at + 1]])),
        reserved: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_where_the_programs_look_and_nothing_else_is() {
        let ways: Ways = (1..64)
            .flat_map(|slot| {
                let interface = Interface {
                    ifindex: 10 + u32::from(slot),
                    slot,
                    ..Interface::default()
                };
                let tag = VlanTag {
                    tpid: 0x8100,
                    vid: 100 + slot,
                };
                [
                    (key(interface.ifindex, &[]), interface),
                    (key(3, &[tag]), interface),
                ]
            })
            .collect();
        let table = table(&ways).unwrap();
        for (way, interface) in &ways {
            let entry = table.entries[place(way.packed(), table.multiplier) as usize];
            assert_eq!((entry.key, entry.interface), (way.packed(), *interface));
        }
        let used = table.entries.iter().filter(|entry| entry.key != 0).count();
        assert_eq!(used, ways.len());
        for unused in table.entries.iter().filter(|entry| entry.key == 0) {
            assert_eq!(*unused, InterfaceEntry::zeroed());
        }
    }
}
