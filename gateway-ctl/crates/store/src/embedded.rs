//! The engine on one machine: a redb file, and the thread that writes it.
//!
//! | file | what it does |
//! |---|---|
//! | `file.rs` | makes the file, opens it |
//! | `tables.rs` | what is in it: entries, the revision, the format |
//! | `queue.rs` | batches that wait |
//! | `committer.rs` | makes transactions of them |
//! | `reader.rs` | reads beside it |
//! | `failure.rs` | what redb's errors mean |

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use redb::Database;

use crate::engine::{Answer, BoxFuture, Store};
use crate::history::{History, KEPT_WRITES};
use crate::{Batch, Failure, OpenError, Page, Query, Revision, Watch, WatchError};

use self::committer::Committer;
use self::failure::{Cause, reading};
use self::queue::Queue;

mod committer;
mod failure;
mod file;
mod queue;
mod reader;
mod tables;

#[cfg(test)]
mod tests;

pub use self::file::FILE_NAME;
pub use self::queue::MAX_WAITING;

/// A store in a file of this machine.
///
/// When it is dropped it commits what was handed over, and then closes the file.
pub struct Embedded {
    path: Arc<str>,
    database: Arc<Database>,
    queue: Arc<Queue>,
    history: Arc<History>,
    committer: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Embedded").field(&self.path).finish()
    }
}

impl Embedded {
    /// Opens the store in this directory, or makes it ([`FILE_NAME`], mode 0600).
    ///
    /// After a kill this takes some milliseconds, however much is in it.
    ///
    /// # Errors
    /// When another process has it, its disk is full or broken, it is damaged, or newer.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join(FILE_NAME);
        let database = file::open(directory, &path)?;
        Ok(Self::start(
            &path.display().to_string(),
            database,
            KEPT_WRITES,
        )?)
    }

    /// Begins to take batches.
    fn start(path: &str, database: Database, kept_writes: usize) -> Result<Self, Failure> {
        let path: Arc<str> = path.into();
        let failure = |cause: Cause| cause.of(&path);
        let revision = reading(|| tables::revision(&database)).map_err(failure)?;
        let database = Arc::new(database);
        let queue = Arc::new(Queue::default());
        let history = Arc::new(History::new(revision, kept_writes));
        let committer = Committer {
            path: Arc::clone(&path),
            database: Arc::clone(&database),
            queue: Arc::clone(&queue),
            history: Arc::clone(&history),
            revision,
        };
        let committer = std::thread::Builder::new()
            .name("store-committer".to_owned())
            .spawn(move || committer.run())
            .map_err(|error| failure(Cause::Stopped(format!("no thread: {error}"))))?;
        Ok(Self {
            path,
            database,
            queue,
            history,
            committer: Some(committer),
        })
    }

    /// Visits all entries whose keys begin with `prefix`, in order, without a copy: key,
    /// value, and the revision that wrote it. All are of one state of the store, whose
    /// revision is returned. 100,000 entries of 300 bytes take about 50 ms.
    ///
    /// # Errors
    /// When the disk, or the file, is broken.
    pub fn for_each(
        &self,
        prefix: &[u8],
        visit: impl FnMut(&[u8], &[u8], Revision),
    ) -> Result<Revision, Failure> {
        reader::for_each(&self.database, prefix, visit).map_err(|cause| cause.of(&self.path))
    }
}

impl Store for Embedded {
    fn submit(&self, batch: Batch, answer: Answer) {
        self.queue.push(batch, answer);
    }

    fn read(&self, query: Query) -> BoxFuture<'_, Result<Page, Failure>> {
        Box::pin(async move {
            reading(|| reader::page(&self.database, &query)).map_err(|cause| cause.of(&self.path))
        })
    }

    fn watch(&self, prefix: &[u8], after: Revision) -> Result<Watch, WatchError> {
        Watch::new(&self.history, prefix, after)
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.queue.close(Failure::Closed);
        let Some(committer) = self.committer.take() else {
            return;
        };
        // The last one to hold the store may be an answer, and a thread cannot wait for itself.
        if committer.thread().id() != std::thread::current().id() {
            // It never panics: what panics in it is caught there, and becomes a failure.
            let _ = committer.join();
        }
    }
}
