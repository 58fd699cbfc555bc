//! Links come, go and change: an interface may return with another index.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::net::{Links, Watch};

use super::gateway::Shared;

/// Changes come in bursts: wait for the end of one.
const SETTLE: Duration = Duration::from_millis(100);

/// Follows the machine's links for as long as the daemon runs.
pub(super) fn watch(shared: Shared) -> Result<()> {
    let mut watch = Watch::start().context("cannot listen to rtnetlink")?;
    tokio::spawn(async move {
        let error = loop {
            if let Err(error) = watch.changed().await {
                break error;
            }
            let burst = async { while watch.changed().await.is_ok() {} };
            let _ = tokio::time::timeout(SETTLE, burst).await;
            apply(&shared).await;
        };
        tracing::error!(%error, "changes of interfaces are no longer followed: reload applies them");
    });
    Ok(())
}

async fn apply(shared: &Shared) {
    let applied = Links::read()
        .await
        .map_err(anyhow::Error::from)
        .and_then(|links| Ok(shared.lock().links_changed(&links)?));
    if let Err(error) = applied {
        tracing::error!(%error, "cannot follow a change of interfaces");
    }
}
