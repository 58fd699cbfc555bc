//! Opens a file below a directory, whatever links and races there are.
//!
//! Every open is one openat2(2) with `RESOLVE_BENEATH`: the kernel itself refuses any step
//! out of the directory, be it by `..`, by an absolute link, or by something that is moved
//! while the path is walked. Links that stay inside are followed, because operators use
//! them (`firmware-current -> firmware-8.9.3`); links of /proc are not, which lead anywhere.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::Mode;
use provision::Name;

use super::files::{Content, Refused, Source};

/// How often the kernel may say that it was disturbed: each time something above the file
/// was moved meanwhile.
const ATTEMPTS: usize = 64;

/// The operator's files.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// What lies below `root`. It may come later, and be replaced.
    pub(super) fn new(root: &Path) -> Self {
        let root = root.to_owned();
        Self { root }
    }

    /// Opens a regular file.
    pub(super) fn open(&self, name: &Name) -> Result<Content, Refused> {
        // Anew each time: who replaces the directory gets the new one.
        let root = directory(&self.root).map_err(|error| refused(name.as_str(), error))?;
        content(&root, name.as_str(), ResolveFlag::empty())
    }
}

/// A directory of the operator's.
pub(super) fn directory(path: &Path) -> Result<OwnedFd, Errno> {
    open(
        path,
        OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
}

/// Opens a regular file below a directory to read it.
pub(super) fn content(
    below: impl AsFd,
    path: &str,
    resolve: ResolveFlag,
) -> Result<Content, Refused> {
    // A FIFO without a writer would block; a terminal would become ours.
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = beneath(below, path, flags, resolve).map_err(|error| refused(path, error))?;
    let file = File::from(file);
    let metadata = file.metadata()?;
    let kind = metadata.file_type();
    if !kind.is_file() {
        let what = match () {
            () if kind.is_dir() => "a directory",
            () if kind.is_fifo() => "a FIFO",
            () if kind.is_socket() => "a socket",
            () => "a device",
        };
        return Err(Refused::Denied(format!(
            "{path} is {what}, no regular file"
        )));
    }
    Ok(Content {
        length: metadata.len(),
        bytes: Source::File(file),
    })
}

/// openat2(2), never out of the directory.
pub(super) fn beneath(
    below: impl AsFd,
    path: &str,
    flags: OFlag,
    resolve: ResolveFlag,
) -> Result<OwnedFd, Errno> {
    let resolve = resolve | ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS;
    let how = OpenHow::new()
        .flags(flags | OFlag::O_CLOEXEC)
        .resolve(resolve);
    let mut result = Err(Errno::EAGAIN);
    for _ in 0..ATTEMPTS {
        result = openat2(below.as_fd(), path, how);
        if !matches!(result, Err(Errno::EAGAIN | Errno::EINTR)) {
            break;
        }
    }
    result
}

/// What an error of open means for a phone.
pub(super) fn refused(path: &str, error: Errno) -> Refused {
    let why = match error {
        // A name that is too long, or goes on below a file, is that of no file either.
        Errno::ENOENT | Errno::ENOTDIR | Errno::ENAMETOOLONG => return Refused::NotFound,
        Errno::EAGAIN => return Refused::Busy(format!("{path} is being moved")),
        Errno::EXDEV => "leads out of its directory",
        Errno::ELOOP => "is, or goes by way of, a link that is not followed",
        Errno::EACCES | Errno::EPERM => "may not be read by the gateway: check its owner and mode",
        Errno::ENXIO | Errno::ENODEV => "is no regular file",
        error => return Refused::Io(error.into()),
    };
    Refused::Denied(format!("{path} {why}"))
}

#[cfg(test)]
mod tests;
