//! `cargo xtask bench` and `cargo xtask demo`: programs of the tests crate, built and run as root.

use anyhow::Result;

use crate::command::run as run_command;
use crate::{privilege, setup};

#[derive(Debug, clap::Args)]
pub(crate) struct BenchOptions {
    /// What to measure and how, for instance: dataplane --json
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DemoOptions {
    /// Handed to the demonstration: --keep leaves its network standing to look around in
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Measures an optimised build.
pub(crate) fn bench(options: &BenchOptions) -> Result<()> {
    run("bench", Some("--release"), &options.arguments)
}

/// Shows the gateway's main job.
pub(crate) fn demo(options: &DemoOptions) -> Result<()> {
    run("demo", None, &options.arguments)
}

fn run(binary: &str, profile: Option<&str>, arguments: &[String]) -> Result<()> {
    privilege::require_root("attaching programs and making network namespaces")?;
    let ready = setup::for_tests()?;
    // The programs start the daemon, which `cargo run` of another package does not build.
    let mut daemon = ready.cargo();
    run_command(
        daemon
            .args(["build", "--package", "gateway-ctl"])
            .args(profile),
    )?;
    let mut cargo = ready.cargo();
    cargo.args([
        "run",
        "--quiet",
        "--package",
        "gateway-tests",
        "--bin",
        binary,
    ]);
    run_command(cargo.args(profile).arg("--").args(arguments))
}
