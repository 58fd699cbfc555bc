//! One daemon to a state directory, and one to a pin directory.

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

/// Locks the pin directory, which is there, for as long as the value lives: two daemons with
/// state directories of their own would undo each other's bindings.
///
/// # Errors
/// When it cannot be opened, or another daemon has it. `state` is this one's state directory.
pub(crate) fn lock_pins(directory: &Path, state: &Path) -> Result<Flock<File>> {
    let file =
        File::open(directory).with_context(|| format!("cannot open {}", directory.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((_, nix::Error::EWOULDBLOCK)) => bail!(
            "another gateway runs on what is pinned at {}, with another state directory than {}: \
             stop it first (systemctl stop gateway), or give this one its own \
             dataplane.pin_directory and api.socket",
            directory.display(),
            state.display()
        ),
        Err((_, error)) => {
            Err(error).with_context(|| format!("cannot lock {}", directory.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_directory_is_one_daemons() {
        let directory = tempfile::tempdir().unwrap();
        let lock = || lock_pins(directory.path(), Path::new("/var/lib/other"));
        let first = lock().unwrap();
        let error = lock().unwrap_err().to_string();
        assert!(
            error.contains(directory.path().to_str().unwrap()),
            "{error}"
        );
        assert!(error.contains("/var/lib/other"), "{error}");
        drop(first);
        assert!(lock().is_ok());
    }
}
