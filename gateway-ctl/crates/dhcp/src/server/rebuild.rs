//! Start and reload: what still fits the settings goes on untouched, what does not is ended.
//!
//! Both go the same way. Settings come first: bindings that are no leases, then reservations of
//! the configuration, those of operators, active leases, and last the ranges that rest.

use super::Server;
use super::commit::Step;
use super::operator::is_of;
use crate::book::Book;
use crate::book::ranges::{Owner, seconds_begun};
use crate::error::{Error, Lost};
use crate::lease::{Lease, Rest, State};
use crate::output::{Change, Output, Time};
use crate::reservation::Reservation;
use crate::reservations::Reservations;
use crate::settings::Settings;
use crate::site::Site;

impl Server {
    /// Tells a new server what the store says. Leases that no longer fit are ended, which comes
    /// out as commits; all of them are returned.
    ///
    /// Nothing is bound: whoever starts reads [`Self::leases`] and makes the dataplane so.
    pub fn restore(
        &mut self,
        now: Time,
        leases: impl IntoIterator<Item = Lease>,
        reservations: impl IntoIterator<Item = Reservation>,
    ) -> Vec<Lost> {
        let leases = leases.into_iter().collect();
        self.rebuild(now, leases, reservations.into_iter().collect())
    }

    /// Changes the settings, if they are others. The ranges of bindings that are no more rest like
    /// a lease's.
    ///
    /// When nothing but bindings came and went that touch nobody else, all the rest stays as it is.
    /// Otherwise offers are forgotten (a client's request is answered without one), and it takes
    /// time in the number of leases.
    pub fn reconfigure(&mut self, now: Time, settings: Settings) -> Vec<Lost> {
        if settings == self.site.settings || self.exchange_bindings(now, &settings) {
            return Vec::new();
        }
        let resting = self.book.ranges.foreign_rests();
        self.site = Site::new(settings);
        let book = std::mem::replace(&mut self.book, Book::new(&self.site));
        let leases = book.into_leases().collect();
        let reservations = std::mem::take(&mut self.reservations);
        let lost = self.rebuild(now, leases, reservations.into_stored());
        for (grant, until) in resting {
            self.book
                .ranges
                .rest_again(now, &Owner::Foreign, grant, until);
        }
        lost
    }

    pub(super) fn rebuild(
        &mut self,
        now: Time,
        leases: Vec<Lease>,
        stored: Vec<Reservation>,
    ) -> Vec<Lost> {
        self.book = Book::new(&self.site);
        self.reservations = Reservations::default();
        self.full = vec![(0, None); self.site.settings.scopes.len()];
        let mut lost = Vec::new();
        for (_, grant) in self.site.settings.occupied.clone() {
            if let Some(grant) = grant {
                // Bindings of other addresses than the pools' are not ours to know.
                self.book.ranges.claim(now, &Owner::Foreign, grant);
            }
        }
        let configured = self.site.settings.reservations.clone();
        let configured = configured
            .into_iter()
            .map(|reservation| (reservation, true));
        let stored = stored.into_iter().map(|reservation| (reservation, false));
        for (reservation, configured) in configured.chain(stored) {
            let checked = self.check_reservation(&reservation, None);
            let made = checked.and_then(|()| self.make(now, reservation.clone(), configured));
            if let Err(why) = made {
                if !configured {
                    self.reservations.put_aside(reservation.clone());
                }
                lost.push(Lost::Reservation { reservation, why });
            }
        }
        let (active, others): (Vec<_>, Vec<_>) = leases.into_iter().partition(Lease::is_active);
        let mut steps = Vec::new();
        for lease in active {
            if let Some(why) = self.readmit(now, &lease) {
                steps.push(self.lose(now, &lease));
                lost.push(Lost::Lease { lease, why });
            }
        }
        others.into_iter().for_each(|lease| self.remember(lease));
        self.restore_rests(now);
        self.commit_all(steps);
        lost
    }

    /// Takes an active lease over, or says why not.
    fn readmit(&mut self, now: Time, lease: &Lease) -> Option<Error> {
        if let Err(why) = self.check_lease(lease) {
            return Some(why);
        }
        if let Some(grant) = lease.grant {
            if self.book.holder(grant).is_some() {
                let address = lease.address;
                return Some(Error::Twice { address });
            }
            let reserved = self.reservations.of_lease(lease);
            let reserved = reserved.map(Owner::Reserved);
            if reserved.is_none() || self.book.ranges.owner(grant) != reserved.as_ref() {
                let owner = Owner::Client(lease.client.clone());
                match self.book.ranges.claim(now, &owner, grant) {
                    Some(Ok(())) => {}
                    Some(Err(why)) => return Some(why.into()),
                    None => {
                        let (public, ports) = (grant.address, grant.ports);
                        return Some(Error::NoPool { public, ports });
                    }
                }
            }
        }
        let lease = self.with_shared_names(lease.clone());
        self.book.put(&self.site, lease);
        None
    }

    fn check_lease(&self, lease: &Lease) -> Result<(), Error> {
        let address = lease.address;
        if self.site.scope_of(address).is_none() {
            return Err(Error::NoScope { address });
        }
        if self.site.kept_out.contains(&address) {
            return Err(Error::KeptOut { address });
        }
        self.check_size(lease.grant)?;
        let reserved = self.reservations.at(address);
        match self.reservations.get(reserved) {
            Some(reservation) if !is_of(&reservation.client, lease) => {
                let client = reservation.client.clone();
                return Err(Error::Reserved { address, client });
            }
            None if !self.book.is_leasable(&self.site, address) => {
                return Err(Error::NotLeased { address });
            }
            _ => {}
        }
        match self.book.active_of(&lease.client) {
            Some(_) => Err(Error::Twice { address }),
            None => Ok(()),
        }
    }

    /// Ends a lease that does not fit.
    fn lose(&mut self, now: Time, lease: &Lease) -> Step {
        self.hold_back(lease.address);
        let at = seconds_begun(now);
        let mut step = Step::default();
        let end = Some(at.max(lease.granted_at));
        step.changes.extend(lease.history(end).map(Change::History));
        if lease.grant.is_some() {
            let unbind = Output::Unbind(lease.clone());
            step.after.push((lease.address, unbind));
        }
        let mut ended = self.with_shared_names(lease.clone());
        ended.state = State::Ended { at };
        // A range that is somebody else's now rests when that is over.
        if let Some(grant) = ended
            .grant
            .filter(|grant| self.book.ranges.owner(*grant).is_some())
        {
            let until = at.saturating_add(self.book.ranges.rest_of(grant));
            ended.rests.push(Rest { grant, until });
            ended.grant = None;
        }
        step.changes.push(Change::Put(ended.clone()));
        self.book.put(&self.site, ended);
        step
    }

    /// Takes over a lease that is not active, even one of no scope: its range may rest, and the
    /// scope may come back.
    fn remember(&mut self, lease: Lease) {
        if self.book.lease(lease.address).is_none() {
            let lease = self.with_shared_names(lease);
            self.book.put(&self.site, lease);
        }
    }

    /// Lets ranges rest that were given back lately.
    fn restore_rests(&mut self, now: Time) {
        let mut rests = Vec::new();
        for lease in self.book.leases(std::net::Ipv4Addr::UNSPECIFIED) {
            if let (State::Ended { at }, Some(grant)) = (lease.state, lease.grant) {
                let until = at.saturating_add(self.book.ranges.rest_of(grant));
                rests.push((lease.client.clone(), grant, until));
            }
            let others = lease
                .rests
                .iter()
                .map(|rest| (lease.client.clone(), rest.grant, rest.until));
            rests.extend(others);
        }
        for (client, grant, until) in rests {
            let former = Owner::Client(client);
            self.book.ranges.rest_again(now, &former, grant, until);
        }
    }

    /// Names that many leases share are kept once; a scope or pool that was renamed has its new
    /// name.
    fn with_shared_names(&self, mut lease: Lease) -> Lease {
        if let Some(scope) = self.site.scope_of(lease.address) {
            lease.scope = self.site.scope_names[scope].clone();
        }
        let class = lease.class.as_ref();
        if let Some(class) = class.and_then(|class| self.site.class_by_name(class.as_str())) {
            lease.class = Some(self.site.class_names[class].clone());
        }
        if let Some(pool) = lease
            .grant
            .and_then(|grant| self.book.ranges.pool_of(grant))
        {
            lease.pool = Some(self.site.pool_names[pool].clone());
        }
        lease
    }
}
