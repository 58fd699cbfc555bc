//! `reload`: the configuration again, and what it changed.

use anyhow::Result;

use super::output::Output;
use crate::api::client::Client;
use crate::api::types::Reloaded;

/// Read the configuration again and apply what differs.
#[derive(Debug, clap::Args)]
pub(super) struct Reload {
    #[command(flatten)]
    output: Output,
}

impl Reload {
    pub(super) async fn run(&self, client: &Client) -> Result<()> {
        let done: Reloaded = client.post("/v1/reload", &()).await?;
        self.output.print(&done, text)
    }
}

fn text(done: &Reloaded) -> String {
    let mut text = format!(
        "reloaded: {} bindings added, {} removed, {} kept\n",
        done.added, done.removed, done.kept
    );
    if done.rebuilt {
        text.push_str("limits have changed: maps were made anew, counters start at zero\n");
    }
    if done.leases_ended > 0 {
        text += &format!(
            "{} leases do not fit the new configuration and have ended: gateway-ctl leases list --all\n",
            done.leases_ended
        );
    }
    if done.reservations_unmet > 0 {
        text += &format!(
            "{} reservations cannot be met now: see the daemon's log\n",
            done.reservations_unmet
        );
    }
    text
}
