//! Which address and which range a client gets (RFC 2131 section 4.3.1).

use std::net::Ipv4Addr;

use ports::Grant;

use super::Server;
use super::hear::{Heard, Subject};
use crate::book::ranges::{Held, Owner};
use crate::ignored::Ignored;
use crate::lease::{Lease, State};
use crate::site::Link;

impl Server {
    /// An address for a client: the one reserved for it, the one it has, the one it had, the one it
    /// asks for, any.
    pub(super) fn choose_address(
        &mut self,
        heard: &Heard<'_>,
        subject: &Subject,
        may_use: impl Fn(&Self, usize) -> bool,
    ) -> Result<Ipv4Addr, Ignored> {
        let reserved = self.reserved_address(subject);
        let had = self
            .last_lease(heard, subject.link)
            .map(|lease| lease.address);
        let wishes = [reserved, had, heard.request.requested];
        for address in wishes.into_iter().flatten() {
            let scope = self.site.scope_of(address);
            if scope.is_some_and(|scope| may_use(self, scope))
                && self.may_have(heard, subject, address)
            {
                return Ok(address);
            }
        }
        let scopes = self.site.scopes(subject.link, subject.first);
        let scopes: Vec<usize> = scopes.filter(|scope| may_use(self, *scope)).collect();
        let any = |scope: &usize| self.book.any_address(*scope, heard.now);
        if let Some(address) = scopes.iter().find_map(any) {
            return Ok(address);
        }
        for scope in scopes {
            let text = self.full_text(scope);
            let (refused, error) = &mut self.full[scope];
            *refused += 1;
            *error = Some(text);
        }
        Err(Ignored::AddressesExhausted)
    }

    fn full_text(&self, scope: usize) -> String {
        let tally = self.book.tally(scope);
        format!(
            "scope {} has no free address: {} are leased, {} offered, {} rest: widen `addresses`, \
             or add a scope to its wire",
            self.site.scope_names[scope],
            tally.active,
            tally.offered,
            tally.ended + tally.declined,
        )
    }

    /// The address reserved for a client, if it is of use where the client is.
    pub(super) fn reserved_address(&self, subject: &Subject) -> Option<Ipv4Addr> {
        let reservation = self.reservations.get(subject.reservation)?;
        let on_link = |address: &Ipv4Addr| self.site.on_link(subject.link, *address);
        reservation.address.filter(on_link)
    }

    /// What a client has on a link, or else had last.
    pub(super) fn last_lease(&self, heard: &Heard<'_>, link: Link) -> Option<&Lease> {
        let leases = self.book.leases_of(&heard.request.key);
        let here = leases.filter(|lease| self.site.on_link(link, lease.address));
        here.max_by_key(|lease| match lease.state {
            State::Active => Some(u64::MAX),
            State::Ended { at } => Some(at),
            State::Declined { .. } => None,
        })
    }

    /// Whether a client may have an address where it is.
    pub(super) fn may_have(&self, heard: &Heard<'_>, subject: &Subject, address: Ipv4Addr) -> bool {
        let key = &heard.request.key;
        let offered = self.book.offers().at(address);
        if !self.site.on_link(subject.link, address)
            || offered.is_some_and(|offer| offer.client != *key)
        {
            return false;
        }
        let its_own = self.reservations.at(address).is_some()
            && self.reservations.at(address) == subject.reservation;
        // Who has an address reserved gets that one, while it can be had.
        let elsewhere = self
            .reserved_address(subject)
            .is_some_and(|reserved| reserved != address && !self.is_declined(reserved));
        if elsewhere || !(its_own || self.book.is_leasable(&self.site, address)) {
            return false;
        }
        let Some(lease) = self.book.lease(address) else {
            return true;
        };
        match lease.state {
            State::Declined { .. } => false,
            State::Active | State::Ended { .. } if lease.client == *key => true,
            // Another hardware address of the same phone.
            State::Active => its_own,
            State::Ended { .. } => its_own || self.book.rested_at(lease) <= heard.seconds(),
        }
    }

    fn is_declined(&self, address: Ipv4Addr) -> bool {
        let lease = self.book.lease(address);
        lease.is_some_and(|lease| matches!(lease.state, State::Declined { .. }))
    }

    /// A range for a client; `Ok(None)`: it needs none.
    pub(super) fn choose_range(
        &mut self,
        heard: &Heard<'_>,
        subject: &Subject,
    ) -> Result<Option<Held>, Ignored> {
        let reservation = self.reservations.get(subject.reservation);
        if let Some(grant) = reservation.and_then(|reservation| reservation.grant) {
            return match self.book.ranges.owner(grant) {
                Some(Owner::Reserved(id)) if Some(*id) == subject.reservation => {
                    let taken = None;
                    Ok(Some(Held { grant, taken }))
                }
                _ => Err(Ignored::PortsExhausted),
            };
        }
        let Some(class) = self.site.class(subject.class) else {
            return Ok(None);
        };
        let Some(ports) = class.ports else {
            return Ok(None);
        };
        let before = self.grants_of(heard);
        let key = &heard.request.key;
        let held = self
            .book
            .ranges
            .choose(heard.now, key, class, ports, &before);
        held.map(Some).ok_or(Ignored::PortsExhausted)
    }

    /// Ranges that a client has and had, the latest first.
    fn grants_of(&self, heard: &Heard<'_>) -> Vec<Grant> {
        let mut leases: Vec<&Lease> = self.book.leases_of(&heard.request.key).collect();
        leases.sort_by_key(|lease| match lease.state {
            State::Active => 0,
            State::Ended { at } => u64::MAX - at,
            State::Declined { .. } => u64::MAX,
        });
        let now = heard.seconds();
        let rests = |lease: &&Lease| {
            let rests = lease.rests.iter().filter(move |rest| rest.until > now);
            rests.map(|rest| rest.grant).collect::<Vec<_>>()
        };
        let grants = leases.iter().filter_map(|lease| lease.grant);
        grants.chain(leases.iter().flat_map(rests)).collect()
    }

    /// Takes a lease's range away from its client, and says until when it rests, seconds. What the
    /// client was offered besides goes too: the range may be part of it.
    pub(super) fn give_back(&mut self, now: u64, lease: &Lease) -> Option<u64> {
        self.drop_offer_of(&lease.client, now);
        let grant = lease.grant?;
        let owner = Owner::Client(lease.client.clone());
        self.book.ranges.release(now, &owner, grant)
    }
}
