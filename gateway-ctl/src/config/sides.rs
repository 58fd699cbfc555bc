//! `[[inside]]` and `[[outside]]`: which interfaces, whose networks.

use dataplane::UnboundHosts;
use gateway_common::Prefix;

use super::report::{Place, Report};
use super::section::Section;
use super::values;

/// Interfaces are slots of a fixed table; slot 0 counts what came in elsewhere.
const MOST_INTERFACES: usize = gateway_common::abi::MAX_INTERFACES as usize - 1;

/// An interface with phones behind it.
#[derive(Clone, Debug)]
pub(crate) struct Inside {
    /// Its name.
    pub(crate) interface: String,
    /// The phones' networks, at least one.
    pub(crate) networks: Vec<Prefix>,
    /// What becomes of hosts without a binding.
    pub(crate) unbound_hosts: UnboundHosts,
    /// The line that names the interface.
    pub(crate) at: Place,
    networks_at: Vec<Place>,
}

/// An interface with the world behind it.
#[derive(Clone, Debug)]
pub(crate) struct Outside {
    /// Its name.
    pub(crate) interface: String,
    /// The line that names it.
    pub(crate) at: Place,
}

impl Inside {
    pub(super) const KEYS: &'static [&'static str] = &["interface", "networks", "unbound_hosts"];

    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let interface = interface(section, "\"eth1\"");
        let mut networks = Vec::new();
        let mut networks_at = Vec::new();
        for text in section.required_strings("networks", "[\"10.10.0.0/16\"]") {
            match values::network(text.value) {
                Ok(network) => {
                    networks.push(network);
                    networks_at.push(text.at);
                }
                Err(wrong) => section.problem(text.at, wrong.message, wrong.fix),
            }
        }
        let words = [
            ("drop", UnboundHosts::Drop),
            ("kernel", UnboundHosts::Kernel),
        ];
        let unbound_hosts = section.choice("unbound_hosts", &words);
        let (interface, at) = interface?;
        Some(Self {
            interface,
            networks,
            unbound_hosts: unbound_hosts.map(|found| found.value).unwrap_or_default(),
            at,
            networks_at,
        })
    }

    /// The network in which this address lies.
    pub(crate) fn contains(&self, address: std::net::Ipv4Addr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(address))
    }
}

impl Outside {
    pub(super) const KEYS: &'static [&'static str] = &["interface"];

    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let (interface, at) = interface(section, "\"eth0\"")?;
        Some(Self { interface, at })
    }
}

fn interface(section: &Section<'_>, example: &str) -> Option<(String, Place)> {
    let name = section.required_string("interface", example)?;
    let legal = !name.value.is_empty()
        && name.value.len() <= 15
        && !name.value.contains(|c: char| c == '/' || c.is_whitespace());
    if !legal {
        let message = format!("\"{}\" is no name of an interface", name.value);
        section.problem(
            name.at,
            message,
            "names have 1 to 15 characters, without blanks and /",
        );
        return None;
    }
    Some((name.value.to_owned(), name.at))
}

/// Each interface once, both sides there, networks apart from each other. A soft switch may stand
/// alone, with neither side.
pub(super) fn check(inside: &[Inside], outside: &[Outside], has_switch: bool, report: &Report) {
    let whole = Place::default();
    let alone = has_switch && inside.is_empty() && outside.is_empty();
    if inside.is_empty() && !alone {
        report.missing(
            whole,
            "no inside interface",
            "add [[inside]] with interface and networks: that is where the phones are",
        );
    }
    if outside.is_empty() && !alone {
        report.missing(
            whole,
            "no outside interface",
            "add [[outside]] with interface: that is where the world is",
        );
    }
    let total = inside.len() + outside.len();
    if total > MOST_INTERFACES {
        let message = format!("{total} interfaces, expected at most {MOST_INTERFACES}");
        report.problem(whole, message, "leave out those without phones");
    }
    check_names(inside, outside, report);
    check_networks(inside, report);
}

fn check_names(inside: &[Inside], outside: &[Outside], report: &Report) {
    let mut seen: Vec<(&str, &str, Place)> = Vec::new();
    let inside = inside
        .iter()
        .map(|side| (side.interface.as_str(), "inside", side.at));
    let outside = outside
        .iter()
        .map(|side| (side.interface.as_str(), "outside", side.at));
    for (name, side, at) in inside.chain(outside) {
        match seen.iter().find(|(other, ..)| *other == name) {
            None => seen.push((name, side, at)),
            Some((_, other_side, other)) => {
                let (at, other) = (at.max(*other), at.min(*other));
                let fix = if *other_side == side {
                    "name it once, with all its networks"
                } else {
                    "an interface is on one side; use a VLAN of its own for the phones"
                };
                let message = format!(
                    "interface {name} is named on {} already",
                    report.refer(at, other)
                );
                report.problem(at, message, fix);
            }
        }
    }
}

fn check_networks(inside: &[Inside], report: &Report) {
    let mut seen: Vec<(Prefix, &str, Place)> = Vec::new();
    for side in inside {
        for (network, at) in side.networks.iter().zip(&side.networks_at) {
            let overlapping = seen.iter().find(|(other, ..)| other.overlaps(*network));
            if let Some((other, interface, place)) = overlapping {
                let message = format!(
                    "network {network} overlaps {other} of {interface} ({})",
                    report.refer(*at, *place)
                );
                let fix = if *interface == side.interface {
                    format!("keep the larger of the two, {}", larger(*network, *other))
                } else {
                    "an address is behind one interface: make one of them smaller".to_owned()
                };
                report.problem(*at, message, fix);
            }
            seen.push((*network, &side.interface, *at));
        }
    }
}

fn larger(a: Prefix, b: Prefix) -> Prefix {
    if a.length() <= b.length() { a } else { b }
}
