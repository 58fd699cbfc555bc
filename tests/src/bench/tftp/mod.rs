//! How the TFTP server is measured: one client for all servers, over a veth pair between
//! two namespaces. In each round each server sends each file once.
//!
//! | file | what it does |
//! |---|---|
//! | `client.rs` | reads a file, compares it with what it should be, and throws it away |
//! | `cores.rs` | who runs on which core |
//! | `servers.rs` | the gateway's server and its peers: start, stop, what they can do |

mod client;
mod cores;
mod servers;

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use gateway_tests::link::{VethOptions, mac_of, veth};
use gateway_tests::netns::Namespace;

use super::interval::timed;
use super::report::{Figure, Report, Target};
use super::statistics::{median, median_ratio};
use client::{Client, Wanted};
use servers::{Running, Server};

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 10, 0, 1);
/// The first of the phones.
const FIRST_PHONE: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 1);
const MEGABYTE: usize = 1 << 20;
/// The phones that read at once.
const PHONES: u32 = 200;

/// What is asked for.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// One JSON object per figure and line instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Fewer rounds
    #[arg(long)]
    quick: bool,
    /// Only these cases
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Section>,
    /// Only these servers
    #[arg(long, value_enum, value_delimiter = ',')]
    servers: Vec<Server>,
}

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Section {
    /// One block, one acknowledgement; client and server share a core
    Lockstep,
    /// The same wherever the scheduler puts them
    Apart,
    /// Windows of 16 blocks
    Windows,
    /// 200 phones at once
    Phones,
}

/// One thing to do, the same for each server.
#[derive(Clone, Copy, Debug)]
struct Case {
    section: Section,
    name: &'static str,
    file: &'static str,
    megabytes: usize,
    window: Option<u16>,
    clients: u32,
    /// Whether client and server share a core: see `cores.rs`.
    shared: bool,
}

const CASES: [Case; 4] = [
    Case {
        section: Section::Lockstep,
        name: "64 MB, blksize 1428, one core",
        file: "large.bin",
        megabytes: 64,
        window: None,
        clients: 1,
        shared: true,
    },
    Case {
        section: Section::Apart,
        name: "64 MB, blksize 1428, wherever they run",
        file: "large.bin",
        megabytes: 64,
        window: None,
        clients: 1,
        shared: false,
    },
    Case {
        section: Section::Windows,
        name: "64 MB, blksize 1428, windowsize 16",
        file: "large.bin",
        megabytes: 64,
        window: Some(16),
        clients: 1,
        shared: false,
    },
    Case {
        section: Section::Phones,
        name: "1 MB to each of 200 phones at once",
        file: "small.bin",
        megabytes: 1,
        window: None,
        clients: PHONES,
        shared: false,
    },
];

/// Measures TFTP servers beside each other.
pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("sgt-").tempdir()?;
    let large = contents(64 * MEGABYTE);
    for (name, length) in [("large.bin", large.len()), ("small.bin", MEGABYTE)] {
        std::fs::write(folder.path().join(name), &large[..length])?;
    }
    readable_by_all(folder.path())?;
    let servers = match options.servers.is_empty() {
        true => Server::ALL.to_vec(),
        false => options.servers.clone(),
    };
    let (router, phones) = (Namespace::new("router")?, Namespace::new("phones")?);
    let (inside, _) = veth(
        (&router, "eth0", mac_of(SERVER)),
        (&phones, "eth0", mac_of(FIRST_PHONE)),
        VethOptions::default(),
    )?;
    inside.address(&format!("{SERVER}/16"))?;
    let addresses: String = (0..PHONES)
        .map(|number| format!("address add {}/16 dev eth0\n", phone(number)))
        .collect();
    phones.batch(&addresses)?;

    let rounds = if options.quick { 3 } else { 9 };
    let wanted = |case: &Case| options.only.is_empty() || options.only.contains(&case.section);
    for case in CASES.into_iter().filter(wanted) {
        let mut rates = vec![Vec::new(); servers.len()];
        for round in 1..=rounds {
            report.progress(&format!("{}: round {round} of {rounds}", case.name));
            for (server, rates) in servers.iter().zip(&mut rates) {
                let running = Running::start(*server, &router, folder.path(), SERVER, case.shared)?;
                let rate = phones.enter(|| {
                    if case.shared {
                        cores::share()?;
                    }
                    rate(case, &large)
                })?;
                running.stop()?;
                rates.push(rate);
            }
        }
        figures(case, &servers, &rates, report);
    }
    Ok(())
}

fn phone(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST_PHONE.to_bits() + number)
}

/// Bytes that are nowhere the same.
fn contents(length: usize) -> Vec<u8> {
    let word = |index: usize| {
        (index as u64)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .to_be_bytes()
    };
    (0..length / 8).flat_map(word).collect()
}

/// Peers give up their rights before they read.
fn readable_by_all(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder, all).context("tftp: cannot open the folder")
}

/// Megabytes (10^6 bytes) in a second, over all clients.
fn rate(case: Case, large: &[u8]) -> Result<f64> {
    let bytes = &large[..case.megabytes * MEGABYTE];
    let wanted = Wanted {
        server: SERVER,
        name: case.file,
        block_size: 1428,
        window: case.window,
        bytes,
    };
    let mut clients = Vec::new();
    for number in 0..case.clients {
        clients.push(Client::new(phone(number))?);
    }
    let (time, done) = timed(|| {
        std::thread::scope(|scope| {
            let threads: Vec<_> = clients
                .into_iter()
                .map(|client| scope.spawn(move || client.read(wanted)))
                .collect();
            let ends = threads.into_iter().map(|thread| thread.join());
            ends.map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect::<Result<Vec<()>>>()
        })
    });
    done.with_context(|| case.name.to_owned())?;
    ensure!(time > Duration::ZERO, "no time has passed");
    Ok(bytes.len() as f64 * f64::from(case.clients) / 1e6 / time.as_secs_f64())
}

fn figures(case: Case, servers: &[Server], rates: &[Vec<f64>], report: &mut Report) {
    let of = |wanted: Server| {
        let place = servers.iter().position(|server| *server == wanted);
        place.map(|place| rates[place].as_slice())
    };
    for (server, rates) in servers.iter().zip(rates) {
        let name = format!("{}, {}", case.name, server.label());
        report.add(Figure::new(name, median(rates), "MB/s"));
    }
    let Some(gateway) = of(Server::Gateway) else {
        return;
    };
    for peer in [Server::TftpdHpa, Server::Atftpd] {
        if let Some(peers) = of(peer) {
            let ratio = median_ratio(gateway, peers);
            let figure = Figure::new(case.name, median(gateway), "MB/s");
            let figure = figure.against(peer.label(), ratio);
            // Wherever they run, the machine is measured more than the servers.
            report.add(match case.section {
                Section::Apart => figure,
                _ => figure.target(Target::AtLeast(1.0)),
            });
        }
    }
}
