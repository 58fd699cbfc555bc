//! What every engine can do.

use std::fmt::Debug;
use std::pin::Pin;

use tokio::sync::oneshot;

use crate::{Batch, CommitError, Failure, Page, Query, Revision, Watch, WatchError};

/// A future that can be had from a `dyn Store`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who hears how a batch ended.
pub type Answer = Box<dyn FnOnce(Result<Revision, CommitError>) + Send>;

/// Keys and values that survive.
///
/// Both engines keep this: a batch is there whole or not at all; what one was told is
/// committed stays; reads see every batch that was answered before they began; a watcher
/// sees each change once, in the order of revisions.
pub trait Store: Debug + Send + Sync {
    /// Hands over a batch and returns; for callers that cannot wait, or hand over many.
    ///
    /// `answer` is called exactly once. Ok says that the batch is on disk and which
    /// [`Revision`] it made; one that changed nothing is answered with the present one.
    /// Batches are written, and answered, in the order in which they were handed over; only
    /// one that cannot be handed over at all ([`CommitError::TooManyOperations`],
    /// [`CommitError::TooLarge`], [`CommitError::EmptyKey`], [`CommitError::Busy`],
    /// and [`CommitError::Failed`] once the store has failed) is answered before `submit`
    /// returns. Answers come from the store's own thread, which writes nothing meanwhile:
    /// pass them on, don't work in them.
    fn submit(&self, batch: Batch, answer: Answer);

    /// Commits a batch: it is on disk when this is ready with Ok.
    ///
    /// The batch is handed over by the call itself; to drop the future does not take it back.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] when a condition does not hold; nothing was written then.
    /// [`CommitError::Failed`] is the end of this store: whether the batch is there is not
    /// known before it was opened again. Others as in [`Store::submit`].
    fn commit(&self, batch: Batch) -> BoxFuture<'static, Result<Revision, CommitError>> {
        let (sender, answer) = oneshot::channel();
        self.submit(
            batch,
            Box::new(move |outcome| {
                // Who dropped the future does not want to know.
                let _ = sender.send(outcome);
            }),
        );
        Box::pin(async move {
            answer
                .await
                .unwrap_or(Err(CommitError::Failed(Failure::Closed)))
        })
    }

    /// Reads entries, all of one state of the store.
    ///
    /// The embedded engine reads while it is polled: 1,000 entries take about a millisecond.
    /// Where that matters, read pages ([`Query::limit`], [`Query::after`]).
    ///
    /// # Errors
    /// When the disk, or the file, is broken.
    fn read(&self, query: Query) -> BoxFuture<'_, Result<Page, Failure>>;

    /// Follows changes of keys that begin with `prefix`, from the first one after revision
    /// `after`; one that is yet to come is waited for. To miss nothing, read first, and watch
    /// after [`Page::revision`]; to resume, after [`Watch::seen`].
    ///
    /// # Errors
    /// [`WatchError::Compacted`] when changes after that revision are forgotten already: read
    /// again. [`WatchError::Failed`] when the store has failed.
    fn watch(&self, prefix: &[u8], after: Revision) -> Result<Watch, WatchError>;
}
