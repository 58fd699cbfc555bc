//! What the store holds of leases: keys, values, batches.
//!
//! | key | value (JSON) |
//! |---|---|
//! | `lease/` + private address | [`Lease`] |
//! | `reservation/` + client as text | [`Reservation`] |
//! | `history/` + public address, first port, begin | [`HistoryRecord`] |
//! | `clock` | milliseconds of the last commit's clock |
//! | `importing` | there while a backup is only a part in here |
//!
//! Numbers in keys are binary, most significant byte first, so that keys sort as numbers do.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use dhcp::{Change, HistoryRecord, Lease, Reservation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Batch, Embedded};

pub(super) const LEASE: &[u8] = b"lease/";
pub(super) const RESERVATION: &[u8] = b"reservation/";
pub(super) const HISTORY: &[u8] = b"history/";
const CLOCK: &[u8] = b"clock";
const IMPORTING: &[u8] = b"importing";

/// What was kept of a former life.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) leases: Vec<Lease>,
    pub(super) reservations: Vec<Reservation>,
    /// Milliseconds of the store's clock.
    pub(super) clock: u64,
    /// Whether an import was broken off: a part of the backup is here.
    pub(super) half_imported: bool,
}

impl Kept {
    /// Reads it all.
    ///
    /// # Errors
    /// When the store or a record cannot be read.
    pub(super) fn load(store: &Embedded) -> Result<Self> {
        let mut clock = Vec::new();
        store.for_each(CLOCK, |_, value, _| clock = value.to_vec())?;
        let clock = match clock.is_empty() {
            true => 0,
            false => serde_json::from_slice(&clock).context("cannot read the store's clock")?,
        };
        let mut half_imported = false;
        store.for_each(IMPORTING, |_, _, _| half_imported = true)?;
        Ok(Self {
            leases: all(store, LEASE)?,
            reservations: all(store, RESERVATION)?,
            clock,
            half_imported,
        })
    }
}

pub(in crate::run) fn all<T: DeserializeOwned>(store: &Embedded, prefix: &[u8]) -> Result<Vec<T>> {
    let mut found = Vec::new();
    store.for_each(prefix, |key, value, _| {
        let record = serde_json::from_slice(value).with_context(|| {
            format!(
                "cannot read the store's record {}: install the version that wrote it, or restore \
                 a backup (gateway-ctl import)",
                key.escape_ascii()
            )
        });
        found.push(record);
    })?;
    found.into_iter().collect()
}

/// The changes as one batch, stamped with the clock.
///
/// # Errors
/// When a value cannot be written as JSON, which none of ours are.
pub(super) fn batch(changes: &[Change], clock: u64) -> Result<Batch> {
    let mut batch = Batch::new().put(CLOCK, json(&clock)?);
    for change in changes {
        batch = match change {
            Change::Put(lease) => batch.put(lease_key(lease.address), json(lease)?),
            Change::Remove(address) => batch.delete(lease_key(*address)),
            Change::History(record) => batch.put(history_key(record), json(record)?),
            Change::Reserve(reservation) => {
                batch.put(reservation_key(&reservation.client), json(reservation)?)
            }
            Change::Unreserve(client) => batch.delete(reservation_key(client)),
        };
    }
    Ok(batch)
}

/// The batch that an import begins with.
pub(super) fn import_begins(clock: u64) -> Result<Batch> {
    Ok(batch(&[], clock)?.put(IMPORTING, "true"))
}

/// The batch that it ends with, when all of the backup is there.
pub(super) fn import_ends(clock: u64) -> Result<Batch> {
    Ok(batch(&[], clock)?.delete(IMPORTING))
}

pub(in crate::run) fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).context("cannot write a record as JSON")
}

fn lease_key(address: Ipv4Addr) -> Vec<u8> {
    [LEASE, &address.octets()].concat()
}

fn reservation_key(client: &dhcp::ReservedClient) -> Vec<u8> {
    [RESERVATION, client.to_string().as_bytes()].concat()
}

fn history_key(record: &HistoryRecord) -> Vec<u8> {
    history_key_of(record.public, record.ports.first(), record.begin)
}

/// Where the history of ranges that begin with this port is, at this second.
pub(super) fn history_key_of(public: Ipv4Addr, first_port: u16, begin: u64) -> Vec<u8> {
    let parts = [
        HISTORY,
        &public.octets(),
        &first_port.to_be_bytes(),
        &begin.to_be_bytes(),
    ];
    parts.concat()
}

#[cfg(test)]
mod tests {
    use store::Store as _;

    use super::*;

    #[tokio::test]
    async fn a_broken_off_import_is_remembered_until_one_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let store = Embedded::open(directory.path()).unwrap();
        let half = |store: &Embedded| Kept::load(store).unwrap().half_imported;
        assert!(!half(&store));
        store.commit(import_begins(5).unwrap()).await.unwrap();
        store.commit(batch(&[], 6).unwrap()).await.unwrap();
        assert!(half(&store));
        store.commit(import_ends(7).unwrap()).await.unwrap();
        assert!(!half(&store));
        assert_eq!(Kept::load(&store).unwrap().clock, 7);
    }
}
