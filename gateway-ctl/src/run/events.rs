//! The dataplane's ring buffers: traced drops, early fragments, log lines.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use anyhow::{Context as _, Result};
use dataplane::Events;
use tokio::io::unix::AsyncFd;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::clock::monotonic_ns;
use super::descriptor::readable;
use super::fragments::{Held, RawSender};
use super::gateway::Shared;

/// How often held fragments are looked at while there are any.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How often log lines are fetched when they have no descriptor to wait for.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// Reads events until it is dropped.
#[derive(Debug)]
pub(crate) struct Pump(JoinHandle<()>);

impl Drop for Pump {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Pump {
    /// Starts to read what the dataplane tells.
    pub(crate) fn start(shared: &Shared) -> Result<Self> {
        let events = shared
            .lock()
            .dataplane
            .events()
            .context("cannot read events")?;
        let sender = RawSender::open().context("cannot open a raw socket for held fragments")?;
        let sources = Sources::of(&events).context("cannot wait for events")?;
        let shared = shared.clone();
        Ok(Self(tokio::spawn(async move {
            pump(shared, events, sources, sender).await
        })))
    }
}

struct Sources {
    trace: AsyncFd<OwnedFd>,
    fragments: AsyncFd<OwnedFd>,
}

impl Sources {
    fn of(events: &Events) -> std::io::Result<Self> {
        Ok(Self {
            trace: duplicate(events.trace_fd())?,
            fragments: duplicate(events.fragments_fd())?,
        })
    }
}

/// Waits for what can be read: a duplicate, which borrows nothing.
fn duplicate(fd: BorrowedFd<'_>) -> std::io::Result<AsyncFd<OwnedFd>> {
    readable(fd.try_clone_to_owned()?)
}

async fn pump(shared: Shared, mut events: Events, sources: Sources, sender: RawSender) {
    let mut held = Held::default();
    let mut look_again = tokio::time::interval(LOOK_AGAIN);
    // Ticks that nobody waited for while nothing was held are not made up for.
    look_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut log = tokio::time::interval(LOG_EVERY);
    loop {
        tokio::select! {
            ready = sources.fragments.readable() => {
                let Ok(mut ready) = ready else { return };
                ready.clear_ready();
                while let Some(fragment) = events.next_fragment() {
                    shared.lock().early_fragment(fragment, &mut held, &sender, monotonic_ns());
                }
            }
            ready = sources.trace.readable() => {
                let Ok(mut ready) = ready else { return };
                ready.clear_ready();
                while let Some(event) = events.next_trace() {
                    shared.lock().traced(&event);
                }
            }
            _ = look_again.tick(), if !held.is_empty() => {
                shared.lock().release_fragments(&mut held, &sender, monotonic_ns());
            }
            _ = log.tick() => events.flush_log(),
        }
    }
}
