//! Who runs on which core.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use gateway_tests::wait::eventually;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::{Pid, gettid};

/// What has a core of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Core {
    /// The router's receive side, and test runs.
    Router,
    /// The generator.
    Generator,
    /// Who starts and stops it, on the same core and ahead of it.
    Control,
}

impl Core {
    /// The last core is the router's, the first the generator's.
    fn number(self) -> usize {
        match self {
            Self::Router => cores() - 1,
            Self::Generator | Self::Control => 0,
        }
    }
}

/// How many cores there are, wherever the calling thread may run.
fn cores() -> usize {
    let online = nix::unistd::sysconf(nix::unistd::SysconfVar::_NPROCESSORS_ONLN);
    let known = online.ok().flatten();
    known.and_then(|cores| cores.try_into().ok()).unwrap_or(1)
}

/// Keeps the calling thread on a core.
pub(crate) fn pin_this_thread(core: Core) -> Result<()> {
    pin(gettid(), core)
}

/// Keeps the NAPI thread of a device on a core.
pub(crate) fn pin_napi(device: &str, core: Core) -> Result<()> {
    let thread = eventually(Duration::from_secs(2), || {
        napi_thread(device).ok_or_else(|| format!("no thread napi/{device}-*"))
    })
    .map_err(|why| anyhow!(why))?;
    pin(thread, core)
}

fn pin(thread: Pid, core: Core) -> Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core.number())?;
    sched_setaffinity(thread, &cores)?;
    claim(thread, core)
}

/// Puts the thread ahead of whatever else this machine does.
///
/// A generator that is interrupted would offer nothing for a while, and the gateway
/// would be measured waiting for it: it has real-time priority, which no other group
/// of processes can share in. A kernel thread belongs to no group: nice is enough.
fn claim(thread: Pid, core: Core) -> Result<()> {
    let id = thread.to_string();
    let words = match core {
        Core::Generator => ["chrt", "-f", "-p", "1", &id],
        Core::Control => ["chrt", "-f", "-p", "2", &id],
        Core::Router => ["renice", "-n", "-20", "-p", &id],
    };
    let output = Command::new(words[0]).args(&words[1..]).output();
    let output = output.with_context(|| format!("start `{}`: install util-linux", words[0]))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {said}", words.join(" "));
    Ok(())
}

fn napi_thread(device: &str) -> Option<Pid> {
    let name = format!("napi/{device}-");
    let processes = fs::read_dir("/proc").ok()?;
    processes.flatten().find_map(|process| {
        let id = process.file_name().into_string().ok()?.parse().ok()?;
        let comm = fs::read_to_string(process.path().join("comm")).ok()?;
        comm.starts_with(&name).then(|| Pid::from_raw(id))
    })
}
