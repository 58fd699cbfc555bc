//! Promises: an address and a range, for a moment, in memory only.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};

use super::ranges::Held;
use crate::client::ClientKey;
use crate::mac::Hardware;
use crate::output::Time;

/// Most offers at once. Each is an address that is not anybody's, so there are no more than free
/// addresses either; when there are more clients, the oldest offer goes.
pub(crate) const MOST_OFFERS: usize = 65_536;

#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) client: ClientKey,
    pub(crate) hardware: Hardware,
    pub(crate) class: Option<usize>,
    pub(crate) reservation: Option<u32>,
    pub(crate) held: Option<Held>,
    /// When the probe, or the offer, is over.
    pub(crate) until: Time,
    pub(crate) stage: Stage,
}

#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// Nobody has said yet that the address is in use.
    Probing(Waiting),
    /// The client knows of it.
    Offered,
}

/// The message to answer after the probe. It is read once more then.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) interface: usize,
    pub(crate) source: SocketAddrV4,
    pub(crate) destination: Ipv4Addr,
    pub(crate) payload: Vec<u8>,
}

/// By address, client and time. A client has one at most.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offers {
    by_address: BTreeMap<Ipv4Addr, Offer>,
    by_client: BTreeMap<ClientKey, Ipv4Addr>,
    until: BTreeSet<(Time, Ipv4Addr)>,
}

impl Offers {
    pub(crate) fn at(&self, address: Ipv4Addr) -> Option<&Offer> {
        self.by_address.get(&address)
    }

    pub(crate) fn of(&self, client: &ClientKey) -> Option<(Ipv4Addr, &Offer)> {
        let address = *self.by_client.get(client)?;
        Some((address, self.at(address)?))
    }

    /// The one that ends next, and when.
    pub(crate) fn next(&self) -> Option<(Time, Ipv4Addr)> {
        self.until.first().copied()
    }

    /// Addresses offered by a reservation. Looks at all: operators do not do it often.
    pub(crate) fn by_reservation(&self, id: u32) -> Vec<Ipv4Addr> {
        let all = self.by_address.iter();
        let found = all.filter(|(_, offer)| offer.reservation == Some(id));
        found.map(|(address, _)| *address).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_address.len()
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ipv4Addr, &Offer)> {
        self.by_address
            .iter()
            .map(|(address, offer)| (*address, offer))
    }

    pub(super) fn insert(&mut self, address: Ipv4Addr, offer: Offer) {
        self.by_client.insert(offer.client.clone(), address);
        self.until.insert((offer.until, address));
        self.by_address.insert(address, offer);
    }

    pub(super) fn remove(&mut self, address: Ipv4Addr) -> Option<Offer> {
        let offer = self.by_address.remove(&address)?;
        self.until.remove(&(offer.until, address));
        self.by_client.remove(&offer.client);
        Some(offer)
    }

    pub(super) fn change(&mut self, address: Ipv4Addr, until: Time, stage: Stage) {
        if let Some(offer) = self.by_address.get_mut(&address) {
            self.until.remove(&(offer.until, address));
            self.until.insert((until, address));
            offer.until = until;
            offer.stage = stage;
        }
    }
}
