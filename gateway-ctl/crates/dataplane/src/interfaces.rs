//! What the programs know of interfaces: the way in, the way out, the ports.

use std::collections::{BTreeMap, BTreeSet};

use aya::Pod;
use aya::maps::xdp::XdpMapError;
use aya::maps::{HashMap, MapData};
use gateway_common::abi::{Interface, InterfaceKey, MAX_INTERFACES, VlanTag, interface_flags, map};

use crate::Error;
use crate::counters;
use crate::desired::{Desired, InterfaceSpec, Role, UnboundHosts};
use crate::open::Dataplane;

/// A value of `gateway_common::abi` as aya's maps take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub(crate) struct Abi<T>(pub(crate) T);

// SAFETY: bytemuck has checked that any bytes are a T and that it has no padding.
unsafe impl<T: bytemuck::Pod> Pod for Abi<T> {}

pub(crate) type Ingress<'m> = HashMap<&'m mut MapData, Abi<InterfaceKey>, Abi<Interface>>;
pub(crate) type Egress<'m> = HashMap<&'m mut MapData, u32, Abi<Interface>>;

impl Dataplane {
    /// A slot for each interface, by its index; those that stay keep theirs, and
    /// with it their counters.
    pub(crate) fn assign_slots(&mut self, desired: &Desired) -> Result<BTreeMap<u32, u16>, Error> {
        let known: BTreeMap<u32, Interface> = self.known_interfaces()?;
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

    fn known_interfaces(&mut self) -> Result<BTreeMap<u32, Interface>, Error> {
        let mut known = BTreeMap::new();
        for entry in self.egress()?.iter() {
            let (ifindex, Abi(interface)) = entry.map_err(at(map::EGRESS))?;
            known.insert(ifindex, interface);
        }
        Ok(known)
    }

    /// Writes the maps of interfaces.
    pub(crate) fn write_interfaces(
        &mut self,
        desired: &Desired,
        slots: &BTreeMap<u32, u16>,
    ) -> Result<(), Error> {
        let known = self.known_interfaces()?;
        let mut ways_in = BTreeMap::new();
        let mut ways_out = BTreeMap::new();
        for spec in &desired.interfaces {
            let mut interface = value(spec, slots[&spec.ifindex]);
            // Whether it takes XDP frames is known after it was attached to.
            if let Some(there) = known.get(&spec.ifindex) {
                interface.flags |= there.flags & interface_flags::XDP_TRANSMIT;
            }
            // tc sees packets on the IP interface, XDP on the port with their tags.
            ways_in.insert(Abi(key(spec.ifindex, &[])), interface);
            ways_in.insert(Abi(key(spec.port_ifindex, &spec.tags)), interface);
            ways_out.insert(spec.ifindex, interface);
        }
        let mut ingress = self.ingress()?;
        for (key, interface) in &ways_in {
            ingress
                .insert(key, Abi(*interface), 0)
                .map_err(at(map::INGRESS))?;
        }
        let stale: Vec<_> = ingress
            .keys()
            .filter_map(Result::ok)
            .filter(|key| !ways_in.contains_key(key))
            .collect();
        for key in stale {
            ingress.remove(&key).map_err(at(map::INGRESS))?;
        }
        let mut egress = self.egress()?;
        for (ifindex, interface) in &ways_out {
            egress
                .insert(ifindex, Abi(*interface), 0)
                .map_err(at(map::EGRESS))?;
        }
        let stale: Vec<_> = egress
            .keys()
            .filter_map(Result::ok)
            .filter(|ifindex| !ways_out.contains_key(ifindex))
            .collect();
        for ifindex in stale {
            egress.remove(&ifindex).map_err(at(map::EGRESS))?;
        }
        self.set_icmp_error_rate(desired.icmp_error_rate);
        self.slots = desired
            .interfaces
            .iter()
            .map(|spec| (slots[&spec.ifindex], spec.clone()))
            .collect();
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
        let set = |interface: &mut Interface| {
            interface.flags &= !interface_flags::XDP_TRANSMIT;
            if transmits {
                interface.flags |= interface_flags::XDP_TRANSMIT;
            }
        };
        let mut egress = self.egress()?;
        let Abi(mut interface) = egress.get(&spec.ifindex, 0).map_err(at(map::EGRESS))?;
        set(&mut interface);
        egress
            .insert(spec.ifindex, Abi(interface), 0)
            .map_err(at(map::EGRESS))
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

    pub(crate) fn ingress(&mut self) -> Result<Ingress<'_>, Error> {
        let map = self
            .ebpf
            .map_mut(map::INGRESS)
            .ok_or(Error::Missing(map::INGRESS))?;
        HashMap::try_from(map).map_err(at(map::INGRESS))
    }

    pub(crate) fn egress(&mut self) -> Result<Egress<'_>, Error> {
        let map = self
            .ebpf
            .map_mut(map::EGRESS)
            .ok_or(Error::Missing(map::EGRESS))?;
        HashMap::try_from(map).map_err(at(map::EGRESS))
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
