//! What the daemon must be allowed to do, said before anything is tried.

use anyhow::{Context as _, Result, bail};

use crate::config::Config;

/// Capabilities (capabilities(7)): number, name, what for.
const NEEDED: [(u32, &str, &str); 4] = [
    (12, "CAP_NET_ADMIN", "attach programs to interfaces"),
    (
        13,
        "CAP_NET_RAW",
        "send held fragments, and to answer DHCP clients without an address",
    ),
    (
        38,
        "CAP_PERFMON",
        "have the kernel accept the programs' pointer arithmetic",
    ),
    (39, "CAP_BPF", "load programs and maps"),
];

/// Needed where ports below 1024 are served: DHCP, TFTP, HTTP.
const BIND_SERVICE: (u32, &str) = (10, "CAP_NET_BIND_SERVICE");

/// Those from here on are parts of what CAP_SYS_ADMIN used to be, and still is.
const SPLIT_OFF: u32 = 38;
const SYS_ADMIN: u32 = 21;

/// # Errors
/// When a capability is missing: which one, and how to give it.
pub(super) fn check() -> Result<()> {
    let missing = missing(effective()?);
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "missing {}: run as root, or give them with AmbientCapabilities= in the systemd unit",
        missing.join(", ")
    )
}

/// # Errors
/// When phones are to be served at ports that this process may not have.
pub(super) fn check_ports(config: &Config) -> Result<()> {
    let (number, name) = BIND_SERVICE;
    let served = config.dhcp.is_some() || config.provision.is_some();
    if !served || effective()? & (1 << number) != 0 {
        return Ok(());
    }
    bail!(
        "missing {name} (to serve DHCP, TFTP and HTTP): run as root, or give it with \
         AmbientCapabilities= in the systemd unit"
    )
}

/// The process' effective capabilities, one bit each.
fn effective() -> Result<u64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|text| u64::from_str_radix(text.trim(), 16).ok())
        .context("no CapEff in /proc/self/status")
}

fn missing(effective: u64) -> Vec<String> {
    let has = |number: u32| effective & (1 << number) != 0;
    NEEDED
        .iter()
        .filter(|(number, ..)| !(has(*number) || *number >= SPLIT_OFF && has(SYS_ADMIN)))
        .map(|(_, name, why)| format!("{name} (to {why})"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn names_what_is_missing() {
        assert_eq!(missing(u64::MAX), Vec::<String>::new());
        assert_eq!(missing(!(1 << 39)), Vec::<String>::new());
        assert_eq!(
            missing(!(1 << 13)),
            ["CAP_NET_RAW (to send held fragments, and to answer DHCP clients without an address)"]
        );
        assert_eq!(missing(0).len(), 4);
        assert_eq!(missing(1 << 21).len(), 2);
    }
}
