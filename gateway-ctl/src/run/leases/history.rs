//! Who had a public port at some time: the history of leases (RFC 7422 asks for no more than
//! this, since ports are given in ranges and for long).

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use dhcp::HistoryRecord;
use gateway_common::port_range::MIN_PORTS;
use store::{Batch, MAX_OPERATIONS, Query, Store};

use super::super::gateway::Shared;
use super::records::{HISTORY, history_key_of};

/// Largest range of a lease.
const MOST_PORTS: u16 = 4096;
/// How often what is too old is removed.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// Records that are looked at before others have their turn.
const AT_ONCE: usize = 2000;

/// Who had this port at `at`, seconds since 1970.
///
/// A port is in one aligned range of each size: for each, the last record that began by then
/// is the only one that can tell.
///
/// # Errors
/// When the store cannot be read.
pub(crate) async fn owner_at(
    store: &dyn Store,
    public: Ipv4Addr,
    port: u16,
    at: u64,
) -> Result<Option<HistoryRecord>> {
    let sizes = (0..).map(|doubled| MIN_PORTS << doubled);
    for ports in sizes.take_while(|ports| *ports <= MOST_PORTS) {
        let first = port & !(ports - 1);
        let from = history_key_of(public, first, 0);
        let to = history_key_of(public, first, at.saturating_add(1));
        let page = store
            .read(Query::range(from, to).descending().limit(1))
            .await?;
        let Some(entry) = page.entries.first() else {
            continue;
        };
        let record = read(&entry.key, &entry.value)?;
        if record.ports.contains(port) && record.end.is_none_or(|end| at < end) {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// Reads a record of the store.
pub(super) fn read(key: &[u8], value: &[u8]) -> Result<HistoryRecord> {
    serde_json::from_slice(value)
        .with_context(|| format!("cannot read the store's record {}", key.escape_ascii()))
}

/// Removes what is older than the configuration says, now and every hour.
pub(super) async fn prune(shared: Shared) {
    let mut every = tokio::time::interval(PRUNE_EVERY);
    loop {
        every.tick().await;
        let Some((store, before)) = shared.lock().history_to_prune() else {
            continue;
        };
        match prune_before(&*store, before).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "history of leases pruned"),
            Err(error) => tracing::error!(%error, "cannot prune the history of leases"),
        }
    }
}

/// Removes records that ended before this second; how many.
async fn prune_before(store: &dyn Store, before: u64) -> Result<usize> {
    let mut removed = 0;
    let mut query = Query::prefix(HISTORY).limit(AT_ONCE);
    loop {
        let page = store.read(query.clone()).await?;
        let mut old = Vec::new();
        for entry in &page.entries {
            if read(&entry.key, &entry.value)?
                .end
                .is_some_and(|end| end < before)
            {
                old.push(entry.key.clone());
            }
        }
        removed += old.len();
        for some in old.chunks(MAX_OPERATIONS) {
            let batch = some
                .iter()
                .fold(Batch::new(), |batch, key| batch.delete(key.as_slice()));
            store.commit(batch).await?;
        }
        match page.entries.last() {
            Some(last) if page.more => query = query.after(&last.key),
            _ => return Ok(removed),
        }
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dhcp::{Change, ClientKey, MacAddr};
    use gateway_common::PortRange;
    use store::Embedded;

    use super::super::records;
    use super::*;

    const PUBLIC: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

    fn record(host: u8, first: u16, ports: u16, begin: u64, end: Option<u64>) -> HistoryRecord {
        HistoryRecord {
            public: PUBLIC,
            ports: PortRange::new(first, first + (ports - 1)).unwrap(),
            private: Ipv4Addr::new(10, 10, 0, host),
            hardware: MacAddr([2, 0, 0, 0, 0, host]).into(),
            client: ClientKey::from_identifier(&[1, 2, 0, 0, 0, 0, host]).unwrap(),
            begin,
            end,
        }
    }

    #[tokio::test]
    async fn the_one_who_had_it_then_is_found_and_the_old_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(directory.path()).unwrap());
        let records = [
            record(1, 40000, 64, 100, Some(200)),
            record(2, 40000, 64, 320, None),
            // Once the same ports were part of a larger range, and once of a smaller one.
            record(3, 39936, 4096 / 16, 10, Some(50)),
            record(4, 40000, 8, 60, Some(90)),
        ];
        let changes: Vec<Change> = records.into_iter().map(Change::History).collect();
        store
            .commit(records::batch(&changes, 0).unwrap())
            .await
            .unwrap();
        let who = async |port, at| {
            let found = owner_at(&*store, PUBLIC, port, at).await.unwrap();
            found.map(|record| record.private.octets()[3])
        };
        for (port, at, expected) in [
            (40000, 99, None),
            (40000, 100, Some(1)),
            (40063, 199, Some(1)),
            (40064, 150, None),
            (40000, 200, None),
            (40000, 320, Some(2)),
            (40000, u64::MAX, Some(2)),
            (40000, 49, Some(3)),
            (40000, 50, None),
            (40007, 60, Some(4)),
            (40008, 60, None),
        ] {
            assert_eq!(who(port, at).await, expected, "port {port} at {at}");
        }
        assert_eq!(prune_before(&*store, 201).await.unwrap(), 3);
        assert_eq!(who(40000, 150).await, None);
        assert_eq!(who(40000, 320).await, Some(2));
    }
}
