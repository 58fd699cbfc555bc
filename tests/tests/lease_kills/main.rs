//! The daemon is killed, again and again, while phones get leases and give them back: what a
//! phone was told holds, nobody is given what another has, and the dataplane is what the store
//! says.
//!
//! A relay agent speaks for thousands of clients and notes every ACK. After each `kill -9`
//! and start all that it has noted is compared with what the daemon says, and that with the pinned
//! maps.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod clients;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use gateway_tests::site::{Gateway, Site};
use gateway_tests::wait::eventually;
use serde_json::Value;

use clients::{Clients, Habit, Known};

/// Kills in each of the two tests; `LEASE_KILLS` asks for others.
const KILLS: u32 = 100;
const LONG: Duration = Duration::from_secs(60);

const CONFIG: &str = r#"
[limits]
bindings = 65536
pool_addresses = 64
[state]
directory = "{dir}/state"
[metrics]
listen = "off"
[[inside]]
interface = "inside0"
networks = ["10.10.0.0/16"]
[[outside]]
interface = "uplink0"
[[pool]]
addresses = ["192.0.2.1-192.0.2.48"]
[dhcp]
probe = "off"
# No range wakes while a slow machine runs this.
rest = "1h"
[[scope]]
interface = "inside0"
network = "10.10.0.0/16"
addresses = ["10.10.2.0-10.10.180.255"]
lease_time = "8h"
[[class]]
name = "phone"
vendor_classes = ["MyPhone*"]
ports = 64
"#;

#[test]
fn what_phones_were_told_survives() {
    kill_and_compare(Habit::Stay);
}

#[test]
fn what_phones_gave_back_is_nobody_elses_at_once() {
    kill_and_compare(Habit::ComeAndGo);
}

fn kill_and_compare(habit: Habit) {
    let kills = std::env::var("LEASE_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let site = Site::new().unwrap();
    let mut gateway = site.gateway(CONFIG).unwrap();
    let clients = Clients::start(&site.phone(1).ns, site.phone(1).address, habit);
    for kill in 0..kills {
        // Another moment each time: from the first ACK on to some hundred later.
        clients.await_acks(1 + u64::from(kill * 37 % 200), LONG);
        gateway.kill9().unwrap();
        clients.pause();
        gateway.restart(LONG).unwrap();
        compare(&gateway, &clients.known(), kill);
        clients.go_on();
    }
    let told = clients.stop();
    eprintln!("{kills} kills, {told} leases acknowledged");
    assert!(told > u64::from(kills), "there was hardly any load");
}

/// What the clients know, what the daemon says it has leased, and what the maps say.
fn compare(gateway: &Gateway, known: &Known, kill: u32) {
    let leases = json(gateway, &["leases", "-o", "json"]);
    let leases: BTreeMap<Ipv4Addr, &Value> = leases
        .as_array()
        .unwrap()
        .iter()
        .map(|lease| (lease["address"].as_str().unwrap().parse().unwrap(), lease))
        .collect();
    for (address, told) in &known.told {
        let lease = leases.get(address);
        let lease = lease.unwrap_or_else(|| panic!("kill {kill}: {address} is lost, {told:?}"));
        assert_eq!(lease["mac"], told.mac_text(), "kill {kill}: {address}");
        assert_eq!(
            lease["public"],
            told.public.to_string(),
            "kill {kill}: {address}"
        );
        assert_eq!(lease["ports"], told.ports_text(), "kill {kill}: {address}");
    }
    let mut ranges: Vec<(&str, u16, u16)> = leases.values().map(|lease| range(lease)).collect();
    ranges.sort_unstable();
    for pair in ranges.windows(2) {
        let apart = pair[0].0 != pair[1].0 || pair[0].2 < pair[1].1;
        assert!(apart, "kill {kill}: {pair:?} overlap");
    }
    // The maps themselves, past the daemon: all that is leased is bound, and nothing else.
    let bound = gateway.bound().unwrap();
    let leased = |(address, lease): (&Ipv4Addr, &&Value)| {
        let (public, first, last) = range(lease);
        (*address, public.parse().unwrap(), first, last)
    };
    let leased: BTreeSet<(Ipv4Addr, Ipv4Addr, u16, u16)> = leases.iter().map(leased).collect();
    assert_eq!(bound.blocks, leased, "kill {kill}: blocks and leases");
    assert_eq!(bound.taken, leases.len(), "kill {kill}: one block each");
    let mut phones: Vec<(Ipv4Addr, u16, u16)> = leased
        .iter()
        .map(|(_, public, first, last)| (*public, *first, *last))
        .collect();
    phones.sort_unstable();
    assert_eq!(bound.phones, phones, "kill {kill}: phones and leases");
}

fn range(lease: &Value) -> (&str, u16, u16) {
    let (first, last) = lease["ports"].as_str().unwrap().split_once('-').unwrap();
    let public = lease["public"].as_str().unwrap();
    (public, first.parse().unwrap(), last.parse().unwrap())
}

fn json(gateway: &Gateway, arguments: &[&str]) -> Value {
    eventually(LONG, || {
        let output = gateway.ctl(arguments).map_err(|why| format!("{why:#}"))?;
        output.json().map_err(|why| format!("{why:#}"))
    })
    .unwrap()
}
