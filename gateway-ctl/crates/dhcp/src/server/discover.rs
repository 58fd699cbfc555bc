//! DISCOVER: an address and a range are promised, and probed before.

use std::net::Ipv4Addr;

use super::Server;
use super::answer::Terms;
use super::hear::{Heard, Subject};
use crate::book::offers::{MOST_OFFERS, Offer, Stage, Waiting};
use crate::counters::{Answer, Event};
use crate::ignored::Ignored;
use crate::output::{Output, ProbeHow};

impl Server {
    pub(super) fn discover(&mut self, heard: &Heard<'_>) -> Result<(), Ignored> {
        let subject = self.subject(heard)?;
        let lease = self.book.active_of(&heard.request.key);
        if lease.is_some_and(|lease| self.is_waiting(lease.address)) {
            return Err(Ignored::Committing);
        }
        if let Some(address) = self.standing_offer(heard, &subject)? {
            return self.send_offer(heard, &subject, address);
        }
        let address = self.choose_address(heard, &subject, |_, _| true)?;
        match self.promise(heard, &subject, address)? {
            true => Ok(()),
            false => self.send_offer(heard, &subject, address),
        }
    }

    /// What the client was offered before, if it still holds. One that waits for its probe will be
    /// sent for the client's last message.
    pub(super) fn standing_offer(
        &mut self,
        heard: &Heard<'_>,
        subject: &Subject,
    ) -> Result<Option<Ipv4Addr>, Ignored> {
        let Some((address, offer)) = self.book.offers().of(&heard.request.key) else {
            return Ok(None);
        };
        let holds = offer.class == subject.class
            && offer.reservation == subject.reservation
            && self.may_have(heard, subject, address);
        if !holds {
            self.book.withdraw(&self.site, address, heard.now);
            return Ok(None);
        }
        if matches!(offer.stage, Stage::Probing(_)) {
            let until = offer.until;
            let stage = Stage::Probing(waiting(heard));
            self.book.change_offer(address, until, stage);
            return Err(Ignored::Probing);
        }
        Ok(Some(address))
    }

    /// Holds an address and a range for a client. Whether a probe has to be awaited.
    pub(super) fn promise(
        &mut self,
        heard: &Heard<'_>,
        subject: &Subject,
        address: Ipv4Addr,
    ) -> Result<bool, Ignored> {
        let held = self.choose_range(heard, subject)?;
        if self.book.offers().len() >= MOST_OFFERS
            && let Some((_, oldest)) = self.book.offers().next()
        {
            self.book.withdraw(&self.site, oldest, heard.now);
            self.counters.count(Event::OfferEvicted);
        }
        let had = self.book.lease(address);
        let known = had.is_some_and(|lease| lease.client == heard.request.key);
        let probe = self.site.settings.probe.filter(|_| !known);
        let (until, stage) = match probe {
            Some(wait) => (heard.now + wait, Stage::Probing(waiting(heard))),
            None => (self.offer_ends(heard.now), Stage::Offered),
        };
        let offer = Offer {
            client: heard.request.key.clone(),
            hardware: heard.request.hardware,
            class: subject.class,
            reservation: subject.reservation,
            held,
            until,
            stage,
        };
        self.book.offer(&self.site, address, offer);
        if probe.is_some() {
            self.counters.count(Event::Probed);
            self.outputs.push_back(Output::Probe {
                interface: heard.received.interface,
                address,
                how: match heard.request.is_relayed() {
                    true => ProbeHow::Icmp,
                    false => ProbeHow::Arp,
                },
            });
        }
        Ok(probe.is_some())
    }

    fn offer_ends(&self, now: u64) -> u64 {
        now.saturating_add(self.site.settings.offer_hold.saturating_mul(1000))
    }

    /// Sends what the client was promised.
    pub(super) fn send_offer(
        &mut self,
        heard: &Heard<'_>,
        subject: &Subject,
        address: Ipv4Addr,
    ) -> Result<(), Ignored> {
        let until = self.offer_ends(heard.now);
        self.book.change_offer(address, until, Stage::Offered);
        let offer = self.book.offers().at(address);
        let held = offer.and_then(|offer| offer.held);
        let scope = self.site.scope_of(address).ok_or(Ignored::NoScope)?;
        let terms = Terms {
            answer: Answer::Offer,
            yiaddr: address,
            scope,
            grant: held.map(|held| held.grant),
            time: Some(self.lease_time(heard, subject, scope)),
        };
        let reply = self.reply(heard, subject, &terms);
        self.outputs.push_back(reply);
        Ok(())
    }
}

fn waiting(heard: &Heard<'_>) -> Waiting {
    Waiting {
        interface: heard.received.interface,
        source: heard.received.source,
        destination: heard.received.destination,
        payload: heard.received.payload.to_vec(),
    }
}
