//! `cargo xtask demo`: the gateway's main job on real traffic, told step by step.

use std::process::ExitCode;

use clap::Parser;

/// A site with two phones behind one public address, and a host on the internet.
#[derive(Parser)]
#[command(name = "demo")]
struct Options {
    /// Leave the network standing at the end, and say how to look around in it
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match gateway_tests::demo::run(options.keep) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
