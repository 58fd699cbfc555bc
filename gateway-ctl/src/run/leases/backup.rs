//! Everything about leases as JSON lines: out of the store, and into one.

mod lines;
mod merge;
mod sound;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use dhcp::{Change, HistoryRecord, Lease, ReservedClient, Rest, State};
use store::{Embedded, MAX_OPERATIONS, Store as _};

use super::super::gateway::{Gateway, Shared};
use super::service::{Leases, LostCount};
use super::{history, records};
use crate::api::types::{Imported, NewBinding};

use merge::Histories;

pub(crate) use lines::{Backup, Reading, lines};

/// Takes a backup in. DHCP pauses meanwhile; leases for which the configuration has no room
/// end. A failure in the middle leaves a part of the backup there, which the status says until
/// it is imported again.
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
        let counts = backup.counts();
        let store = paused.store.clone();
        let written = write(paused, backup).await;
        let resumed = shared.lock().resume_leases(store, &shared);
        written?;
        let lost = resumed?;
        Ok(Imported {
            leases: counts.leases,
            reservations: counts.reservations,
            history: counts.history,
            bindings: 0,
            lost: lost.leases,
            lost_reservations: lost.reservations,
            lost_bindings: Vec::new(),
        })
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
    // What ends is over before what begins.
    let now = paused.clock.div_ceil(1000);
    // Batches are written in order: after one, all that came before can be read.
    paused
        .store
        .commit(records::import_begins(paused.clock)?)
        .await?;
    let mut changes = end_former(paused.leases, &mut backup.leases, now, paused.rest);
    let history = std::mem::take(&mut backup.history);
    let mut histories = Histories::of_backup(history, &backup.leases);
    let store = paused.store.clone();
    let reading = move || -> Result<Histories> {
        for_each_record(&store, |former| histories.meet(former))?;
        Ok(histories)
    };
    let histories = tokio::task::spawn_blocking(reading).await??;
    let history = histories.settle(now, &mut backup.leases);
    changes.extend(paused.reservations.into_iter().map(Change::Unreserve));
    let history = history.map(Change::History);
    let mut changes = changes
        .into_iter()
        .chain(backup.into_changes())
        .chain(history);
    loop {
        // One operation of a batch is the clock's.
        let some: Vec<Change> = changes.by_ref().take(MAX_OPERATIONS - 1).collect();
        if some.is_empty() {
            break;
        }
        let batch = records::batch(&some, paused.clock)?;
        paused.store.commit(batch).await?;
    }
    let end = records::import_ends(paused.clock)?;
    paused.store.commit(end).await?;
    Ok(())
}

fn for_each_record(store: &Embedded, mut visit: impl FnMut(HistoryRecord)) -> Result<()> {
    let mut wrong = None;
    store.for_each(records::HISTORY, |key, value, _| {
        match history::read(key, value) {
            Ok(record) => visit(record),
            Err(error) => drop(wrong.get_or_insert(error)),
        }
    })?;
    wrong.map_or(Ok(()), Err)
}

/// Leases that are there now, beside those of the backup. A phone's that the backup has too go
/// on as they are: they are newer. Others end, and their ranges rest.
fn end_former(former: Vec<Lease>, imported: &mut [Lease], now: u64, rest: u64) -> Vec<Change> {
    let mut changes = Vec::new();
    let numbered = imported.iter().enumerate();
    let places: BTreeMap<Ipv4Addr, usize> = numbered.map(|(at, of)| (of.address, at)).collect();
    for former in former {
        let place = places.get(&former.address);
        match place.and_then(|at| imported.get_mut(*at)) {
            Some(imported) if is_same(&former, imported) => *imported = former,
            Some(imported) => {
                let given = imported.grant;
                let rests = rests(&former, now, rest).filter(|rest| Some(rest.grant) != given);
                imported.rests.extend(rests);
            }
            None if former.is_active() => changes.push(Change::Put(Lease {
                state: State::Ended { at: now },
                ..former
            })),
            None => {}
        }
    }
    changes
}

/// Whether both are one, which goes on.
fn is_same(former: &Lease, imported: &Lease) -> bool {
    let both = former.is_active() && imported.is_active();
    both && former.client == imported.client && former.grant == imported.grant
}

/// What rests of a lease that is no more.
fn rests(former: &Lease, now: u64, rest: u64) -> impl Iterator<Item = Rest> {
    let ended = match former.state {
        State::Active => Some(now),
        State::Ended { at } => Some(at),
        State::Declined { .. } => None,
    };
    let until = ended.map(|ended| ended.saturating_add(rest));
    let own = former.grant.zip(until);
    let own = own.map(|(grant, until)| Rest { grant, until });
    let all = former.rests.iter().copied().chain(own);
    all.filter(move |rest| rest.until > now)
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

    /// Goes on with what the store holds now; what of it had no room.
    fn resume_leases(&mut self, store: Arc<Embedded>, shared: &Shared) -> Result<LostCount> {
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
