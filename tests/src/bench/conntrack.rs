//! Room for a million connections. The limits belong to the machine: they are raised
//! while the bench runs and put back afterwards.

use std::fs;

use anyhow::{Context, Result};
use gateway_tests::netns::Namespace;

/// Entries at most: twice what the bench makes.
const ENTRIES: u64 = 2 << 20;
/// Hash buckets: two for each connection, which has two entries.
const BUCKETS: u64 = 2 << 20;

const LIMITS: [(&str, u64); 2] = [
    ("/proc/sys/net/netfilter/nf_conntrack_buckets", BUCKETS),
    ("/proc/sys/net/netfilter/nf_conntrack_max", ENTRIES),
];

/// Raised limits; dropping it puts the old ones back.
#[derive(Debug)]
pub(crate) struct Raised {
    before: Vec<(&'static str, String)>,
}

impl Raised {
    /// Raises what is lower.
    pub(crate) fn new() -> Result<Self> {
        let mut raised = Self { before: Vec::new() };
        for (file, wanted) in LIMITS {
            let now = fs::read_to_string(file).with_context(|| format!("{file}: no conntrack"))?;
            if now.trim().parse::<u64>().is_ok_and(|now| now < wanted) {
                fs::write(file, wanted.to_string()).with_context(|| file.to_owned())?;
                raised.before.push((file, now));
            }
        }
        Ok(raised)
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        for (file, before) in &self.before {
            if let Err(error) = fs::write(file, before.trim()) {
                eprintln!("{file} stays raised, it was {}: {error}", before.trim());
            }
        }
    }
}

/// What a user who tunes it sets in the router: connections outlive the bench, and
/// checksums are left to the receivers.
pub(crate) fn tune(router: &Namespace) -> Result<()> {
    router.sysctl("net.netfilter.nf_conntrack_udp_timeout", 3600)?;
    router.sysctl("net.netfilter.nf_conntrack_checksum", 0)
}

/// How many connections the router tracks.
pub(crate) fn connections(router: &Namespace) -> Result<u64> {
    let file = "/proc/sys/net/netfilter/nf_conntrack_count";
    let text = router.enter(|| fs::read_to_string(file));
    Ok(text.with_context(|| file.to_owned())?.trim().parse()?)
}
