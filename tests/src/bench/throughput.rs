//! Packets per second: a generator on one core, the router's receive side on another,
//! more offered than it can take; every system on the same path, round by round.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Options;
use super::abi;
use super::conntrack;
use super::cpu::{Core, pin_this_thread};
use super::interval::{pass, rates};
use super::lab::Lab;
use super::path::Path;
use super::per_packet::ethernet;
use super::phones::Phones;
use super::report::{Figure, Report, Target};
use super::statistics::{median, median_ratio};
use super::systems::{Installed, Source, System};

/// Flows over 1,000 phones; one flow is of one phone.
const FLOWS: [u32; 3] = [1, 10_000, 1_000_000];
/// Packets for one call to the kernel: tens of milliseconds.
const PACKETS: u32 = 1 << 16;
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

/// All rounds of one system and one number of flows.
type Rounds = Vec<Rate>;

/// Measures every system with every number of flows.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let interval = Duration::from_millis(if options.quick { 400 } else { 1500 });
    let _limits = conntrack::Raised::new()?;
    let path = Path::new()?;
    conntrack::tune(path.router())?;
    let mut lab = Lab::load()?;
    lab.forward_to(&path.outside)?;
    let _sink = lab.attach("lab_count", &path.sink)?;
    let mut measured: Vec<Vec<Rounds>> = Vec::new();
    for flows in FLOWS {
        set_flows(&mut lab, &path, flows)?;
        let mut rounds = vec![Rounds::new(); System::ALL.len()];
        for round in 1..=options.rounds() {
            report.progress(&format!("packets per second, {flows} flows, round {round}"));
            for (rounds, system) in rounds.iter_mut().zip(System::ALL) {
                let installed = Installed::new(system, &path, &mut lab)?;
                path.pin()?;
                if system == System::Snat && round == 1 {
                    fill(&lab, &path, flows)?;
                }
                rounds.push(once(&lab, &path, interval, system)?);
                installed.remove()?;
            }
        }
        measured.push(rounds);
    }
    add_figures(&measured, report);
    Ok(())
}

fn set_flows(lab: &mut Lab, path: &Path, flows: u32) -> Result<()> {
    let mut traffic = Phones::thousand().traffic(abi::OUTBOUND, flows);
    traffic.ifindex = path.source.index()?;
    traffic.ethernet = ethernet(path.inside.mac, path.source.mac);
    if flows < traffic.phones {
        traffic.phones = flows;
    }
    lab.set_traffic(traffic)
}

/// Sends from the path's source while `work` runs.
fn while_sending<T>(lab: &Lab, path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            path.source.ns.enter(|| {
                pin_this_thread(Core::Generator)?;
                while !stop.load(Ordering::Relaxed) {
                    lab.send(PACKETS)?;
                }
                anyhow::Ok(())
            })
        });
        let value = work();
        stop.store(true, Ordering::Relaxed);
        let sent = sender
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        sent.and(value)
    })
}

/// Lets connection tracking see every flow once.
fn fill(lab: &Lab, path: &Path, flows: u32) -> Result<()> {
    while_sending(lab, path, || {
        let step = Duration::from_millis(50);
        for _ in 0..FILL.as_millis() / step.as_millis() {
            if conntrack::connections(path.router())? >= u64::from(flows) {
                break;
            }
            pass(step);
        }
        Ok(())
    })
}

fn once(lab: &Lab, path: &Path, interval: Duration, system: System) -> Result<Rate> {
    let [made, private, public] = while_sending(lab, path, || {
        pass(RUN_IN);
        rates(interval, || {
            let counts = lab.counts()?;
            let at = |index: u32| counts[index as usize];
            anyhow::Ok([abi::MADE, abi::ARRIVED_PRIVATE, abi::ARRIVED_PUBLIC].map(at))
        })
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
    Ok(Rate {
        offered: made,
        received,
    })
}

/// `measured[flows][system]` has the rounds.
fn add_figures(measured: &[Vec<Rounds>], report: &mut Report) {
    let received = |flows: usize, system: System| -> Vec<f64> {
        let rounds = &measured[flows][system as usize];
        rounds.iter().map(|rate| rate.received).collect()
    };
    let title = |flows: usize, system: System| format!("{}, {} flows", system.name(), FLOWS[flows]);
    for flows in 0..FLOWS.len() {
        for system in System::ALL {
            let rates = received(flows, system);
            let figure = Figure::new(title(flows, system), median(&rates), "packets/s");
            report.add(match system {
                System::Gateway => {
                    let limit = System::Forwarder;
                    let ratio = median_ratio(&rates, &received(flows, limit));
                    figure
                        .against(title(flows, limit), ratio)
                        .target(Target::AtLeast(0.90))
                }
                _ => figure,
            });
            let offered: Vec<f64> = measured[flows][system as usize]
                .iter()
                .map(|rate| rate.offered)
                .collect();
            let ratio = median_ratio(&offered, &rates);
            report.add(
                Figure::new(
                    format!("offered to {}", title(flows, system)),
                    median(&offered),
                    "packets/s",
                )
                .against(title(flows, system), ratio),
            );
        }
        let gateway = received(flows, System::Gateway);
        for peer in [System::Snat, System::Stateless, System::Kernel] {
            let ratio = median_ratio(&gateway, &received(flows, peer));
            let case = format!("gateway's advantage, {} flows", FLOWS[flows]);
            let figure =
                Figure::new(case, median(&gateway), "packets/s").against(title(flows, peer), ratio);
            report.add(match (peer, FLOWS[flows]) {
                (System::Snat, 10_000) => figure.target(Target::AtLeast(4.0)),
                (System::Snat, 1_000_000) => figure.target(Target::AtLeast(5.0)),
                _ => figure,
            });
        }
    }
    let (one, million) = (
        received(0, System::Gateway),
        received(FLOWS.len() - 1, System::Gateway),
    );
    report.add(
        Figure::new(
            "gateway's evenness, 1000000 flows",
            median(&million),
            "packets/s",
        )
        .against(title(0, System::Gateway), median_ratio(&million, &one))
        .target(Target::AtLeast(0.95)),
    );
}
