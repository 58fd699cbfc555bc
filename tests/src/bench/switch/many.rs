//! 100,000 phones, registered: what each takes, whether they are still answered in time, and how
//! long the gateway takes to be back after a kill.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use gateway_tests::site;

use super::super::interval::timed;
use super::super::report::{Figure, Report, Target};
use super::super::statistics::median;
use super::gateway::{self, START_TIME, resident};
use super::h248::Crowd;
use super::place::Place;
use super::{Options, percentile};

const PHONES: u32 = 100_000;
/// At a time, while they register.
const UNDER_WAY: usize = 512;
/// Until the switch has asked them all what they have, and has forgotten its answers.
const ASKED: Duration = Duration::from_secs(150);
const QUIET: Duration = Duration::from_secs(2);
/// Seconds from the start to answers, with all registrations.
const MOST_READY: f64 = 2.0;

/// Measures the gateway.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let place = Place::new("gateway")?;
    let mut daemon = gateway::start(&place, 2, "")?;
    let pid = daemon.process().pid();
    let before = resident(pid)?;
    let mut crowd = Crowd::new(&place.phones, PHONES)?;
    let done = crowd.register(0..PHONES, UNDER_WAY)?;
    report.add(Figure::new("100,000 phones register", done.rate(), "1/s"));
    let (took, settled) = timed(|| crowd.settle(QUIET, ASKED));
    settled?;
    let seconds = (done.took + took).as_secs_f64() - QUIET.as_secs_f64();
    report.add(Figure::new(
        "all registered, and asked what they have",
        seconds,
        "s",
    ));
    let bytes = |daemon: &mut site::Gateway| -> Result<f64> {
        Ok((resident(daemon.process().pid())? - before) / f64::from(PHONES))
    };
    let figure = Figure::new(
        "memory of a registration, replies kept",
        bytes(&mut daemon)?,
        "bytes",
    );
    report.add(figure);
    answers(&mut crowd, report)?;
    let mut ready = Vec::new();
    for _ in 0..if options.quick { 1 } else { 3 } {
        daemon.kill9()?;
        let (took, back) = timed(|| daemon.restart(START_TIME));
        back?;
        ready.push(took.as_secs_f64());
        let known = registered(&daemon)?;
        ensure!(
            known == PHONES as usize,
            "{known} of {PHONES} registrations after a kill"
        );
    }
    let figure = Figure::new(
        "ready after a kill, 100,000 registrations",
        median(&ready),
        "s",
    );
    report.add(figure.target(Target::AtMost(MOST_READY)));
    let figure = Figure::new(
        "memory of a registration, after it",
        bytes(&mut daemon)?,
        "bytes",
    );
    report.add(figure);
    answers(&mut crowd, report)?;
    daemon.stop()
}

/// Some phones register anew, a few at a time.
fn answers(crowd: &mut Crowd, report: &mut Report) -> Result<()> {
    let done = crowd.register(0..2000, 8)?;
    let p99 = percentile(&done.times, 0.99);
    report.add(Figure::new("a registration among 100,000: p99", p99, "ms"));
    Ok(())
}

fn registered(daemon: &site::Gateway) -> Result<usize> {
    let phones = daemon.ctl(&["phones", "-o", "json"])?.json()?;
    let all = phones.as_array().context("phones -o json is no list")?;
    Ok(all.len())
}
