//! What must survive: keys and values, written in durable transactions, and watched.
//!
//! ```text
//!  submit --+             +-------- one transaction ---------+
//!  submit --+--> queue ==>| batch: conditions hold? writes   |==> on disk ==> history ==> answers,
//!  submit --+      ^      | batch: conditions hold? writes   |                   |        in order
//!                  |      | ..                               |                   v
//!                  |      +----------------------------------+                watchers
//!                  +-- what arrives meanwhile is the next transaction
//! ```
//!
//! One thread, the committer, writes. It takes whatever came while the disk was busy with the
//! transaction before, so that a lone batch waits for nobody and a thousand share one wait for
//! the disk; there is no timer. A batch is written whole or not at all: one whose conditions
//! do not hold is refused and the others of its transaction go on. Nobody hears of a batch
//! before it is on disk, neither who submitted it, nor a reader, nor a watcher.
//!
//! Each batch that changes something is a [`Revision`] of the whole store. A reader learns
//! which one it saw, and watches from there without a gap.
//!
//! [`Store`] is what two engines can do: the embedded one here, and etcd. Its limits and the
//! meaning of its conditions are therefore those of etcd's transactions.
//!
//! | file | what it does |
//! |---|---|
//! | `batch.rs` | writes that belong together, and their conditions |
//! | `query.rs` | which entries to read; a page of them |
//! | `watch.rs` | changes since a revision, for who follows them |
//! | `history.rs` | the last changes, in memory |
//! | `engine.rs` | the trait |
//! | `error.rs` | why not |
//! | `embedded/` | the engine on one machine: a redb file |

#![forbid(unsafe_code)]

mod batch;
mod embedded;
mod engine;
mod error;
mod history;
mod query;
mod revision;
mod watch;

pub use batch::{Batch, MAX_BYTES, MAX_OPERATIONS};
pub use embedded::{Embedded, FILE_NAME, MAX_WAITING};
pub use engine::{Answer, BoxFuture, Store};
pub use error::{CommitError, Failure, OpenError, WatchError};
pub use query::{Entry, Page, Query};
pub use revision::Revision;
pub use watch::{Change, Watch, Write};
