//! Desired against actual: writes the difference, in an order that no packet
//! notices.
//!
//! New binding records first (nothing leads to them yet), then what leads to them
//! (tree, blocks: one word each), then a grace period, and only then are old records
//! cleared for others to use.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use gateway_common::abi::{Binding, MAX_INTERFACES, PoolAddress, pool_flags};
use gateway_common::address_tree::Owner;

use crate::Error;
use crate::bindings::{self, BindingError, BindingState};
use crate::blocks;
use crate::desired::{BindingSpec, Desired, Prefix, Role};
use crate::mapped::wait_for_running_packets;
use crate::open::Dataplane;
use crate::tree::PlannedTree;

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
        let pool = self.assign_pool(desired);
        let plan = self.plan_bindings(desired, &slots)?;
        let tree = plan_tree(desired, &pool, &plan.by_private);
        self.nodes.check(&tree)?;
        self.write_interfaces(desired, &slots)?;
        for (index, record) in &plan.new {
            self.maps.bindings.set(*index as usize, record);
        }
        let by_private: BTreeMap<u32, u32> = plan.by_private;
        self.write_pool(desired, &pool);
        self.nodes.sync(self.maps.nodes.words(), &tree)?;
        self.sync_blocks(desired, &pool, &by_private);
        wait_for_running_packets();
        for index in &plan.gone {
            self.maps.bindings.set(*index as usize, &Binding::default());
        }
        let changes = Changes {
            added: plan.new.len(),
            removed: plan.gone.len(),
            kept: by_private.len() - plan.new.len(),
        };
        self.by_private = by_private;
        self.pool = pool;
        self.free_bindings = plan.free;
        self.free_bindings.extend(plan.gone);
        Ok(changes)
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

    /// Indices of public addresses: those that stay keep theirs.
    fn assign_pool(&self, desired: &Desired) -> BTreeMap<u32, u32> {
        let wanted: BTreeSet<u32> = desired
            .pool
            .iter()
            .map(|pool| pool.address.into())
            .collect();
        let mut assigned = BTreeMap::new();
        let mut free = Vec::new();
        for index in 0..self.maps.pool.len() {
            let entry = self.maps.pool.get(index);
            let in_use = entry.flags & pool_flags::IN_USE != 0;
            if in_use && wanted.contains(&entry.address) && !assigned.contains_key(&entry.address) {
                assigned.insert(entry.address, index as u32);
            } else {
                free.push(index as u32);
            }
        }
        // Ascending pops keep a fresh pool in the order of its addresses.
        free.reverse();
        for address in wanted {
            if let std::collections::btree_map::Entry::Vacant(place) = assigned.entry(address) {
                // As many entries as the limit allows, and that was checked.
                place.insert(free.pop().unwrap_or(0));
            }
        }
        assigned
    }

    fn write_pool(&self, desired: &Desired, pool: &BTreeMap<u32, u32>) {
        let mut entries = vec![PoolAddress::default(); self.maps.pool.len()];
        for spec in &desired.pool {
            let address = spec.address.into();
            entries[pool[&address] as usize] = PoolAddress {
                address,
                flags: pool_flags::IN_USE | if spec.shared { pool_flags::SHARED } else { 0 },
            };
        }
        for (index, entry) in entries.iter().enumerate() {
            if self.maps.pool.get(index) != *entry {
                self.maps.pool.set(index, entry);
            }
        }
    }

    /// Which records stay, which are new, which go.
    fn plan_bindings(&self, desired: &Desired, slots: &BTreeMap<u32, u16>) -> Result<Plan, Error> {
        let mut actual: BTreeMap<u32, (u32, Binding)> = BTreeMap::new();
        let mut plan = Plan::default();
        for index in 1..self.maps.bindings.len() {
            let record = self.maps.bindings.get(index);
            let index = index as u32;
            if record.in_use == 0 {
                plan.free.push(index);
            } else if let Some((other, _)) = actual.insert(record.private, (index, record)) {
                // Left by a daemon that was killed between two writes.
                plan.gone.push(other);
            }
        }
        plan.free.reverse();
        let mut wanted = Vec::with_capacity(desired.bindings.len());
        for spec in &desired.bindings {
            let inside = inside_slot(desired, slots, spec.private).ok_or(Error::Binding {
                private: spec.private,
                source: BindingError::NotInside,
            })?;
            let record = bindings::record(spec, inside);
            match actual.get(&record.private) {
                Some((index, old)) if bindings::same(old, &record) => {
                    plan.by_private.insert(record.private, *index);
                    actual.remove(&record.private);
                }
                _ => wanted.push(record),
            }
        }
        plan.gone.extend(actual.values().map(|(index, _)| *index));
        for record in wanted {
            let index = self.take_record(&mut plan)?;
            plan.by_private.insert(record.private, index);
            plan.new.push((index, record));
        }
        Ok(plan)
    }

    /// A free record; one that is about to go, if there is no other.
    fn take_record(&self, plan: &mut Plan) -> Result<u32, Error> {
        if let Some(index) = plan.free.pop() {
            return Ok(index);
        }
        // A full table being changed: the old record's phone loses its packets
        // between two writes, but the table never lies (records say whose they are).
        plan.gone.pop().ok_or(Error::Limit {
            what: "bindings",
            wanted: plan.by_private.len() + 1,
            limit: self.limits.bindings as usize,
            key: "bindings",
        })
    }

    fn sync_blocks(
        &self,
        desired: &Desired,
        pool: &BTreeMap<u32, u32>,
        by_private: &BTreeMap<u32, u32>,
    ) {
        let mut owners = vec![Vec::new(); self.maps.blocks.len()];
        for spec in &desired.bindings {
            let place = pool.get(&u32::from(spec.public));
            let index = by_private.get(&u32::from(spec.private));
            if let (Some(place), Some(index)) = (place, index) {
                owners[*place as usize].push((spec.ports, *index));
            }
        }
        for (index, owners) in owners.iter().enumerate() {
            blocks::sync(self.maps.blocks.value_words(index), owners);
        }
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
        let page = self.maps.blocks.value_words(pool as usize);
        if let Some(other) = blocks::taken(page, spec.ports) {
            return Err(refuse(BindingError::Overlap {
                public,
                ports: spec.ports,
                other: self.maps.bindings.get(other as usize).private.into(),
            }));
        }
        let index = self.free_bindings.pop().ok_or(Error::Limit {
            what: "bindings",
            wanted: self.by_private.len() + 1,
            limit: self.limits.bindings as usize,
            key: "bindings",
        })?;
        let record = bindings::record(&spec, inside);
        self.maps.bindings.set(index as usize, &record);
        blocks::set(page, spec.ports, index);
        let owner = Owner::Binding(index);
        if let Err(error) = self
            .nodes
            .set_address(self.maps.nodes.words(), private, owner)
        {
            blocks::set(page, spec.ports, 0);
            wait_for_running_packets();
            self.maps.bindings.set(index as usize, &Binding::default());
            self.free_bindings.push(index);
            return Err(error);
        }
        self.by_private.insert(private, index);
        Ok(())
    }

    /// Removes the binding of a private address; its last state, if there was one.
    pub fn remove(&mut self, private: Ipv4Addr) -> Option<BindingState> {
        let state = self.binding(private)?;
        let index = self.by_private.remove(&private.into())?;
        // The address is in an inside network; its node is there, so this cannot fail.
        let _ = self
            .nodes
            .set_address(self.maps.nodes.words(), private.into(), Owner::Inside);
        if let Some(pool) = self.pool.get(&state.spec.public.into()) {
            blocks::set(
                self.maps.blocks.value_words(*pool as usize),
                state.spec.ports,
                0,
            );
        }
        wait_for_running_packets();
        self.maps.bindings.set(index as usize, &Binding::default());
        self.free_bindings.push(index);
        Some(state)
    }

    /// All bindings, by private address.
    pub fn bindings(&self) -> impl Iterator<Item = BindingState> + '_ {
        self.by_private
            .values()
            .filter_map(|index| self.binding_at(*index))
    }

    /// All bindings with a private address above `after`, by private address.
    pub fn bindings_after(&self, after: Ipv4Addr) -> impl Iterator<Item = BindingState> + '_ {
        self.by_private
            .range((
                std::ops::Bound::Excluded(u32::from(after)),
                std::ops::Bound::Unbounded,
            ))
            .filter_map(|(_, index)| self.binding_at(*index))
    }

    /// The binding of a private address.
    #[must_use]
    pub fn binding(&self, private: Ipv4Addr) -> Option<BindingState> {
        self.binding_at(*self.by_private.get(&private.into())?)
    }

    /// The binding that owns a port of a public address.
    #[must_use]
    pub fn owner_of(&self, public: Ipv4Addr, port: u16) -> Option<BindingState> {
        let pool = *self.pool.get(&public.into())?;
        let block = port / gateway_common::port_range::BLOCK_PORTS;
        let index = self.maps.blocks.value_words(pool as usize)[usize::from(block)]
            .load(std::sync::atomic::Ordering::Acquire);
        if index == 0 {
            return None;
        }
        self.binding_at(index)
    }

    fn binding_at(&self, index: u32) -> Option<BindingState> {
        bindings::state(&self.maps.bindings, index, |slot| {
            self.slots
                .get(&slot)
                .map_or_else(|| "unknown".to_owned(), |interface| interface.name.clone())
        })
    }
}

/// What happens to the binding records.
#[derive(Debug, Default)]
struct Plan {
    by_private: BTreeMap<u32, u32>,
    new: Vec<(u32, Binding)>,
    gone: Vec<u32>,
    free: Vec<u32>,
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

/// Networks, public addresses and bindings as one tree.
fn plan_tree(
    desired: &Desired,
    pool: &BTreeMap<u32, u32>,
    by_private: &BTreeMap<u32, u32>,
) -> PlannedTree {
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
    let mut set = |address: u32, owner| {
        if let Some(prefix) = Prefix::new(Ipv4Addr::from(address), 32) {
            planned.set(prefix, owner);
        }
    };
    for (address, index) in pool {
        set(*address, Owner::Pool(*index));
    }
    for (address, index) in by_private {
        set(*address, Owner::Binding(*index));
    }
    planned
}
