//! How long the server thinks over an exchange, and how soon it is ready, with so many leases.
//!
//! `cargo run --release -p dhcp --features testing --example exchanges -- [LEASES]`
//!
//! Nothing is written to disk: that is the store's bench.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench reads the clock: that is what it is for"
)]

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use dhcp::testing::message::Message;
use dhcp::testing::site::{SERVER, settings};
use dhcp::{Change, Lease, Output, Received, Server, Settings};
use gateway_common::Prefix;

const EXCHANGES: u32 = 20_000;
const ALL: Ipv4Addr = Ipv4Addr::BROADCAST;

/// One large scope, and ports for a million phones.
fn large() -> Settings {
    let mut settings = settings();
    settings.scopes.truncate(1);
    let scope = &mut settings.scopes[0];
    scope.network = Prefix::new(Ipv4Addr::new(10, 0, 0, 0), 8).expect("a network");
    scope.addresses = vec![Ipv4Addr::new(10, 11, 0, 0)..=Ipv4Addr::new(10, 100, 255, 255)];
    settings.pools[0].addresses = (0..1200u32)
        .map(|number| Ipv4Addr::from(0xc612_0000 + number))
        .collect();
    settings
}

/// A server and what it has written.
struct Bench {
    server: Server,
    now: u64,
    leases: Vec<Lease>,
}

impl Bench {
    /// Handles a message, as if the disk took no time. The address in the reply.
    fn handle(&mut self, payload: &[u8]) -> Option<Ipv4Addr> {
        let received = Received {
            interface: 0,
            source: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68),
            destination: ALL,
            payload,
        };
        let _ = self.server.handle(self.now, received);
        let mut told = None;
        while let Some(output) = self.server.next_output() {
            match output {
                Output::Commit { id, changes } => {
                    self.server.committed(self.now, id);
                    self.leases
                        .extend(changes.into_iter().filter_map(|change| match change {
                            Change::Put(lease) => Some(lease),
                            _ => None,
                        }));
                }
                Output::Reply { payload, .. } => {
                    let yiaddr: [u8; 4] = payload[16..20].try_into().expect("four bytes");
                    told = Some(Ipv4Addr::from(yiaddr));
                }
                _ => {}
            }
        }
        told
    }

    /// DISCOVER to ACK; how long the server took.
    fn exchange(&mut self, number: u32) -> Duration {
        let discover = Message::discover(number).to_bytes();
        let begin = Instant::now();
        let offered = self.handle(&discover).expect("an offer");
        let mut took = begin.elapsed();
        let request = Message::request(number).asking(offered).to_server(SERVER);
        let request = request.to_bytes();
        let begin = Instant::now();
        let granted = self.handle(&request).expect("an answer");
        took += begin.elapsed();
        assert_eq!(granted, offered);
        took
    }
}

fn main() {
    let leases: u32 = std::env::args()
        .nth(1)
        .map_or(100_000, |n| n.parse().expect("a number"));
    let mut bench = Bench {
        server: Server::new(large()),
        now: 1_000_000,
        leases: Vec::new(),
    };
    for number in 0..leases {
        // Neighbours are far from each other, as phones of different lots are.
        bench.exchange(number.wrapping_mul(0x9e37_79b1));
    }
    let mut times: Vec<Duration> = (leases..leases + EXCHANGES)
        .map(|number| bench.exchange(number.wrapping_mul(0x9e37_79b1)))
        .collect();
    times.sort_unstable();
    let mean = times.iter().sum::<Duration>() / EXCHANGES;
    let p99 = times[times.len() * 99 / 100];
    println!("{leases} leases: an exchange takes {mean:?}, 99 of 100 at most {p99:?}");
    let written = std::mem::take(&mut bench.leases);
    let begin = Instant::now();
    let mut server = Server::new(large());
    let lost = server.restore(bench.now, written, []);
    assert!(lost.is_empty());
    println!("restored in {:?}", begin.elapsed());
    let begin = Instant::now();
    server.reconfigure(bench.now, large());
    println!("reloaded in {:?}", begin.elapsed());
}
