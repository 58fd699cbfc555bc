//! SIP: registrations with a password, and calls from INVITE to BYE, through the gateway and through
//! Kamailio in turns.
//!
//! | file | what it does |
//! |---|---|
//! | `servers.rs` | both, each as its best users would set it up |
//! | `crowd.rs` | messages of many phones in and out |
//! | `register.rs` | registrations, as many under way as wanted |
//! | `calls.rs` | phones call each other |

mod calls;
mod crowd;
mod register;
mod servers;

use std::time::Duration;

use anyhow::{Result, ensure};

use super::super::report::{Figure, Report, Target};
use super::super::statistics::{median, median_ratio};
use super::{Options, percentile};
use crowd::{Crowd, Outcome};
use servers::{Kind, Running};

/// Phones, each two of which call each other.
const PHONES: u32 = 2000;
/// Registrations under way at a time: as many as each does best with.
const REGISTERING: [usize; 2] = [128, 1000];
/// Calls under way at a time.
const CALLING: usize = 128;
/// Registrations or calls that may fail.
const MOST_FAILED: f64 = 0.001;

/// A server, and what was measured of it.
struct Measured {
    server: Running,
    crowd: Crowd,
    registrations: Vec<f64>,
    calls: Vec<f64>,
}

/// Measures both.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let (rounds, lasting) = match options.quick {
        true => (3, Duration::from_secs(2)),
        false => (9, Duration::from_secs(5)),
    };
    let mut all = Vec::new();
    for kind in [Kind::Gateway, Kind::Kamailio] {
        let server = Running::start(kind, PHONES)?;
        let crowd = Crowd::new(&server.place().phones, PHONES)?;
        all.push(Measured {
            server,
            crowd,
            registrations: Vec::new(),
            calls: Vec::new(),
        });
    }
    for _ in 0..rounds {
        for one in &mut all {
            one.round(lasting, report)?;
        }
    }
    let [gateway, kamailio] = &all[..] else {
        return Ok(());
    };
    for (what, ours, theirs) in [
        (
            "registrations of SIP, with digest",
            &gateway.registrations,
            &kamailio.registrations,
        ),
        ("complete calls of SIP", &gateway.calls, &kamailio.calls),
    ] {
        report.add(Figure::new(
            format!("{what}: Kamailio"),
            median(theirs),
            "1/s",
        ));
        let figure = Figure::new(what, median(ours), "1/s");
        let figure = figure.against("Kamailio", median_ratio(ours, theirs));
        report.add(figure.target(Target::AtLeast(1.0)));
    }
    Ok(())
}

impl Measured {
    fn round(&mut self, lasting: Duration, report: &Report) -> Result<()> {
        let name = self.server.kind().name();
        let mut best = 0.0_f64;
        for under_way in REGISTERING {
            let done = self.crowd.register(PHONES, under_way, lasting)?;
            report.progress(&told(name, "registrations", &done));
            best = best.max(rate(&done, name)?);
        }
        self.registrations.push(best);
        let done = self.crowd.call(PHONES / 2, CALLING, lasting)?;
        report.progress(&told(name, "calls", &done));
        self.calls.push(rate(&done, name)?);
        Ok(())
    }
}

fn rate(done: &Outcome, name: &str) -> Result<f64> {
    let all = done.times.len() as u64 + done.failed;
    ensure!(
        done.failed as f64 <= all as f64 * MOST_FAILED,
        "{name}: {} of {all} failed: {:?}",
        done.failed,
        done.why
    );
    Ok(done.times.len() as f64 / done.took.as_secs_f64())
}

fn told(name: &str, what: &str, done: &Outcome) -> String {
    let seconds = done.took.as_secs_f64();
    format!(
        "{name}: {:.0} {what}/s, {} failed; {:.1} ms, p99 {:.1} ms; the phones took {:.0} % of a core",
        done.times.len() as f64 / seconds,
        done.failed,
        percentile(&done.times, 0.5),
        percentile(&done.times, 0.99),
        done.cost.as_secs_f64() / seconds * 100.0
    )
}
