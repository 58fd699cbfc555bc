//! What no backup of ours says: times that cannot be, and the same thing of two phones.

use std::collections::BTreeMap;
use std::fmt::Debug;

use anyhow::{Result, bail, ensure};
use dhcp::{HistoryRecord, Lease, Reservation, State};

use super::super::super::clock::{LAST_SECOND, time_text};

/// Checks a lease's times.
///
/// # Errors
/// When one is after the year 9999.
pub(super) fn check_lease(lease: &Lease) -> Result<()> {
    let state = match lease.state {
        State::Active => None,
        State::Ended { at: time } | State::Declined { until: time } => Some(time),
    };
    let times = [lease.granted_at, lease.renewed_at];
    let rests = lease.rests.iter().map(|rest| rest.until);
    let times = times.into_iter().chain(lease.expires).chain(state);
    check_times(times.chain(rests))
}

/// Checks the times of a line of the history.
///
/// # Errors
/// When one is after the year 9999, or the end before the begin.
pub(super) fn check_record(record: &HistoryRecord) -> Result<()> {
    check_times([record.begin].into_iter().chain(record.end))?;
    if let Some(end) = record.end.filter(|end| *end < record.begin) {
        let begin = time_text(record.begin);
        bail!("it ends at {} and begins later, at {begin}", time_text(end));
    }
    Ok(())
}

fn check_times(times: impl IntoIterator<Item = u64>) -> Result<()> {
    for time in times {
        ensure!(
            time <= LAST_SECOND,
            "{time} is no time: it is after the year 9999"
        );
    }
    Ok(())
}

/// Checks leases and reservations against each other, each with its line.
///
/// # Errors
/// When two leases are of one address, or two active ones share ports, or two reservations are
/// one client's.
pub(super) fn check_together(
    leases: &[(u64, Lease)],
    reserved: &[(u64, Reservation)],
) -> Result<()> {
    once(leases, |lease| (lease.address, "leases of"))?;
    once(reserved, |one| (one.client.clone(), "reservations for"))?;
    let active = leases.iter().filter(|(_, lease)| lease.is_active());
    let mut ranges: Vec<_> = active
        .filter_map(|(line, lease)| Some((lease.grant?, *line)))
        .collect();
    ranges.sort_by_key(|(grant, _)| (grant.address, grant.ports.first()));
    for pair in ranges.windows(2) {
        let [(one, line), (other, next)] = pair else {
            continue;
        };
        ensure!(
            one.address != other.address || !one.ports.overlaps(other.ports),
            "lines {} and {}: two phones have ports {} and {} of {}",
            line.min(next),
            line.max(next),
            one.ports,
            other.ports,
            one.address
        );
    }
    Ok(())
}

fn once<T, K: Ord + Debug>(all: &[(u64, T)], key: impl Fn(&T) -> (K, &'static str)) -> Result<()> {
    let mut lines = BTreeMap::new();
    for (line, one) in all {
        let (key, what) = key(one);
        if let Some(before) = lines.get(&key) {
            bail!("lines {before} and {line}: both are {what} {key:?}");
        }
        lines.insert(key, line);
    }
    Ok(())
}
