//! RELEASE, DECLINE, and addresses that were found in use.

use std::net::Ipv4Addr;

use super::Server;
use super::commit::Step;
use super::hear::Heard;
use crate::book::offers::Stage;
use crate::book::ranges::seconds_begun;
use crate::client::ClientKey;
use crate::counters::{Event, Kind};
use crate::ignored::Ignored;
use crate::lease::{Lease, State};
use crate::mac::Hardware;
use crate::output::{Change, Output, Received, Time};

impl Server {
    /// RELEASE. Neither it nor DECLINE says what the client is (RFC 2131 table 5), so the lease is
    /// what admits it.
    pub(super) fn released(&mut self, heard: &Heard<'_>) -> Result<(), Ignored> {
        self.check_server(heard)?;
        let address = heard.request.ciaddr();
        if address.is_unspecified() {
            return Err(Ignored::NoAddress);
        }
        let lease = self.book.lease(address);
        let theirs = |lease: &&Lease| lease.is_active() && lease.client == heard.request.key;
        let lease = lease.filter(theirs).ok_or(Ignored::NotTheirs)?.clone();
        self.counters.count(Event::Released);
        let mut step = Step::default();
        self.end(heard.now, &lease, None, &mut step);
        self.commit(step);
        Ok(())
    }

    /// DECLINE: the client found somebody else at its address.
    pub(super) fn decline(&mut self, heard: &Heard<'_>) -> Result<(), Ignored> {
        self.check_server(heard)?;
        let address = heard.request.requested.ok_or(Ignored::NoAddress)?;
        let key = &heard.request.key;
        let lease = self.book.lease(address);
        let has = lease.is_some_and(|lease| lease.is_active() && lease.client == *key);
        let offer = self.book.offers().at(address);
        let offered = offer
            .is_some_and(|offer| offer.client == *key && matches!(offer.stage, Stage::Offered));
        if !has && !offered {
            return Err(Ignored::NotTheirs);
        }
        self.counters.count(Event::Declined);
        self.quarantine(heard.now, address, key, heard.request.hardware);
        Ok(())
    }

    fn check_server(&self, heard: &Heard<'_>) -> Result<(), Ignored> {
        match heard.request.server {
            Some(server) if !self.is_us(heard, server) => Err(Ignored::OtherServer),
            _ => Ok(()),
        }
    }

    /// Says that somebody answered a probe: the address rests, and its client is offered another
    /// one.
    pub fn in_use(&mut self, now: Time, address: Ipv4Addr) {
        let Some(offer) = self.book.withdraw(&self.site, address, now) else {
            return;
        };
        self.counters.count(Event::InUse);
        self.quarantine(now, address, &offer.client, offer.hardware);
        let Stage::Probing(waiting) = offer.stage else {
            return;
        };
        let received = Received {
            interface: waiting.interface,
            source: waiting.source,
            destination: waiting.destination,
            payload: &waiting.payload,
        };
        let again = self
            .read(now, received)
            .and_then(|heard| match heard.request.kind {
                Kind::Bootp => self.bootp(&heard),
                _ => self.discover(&heard),
            });
        if let Err(reason) = again {
            self.counters.count_ignored(reason);
        }
    }

    /// Leaves an address alone for a while.
    fn quarantine(&mut self, now: Time, address: Ipv4Addr, client: &ClientKey, hardware: Hardware) {
        self.book.withdraw(&self.site, address, now);
        let Some(scope) = self.site.scope_of(address) else {
            return;
        };
        let mut step = Step::default();
        let previous = self.book.lease(address).cloned();
        let rests = previous
            .as_ref()
            .map(|lease| self.rests_of(now, lease, None));
        if let Some(previous) = previous.filter(|lease| lease.is_active() && lease.grant.is_some())
        {
            let end = Some(seconds_begun(now));
            step.changes
                .extend(previous.history(end).map(Change::History));
            step.after.push((address, Output::Unbind(previous)));
        }
        let rest = self.site.settings.decline_rest;
        let declined = Lease {
            address,
            client: client.clone(),
            hardware,
            vendor_class: None,
            host_name: None,
            scope: self.site.scope_names[scope].clone(),
            class: None,
            pool: None,
            grant: None,
            granted_at: now / 1000,
            renewed_at: now / 1000,
            expires: None,
            relay: None,
            state: State::Declined {
                until: seconds_begun(now).saturating_add(rest),
            },
            rests: rests.unwrap_or_default(),
        };
        step.changes.push(Change::Put(declined.clone()));
        self.book.put(&self.site, declined);
        self.commit(step);
    }
}
