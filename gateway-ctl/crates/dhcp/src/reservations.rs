//! Reservations by all that they are looked up by.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::client::ClientKey;
use crate::error::Error;
use crate::lease::Lease;
use crate::mac::MacAddr;
use crate::reservation::{Reservation, ReservedClient};

/// Number of a reservation, for as long as the settings do not change.
pub(crate) type Id = u32;

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) reservation: Reservation,
    /// Whether it is in the configuration, not in the store.
    pub(crate) configured: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Reservations {
    entries: BTreeMap<Id, Entry>,
    by_mac: BTreeMap<MacAddr, Id>,
    by_identifier: BTreeMap<Vec<u8>, Id>,
    by_address: BTreeMap<Ipv4Addr, Id>,
    next: Id,
    /// Those of the store that cannot be met now.
    dormant: BTreeMap<ReservedClient, Reservation>,
}

impl Reservations {
    /// A client's: by its identifier before its hardware address.
    pub(crate) fn of(&self, client: &ClientKey, mac: Option<MacAddr>) -> Option<Id> {
        let by_identifier = self.by_identifier.get(client.as_bytes());
        by_identifier.or_else(|| self.by_mac.get(&mac?)).copied()
    }

    pub(crate) fn of_lease(&self, lease: &Lease) -> Option<Id> {
        self.of(&lease.client, lease.hardware.mac())
    }

    pub(crate) fn at(&self, address: Ipv4Addr) -> Option<Id> {
        self.by_address.get(&address).copied()
    }

    pub(crate) fn get(&self, id: Option<Id>) -> Option<&Reservation> {
        self.entries.get(&id?).map(|entry| &entry.reservation)
    }

    pub(crate) fn entry(&self, client: &ReservedClient) -> Option<(Id, &Entry)> {
        let mut found = self.conflicts(client);
        let (id, entry) = found
            .next()
            .and_then(|id| Some((id, self.entries.get(&id)?)))?;
        (entry.reservation.client == *client).then_some((id, entry))
    }

    /// Whether all of the store's can be met.
    pub(crate) fn are_met(&self) -> bool {
        self.dormant.is_empty()
    }

    /// How many of so many that are configured, and of the store's, cannot be met.
    pub(crate) fn unmet(&self, configured: usize) -> usize {
        let met = self.entries.values().filter(|entry| entry.configured);
        configured.saturating_sub(met.count()) + self.dormant.len()
    }

    /// All, in the order they were made.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id, &Entry)> {
        self.entries.iter().map(|(id, entry)| (*id, entry))
    }

    fn conflicts(&self, client: &ReservedClient) -> impl Iterator<Item = Id> {
        let found: Vec<Id> = match client {
            ReservedClient::Macs(macs) => {
                let found = macs.iter().filter_map(|mac| self.by_mac.get(mac));
                found.copied().collect()
            }
            ReservedClient::Id(id) => self.by_identifier.get(id).copied().into_iter().collect(),
        };
        found.into_iter()
    }

    /// Whether this client and this address could be reserved, besides `except`.
    pub(crate) fn check(&self, wanted: &Reservation, except: Option<Id>) -> Result<(), Error> {
        if let ReservedClient::Macs(macs) = &wanted.client
            && macs.is_empty()
        {
            return Err(Error::Nobody);
        }
        let mut others = self
            .conflicts(&wanted.client)
            .filter(|id| Some(*id) != except);
        if let Some(other) = others.next().and_then(|id| self.entries.get(&id)) {
            let client = other.reservation.client.clone();
            return Err(Error::ReservedTwice { client });
        }
        let Some(address) = wanted.address else {
            return Ok(());
        };
        let other = self.at(address).filter(|id| Some(*id) != except);
        match self.get(other) {
            Some(other) => Err(Error::Reserved {
                address,
                client: other.client.clone(),
            }),
            None => Ok(()),
        }
    }

    /// The number that the next one will have.
    pub(crate) fn next_id(&self) -> Id {
        self.next
    }

    pub(crate) fn insert(&mut self, entry: Entry) -> Id {
        let id = self.next;
        self.next += 1;
        let reservation = &entry.reservation;
        self.dormant.remove(&reservation.client);
        match &reservation.client {
            ReservedClient::Macs(macs) => {
                self.by_mac.extend(macs.iter().map(|mac| (*mac, id)));
            }
            ReservedClient::Id(identifier) => {
                self.by_identifier.insert(identifier.clone(), id);
            }
        }
        if let Some(address) = reservation.address {
            self.by_address.insert(address, id);
        }
        self.entries.insert(id, entry);
        id
    }

    pub(crate) fn remove(&mut self, id: Id) -> Option<Reservation> {
        let Entry { reservation, .. } = self.entries.remove(&id)?;
        match &reservation.client {
            ReservedClient::Macs(macs) => {
                for mac in macs {
                    self.by_mac.remove(mac);
                }
            }
            ReservedClient::Id(identifier) => drop(self.by_identifier.remove(identifier)),
        }
        if let Some(address) = reservation.address {
            self.by_address.remove(&address);
        }
        Some(reservation)
    }

    /// Keeps one for better times.
    pub(crate) fn put_aside(&mut self, reservation: Reservation) {
        self.dormant.insert(reservation.client.clone(), reservation);
    }

    /// Whether one was kept so; it is forgotten.
    pub(crate) fn forget(&mut self, client: &ReservedClient) -> bool {
        self.dormant.remove(client).is_some()
    }

    /// Those of the store, when the table is closed.
    pub(crate) fn into_stored(self) -> Vec<Reservation> {
        let stored = self.entries.into_values().filter(|entry| !entry.configured);
        let stored = stored.map(|entry| entry.reservation);
        stored.chain(self.dormant.into_values()).collect()
    }
}
