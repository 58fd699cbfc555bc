//! REQUEST in the four states of RFC 2131 section 4.3.2 (table 4).
//!
//! ```text
//!                 option 54   option 50   ciaddr
//!   SELECTING     ours        offered     -         ACK, or NAK: the client chose us
//!   INIT-REBOOT   -           had         -         ACK, NAK if it is wrong, silence if unknown
//!   RENEWING      -           -           has       by unicast: ACK, else NAK
//!   REBINDING     -           -           has       by broadcast: ACK, NAK if it is wrong here
//! ```

use std::net::Ipv4Addr;

use super::Server;
use super::hear::{Heard, Subject};
use crate::book::offers::Stage;
use crate::client::ClientKey;
use crate::counters::Event;
use crate::ignored::Ignored;
use crate::lease::State;
use crate::output::Time;

/// What a client is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Selecting,
    InitReboot,
    Renewing,
    Rebinding,
}

impl Server {
    pub(super) fn request(&mut self, heard: &Heard<'_>) -> Result<(), Ignored> {
        let request = &heard.request;
        if let Some(server) = request.server
            && !self.is_us(heard, server)
        {
            self.forget_offer(heard);
            return Err(Ignored::OtherServer);
        }
        let (wish, address) = self.wish(heard)?;
        let subject = self.subject(heard)?;
        let lease = self.book.active_of(&request.key);
        if lease.is_some_and(|lease| self.is_waiting(lease.address)) {
            return Err(Ignored::Committing);
        }
        if !self.site.on_link(subject.link, address) {
            self.refuse(heard, "that address is not of this network");
            return Ok(());
        }
        if self.keeps(heard, &subject, address) {
            return self.renew(heard, &subject, address);
        }
        match wish {
            Wish::Selecting => self.select(heard, &subject, address),
            Wish::InitReboot => self.reboot(heard, &subject, address),
            Wish::Renewing | Wish::Rebinding => self.extend(heard, &subject, address, wish),
        }
    }

    fn wish(&self, heard: &Heard<'_>) -> Result<(Wish, Ipv4Addr), Ignored> {
        let request = &heard.request;
        let ciaddr = Some(request.ciaddr()).filter(|address| !address.is_unspecified());
        // Some clients name the server when they renew.
        let (wish, address) = match (request.server, request.requested, ciaddr) {
            (Some(_), Some(requested), _) => (Wish::Selecting, requested),
            (_, _, Some(ciaddr)) if self.site.is_own(heard.received.destination) => {
                (Wish::Renewing, ciaddr)
            }
            (_, _, Some(ciaddr)) => (Wish::Rebinding, ciaddr),
            (None, Some(requested), None) => (Wish::InitReboot, requested),
            (_, None, None) => return Err(Ignored::NoAddress),
        };
        Ok((wish, address))
    }

    /// Whether the client has this address by an active lease, and may keep it.
    fn keeps(&self, heard: &Heard<'_>, subject: &Subject, address: Ipv4Addr) -> bool {
        let lease = self.book.lease(address);
        lease.is_some_and(|lease| lease.is_active() && lease.client == heard.request.key)
            && self.may_have(heard, subject, address)
    }

    /// The client took our offer, or means to.
    fn select(
        &mut self,
        heard: &Heard<'_>,
        subject: &Subject,
        address: Ipv4Addr,
    ) -> Result<(), Ignored> {
        if let Some((offered, offer)) = self.book.offers().of(&heard.request.key)
            && offered == address
        {
            if matches!(offer.stage, Stage::Probing(_)) {
                return Err(Ignored::Probing);
            }
            let holds = offer.class == subject.class && offer.reservation == subject.reservation;
            if holds && self.may_have(heard, subject, address) {
                let offer = self.book.take_offer(&self.site, address);
                let held = offer.and_then(|offer| offer.held);
                return self.grant(heard, subject, address, held);
            }
        }
        // The offer is forgotten, or was made before a restart.
        self.grant_anew(heard, subject, address)
    }

    /// The client was switched off for a while.
    fn reboot(
        &mut self,
        heard: &Heard<'_>,
        subject: &Subject,
        address: Ipv4Addr,
    ) -> Result<(), Ignored> {
        let key = &heard.request.key;
        let reserved = self.reservations.at(address);
        let lease = self.book.lease(address);
        let known = lease.is_some_and(|lease| lease.client == *key)
            || (reserved.is_some() && reserved == subject.reservation);
        if known {
            return self.grant_anew(heard, subject, address);
        }
        // It is certainly wrong if it is somebody else's, or if we know the client by another one.
        let others = lease.is_some_and(|lease| lease.is_active()) || reserved.is_some();
        let elsewhere = self.last_lease(heard, subject.link).is_some()
            || self.reserved_address(subject).is_some();
        if others || elsewhere {
            self.refuse(heard, "that address is not yours");
            return Ok(());
        }
        Err(Ignored::UnknownClient)
    }

    /// The client uses the address, but has no lease of it any more.
    fn extend(
        &mut self,
        heard: &Heard<'_>,
        subject: &Subject,
        address: Ipv4Addr,
        wish: Wish,
    ) -> Result<(), Ignored> {
        let ours = self.book.lease(address).is_some()
            || self.reservations.at(address).is_some()
            || self.book.is_leasable(&self.site, address);
        // On broadcast, another server that has the rest of this network may know better.
        if wish == Wish::Rebinding && !ours {
            return Err(Ignored::UnknownClient);
        }
        self.grant_anew(heard, subject, address)
    }

    /// Grants an address that can be had, else refuses.
    fn grant_anew(
        &mut self,
        heard: &Heard<'_>,
        subject: &Subject,
        address: Ipv4Addr,
    ) -> Result<(), Ignored> {
        self.drop_offer(heard);
        if !self.may_have(heard, subject, address) {
            let declined = self.book.lease(address).map(|lease| lease.state);
            let text = match declined {
                Some(State::Declined { .. }) => "that address is in use",
                _ => "that address is not yours",
            };
            self.refuse(heard, text);
            return Ok(());
        }
        let held = self.choose_range(heard, subject)?;
        self.grant(heard, subject, address, held)
    }

    /// The client took another server's offer.
    fn forget_offer(&mut self, heard: &Heard<'_>) {
        if self.drop_offer(heard) {
            self.counters.count(Event::OfferWithdrawn);
        }
    }

    /// Takes back what the client was offered.
    pub(super) fn drop_offer(&mut self, heard: &Heard<'_>) -> bool {
        self.drop_offer_of(&heard.request.key, heard.now)
    }

    pub(super) fn drop_offer_of(&mut self, client: &ClientKey, now: Time) -> bool {
        let offer = self.book.offers().of(client);
        let Some((address, _)) = offer else {
            return false;
        };
        self.book.withdraw(&self.site, address, now).is_some()
    }
}
