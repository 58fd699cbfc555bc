//! Registrations a second: the gateway, which has each on disk before it answers, and a controller
//! of Erlang/OTP, which has them in memory, in turns.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use gateway_tests::process::Process;
use gateway_tests::site;
use gateway_tests::wait::eventually;

use super::super::report::{Figure, Report, Target};
use super::super::statistics::{median, median_ratio};
use super::h248::{Crowd, Registered};
use super::place::Place;
use super::{Options, erlang, gateway, percentile};

/// What OTP's controller is to be exceeded by.
const TARGET: f64 = 3.0;
/// How many are under way.
const UNDER_WAY: [usize; 2] = [128, 2048];
/// After a round, until all is quiet.
const QUIET: Duration = Duration::from_millis(300);
const SOON: Duration = Duration::from_secs(30);

/// A controller that phones register with.
struct Peer {
    crowd: Crowd,
    /// By number under way, and round.
    rates: [Vec<f64>; UNDER_WAY.len()],
}

impl Peer {
    fn round(&mut self, phones: u32, report: &Report, name: &str) -> Result<()> {
        for (under_way, rates) in UNDER_WAY.into_iter().zip(&mut self.rates) {
            let done = self.crowd.register(0..phones, under_way)?;
            report.progress(&told(name, under_way, &done));
            rates.push(done.rate());
            self.crowd.settle(QUIET, SOON)?;
        }
        Ok(())
    }

    /// Rates of the number under way that it does best with.
    fn best(&self) -> &[f64] {
        let [few, many] = &self.rates;
        if median(few) >= median(many) {
            few
        } else {
            many
        }
    }
}

fn told(name: &str, under_way: usize, done: &Registered) -> String {
    format!(
        "{name}: {:.0} registrations/s, {under_way} under way, {:.1} ms, p99 {:.1} ms; \
         the phones took {:.0} % of a core",
        done.rate(),
        percentile(&done.times, 0.5),
        percentile(&done.times, 0.99),
        done.cost.as_secs_f64() / done.took.as_secs_f64() * 100.0
    )
}

/// Measures both.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let (rounds, phones) = if options.quick {
        (3, 10_000)
    } else {
        (9, 30_000)
    };
    let ours = Place::new("gateway")?;
    let mut daemon = gateway::start(&ours, 2, "")?;
    let mut gateway = peer(&ours, phones)?;
    let theirs = Place::new("otp")?;
    let _controller = controller(&theirs)?;
    let mut otp = peer(&theirs, phones)?;
    for _ in 0..rounds {
        gateway
            .round(phones, report, "gateway")
            .map_err(|error| with_log(error, &daemon))?;
        otp.round(phones, report, "OTP")?;
    }
    daemon.stop()?;
    let (ours, theirs) = (gateway.best(), otp.best());
    report.add(Figure::new("registrations: OTP", median(theirs), "1/s"));
    let figure = Figure::new("registrations, on disk", median(ours), "1/s");
    let figure = figure.against("OTP", median_ratio(ours, theirs));
    report.add(figure.target(Target::AtLeast(TARGET)));
    Ok(())
}

fn with_log(error: anyhow::Error, daemon: &site::Gateway) -> anyhow::Error {
    error.context(format!("the gateway's log:\n{}", daemon.log()))
}

fn peer(place: &Place, phones: u32) -> Result<Peer> {
    Ok(Peer {
        crowd: Crowd::new(&place.phones, phones)?,
        rates: Default::default(),
    })
}

/// A controller of Erlang/OTP that accepts everybody.
fn controller(place: &Place) -> Result<Process> {
    let folder = place.directory.path();
    erlang::compile("controller", include_str!("peers/controller.erl"), folder)?;
    let folder = place.file("");
    let words = [
        &["-noshell", "-pa", &folder][..],
        &erlang::AT_EASE,
        &["-run", "controller", "main"],
    ];
    let (erl, log) = (
        Path::new("/usr/bin/erl"),
        place.directory.path().join("log"),
    );
    let controller = Process::start(&place.switch, erl, &words.concat(), &log)?;
    let ready = eventually(SOON, || {
        let log = controller.log();
        log.contains("ready").then_some(()).ok_or(log)
    });
    ready.map_err(|log| anyhow!("OTP's controller: {log}"))?;
    Ok(controller)
}
