//! Everything about leases as JSON lines: out of the store, and into one.
//!
//! ```text
//! {"gateway_export":1}
//! {"history":{..}}
//! {"lease":{..}}
//! {"reservation":{..}}
//! {"binding":{..}}            added by the API
//! ```

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use dhcp::{Change, HistoryRecord, Lease, Reservation, ReservedClient, Rest, State};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::{Deserialize, Serialize};
use store::{Embedded, Failure, MAX_OPERATIONS, Store as _};
use tokio::sync::mpsc;

use super::super::gateway::{Gateway, Shared};
use super::records::{self, HISTORY, LEASE, RESERVATION};
use super::service::Leases;
use crate::api::types::{Imported, NewBinding};

/// What this version writes and reads.
const FORMAT: u32 = 1;
/// Lines that wait for a slow reader.
const WAITING: usize = 256;

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// Always the first: the format.
    GatewayExport(u32),
    Lease(Lease),
    Reservation(Reservation),
    History(HistoryRecord),
    Binding(NewBinding),
}

/// All that a backup holds.
#[derive(Debug, Default)]
pub(crate) struct Backup {
    leases: Vec<Lease>,
    reservations: Vec<Reservation>,
    history: Vec<HistoryRecord>,
    /// What the API had added.
    pub(crate) bindings: Vec<NewBinding>,
}

impl Backup {
    /// Reads all lines, or says which one is wrong.
    ///
    /// # Errors
    /// When a line is none of ours.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let mut backup = Self::default();
        let lines = bytes.split(|byte| *byte == b'\n').enumerate();
        let mut whole = false;
        for (number, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
            let number = number + 1;
            let line = match serde_json::from_slice(line) {
                Ok(line) => line,
                Err(error) => bail!("line {number} is no line of a backup: {error}"),
            };
            match line {
                Line::GatewayExport(FORMAT) => whole = true,
                Line::GatewayExport(other) => {
                    bail!("line {number}: format {other}, this gateway reads {FORMAT}")
                }
                _ if !whole => {
                    bail!("line {number}: a backup begins with {{\"gateway_export\":1}}")
                }
                Line::Lease(lease) => backup.leases.push(lease),
                Line::Reservation(reservation) => backup.reservations.push(reservation),
                Line::History(record) => backup.history.push(record),
                Line::Binding(binding) => backup.bindings.push(binding),
            }
        }
        ensure!(whole, "there is nothing in it");
        Ok(backup)
    }

    fn changes(&self) -> Vec<Change> {
        let leases = self.leases.iter().cloned().map(Change::Put);
        let reservations = self.reservations.iter().cloned().map(Change::Reserve);
        let history = self.history.iter().cloned().map(Change::History);
        leases.chain(reservations).chain(history).collect()
    }
}

/// A backup line by line: one state of the store, and the bindings.
pub(crate) fn lines(
    store: Arc<Embedded>,
    bindings: Vec<NewBinding>,
) -> impl Stream<Item = Result<Vec<u8>, Failure>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let send = |line: &[u8]| sender.blocking_send(Ok([line, b"\n"].concat())).is_ok();
        let mut reads = send(format!("{{\"gateway_export\":{FORMAT}}}").as_bytes());
        let visited = store.for_each(b"", |key, value, _| {
            let kind = match key {
                key if key.starts_with(LEASE) => "lease",
                key if key.starts_with(RESERVATION) => "reservation",
                key if key.starts_with(HISTORY) => "history",
                _ => return,
            };
            reads = reads && send(&[b"{\"", kind.as_bytes(), b"\":", value, b"}"].concat());
        });
        if let Err(error) = visited {
            tracing::error!(%error, "cannot read the store");
            // The answer is broken off: nobody takes it for whole.
            let _ = sender.blocking_send(Err(error));
            return;
        }
        for binding in bindings {
            if let Ok(line) = serde_json::to_vec(&Line::Binding(binding)) {
                reads = reads && send(&line);
            }
        }
    });
    unfold(receiver, async |mut receiver| {
        let line = receiver.recv().await?;
        Some((line, receiver))
    })
}

/// Takes a backup in. DHCP pauses meanwhile; leases for which the configuration has no room
/// end. A failure in the middle leaves a part of the backup there: import it again.
///
/// It goes on to its end even if nobody waits for it any more.
///
/// # Errors
/// When there are leases already and `replace` is not set; when the disk fails.
pub(crate) async fn import(shared: &Shared, backup: Backup, replace: bool) -> Result<Imported> {
    let shared = shared.clone();
    tokio::spawn(async move {
        // No reload meanwhile: it would open the store once more.
        let _turn = shared.reloading.lock().await;
        let Some(paused) = shared.lock().pause_leases(replace)? else {
            bail!("DHCP is not turned on: add [dhcp] to the configuration and reload");
        };
        let mut imported = Imported {
            leases: backup.leases.len(),
            reservations: backup.reservations.len(),
            history: backup.history.len(),
            ..Imported::default()
        };
        let store = paused.store.clone();
        let written = write(paused, backup).await;
        let resumed = shared.lock().resume_leases(store, &shared);
        written?;
        imported.lost = resumed?;
        Ok(imported)
    })
    .await?
}

/// What was there when leases were paused.
struct Paused {
    store: Arc<Embedded>,
    /// Milliseconds of the store's clock.
    clock: u64,
    /// How long a range rests, in seconds.
    rest: u64,
    leases: Vec<Lease>,
    /// Reservations that go because they are replaced.
    reservations: Vec<ReservedClient>,
}

/// Writes what the backup holds over what is there. Leases that it does not have end, as
/// others do: their ranges rest, and their history is closed.
async fn write(paused: Paused, mut backup: Backup) -> Result<()> {
    let now = paused.clock / 1000;
    let mut changes = Vec::new();
    let numbered = backup.leases.iter().enumerate();
    let places: BTreeMap<Ipv4Addr, usize> = numbered.map(|(at, of)| (of.address, at)).collect();
    for former in paused.leases.into_iter().filter(Lease::is_active) {
        let imported = places.get(&former.address);
        let imported = imported.and_then(|at| backup.leases.get_mut(*at));
        let same = imported.as_ref().is_some_and(|of| of.grant == former.grant);
        if same {
            continue;
        }
        changes.extend(former.history(Some(now)).map(Change::History));
        match (imported, former.grant) {
            (Some(imported), Some(grant)) => imported.rests.push(Rest {
                grant,
                until: now + paused.rest,
            }),
            (Some(_), None) => {}
            (None, _) => changes.push(Change::Put(Lease {
                state: State::Ended { at: now },
                ..former
            })),
        }
    }
    changes.extend(paused.reservations.into_iter().map(Change::Unreserve));
    changes.extend(backup.changes());
    // One operation of a batch is the clock's.
    for some in changes.chunks(MAX_OPERATIONS - 1) {
        let batch = records::batch(some, paused.clock)?;
        paused.store.commit(batch).await?;
    }
    Ok(())
}

impl Gateway {
    /// The API's bindings, as they are asked for.
    pub(crate) fn backup_of_bindings(&self) -> Vec<NewBinding> {
        let wanted = |entry: &crate::config::Entry| NewBinding {
            private: entry.spec.private.to_string(),
            public: entry.spec.public.to_string(),
            ports: entry.spec.ports.to_string(),
            name: entry.name.as_deref().map(Into::into),
        };
        self.api_entries().map(wanted).collect()
    }

    /// Stops to serve; what there was.
    fn pause_leases(&mut self, replace: bool) -> Result<Option<Paused>> {
        let Some(leases) = &mut self.leases else {
            return Ok(None);
        };
        let all: Vec<Lease> = leases
            .server
            .leases(Ipv4Addr::UNSPECIFIED)
            .cloned()
            .collect();
        let active = all.iter().filter(|lease| lease.is_active()).count();
        ensure!(
            replace || active == 0,
            "{active} phones have leases here: `gateway-ctl import --replace` ends those that the \
             backup does not have"
        );
        let reserved = leases.server.reservations();
        let own = reserved.filter(|(_, in_file)| replace && !in_file);
        let reservations = own.map(|(one, _)| one.client.clone()).collect();
        let clock = leases.now();
        let dhcp = self.plan.config.dhcp.as_ref();
        let rest = dhcp.map_or(0, |dhcp| dhcp.times.rest.as_secs());
        Ok(self.leases.take().map(|leases| Paused {
            store: leases.store.clone(),
            clock,
            rest,
            leases: all,
            reservations,
        }))
    }

    /// Goes on with what the store holds now; how many leases had no room.
    fn resume_leases(&mut self, store: Arc<Embedded>, shared: &Shared) -> Result<usize> {
        let leased: Vec<_> = self
            .plan
            .ledger
            .iter()
            .filter(|entry| entry.origin == crate::config::Origin::Lease)
            .map(|entry| entry.spec.private)
            .collect();
        for private in leased {
            self.plan.ledger.remove(private);
        }
        let (leases, lost) = Leases::with(store, &mut self.plan)?;
        self.leases = leases;
        self.apply()?;
        self.serve_phones(shared);
        Ok(lost)
    }
}
