//! `phones [list|handoff]`.

use anyhow::Result;
use clap::Subcommand;

use super::output::{Format, Output, Table, print};
use crate::api::client::Client;
use crate::api::types::{HandOff, HandedOff, Phone};

/// Phones and trunks that are registered.
#[derive(Debug, clap::Args)]
pub(super) struct Phones {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List them, with their lines.
    List,
    /// Send phones to another controller.
    Handoff {
        /// The other controller, as [192.0.2.5]:2944 or <other.example>.
        to: String,
        /// One phone, as `phones` names it; without it, all.
        #[arg(long)]
        gateway: Option<String>,
    },
}

impl Phones {
    pub(super) async fn run(self, client: &Client) -> Result<()> {
        match self.action {
            None | Some(Action::List) => {
                let all: Vec<Phone> = client.get("/v1/phones").await?;
                if self.output.format == Format::Text && all.is_empty() {
                    return print("nobody is registered\n");
                }
                self.output.print(&all, |all| table(all))
            }
            Some(Action::Handoff { to, gateway }) => {
                let wanted = HandOff { to, gateway };
                let done: HandedOff = client.post("/v1/phones/handoff", &wanted).await?;
                self.output.print(&done, |done| {
                    format!("told {} to register with {}\n", done.told, wanted.to)
                })
            }
        }
    }
}

fn table(all: &[Phone]) -> String {
    let mut table = Table::new(&[
        "phone",
        "protocol",
        "number",
        "line",
        "state",
        "service",
        "address",
        "public",
        "private",
        "heard or expires",
    ]);
    let dash = || "-".to_owned();
    for phone in all {
        let mut row = |number: String, line: String, state: String| {
            let name = phone.gateway.clone().or(phone.user.clone());
            let when = phone.heard.clone().or(phone.expires.clone());
            table.row([
                name.unwrap_or_else(dash),
                phone.protocol.clone(),
                number,
                line,
                state,
                phone.service.clone(),
                phone.address.to_string(),
                phone.public.to_string(),
                phone.private.to_string(),
                when.unwrap_or_else(dash),
            ]);
        };
        if phone.lines.is_empty() {
            row(dash(), dash(), dash());
        }
        for line in &phone.lines {
            let number = line.number.clone().unwrap_or_else(dash);
            let termination = line.termination.clone().unwrap_or_else(dash);
            row(number, termination, line.state.clone());
        }
    }
    table.to_string()
}
