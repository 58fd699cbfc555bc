//! One row or case per requirement of the RFCs: docs/rfc-compliance.md is the
//! ledger, and the two name the same.
//!
//! | file | rows about |
//! |---|---|
//! | `rfc/ways.rs` | the ways a packet goes, for all files below |
//! | `rfc/rfc4787.rs`, `rfc/rfc5382.rs`, `rfc/rfc5508.rs` | UDP, TCP, ICMP through a NAT |
//! | `rfc/rfc5508_own.rs` | the same, ICMP errors of the gateway's own and what it refuses |
//! | `rfc/rfc7857.rs`, `rfc/rfc6888.rs` | updates; many phones behind few addresses |
//! | `rfc/rfc1812.rs`, `rfc/others.rs` | what any router owes; spoofing, checksums, tiny fragments |

mod others;
mod rfc1812;
mod rfc4787;
mod rfc5382;
mod rfc5508;
mod rfc5508_own;
mod rfc6888;
mod rfc7857;
mod ways;

use std::collections::BTreeSet;

use crate::row::{Row, run};

const LEDGER: &str = include_str!("../../../docs/rfc-compliance.md");

/// What the ledger names and is no row, but a test.
const TESTS: [(&str, fn()); 1] = [(
    "rfc5508-req10f-errors-are-rate-limited",
    rfc5508_own::errors_are_rate_limited,
)];

pub(crate) fn rows() -> Vec<Row> {
    [
        rfc4787::rows(),
        rfc5382::rows(),
        rfc5508::rows(),
        rfc5508_own::rows(),
        rfc7857::rows(),
        rfc6888::rows(),
        rfc1812::rows(),
        others::rows(),
    ]
    .concat()
}

#[test]
fn requirements() {
    run(rows());
}

/// The names in the column "row" of the ledger's tables.
fn named_by_ledger() -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    let mut has_rows = false;
    for line in LEDGER.lines() {
        if !line.starts_with('|') {
            has_rows = false;
            continue;
        }
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let last = cells[cells.len() - 1];
        has_rows |= last == "row";
        if has_rows {
            names.extend(last.split('`').skip(1).step_by(2));
        }
    }
    names
}

#[test]
fn ledger_names_exist() {
    let ledger = named_by_ledger();
    assert!(ledger.len() > 100, "the ledger's tables were not found");
    let tests = TESTS.iter().map(|(name, _)| *name);
    let rows = crate::all_rows();
    let exist: BTreeSet<_> = rows.iter().map(|row| row.name).chain(tests).collect();
    let missing: Vec<_> = ledger.difference(&exist).collect();
    assert!(
        missing.is_empty(),
        "named, but there is no such row: {missing:#?}"
    );
    let unnamed: Vec<_> = exist
        .difference(&ledger)
        .filter(|name| name.starts_with("rfc"))
        .collect();
    assert!(
        unnamed.is_empty(),
        "rows that the ledger does not name: {unnamed:#?}"
    );
}
