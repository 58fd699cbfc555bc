//! How often a server waits for its disk, for each exchange: counted by strace, which makes the
//! server slow, so at a rate at which exchanges do not meet each other.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use gateway_tests::process::Process;
use gateway_tests::wait::eventually;
use nix::sys::signal::Signal;

use super::super::report::{Figure, Report};
use super::super::statistics::median;
use super::Measured;
use super::storm::{Clients, Pace};

const CALLS: [&str; 5] = ["fsync", "fdatasync", "msync", "sync_file_range", "syncfs"];
/// At most so many exchanges a second.
const RATE: f64 = 50.0;
const LASTING: Duration = Duration::from_secs(3);
const SOON: Duration = Duration::from_secs(10);

/// Counts them.
pub(super) fn measure(measured: &mut Measured, report: &mut Report) -> Result<()> {
    let name = measured.kind.name();
    let rate = (median(&measured.rates) / 4.0).clamp(1.0, RATE);
    let pid = measured.server.pid().context("it does not run")?;
    let counts = measured.server.place().file("syncs");
    let log = measured.server.place().file("strace.log");
    measured.settle()?;
    let mut strace = attach(measured, pid, &counts, &log)?;
    let pace = Pace::Rate {
        rate,
        lasting: LASTING,
    };
    let outcome = measured.run(Clients::New, pace)?;
    strace.signal(Signal::SIGINT)?;
    strace.wait(SOON)?;
    let syncs = sum(&std::fs::read_to_string(&counts).unwrap_or_default());
    let done = outcome.times.len();
    if done == 0 {
        report.progress(&format!("{name}: no exchange was complete under strace"));
        return Ok(());
    }
    let case = format!("{name}: waits for the disk for each exchange, {rate:.0} a second");
    report.add(Figure::new(case, syncs as f64 / done as f64, ""));
    Ok(())
}

fn attach(measured: &Measured, pid: u32, counts: &str, log: &str) -> Result<Process> {
    let (calls, pid) = (format!("trace={}", CALLS.join(",")), pid.to_string());
    let words = ["-f", "-c", "-e", &calls, "-o", counts, "-p", &pid];
    let place = measured.server.place();
    let strace = Path::new("/usr/bin/strace");
    let strace = Process::start(&place.server, strace, &words, Path::new(log))?;
    let waited = eventually(SOON, || {
        let log = strace.log();
        log.contains("attached").then_some(()).ok_or(log)
    });
    waited
        .map_err(|why| anyhow!(why))
        .context("attach strace")?;
    Ok(strace)
}

/// Calls in the table that strace prints.
fn sum(table: &str) -> u64 {
    let calls = |line: &str| -> Option<u64> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let name = words.last()?;
        CALLS.contains(name).then(|| words.get(3)?.parse().ok())?
    };
    table.lines().filter_map(calls).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_a_table() {
        let table = "% time     seconds  usecs/call     calls    errors syscall\n\
                     ------ ----------- ----------- --------- --------- ----------------\n \
                     93.00    0.000100          10        10           fdatasync\n  \
                     7.00    0.000010          10         3         1 fsync\n\
                     ------ ----------- ----------- --------- --------- ----------------\n\
                     100.00    0.000110          10        13         1 total\n";
        assert_eq!(sum(table), 13);
        assert_eq!(sum(""), 0);
    }
}
