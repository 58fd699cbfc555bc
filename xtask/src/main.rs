//! `cargo xtask`: everything a person types to build, test, measure and show the gateway.
//!
//! | file | command |
//! |---|---|
//! | `setup/` | `setup`: installs what is missing; every other command calls it first |
//! | `build.rs` | `build` |
//! | `test.rs` | `test`: all tests, on this machine's kernel and on the one in the virtual machine |
//! | `lint.rs`, `file_length.rs` | `lint` |
//! | `tests_crate.rs` | `bench`, `demo`: programs of the tests crate |
//! | `fuzz.rs` | `fuzz` |
//! | `vm/` | `vm run`, `vm test`: a stock Debian kernel in a throw-away virtual machine |
//! | `command.rs`, `privilege.rs`, `workspace.rs` | what they share |

mod build;
mod command;
mod file_length;
mod fuzz;
mod lint;
mod privilege;
mod setup;
mod test;
mod tests_crate;
mod vm;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, tests, measures and shows the gateway; installs what is missing before it starts.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what building and testing need, and say so first
    Setup,
    /// Build everything, the BPF object included
    Build(build::Options),
    /// Run every test; needs root
    Test(test::Options),
    /// Check format, clippy, file lengths and dependencies
    Lint(lint::Options),
    /// Measure: `bench dataplane|dhcp|switch|tftp [--json] [--quick]`; needs root
    Bench(tests_crate::BenchOptions),
    /// Show the gateway's main job on real traffic; needs root
    Demo(tests_crate::DemoOptions),
    /// Run something on a stock Debian kernel in a virtual machine
    #[command(subcommand)]
    Vm(vm::Task),
    /// Fuzz one wire format for a while
    Fuzz(fuzz::Options),
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<ExitCode> {
    match task {
        Task::Setup => setup::report()?,
        Task::Build(options) => build::run(&options)?,
        Task::Test(options) => return test::run(&options),
        Task::Lint(options) => lint::run(&options)?,
        Task::Bench(options) => tests_crate::bench(&options)?,
        Task::Demo(options) => tests_crate::demo(&options)?,
        Task::Vm(task) => return vm::run(&task),
        Task::Fuzz(options) => fuzz::run(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}
