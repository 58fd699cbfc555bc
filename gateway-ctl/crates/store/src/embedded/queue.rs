//! Batches that wait for the committer.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::failure::{Cause, guarded};
use crate::engine::Answer;
use crate::{Batch, CommitError, Failure, Revision};

/// Batches that may wait. At some thousands a second it is a disk that hangs; more would only
/// fill the memory.
pub const MAX_WAITING: usize = 65_536;
/// Bytes of keys and values that may wait.
const MAX_WAITING_BYTES: usize = 64 << 20;
/// Keys that a transaction writes at most. It bounds the memory that the transaction takes, and
/// leaves watchers some transactions before the history forgets.
const GROUP_OPERATIONS: usize = 8192;
/// Bytes that a transaction writes at most, or those of one batch.
const GROUP_BYTES: usize = 8 << 20;

/// A batch, and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) waiter: Waiter,
}

/// Who hears how a batch ended: exactly once, also when nobody gets to say it.
pub(super) struct Waiter(Option<Answer>);

impl std::fmt::Debug for Waiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waiter")
    }
}

impl Waiter {
    /// Says it. An error: the one who heard it panicked.
    pub(super) fn answer(mut self, outcome: Result<Revision, CommitError>) -> Result<(), Cause> {
        match self.0.take() {
            Some(answer) => guarded(|| {
                answer(outcome);
                Ok(())
            }),
            None => Ok(()),
        }
    }

    /// Says it to the one who is handing over the batch.
    fn refuse(mut self, error: CommitError) {
        if let Some(answer) = self.0.take() {
            answer(Err(error));
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(answer) = self.0.take() {
            answer(Err(Failure::Closed.into()));
        }
    }
}

/// The batches, in the order of their arrival.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    bytes: usize,
    /// Why no more are taken.
    closed: Option<Failure>,
}

impl Queue {
    /// Adds a batch, or answers at once that it cannot be.
    pub(super) fn push(&self, batch: Batch, answer: Answer) {
        let waiter = Waiter(Some(answer));
        if let Err(error) = batch.check() {
            return waiter.refuse(error);
        }
        let mut state = self.lock();
        let bytes = batch.bytes();
        if let Some(error) = state.refusal(bytes) {
            drop(state);
            return waiter.refuse(error);
        }
        state.bytes += bytes;
        state.waiting.push_back(Job { batch, waiter });
        drop(state);
        self.arrived.notify_one();
    }

    /// Waits for batches and takes those of one transaction; none: it is closed and empty.
    pub(super) fn take(&self) -> Option<Vec<Job>> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.closed.is_some() {
                return None;
            }
            let woken = self.arrived.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
        Some(state.group())
    }

    /// Takes no more; what waits is still committed.
    pub(super) fn close(&self, failure: Failure) {
        self.lock().closed.get_or_insert(failure);
        self.arrived.notify_one();
    }

    /// Takes no more, and refuses what waits.
    pub(super) fn fail(&self, failure: &Failure) {
        let mut state = self.lock();
        state.closed = Some(failure.clone());
        state.bytes = 0;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for job in waiting {
            // Its panic can end nothing more.
            let _ = job.waiter.answer(Err(failure.clone().into()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way; answers are called without the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refusal(&self, bytes: usize) -> Option<CommitError> {
        if let Some(failure) = &self.closed {
            return Some(failure.clone().into());
        }
        let waiting = self.waiting.len();
        let full = waiting >= MAX_WAITING || self.bytes + bytes > MAX_WAITING_BYTES;
        full.then_some(CommitError::Busy { waiting })
    }

    fn group(&mut self) -> Vec<Job> {
        let (mut operations, mut bytes, mut jobs) = (0, 0, 0);
        for job in &self.waiting {
            let size = job.batch.bytes();
            // A batch that only compares is work, too.
            operations += job.batch.operations().max(1);
            bytes += size;
            if jobs > 0 && (operations > GROUP_OPERATIONS || bytes > GROUP_BYTES) {
                bytes -= size;
                break;
            }
            jobs += 1;
        }
        self.bytes -= bytes;
        self.waiting.drain(..jobs).collect()
    }
}
