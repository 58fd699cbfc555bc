//! `reload`: the configuration again, and what it changed.

use anyhow::Result;

use super::output::print;
use crate::api::client::Client;
use crate::api::types::Reloaded;

pub(super) async fn run(client: &Client) -> Result<()> {
    let done: Reloaded = client.post("/v1/reload", &()).await?;
    let mut text = format!(
        "reloaded: {} bindings added, {} removed, {} kept\n",
        done.added, done.removed, done.kept
    );
    if done.rebuilt {
        text.push_str("limits have changed: maps were made anew, counters start at zero\n");
    }
    print(&text)
}
