//! Bindings that are no leases come and go, without a word about anything else.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ports::Grant;

use super::Server;
use crate::book::ranges::Owner;
use crate::output::Time;
use crate::settings::Settings;

type Binding = (Ipv4Addr, Option<Grant>);

impl Server {
    /// Takes these settings over, if nothing but bindings differs and nobody is in the way of
    /// those that are new. Otherwise the caller begins anew; ranges of bindings that are gone
    /// rest in either case.
    pub(super) fn exchange_bindings(&mut self, now: Time, settings: &Settings) -> bool {
        let set = |bindings: &[Binding]| bindings.iter().copied().collect::<BTreeSet<_>>();
        let before = set(&self.site.settings.occupied);
        let after = set(&settings.occupied);
        let gone: Vec<Binding> = before.difference(&after).copied().collect();
        let new: Vec<Binding> = after.difference(&before).copied().collect();
        for grant in gone.iter().filter_map(|(_, grant)| *grant) {
            // One of no pool of ours does not rest.
            let _ = self.book.ranges.release(now, &Owner::Foreign, grant);
        }
        let alone = self.differs_in_bindings_alone(settings)
            && self.reservations.are_met()
            && new.iter().all(|(address, _)| self.is_nobodys(*address));
        if !alone || !self.claim_all(now, &new) {
            return false;
        }
        self.site.set_occupied(&settings.occupied);
        for (address, _) in gone.iter().chain(&new) {
            self.book.refresh(&self.site, *address);
        }
        true
    }

    fn differs_in_bindings_alone(&mut self, settings: &Settings) -> bool {
        let occupied = settings.occupied.clone();
        let before = std::mem::replace(&mut self.site.settings.occupied, occupied);
        let same = *settings == self.site.settings;
        self.site.settings.occupied = before;
        same
    }

    fn is_nobodys(&self, address: Ipv4Addr) -> bool {
        let lease = self.book.lease(address);
        !lease.is_some_and(|lease| lease.is_active())
            && self.book.offers().at(address).is_none()
            && self.reservations.at(address).is_none()
    }

    fn claim_all(&mut self, now: Time, bindings: &[Binding]) -> bool {
        let mut grants = bindings.iter().filter_map(|(_, grant)| *grant);
        grants.all(|grant| {
            let claimed = self.book.ranges.claim(now, &Owner::Foreign, grant);
            claimed.is_none_or(|claimed| claimed.is_ok())
        })
    }
}
