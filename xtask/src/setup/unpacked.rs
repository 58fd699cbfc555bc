//! Debian packages unpacked below `target/` instead of installed: no script of theirs runs, and
//! packages that cannot be installed side by side can lie there side by side.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::packages::update_lists;
use crate::command::{program, run};
use crate::workspace;

/// The peers of `bench tftp`: each would be the machine's TFTP server, and conflicts with the
/// other. Then the libraries that they need and that no Debian has by itself.
const TFTP: &[&str] = &["tftpd-hpa", "atftpd", "libwrap0", "libnsl2", "libtirpc3"];

/// Unpacks what the bench of this name measures the gateway beside, unless it is there.
pub(super) fn peers_of(name: &str) -> Result<()> {
    if name != "tftp" {
        return Ok(());
    }
    let into = workspace::target_dir().join("peers/tftp");
    let programs = ["in.tftpd", "atftpd"].map(|program| into.join("usr/sbin").join(program));
    if programs.iter().all(|program| program.is_file()) {
        return Ok(());
    }
    eprintln!("setup: unpacking TFTP servers into {}", into.display());
    // Lists of another day may name a version that is gone.
    update_lists()?;
    unpack(TFTP, &into)
}

/// Fetches packages and unpacks them into a folder.
pub(crate) fn unpack(packages: &[&str], into: &Path) -> Result<()> {
    fs::create_dir_all(into).with_context(|| format!("cannot make {}", into.display()))?;
    run(program("apt-get")
        .arg("download")
        .args(packages)
        .current_dir(into))?;
    let archives = archives_in(into)?;
    if archives.len() != packages.len() {
        bail!(
            "got {} packages in {}, expected {}: remove that folder and try again",
            archives.len(),
            into.display(),
            packages.len()
        );
    }
    for archive in archives {
        run(program("dpkg-deb").arg("--extract").arg(&archive).arg(into))?;
        fs::remove_file(&archive)?;
    }
    Ok(())
}

fn archives_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut archives = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|ending| ending == "deb") {
            archives.push(path);
        }
    }
    archives.sort();
    Ok(archives)
}
