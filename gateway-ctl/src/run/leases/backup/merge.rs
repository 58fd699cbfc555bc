//! Two histories as one: what the store knows, and what a backup says.
//!
//! Whoever reads the history trusts the last record of a range that began by then. So it must
//! stay true whatever is taken in:
//!
//! - what has ended stays so: a backup that still has it open is older;
//! - a record is open if an active lease has its range since then, and else it is closed;
//! - a lease goes on since it was granted if nobody else had any of its ports meanwhile, and
//!   otherwise begins now.
//!
//! ```text
//!   store    |--- phone, granted ---| released
//!   backup   |--- phone, granted ...........
//!   import                                      |
//!   both     |--- phone ------------|           |--- phone ...
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;
use std::net::Ipv4Addr;

use dhcp::{HistoryRecord, Lease};
use gateway_common::PortRange;

/// As in the store: public address, first port, begin.
type Key = (Ipv4Addr, u16, u64);

/// Records of both, as far as they matter to each other.
#[derive(Debug)]
pub(super) struct Histories {
    records: BTreeMap<Key, Known>,
    /// What the backup has open, by public address and first port.
    open: BTreeMap<(Ipv4Addr, u16), Open>,
}

#[derive(Debug)]
struct Known {
    record: HistoryRecord,
    /// Whether the store has it just so.
    stored: bool,
}

#[derive(Debug)]
struct Open {
    last_port: u16,
    begin: u64,
}

impl Histories {
    /// Begins with what the backup says.
    pub(super) fn of_backup(history: Vec<HistoryRecord>, leases: &[Lease]) -> Self {
        let mut histories = Self {
            records: BTreeMap::new(),
            open: BTreeMap::new(),
        };
        let leases = leases.iter().filter(|lease| lease.is_active());
        for open in leases.filter_map(|lease| lease.history(None)) {
            histories.note_open(&open);
        }
        for record in history {
            if record.end.is_none() {
                histories.note_open(&record);
            }
            histories.add(record, false);
        }
        histories
    }

    fn note_open(&mut self, record: &HistoryRecord) {
        let (first, last) = (record.ports.first(), record.ports.last());
        let open = self.open.entry((record.public, first)).or_insert(Open {
            last_port: last,
            begin: record.begin,
        });
        open.last_port = open.last_port.max(last);
        open.begin = open.begin.min(record.begin);
    }

    /// Hears of a record as the store has it.
    pub(super) fn meet(&mut self, former: HistoryRecord) {
        let known = self.records.contains_key(&key(&former));
        if known || former.end.is_none() || self.is_in_the_way(&former) {
            self.add(former, true);
        }
    }

    /// The store's word counts more, and the end that came first.
    fn add(&mut self, record: HistoryRecord, stored: bool) {
        let other = self.records.remove(&key(&record));
        let other = other.filter(|other| is_same(&other.record, &record));
        let end = match (record.end, other.and_then(|other| other.record.end)) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let stored = stored && end == record.end;
        let record = HistoryRecord { end, ..record };
        self.records.insert(key(&record), Known { record, stored });
    }

    /// Whether somebody had such ports after the backup's holder of them began.
    fn is_in_the_way(&self, former: &HistoryRecord) -> bool {
        let (public, ports) = (former.public, former.ports);
        let end = former.end.unwrap_or(u64::MAX);
        let inside = self
            .open
            .range((public, ports.first())..=(public, ports.last()));
        let mut inside = inside.map(|(_, open)| open);
        let mut around = around(ports).filter_map(|first| self.open.get(&(public, first)));
        inside.any(|open| open.begin < end)
            || around.any(|open| open.begin < end && open.last_port >= ports.first())
    }

    /// Makes leases and records agree, at the second `now`. `leases`: all that are active from
    /// now on are among them. What comes out is to be written.
    pub(super) fn settle(
        mut self,
        now: u64,
        leases: &mut [Lease],
    ) -> impl Iterator<Item = HistoryRecord> + use<> {
        let mut held = BTreeSet::new();
        for lease in leases.iter_mut().filter(|lease| lease.is_active()) {
            let Some(mut open) = lease.history(None) else {
                continue;
            };
            if !self.goes_on(&open, now) {
                lease.granted_at = now;
                open.begin = now;
            }
            held.insert(key(&open));
            let there = self.records.get(&key(&open));
            if there.is_none_or(|there| !is_open(&there.record, &open)) {
                let stored = false;
                let record = open;
                self.records.insert(key(&record), Known { record, stored });
            }
        }
        let open = self.records.values().map(|known| &known.record);
        let left = open.filter(|record| record.end.is_none() && !held.contains(&key(record)));
        let ends: Vec<(Key, u64)> = left.map(|left| (key(left), self.end(left, now))).collect();
        for (key, end) in ends {
            if let Some(known) = self.records.get_mut(&key) {
                known.record.end = Some(end);
                known.stored = false;
            }
        }
        let all = self.records.into_values();
        all.filter(|known| !known.stored).map(|known| known.record)
    }

    /// Whether a phone had its range all the time since then.
    fn goes_on(&self, open: &HistoryRecord, now: u64) -> bool {
        let own = self.records.get(&key(open));
        let mut others = self
            .overlapping(open)
            .filter(|other| key(other) != key(open));
        open.begin <= now
            && own.is_none_or(|own| is_open(&own.record, open))
            && others.all(|other| other.end.is_some_and(|end| end <= open.begin))
    }

    /// When a record ended of which only that is known: when the next one had such ports.
    fn end(&self, left: &HistoryRecord, now: u64) -> u64 {
        let others = self.overlapping(left).map(|other| other.begin);
        let next = others.filter(|begin| *begin > left.begin).min();
        next.unwrap_or(now).min(now).max(left.begin)
    }

    /// All records with some of these ports.
    fn overlapping(&self, of: &HistoryRecord) -> impl Iterator<Item = &HistoryRecord> {
        let (public, ports) = (of.public, of.ports);
        let from = move |first, last| {
            self.records
                .range((public, first, 0)..=(public, last, u64::MAX))
        };
        let inside = from(ports.first(), ports.last());
        let around = around(ports).flat_map(move |first| from(first, first));
        let all = inside.chain(around).map(|(_, known)| &known.record);
        all.filter(move |other| other.ports.overlaps(ports))
    }
}

/// Where ranges begin that hold this one and begin before it: each is aligned to its size.
fn around(ports: PortRange) -> impl Iterator<Item = u16> {
    let sizes = successors(Some(ports.ports()), |size| size.checked_mul(2));
    let mut last = ports.first();
    sizes.filter_map(move |size| {
        let first = ports.first() & !(size - 1);
        (std::mem::replace(&mut last, first) != first).then_some(first)
    })
}

fn key(record: &HistoryRecord) -> Key {
    (record.public, record.ports.first(), record.begin)
}

/// Whether it is the same phone with the same range; it may have another hardware address.
fn is_same(one: &HistoryRecord, other: &HistoryRecord) -> bool {
    one.client == other.client && one.private == other.private && one.ports == other.ports
}

/// Whether this says that the other is so still.
fn is_open(there: &HistoryRecord, open: &HistoryRecord) -> bool {
    there.end.is_none() && is_same(there, open)
}

#[cfg(test)]
mod tests;
