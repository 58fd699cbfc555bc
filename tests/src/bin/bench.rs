//! `cargo xtask bench dataplane|dhcp|switch|tftp [--json] [--quick]`: measures, prints a table (or one
//! JSON object per figure and line), and cleans up after itself.
//!
//! Needs root. All traffic stays in network namespaces of its own.

#[path = "../bench/mod.rs"]
mod bench;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use bench::report::{Output, Report};

#[derive(Parser)]
#[command(name = "bench", about = "Measures the gateway; needs root")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The packet path: time per packet, packets per second against peers, memory
    Dataplane(bench::Options),
    /// TFTP: megabytes a second, beside tftpd-hpa and atftpd
    Tftp(bench::tftp::Options),
    /// DHCP: complete exchanges a second, their time, what the disk costs; beside Kea and dnsmasq
    Dhcp(bench::dhcp::Options),
    /// Telephony: messages, registrations and calls a second, beside Erlang/OTP and Kamailio
    Switch(bench::switch::Options),
}

fn main() -> ExitCode {
    let (report, done) = match Cli::parse().what {
        What::Dataplane(options) => {
            let mut report = Report::new("dataplane", Output::of(options.json));
            let done = bench::dataplane(&options, &mut report);
            (report, done)
        }
        What::Tftp(options) => {
            let mut report = Report::new("tftp", Output::of(options.json));
            let done = bench::tftp::measure(&options, &mut report);
            (report, done)
        }
        What::Dhcp(options) => {
            let mut report = Report::new("dhcp", Output::of(options.json));
            let done = bench::dhcp::measure(&options, &mut report);
            (report, done)
        }
        What::Switch(options) => {
            let mut report = Report::new("switch", Output::of(options.json));
            let done = bench::switch::measure(&options, &mut report);
            (report, done)
        }
    };
    report.print();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
