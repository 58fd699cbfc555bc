//! `check FILE`: all that is wrong, or that nothing is.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::output::{Said, print};
use crate::net::Links;
use crate::run::{FromApi, Plan};

/// Check a configuration.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// The configuration.
    #[arg(default_value = "/etc/gateway/gateway.toml")]
    file: PathBuf,
    /// Do not ask whether this machine has the interfaces.
    #[arg(long)]
    no_interfaces: bool,
}

impl Check {
    pub(super) async fn run(&self) -> Result<()> {
        let links = if self.no_interfaces {
            None
        } else {
            Some(
                Links::read()
                    .await
                    .context("cannot ask the kernel for its interfaces; try --no-interfaces")?,
            )
        };
        match Plan::make(&self.file, links.as_ref(), |_| Ok(FromApi::default())) {
            Ok(plan) => print(&format!(
                "{}: ok: {} inside, {} outside, {} public addresses, {} bindings\n",
                self.file.display(),
                plan.config.inside.len(),
                plan.config.outside.len(),
                plan.config.pool.len(),
                plan.ledger.len()
            )),
            Err(problems) => {
                eprintln!("{problems}");
                let count = problems.count();
                eprintln!("{count} error{}", if count == 1 { "" } else { "s" });
                Err(Said.into())
            }
        }
    }
}
