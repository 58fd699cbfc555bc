//! `bindings [list|add|del]`.

use std::net::Ipv4Addr;

use anyhow::Result;
use clap::Subcommand;

use super::output::{Format, Output, Table, print};
use crate::api::client::Client;
use crate::api::types::{Binding, BindingPage, NewBinding};

/// List, add and remove bindings.
#[derive(Debug, clap::Args)]
pub(super) struct Bindings {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all, by private address.
    List,
    /// Give a phone ports of a public address; it stays over restarts.
    Add {
        /// The phone's address.
        private: String,
        /// A public address of the pool.
        public: String,
        /// first-last, a power of two of ports from a multiple of their number on.
        ports: String,
        /// What people call it.
        #[arg(long)]
        name: Option<String>,
    },
    /// Remove what was added.
    Del {
        /// The phone's address.
        private: Ipv4Addr,
    },
}

impl Bindings {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        match self.action {
            None | Some(Action::List) => list(client, self.output).await,
            Some(Action::Add {
                private,
                public,
                ports,
                name,
            }) => {
                let wanted = NewBinding {
                    private,
                    public,
                    ports,
                    name,
                };
                let added: Vec<Binding> = client.post("/v1/bindings", &wanted).await?;
                self.output.print(&added, |added| said("added", added))
            }
            Some(Action::Del { private }) => {
                let removed: Binding = client.delete(&format!("/v1/bindings/{private}")).await?;
                self.output.print(&removed, |removed| {
                    said("removed", std::slice::from_ref(removed))
                })
            }
        }
    }
}

fn said(what: &str, bindings: &[Binding]) -> String {
    let line = |b: &Binding| format!("{what}: {} is {} ports {}\n", b.private, b.public, b.ports);
    bindings.iter().map(line).collect()
}

async fn list(client: &Client, output: Output) -> Result<()> {
    let mut all: Vec<Binding> = Vec::new();
    let mut path = "/v1/bindings?limit=10000".to_owned();
    loop {
        let page: BindingPage = client.get(&path).await?;
        all.extend(page.bindings);
        let Some(next) = page.next else {
            break;
        };
        path = format!("/v1/bindings?limit=10000&after={next}");
    }
    if output.format == Format::Text && all.is_empty() {
        return print(
            "no bindings: add some to the configuration, or with `gateway-ctl bindings add`\n",
        );
    }
    output.print(&all, |all| table(all))
}

fn table(bindings: &[Binding]) -> String {
    let mut table = Table::new(&[
        "private",
        "public",
        "ports",
        "interface",
        "from",
        "out packets",
        "in packets",
        "name",
    ]);
    for binding in bindings {
        table.row([
            binding.private.to_string(),
            binding.public.to_string(),
            binding.ports.clone(),
            binding.interface.clone(),
            binding.origin.clone(),
            binding.out_packets.to_string(),
            binding.in_packets.to_string(),
            binding.name.clone().unwrap_or_default(),
        ]);
    }
    table.to_string()
}
