//! `cargo xtask bench` and `cargo xtask demo`: programs of the tests crate, built and run as root.

use anyhow::Result;

use crate::command::{program, run as run_command};
use crate::setup::Ready;
use crate::{privilege, setup, workspace};

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
    let name = options.arguments.first().map_or("", String::as_str);
    run("bench", true, || setup::for_bench(name), &options.arguments)
}

/// Shows the gateway's main job.
pub(crate) fn demo(options: &DemoOptions) -> Result<()> {
    run("demo", false, setup::for_tests, &options.arguments)
}

/// Builds everything, since the programs start the daemon that lies beside them.
fn run(
    name: &str,
    release: bool,
    prepare: impl FnOnce() -> Result<Ready>,
    arguments: &[String],
) -> Result<()> {
    privilege::require_root("attaching programs and making network namespaces")?;
    let ready = prepare()?;
    let mut build = ready.host_cargo("build");
    if release {
        // Servers that are measured alone are examples of gateway-ctl.
        build.args(["--release", "--lib", "--bins", "--examples"]);
    }
    run_command(&mut build)?;
    let profile = if release { "release" } else { "debug" };
    let path = workspace::target_dir().join(profile).join(name);
    run_command(program(path).args(arguments))
}
