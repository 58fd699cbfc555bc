//! Limits nearly reached, reloads that failed, maps that were rebuilt.

use dataplane::Opened;

use crate::api::types::Warning;
use crate::run::Gateway;

use super::{critical, notice, warning};

pub(super) fn check(gateway: &Gateway, found: &mut Vec<Warning>) {
    let limits = gateway.dataplane.limits();
    for (what, key, used, room) in [
        (
            "bindings",
            "bindings",
            gateway.plan.ledger.len(),
            limits.bindings,
        ),
        (
            "pool addresses",
            "pool_addresses",
            gateway.plan.config.pool.len(),
            limits.pool_addresses,
        ),
        (
            "nodes of the address tree",
            "tree_nodes",
            gateway.dataplane.used_tree_nodes(),
            limits.tree_nodes,
        ),
    ] {
        // More than nine tenths.
        if used as u64 * 10 > u64::from(room) * 9 {
            found.push(warning(
                format!("{used} of {room} {what} are in use"),
                format!("raise {key} in [limits] and reload; where maps are then made anew, counters start at zero"),
            ));
        }
    }
    if !gateway.dataplane.is_pinned() {
        found.push(critical(
            "the dataplane's pins are gone: somebody has removed them, and perhaps its programs",
            "systemctl restart gateway",
        ));
    }
    if !gateway.reload.ok {
        let error = gateway.reload.error.as_deref().unwrap_or("unknown");
        found.push(warning(
            format!("the last reload, {}, failed: {error}", gateway.reload.at),
            format!("gateway-ctl check {}", gateway.config_path.display()),
        ));
    }
    if let Opened::Rebuilt { why } = &gateway.opened {
        found.push(notice(
            format!("the dataplane was built anew ({why}): counters began at zero then"),
            "nothing: bindings are complete; expect a step in graphs",
        ));
    }
    if !gateway.needs_restart.is_empty() {
        found.push(notice(
            format!(
                "changed in the file, but fixed since the start: {}",
                gateway.needs_restart.join(", ")
            ),
            "systemctl restart gateway: traffic goes on meanwhile",
        ));
    }
}
