//! Why not: each error says what to do.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{MAX_BYTES, MAX_OPERATIONS, Revision};

/// The store has ended: no batch is taken any more.
///
/// After an error of the disk nobody knows what of the last writes is on it; a second
/// fsync may well succeed and mean nothing. So the first error is the last, and the truth is
/// what is found when the store is opened again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A write, a read or an fsync failed.
    #[error(
        "the disk refused {path}: {cause}: stop the daemon, check the disk, then start it again"
    )]
    Disk {
        /// The file.
        path: Arc<str>,
        /// What the system said.
        cause: Arc<str>,
    },
    /// No room, or no quota.
    #[error("no room for {path}: {cause}: make room on its disk, then start the daemon again")]
    Full {
        /// The file.
        path: Arc<str>,
        /// What the system said.
        cause: Arc<str>,
    },
    /// The file holds what was never written to it.
    #[error(
        "{path} is damaged: {cause}: check the disk, then restore the file from a backup, or move \
         it away and start with an empty store"
    )]
    Damaged {
        /// The file.
        path: Arc<str>,
        /// What was found.
        cause: Arc<str>,
    },
    /// The committer met a bug of ours.
    #[error(
        "the committer of {path} stopped: {cause}: this is a bug, please report it; start the daemon again"
    )]
    Stopped {
        /// The file.
        path: Arc<str>,
        /// Where it stopped.
        cause: Arc<str>,
    },
    /// The store was dropped.
    #[error("the store is closed: the daemon is about to end")]
    Closed,
}

/// Why a batch was not committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// A condition does not hold; nothing was written.
    #[error("key {} is not as the batch expects it: read it and decide again", key.escape_ascii())]
    Conflict {
        /// The first key whose condition does not hold.
        key: Vec<u8>,
    },
    /// More than an engine takes at once; nothing was written.
    #[error(
        "batch of {operations} operations with {conditions} conditions, expected at most \
         {MAX_OPERATIONS} of each: split it"
    )]
    TooManyOperations {
        /// Keys to be written.
        operations: usize,
        /// Conditions.
        conditions: usize,
    },
    /// More than an engine takes at once; nothing was written.
    #[error("batch of {bytes} bytes, expected at most {MAX_BYTES}: split it")]
    TooLarge {
        /// Of its keys and values.
        bytes: usize,
    },
    /// No engine can tell such a key from none; nothing was written.
    #[error("empty key, expected one byte at least")]
    EmptyKey,
    /// The disk is slower than what is asked of it; nothing was written.
    #[error("{waiting} batches wait for the disk already: try again later, or ask for less")]
    Busy {
        /// Batches that wait.
        waiting: usize,
    },
    /// The store has ended; whether this batch is there shows when it is opened again.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why a watcher hears nothing more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// It asks for changes that are forgotten, because it is slow, or was away for long.
    #[error("changes up to revision {oldest} are forgotten: read all again and watch from there")]
    Compacted {
        /// The first revision after which one can still watch.
        oldest: Revision,
    },
    /// The store has ended.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Somebody has it.
    #[error("another process has {} open: stop it first (systemctl stop gateway)", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Written by a program that knows more.
    #[error(
        "{} has format version {got}, expected {expected}: install the gateway that wrote it, or \
         restore a backup from before its upgrade", path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        got: u64,
        /// The one that this program reads and writes.
        expected: u64,
    },
    /// It cannot be reached.
    #[error("cannot open {}: {error}: check that the directory is there and the daemon may write it", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is broken, or its disk.
    #[error(transparent)]
    Failed(#[from] Failure),
}
