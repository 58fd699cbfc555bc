//! What is wrong with this router, and what to do about it.
//!
//! | file | what it looks at |
//! |---|---|
//! | `kernel.rs` | sysctls and routes: forwarding, default route, neighbour table, local ports |
//! | `devices.rs` | interfaces: state, XDP's mode, offloads |
//! | `addresses.rs` | public addresses against those of the machine |
//! | `leases.rs` | interfaces without DHCP, scopes without an address of the router, scopes and pools without room |
//! | `calls.rs` | a switch that cannot serve |
//! | `capacity.rs` | limits nearly reached, reloads that failed, rebuilt maps |

mod addresses;
mod calls;
mod capacity;
mod devices;
mod kernel;
mod leases;

use crate::api::types::{Severity, Warning};
use crate::net::{Features, Links};
use crate::run::Gateway;

pub(crate) use devices::devices;

/// Everything that is wrong, worst first.
pub(crate) fn warnings(gateway: &mut Gateway, links: &Links, features: &Features) -> Vec<Warning> {
    let mut found = Vec::new();
    devices::check(gateway, links, features, &mut found);
    kernel::check(gateway, &mut found);
    addresses::check(gateway, links, &mut found);
    capacity::check(gateway, &mut found);
    leases::check(gateway, links, &mut found);
    calls::check(gateway, &mut found);
    found.sort_by_key(|warning| warning.severity);
    found
}

fn critical(message: impl Into<String>, fix: impl Into<String>) -> Warning {
    Warning {
        severity: Severity::Critical,
        message: message.into(),
        fix: fix.into(),
    }
}

fn warning(message: impl Into<String>, fix: impl Into<String>) -> Warning {
    Warning {
        severity: Severity::Warning,
        message: message.into(),
        fix: fix.into(),
    }
}

fn notice(message: impl Into<String>, fix: impl Into<String>) -> Warning {
    Warning {
        severity: Severity::Notice,
        message: message.into(),
        fix: fix.into(),
    }
}
