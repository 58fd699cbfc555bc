//! What is due next: each thing at most once, found in logarithmic time.

use std::collections::BTreeSet;
use std::time::Duration;

use super::RequestKey;

/// What can be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer<A> {
    /// A request of another: Pending, the reply again, or to be forgotten.
    Asked(RequestKey),
    /// A request of ours: again, or given up.
    Asking(u32),
    /// Acknowledgements.
    Acks(A),
}

/// Deadlines. Who sets one knows the one that was set before.
#[derive(Clone, Debug)]
pub(super) struct Timers<T>(BTreeSet<(Duration, T)>);

impl<T: Ord> Default for Timers<T> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<T: Copy + Ord> Timers<T> {
    pub(super) fn first(&self) -> Option<Duration> {
        self.0.first().map(|(deadline, _)| *deadline)
    }

    /// The first that is due.
    pub(super) fn pop(&mut self, now: Duration) -> Option<T> {
        if self.first()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, timer)| timer)
    }

    pub(super) fn set(&mut self, timer: T, deadline: Duration) {
        self.0.insert((deadline, timer));
    }

    pub(super) fn unset(&mut self, timer: T, deadline: Duration) {
        self.0.remove(&(deadline, timer));
    }
}
