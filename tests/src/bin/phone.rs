//! Simulated IP phones: `phone run SCRIPT`, see docs/simulated-phone.md.
//!
//! Standard output has a JSON object a line; exit status 0: the script passed, 1: it failed, 2: it
//! could not be understood.

use std::io::{IsTerminal as _, Read as _, stdin, stdout};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use gateway_tests::phone::script::{self, Outcome, Source};
use gateway_tests::phone::shell::{Engine, Options};

#[derive(Parser)]
#[command(
    name = "phone",
    about = "Simulated IP phones: boot, register, call, and check what they hear"
)]
struct Cli {
    /// Decides identifiers and where sequence numbers begin; from the clock, if it is not given
    #[arg(long, global = true)]
    seed: Option<u64>,
    /// Tell every message of H.248 and SIP
    #[arg(long, global = true)]
    trace: bool,
    /// Tell nothing of single phones
    #[arg(long, global = true)]
    quiet: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Run a script; `-`: commands from standard input, each when it has been written
    Run {
        script: PathBuf,
        /// Of all phones, such as switch=192.0.2.1:2944
        #[arg(long = "default", value_name = "KEY=VALUE")]
        defaults: Vec<String>,
    },
    /// Phones register and call each other, at a rate
    Load(Load),
}

#[derive(clap::Args)]
struct Load {
    /// How many phones
    #[arg(long)]
    phones: u32,
    /// Of the first phone; those of the others count on: address=10.64.0.1/32 number=5000 and more
    #[arg(long = "default", value_name = "KEY=VALUE")]
    defaults: Vec<String>,
    #[arg(long, default_value_t = 1000.0)]
    registrations_per_second: f64,
    #[arg(long, default_value_t = 10.0)]
    calls_per_second: f64,
    /// How long calls are begun; 0s: phones only register
    #[arg(long, default_value = "10s")]
    duration: String,
    /// How long both talk
    #[arg(long, default_value = "2s")]
    hold: String,
    /// How long it rings
    #[arg(long, default_value = "0s")]
    ring: String,
    /// Of a hundred calls, how many may fail
    #[arg(long, default_value_t = 0.0)]
    failures: f64,
    /// By when all phones must be registered
    #[arg(long, default_value = "1m")]
    within: String,
}

impl Load {
    fn script(&self) -> String {
        let mut script = format!(
            "phone p count={} start=no\nall register rate={} within {}\n",
            self.phones, self.registrations_per_second, self.within
        );
        if !self.duration.starts_with("0") {
            script += &format!(
                "all load rate={} hold={} for={} ring={} failures={}\n",
                self.calls_per_second, self.hold, self.duration, self.ring, self.failures
            );
        }
        script
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(Outcome::Passed) => ExitCode::SUCCESS,
        Ok(Outcome::Failed {
            line,
            command,
            reason,
        }) => {
            eprintln!("line {line}: {command}: {reason}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli) -> Result<Outcome> {
    let options = Options {
        trace: cli.trace,
        quiet: cli.quiet,
        seed: cli.seed.unwrap_or_else(seed),
    };
    let mut engine = Engine::new(Box::new(stdout()), options)?;
    match &cli.what {
        What::Run { script, defaults } => {
            script::run(&mut engine, source(script)?, pairs(defaults)?)
        }
        What::Load(load) => {
            let source = Source::text(&load.script());
            script::run(&mut engine, source, pairs(&load.defaults)?)
        }
    }
}

fn pairs(defaults: &[String]) -> Result<Vec<(String, String)>> {
    let pair = |text: &String| {
        let (key, value) = text
            .split_once('=')
            .with_context(|| format!("--default {text}: expected KEY=VALUE"))?;
        Ok((key.to_owned(), value.to_owned()))
    };
    defaults.iter().map(pair).collect()
}

/// A file is read whole, and so is a file on standard input: neither can be waited for.
fn source(script: &Path) -> Result<Source> {
    if script != Path::new("-") {
        let text = std::fs::read_to_string(script).with_context(|| script.display().to_string())?;
        return Ok(Source::text(&text));
    }
    let input = stdin().as_fd().try_clone_to_owned()?;
    let is_file = std::fs::metadata("/proc/self/fd/0").is_ok_and(|about| about.is_file());
    if is_file && !stdin().is_terminal() {
        let mut text = String::new();
        stdin().read_to_string(&mut text)?;
        return Ok(Source::text(&text));
    }
    Source::stream(input)
}

#[expect(
    clippy::disallowed_methods,
    reason = "runs differ unless they are told not to"
)]
fn seed() -> u64 {
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::from(time.subsec_nanos()) << 32 | time.as_secs() ^ u64::from(std::process::id()) << 40
}
