//! Calls of H.248 a second, from lifting a phone to both being hung up again, and how long the other
//! bell takes to ring.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::super::report::{Figure, Report, Target};
use super::super::statistics::median;
use super::gateway::{self, processor_time, resident};
use super::h248::{CallOutcome, CallPace, Crowd};
use super::place::Place;
use super::{Options, percentile};

/// Phones, each two of which call each other.
const PAIRS: u32 = 1000;
/// Calls under way at a time; each is a few milliseconds long.
const UNDER_WAY: [usize; 2] = [32, 256];
/// From the last digit to the bell, at half load: milliseconds.
const MOST_P99: f64 = 10.0;
/// Calls that may fail.
const MOST_FAILED: f64 = 0.001;
const QUIET: Duration = Duration::from_millis(300);
const SOON: Duration = Duration::from_secs(30);

/// Measures the gateway.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let (rounds, lasting) = match options.quick {
        true => (3, Duration::from_secs(2)),
        false => (9, Duration::from_secs(5)),
    };
    let place = Place::new("gateway")?;
    let mut daemon = gateway::start(&place, 2 * PAIRS, "")?;
    let pid = daemon.process().pid();
    let mut crowd = Crowd::new(&place.phones, 2 * PAIRS)?;
    crowd.register(0..2 * PAIRS, 64)?;
    crowd.settle(QUIET, SOON)?;
    let mut rates = [const { Vec::new() }; UNDER_WAY.len()];
    for _ in 0..rounds {
        for (under_way, rates) in UNDER_WAY.into_iter().zip(&mut rates) {
            let before = processor_time(pid)?;
            let pace = CallPace::UnderWay(under_way);
            let done = crowd.call(PAIRS, pace, lasting)?;
            let cost = processor_time(pid)? - before;
            report.progress(&told(&format!("{under_way} under way"), &done, cost));
            few_failed(&done)?;
            rates.push(done.complete as f64 / done.took.as_secs_f64());
            crowd.settle(QUIET, SOON)?;
        }
    }
    let best = rates.iter().map(|rates| median(rates)).fold(0.0, f64::max);
    report.add(Figure::new("complete calls of H.248", best, "1/s"));
    half_load(&mut crowd, best / 2.0, lasting, pid, report)?;
    memory(&mut crowd, pid, report)?;
    daemon.stop()
}

fn half_load(
    crowd: &mut Crowd,
    rate: f64,
    lasting: Duration,
    pid: u32,
    report: &mut Report,
) -> Result<()> {
    let before = processor_time(pid)?;
    let done = crowd.call(PAIRS, CallPace::Rate(rate), 2 * lasting)?;
    let cost = processor_time(pid)? - before;
    report.progress(&told("half load", &done, cost));
    few_failed(&done)?;
    let p50 = percentile(&done.set_up, 0.5);
    report.add(Figure::new("call set-up at half load: median", p50, "ms"));
    let p99 = percentile(&done.set_up, 0.99);
    let figure = Figure::new("call set-up at half load: p99", p99, "ms");
    report.add(figure.target(Target::AtMost(MOST_P99)));
    Ok(())
}

/// What a call takes while it lasts.
fn memory(crowd: &mut Crowd, pid: u32, report: &mut Report) -> Result<()> {
    let before = resident(pid)?;
    let held = crowd.hold(PAIRS, SOON)?;
    let bytes = (resident(pid)? - before) / f64::from(held.max(1));
    report.progress(&format!("{held} calls under way at once"));
    report.add(Figure::new("memory of a call", bytes, "bytes"));
    crowd.let_go(SOON)
}

fn few_failed(done: &CallOutcome) -> Result<()> {
    let all = done.complete + done.failed;
    ensure!(
        done.failed as f64 <= all as f64 * MOST_FAILED,
        "{} of {all} calls failed",
        done.failed
    );
    Ok(())
}

fn told(what: &str, done: &CallOutcome, cost: Duration) -> String {
    let seconds = done.took.as_secs_f64();
    format!(
        "{what}: {:.0} calls/s, {} failed, {} not begun; the bell after {:.1} ms, p99 {:.1} ms; the \
         phones took {:.0} % of a core, the gateway {:.0} %",
        done.complete as f64 / seconds,
        done.failed,
        done.skipped,
        percentile(&done.set_up, 0.5),
        percentile(&done.set_up, 0.99),
        done.cost.as_secs_f64() / seconds * 100.0,
        cost.as_secs_f64() / seconds * 100.0
    )
}
