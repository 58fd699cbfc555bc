//! Whose ranges are, pool by pool.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use gateway_common::PortRange;
use ports::{Allocator, Error, Grant, Ports};

use crate::client::ClientKey;
use crate::output::Time;
use crate::settings::{Class, Settings};

/// Who has a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Client(ClientKey),
    /// Whoever has this reservation.
    Reserved(u32),
    /// A binding that is no lease.
    Foreign,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(client) => write!(f, "client {client}"),
            Self::Reserved(_) => f.write_str("a reserved client"),
            Self::Foreign => f.write_str("a binding"),
        }
    }
}

/// A range held for a client, and what becomes of it when it is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) grant: Grant,
    /// It was taken for this client just now, and rests until then (seconds) when it is given
    /// back; `None`: it is reserved, or the client's by its lease.
    pub(crate) taken: Option<u64>,
}

#[derive(Clone, Debug)]
struct Pool {
    allocator: Allocator<Owner>,
    rest: u64,
    refused: u64,
    error: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Ranges {
    pools: Vec<Pool>,
    by_address: BTreeMap<Ipv4Addr, usize>,
}

/// Seconds that are over.
fn seconds(now: Time) -> u64 {
    now / 1000
}

/// Seconds that have begun: a rest that begins now is not a moment too short, and what ends now is
/// over before what begins later.
pub(crate) fn seconds_begun(now: Time) -> u64 {
    now.div_ceil(1000)
}

impl Ranges {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut by_address = BTreeMap::new();
        let mut pools = Vec::with_capacity(settings.pools.len());
        for (at, rules) in settings.pools.iter().enumerate() {
            let mut rules = rules.clone();
            // An address belongs to one pool: nothing could be given twice.
            rules
                .addresses
                .retain(|address| *by_address.entry(*address).or_insert(at) == at);
            pools.push(Pool {
                rest: rules.rest,
                allocator: Allocator::new(rules),
                refused: 0,
                error: None,
            });
        }
        Self { pools, by_address }
    }

    pub(crate) fn pool_of(&self, grant: Grant) -> Option<usize> {
        self.by_address.get(&grant.address).copied()
    }

    fn pool(&mut self, grant: Grant) -> Option<&mut Pool> {
        let pool = self.pool_of(grant)?;
        self.pools.get_mut(pool)
    }

    pub(crate) fn owner(&self, grant: Grant) -> Option<&Owner> {
        self.pools[self.pool_of(grant)?].allocator.owner(grant)
    }

    pub(crate) fn is_client(&self, grant: Grant, client: &ClientKey) -> bool {
        matches!(self.owner(grant), Some(Owner::Client(owner)) if owner == client)
    }

    /// Seconds that a range rests.
    pub(crate) fn rest_of(&self, grant: Grant) -> u64 {
        self.pool_of(grant).map_or(0, |pool| self.pools[pool].rest)
    }

    /// Takes this very range. `None`: it is of no pool.
    pub(crate) fn claim(
        &mut self,
        now: Time,
        owner: &Owner,
        grant: Grant,
    ) -> Option<Result<(), Error>> {
        let pool = self.pool(grant)?;
        Some(pool.allocator.claim(seconds(now), owner, grant))
    }

    pub(crate) fn hand_over(&mut self, from: &Owner, to: &Owner, grant: Grant) -> bool {
        let pool = self.pool(grant);
        pool.is_some_and(|pool| pool.allocator.hand_over(from, to, grant).is_ok())
    }

    /// Takes a range back, if it is the owner's, and says until when it rests, seconds.
    pub(crate) fn release(&mut self, now: Time, owner: &Owner, grant: Grant) -> Option<u64> {
        let pool = self.pool(grant)?;
        pool.allocator
            .release(seconds_begun(now), owner, grant)
            .ok()
    }

    /// Takes back a range that was promised.
    pub(crate) fn withdraw(&mut self, now: Time, client: &ClientKey, held: Held) {
        let owner = Owner::Client(client.clone());
        if let (Some(until), Some(pool)) = (held.taken, self.pool(held.grant)) {
            // Should it be a reserved client's by now, it stays so.
            let _ = pool
                .allocator
                .withdraw(seconds(now), &owner, held.grant, until);
        }
    }

    /// Lets a range rest until then (seconds), or what is free of it: it did before.
    pub(crate) fn rest_again(&mut self, now: Time, former: &Owner, grant: Grant, until: u64) {
        if until <= seconds(now) || self.owner(grant).is_some() {
            return;
        }
        let Some(pool) = self.pool(grant) else {
            return;
        };
        let restored = pool
            .allocator
            .restore_rest(seconds(now), former, grant, until);
        if restored.is_err() {
            // A part of it is somebody else's, or is kept out.
            for half in halves(grant).into_iter().flatten() {
                self.rest_again(now, former, half, until);
            }
        }
    }

    /// Ranges that rest after a binding that was no lease, and until when (seconds).
    pub(crate) fn foreign_rests(&self) -> Vec<(Grant, u64)> {
        let resting = self.pools.iter().flat_map(|pool| pool.allocator.resting());
        let foreign = resting.filter(|(_, former, _)| **former == Owner::Foreign);
        foreign.map(|(grant, _, until)| (grant, until)).collect()
    }

    /// A range for a client of this class: one of those it had, if it can be, else any. `None`
    /// when the pools have none; they have counted it.
    pub(crate) fn choose(
        &mut self,
        now: Time,
        client: &ClientKey,
        class: &Class,
        ports: u16,
        before: &[Grant],
    ) -> Option<Held> {
        let owner = Owner::Client(client.clone());
        for grant in before {
            let pool = self
                .pool_of(*grant)
                .filter(|pool| class.pools.contains(pool));
            let Some(pool) = pool.filter(|_| grant.ports.ports() == ports) else {
                continue;
            };
            let allocator = &mut self.pools[pool].allocator;
            if allocator.owner(*grant) == Some(&owner) {
                let (grant, taken) = (*grant, None);
                return Some(Held { grant, taken });
            }
            let rests = allocator.rests_until(*grant).unwrap_or(0);
            if allocator.claim(seconds(now), &owner, *grant).is_ok() {
                let (grant, taken) = (*grant, Some(rests));
                return Some(Held { grant, taken });
            }
        }
        for pool in &class.pools {
            let pool = self.pools.get_mut(*pool)?;
            match pool.allocator.allocate(seconds(now), &owner, ports, None) {
                Ok(grant) => {
                    pool.error = None;
                    let taken = Some(0);
                    return Some(Held { grant, taken });
                }
                Err(error) => {
                    pool.refused += 1;
                    pool.error = Some(error.to_string());
                }
            }
        }
        None
    }

    /// Ports by state, ranges, refusals and the last error of a pool.
    pub(crate) fn usage(&mut self, pool: usize, now: Time) -> (Ports, usize, u64, Option<String>) {
        let pool = &mut self.pools[pool];
        let ports = pool.allocator.ports(seconds(now));
        (
            ports,
            pool.allocator.live(),
            pool.refused,
            pool.error.clone(),
        )
    }
}

/// The halves of a range; none of one that is too small to be halved.
fn halves(grant: Grant) -> [Option<Grant>; 2] {
    let Grant { address, ports } = grant;
    let size = ports.ports() / 2;
    let half = |first: u16| {
        let ports = PortRange::new(first, first + (size - 1)).ok()?;
        Some(Grant { address, ports })
    };
    [half(ports.first()), half(ports.first() + size)]
}
