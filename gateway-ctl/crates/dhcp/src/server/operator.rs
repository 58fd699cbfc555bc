//! What operators do: release, reserve, unreserve.

use std::net::Ipv4Addr;

use ports::Grant;

use super::Server;
use super::commit::Step;
use crate::book::ranges::Owner;
use crate::counters::Event;
use crate::error::Error;
use crate::lease::Lease;
use crate::output::{Change, CommitId, Time};
use crate::reservation::{Reservation, ReservedClient};
use crate::reservations::{Entry, Id};

impl Server {
    /// Ends the lease of an address. Its client hears of it when it renews.
    ///
    /// # Errors
    /// [`Error::NoLease`].
    pub fn release(&mut self, now: Time, address: Ipv4Addr) -> Result<CommitId, Error> {
        let lease = self.book.lease(address).filter(|lease| lease.is_active());
        let lease = lease.ok_or(Error::NoLease { address })?.clone();
        self.counters.count(Event::Revoked);
        let mut step = Step::default();
        self.end(now, &lease, None, &mut step);
        Ok(self.commit(step))
    }

    /// Reserves for a client from now on. A reservation of the same client is replaced.
    ///
    /// # Errors
    /// When it is in the configuration, when the address or the range is not to be had, or when
    /// another reservation has them.
    pub fn reserve(&mut self, now: Time, wanted: Reservation) -> Result<CommitId, Error> {
        let replaced = match self.reservations.entry(&wanted.client) {
            Some((_, entry)) if entry.configured => {
                let client = wanted.client;
                return Err(Error::Configured { client });
            }
            found => found.map(|(id, _)| id),
        };
        self.check_reservation(&wanted, replaced)?;
        self.check_alone(&wanted.client, replaced)?;
        let former = replaced.and_then(|id| self.unmake(now, id));
        if let Err(why) = self.make(now, wanted.clone(), false) {
            // Only the range can be refused now; then all stays as it was.
            if let Some(former) = former {
                let _ = self.make(now, former, false);
            }
            return Err(why);
        }
        let mut step = Step {
            changes: vec![Change::Reserve(wanted)],
            ..Step::default()
        };
        let left = former.and_then(|former| former.address);
        self.end_stranded(now, left, &mut step);
        Ok(self.commit(step))
    }

    /// Whether no phone of this reservation has another one under another name: a phone is known
    /// by its hardware address and by its identifier, and its leases have both.
    fn check_alone(&self, client: &ReservedClient, replaced: Option<Id>) -> Result<(), Error> {
        let leases = self.book.leases(Ipv4Addr::UNSPECIFIED);
        let theirs = leases.filter(|lease| is_of(client, lease));
        let others = theirs.filter_map(|lease| self.reservations.of_lease(lease));
        let mut others = others.filter(|id| Some(*id) != replaced);
        match self.reservations.get(others.next()) {
            Some(other) => Err(Error::ReservedTwice {
                client: other.client.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Ends a reservation. Its client keeps what it has, unless its address is not for others.
    ///
    /// # Errors
    /// [`Error::NotReserved`]; [`Error::Configured`].
    pub fn unreserve(&mut self, now: Time, client: &ReservedClient) -> Result<CommitId, Error> {
        let client = client.clone();
        let found = self.reservations.entry(&client);
        let former = match found.map(|(id, entry)| (id, entry.configured)) {
            Some((_, true)) => return Err(Error::Configured { client }),
            Some((id, false)) => self.unmake(now, id),
            None if self.reservations.forget(&client) => None,
            None => return Err(Error::NotReserved { client }),
        };
        let mut step = Step {
            changes: vec![Change::Unreserve(client)],
            ..Step::default()
        };
        let left = former.and_then(|former| former.address);
        self.end_stranded(now, left, &mut step);
        Ok(self.commit(step))
    }

    /// Ends the lease of an address that was reserved and is not leased to anybody.
    fn end_stranded(&mut self, now: Time, address: Option<Ipv4Addr>, step: &mut Step) {
        let lease = address.and_then(|address| self.book.lease(address));
        let Some(lease) = lease.filter(|lease| lease.is_active()).cloned() else {
            return;
        };
        let reserved = self.reservations.at(lease.address).is_some();
        if !reserved && !self.book.is_leasable(&self.site, lease.address) {
            self.counters.count(Event::Revoked);
            self.end(now, &lease, None, step);
        }
    }

    /// Whether a reservation's client and address are to be had.
    pub(super) fn check_reservation(
        &self,
        wanted: &Reservation,
        replaced: Option<Id>,
    ) -> Result<(), Error> {
        self.reservations.check(wanted, replaced)?;
        self.check_size(wanted.grant)?;
        let classes = &self.site.settings.classes;
        if let Some(class) = &wanted.class
            && !classes.iter().any(|known| known.name == *class)
        {
            let class = class.clone();
            return Err(Error::NoClass { class });
        }
        let Some(address) = wanted.address else {
            return Ok(());
        };
        if self.site.scope_of(address).is_none() {
            return Err(Error::NoScope { address });
        }
        if self.site.kept_out.contains(&address) {
            return Err(Error::KeptOut { address });
        }
        let lease = self.book.lease(address).filter(|lease| lease.is_active());
        match lease {
            Some(lease) if !is_of(&wanted.client, lease) => Err(Error::Leased { address }),
            _ => Ok(()),
        }
    }

    /// Whether the dataplane can bind a range.
    pub(super) fn check_size(&self, grant: Option<Grant>) -> Result<(), Error> {
        let smallest = self.site.settings.smallest_range;
        match grant {
            Some(Grant { address, ports }) if ports.ports() < smallest => Err(Error::TooSmall {
                public: address,
                ports,
                smallest,
            }),
            _ => Ok(()),
        }
    }

    /// Puts a reservation into force, when it has been checked.
    pub(super) fn make(
        &mut self,
        now: Time,
        wanted: Reservation,
        configured: bool,
    ) -> Result<(), Error> {
        if let Some(grant) = wanted.grant {
            let owner = Owner::Reserved(self.reservations.next_id());
            self.claim_for(now, &owner, &wanted.client, grant)?;
        }
        let address = wanted.address;
        self.reservations.insert(Entry {
            reservation: wanted,
            configured,
        });
        if let Some(address) = address {
            self.book.withdraw(&self.site, address, now);
            self.book.set_reserved(&self.site, address, true);
        }
        Ok(())
    }

    /// Takes a range for a reservation; its client may have it already.
    fn claim_for(
        &mut self,
        now: Time,
        owner: &Owner,
        client: &ReservedClient,
        grant: Grant,
    ) -> Result<(), Error> {
        let ranges = &mut self.book.ranges;
        let claimed = ranges.claim(now, owner, grant).ok_or(Error::NoPool {
            public: grant.address,
            ports: grant.ports,
        })?;
        let Err(error) = claimed else {
            return Ok(());
        };
        let Some(Owner::Client(key)) = ranges.owner(grant).cloned() else {
            return Err(error.into());
        };
        let lease = self.book.active_of(&key);
        let its_own = lease.is_some_and(|lease| is_of(client, lease));
        if its_own {
            self.drop_offer_of(&key, now);
        }
        let from = Owner::Client(key);
        match its_own && self.book.ranges.hand_over(&from, owner, grant) {
            true => Ok(()),
            false => Err(error.into()),
        }
    }

    /// Ends a reservation; what its client has by it stays the client's.
    fn unmake(&mut self, now: Time, id: Id) -> Option<Reservation> {
        let reservation = self.reservations.remove(id)?;
        for address in self.book.offers().by_reservation(id) {
            self.book.withdraw(&self.site, address, now);
        }
        if let Some(address) = reservation.address {
            self.book.set_reserved(&self.site, address, false);
        }
        if let Some(grant) = reservation.grant {
            let owner = Owner::Reserved(id);
            match self.book.holder(grant) {
                Some(lease) => {
                    let to = Owner::Client(lease.client.clone());
                    self.book.ranges.hand_over(&owner, &to, grant);
                }
                None => drop(self.book.ranges.release(now, &owner, grant)),
            }
        }
        Some(reservation)
    }
}

/// Whether a lease is a reserved client's.
pub(super) fn is_of(client: &ReservedClient, lease: &Lease) -> bool {
    match client {
        ReservedClient::Macs(macs) => lease.hardware.mac().is_some_and(|mac| macs.contains(&mac)),
        ReservedClient::Id(identifier) => lease.client.as_bytes() == identifier,
    }
}
