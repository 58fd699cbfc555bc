//! `cargo xtask test`: every test there is.

use std::process::ExitCode;

use anyhow::Result;

use crate::command::run as run_command;
use crate::{privilege, setup, vm};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run only the tests whose name contains this, on this machine's kernel
    filter: Option<String>,
    /// Leave out the second kernel, the one in the virtual machine
    #[arg(long)]
    no_vm: bool,
    /// Handed to the test programs, for instance --nocapture
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs the tests on this machine's kernel, then those for a second kernel on the virtual machine's.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    privilege::require_root("attaching programs and making network namespaces")?;
    let ready = setup::for_tests()?;
    // Tests start the daemon, which `cargo test` alone does not build.
    run_command(ready.host_cargo("build").arg("--all-targets"))?;
    let mut cargo = ready.host_cargo("test");
    cargo.arg("--no-fail-fast").args(&options.filter);
    cargo.arg("--").args(&options.arguments);
    run_command(&mut cargo)?;
    if options.no_vm || options.filter.is_some() {
        return Ok(ExitCode::SUCCESS);
    }
    vm::test(&vm::TestOptions::default())
}
