//! `detach`: the gateway off all interfaces, its pins gone.

use std::path::PathBuf;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use dataplane::Dataplane;

use super::output::print;
use crate::api::client::{Client, ClientError};
use crate::api::types;
use crate::config::DEFAULT_PIN_DIRECTORY;

/// Take the gateway off all interfaces. Stop the daemon first.
#[derive(Debug, clap::Args)]
pub(super) struct Detach {
    /// Where it is pinned (dataplane.pin_directory).
    #[arg(long, default_value = DEFAULT_PIN_DIRECTORY, value_name = "PATH")]
    pin_directory: PathBuf,
}

impl Detach {
    pub(super) async fn run(&self, client: &Client) -> Result<()> {
        match client.get::<types::Status>("/v1/status").await {
            Ok(status) if Path::new(&status.pin_directory) == self.pin_directory => bail!(
                "the daemon (process {}) runs on what is pinned at {}: stop it first, with \
                 `systemctl stop gateway`",
                status.pid,
                status.pin_directory
            ),
            Ok(_) | Err(ClientError::Unreachable { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        if !self.pin_directory.exists() {
            bail!(
                "nothing is pinned at {}: name the place with --pin-directory",
                self.pin_directory.display()
            );
        }
        Dataplane::detach_all(&self.pin_directory).context("cannot detach")?;
        print("detached: traffic is the kernel's\n")
    }
}
