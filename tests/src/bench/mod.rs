//! How the gateway is measured: the dataplane, and in folders of their own its servers.
//!
//! | file | what it measures, or with what |
//! |---|---|
//! | `per_packet.rs` | nanoseconds of a packet by test-run, over random phones |
//! | `look_ups.rs` | the same keys through hash maps and through the gateway's tree and arrays |
//! | `throughput.rs`, `in_turns.rs`, `systems.rs` | packets per second of the gateway and its peers, on one path |
//! | `dhcp/` | complete DHCP exchanges beside Kea and dnsmasq |
//! | `memory.rs` | bytes of a binding, time to load them |
//! | `report.rs`, `statistics.rs` | figures as a table or JSON; medians |
//! | `path.rs`, `phones.rs` | generator, router and sink; who has which ports |
//! | `gateway.rs` | the gateway on that path |
//! | `lab.rs`, `abi.rs` | the BPF programs beside the gateway (gateway-ebpf/src/lab) |
//! | `switch/` | registrations and calls beside Erlang/OTP and Kamailio |
//! | `tftp/` | megabytes a second of TFTP servers |
//! | `cpu.rs`, `interval.rs`, `conntrack.rs` | cores, clocks, the machine's limits |

#[path = "../../../gateway-ebpf/src/lab/abi.rs"]
mod abi;
mod conntrack;
mod cpu;
pub(crate) mod dhcp;
mod gateway;
mod in_turns;
mod interval;
mod lab;
mod look_ups;
mod memory;
mod path;
mod per_packet;
mod phones;
pub(crate) mod report;
mod statistics;
pub(crate) mod switch;
mod systems;
pub(crate) mod tftp;
mod throughput;

use anyhow::Result;

use report::Report;
use systems::System;

/// What is asked for.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// One JSON object per figure and line instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Fewer and shorter rounds: under two minutes
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only these sections
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) only: Vec<Section>,
    /// Only these peers in the throughput section, beside the bare forwarder and the gateway
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) systems: Vec<System>,
}

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Section {
    /// Nanoseconds per packet
    PerPacket,
    /// Hash maps against tree and arrays
    LookUps,
    /// Packets per second against peers
    Throughput,
    /// Bytes per binding, load time
    Memory,
}

impl Options {
    /// Rounds that a median is taken of.
    fn rounds(&self) -> usize {
        if self.quick { 5 } else { 15 }
    }

    fn wants(&self, section: Section) -> bool {
        self.only.is_empty() || self.only.contains(&section)
    }
}

/// Measures the dataplane.
pub(crate) fn dataplane(options: &Options, report: &mut Report) -> Result<()> {
    type Measure = fn(&Options, &mut Report) -> Result<()>;
    let sections: [(Section, Measure); 4] = [
        (Section::PerPacket, per_packet::measure),
        (Section::LookUps, look_ups::measure),
        (Section::Throughput, throughput::measure),
        (Section::Memory, memory::measure),
    ];
    for (section, measure) in sections {
        if options.wants(section) {
            measure(options, report)?;
        }
    }
    Ok(())
}
