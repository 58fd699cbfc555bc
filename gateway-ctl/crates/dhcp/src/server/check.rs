//! What must hold between any two calls. A violation panics.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ports::Grant;

use super::Server;
use crate::book::Tally;
use crate::book::ranges::Owner;
use crate::lease::{Lease, State};
use crate::output::Time;

impl Server {
    /// Checks everything; takes time in the number of leases and addresses.
    ///
    /// # Panics
    /// When leases, offers, free addresses and ranges contradict each other.
    pub fn check(&mut self, now: Time) {
        self.check_leases();
        self.check_offers();
        self.check_addresses();
        self.check_ranges(now);
    }

    fn check_leases(&self) {
        let mut clients = BTreeMap::new();
        let mut grants: Vec<(Grant, Ipv4Addr)> = Vec::new();
        for lease in self.book.leases(Ipv4Addr::UNSPECIFIED) {
            assert!(
                self.book
                    .leases_of(&lease.client)
                    .any(|found| found == lease)
            );
            if !lease.is_active() {
                continue;
            }
            let twice = clients.insert(lease.client.clone(), lease.address);
            assert_eq!(twice, None, "a second lease of {}", lease.client);
            let reserved = self.reservations.at(lease.address);
            let its_own = reserved.is_some() && reserved == self.reservations.of_lease(lease);
            assert!(
                its_own || self.book.is_leasable(&self.site, lease.address),
                "{lease:?}"
            );
            grants.extend(lease.grant.map(|grant| (grant, lease.address)));
        }
        grants.sort_unstable();
        for ((one, a), (two, b)) in grants.iter().zip(grants.iter().skip(1)) {
            let apart = one.address != two.address || !one.ports.overlaps(two.ports);
            assert!(apart, "{one:?} of {a} and {two:?} of {b}");
        }
    }

    fn check_offers(&self) {
        for (address, offer) in self.book.offers().iter() {
            let lease = self.book.lease(address);
            let free = lease.is_none_or(|lease| match lease.state {
                State::Active => {
                    let same = self.reservations.of_lease(lease);
                    lease.client == offer.client || (same.is_some() && same == offer.reservation)
                }
                State::Ended { .. } => true,
                State::Declined { .. } => false,
            });
            assert!(
                free,
                "{address} is offered to {} and has {lease:?}",
                offer.client
            );
            let Some(held) = offer.held else { continue };
            let owner = self.book.ranges.owner(held.grant);
            match owner {
                Some(Owner::Client(client)) => assert_eq!(*client, offer.client),
                Some(Owner::Reserved(id)) => assert_eq!(Some(*id), offer.reservation),
                Some(Owner::Foreign) | None => panic!("{held:?} is offered and {owner:?}'s"),
            }
        }
    }

    fn check_addresses(&self) {
        for (at, scope) in self.site.settings.scopes.iter().enumerate() {
            let mut tally = Tally::default();
            let mut free = 0;
            let first = scope.network.address();
            let last = crate::site::last(scope.network);
            for address in u32::from(first)..=u32::from(last) {
                let address = Ipv4Addr::from(address);
                let offered = self.book.offers().at(address).is_some();
                tally.offered += usize::from(offered);
                let Some(lease) = self.book.lease(address) else {
                    let leasable = self.book.is_leasable(&self.site, address);
                    free += u64::from(leasable && !offered);
                    continue;
                };
                match lease.state {
                    State::Active => tally.active += 1,
                    State::Ended { .. } => tally.ended += 1,
                    State::Declined { .. } => tally.declined += 1,
                }
            }
            assert_eq!(self.book.tally(at), tally, "{}", scope.name);
            assert_eq!(self.book.free(at), free, "free addresses of {}", scope.name);
        }
    }

    /// Every live range is an active lease's, an offer's, a reservation's or a binding's, and the
    /// other way round.
    fn check_ranges(&mut self, now: Time) {
        let mut live: BTreeMap<Grant, String> = BTreeMap::new();
        for lease in self.book.leases(Ipv4Addr::UNSPECIFIED) {
            if let (true, Some(grant)) = (lease.is_active(), lease.grant) {
                let owner = self.book.ranges.owner(grant);
                assert!(
                    self.is_owner(owner, lease),
                    "{lease:?} has {owner:?}'s range"
                );
                live.insert(grant, lease.address.to_string());
            }
        }
        for (address, offer) in self.book.offers().iter() {
            if let Some(held) = offer.held {
                live.insert(held.grant, format!("offer of {address}"));
            }
        }
        for (_, entry) in self.reservations.iter() {
            if let Some(grant) = entry.reservation.grant {
                live.insert(grant, entry.reservation.client.to_string());
            }
        }
        for (address, grant) in &self.site.settings.occupied {
            let pool = grant.and_then(|grant| Some((grant, self.book.ranges.pool_of(grant)?)));
            if let Some((grant, _)) = pool {
                live.insert(grant, format!("binding of {address}"));
            }
        }
        let pools = 0..self.site.settings.pools.len();
        let ranges: usize = pools.map(|pool| self.book.ranges.usage(pool, now).1).sum();
        assert_eq!(ranges, live.len(), "live ranges: {live:?}");
    }

    fn is_owner(&self, owner: Option<&Owner>, lease: &Lease) -> bool {
        match owner {
            Some(Owner::Client(client)) => *client == lease.client,
            Some(Owner::Reserved(id)) => self.reservations.of_lease(lease) == Some(*id),
            Some(Owner::Foreign) | None => false,
        }
    }
}
