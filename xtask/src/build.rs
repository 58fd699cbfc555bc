//! `cargo xtask build`.

use anyhow::Result;

use crate::command::run as run_command;
use crate::setup;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Build what is installed and measured, not what is debugged
    #[arg(long)]
    release: bool,
}

/// Builds every crate for this machine; the dataplane's build script builds the BPF object.
pub(crate) fn run(options: &Options) -> Result<()> {
    let ready = setup::for_build()?;
    let mut cargo = ready.host_cargo("build");
    if options.release {
        cargo.arg("--release");
    }
    run_command(&mut cargo)
}
