//! SIGHUP reads the configuration again; SIGTERM and SIGINT end the daemon, and what
//! is pinned goes on forwarding.

use anyhow::{Context as _, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::gateway::Shared;
use super::notify::notify;
use super::reload::reload;

/// The signals that the daemon heeds.
#[derive(Debug)]
pub(super) struct Signals {
    hang_up: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on they no longer end the process at once.
    pub(super) fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot handle signals");
        Ok(Self {
            hang_up: listen(SignalKind::hangup())?,
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Reloads when asked; returns when the daemon is to end, and why.
    ///
    /// # Errors
    /// What the daemon cannot go on with.
    pub(super) async fn heed(
        mut self,
        shared: &Shared,
        mut fatal: mpsc::UnboundedReceiver<anyhow::Error>,
    ) -> Result<&'static str> {
        loop {
            tokio::select! {
                Some(error) = fatal.recv() => return Err(error),
                _ = self.hang_up.recv() => {
                    notify("RELOADING=1");
                    // What went wrong is in the log and in the status.
                    let _ = reload(shared).await;
                    notify("READY=1");
                }
                _ = self.terminate.recv() => return Ok("SIGTERM"),
                _ = self.interrupt.recv() => return Ok("SIGINT"),
            }
        }
    }
}
