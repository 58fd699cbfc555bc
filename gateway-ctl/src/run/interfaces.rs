//! Links come, go and change: an interface may return with another index.

use std::os::fd::AsFd as _;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::net::{Links, Watch};

use super::events::readable;
use super::gateway::Shared;

/// Changes come in bursts: wait for the end of one.
const SETTLE: Duration = Duration::from_millis(100);

/// Follows the machine's links for as long as the daemon runs.
pub(super) fn watch(shared: Shared) -> Result<()> {
    let watch = Watch::start().context("cannot listen to rtnetlink")?;
    let changes = readable(watch.as_fd()).context("cannot wait for rtnetlink")?;
    tokio::spawn(async move {
        while let Ok(mut ready) = changes.readable().await {
            ready.clear_ready();
            if !watch.changed() {
                continue;
            }
            tokio::time::sleep(SETTLE).await;
            watch.changed();
            apply(&shared);
        }
    });
    Ok(())
}

fn apply(shared: &Shared) {
    let applied = Links::read()
        .map_err(anyhow::Error::from)
        .and_then(|links| Ok(shared.lock().links_changed(&links)?));
    if let Err(error) = applied {
        tracing::error!(%error, "cannot follow a change of interfaces");
    }
}
