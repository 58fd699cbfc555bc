//! What happens by itself: probes and offers are over, leases expire and are forgotten.

use std::net::Ipv4Addr;

use super::Server;
use super::commit::Step;
use crate::book::offers::Stage;
use crate::counters::{Event, Kind};
use crate::ignored::Ignored;
use crate::lease::State;
use crate::output::{Change, Received, Time};

/// Leases and offers that one call handles at most, so that messages are heard in between.
const MOST_AT_ONCE: usize = 1024;

impl Server {
    /// When [`Self::handle_timeout`] has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let offer = self.book.offers().next().map(|(until, _)| until);
        let lease = self.book.next_due();
        let lease = lease.map(|(due, _)| due.saturating_mul(1000));
        offer.into_iter().chain(lease).min()
    }

    /// Does what is due. If [`Self::poll_timeout`] is still not after `now`, there is more.
    pub fn handle_timeout(&mut self, now: Time) {
        for _ in 0..MOST_AT_ONCE {
            match self.book.offers().next() {
                Some((until, address)) if until <= now => self.offer_due(now, address),
                _ => break,
            }
        }
        let mut steps = Vec::new();
        for _ in 0..MOST_AT_ONCE {
            match self.book.next_due() {
                Some((due, address)) if due <= now / 1000 => {
                    steps.push(self.lease_due(now, address));
                }
                _ => break,
            }
        }
        self.commit_all(steps);
    }

    fn offer_due(&mut self, now: Time, address: Ipv4Addr) {
        let stage = self
            .book
            .offers()
            .at(address)
            .map(|offer| offer.stage.clone());
        let Some(Stage::Probing(waiting)) = stage else {
            self.counters.count(Event::OfferForgotten);
            self.book.withdraw(&self.site, address, now);
            return;
        };
        // Nobody answered: the address is the client's.
        let received = Received {
            interface: waiting.interface,
            source: waiting.source,
            destination: waiting.destination,
            payload: &waiting.payload,
        };
        if let Err(reason) = self.probed(now, received, address) {
            self.counters.count_ignored(reason);
            self.book.withdraw(&self.site, address, now);
        }
    }

    fn probed(
        &mut self,
        now: Time,
        received: Received<'_>,
        address: Ipv4Addr,
    ) -> Result<(), Ignored> {
        let heard = self.read(now, received)?;
        let subject = self.subject(&heard)?;
        match heard.request.kind {
            Kind::Bootp => self.grant_promised(&heard, &subject, address),
            _ => self.send_offer(&heard, &subject, address),
        }
    }

    fn lease_due(&mut self, now: Time, address: Ipv4Addr) -> Step {
        let mut step = Step::default();
        let Some(lease) = self.book.lease(address).cloned() else {
            return step;
        };
        match lease.state {
            State::Active => {
                self.counters.count(Event::Expired);
                self.end(now, &lease, None, &mut step);
            }
            State::Ended { .. } | State::Declined { .. } => {
                self.book.remove(&self.site, address);
                step.changes.push(Change::Remove(address));
            }
        }
        step
    }
}
