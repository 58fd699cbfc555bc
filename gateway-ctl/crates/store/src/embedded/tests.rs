//! The engine against a model, on disks that fail, and with files that are not its own.

mod disk;
mod handing_over;
mod model;
mod opening;
mod power_loss;
mod watching;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use redb::backends::InMemoryBackend;

use super::*;
use crate::CommitError;

/// A store in memory that keeps so many writes for its watchers.
fn in_memory(kept_writes: usize) -> Embedded {
    let database = file::builder()
        .create_with_backend(InMemoryBackend::new())
        .expect("a new database");
    tables::initialize(&database).expect("an empty store");
    Embedded::start("memory", database, kept_writes).expect("a store")
}

/// Waits for a future whose end is near; there is no runtime in these tests.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// What a future has to say already.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

fn commit(store: &Embedded, batch: Batch) -> Result<Revision, CommitError> {
    wait(store.commit(batch))
}

fn read(store: &Embedded, query: Query) -> Page {
    wait(store.read(query)).expect("a page")
}
