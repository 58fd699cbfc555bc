//! Whether `[limits]` suffice for what is configured.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::ledger::Ledger;
use super::pool::Pool;
use super::report::{Place, Report};
use super::settings::Settings;
use super::sides::Inside;

/// Names each limit that is too small.
pub(super) fn check(
    settings: &Settings,
    inside: &[Inside],
    pool: &Pool,
    ledger: &Ledger,
    report: &Report,
) {
    let limits = settings.limits;
    let at = settings.limits_at;
    let nodes = tree_nodes(inside, pool, ledger);
    for (what, key, wanted, limit, at) in [
        (
            "bindings",
            "bindings",
            ledger.len(),
            limits.bindings,
            at.bindings,
        ),
        (
            "pool addresses",
            "pool_addresses",
            pool.len(),
            limits.pool_addresses,
            at.pool_addresses,
        ),
        (
            "nodes of the address tree",
            "tree_nodes",
            nodes,
            limits.tree_nodes,
            at.tree_nodes,
        ),
    ] {
        if wanted > limit as usize {
            too_small(report, at, what, key, wanted, limit);
        }
    }
}

fn too_small(report: &Report, at: Place, what: &str, key: &str, wanted: usize, limit: u32) {
    let message = format!("{wanted} {what} configured, room for {limit}");
    let room = wanted.next_multiple_of(256);
    let fix = if at == Place::default() {
        format!("add [limits] with {key} = {room}")
    } else {
        format!("write {key} = {room} in [limits]")
    };
    report.problem(at, message, fix);
}

/// Nodes of the dataplane's address tree: the root and one for each /8, /16 and /24
/// that something longer lies in.
fn tree_nodes(inside: &[Inside], pool: &Pool, ledger: &Ledger) -> usize {
    let mut nodes = Nodes::default();
    for network in inside.iter().flat_map(|side| &side.networks) {
        nodes.add(network.address(), (usize::from(network.length()) - 1) / 8);
    }
    for (address, _) in pool.iter() {
        nodes.add(address, 3);
    }
    for entry in ledger.iter() {
        nodes.add(entry.spec.private, 3);
    }
    1 + nodes.found.len()
}

#[derive(Default)]
struct Nodes {
    found: BTreeSet<(usize, u32)>,
    /// Addresses come in order: most lie in the /24 of the one before.
    last: Option<u32>,
}

impl Nodes {
    fn add(&mut self, address: Ipv4Addr, depth: usize) {
        let address = u32::from(address);
        if depth == 3 && self.last.replace(address >> 8) == Some(address >> 8) {
            return;
        }
        for level in 1..=depth {
            self.found.insert((level, address >> (32 - 8 * level)));
        }
    }
}
