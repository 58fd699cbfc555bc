//! `who ADDRESS:PORT`: whose a public port is.

use std::net::SocketAddrV4;

use anyhow::Result;

use super::output::Output;
use crate::api::client::Client;
use crate::api::types;

/// Whose a public port is.
#[derive(Debug, clap::Args)]
pub(super) struct Who {
    /// Public address and port, as in 198.51.100.1:40003.
    #[arg(value_name = "ADDRESS:PORT")]
    at: SocketAddrV4,
    #[command(flatten)]
    output: Output,
}

impl Who {
    pub(super) async fn run(&self, client: &Client) -> Result<()> {
        let path = format!("/v1/who?address={}&port={}", self.at.ip(), self.at.port());
        let who: types::Who = client.get(&path).await?;
        self.output.print(&who, text)
    }
}

fn text(who: &types::Who) -> String {
    let at = format!("{}:{}", who.address, who.port);
    match (&who.binding, who.owner.as_str()) {
        (Some(binding), _) => {
            let name = binding
                .name
                .as_deref()
                .map(|name| format!(" ({name})"))
                .unwrap_or_default();
            format!(
                "{at} is {}{name}, ports {}, on {}\n",
                binding.private, binding.ports, binding.interface
            )
        }
        (None, "router") => format!("{at} is in no range: it is the router's own\n"),
        (None, "free") => format!("{at} is in no range: packets to it are dropped\n"),
        (None, _) => format!("{at} is not in the pool\n"),
    }
}
