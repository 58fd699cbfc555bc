//! How a namespace comes and goes: its name, its mounts, its removal, and the removal of those
//! that a killed run left behind.
//!
//! The name carries the process id of its maker. A test process that is killed cannot clean up,
//! but the next one can: a name with our prefix whose process is dead was made by us and is
//! nobody's any more. No other namespace is ever touched.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail, ensure};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};

use super::PREFIX;

const NETNS_DIRECTORY: &str = "/run/netns";
/// Entries of the kernel's neighbour table, which is one for all namespaces of the machine: its
/// default of 1,024 lets one lab make another fail.
const NEIGHBOUR_LIMIT: u32 = 65_536;
/// Longest part of a test's name that goes into a namespace's.
const TEST_NAME_LENGTH: usize = 48;

/// Once per process: checks for root, removes stale namespaces, makes room for neighbours.
pub(super) fn prepare_machine() -> Result<()> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "network namespaces need root: run the tests as root, for example with `sudo -E`"
    );
    static PREPARED: Once = Once::new();
    PREPARED.call_once(|| {
        collect_stale();
        raise_neighbour_limit();
    });
    Ok(())
}

/// `sgt-<pid>-<n>-<test>-<role>`, never given twice while this process lives.
pub(super) fn unique_name(role: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    // The test harness names each test's thread after the test.
    let thread = std::thread::current();
    let test: String = thread
        .name()
        .unwrap_or("unnamed")
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .take(TEST_NAME_LENGTH)
        .collect();
    format!("{PREFIX}{}-{number}-{test}-{role}", std::process::id())
}

/// Makes the namespace `name`: descriptors of its network and of its mount namespace.
pub(super) fn create(name: &str) -> Result<(OwnedFd, OwnedFd)> {
    let output = Command::new("ip")
        .args(["netns", "add", name])
        .stdin(Stdio::null())
        .output()
        .context("start `ip`: install iproute2")?;
    if !output.status.success() {
        bail!(
            "`ip netns add {name}`: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let open = || -> Result<(OwnedFd, OwnedFd)> {
        let network = File::open(path_of(name)).context("open it")?.into();
        let mounts = private_mounts(&network)?;
        Ok((network, mounts))
    };
    open()
        .inspect_err(|_| remove(name))
        .with_context(|| format!("namespace {name}"))
}

/// Removes the namespace `name`, which this crate made; one that is gone already is no error.
pub(super) fn remove(name: &str) {
    let path = path_of(name);
    // Drop cannot fail, and what is left here the next run collects.
    let _ = umount2(&path, MntFlags::MNT_DETACH);
    let _ = fs::remove_file(&path);
}

fn path_of(name: &str) -> PathBuf {
    Path::new(NETNS_DIRECTORY).join(name)
}

/// Builds the mount namespace that goes with `network` and returns a descriptor that holds it.
fn private_mounts(network: &OwnedFd) -> Result<OwnedFd> {
    // A thread of its own, since a mount namespace is a property of a thread: it ends here and
    // leaves nothing but the descriptor.
    std::thread::scope(|scope| scope.spawn(|| mount_inside(network)).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn mount_inside(network: &OwnedFd) -> Result<OwnedFd> {
    const NONE: Option<&str> = None;
    setns(network, CloneFlags::CLONE_NEWNET).context("join the network namespace")?;
    unshare(CloneFlags::CLONE_NEWNS).context("unshare the mount namespace")?;
    // Slave, not private: when another test's namespace is unmounted on the machine, the copy
    // here has to go too, else it would keep that namespace alive.
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE)
        .context("make / a slave mount")?;
    // sysfs shows the network devices of the namespace in which it was mounted.
    umount2("/sys", MntFlags::MNT_DETACH).context("unmount /sys")?;
    mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), NONE).context("mount /sys")?;
    mount(
        Some("bpf"),
        "/sys/fs/bpf",
        Some("bpf"),
        MsFlags::empty(),
        NONE,
    )
    .context("mount /sys/fs/bpf")?;
    let held = File::open("/proc/thread-self/ns/mnt").context("open the mount namespace")?;
    Ok(held.into())
}

/// Removes the namespaces of test processes that were killed.
fn collect_stale() {
    let Ok(directory) = fs::read_dir(NETNS_DIRECTORY) else {
        return; // Nobody has made a namespace on this machine yet.
    };
    for entry in directory.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if maker(&name).is_some_and(is_dead) {
            remove(&name);
        }
    }
}

/// The process id in a namespace's name, if the name is one of ours.
fn maker(name: &str) -> Option<u32> {
    let (pid, rest) = name.strip_prefix(PREFIX)?.split_once('-')?;
    let (number, _) = rest.split_once('-')?;
    number.parse::<u32>().ok()?;
    pid.parse().ok()
}

/// Whether the process that carried `pid` is no more. This process counts as dead here: it has
/// made no namespace yet, so one with its id is from an earlier process with the same id.
fn is_dead(pid: u32) -> bool {
    pid == std::process::id() || !Path::new(&format!("/proc/{pid}")).exists()
}

fn raise_neighbour_limit() {
    // Three files, in an order that never puts a lower threshold above a higher one. They exist
    // in the machine's first namespace only; elsewhere there is nothing that could be raised.
    for (file, limit) in [
        ("gc_thresh3", NEIGHBOUR_LIMIT),
        ("gc_thresh2", NEIGHBOUR_LIMIT / 2),
        ("gc_thresh1", NEIGHBOUR_LIMIT / 4),
    ] {
        let path = format!("/proc/sys/net/ipv4/neigh/default/{file}");
        let now = fs::read_to_string(&path)
            .ok()
            .and_then(|text| text.trim().parse::<u32>().ok());
        if now.is_some_and(|now| now < limit) {
            let _ = fs::write(&path, limit.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_have_a_maker() {
        assert_eq!(maker("sgt-123-0-some_test-router"), Some(123));
        for foreign in [
            "router",
            "sgt-",
            "sgt-router",
            "sgt-12-router",
            "sgt-12-x-router",
            "cni-1-2-x",
        ] {
            assert_eq!(maker(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn names_differ() {
        assert_ne!(unique_name("router"), unique_name("router"));
    }
}
