//! The gateway on the path's router.

use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use dataplane::{Dataplane, Desired, Limits, XdpPreference};
use gateway_common::Reason;
use gateway_tests::link::Interface;

use super::interval::timed;
use super::path::Path;
use super::phones::Phones;

/// Where it pins: the router's mount namespace has a BPF file system of its own.
const PINS: &str = "/sys/fs/bpf/gateway";
/// What the maps are made for, whatever is in them.
pub(crate) const LIMITS: (u32, u32) = (1_000_000, 4096);

/// The same, as the dataplane takes it.
pub(crate) fn limits() -> Limits {
    Limits::new(LIMITS.0, LIMITS.1)
}

/// A loaded gateway. All of it wants to be called in the router's namespace.
pub(crate) struct Gateway {
    pub(crate) dataplane: Dataplane,
    desired: Desired,
}

impl Gateway {
    /// Loads these phones' bindings from nothing, with a pool of `addresses`; also how
    /// long that took.
    pub(crate) fn load(path: &Path, phones: Phones, addresses: u32) -> Result<(Self, Duration)> {
        let (mut dataplane, _) = Dataplane::open(FilePath::new(PINS), limits())?;
        let desired = phones.desired(path, addresses)?;
        let (took, changes) = timed(|| dataplane.reconcile(&desired));
        changes?;
        Ok((Self { dataplane, desired }, took))
    }

    /// Loads them and puts the programs on the router's devices.
    pub(crate) fn start(path: &Path, phones: Phones) -> Result<Self> {
        let (mut gateway, _) = Self::load(path, phones, phones.addresses())?;
        gateway.attach()?;
        Ok(gateway)
    }

    /// Puts the programs on the router's devices, in place of what is at their links.
    pub(crate) fn attach(&mut self) -> Result<()> {
        let attached = self
            .dataplane
            .attach(&self.desired.interfaces, XdpPreference::Native);
        for attachment in attached {
            attachment?;
        }
        Ok(())
    }

    /// Loads the same once more: how long it takes to find that nothing changed.
    pub(crate) fn reload(&mut self) -> Result<Duration> {
        let (took, changes) = timed(|| self.dataplane.reconcile(&self.desired));
        changes?;
        Ok(took)
    }

    /// Takes everything off again.
    pub(crate) fn stop(self) -> Result<()> {
        drop(self);
        Ok(Dataplane::detach_all(FilePath::new(PINS))?)
    }

    /// The pinned link of the XDP program on a device.
    pub(crate) fn link(device: &Interface) -> Result<PathBuf> {
        let name = format!("xdp-native-{}", device.index()?);
        Ok(FilePath::new(PINS).join("links").join(name))
    }

    /// Where the maps are pinned: there is one generation, a fresh one.
    pub(crate) fn maps() -> Result<PathBuf> {
        let mut entries = std::fs::read_dir(PINS)?.flatten();
        entries
            .find(|entry| entry.file_name().to_string_lossy().starts_with("gen-"))
            .map(|entry| entry.path())
            .context("the gateway has pinned no maps")
    }

    /// How many packets that came in on a device have ended for a reason.
    pub(crate) fn count(&self, device: &Interface, reason: Reason) -> Result<u64> {
        let all = self.dataplane.counters()?;
        let hooks = all
            .iter()
            .filter(|interface| interface.interface == device.name)
            .flat_map(|interface| &interface.hooks);
        let reasons = hooks.flat_map(|hook| &hook.reasons);
        Ok(reasons
            .filter(|(counted, _)| *counted == reason)
            .map(|(_, count)| count)
            .sum())
    }
}
