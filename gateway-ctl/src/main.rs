//! The gateway's one binary: daemon (`gateway-ctl run`) and command line.
//!
//! | module | what it does |
//! |---|---|
//! | `cli` | commands |
//! | `config` | the file, checked whole |
//! | `run` | the daemon |
//! | `api` | HTTP and JSON over the Unix socket, both ends |
//! | `metrics` | Prometheus |
//! | `health` | what is wrong with the router, and what to do |
//! | `net` | the machine's interfaces |
//! | `provision` | files for phones |
//! | `state` | what must survive a restart |
#![forbid(unsafe_code)]

mod api;
mod cli;
mod config;
mod health;
mod metrics;
mod net;
#[expect(dead_code, reason = "the daemon's start takes it up next")]
mod provision;
mod run;
mod state;

fn main() -> std::process::ExitCode {
    cli::main()
}
