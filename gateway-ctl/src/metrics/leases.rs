//! Leases, and how full scopes and pools are.

use anyhow::Result;
use dhcp::{Answer, Event, Ignored, Kind};

use super::Page;
use crate::run::Leases;

pub(super) fn leases(page: &Page, leases: &mut Leases) -> Result<()> {
    messages(page, leases)?;
    let (scopes, pools) = leases.usage();
    let addresses = page.gauges(
        "gateway_dhcp_addresses",
        "Addresses of a scope by state: free, active, ended (remembered), declined, offered.",
        &["scope", "state"],
    )?;
    let without = page.counters(
        "gateway_dhcp_exhausted_total",
        "Clients that were not answered because a scope had no address, or a pool no range.",
        &["kind", "name"],
    )?;
    for scope in &scopes {
        for (state, count) in [
            ("free", scope.free),
            ("active", scope.active as u64),
            ("ended", scope.ended as u64),
            ("declined", scope.declined as u64),
            ("offered", scope.offered as u64),
        ] {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            addresses
                .with_label_values(&[scope.name.as_str(), state])
                .set(count);
        }
        without
            .with_label_values(&["scope", scope.name.as_str()])
            .inc_by(scope.refused);
    }
    let ports = page.gauges(
        "gateway_pool_ports",
        "Ports of a pool by state: free, live (leased, bound or promised), resting.",
        &["pool", "state"],
    )?;
    for pool in &pools {
        for (state, count) in [
            ("free", pool.ports.free),
            ("live", pool.ports.live),
            ("resting", pool.ports.resting),
        ] {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            ports
                .with_label_values(&[pool.name.as_str(), state])
                .set(count);
        }
        without
            .with_label_values(&["pool", pool.name.as_str()])
            .inc_by(pool.refused);
    }
    page.gauge(
        "gateway_dhcp_commits_pending",
        "Changes of leases that wait for the disk.",
        leases.outstanding(),
    )?;
    page.counter(
        "gateway_dhcp_busy_total",
        "Messages left unread because too many changes waited for the disk.",
        leases.left_unread(),
    )
}

/// Every label has a series, zero included: a rate needs a first sample.
fn messages(page: &Page, leases: &Leases) -> Result<()> {
    let counters = leases.server.counters();
    let received = page.counters(
        "gateway_dhcp_received_total",
        "DHCP messages of clients that could be read.",
        &["type"],
    )?;
    for kind in Kind::ALL {
        received
            .with_label_values(&[kind.label()])
            .inc_by(counters.received(*kind));
    }
    let answered = page.counters(
        "gateway_dhcp_answered_total",
        "DHCP messages to clients.",
        &["type"],
    )?;
    for answer in Answer::ALL {
        answered
            .with_label_values(&[answer.label()])
            .inc_by(counters.answered(*answer));
    }
    let ignored = page.counters(
        "gateway_dhcp_ignored_total",
        "DHCP messages that were not answered, by reason.",
        &["reason"],
    )?;
    for reason in Ignored::ALL {
        ignored
            .with_label_values(&[reason.label()])
            .inc_by(counters.ignored(*reason));
    }
    let events = page.counters(
        "gateway_dhcp_events_total",
        "What became of leases, offers and probes.",
        &["event"],
    )?;
    for event in Event::ALL {
        events
            .with_label_values(&[event.label()])
            .inc_by(counters.events(*event));
    }
    Ok(())
}
