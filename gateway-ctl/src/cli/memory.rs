//! `memory`: what the maps take.

use anyhow::Result;

use super::output::{Output, Table, bytes};
use crate::api::client::Client;
use crate::api::types;

/// What the maps take.
#[derive(Debug, clap::Args)]
pub(super) struct Memory {
    #[command(flatten)]
    output: Output,
}

impl Memory {
    pub(super) async fn run(&self, client: &Client) -> Result<()> {
        let memory: types::Memory = client.get("/v1/memory").await?;
        self.output.print(&memory, text)
    }
}

fn text(memory: &types::Memory) -> String {
    let mut table = Table::new(&["map", "entries", "memory"]);
    for map in &memory.maps {
        table.row([map.map.clone(), map.entries.to_string(), bytes(map.bytes)]);
    }
    format!(
        "{table}\ntotal {}; of the maps that follow [limits], {} bytes for each binding there is room for\n",
        bytes(memory.total_bytes),
        memory.bytes_per_binding
    )
}
