//! What must hold whatever comes in: the check behind the fuzz target, the replayed corpus and
//! the property tests. A violation panics.
//!
//! An input is a sequence of messages and of what happens between them:
//!
//! ```text
//!   | what 1 | length 2 | bytes ... |  what 1 | length 2 | ..
//!     0-3: a message on interface 0 or 1 (bit 0), to broadcast or to us (bit 1)
//!     4: time passes, `length` seconds           5: the daemon is killed
//!     6: a commit is written                     7: a probe of the last address is answered
//! ```

use std::net::Ipv4Addr;

use super::pair::{Pair, Store};
use super::site::{OTHER_SERVER, SERVER, settings};
use crate::lease::HistoryRecord;

/// Most messages of an input that are handled: more find nothing new.
const MOST_STEPS: usize = 64;

/// Handles an input, checks everything after each step that changed something, and returns the
/// pair.
pub fn server(input: &[u8]) -> Pair {
    let mut settings = settings();
    settings.probe = Some(500);
    let mut pair = Pair::new(settings);
    pair.writes = false;
    let mut rest = input;
    let mut seen = None;
    for _ in 0..MOST_STEPS {
        let [what, high, low, bytes @ ..] = rest else {
            break;
        };
        let length = u16::from_be_bytes([*high, *low]);
        match what & 7 {
            message @ 0..=3 => {
                let bytes = bytes.get(..usize::from(length)).unwrap_or(bytes);
                let interface = usize::from(message & 1);
                let to = match (message & 2, interface) {
                    (0, _) => Ipv4Addr::BROADCAST,
                    (_, 0) => SERVER,
                    _ => OTHER_SERVER,
                };
                pair.send_bytes(interface, Ipv4Addr::UNSPECIFIED, to, bytes);
            }
            4 => pair.pass(u64::from(length) * 1000),
            5 => pair.kill(),
            6 => drop(pair.write_one()),
            _ => {
                if let Some((address, _)) = pair.probes.back() {
                    pair.server.in_use(pair.now, *address);
                    pair.run();
                }
            }
        }
        let takes = if what & 7 < 4 { usize::from(length) } else { 0 };
        rest = bytes.get(takes..).unwrap_or_default();
        // What changed nothing need not be checked again.
        let counts = (pair.server.offers(), pair.server.lease_count());
        let now = Some((pair.commits, counts, pair.now, what & 7 == 5));
        if std::mem::replace(&mut seen, now) != now {
            pair.server.check(pair.now);
        }
    }
    settle(&mut pair);
    pair
}

/// Writes all, then compares the store and the dataplane with the server.
///
/// # Panics
/// When they differ.
pub fn settle(pair: &mut Pair) {
    while pair.write_one() {}
    pair.server.check(pair.now);
    let leases = pair.server.leases(Ipv4Addr::UNSPECIFIED);
    assert!(
        leases.eq(pair.store.leases.values()),
        "the store has other leases"
    );
    let leases = pair.server.leases(Ipv4Addr::UNSPECIFIED);
    let active = leases.filter(|lease| lease.is_active() && lease.grant.is_some());
    let active = active.map(|lease| (lease.address, lease.grant));
    let bound = pair
        .bound
        .values()
        .map(|lease| (lease.address, lease.grant));
    assert!(active.eq(bound), "the dataplane has other bindings");
    let open = pair
        .store
        .history
        .values()
        .filter(|record| record.end.is_none());
    for record in open {
        let lease = pair.server.lease(record.private);
        let lease = lease.filter(|lease| lease.is_active());
        let grant = lease.and_then(|lease| lease.grant);
        let holds = grant.is_some_and(|g| (g.address, g.ports) == (record.public, record.ports));
        assert!(holds, "the history does not end: {record:?}");
    }
}

/// Checks that no port was two clients' at a time, nor another's before it had rested so many
/// seconds.
///
/// # Panics
/// When one was.
pub fn check_history(store: &Store, rest: u64) {
    let records: Vec<&HistoryRecord> = store.history.values().collect();
    for (at, one) in records.iter().enumerate() {
        for other in &records[at + 1..] {
            if one.public != other.public || !one.ports.overlaps(other.ports) {
                continue;
            }
            let (first, second) = match one.begin <= other.begin {
                true => (one, other),
                false => (other, one),
            };
            let rest = if first.client == second.client {
                0
            } else {
                rest
            };
            let over = first.end.is_some_and(|end| end + rest <= second.begin);
            assert!(over, "{first:?} and {second:?}");
        }
    }
}
