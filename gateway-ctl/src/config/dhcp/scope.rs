//! `[[scope]]`: a network, and which of its addresses are leased.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use dhcp::{LeaseTime, Scope};
use gateway_common::Prefix;

use super::super::report::{Place, Report};
use super::super::section::{At, Section};
use super::super::sides::Inside;
use super::super::values::{self, Wrong};
use super::options;

/// How long a lease lasts where nothing is said: a working day.
const DEFAULT_LEASE_TIME: LeaseTime = LeaseTime::Finite(8 * 3600);
/// Options of RFC 2132 and RFC 3442.
const ROUTERS: u8 = 3;
const STATIC_ROUTES: u8 = 121;
/// Shorter leases are renewed more often than a phone's boot takes.
const SHORTEST: u32 = 60;

/// A scope and its line.
#[derive(Debug)]
pub(super) struct ReadScope {
    pub(super) scope: Scope,
    pub(super) at: Place,
}

pub(super) const KEYS: &[&str] = &[
    "name",
    "interface",
    "wire",
    "network",
    "addresses",
    "lease_time",
    "bootp",
    "option_159",
    "next_server",
    "boot_file",
];

pub(super) fn read(section: &Section<'_>, inside: &[Inside]) -> Option<ReadScope> {
    let network = section.required_string("network", "\"10.10.0.0/16\"");
    let network = section.checked(network, values::network);
    let interface = interface(section, inside);
    let mut addresses = Vec::new();
    for text in section
        .strings("addresses", "[\"10.10.1.0-10.10.255.254\"]")
        .unwrap_or_default()
    {
        let span = section.checked(Some(text), values::scope_addresses);
        if let (Some(span), Some(network)) = (span, network)
            && let Some(range) = leased(section, network.value, span)
        {
            addresses.push(range);
        }
    }
    let lease_time = section.string("lease_time", "\"8h\"");
    let lease_time = section.checked(lease_time, lease_time_of);
    let next_server = section.string("next_server", "\"10.10.0.1\"");
    let next_server = section.checked(next_server, values::address);
    let boot_file = section.string("boot_file", "\"phone.cfg\"");
    let options = options::read(section);
    let network = network?;
    check_network(section, network, interface, inside);
    check_routers(section, network.value, &options);
    let name = section.string("name", "\"ground floor\"");
    let text = |found: At<&str>| found.value.to_owned();
    Some(ReadScope {
        at: network.at,
        scope: Scope {
            name: name.map_or_else(|| network.value.to_string(), text),
            interface,
            wire: section.string("wire", "\"office\"").map(text),
            network: network.value,
            addresses,
            lease_time: lease_time.map_or(DEFAULT_LEASE_TIME, |found| found.value),
            bootp: section.boolean("bootp").is_some_and(|found| found.value),
            option_159: section
                .boolean("option_159")
                .is_some_and(|found| found.value),
            next_server: next_server.map(|found| found.value),
            boot_file: boot_file.map(text),
            options,
        },
    })
}

/// The inside interface that is named, by its place in the configuration.
fn interface(section: &Section<'_>, inside: &[Inside]) -> Option<usize> {
    let name = section.string("interface", "\"eth1\"")?;
    let found = inside.iter().position(|side| side.interface == name.value);
    if found.is_none() && !inside.is_empty() {
        let names: Vec<&str> = inside.iter().map(|side| side.interface.as_str()).collect();
        section.problem(
            name.at,
            format!("\"{}\" is no inside interface", name.value),
            format!("inside interfaces are: {}", names.join(", ")),
        );
    }
    found
}

/// A span of addresses that can be hosts'.
fn leased(
    section: &Section<'_>,
    network: Prefix,
    span: At<(Ipv4Addr, Ipv4Addr)>,
) -> Option<RangeInclusive<Ipv4Addr>> {
    let (mut first, mut last) = span.value;
    if !network.contains(first) || !network.contains(last) {
        section.problem(
            span.at,
            format!("{first}-{last} lies outside the scope's network {network}"),
            "lease addresses of the network only, or correct the network",
        );
        return None;
    }
    // A network's own first and last address are no hosts' (RFC 1122 section 3.2.1.3).
    let hosts = u32::MAX.checked_shr(network.length().into()).unwrap_or(0);
    if network.length() < 31 {
        let base = u32::from(network.address());
        first = first.max(Ipv4Addr::from(base + 1));
        last = last.min(Ipv4Addr::from(base + hosts - 1));
    }
    Some(first..=last)
}

/// `8h`; `infinite`; `infinite, update 8h`: for ever, and asked for news every 8 hours.
pub(super) fn lease_time_of(text: &str) -> Result<LeaseTime, Wrong> {
    let seconds = |text: &str| {
        let seconds = u32::try_from(values::duration(text)?.as_secs());
        let fitting = seconds.ok().filter(|s| (SHORTEST..u32::MAX).contains(s));
        fitting.ok_or_else(|| {
            Wrong::new(
                format!("\"{text}\" is no time for a lease, expected {SHORTEST}s or more"),
                "write a time like 8h, or infinite, or infinite, update 8h",
            )
        })
    };
    let Some(update) = text.strip_prefix("infinite") else {
        return Ok(LeaseTime::Finite(seconds(text)?));
    };
    let update = match update.trim_start_matches([',', ' ']) {
        "" => None,
        update => Some(seconds(update.trim_start_matches("update").trim())?),
    };
    Ok(LeaseTime::Infinite { update })
}

/// A phone with a binding must be in an inside network: so must a scope.
fn check_network(
    section: &Section<'_>,
    network: At<Prefix>,
    interface: Option<usize>,
    inside: &[Inside],
) {
    let within = |side: &Inside| {
        let mut networks = side.networks.iter();
        networks.any(|of| of.length() <= network.value.length() && of.overlaps(network.value))
    };
    let home = match interface {
        Some(index) => within(&inside[index]),
        None => inside.is_empty() || inside.iter().any(within),
    };
    if !home {
        let whose = match interface {
            Some(index) => format!("of {}", inside[index].interface),
            None => "of any inside interface".to_owned(),
        };
        section.problem(
            network.at,
            format!("scope {} lies in no network {whose}", network.value),
            "add it to networks of the [[inside]] that its phones are behind, relayed ones too",
        );
    }
}

/// A client can only send to a router that is on its wire. Who is told routes does not look at
/// routers (RFC 3442).
fn check_routers(section: &Section<'_>, network: Prefix, options: &[options::Written]) {
    let of = |wanted: u8| options.iter().find(|(code, _)| *code == wanted);
    let (Some((_, routers)), None) = (of(ROUTERS), of(STATIC_ROUTES)) else {
        return;
    };
    let at = section.value("routers").map_or(section.at, |(_, at)| at);
    for router in routers.as_chunks::<4>().0 {
        let router = Ipv4Addr::from(*router);
        if !network.contains(router) {
            section.problem(
                at,
                format!("router {router} lies outside the scope's network {network}"),
                "write the gateway's address in this network: phones reach no other",
            );
        }
    }
}

/// Names twice the same, and networks that overlap.
pub(super) fn check(scopes: &[ReadScope], report: &Report) {
    for (index, one) in scopes.iter().enumerate() {
        for other in &scopes[..index] {
            let place = report.refer(one.at, other.at);
            if other.scope.network.overlaps(one.scope.network) {
                let message = format!(
                    "scope {} overlaps {} ({place})",
                    one.scope.network, other.scope.network
                );
                report.problem(
                    one.at,
                    message,
                    "write one scope with both spans of addresses",
                );
            } else if other.scope.name == one.scope.name {
                let message = format!("a scope is called \"{}\" already ({place})", one.scope.name);
                report.problem(one.at, message, "give each scope a name of its own");
            }
        }
    }
}
