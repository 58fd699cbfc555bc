//! Whether `[limits]` suffice for what is configured.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use dataplane::BindingSpec;
use gateway_common::port_range::FIRST_PORT;

use super::dhcp::Dhcp;
use super::ledger::Ledger;
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
    dhcp: Option<&Dhcp>,
    report: &Report,
) {
    let limits = settings.limits;
    let at = settings.limits_at;
    let smallest = ledger.iter().min_by_key(|entry| entry.spec.ports.ports());
    if let Some(entry) = smallest
        && let Some(wrong) = too_small_a_range(settings, &entry.spec)
    {
        report.problem(entry.origin.place(), wrong.message, wrong.fix);
    }
    let nodes = tree_nodes(inside, pool, ledger, dhcp);
    let leases = dhcp.map_or(0, |dhcp| most_leases(dhcp, pool));
    let bindings = match leases {
        0 => "bindings configured".to_owned(),
        _ => format!(
            "bindings, {} configured and {leases} that may be leased",
            ledger.len()
        ),
    };
    for (what, key, wanted, limit, at) in [
        (
            bindings.as_str(),
            "bindings",
            ledger.len() + leases,
            limits.bindings,
            at.bindings,
        ),
        (
            "pool addresses configured",
            "pool_addresses",
            pool.len(),
            limits.pool_addresses,
            at.pool_addresses,
        ),
        (
            "nodes of the address tree configured",
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
    let message = format!("{wanted} {what}, room for {limit}");
    report.problem(at, message, fix(at, key, wanted.next_multiple_of(256)));
}

/// Leases with ranges that there can be at once: addresses or ranges are used up first.
pub(crate) fn most_leases(dhcp: &Dhcp, pool: &Pool) -> usize {
    let Some(ports) = dhcp.classes.iter().filter_map(|class| class.ports).min() else {
        return 0;
    };
    let spans = dhcp.scopes.iter().flat_map(|scope| &scope.addresses);
    let length = |span: &RangeInclusive<Ipv4Addr>| {
        (u32::from(*span.end()) - u32::from(*span.start())) as usize + 1
    };
    // Those of reservations may lie beside the spans.
    let reserved = dhcp.reservations.len();
    let addresses = spans.map(length).sum::<usize>() + reserved;
    let ranges = pool.len() * usize::from((u16::MAX - FIRST_PORT) / ports + 1);
    addresses.min(ranges)
}

/// Nodes of the dataplane's address tree: one for each /24 that something longer lies in,
/// or one for each /16 and /8 and the root, if those are more.
fn tree_nodes(inside: &[Inside], pool: &Pool, ledger: &Ledger, dhcp: Option<&Dhcp>) -> usize {
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
    let reservations = dhcp.iter().flat_map(|dhcp| &dhcp.reservations);
    for address in reservations.filter_map(|reservation| reservation.address) {
        nodes.add(address, LEAVES);
    }
    for scope in dhcp.iter().flat_map(|dhcp| &dhcp.scopes) {
        for span in &scope.addresses {
            for leaf in u32::from(*span.start()) >> 8..=u32::from(*span.end()) >> 8 {
                nodes.add(Ipv4Addr::from(leaf << 8), LEAVES);
            }
        }
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
