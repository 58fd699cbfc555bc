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
    text
}
