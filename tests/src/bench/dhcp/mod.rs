//! How DHCP is measured, beside Kea and dnsmasq, each in a namespace of its own with the same
//! addresses, the same leases in its table, and its files on the same disk.
//!
//! | file | what it measures, or with what |
//! |---|---|
//! | `capacity.rs`, `perfdhcp.rs` | complete exchanges a second with at most 2.5 % lost, by Kea's perfdhcp |
//! | `storm.rs` | a relay agent with any number of clients: fills tables, takes the time of exchanges |
//! | `syncs.rs` | how often a server waits for its disk |
//! | `ready.rs` | how long the gateway takes to be back after a kill |
//! | `server.rs` | what a server must be able to do |
//! | `gateway.rs`, `kea.rs`, `dnsmasq.rs` | each set up as its best users would |
//! | `place.rs` | the namespaces and the plan of addresses |

mod capacity;
mod dnsmasq;
mod gateway;
mod kea;
mod perfdhcp;
mod place;
mod ready;
mod server;
mod storm;
mod syncs;

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::report::{Figure, Report, Target};
use super::statistics::{median, median_ratio};
use capacity::Search;
use place::Place;
use server::{Filling, Kind, Server};
use storm::{Clients, Outcome, Pace, Storm};

/// An exchange's time at half of the highest load: the slowest hundredth of them.
const MOST_P99: f64 = 50.0;
/// Exchanges under way at once while a table is filled.
const FILLING: usize = 64;
/// At most so long.
const FILLING_TIME: Duration = Duration::from_secs(120);
/// How long a server may be busy with what it was sent too much of.
const SETTLING_TIME: Duration = Duration::from_secs(60);

/// What is asked for.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// One JSON object per figure and line instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// One short round instead of three
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only these servers
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::USUAL)]
    servers: Vec<Kind>,
    /// Leases that each has in its table before it is measured
    #[arg(long, default_value_t = 100_000)]
    leases: u32,
}

/// A server at work, and what was measured of it.
struct Measured {
    kind: Kind,
    server: Box<dyn Server>,
    storm: Storm,
    search: Search,
    /// Complete exchanges a second: one figure for each round.
    rates: Vec<f64>,
}

impl Measured {
    /// Has clients lease addresses.
    fn run(&mut self, clients: Clients, pace: Pace) -> Result<Outcome> {
        self.storm.run(self.server.place(), clients, pace)
    }

    /// Waits until the server has dealt with all that was sent to it.
    fn settle(&mut self) -> Result<()> {
        settle(&mut self.storm, self.server.place())
    }

    /// One round of the search for its highest rate.
    fn round(&mut self, options: &Options, report: &mut Report) -> Result<f64> {
        let name = self.kind.name();
        let first = self.search(options.quick);
        match first {
            // dnsmasq sometimes offers one address to everybody after an overload, and refuses it
            // to all: begun anew it goes on. Ours has no such excuse.
            Err(why) if self.kind == Kind::Dnsmasq => {
                report.progress(&format!("{name} is begun anew: {why:#}"));
                self.server.start()?;
                self.settle()?;
                let again = self.search(options.quick);
                again.with_context(|| format!("{name}, its log:\n{}", self.server.log()))
            }
            other => other.with_context(|| format!("{name}, its log:\n{}", self.server.log())),
        }
    }

    fn search(&mut self, quick: bool) -> Result<f64> {
        let (place, storm) = (self.server.place(), &mut self.storm);
        self.search.round(quick, place, || settle(storm, place))
    }
}

/// Servers deal with messages in order: when one exchange is complete, all before it are done with.
fn settle(storm: &mut Storm, place: &Place) -> Result<()> {
    let pace = Pace::Window {
        under_way: 1,
        exchanges: 1,
        within: SETTLING_TIME,
    };
    let outcome = storm.run(place, Clients::New, pace)?;
    ensure!(
        !outcome.times.is_empty(),
        "not one exchange in {SETTLING_TIME:?}"
    );
    Ok(())
}

/// Measures them all.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    report.progress(&place::disk()?);
    let mut all = Vec::new();
    for kind in &options.servers {
        all.push(prepare(*kind, options, report)?);
    }
    let rounds = if options.quick { 1 } else { 3 };
    for round in 1..=rounds {
        for measured in &mut all {
            let name = measured.kind.name();
            let rate = measured.round(options, report)?;
            report.progress(&format!("round {round}: {name}: {rate:.0} exchanges/s"));
            measured.rates.push(rate);
        }
    }
    for measured in &all {
        let name = measured.kind.name();
        let case = format!("{name}: complete exchanges");
        report.add(Figure::new(case, median(&measured.rates), "1/s"));
    }
    compare(&all, report);
    for measured in &mut all {
        times(measured, options, report)?;
    }
    for measured in &mut all {
        syncs::measure(measured, report)?;
    }
    Ok(())
}

/// Starts a server with its table full.
fn prepare(kind: Kind, options: &Options, report: &mut Report) -> Result<Measured> {
    let name = kind.name();
    let place = Place::new(name)?;
    let mut server = kind.server(place, options.leases);
    server
        .start()
        .with_context(|| format!("start {name}, its log:\n{}", server.log()))?;
    let mut measured = Measured {
        kind,
        server,
        storm: Storm::default(),
        search: Search::new(kind),
        rates: Vec::new(),
    };
    if measured.server.filling() == Filling::ByExchanges {
        report.progress(&format!("{name}: leasing {} addresses", options.leases));
        fill(&mut measured, report)?;
    }
    let case = format!("{name}: leases in its table");
    let leases = f64::from(measured.server.leases());
    report.add(Figure::new(case, leases, ""));
    if let Some(gateway) = measured.server.as_gateway() {
        ready::measure(gateway, options, report)?;
    }
    // Some are busy for a while with what they have read.
    measured.settle()?;
    Ok(measured)
}

fn fill(measured: &mut Measured, report: &mut Report) -> Result<()> {
    let name = measured.kind.name();
    let leases = measured.server.leases() as usize;
    let pace = Pace::Window {
        under_way: FILLING,
        exchanges: leases,
        within: FILLING_TIME,
    };
    let outcome = measured.run(Clients::Filling, pace)?;
    let done = outcome.times.len();
    let rate = done as f64 / outcome.took.as_secs_f64();
    ensure!(
        done == leases,
        "{name}: {done} leases of {leases} after {FILLING_TIME:?}, its log:\n{}",
        measured.server.log()
    );
    let case = format!("{name}: exchanges, {FILLING} under way");
    report.add(Figure::new(case, rate, "1/s"));
    Ok(())
}

/// The gateway's rate beside its peers'.
fn compare(all: &[Measured], report: &mut Report) {
    let rates = |kind| {
        let found = all.iter().find(|measured| measured.kind == kind);
        found.map(|measured| &measured.rates)
    };
    let Some(ours) = rates(Kind::Gateway) else {
        return;
    };
    for (peer, target) in [
        (Kind::Kea, Some(1.0)),
        (Kind::KeaPackaged, None),
        (Kind::Dnsmasq, Some(10.0)),
    ] {
        if let Some(theirs) = rates(peer)
            && median(theirs) > 0.0
        {
            let ratio = median_ratio(ours, theirs);
            let case = format!("gateway beside {}", peer.name());
            let figure = Figure::new(case, median(ours), "1/s").against(peer.name(), ratio);
            report.add(match target {
                Some(target) => figure.target(Target::AtLeast(target)),
                None => figure,
            });
        }
    }
}

/// How long exchanges take at half of the highest load.
fn times(measured: &mut Measured, options: &Options, report: &mut Report) -> Result<()> {
    let name = measured.kind.name();
    let rate = median(&measured.rates) / 2.0;
    if rate <= 0.0 {
        report.progress(&format!(
            "{name}: at any rate more than 2.5 % of exchanges are lost"
        ));
        return Ok(());
    }
    measured.settle()?;
    let lasting = Duration::from_secs(if options.quick { 4 } else { 10 });
    let outcome = measured.run(Clients::New, Pace::Rate { rate, lasting })?;
    let (done, lost) = (outcome.times.len(), outcome.lost);
    report.progress(&format!(
        "{name}: {done} exchanges at {rate:.0}/s, {lost} lost"
    ));
    for (label, share) in [("median", 0.5), ("p99", 0.99)] {
        let Some(time) = outcome.percentile(share) else {
            continue;
        };
        let case = format!("{name}: {label} of an exchange at half load");
        let figure = Figure::new(case, time.as_secs_f64() * 1e3, "ms");
        let ours = measured.kind == Kind::Gateway && label == "p99";
        report.add(if ours {
            figure.target(Target::AtMost(MOST_P99))
        } else {
            figure
        });
    }
    Ok(())
}
