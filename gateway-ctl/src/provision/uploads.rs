//! Files on their way in: logs of phones, settings they keep on the server.
//!
//! ```text
//!   uploads/.partial/7        being written
//!           |  fsync, rename(2)
//!           v
//!   uploads/0004f2aabbcc/app.log     there as a whole, or as it was before
//! ```
//!
//! A phone writes into its own folder and nowhere else. Its folder has no folders: `/` in a
//! name becomes `_`. What is in `.partial` when the daemon starts is from a former one that
//! was killed, and is removed.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, ResolveFlag, openat, renameat};
use nix::sys::stat::{Mode, SFlag, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, fsync, unlinkat};
use provision::Name;

use super::files::{Content, Refused, Upload};
use super::quota::{Accounts, Quota, Share, Stored};
use super::tree;

/// Where files are written before they are whole. No phone's folder begins with a dot.
const PARTIAL: &str = ".partial";
/// A name on Linux (NAME_MAX), in bytes.
const LONGEST_NAME: usize = 255;
/// For the daemon alone: logs of phones hold numbers that were called.
const DIRECTORY_MODE: Mode = Mode::S_IRWXU;
const FILE_MODE: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR);

/// Folders of phones.
#[derive(Debug)]
pub(super) struct Uploads {
    path: PathBuf,
    root: OwnedFd,
    partial: Arc<OwnedFd>,
    accounts: Arc<Accounts>,
    next: AtomicU64,
}

impl Uploads {
    /// Takes the directory up, made if it is not there, without leftovers.
    ///
    /// # Errors
    /// When it cannot be made, or the leftovers not be removed.
    pub(super) fn start(path: &Path, quota: Quota) -> Result<Self> {
        let context = || format!("cannot use {}: set provision.uploads", path.display());
        std::fs::create_dir_all(path).with_context(context)?;
        let root = tree::directory(path).with_context(context)?;
        make_directory(&root, PARTIAL).with_context(context)?;
        let partial = open_directory(&root, PARTIAL).with_context(context)?;
        for entry in std::fs::read_dir(path.join(PARTIAL)).with_context(context)? {
            let entry = entry.with_context(context)?;
            unlinkat(
                &partial,
                entry.file_name().as_os_str(),
                UnlinkatFlags::NoRemoveDir,
            )
            .with_context(|| format!("cannot remove {}", entry.path().display()))?;
        }
        Ok(Self {
            path: path.to_owned(),
            root,
            partial: Arc::new(partial),
            accounts: Arc::new(Accounts::new(quota)),
            next: AtomicU64::new(0),
        })
    }

    /// Puts another quota in force.
    pub(super) fn set_quota(&self, quota: Quota) {
        self.accounts.set(quota);
    }

    /// A file that this phone has written before.
    pub(super) fn open(&self, mac: [u8; 6], name: &Name) -> Result<Content, Refused> {
        let path = format!("{}/{}", folder(mac), file_name(name)?);
        tree::content(&self.root, &path, ResolveFlag::RESOLVE_NO_SYMLINKS)
    }

    /// Begins a file of this phone's.
    pub(super) fn create(
        &self,
        mac: [u8; 6],
        name: &Name,
        size: Option<u64>,
    ) -> Result<Box<dyn Upload>, Refused> {
        let name = file_name(name)?;
        let folder = folder(mac);
        let failed = |error: Errno| tree::refused(&folder, error);
        make_directory(&self.root, &folder).map_err(failed)?;
        let directory = open_directory(&self.root, &folder).map_err(failed)?;
        let share = self.accounts.begin(mac, &name, size, || {
            let stored = stored(&self.path.join(&folder))?;
            Ok((stored, replaces(&directory, &name)?))
        })?;
        let mut upload = Writing {
            file: None,
            partial: Arc::clone(&self.partial),
            temporary: self.next.fetch_add(1, Ordering::Relaxed).to_string(),
            directory,
            share,
            accounts: Arc::clone(&self.accounts),
            is_ended: false,
        };
        // From here on its Drop gives back what it has.
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let file = openat(&self.partial, upload.temporary.as_str(), flags, FILE_MODE);
        upload.file = Some(File::from(file.map_err(std::io::Error::from)?));
        Ok(Box::new(upload))
    }
}

/// An upload under way.
#[derive(Debug)]
struct Writing {
    file: Option<File>,
    partial: Arc<OwnedFd>,
    /// Its name in `.partial`.
    temporary: String,
    /// The phone's folder.
    directory: OwnedFd,
    share: Share,
    accounts: Arc<Accounts>,
    is_ended: bool,
}

impl Upload for Writing {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.accounts.grow(&mut self.share, bytes.len())?;
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Refused> {
        if let Some(file) = &self.file {
            file.sync_all()?;
        }
        self.is_ended = true;
        let writing = &*self;
        let placed = writing.accounts.end(&writing.share, || {
            let (from, to) = (writing.temporary.as_str(), writing.share.name.as_str());
            renameat(&writing.partial, from, &writing.directory, to)
                .map_err(|error| Refused::Io(error.into()))
        });
        match placed {
            Ok(()) => Ok(fsync(&self.directory).map_err(std::io::Error::from)?),
            Err(error) => {
                self.remove();
                Err(error)
            }
        }
    }
}

impl Writing {
    fn remove(&self) {
        if self.file.is_some()
            && let Err(error) = unlinkat(
                &self.partial,
                self.temporary.as_str(),
                UnlinkatFlags::NoRemoveDir,
            )
        {
            tracing::warn!(%error, "what a phone began to write cannot be removed");
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.is_ended {
            self.remove();
            let _ = self.accounts.end(&self.share, || Err(Refused::NotFound));
        }
    }
}

/// A phone's folder.
fn folder(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).concat()
}

/// The name in a phone's folder.
fn file_name(name: &Name) -> Result<String, Refused> {
    let name = name.as_str().replace('/', "_");
    if name.starts_with('.') {
        return Err(Refused::Denied(format!("{name} would be a hidden file")));
    }
    if name.len() > LONGEST_NAME {
        return Err(Refused::Denied(format!(
            "the name has {} bytes, expected at most {LONGEST_NAME}",
            name.len()
        )));
    }
    Ok(name)
}

/// Makes a directory that a crash does not take away again, if it is not there.
fn make_directory(root: &OwnedFd, name: &str) -> Result<(), Errno> {
    match mkdirat(root, name, DIRECTORY_MODE) {
        Ok(()) => fsync(root),
        Err(Errno::EEXIST) => Ok(()),
        Err(error) => Err(error),
    }
}

fn open_directory(root: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY;
    tree::beneath(root.as_fd(), name, flags, ResolveFlag::RESOLVE_NO_SYMLINKS)
}

/// Bytes of the file that an upload will replace.
fn replaces(directory: &OwnedFd, name: &str) -> Result<Option<u64>, Refused> {
    match fstatat(directory, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(found) if found.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits() => {
            Ok(Some(u64::try_from(found.st_size).unwrap_or(0)))
        }
        Ok(_) => Err(Refused::Denied(format!("{name} is there and no file"))),
        Err(Errno::ENOENT) => Ok(None),
        Err(error) => Err(Refused::Io(error.into())),
    }
}

/// What lies in a phone's folder.
fn stored(folder: &Path) -> Result<Stored, Refused> {
    let mut stored = Stored::default();
    for entry in std::fs::read_dir(folder)? {
        let metadata = match entry?.metadata() {
            Ok(metadata) => metadata,
            // Removed meanwhile, by the operator.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        stored.bytes += metadata.len();
        stored.files = stored.files.saturating_add(1);
    }
    Ok(stored)
}

#[cfg(test)]
mod tests;
