//! `cargo xtask demo`: the gateway's main job on real traffic, told step by step.

use std::process::ExitCode;

use clap::Parser;

/// Two sites with a gateway each, phones that boot and call, a soft switch and a trunk gateway
#[derive(Parser)]
#[command(name = "demo")]
struct Options {
    /// Leave all of it running at the end, say how to look around, and let phones do what is typed
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
