//! Leases and files: interfaces that are not served, scopes and pools without room.

use ports::Ports;

use crate::api::types::Warning;
use crate::net::{Links, scopes_without_address};
use crate::run::Gateway;

use super::{critical, warning};

pub(super) fn check(gateway: &mut Gateway, links: &Links, found: &mut Vec<Warning>) {
    for homeless in scopes_without_address(&gateway.plan.config, links) {
        found.push(warning(homeless.wrong.message, homeless.wrong.fix));
    }
    for unserved in gateway.unserved_interfaces() {
        found.push(critical(
            format!("DHCP is not served on {}: {}", unserved.name, unserved.why),
            unserved.fix,
        ));
    }
    if gateway.plan.config.dhcp.is_some() && gateway.leases.is_none() {
        found.push(critical(
            "DHCP is configured and does not run: an import is under way, or has failed",
            "if it stays so: gateway-ctl reload, and see the daemon's log",
        ));
    }
    for trouble in gateway.provisioning.troubles() {
        found.push(critical(
            format!("phones get no files: {trouble}"),
            "it is tried again every 10 seconds",
        ));
    }
    let Some(leases) = &mut gateway.leases else {
        return;
    };
    if leases.half_imported {
        found.push(critical(
            "an import was broken off: only a part of the backup is there",
            "import it again: gateway-ctl import FILE --replace",
        ));
    }
    let unmet = leases.server.unmet_reservations();
    if unmet > 0 {
        found.push(warning(
            format!("{unmet} reservations cannot be met: their clients get what others get"),
            "gateway-ctl leases reservations shows those that are met; the log says at the start \
             and at a reload why one is not",
        ));
    }
    let (scopes, pools) = leases.usage();
    for scope in scopes {
        if let Some(error) = scope.error {
            found.push(critical(
                format!("scope {} is full: {error}; {} requests went without", scope.name, scope.refused),
                "widen its `addresses`, shorten its lease_time, or add a [[scope]] on the same wire",
            ));
        } else if nearly_full(scope.free, scope.active as u64) {
            found.push(warning(
                format!("scope {} has {} addresses left", scope.name, scope.free),
                "widen its `addresses`, shorten its lease_time, or add a [[scope]] on the same wire",
            ));
        }
    }
    for pool in pools {
        if let Some(error) = pool.error {
            found.push(critical(
                format!("{error}; {} requests went without", pool.refused),
                format!(
                    "add addresses to [[pool]] {}, or give its classes fewer ports",
                    pool.name
                ),
            ));
        } else if pool.ports == Ports::default() {
            found.push(warning(
                format!("pool {} has no port that could be leased", pool.name),
                "reserve fewer ports in it, or where it is shared_with_router make the router's own \
                 fewer: net.ipv4.ip_local_port_range",
            ));
        } else if nearly_full(pool.ports.free, pool.ports.live) {
            found.push(warning(
                format!("pool {} has {} ports left", pool.name, pool.ports.free),
                format!(
                    "add addresses to [[pool]] {}, or give its classes fewer ports",
                    pool.name
                ),
            ));
        }
    }
}

/// Less than a tenth is left.
fn nearly_full(free: u64, used: u64) -> bool {
    free * 9 < used
}
