//! `cargo xtask lint`: format, clippy for both targets, file lengths, dependencies.

use anyhow::Result;

use crate::command::{output, program, run as run_command};
use crate::setup::cargo_tool::CargoTool;
use crate::setup::{self, Ready};
use crate::{file_length, workspace};

const CARGO_DENY: CargoTool = CargoTool {
    name: "cargo-deny",
    version: "0.20.2",
    version_command: &["cargo", "deny", "--version"],
    install_arguments: &[],
    environment: &[],
    why: "checks licences and sources of dependencies; takes minutes",
};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Check the dependencies' licences and sources too; installs cargo-deny, which takes minutes
    #[arg(long)]
    deny: bool,
}

/// Checks everything that can be checked without running the gateway.
pub(crate) fn run(options: &Options) -> Result<()> {
    run_command(program("cargo").args(["fmt", "--all", "--check"]))?;
    file_length::check(&workspace::root())?;
    let ready = setup::for_build()?;
    let mut clippy = ready.host_cargo("clippy");
    run_command(clippy.args(["--all-targets", "--", "-Dwarnings"]))?;
    clippy_ebpf(&ready)?;
    if options.deny {
        CARGO_DENY.ensure()?;
        // Advisories come from a git repository: see deny.toml.
        run_command(
            ready
                .cargo()
                .args(["deny", "check", "bans", "licenses", "sources"]),
        )?;
    }
    Ok(())
}

/// Clippy for the BPF target, whose compiler is not the one that checks the rest.
fn clippy_ebpf(ready: &Ready) -> Result<()> {
    let name = ready.toolchain().name();
    let clippy = ["run", name, "cargo-clippy", "--version"];
    if output(program("rustup").args(clippy)).is_err() {
        eprintln!("setup: adding clippy to toolchain {name}");
        let add = ["component", "add", "clippy", "--toolchain", name];
        if let Err(error) = run_command(program("rustup").args(add)) {
            eprintln!(
                "lint: gateway-ebpf is not linted: toolchain {name} has no clippy ({error:#})"
            );
            return Ok(());
        }
    }
    run_command(
        ready
            .cargo()
            .arg(format!("+{name}"))
            .args(["clippy", "--package", "gateway-ebpf"])
            .args(["--target", "bpfel-unknown-none", "-Z", "build-std=core"])
            .args(["--", "-Dwarnings"]),
    )
}
