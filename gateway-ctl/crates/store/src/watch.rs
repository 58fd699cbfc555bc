//! Changes since a revision, for who follows them.

use std::sync::Arc;

use tokio::sync::watch::Receiver;

use crate::history::{Found, History, Tip};
use crate::{Revision, WatchError};

/// What one batch changed, as far as it is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The batch.
    pub revision: Revision,
    /// What it wrote, in the order of keys; not empty.
    pub writes: Vec<Write>,
}

/// A key that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Its key.
    pub key: Vec<u8>,
    /// Its value; none: it was deleted.
    pub value: Option<Vec<u8>>,
}

/// One who follows changes.
///
/// It costs the committer nothing, however slow it is: what it has not seen is kept for all
/// watchers together, and forgotten when there is too much of it.
#[derive(Debug)]
pub struct Watch {
    history: Arc<History>,
    tip: Receiver<Tip>,
    prefix: Vec<u8>,
    seen: Revision,
}

impl Watch {
    /// Begins after a revision.
    pub(crate) fn new(
        history: &Arc<History>,
        prefix: &[u8],
        after: Revision,
    ) -> Result<Self, WatchError> {
        let tip = history.tip();
        if let Some(failure) = &tip.borrow().ended {
            return Err(failure.clone().into());
        }
        history.reaches(after)?;
        Ok(Self {
            history: Arc::clone(history),
            tip,
            prefix: prefix.to_vec(),
            seen: after,
        })
    }

    /// Waits for the next change. All that a batch wrote comes at once, so that a watcher
    /// never stands between two writes that belong together.
    ///
    /// Nothing is lost when the future is dropped before it is ready.
    ///
    /// # Errors
    /// [`WatchError::Compacted`] when the watcher was too slow; it stays so.
    /// [`WatchError::Failed`] when the store has ended and all was seen.
    pub async fn next(&mut self) -> Result<Arc<Change>, WatchError> {
        loop {
            // Before the look at the history: what comes after it wakes us again.
            let ended = self.tip.borrow_and_update().ended.clone();
            match self.history.find(self.seen, &self.prefix)? {
                Found::Change(change) => {
                    self.seen = change.revision;
                    return Ok(change);
                }
                Found::NothingUpTo(revision) => self.seen = self.seen.max(revision),
            }
            if let Some(failure) = ended {
                return Err(failure.into());
            }
            // The sender lives in the history that we hold.
            let _ = self.tip.changed().await;
        }
    }

    /// Up to where everything was seen: resume after this.
    #[must_use]
    pub fn seen(&self) -> Revision {
        self.seen
    }
}
