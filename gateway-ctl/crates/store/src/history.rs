//! The last changes, in memory, for all watchers together.
//!
//! ```text
//!            base                                newest
//!   forgotten  |  base+1 | base+2 | ..  | newest   |  still to come
//!              +-----------------------------------+
//! ```
//!
//! One change to a revision without a gap, so that a watcher's place is an index.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::{Change, Failure, Revision, WatchError, Write};

/// Writes that are kept: what a fast burst of leases makes in some seconds.
pub(crate) const KEPT_WRITES: usize = 65_536;
/// Bytes of keys and values that are kept.
const KEPT_BYTES: usize = 32 << 20;

/// The last changes.
#[derive(Debug)]
pub(crate) struct History {
    kept: Mutex<Kept>,
    tip: watch::Sender<Tip>,
}

/// The end that grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tip {
    /// Nothing grows any more, and why.
    pub(crate) ended: Option<Failure>,
}

#[derive(Debug)]
struct Kept {
    base: Revision,
    changes: VecDeque<Arc<Change>>,
    writes: usize,
    bytes: usize,
    limit: usize,
}

/// What a watcher finds.
#[derive(Debug)]
pub(crate) enum Found {
    /// This.
    Change(Arc<Change>),
    /// No such key was written up to here.
    NothingUpTo(Revision),
}

impl History {
    /// Begins at a revision, and keeps so many writes.
    pub(crate) fn new(base: Revision, limit: usize) -> Self {
        let kept = Kept {
            base,
            changes: VecDeque::new(),
            writes: 0,
            bytes: 0,
            limit,
        };
        Self {
            kept: Mutex::new(kept),
            tip: watch::Sender::default(),
        }
    }

    /// Tells watchers of a transaction, whose changes are those of the next revisions.
    pub(crate) fn extend(&self, changes: Vec<Change>) {
        let mut kept = self.lock();
        for change in changes {
            kept.push(change);
        }
        drop(kept);
        self.tip.send_modify(|_| {});
    }

    /// Tells watchers that nothing follows.
    pub(crate) fn end(&self, failure: Failure) {
        self.tip.send_modify(|tip| {
            tip.ended.get_or_insert(failure);
        });
    }

    /// What wakes a watcher.
    pub(crate) fn tip(&self) -> watch::Receiver<Tip> {
        self.tip.subscribe()
    }

    /// Whether nothing after this revision is forgotten.
    pub(crate) fn reaches(&self, after: Revision) -> Result<(), WatchError> {
        self.lock().reaches(after)
    }

    /// The first change of such keys after a revision.
    pub(crate) fn find(&self, after: Revision, prefix: &[u8]) -> Result<Found, WatchError> {
        let kept = self.lock();
        kept.reaches(after)?;
        let seen = usize::try_from(after.0 - kept.base.0).unwrap_or(usize::MAX);
        let seen = seen.min(kept.changes.len());
        for change in kept.changes.range(seen..) {
            let watched = |write: &&Write| write.key.starts_with(prefix);
            let writes = change.writes.iter().filter(watched).count();
            if writes == change.writes.len() {
                return Ok(Found::Change(Arc::clone(change)));
            }
            if writes > 0 {
                let writes = change.writes.iter().filter(watched).cloned().collect();
                let revision = change.revision;
                return Ok(Found::Change(Arc::new(Change { revision, writes })));
            }
        }
        Ok(Found::NothingUpTo(kept.newest()))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing in here panics half-way.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn newest(&self) -> Revision {
        Revision(self.base.0 + self.changes.len() as u64)
    }

    fn reaches(&self, after: Revision) -> Result<(), WatchError> {
        if after < self.base {
            return Err(WatchError::Compacted { oldest: self.base });
        }
        Ok(())
    }

    fn push(&mut self, change: Change) {
        debug_assert_eq!(change.revision, self.newest().next());
        self.writes += change.writes.len();
        self.bytes += bytes(&change);
        self.changes.push_back(Arc::new(change));
        while (self.writes > self.limit || self.bytes > KEPT_BYTES)
            && let Some(oldest) = self.changes.pop_front()
        {
            self.writes -= oldest.writes.len();
            self.bytes -= bytes(&oldest);
            self.base = oldest.revision;
        }
    }
}

fn bytes(change: &Change) -> usize {
    let bytes = |write: &Write| write.key.len() + write.value.as_ref().map_or(0, Vec::len);
    change.writes.iter().map(bytes).sum()
}
