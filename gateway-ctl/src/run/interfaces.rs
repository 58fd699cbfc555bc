//! Links come, go and change: an interface may return with another index.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::MissedTickBehavior;

use crate::net::{Links, Watch};

use super::gateway::Shared;

/// Changes come in bursts: wait for the end of one.
const SETTLE: Duration = Duration::from_millis(100);

/// How often what could not be applied is tried again.
const RETRY: Duration = Duration::from_secs(3);

/// How often a device that could not be attached to, and a port that another program has,
/// are tried again: what is in the way may go without a word of the kernel.
const ATTACH_AGAIN: Duration = Duration::from_secs(10);

/// Follows the machine's links for as long as the daemon runs.
pub(super) fn watch(shared: Shared) -> Result<()> {
    let mut watch = Watch::start().context("cannot listen to rtnetlink")?;
    tokio::spawn(async move {
        // What has changed before anybody listened.
        look(&shared).await;
        let mut retry = tokio::time::interval(RETRY);
        let mut again = tokio::time::interval(ATTACH_AGAIN);
        for interval in [&mut retry, &mut again] {
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let error = loop {
            tokio::select! {
                heard = watch.changed() => {
                    if let Err(error) = heard {
                        break error;
                    }
                    let burst = async { while watch.changed().await.is_ok() {} };
                    let _ = tokio::time::timeout(SETTLE, burst).await;
                }
                _ = retry.tick() => {
                    if !shared.lock().dirty {
                        continue;
                    }
                }
                _ = again.tick() => {
                    let gateway = shared.lock();
                    if !gateway.has_failed_to_attach() && !gateway.is_unserved() {
                        continue;
                    }
                }
            }
            look(&shared).await;
        };
        tracing::error!(%error, "changes of interfaces are no longer followed: reload applies them");
    });
    Ok(())
}

/// Asks for the links and applies what is different; later again if that fails.
pub(super) async fn look(shared: &Shared) {
    let applied = Links::read()
        .await
        .map_err(anyhow::Error::from)
        .and_then(|links| {
            let mut gateway = shared.lock();
            gateway.links_changed(&links)?;
            gateway.serve_phones(shared);
            Ok(())
        });
    if let Err(error) = applied {
        shared.lock().dirty = true;
        tracing::error!(%error, "cannot follow a change of interfaces");
    }
}
