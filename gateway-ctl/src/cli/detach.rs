//! `detach`: the gateway off all interfaces, its pins gone.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use dataplane::Dataplane;

use super::output::print;
use crate::config::DEFAULT_PIN_DIRECTORY;

/// Take the gateway off all interfaces.
#[derive(Debug, clap::Args)]
pub(super) struct Detach {
    /// Where it is pinned (dataplane.pin_directory).
    #[arg(long, default_value = DEFAULT_PIN_DIRECTORY, value_name = "PATH")]
    pin_directory: PathBuf,
}

impl Detach {
    pub(super) fn run(&self) -> Result<()> {
        if !self.pin_directory.exists() {
            bail!(
                "nothing is pinned at {}: name the place with --pin-directory",
                self.pin_directory.display()
            );
        }
        Dataplane::detach_all(&self.pin_directory).context("cannot detach")?;
        print(
            "detached: traffic is the kernel's; a running daemon attaches again when it reloads\n",
        )
    }
}
