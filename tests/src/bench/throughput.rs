//! Packets per second: a generator on one core, the router's receive side on another,
//! more offered than it can take; every system on the same path, round by round.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use gateway_tests::wait::eventually;

use super::Options;
use super::abi::{self, Traffic};
use super::conntrack;
use super::cpu::{Core, pin_this_thread};
use super::in_turns::{CHANGE, InTurns, TURN, turn};
use super::interval::{pass, rates};
use super::lab::Lab;
use super::path::Path;
use super::per_packet::ethernet;
use super::phones::Phones;
use super::report::{Figure, Report, Target};
use super::statistics::{median, median_ratio};
use super::systems::{Installed, PEERS, Source, System};

/// Flows over 1,000 phones; one flow is of one phone.
const FLOWS: [u32; 3] = [1, 10_000, 1_000_000];
/// More packets than are sent while one round lasts, in one call to the kernel: between
/// calls nothing is sent for tens of milliseconds, while it waits for the last pages.
const PACKETS_PER_SECOND: f64 = 12e6;
/// Time to run in, after a system was installed.
const RUN_IN: Duration = Duration::from_millis(100);
/// A tracker that has not seen all flows by then is measured as it is.
const FILL: Duration = Duration::from_secs(60);

/// What one round measured, packets per second.
#[derive(Clone, Copy, Debug)]
struct Rate {
    offered: f64,
    received: f64,
}

/// All rounds of one system and one number of flows, with a rate or several each.
type Rounds = Vec<Vec<Rate>>;

/// Turns of a pair in a round.
const TURNS: usize = 10;

/// Measures every system with every number of flows.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    // A thread of its own: it keeps its priority.
    std::thread::scope(|scope| {
        let control = scope.spawn(|| {
            pin_this_thread(Core::Control)?;
            compare(options, report)
        });
        control
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn compare(options: &Options, report: &mut Report) -> Result<()> {
    let interval = Duration::from_millis(if options.quick { 250 } else { 600 });
    let _limits = conntrack::Raised::new()?;
    let path = Path::new()?;
    conntrack::tune(path.router())?;
    let mut lab = Lab::load()?;
    lab.forward_to(&path.outside)?;
    let _sink = lab.attach("lab_count", &path.sink)?;
    let mut measured: Vec<Vec<Rounds>> = Vec::new();
    for flows in FLOWS {
        let traffic = packets(&path, flows)?;
        let mut rounds = vec![Rounds::new(); System::ALL.len()];
        for round in 1..=options.rounds() {
            report.progress(&format!("packets per second, {flows} flows, round {round}"));
            let both = InTurns::new(&path, &mut lab)?;
            let load = Load {
                lab: &lab,
                path: &path,
                traffic,
            };
            for (system, rates) in load.pair()? {
                rounds[system as usize].push(rates);
            }
            both.remove()?;
            for system in PEERS {
                if !options.systems.is_empty() && !options.systems.contains(&system) {
                    continue;
                }
                let installed = Installed::new(system, &path)?;
                path.pin()?;
                if system == System::Snat && round == 1 {
                    load.fill()?;
                }
                rounds[system as usize].push(vec![load.alone(system, interval)?]);
                installed.remove()?;
            }
        }
        measured.push(rounds);
    }
    Measured(measured).add_figures(report);
    Ok(())
}

/// Packets of this many flows.
fn packets(path: &Path, flows: u32) -> Result<Traffic> {
    let mut traffic = Phones::thousand().traffic(abi::OUTBOUND, flows);
    traffic.ifindex = path.source.index()?;
    traffic.ethernet = ethernet(path.inside.mac, path.source.mac);
    traffic.phones = traffic.phones.min(flows);
    Ok(traffic)
}

/// A generator on a path.
struct Load<'a> {
    lab: &'a Lab,
    path: &'a Path,
    traffic: Traffic,
}

impl Load<'_> {
    /// Sends from the path's source while `work` runs, which takes about so long.
    fn during<T>(&self, time: Duration, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let stop = AtomicBool::new(false);
        let packets = (time + RUN_IN).as_secs_f64() * PACKETS_PER_SECOND;
        self.lab.set_traffic(self.traffic)?;
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| {
                self.path.source.ns.enter(|| {
                    pin_this_thread(Core::Generator)?;
                    while !stop.load(Ordering::Relaxed) {
                        self.lab.send(packets as u32)?;
                    }
                    anyhow::Ok(())
                })
            });
            let value = self.begun().and_then(|()| work());
            stop.store(true, Ordering::Relaxed);
            // What is left of the call makes no packets.
            let stopped = self.lab.set_traffic(Traffic {
                flows: 0,
                ..self.traffic
            });
            let sent = sender
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            stopped.and(sent).and(value)
        })
    }

    /// Waits until packets are being sent.
    fn begun(&self) -> Result<()> {
        let made = || self.lab.counts().map(|counts| counts[abi::MADE as usize]);
        let before = made()?;
        eventually(Duration::from_secs(10), || match made() {
            Ok(now) if now > before => Ok(()),
            Ok(_) => Err("the generator has sent nothing".to_owned()),
            Err(error) => Err(error.to_string()),
        })
        .map_err(|why| anyhow!(why))
    }

    /// Lets connection tracking see every flow once.
    fn fill(&self) -> Result<()> {
        let flows = u64::from(self.traffic.flows);
        self.during(Duration::from_secs(1), || {
            let step = Duration::from_millis(50);
            for _ in 0..FILL.as_millis() / step.as_millis() {
                if conntrack::connections(self.path.router())? >= flows {
                    break;
                }
                pass(step);
            }
            Ok(())
        })
    }

    /// What a system that is alone on the path takes.
    fn alone(&self, system: System, interval: Duration) -> Result<Rate> {
        self.during(RUN_IN + interval, || {
            pass(RUN_IN);
            self.rate(system, interval)
        })
    }

    /// What the bare forwarder and the gateway take, in turns.
    fn pair(&self) -> Result<[(System, Vec<Rate>); 2]> {
        let mut rates = [System::Forwarder, System::Gateway].map(|system| (system, Vec::new()));
        let time = RUN_IN + 2 * (CHANGE + TURN) * TURNS as u32;
        self.during(time, || {
            pass(RUN_IN);
            for _ in 0..TURNS {
                for (system, rates) in &mut rates {
                    self.lab.set_traffic(turn(self.traffic, *system))?;
                    pass(CHANGE);
                    rates.push(self.rate(*system, TURN)?);
                }
            }
            Ok(())
        })?;
        Ok(rates)
    }

    /// What comes through the system at work.
    fn rate(&self, system: System, interval: Duration) -> Result<Rate> {
        let [offered, private, public] = rates(interval, || {
            let counts = self.lab.counts()?;
            let at = |index: u32| counts[index as usize];
            anyhow::Ok([abi::MADE, abi::ARRIVED_PRIVATE, abi::ARRIVED_PUBLIC].map(at))
        })?;
        let (received, strange) = match system.source() {
            Source::Private => (private, public),
            Source::Public => (public, private),
        };
        let name = system.name();
        ensure!(received > 0.0, "{name}: nothing came through");
        ensure!(
            strange == 0.0,
            "{name}: {strange:.0} packets/s arrived with the wrong source"
        );
        Ok(Rate { offered, received })
    }
}

/// Rounds of every number of flows and every system; of those left out there are none.
struct Measured(Vec<Vec<Rounds>>);

impl Measured {
    /// Every rate, in turn.
    fn received(&self, flows: usize, system: System) -> Vec<f64> {
        let rounds = self.0[flows][system as usize].iter().flatten();
        rounds.map(|rate| rate.received).collect()
    }

    /// The rate of each round.
    fn by_round(&self, flows: usize, system: System) -> Vec<f64> {
        let middle = |rates: &Vec<Rate>| {
            let rates: Vec<f64> = rates.iter().map(|rate| rate.received).collect();
            median(&rates)
        };
        self.0[flows][system as usize].iter().map(middle).collect()
    }

    fn add_figures(&self, report: &mut Report) {
        for flows in 0..FLOWS.len() {
            for system in System::ALL {
                self.add_system(flows, system, report);
            }
            for peer in PEERS {
                self.add_advantage(flows, peer, report);
            }
        }
        let last = FLOWS.len() - 1;
        let evenness = self.share_of_limit(last) / self.share_of_limit(0);
        let case = format!("gateway's evenness, {} flows", FLOWS[last]);
        report.add(
            Figure::new(case, self.share_of_limit(last), "of the bare forwarder")
                .against(title(0, System::Gateway), evenness)
                .target(Target::Within(0.95, 1.05)),
        );
    }

    /// The gateway's rate as a share of the bare forwarder's: what the number of flows
    /// does to the path itself is in both.
    fn share_of_limit(&self, flows: usize) -> f64 {
        let [gateway, limit] =
            [System::Gateway, System::Forwarder].map(|system| self.received(flows, system));
        median_ratio(&gateway, &limit)
    }

    /// What came through a system, and what was offered to it.
    fn add_system(&self, flows: usize, system: System, report: &mut Report) {
        let rates = self.received(flows, system);
        if rates.is_empty() {
            return;
        }
        let case = title(flows, system);
        let figure = Figure::new(case.clone(), median(&rates), "packets/s");
        report.add(match system {
            System::Gateway => figure
                .against(title(flows, System::Forwarder), self.share_of_limit(flows))
                .target(Target::AtLeast(0.90)),
            _ => figure,
        });
        let rounds = &self.0[flows][system as usize];
        let offered: Vec<f64> = rounds.iter().flatten().map(|rate| rate.offered).collect();
        let ratio = median_ratio(&offered, &rates);
        let figure = Figure::new(format!("offered to {case}"), median(&offered), "packets/s");
        report.add(figure.against(case, ratio));
    }

    /// The gateway against a peer that does as much or less.
    fn add_advantage(&self, flows: usize, peer: System, report: &mut Report) {
        let gateway = self.by_round(flows, System::Gateway);
        let rates = self.by_round(flows, peer);
        if rates.is_empty() {
            return;
        }
        let case = format!("gateway's advantage, {} flows", FLOWS[flows]);
        let figure = Figure::new(case, median(&gateway), "packets/s")
            .against(title(flows, peer), median_ratio(&gateway, &rates));
        report.add(match (peer, FLOWS[flows]) {
            (System::Snat, 10_000) => figure.target(Target::AtLeast(4.0)),
            (System::Snat, 1_000_000) => figure.target(Target::AtLeast(5.0)),
            _ => figure,
        });
    }
}

fn title(flows: usize, system: System) -> String {
    format!("{}, {} flows", system.name(), FLOWS[flows])
}
