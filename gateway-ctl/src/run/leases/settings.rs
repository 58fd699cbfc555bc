//! From the plan to what the DHCP server is told.

use std::ops::RangeInclusive;
use std::time::Duration;

use dhcp::{Interface, Settings};
use ports::{Grant, Rules, SERVICES};

use super::super::plan::Plan;
use crate::config::{Dhcp, Origin};

/// Where the kernel takes ports for the router's own connections from.
const EPHEMERAL: &str = "/proc/sys/net/ipv4/ip_local_port_range";

/// What the server is to do by this plan.
pub(super) fn settings(plan: &Plan, dhcp: &Dhcp) -> Settings {
    let inside = plan.interfaces.iter().take(plan.config.inside.len());
    let own = plan.interfaces.iter().filter_map(|known| known.address);
    let bindings = plan
        .ledger
        .iter()
        .filter(|entry| entry.origin != Origin::Lease)
        .map(|entry| {
            let (address, ports) = (entry.spec.public, entry.spec.ports);
            (entry.spec.private, Some(Grant { address, ports }))
        });
    let times = dhcp.times;
    Settings {
        interfaces: inside
            .map(|known| Interface {
                name: known.name.clone(),
                address: known.address.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED),
            })
            .collect(),
        scopes: dhcp.scopes.clone(),
        allow_macs: dhcp.allow_macs.clone(),
        classes: dhcp.classes.clone(),
        reservations: dhcp.reservations.clone(),
        pools: pools(plan, times.rest.as_secs()),
        occupied: own.map(|address| (address, None)).chain(bindings).collect(),
        probe: times.probe.map(millis),
        offer_hold: times.offer.as_secs(),
        decline_rest: times.decline.as_secs(),
        remember: times.remember.as_secs(),
        smallest_range: plan.config.settings.limits.smallest_range,
        early_renewal: true,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Pools, without what is the router's on an address that it shares: its ephemeral ports are
/// left out of ranges, because moving them would be felt by everything else that runs on it.
fn pools(plan: &Plan, rest: u64) -> Vec<Rules> {
    let ephemeral = ephemeral_ports();
    let groups = plan.config.pool.groups().iter();
    groups
        .map(|group| {
            let reserved = group.reserved.iter().map(|span| span.first..=span.last);
            let shared = ephemeral.clone().filter(|_| group.shared);
            Rules {
                name: group.name.clone(),
                addresses: group.addresses.clone(),
                kept_out: reserved
                    .chain(shared)
                    .chain(SERVICES.iter().cloned())
                    .collect(),
                rest,
            }
        })
        .collect()
}

/// The router's own ephemeral ports.
fn ephemeral_ports() -> Option<RangeInclusive<u16>> {
    let text = std::fs::read_to_string(EPHEMERAL).ok()?;
    let mut words = text.split_whitespace();
    let (first, last) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(first..=last)
}
