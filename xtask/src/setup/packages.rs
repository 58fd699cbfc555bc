//! Debian packages, installed by name.

use std::path::Path;

use anyhow::{Result, bail};

use super::services::{self, Quiet};
use crate::command::{find_program, program, run, status};
use crate::privilege;

/// Seconds to wait for another that is installing packages.
const LOCK_TIMEOUT: u32 = 300;

/// One package and how to see whether what it brings is there, whoever brought it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) probe: Probe,
    pub(crate) why: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Probe {
    Program(&'static str),
    Path(&'static str),
}

impl Probe {
    fn found(self) -> bool {
        match self {
            Self::Program(name) => find_program(name).is_some(),
            Self::Path(path) => Path::new(path).exists(),
        }
    }
}

/// Installs those of `packages` whose probe finds nothing.
pub(crate) fn ensure(packages: &[Package]) -> Result<()> {
    let missing: Vec<&Package> = packages.iter().filter(|p| !p.probe.found()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("setup: installing Debian packages:");
    for package in &missing {
        eprintln!("    {:20} {}", package.name, package.why);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    install(&names)?;
    for package in missing {
        if !package.probe.found() {
            let (name, probe) = (package.name, package.probe);
            bail!("package {name} is installed, but did not bring {probe:?}");
        }
    }
    Ok(())
}

fn install(names: &[&str]) -> Result<()> {
    let by_hand = format!(
        "apt-get update && apt-get install -y --no-install-recommends {}",
        names.join(" ")
    );
    if find_program("apt-get").is_none() {
        bail!(
            "there is no apt-get; install by hand what Debian 12 calls: {}",
            names.join(" ")
        );
    }
    if !privilege::is_root() {
        bail!("installing packages needs root; type:\n    sudo sh -c '{by_hand}'");
    }
    update_lists()?;
    let quiet = Quiet::begin()?;
    run(program("apt-get")
        .args(["install", "-y", "-q", "--no-install-recommends"])
        .args(["-o", &format!("DPkg::Lock::Timeout={LOCK_TIMEOUT}")])
        // Settings that a removed package left are kept: nobody is there to be asked.
        .args(["-o", "Dpkg::Options::=--force-confold"])
        .args(names)
        .env("DEBIAN_FRONTEND", "noninteractive"))?;
    services::disable(names)?;
    drop(quiet);
    Ok(())
}

/// Reads the package lists anew. A source that cannot be reached may be one that we don't need, so
/// only the install that follows decides.
pub(crate) fn update_lists() -> Result<()> {
    let status = status(program("apt-get").args(["update", "-q"]))?;
    if !status.success() {
        eprintln!("setup: apt-get update failed ({status}); trying with the lists at hand");
    }
    Ok(())
}
