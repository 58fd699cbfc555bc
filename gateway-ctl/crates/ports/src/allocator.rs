//! Who has which range, and which ones rest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use gateway_common::PortRange;
use gateway_common::port_range::FIRST_PORT;

use crate::Error;
use crate::blocks::{FreeBlocks, LARGEST, SMALLEST, order};

/// A range of a public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// Public address.
    pub address: Ipv4Addr,
    /// Its ports.
    pub ports: PortRange,
}

/// What a pool gives out, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Its name, for errors.
    pub name: String,
    /// Public addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// Ports that no range may contain: services', and the router's own.
    pub kept_out: Vec<RangeInclusive<u16>>,
    /// Seconds that a range rests before another phone has it.
    pub rest: u64,
}

/// How many ports are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// To be had.
    pub free: u64,
    /// Somebody's.
    pub live: u64,
    /// Given back a moment ago.
    pub resting: u64,
}

/// Gives out the ranges of a pool. `Owner` is how the caller knows a phone.
///
/// Every call takes time in the logarithm of the number of ranges.
#[derive(Clone, Debug)]
pub struct Allocator<Owner> {
    rules: Rules,
    free: FreeBlocks,
    live: BTreeMap<Grant, Owner>,
    resting: BTreeMap<Grant, Resting<Owner>>,
    /// The same, by when they wake.
    waking: BTreeSet<(u64, Grant)>,
    ports: Ports,
}

#[derive(Clone, Debug)]
struct Resting<Owner> {
    former: Owner,
    until: u64,
}

impl<Owner: Clone + Eq + Display> Allocator<Owner> {
    /// A pool of which nothing is given out yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let mut free = FreeBlocks::default();
        let addresses: BTreeSet<Ipv4Addr> = rules.addresses.iter().copied().collect();
        let largest = usize::from(LARGEST);
        for address in addresses {
            for first in (0..=u16::MAX).step_by(largest) {
                free.insert(address, first, order(LARGEST).unwrap_or(0));
            }
            let system = 0..=FIRST_PORT - 1;
            for kept in rules.kept_out.iter().chain([&system]) {
                if kept.is_empty() {
                    continue;
                }
                let block = |port: &u16| port / SMALLEST;
                for block in block(kept.start())..=block(kept.end()) {
                    // What is kept out twice is out already.
                    let _ = free.take(address, block * SMALLEST, 0);
                }
            }
        }
        let ports = Ports {
            free: free.ports(),
            ..Ports::default()
        };
        Self {
            rules,
            free,
            live: BTreeMap::new(),
            resting: BTreeMap::new(),
            waking: BTreeSet::new(),
            ports,
        }
    }

    /// How many ports are in which state at `now`.
    pub fn ports(&mut self, now: u64) -> Ports {
        self.wake(now);
        self.ports
    }

    /// How many ranges are somebody's.
    #[must_use]
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// Who has this range.
    #[must_use]
    pub fn owner(&self, grant: Grant) -> Option<&Owner> {
        self.live.get(&grant)
    }

    /// Gives `owner` a range of so many ports: the one it had before, where that can be,
    /// else any.
    ///
    /// # Errors
    /// [`Error::Size`]; [`Error::Exhausted`] when nothing of that size is free.
    pub fn allocate(
        &mut self,
        now: u64,
        owner: &Owner,
        ports: u16,
        before: Option<Grant>,
    ) -> Result<Grant, Error> {
        let order = order(ports).ok_or(Error::Size { ports })?;
        let before = before.filter(|grant| grant.ports.ports() == ports);
        if let Some(grant) = before
            && self.claim(now, owner, grant).is_ok()
        {
            return Ok(grant);
        }
        self.wake(now);
        let exhausted = || Error::Exhausted {
            pool: self.rules.name.clone(),
            ports,
            free: self.ports.free,
            resting: self.ports.resting,
        };
        let (address, first) = self.free.take_any(order).ok_or_else(exhausted)?;
        let last = first + (ports - 1);
        // An aligned block above the system ports is a range.
        let ports = PortRange::new(first, last).map_err(|_| Error::Size { ports })?;
        let grant = Grant { address, ports };
        self.begin(owner, grant);
        Ok(grant)
    }

    /// Gives `owner` this very range: a reservation, or what the store says after a start.
    /// It may rest, if it was the owner's.
    ///
    /// # Errors
    /// [`Error::Size`]; [`Error::NotFree`] when any of it is not to be had.
    pub fn claim(&mut self, now: u64, owner: &Owner, grant: Grant) -> Result<(), Error> {
        let ports = grant.ports.ports();
        let order = order(ports).ok_or(Error::Size { ports })?;
        if self.live.get(&grant) == Some(owner) {
            return Ok(());
        }
        self.wake(now);
        let own = |resting: &Resting<Owner>| resting.former == *owner;
        if self.resting.get(&grant).is_some_and(own) {
            self.end_rest(grant);
            self.ports.free += u64::from(ports);
        } else if !self.free.take(grant.address, grant.ports.first(), order) {
            return Err(Error::NotFree {
                pool: self.rules.name.clone(),
                address: grant.address,
                ports: grant.ports,
            });
        }
        self.begin(owner, grant);
        Ok(())
    }

    /// Takes a range back; it rests. When it wakes, in seconds of the same clock.
    ///
    /// # Errors
    /// [`Error::NotYours`] when it is not the owner's.
    pub fn release(&mut self, now: u64, owner: &Owner, grant: Grant) -> Result<u64, Error> {
        if self.live.get(&grant) != Some(owner) {
            return Err(self.not_yours(owner, grant));
        }
        self.live.remove(&grant);
        self.ports.live -= u64::from(grant.ports.ports());
        let until = now.saturating_add(self.rules.rest);
        self.rest(owner, grant, until);
        Ok(until)
    }

    /// Takes back a range that was promised and never used. It rests no longer than it would
    /// have without the promise: until `until`, seconds of the same clock.
    ///
    /// # Errors
    /// [`Error::NotYours`] when it is not the owner's.
    pub fn withdraw(
        &mut self,
        now: u64,
        owner: &Owner,
        grant: Grant,
        until: u64,
    ) -> Result<(), Error> {
        self.release(now, owner, grant)?;
        self.end_rest(grant);
        self.rest(owner, grant, until);
        self.wake(now);
        Ok(())
    }

    /// Until when a range rests, in seconds; `None` when it does not.
    #[must_use]
    pub fn rests_until(&self, grant: Grant) -> Option<u64> {
        self.resting.get(&grant).map(|resting| resting.until)
    }

    /// Ranges that rest, whose they were, and until when, in seconds.
    pub fn resting(&self) -> impl Iterator<Item = (Grant, &Owner, u64)> {
        let all = self.resting.iter();
        all.map(|(grant, resting)| (*grant, &resting.former, resting.until))
    }

    /// Makes a live range another owner's, who stands for the same phone.
    ///
    /// # Errors
    /// [`Error::NotYours`] when it is not `from`'s.
    pub fn hand_over(&mut self, from: &Owner, to: &Owner, grant: Grant) -> Result<(), Error> {
        match self.live.get_mut(&grant) {
            Some(owner) if owner == from => {
                *owner = to.clone();
                Ok(())
            }
            _ => Err(self.not_yours(from, grant)),
        }
    }

    /// Lets a free range rest: what the store says after a start.
    ///
    /// # Errors
    /// As [`Self::claim`].
    pub fn restore_rest(
        &mut self,
        now: u64,
        former: &Owner,
        grant: Grant,
        until: u64,
    ) -> Result<(), Error> {
        self.claim(now, former, grant)?;
        self.live.remove(&grant);
        self.ports.live -= u64::from(grant.ports.ports());
        self.rest(former, grant, until);
        Ok(())
    }

    fn not_yours(&self, owner: &Owner, grant: Grant) -> Error {
        Error::NotYours {
            pool: self.rules.name.clone(),
            address: grant.address,
            ports: grant.ports,
            owner: owner.to_string(),
        }
    }

    fn begin(&mut self, owner: &Owner, grant: Grant) {
        let ports = u64::from(grant.ports.ports());
        self.live.insert(grant, owner.clone());
        self.ports.free -= ports;
        self.ports.live += ports;
    }

    fn rest(&mut self, former: &Owner, grant: Grant, until: u64) {
        let former = former.clone();
        self.resting.insert(grant, Resting { former, until });
        self.waking.insert((until, grant));
        self.ports.resting += u64::from(grant.ports.ports());
    }

    fn end_rest(&mut self, grant: Grant) {
        if let Some(resting) = self.resting.remove(&grant) {
            self.waking.remove(&(resting.until, grant));
            self.ports.resting -= u64::from(grant.ports.ports());
        }
    }

    /// Frees what has rested long enough.
    fn wake(&mut self, now: u64) {
        while let Some((until, grant)) = self.waking.first().copied()
            && until <= now
        {
            self.end_rest(grant);
            let ports = grant.ports.ports();
            if let Some(order) = order(ports) {
                self.free.insert(grant.address, grant.ports.first(), order);
                self.ports.free += u64::from(ports);
            }
        }
    }
}

#[cfg(test)]
mod tests;
