//! Who runs on which core.
//!
//! In lockstep both ends wait for each other. On cores of their own, what is measured is how
//! long it takes to wake a core: on a virtual machine, ten times as long as a server takes
//! for a block, and the same for every server. On one core nobody has to be woken: what is
//! measured is what a block costs.

use anyhow::{Context as _, Result};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::gettid;

/// The core of both, where they share one.
const SHARED: usize = 0;

/// `taskset`'s word for where the server runs.
pub(super) fn list(shared: bool) -> String {
    let last = std::thread::available_parallelism().map_or(0, |cores| cores.get() - 1);
    match shared {
        true => SHARED.to_string(),
        false => format!("0-{last}"),
    }
}

/// Keeps the calling thread on the shared core.
pub(super) fn share() -> Result<()> {
    let mut cores = CpuSet::new();
    cores.set(SHARED)?;
    sched_setaffinity(gettid(), &cores).context("cannot keep the client on a core")
}
