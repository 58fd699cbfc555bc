//! What the daemon must be allowed to do, said before anything is tried.

use anyhow::{Context as _, Result, bail};

/// Capabilities (capabilities(7)): number, name, what for.
const NEEDED: [(u32, &str, &str); 4] = [
    (12, "CAP_NET_ADMIN", "attach programs to interfaces"),
    (13, "CAP_NET_RAW", "send held fragments"),
    (
        38,
        "CAP_PERFMON",
        "have the kernel accept the programs' pointer arithmetic",
    ),
    (39, "CAP_BPF", "load programs and maps"),
];

/// Those from here on are parts of what CAP_SYS_ADMIN used to be, and still is.
const SPLIT_OFF: u32 = 38;
const SYS_ADMIN: u32 = 21;

/// # Errors
/// When a capability is missing: which one, and how to give it.
pub(super) fn check() -> Result<()> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|text| u64::from_str_radix(text.trim(), 16).ok())
        .context("no CapEff in /proc/self/status")?;
    let missing = missing(effective);
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "missing {}: run as root, or give them with AmbientCapabilities= in the systemd unit",
        missing.join(", ")
    )
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
            ["CAP_NET_RAW (to send held fragments)"]
        );
        assert_eq!(missing(0).len(), 4);
        assert_eq!(missing(1 << 21).len(), 2);
    }
}
