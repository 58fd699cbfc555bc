//! Makes transactions of batches: all that wait, one wait for the disk, then the answers.
//!
//! redb could do with one fsync (data and header at once; checksums tell after a crash
//! whether all of it arrived). We ask for its two-phase commit with the allocator's state
//! in it (`set_quick_repair`), for two reasons:
//!
//! - Opening after a kill. With one fsync redb reads the whole file then, to check it and
//!   to find its free pages: 280 ms for 300,000 entries (257 MB) in the page cache and 1.5 s
//!   from disk, growing with the file. With the state stored it took 1 to 3 ms.
//! - An fsync that fails. The kernel may afterwards show pages that never reached the disk. With
//!   two phases nothing refers to those; with one, a restarted daemon could build on them.
//!
//! It costs about a third of the transactions a second of one client alone and an eighth of the
//! batches a second when hundreds wait.

use std::sync::Arc;

use redb::Database;

use super::failure::{Cause, guarded};
use super::queue::{Job, Queue};
use super::tables::{self, ENTRIES, META, Outcome};
use crate::history::History;
use crate::{Batch, Change, CommitError, Failure, Revision};

/// The thread that writes.
#[derive(Debug)]
pub(super) struct Committer {
    pub(super) path: Arc<str>,
    pub(super) database: Arc<Database>,
    pub(super) queue: Arc<Queue>,
    pub(super) history: Arc<History>,
    /// What is on disk.
    pub(super) revision: Revision,
}

/// A transaction that is on disk.
#[derive(Debug, Default)]
struct Written {
    /// One to each batch.
    answers: Vec<Result<Revision, CommitError>>,
    changes: Vec<Change>,
}

impl Committer {
    /// Works until the queue is closed, or the first failure.
    pub(super) fn run(mut self) {
        // An answer may panic; who waits behind it must hear of it.
        let ended = guarded(|| Ok(self.work()));
        let failure = match ended {
            Ok(Ok(())) => Failure::Closed,
            Ok(Err(failure)) => failure,
            Err(cause) => cause.of(&self.path),
        };
        self.history.end(failure.clone());
        self.queue.fail(&failure);
    }

    fn work(&mut self) -> Result<(), Failure> {
        while let Some(group) = self.queue.take() {
            self.commit(group)?;
        }
        Ok(())
    }

    fn commit(&mut self, group: Vec<Job>) -> Result<(), Failure> {
        let (batches, waiters): (Vec<_>, Vec<_>) =
            group.into_iter().map(|job| (job.batch, job.waiter)).unzip();
        match guarded(|| self.transaction(batches)) {
            Ok(written) => {
                if let Some(newest) = written.changes.last() {
                    self.revision = newest.revision;
                    self.history.extend(written.changes);
                }
                for (waiter, answer) in waiters.into_iter().zip(written.answers) {
                    waiter.answer(answer);
                }
                Ok(())
            }
            Err(cause) => {
                let failure = cause.of(&self.path);
                // Before anybody hears of it and hands over the next one.
                self.queue.close(failure.clone());
                for waiter in waiters {
                    waiter.answer(Err(failure.clone().into()));
                }
                Err(failure)
            }
        }
    }

    /// Returns when all that the batches changed is on disk.
    fn transaction(&self, batches: Vec<Batch>) -> Result<Written, Cause> {
        let mut written = Written::default();
        let mut revision = self.revision;
        // Its durability is `Immediate` unless one says otherwise.
        let mut transaction = self.database.begin_write()?;
        transaction.set_quick_repair(true);
        let mut entries = transaction.open_table(ENTRIES)?;
        for batch in batches {
            let answer = match tables::apply(&mut entries, batch, revision.next())? {
                Outcome::Changed(writes) => {
                    revision = revision.next();
                    written.changes.push(Change { revision, writes });
                    Ok(revision)
                }
                Outcome::Unchanged => Ok(revision),
                Outcome::Conflict(key) => Err(CommitError::Conflict { key }),
            };
            written.answers.push(answer);
        }
        drop(entries);
        if revision == self.revision {
            transaction.abort()?;
        } else {
            tables::set_revision(&mut transaction.open_table(META)?, revision)?;
            transaction.commit()?;
        }
        Ok(written)
    }
}
