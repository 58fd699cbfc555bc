//! Whether `[limits]` suffice for what is configured.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use dataplane::BindingSpec;

use super::ledger::{Ledger, Origin};
use super::pool::Pool;
use super::report::{Place, Report};
use super::settings::Settings;
use super::sides::Inside;
use super::values::Wrong;

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
    let smallest = ledger.iter().min_by_key(|entry| entry.spec.ports.ports());
    if let Some(entry) = smallest
        && let Some(wrong) = too_small_a_range(settings, &entry.spec)
    {
        let at = match entry.origin {
            Origin::File(place) => place,
            Origin::Api => Place::default(),
        };
        report.problem(at, wrong.message, wrong.fix);
    }
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

/// What is wrong with a range that is smaller than the maps are made for.
pub(crate) fn too_small_a_range(settings: &Settings, spec: &BindingSpec) -> Option<Wrong> {
    let (ports, smallest) = (spec.ports.ports(), settings.limits.smallest_range);
    (ports < smallest).then(|| Wrong {
        message: format!(
            "the range of {} has {ports} ports, room is made for ranges of {smallest} and more",
            spec.private
        ),
        fix: format!(
            "{}, or give it {smallest} ports",
            fix(settings.limits_at.smallest_range, "smallest_range", ports)
        ),
    })
}

fn fix(at: Place, key: &str, value: impl std::fmt::Display) -> String {
    if at == Place::default() {
        format!("add [limits] with {key} = {value}")
    } else {
        format!("write {key} = {value} in [limits]")
    }
}

fn too_small(report: &Report, at: Place, what: &str, key: &str, wanted: usize, limit: u32) {
    let message = format!("{wanted} {what} configured, room for {limit}");
    report.problem(at, message, fix(at, key, wanted.next_multiple_of(256)));
}

/// Nodes of the dataplane's address tree: one for each /24 that something longer lies in,
/// or one for each /16 and /8 and the root, if those are more.
fn tree_nodes(inside: &[Inside], pool: &Pool, ledger: &Ledger) -> usize {
    let mut nodes = Nodes::default();
    for network in inside.iter().flat_map(|side| &side.networks) {
        nodes.add(network.address(), (usize::from(network.length()) - 1) / 8);
    }
    for (address, _) in pool.iter() {
        nodes.add(address, LEAVES);
    }
    for entry in ledger.iter() {
        nodes.add(entry.spec.private, LEAVES);
    }
    let is_leaf = |(level, _): &&(usize, u32)| *level == LEAVES;
    let leaves = nodes.found.iter().filter(is_leaf).count();
    // The root, and a leaf that stays empty.
    1 + leaves.max(nodes.found.len() - leaves)
}

/// The level of /24 networks.
const LEAVES: usize = 3;

#[derive(Default)]
struct Nodes {
    found: BTreeSet<(usize, u32)>,
    /// Addresses come in order: most lie in the /24 of the one before.
    last: Option<u32>,
}

impl Nodes {
    fn add(&mut self, address: Ipv4Addr, depth: usize) {
        let address = u32::from(address);
        if depth == LEAVES && self.last.replace(address >> 8) == Some(address >> 8) {
            return;
        }
        for level in 1..=depth {
            self.found.insert((level, address >> (32 - 8 * level)));
        }
    }
}
