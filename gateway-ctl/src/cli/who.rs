//! `who ADDRESS:PORT [--at TIME]`: whose a public port is, or was.

use std::net::SocketAddrV4;

use anyhow::Result;

use super::output::Output;
use crate::api::client::Client;
use crate::api::types;

/// Whose a public port is, or was: the history of leases knows.
#[derive(Debug, clap::Args)]
pub(super) struct Who {
    /// Public address and port, as in 198.51.100.1:40003.
    #[arg(value_name = "ADDRESS:PORT")]
    port: SocketAddrV4,
    /// When: 2026-11-21T10:00:00Z (UTC), or 2026-11-21T11:00:00+01:00. Without it: now.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    #[command(flatten)]
    output: Output,
}

impl Who {
    pub(super) async fn run(&self, client: &Client) -> Result<()> {
        let mut path = format!(
            "/v1/who?address={}&port={}",
            self.port.ip(),
            self.port.port()
        );
        if let Some(at) = &self.at {
            // What may stand in a time and means something in a query: a blank, and a plus.
            path += &format!("&at={}", at.replace('+', "%2B").replace(' ', "%20"));
        }
        let who: types::Who = client.get(&path).await?;
        self.output.print(&who, text)
    }
}

fn text(who: &types::Who) -> String {
    let at = format!("{}:{}", who.address, who.port);
    if let Some(time) = &who.at {
        return match (&who.lease, who.owner.as_str()) {
            (Some(had), _) => {
                let until = had
                    .end
                    .as_ref()
                    .map_or_else(|| "and still is".to_owned(), |end| format!("until {end}"));
                format!(
                    "{at} was {} (mac {}, client {}), ports {}, from {} {until}\n",
                    had.private, had.mac, had.client_id, had.ports, had.begin
                )
            }
            (None, "binding") => {
                let binding = who.binding.as_ref();
                let today = binding.map(|binding| {
                    format!(
                        "; it is {} now, by the {}, and such bindings have no history",
                        binding.private, binding.origin
                    )
                });
                format!(
                    "{at} was leased to nobody at {time}{}\n",
                    today.unwrap_or_default()
                )
            }
            (None, "not_in_pool") => {
                format!("{at} was leased to nobody at {time}: it is not in the pool\n")
            }
            (None, _) => {
                format!("{at} was leased to nobody at {time}, as far as the history goes back\n")
            }
        };
    }
    match (&who.binding, who.owner.as_str()) {
        (Some(binding), _) => {
            let name = binding
                .name
                .as_deref()
                .map(|name| format!(" ({name})"))
                .unwrap_or_default();
            let leased = who
                .lease
                .as_ref()
                .map(|had| format!(", leased since {} (mac {})", had.begin, had.mac))
                .unwrap_or_default();
            format!(
                "{at} is {}{name}, ports {}, on {}{leased}\n",
                binding.private, binding.ports, binding.interface
            )
        }
        (None, "router") => format!("{at} is in no range: it is the router's own\n"),
        (None, "free") => match &who.reserved_for {
            Some(client) => {
                format!(
                    "{at} is reserved for {client}, who does not have it now: packets to it are dropped\n"
                )
            }
            None => format!("{at} is in no range: packets to it are dropped\n"),
        },
        (None, _) => format!("{at} is not in the pool\n"),
    }
}
