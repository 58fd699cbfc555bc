//! Nanoseconds per packet: `BPF_PROG_TEST_RUN` of a program that makes a random
//! phone's packet and calls the gateway. What making it costs, measured in the same
//! round with an empty program to call, is taken off.
//!
//! Sizes are measured one after the other, and a machine that others share may be half as
//! fast a minute later. So the bare forwarder is measured beside each figure, and sizes are
//! compared by what they take of its time.

use anyhow::{Result, anyhow, ensure};
use gateway_common::Reason;
use gateway_tests::link::Interface;
use gateway_tests::packet;

use super::Options;
use super::abi::{self, Traffic};
use super::cpu::{Core, pin_this_thread};
use super::gateway::Gateway;
use super::lab::{FORWARDER, GATEWAY, Lab, NOTHING};
use super::path::Path;
use super::phones::Phones;
use super::report::{Figure, Report, Target};
use super::statistics::median;

/// Sizes of the table of bindings.
const BINDINGS: [u32; 4] = [1, 1000, 100_000, 1_000_000];
/// The largest is compared with this one.
const COMPARED: usize = 1;
/// So many times the nanoseconds over a thousand may a packet take over a million.
const TARGET: Target = Target::AtMost(3.0);

const XDP_DROP: u32 = 1;
const XDP_REDIRECT: u32 = 4;

/// One way through the gateway: its name, the packets, how they should end.
type Case = (&'static str, u32, Reason);

const CASES: [Case; 5] = [
    ("outbound", abi::OUTBOUND, Reason::Outbound),
    ("inbound", abi::INBOUND, Reason::Inbound),
    ("hairpin", abi::HAIRPIN, Reason::Hairpin),
    ("drop no_binding", abi::NO_BINDING, Reason::NoBinding),
    (
        "drop foreign_port",
        abi::FOREIGN_PORT,
        Reason::SourcePortOutOfRange,
    ),
];

/// Measures every case over every size.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let repeat = if options.quick { 200_000 } else { 1_000_000 };
    let path = Path::new()?;
    let mut measured = Vec::new();
    for bindings in BINDINGS {
        report.progress(&format!("time per packet over {bindings} bindings"));
        let phones = Phones::many(bindings);
        measured.push(path.router().enter(|| {
            pin_this_thread(Core::Router)?;
            let gateway = Gateway::start(&path, phones)?;
            let mut lab = Lab::load()?;
            lab.set_targets(&Gateway::link(&path.inside)?)?;
            let mut bench = Bench {
                gateway: &gateway,
                lab,
                path: &path,
                phones,
                repeat,
            };
            let rounds = bench.rounds(options.rounds());
            drop(bench);
            gateway.stop()?;
            rounds
        })?);
    }
    add_figures(&measured, report);
    Ok(())
}

/// What one round measured, nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Times {
    gateway: f64,
    forwarder: f64,
}

/// The median of something over rounds.
fn over(rounds: &[Times], what: impl Fn(&Times) -> f64) -> f64 {
    median(&rounds.iter().map(what).collect::<Vec<f64>>())
}

/// `measured[size][case]` has the rounds.
fn add_figures(measured: &[Vec<Vec<Times>>], report: &mut Report) {
    let all: Vec<Times> = measured.iter().flatten().flatten().copied().collect();
    report.add(Figure::new(
        "outbound, bare XDP forwarder",
        over(&all, |times| times.forwarder),
        "ns/packet",
    ));
    let share = |rounds: &[Times]| over(rounds, |times| times.gateway / times.forwarder);
    for (index, (name, ..)) in CASES.into_iter().enumerate() {
        let title = |bindings| format!("{name}, {bindings} bindings");
        for (bindings, rounds) in BINDINGS.into_iter().zip(measured) {
            let time = over(&rounds[index], |times| times.gateway);
            let mut figure = Figure::new(title(bindings), time, "ns/packet");
            if bindings > BINDINGS[COMPARED] {
                let ratio = share(&rounds[index]) / share(&measured[COMPARED][index]);
                figure = figure.against(title(BINDINGS[COMPARED]), ratio);
            }
            if bindings == BINDINGS[BINDINGS.len() - 1] {
                figure = figure.target(TARGET);
            }
            report.add(figure);
        }
    }
}

/// The gateway over one size of the table.
struct Bench<'a> {
    gateway: &'a Gateway,
    lab: Lab,
    path: &'a Path,
    phones: Phones,
    repeat: u32,
}

impl Bench<'_> {
    /// Times of each case in each round.
    fn rounds(&mut self, rounds: usize) -> Result<Vec<Vec<Times>>> {
        let mut all = vec![Vec::new(); CASES.len()];
        for case in CASES {
            self.prove(case)?;
        }
        for _ in 0..rounds {
            for (times, case) in all.iter_mut().zip(CASES) {
                times.push(Times {
                    gateway: self.once(case, GATEWAY)?,
                    forwarder: self.once(CASES[0], FORWARDER)?,
                });
            }
        }
        Ok(all)
    }

    /// Nanoseconds of one of `LAB_TARGETS`.
    fn once(&mut self, case: Case, target: u32) -> Result<f64> {
        let (device, _, traffic) = self.packets(case);
        let index = device.index()?;
        let time = |target, repeat| {
            self.lab.set_traffic(Traffic { target, ..traffic })?;
            let (_, time, _) = self.lab.run("lab_craft", index, repeat)?;
            anyhow::Ok(time.as_nanos() as f64)
        };
        let overhead = time(NOTHING, self.repeat)?;
        // Once around, so that what the last case left in the caches is gone.
        time(target, self.repeat / 10)?;
        let whole = time(target, self.repeat)?;
        Ok(whole - overhead)
    }

    /// The device packets of a case come in on, the neighbour they are from, and what
    /// they look like.
    fn packets(&self, (_, kind, _): Case) -> (&Interface, &Interface, Traffic) {
        let (device, neighbour) = match kind {
            abi::INBOUND | abi::NO_BINDING => (&self.path.outside, &self.path.sink),
            _ => (&self.path.inside, &self.path.source),
        };
        let mut traffic = self.phones.traffic(kind, 1);
        traffic.ethernet = ethernet(device.mac, neighbour.mac);
        (device, neighbour, traffic)
    }

    /// Proves that what is measured is what it is called: verdict, counter, checksums.
    fn prove(&mut self, case: Case) -> Result<()> {
        let (name, _, reason) = case;
        let (device, _, traffic) = self.packets(case);
        let device = device.clone();
        let many = 1000;
        self.lab.set_traffic(Traffic {
            target: GATEWAY,
            ..traffic
        })?;
        let before = self.gateway.count(&device, reason)?;
        let (action, _, frame) = self.lab.run("lab_craft", device.index()?, many)?;
        let counted = self.gateway.count(&device, reason)? - before;
        ensure!(
            counted == u64::from(many),
            "{name}: {counted} of {many} packets ended for {reason:?}"
        );
        let dropped = name.starts_with("drop");
        let expected = if dropped { XDP_DROP } else { XDP_REDIRECT };
        ensure!(action == expected, "{name}: verdict {action}");
        let left = packet::check(&frame).map_err(|why| anyhow!("{name}: {why}"))?;
        ensure!(dropped || left.ip.ttl == 63, "{name}: {left:?}");
        Ok(())
    }
}

/// Ethernet addresses as the lab's programs take them.
pub(crate) fn ethernet(to: [u8; 6], from: [u8; 6]) -> [u16; 6] {
    let words = |mac: [u8; 6]| [0, 2, 4].map(|at| u16::from_ne_bytes([mac[at], mac[at + 1]]));
    let ([d0, d1, d2], [s0, s1, s2]) = (words(to), words(from));
    [d0, d1, d2, s0, s1, s2]
}
