//! The command line: a file for each command. Only `run`, `check` and `detach` touch
//! the machine; everything else asks the daemon.

mod backup;
mod bindings;
mod calls;
mod check;
mod completions;
mod counters;
mod detach;
mod leases;
mod memory;
mod output;
mod phones;
mod reload;
mod status;
mod trace;
mod who;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::api::client::{Client, ClientError};
use crate::config::DEFAULT_SOCKET;
use crate::run::{self, LogFormat};

/// Persistent-port NAT for hosted telephony.
#[derive(Debug, Parser)]
#[command(name = "gateway-ctl", version, about, max_term_width = 100)]
struct Arguments {
    /// The daemon's socket.
    #[arg(long, global = true, default_value = DEFAULT_SOCKET, value_name = "PATH")]
    socket: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway's daemon.
    Run {
        /// The configuration.
        #[arg(long, default_value = "/etc/gateway/gateway.toml", value_name = "FILE")]
        config: PathBuf,
        /// What log lines look like.
        #[arg(long, value_enum, default_value_t)]
        log_format: LogFormat,
        /// Log more: phones' addresses too.
        #[arg(long)]
        debug: bool,
    },
    /// Check a configuration and say all that is wrong with it.
    Check(check::Check),
    /// Read the configuration again and apply what differs.
    Reload(reload::Reload),
    /// How the gateway is, what is wrong and what to do.
    ///
    /// Exit status: 0 if the daemon answers, whatever it says is wrong (with -o json each of
    /// `warnings` has a severity); 1 if it does not, or cannot; 2 on wrong usage.
    Status(status::Status),
    /// List, add and remove bindings.
    Bindings(bindings::Bindings),
    /// List, show and release leases; reserve addresses and ports.
    Leases(leases::Leases),
    /// Whose a public port is, or was.
    Who(who::Who),
    /// Phones and trunks that are registered; send them to another controller.
    Phones(phones::Phones),
    /// Calls that are under way, and those that are over.
    Calls(calls::Calls),
    /// Write a backup: leases, reservations, history, bindings.
    Export(backup::Export),
    /// Take in a backup.
    Import(backup::Import),
    /// Packets by interface and by how they ended.
    Counters(counters::Counters),
    /// Show dropped packets as they happen.
    Trace(trace::Trace),
    /// What the maps take.
    Memory(memory::Memory),
    /// Take the gateway off all interfaces, after the daemon was stopped: traffic is then
    /// the kernel's.
    Detach(detach::Detach),
    /// Print completions for a shell.
    Completions(completions::Completions),
}

/// Does what the command line says.
pub(crate) fn main() -> ExitCode {
    let Arguments { socket, command } = Arguments::parse();
    let client = Client::new(&socket);
    let done = match command {
        Command::Run {
            config,
            log_format,
            debug,
        } => run::run(&config, log_format, debug),
        Command::Check(command) => ask(command.run()),
        Command::Reload(command) => ask(command.run(&client)),
        Command::Status(command) => ask(command.run(&client)),
        Command::Bindings(command) => ask(command.run(&client)),
        Command::Leases(command) => ask(command.run(&client)),
        Command::Who(command) => ask(command.run(&client)),
        Command::Phones(command) => ask(command.run(&client)),
        Command::Calls(command) => ask(command.run(&client)),
        Command::Export(command) => ask(command.run(&client)),
        Command::Import(command) => ask(command.run(&client)),
        Command::Counters(command) => ask(command.run(&client)),
        Command::Trace(command) => ask(command.run(&client)),
        Command::Memory(command) => ask(command.run(&client)),
        Command::Detach(command) => ask(command.run(&client)),
        Command::Completions(command) => command.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            explain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Runs what talks to the daemon, or to the kernel.
fn ask(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(command)
}

/// The error and its causes, each said once: some messages hold their cause already.
fn whole(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    shortened(&text)
}

/// A verifier's log has thousands of lines; the first and the last say most.
fn shortened(text: &str) -> String {
    const KEPT: usize = 12;
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() <= 20 * KEPT {
        return text.to_owned();
    }
    let left_out = lines.len() - 2 * KEPT;
    let (first, last) = (&lines[..KEPT], &lines[lines.len() - KEPT..]);
    format!(
        "{}\n... {left_out} lines ...\n{}",
        first.join("\n"),
        last.join("\n")
    )
}

/// What went wrong and what to do.
fn explain(error: &anyhow::Error) {
    if error.is::<output::Said>() {
        return;
    }
    eprintln!("error: {}", whole(error));
    let Some(client) = error.downcast_ref::<ClientError>() else {
        return;
    };
    if let ClientError::Refused(refusal) = client {
        for problem in &refusal.problems {
            eprintln!("  {problem}");
        }
    }
    let fix = client.fix();
    if !fix.is_empty() {
        eprintln!("  fix: {fix}");
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn the_exit_status_of_status_is_told() {
        let mut command = Arguments::command();
        let status = command.find_subcommand_mut("status").unwrap();
        let help = status.render_long_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            help.contains("Exit status: 0 if the daemon answers"),
            "{help}"
        );
    }
}
