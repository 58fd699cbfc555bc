//! Which message goes where, and who may be heard.

use std::net::Ipv4Addr;

use super::Server;
use crate::counters::Kind;
use crate::ignored::Ignored;
use crate::output::{Received, Time};
use crate::reservations::Id;
use crate::site::{Link, last};
use crate::wire::code;
use crate::wire::request::Request;

/// A message that could be read.
#[derive(Debug)]
pub(super) struct Heard<'a> {
    pub(super) now: Time,
    pub(super) received: Received<'a>,
    pub(super) request: Request<'a>,
    /// Who we are to this client (option 54).
    pub(super) server: Ipv4Addr,
}

impl Heard<'_> {
    /// Seconds of the store's clock.
    pub(super) fn seconds(&self) -> u64 {
        self.now / 1000
    }

    /// Whether it was sent to one of our addresses.
    fn is_unicast(&self, server: &Server) -> bool {
        server.site.is_own(self.received.destination)
    }
}

/// Who sent it and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub(super) class: Option<usize>,
    pub(super) reservation: Option<Id>,
    pub(super) link: Link,
    /// The scope that a relay names, which goes before others of the link.
    pub(super) first: Option<usize>,
}

impl Server {
    pub(super) fn hear(&mut self, now: Time, received: Received<'_>) -> Result<(), Ignored> {
        let heard = self.read(now, received)?;
        self.counters.count_received(heard.request.kind);
        if !heard.request.is_relayed() && !self.is_for_us(received.destination) {
            return Err(Ignored::NotForUs);
        }
        match heard.request.kind {
            Kind::Discover => self.discover(&heard),
            Kind::Request => self.request(&heard),
            Kind::Decline => self.decline(&heard),
            Kind::Release => self.released(&heard),
            Kind::Inform => self.inform(&heard),
            Kind::Bootp => self.bootp(&heard),
        }
    }

    pub(super) fn read<'a>(&self, now: Time, received: Received<'a>) -> Result<Heard<'a>, Ignored> {
        let interface = self.site.settings.interfaces.get(received.interface);
        let interface = interface.filter(|interface| !interface.address.is_unspecified());
        let interface = interface.ok_or(Ignored::UnknownInterface)?;
        let request = Request::parse(received.payload)?;
        // A client goes on with the address that it knows us by, wherever its messages arrive.
        let server = match self.site.is_own(received.destination) {
            true => received.destination,
            false => interface.address,
        };
        Ok(Heard {
            now,
            server: request.server_override().unwrap_or(server),
            received,
            request,
        })
    }

    fn is_for_us(&self, destination: Ipv4Addr) -> bool {
        let scope = self.site.scope_of(destination);
        let network = scope.map(|scope| self.site.scope(scope).network);
        destination.is_broadcast()
            || self.site.is_own(destination)
            || network.is_some_and(|network| last(network) == destination)
    }

    /// Whether the client means us: by our address, or by the one that its relay says is ours.
    pub(super) fn is_us(&self, heard: &Heard<'_>, server: Ipv4Addr) -> bool {
        server == heard.server || self.site.is_own(server)
    }

    /// Where the client is, and whether it may be heard.
    pub(super) fn subject(&self, heard: &Heard<'_>) -> Result<Subject, Ignored> {
        let (link, first) = self.link(heard)?;
        let (class, reservation) = self.admit(heard)?;
        Ok(Subject {
            class,
            reservation,
            link,
            first,
        })
    }

    /// Where the client is: where its relay says, where its address is when it speaks to us from
    /// far away, else on the wire it was heard on.
    fn link(&self, heard: &Heard<'_>) -> Result<(Link, Option<usize>), Ignored> {
        let ciaddr = heard.request.ciaddr();
        let address = match heard.request.link_address() {
            Some(address) => Some(address),
            None => (heard.is_unicast(self) && !ciaddr.is_unspecified()).then_some(ciaddr),
        };
        if let Some(address) = address {
            let scope = self.site.scope_of(address).ok_or(Ignored::NoScope)?;
            return Ok((self.site.link_of(scope), Some(scope)));
        }
        let link = self.site.interface_link(heard.received.interface);
        Ok((link.ok_or(Ignored::NoScope)?, None))
    }

    /// The gate: reservation, allowed hardware addresses, class. Whoever is in none gets no answer.
    fn admit(&self, heard: &Heard<'_>) -> Result<(Option<usize>, Option<Id>), Ignored> {
        let request = &heard.request;
        let mac = request.hardware.mac();
        let id = self.reservations.of(&request.key, mac);
        let reservation = self.reservations.get(id);
        if reservation.is_none() && !self.site.allows(mac) {
            return Err(Ignored::MacNotAllowed);
        }
        let named = reservation.and_then(|reservation| reservation.class.as_deref());
        let named = named.and_then(|name| self.site.class_by_name(name));
        let vendor_class = request.option(code::VENDOR_CLASS);
        let identifier = request.option(code::CLIENT_IDENTIFIER);
        let class = named.or_else(|| self.site.classify(mac, vendor_class, identifier));
        let class = class.or_else(|| self.class_of_lease(heard));
        match (class, reservation) {
            (None, None) => Err(Ignored::NoClass),
            _ => Ok((class, id)),
        }
    }

    /// A client that does not say what it is (no option 60) is still what its lease says: some
    /// phones leave it out when they renew.
    fn class_of_lease(&self, heard: &Heard<'_>) -> Option<usize> {
        if heard.request.option(code::VENDOR_CLASS).is_some() {
            return None;
        }
        let lease = self.book.active_of(&heard.request.key)?;
        self.site.class_by_name(lease.class.as_ref()?.as_str())
    }
}
