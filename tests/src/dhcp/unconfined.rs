//! Programs that AppArmor confines to Debian's own paths and scripts (dhclient, kea-dhcp4): the
//! profile goes by the program's path, so it gets another one, in the lab's mounts only.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};

use crate::netns::Namespace;

/// Puts `program` into `directory` as well, for what runs in `ns`; where it is to be started.
///
/// # Errors
/// When there is no such program, or the directory cannot be written to.
pub fn unconfined(ns: &Namespace, program: &Path, directory: &Path) -> Result<PathBuf> {
    const NONE: Option<&str> = None;
    let name = program.file_name().context("a program has a name")?;
    let path = directory.join(name);
    std::fs::File::create(&path).with_context(|| format!("make {}", path.display()))?;
    let mounted = ns.enter(|| mount(Some(program), &path, NONE, MsFlags::MS_BIND, NONE));
    mounted.with_context(|| format!("mount {} on {}", program.display(), path.display()))?;
    Ok(path)
}
