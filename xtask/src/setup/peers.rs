//! What the benches measure the gateway beside, and with; no test needs it.

use super::packages::{Package, Probe};

const DHCP: &[Package] = &[
    Package {
        name: "kea-admin",
        probe: Probe::Program("perfdhcp"),
        why: "perfdhcp, which measures DHCP servers",
    },
    Package {
        name: "kea-dhcp4-server",
        probe: Probe::Program("kea-dhcp4"),
        why: "a DHCP server to compare with",
    },
    Package {
        name: "strace",
        probe: Probe::Program("strace"),
        why: "counts how often a server waits for its disk",
    },
];

const SWITCH: &[Package] = &[Package {
    name: "kamailio",
    probe: Probe::Program("kamailio"),
    why: "a SIP registrar and proxy to compare with",
}];

/// The packages for `cargo xtask bench NAME`.
pub(super) fn of(name: &str) -> &'static [Package] {
    match name {
        "dhcp" => DHCP,
        "switch" => SWITCH,
        _ => &[],
    }
}
