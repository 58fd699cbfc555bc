//! One daemon to a state directory.

use std::fs::{File, OpenOptions};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use nix::fcntl::{Flock, FlockArg};

/// Makes the directory and locks it for as long as the value lives.
///
/// # Errors
/// When the directory cannot be made, or another daemon has it.
pub(crate) fn lock(directory: &Path) -> Result<Flock<File>> {
    std::fs::create_dir_all(directory).with_context(|| {
        format!(
            "cannot make the state directory {}: set state.directory",
            directory.display()
        )
    })?;
    let path = directory.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((_, nix::Error::EWOULDBLOCK)) => bail!(
            "another gateway runs with {}: stop it first (systemctl stop gateway), or give this \
             one its own state.directory, api.socket and dataplane.pin_directory",
            directory.display()
        ),
        Err((_, error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}
