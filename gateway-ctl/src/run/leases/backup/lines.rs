//! The lines of a backup: written one by one, read as they come.
//!
//! ```text
//! {"gateway_export":2}        format
//! {"history":{..}}
//! {"lease":{..}}
//! {"reservation":{..}}
//! {"binding":{..}}            added by the API
//! {"end":{"leases":1,"reservations":1,"history":1,"bindings":1}}
//! ```
//!
//! Without its last line a file is not whole, wherever it was cut off.

use std::io::BufRead as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use dhcp::{Change, HistoryRecord, Lease, Reservation};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use store::{Embedded, Failure};
use tokio::sync::mpsc;

use super::super::records::{HISTORY, LEASE, RESERVATION};
use super::sound;
use crate::api::Peer;
use crate::api::types::{Exported, NewBinding};

/// What this version writes and reads.
const FORMAT: u32 = 2;
/// The one before, whose files have no end mark.
const ENDLESS: u32 = 1;
/// Lines that wait for a slow reader.
const WAITING: usize = 256;
/// Longest line, bytes: ours have some hundreds.
const LONGEST: usize = 1 << 20;

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
    /// Always the last: how many of each there are.
    End(Exported),
}

/// All that a backup holds.
#[derive(Debug, Default)]
pub(crate) struct Backup {
    pub(super) leases: Vec<Lease>,
    pub(super) reservations: Vec<Reservation>,
    pub(super) history: Vec<HistoryRecord>,
    /// What the API had added, each with its line.
    pub(crate) bindings: Vec<(u64, NewBinding)>,
}

impl Backup {
    /// How much it holds.
    pub(super) fn counts(&self) -> Exported {
        Exported {
            leases: self.leases.len(),
            reservations: self.reservations.len(),
            history: self.history.len(),
            bindings: self.bindings.len(),
        }
    }

    /// What its leases and reservations change in a store.
    pub(super) fn into_changes(self) -> impl Iterator<Item = Change> {
        let leases = self.leases.into_iter().map(Change::Put);
        let reservations = self.reservations.into_iter().map(Change::Reserve);
        leases.chain(reservations)
    }
}

/// A backup on its way in. Errors name the line, from 1.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    backup: Backup,
    /// The line that has not ended yet.
    unended: Vec<u8>,
    /// Lines that have.
    number: u64,
    /// What the first line says.
    format: Option<u32>,
    end: Option<Exported>,
    /// Leases and reservations, each with its line.
    leases: Vec<(u64, Lease)>,
    reservations: Vec<(u64, Reservation)>,
}

impl Reading {
    /// Takes the next bytes, wherever they were cut.
    ///
    /// # Errors
    /// When a line is none of ours.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            bytes.read_until(b'\n', &mut self.unended)?;
            ensure!(
                self.unended.len() <= LONGEST,
                "line {}: longer than {LONGEST} bytes, which no line of a backup is",
                self.number + 1
            );
            if self.unended.ends_with(b"\n") {
                self.line()?;
            }
        }
        Ok(())
    }

    /// The backup, if it is whole.
    ///
    /// # Errors
    /// When it is not: what is missing. When it contradicts itself.
    pub(crate) fn finish(mut self) -> Result<Backup> {
        self.line()?;
        let counts = Exported {
            leases: self.leases.len(),
            reservations: self.reservations.len(),
            ..self.backup.counts()
        };
        let number = self.number;
        match (self.format, self.end) {
            (None, _) => bail!("there is nothing in it"),
            (Some(ENDLESS), _) => bail!(
                "format {ENDLESS} does not tell whether the file is whole: export once more, or, if \
                 you know that there were {counts}, make its first line {{\"gateway_export\":{FORMAT}}} \
                 and add as its last one {}",
                serde_json::to_string(&Line::End(counts))?
            ),
            (Some(_), None) => bail!(
                "line {number}: the file was cut off: its last line, {{\"end\":..}}, is missing, and \
                 what else came after these {counts}"
            ),
            (Some(_), Some(end)) if end != counts => bail!(
                "line {number}: lines are missing or too many: there should be {end}, there are \
                 {counts}"
            ),
            (Some(_), Some(_)) => {}
        }
        sound::check_together(&self.leases, &self.reservations)?;
        let leases = self.leases.into_iter();
        self.backup.leases = leases.map(|(_, lease)| lease).collect();
        let reservations = self.reservations.into_iter();
        self.backup.reservations = reservations.map(|(_, one)| one).collect();
        Ok(self.backup)
    }

    /// Reads the line that has ended.
    fn line(&mut self) -> Result<()> {
        let text = std::mem::take(&mut self.unended);
        if text.is_empty() {
            return Ok(());
        }
        self.number += 1;
        let number = self.number;
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        let line = serde_json::from_slice(&text).map_err(|error| match error.classify() {
            Category::Eof => anyhow::anyhow!("line {number}: the file was cut off in this line"),
            _ => anyhow::anyhow!(
                "line {number}: this is no line of a backup: {}",
                without_place(&error)
            ),
        })?;
        match (line, self.format) {
            (Line::GatewayExport(format @ (ENDLESS | FORMAT)), None) => self.format = Some(format),
            (Line::GatewayExport(other), None) => {
                bail!("line {number}: format {other}, this gateway reads {FORMAT}")
            }
            (Line::GatewayExport(_), Some(_)) => {
                bail!("line {number}: another backup begins here: import one at a time")
            }
            (_, None) => bail!(
                "line {number}: a backup begins with {{\"gateway_export\":{FORMAT}}}: its beginning is \
                 missing"
            ),
            _ if self.end.is_some() => bail!("line {number}: there is more after the end"),
            (Line::Lease(lease), _) => {
                sound::check_lease(&lease).with_context(|| format!("line {number}"))?;
                self.leases.push((number, lease));
            }
            (Line::Reservation(one), _) => self.reservations.push((number, one)),
            (Line::History(record), _) => {
                sound::check_record(&record).with_context(|| format!("line {number}"))?;
                self.backup.history.push(record);
            }
            (Line::Binding(binding), _) => self.backup.bindings.push((number, binding)),
            (Line::End(counts), _) => self.end = Some(counts),
        }
        Ok(())
    }
}

/// The error, without the place that it has within its line: the line's number is told.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

/// A backup line by line: one state of the store, and the bindings. `peer` asked for it.
pub(crate) fn lines(
    store: Arc<Embedded>,
    bindings: Vec<NewBinding>,
    peer: Peer,
) -> impl Stream<Item = Result<Vec<u8>, Failure>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        match send_all(&store, bindings, &sender) {
            Ok(Some(sent)) => tracing::info!(%peer, "exported: {sent}"),
            Ok(None) => tracing::info!(%peer, "an export was broken off by its reader"),
            Err(error) => {
                tracing::error!(%error, %peer, "cannot read the store: the export is broken off");
                // Nobody takes the answer for whole.
                let _ = sender.blocking_send(Err(error));
            }
        }
    });
    unfold(receiver, async |mut receiver| {
        let line = receiver.recv().await?;
        Some((line, receiver))
    })
}

/// What was sent; nothing if the reader has gone.
fn send_all(
    store: &Embedded,
    bindings: Vec<NewBinding>,
    sender: &mpsc::Sender<Result<Vec<u8>, Failure>>,
) -> Result<Option<Exported>, Failure> {
    let send = |line: &[u8]| sender.blocking_send(Ok([line, b"\n"].concat())).is_ok();
    let mut reads = send(format!("{{\"gateway_export\":{FORMAT}}}").as_bytes());
    let mut sent = Exported::default();
    store.for_each(b"", |key, value, _| {
        let (kind, count) = match key {
            key if key.starts_with(LEASE) => ("lease", &mut sent.leases),
            key if key.starts_with(RESERVATION) => ("reservation", &mut sent.reservations),
            key if key.starts_with(HISTORY) => ("history", &mut sent.history),
            _ => return,
        };
        *count += 1;
        reads = reads && send(&[b"{\"", kind.as_bytes(), b"\":", value, b"}"].concat());
    })?;
    for binding in bindings {
        if let Ok(line) = serde_json::to_vec(&Line::Binding(binding)) {
            sent.bindings += 1;
            reads = reads && send(&line);
        }
    }
    // Numbers can always be written.
    let end = serde_json::to_vec(&Line::End(sent)).unwrap_or_default();
    Ok((reads && send(&end)).then_some(sent))
}

#[cfg(test)]
mod tests;
