//! Packet tables: bytes in, bytes out, verdict and counters, through the real
//! programs (`BPF_PROG_TEST_RUN`), XDP and tc alike.
//!
//! | file | rows about |
//! |---|---|
//! | `bed.rs`, `shared.rs` | the router that they run on, and one for all of them |
//! | `row.rs`, `run.rs` | what a row is, and how it is run |
//! | `outbound.rs`, `inbound.rs`, `hairpin.rs` | the three ways |
//! | `icmp.rs`, `icmp_errors.rs`, `answers.rs` | echo, errors passing through, errors of the gateway's own |
//! | `fragments.rs`, `tags.rs`, `kernel.rs`, `malformed.rs`, `egress.rs` | what their names say |
//! | `rfc.rs`, `rfc/` | one row per requirement: docs/rfc-compliance.md |
//! | `limits.rs` | the verifier's head-room, memory, a million bindings |
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod bed;
mod egress;
mod fragments;
mod hairpin;
mod icmp;
mod icmp_errors;
mod inbound;
mod kernel;
mod limits;
mod malformed;
mod outbound;
mod reconcile;
mod rfc;
mod row;
mod run;
mod shared;
mod tags;

/// Every row of every table: the ledger's names are looked up here.
fn all_rows() -> Vec<row::Row> {
    [
        outbound::rows(),
        inbound::rows(),
        hairpin::rows(),
        icmp::rows(),
        icmp_errors::rows(),
        answers::rows(),
        fragments::rows(),
        tags::rows(),
        kernel::rows(),
        malformed::rows(),
        egress::rows(),
        rfc::rows(),
    ]
    .concat()
}

#[test]
fn row_names_are_unique() {
    let mut names: Vec<_> = all_rows().into_iter().map(|row| row.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "two rows have one name");
}
