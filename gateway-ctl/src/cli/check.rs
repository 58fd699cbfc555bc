//! `check FILE`: all that is wrong, or that nothing is.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::output::{Format, Output, Said};
use crate::config::{Dhcp, Problem};
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
    #[command(flatten)]
    output: Output,
}

/// What a configuration holds, or what is wrong with it.
#[derive(Debug, Default, Serialize)]
struct Checked {
    file: String,
    ok: bool,
    inside: usize,
    outside: usize,
    pool_addresses: usize,
    bindings: usize,
    scopes: usize,
    classes: usize,
    reservations: usize,
    /// What works, but hardly as it is meant.
    warnings: Vec<Problem>,
    problems: Vec<Problem>,
    /// Problems beyond those.
    problems_omitted: usize,
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
        let file = self.file.display().to_string();
        match Plan::make(&self.file, links.as_ref(), FromApi::load) {
            Ok(plan) => {
                let dhcp = plan.config.dhcp.as_ref();
                let of_dhcp = |count: &dyn Fn(&Dhcp) -> usize| dhcp.map_or(0, count);
                let checked = Checked {
                    file,
                    ok: true,
                    inside: plan.config.inside.len(),
                    outside: plan.config.outside.len(),
                    pool_addresses: plan.config.pool.len(),
                    bindings: plan.ledger.len(),
                    scopes: of_dhcp(&|dhcp| dhcp.scopes.len()),
                    classes: of_dhcp(&|dhcp| dhcp.classes.len()),
                    reservations: of_dhcp(&|dhcp| dhcp.reservations.len()),
                    warnings: plan.config.warnings,
                    ..Checked::default()
                };
                if self.output.format == Format::Text {
                    for warning in &checked.warnings {
                        eprintln!("warning: {warning}");
                    }
                }
                self.output.print(&checked, text)
            }
            Err(problems) => {
                if self.output.format == Format::Json {
                    let checked = Checked {
                        file,
                        problems: problems.list,
                        problems_omitted: problems.omitted,
                        ..Checked::default()
                    };
                    self.output.print(&checked, text)?;
                    return Err(Said.into());
                }
                eprintln!("{problems}");
                let count = problems.count();
                eprintln!("{count} error{}", if count == 1 { "" } else { "s" });
                Err(Said.into())
            }
        }
    }
}

fn text(checked: &Checked) -> String {
    let mut text = format!(
        "{}: ok: {} inside, {} outside, {} public addresses, {} bindings",
        checked.file, checked.inside, checked.outside, checked.pool_addresses, checked.bindings
    );
    if checked.scopes > 0 {
        text += &format!(
            ", {} scopes, {} classes, {} reservations",
            checked.scopes, checked.classes, checked.reservations
        );
    }
    text + "\n"
}
