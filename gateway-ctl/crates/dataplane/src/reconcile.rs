//! Desired against actual: writes the difference, in an order that no packet
//! notices.
//!
//! Records are written where they stand: an address' in the leaf that its look-up ends
//! at, a block's among those of its public address. What says whose a record is comes
//! last; a block passes from one phone to another only when no packet can still count
//! for the former. Whatever stays is not touched.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::ops::Bound;

use gateway_common::abi::{AddressRecord, BlockRecord, MAX_INTERFACES, block_index};
use gateway_common::address_tree::Owner;
use gateway_common::{PortRange, Prefix};

use crate::Error;
use crate::bindings::{self, BindingError, BindingState};
use crate::blocks::Blocks;
use crate::desired::{BindingSpec, Desired, Role};
use crate::mapped::wait_for_running_packets;
use crate::open::Dataplane;
use crate::tree::{PlannedTree, numbered};

/// What a reconciliation changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Bindings that are new.
    pub added: usize,
    /// Bindings that are gone.
    pub removed: usize,
    /// Bindings that stayed, with their counters.
    pub kept: usize,
}

impl Dataplane {
    /// Makes the maps say what `desired` says.
    ///
    /// # Errors
    /// When it is more than the maps were made for, or a binding has no place in
    /// it; nothing that packets see is changed then.
    pub fn reconcile(&mut self, desired: &Desired) -> Result<Changes, Error> {
        self.check_limits(desired)?;
        let slots = self.assign_slots(desired)?;
        let wanted = desired.pool.iter().map(|pool| pool.address.into());
        let pool = assign_pool(&self.pool, wanted.collect(), self.limits.pool_addresses);
        let plan = self.plan(desired, &slots, &pool)?;
        self.nodes.check(&plan.tree)?;
        self.write_interfaces(desired, &slots)?;
        let passed_on = self.blocks().sync(&plan.blocks);
        let synced = self.nodes.sync(self.maps.tree(), &plan.tree);
        // Only now does nobody send with them any more.
        self.blocks().pass_on(&passed_on);
        let before = self.by_private.len();
        self.by_private.clear();
        let by_private = &mut self.by_private;
        self.maps.tree().each(&mut |address, record, owner| {
            if let Owner::Binding(_) = owner {
                by_private.insert(address, record);
            }
        });
        self.pool = pool;
        synced?;
        Ok(Changes {
            added: desired.bindings.len() - plan.kept,
            removed: before - plan.kept,
            kept: plan.kept,
        })
    }

    fn check_limits(&self, desired: &Desired) -> Result<(), Error> {
        let limit = |what, wanted, limit: u32, key| {
            if wanted > limit as usize {
                return Err(Error::Limit {
                    what,
                    wanted,
                    limit: limit as usize,
                    key,
                });
            }
            Ok(())
        };
        limit(
            "bindings",
            desired.bindings.len(),
            self.limits.bindings,
            "bindings",
        )?;
        limit(
            "public addresses",
            desired.pool.len(),
            self.limits.pool_addresses,
            "pool_addresses",
        )?;
        // Slot 0 counts what comes in elsewhere.
        limit(
            "interfaces",
            desired.interfaces.len(),
            MAX_INTERFACES - 1,
            "interfaces (fixed)",
        )
    }

    /// Networks, public addresses and bindings, as the maps should have them.
    fn plan(
        &self,
        desired: &Desired,
        slots: &BTreeMap<u32, u16>,
        pool: &BTreeMap<u32, u32>,
    ) -> Result<Plan, Error> {
        let mut plan = Plan {
            tree: plan_networks(desired),
            blocks: vec![Vec::new(); self.limits.pool_addresses as usize],
            kept: 0,
        };
        for spec in &desired.pool {
            let index = pool[&u32::from(spec.address)];
            let owner = match spec.shared {
                true => Owner::SharedPool(index),
                false => Owner::Pool(index),
            };
            if let Some(prefix) = Prefix::new(spec.address, 32) {
                plan.tree.set(prefix, owner);
            }
        }
        for spec in &desired.bindings {
            let refuse = |source| Error::Binding {
                private: spec.private,
                source,
            };
            self.check_range(spec.ports).map_err(refuse)?;
            let inside = inside_slot(desired, slots, spec.private)
                .ok_or_else(|| refuse(BindingError::NotInside))?;
            let public = spec.public;
            let place = *pool
                .get(&u32::from(public))
                .ok_or_else(|| refuse(BindingError::NotInPool { public }))?;
            let (address, block) = bindings::records(spec, inside);
            if self
                .record_of(spec.private)
                .is_some_and(|at| self.is(at, address))
            {
                plan.kept += 1;
            }
            plan.tree.set_record(spec.private.into(), address);
            self.nodes.check(&plan.tree)?;
            plan.blocks[place as usize].push((spec.ports, block));
        }
        Ok(plan)
    }

    fn check_range(&self, ports: PortRange) -> Result<(), BindingError> {
        let smallest = self.limits.smallest_range;
        if ports.ports() < smallest {
            return Err(BindingError::RangeTooSmall { ports, smallest });
        }
        Ok(())
    }

    /// Index of the record of a phone's address.
    fn record_of(&self, private: Ipv4Addr) -> Option<u32> {
        self.by_private.get(&private.into()).copied()
    }

    /// Whether a record says this already.
    fn is(&self, at: u32, record: AddressRecord) -> bool {
        self.maps.tree().record(at) == Some(numbered(record, at))
    }

    fn blocks(&self) -> Blocks<'_> {
        Blocks {
            records: self.maps.blocks(),
            shift: self.limits.block_shift(),
        }
    }

    /// The record of a block of public ports.
    pub(crate) fn block(&self, block: u32) -> Option<BlockRecord> {
        self.blocks().read(block)
    }

    /// Adds a binding.
    ///
    /// # Errors
    /// [`Error::Binding`] when it contradicts what is there, [`Error::Limit`] when
    /// there is no room.
    pub fn add(&mut self, spec: BindingSpec) -> Result<(), Error> {
        let refuse = |source| Error::Binding {
            private: spec.private,
            source,
        };
        let private = u32::from(spec.private);
        if let Some(there) = self.binding(spec.private) {
            return Err(refuse(BindingError::Bound {
                public: there.spec.public,
                ports: there.spec.ports,
            }));
        }
        let inside = self
            .slots
            .iter()
            .find(|(_, interface)| interface_contains(&interface.role, spec.private))
            .map(|(slot, _)| *slot)
            .ok_or_else(|| refuse(BindingError::NotInside))?;
        let public = spec.public;
        let pool = *self
            .pool
            .get(&public.into())
            .ok_or_else(|| refuse(BindingError::NotInPool { public }))?;
        self.check_range(spec.ports).map_err(refuse)?;
        let blocks = self.blocks().of(pool, spec.ports);
        if let Some(other) = self.blocks().taken(blocks.clone()) {
            return Err(refuse(BindingError::Overlap {
                public,
                ports: spec.ports,
                other: other.into(),
            }));
        }
        if self.by_private.len() >= self.limits.bindings as usize {
            return Err(Error::Limit {
                what: "bindings",
                wanted: self.by_private.len() + 1,
                limit: self.limits.bindings as usize,
                key: "bindings",
            });
        }
        let (address, block) = bindings::records(&spec, inside);
        let tree = self.maps.tree();
        self.nodes.set_record(tree, private, address)?;
        self.blocks().set(blocks, block);
        let record = self.maps.tree().owner(private).phone();
        self.by_private.insert(private, record);
        Ok(())
    }

    /// Removes the binding of a private address; its last state, if there was one.
    pub fn remove(&mut self, private: Ipv4Addr) -> Option<BindingState> {
        let state = self.end(private)?;
        wait_for_running_packets();
        Some(state)
    }

    /// Removes many bindings, and waits for running packets once.
    pub fn remove_all(&mut self, private: impl IntoIterator<Item = Ipv4Addr>) {
        let ended = private
            .into_iter()
            .filter(|private| self.end(*private).is_some());
        if ended.count() > 0 {
            wait_for_running_packets();
        }
    }

    /// Takes a binding out of force. What it had is nobody else's until running packets
    /// have passed.
    fn end(&mut self, private: Ipv4Addr) -> Option<BindingState> {
        let state = self.binding(private)?;
        let record = self.by_private.remove(&private.into())?;
        let inside = AddressRecord {
            entry: Owner::Inside.entry(),
            ..AddressRecord::default()
        };
        let [who, _] = inside.words();
        self.maps.tree().leaves.end(record, who);
        if let Some(pool) = self.pool.get(&state.spec.public.into()) {
            for block in self.blocks().of(*pool, state.spec.ports) {
                self.maps.blocks().end(block, 0);
            }
        }
        Some(state)
    }

    /// All bindings, by private address.
    pub fn bindings(&self) -> impl Iterator<Item = BindingState> + '_ {
        self.bindings_in((Bound::Unbounded, Bound::Unbounded))
    }

    /// All bindings with a private address above `after`, by private address.
    pub fn bindings_after(&self, after: Ipv4Addr) -> impl Iterator<Item = BindingState> + '_ {
        self.bindings_in((Bound::Excluded(after.into()), Bound::Unbounded))
    }

    fn bindings_in(
        &self,
        private: (Bound<u32>, Bound<u32>),
    ) -> impl Iterator<Item = BindingState> + '_ {
        self.by_private
            .range(private)
            .filter_map(|(private, record)| self.state(*private, *record))
    }

    /// The binding of a private address.
    #[must_use]
    pub fn binding(&self, private: Ipv4Addr) -> Option<BindingState> {
        self.state(private.into(), self.record_of(private)?)
    }

    /// The binding that owns a port of a public address.
    #[must_use]
    pub fn owner_of(&self, public: Ipv4Addr, port: u16) -> Option<BindingState> {
        let pool = *self.pool.get(&public.into())?;
        let block = self.block(block_index(pool, port, self.limits.block_shift()))?;
        self.binding(block.private.into())
    }

    /// What the record of a private address and the blocks it names say.
    fn state(&self, private: u32, record: u32) -> Option<BindingState> {
        let address = self.maps.tree().record(record)?;
        let spec = bindings::spec(private, &address)?;
        let [out_packets, out_bytes] = self.maps.tree().leaves.counted(record);
        let [in_packets, in_bytes] = match self.pool.get(&address.public) {
            Some(pool) => {
                let blocks = self.blocks().of(*pool, spec.ports);
                self.blocks().counted(blocks, private)
            }
            None => [0, 0],
        };
        let inside = self.slots.get(&address.inside);
        Some(BindingState {
            spec,
            inside: inside.map_or_else(|| "unknown".to_owned(), |inside| inside.name.clone()),
            out_packets,
            out_bytes,
            in_packets,
            in_bytes,
        })
    }
}

/// What the maps should say.
#[derive(Debug)]
struct Plan {
    tree: PlannedTree,
    /// Ranges of each public address, by its index.
    blocks: Vec<Vec<(PortRange, BlockRecord)>>,
    /// Bindings that stay as they are.
    kept: usize,
}

fn inside_slot(desired: &Desired, slots: &BTreeMap<u32, u16>, private: Ipv4Addr) -> Option<u16> {
    desired
        .interfaces
        .iter()
        .find(|interface| interface_contains(&interface.role, private))
        .and_then(|interface| slots.get(&interface.ifindex).copied())
}

fn interface_contains(role: &Role, address: Ipv4Addr) -> bool {
    match role {
        Role::Inside { networks, .. } => networks.iter().any(|network| network.contains(address)),
        Role::Outside => false,
    }
}

/// The inside networks as a tree.
fn plan_networks(desired: &Desired) -> PlannedTree {
    let mut planned = PlannedTree::new();
    let mut networks: Vec<Prefix> = desired
        .interfaces
        .iter()
        .flat_map(|interface| match &interface.role {
            Role::Inside { networks, .. } => networks.as_slice(),
            Role::Outside => &[],
        })
        .copied()
        .collect();
    networks.sort_by_key(|prefix| prefix.length());
    for network in networks {
        planned.set(network, Owner::Inside);
    }
    planned
}

/// Indices of public addresses: those that stay keep theirs.
fn assign_pool(
    there: &BTreeMap<u32, u32>,
    wanted: BTreeSet<u32>,
    limit: u32,
) -> BTreeMap<u32, u32> {
    // Each index once: a daemon that was killed halfway may have left one twice.
    let mut taken = BTreeSet::new();
    let mut assigned = there.clone();
    assigned.retain(|address, index| {
        *index < limit && wanted.contains(address) && taken.insert(*index)
    });
    let mut free = (0..limit).filter(|index| !taken.contains(index));
    for address in wanted {
        // As many as the limit allows, and that was checked.
        assigned
            .entry(address)
            .or_insert_with(|| free.next().unwrap_or(0));
    }
    assigned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_public_address_has_an_index_of_its_own() {
        // 5 and 6 share one, 7 has one that is none: neither is what a reconciliation leaves.
        let there = BTreeMap::from([(4, 2), (5, 0), (6, 0), (7, 99), (8, 1)]);
        let assigned = assign_pool(&there, BTreeSet::from([4, 5, 6, 7, 9]), 5);
        assert_eq!(
            assigned,
            BTreeMap::from([(4, 2), (5, 0), (6, 1), (7, 3), (9, 4)])
        );
        let indices: BTreeSet<&u32> = assigned.values().collect();
        assert_eq!(indices.len(), assigned.len());
    }
}
