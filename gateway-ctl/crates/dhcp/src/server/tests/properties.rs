//! Whatever clients, operators, the clock and the disk do: no address and no range is anybody
//! else's, and the store, the dataplane and the server agree.

use proptest::prelude::*;

use super::*;
use crate::reservation::{Reservation, ReservedClient};
use crate::settings::Settings;
use crate::testing::invariants::check_history;
use crate::testing::message::{Message, Told, kind};
use crate::testing::site::{OFFICE, OTHER_SERVER, PHONES, RELAY, REST, SERVER, grant, hosts, mac};

#[derive(Clone, Debug)]
enum Step {
    /// A client sends something about an address that it was told, or any.
    Send {
        client: u32,
        what: What,
        wire: Wire,
        class: Class,
        address: u8,
    },
    Pass(u64),
    Write,
    Kill,
    Release(u8),
    InUse,
    Reserve {
        clients: Vec<u32>,
        address: Option<u8>,
        range: Option<u16>,
    },
    Unreserve(Vec<u32>),
    Reload(Change),
}

#[derive(Clone, Copy, Debug)]
enum What {
    Discover,
    Select,
    Reboot,
    Renew,
    Rebind,
    Release,
    Decline,
    Inform,
    Bootp,
}

#[derive(Clone, Copy, Debug)]
enum Wire {
    First,
    Second,
    Relayed,
}

#[derive(Clone, Copy, Debug)]
enum Class {
    Desk,
    Wide,
    Plain,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Nothing,
    Ports(bool),
    Addresses(bool),
    Occupied(bool),
    Pool(bool),
    Scopes(bool),
}

fn step() -> impl Strategy<Value = Step> {
    use What::*;
    let what = prop_oneof![
        6 => Just(Discover),
        6 => Just(Select),
        2 => Just(Reboot),
        3 => Just(Renew),
        2 => Just(Rebind),
        2 => Just(Release),
        1 => Just(Decline),
        1 => Just(Inform),
        1 => Just(Bootp),
    ];
    let wire =
        prop_oneof![4 => Just(Wire::First), 1 => Just(Wire::Second), 1 => Just(Wire::Relayed)];
    let class =
        prop_oneof![4 => Just(Class::Desk), 1 => Just(Class::Wide), 1 => Just(Class::Plain)];
    let change = prop_oneof![
        Just(Change::Nothing),
        any::<bool>().prop_map(Change::Ports),
        any::<bool>().prop_map(Change::Addresses),
        any::<bool>().prop_map(Change::Occupied),
        any::<bool>().prop_map(Change::Pool),
        any::<bool>().prop_map(Change::Scopes),
    ];
    let clients = proptest::collection::vec(0u32..8, 1..3);
    let range = proptest::option::of(0u16..8);
    prop_oneof![
        24 => (0u32..8, what, wire, class, 8u8..16).prop_map(|(client, what, wire, class, address)| {
            Step::Send { client, what, wire, class, address }
        }),
        3 => prop_oneof![Just(400), Just(600), Just(61_000), Just(130_000), Just(1_000_000), Just(4_000_000), Just(90_000_000)]
            .prop_map(Step::Pass),
        8 => Just(Step::Write),
        1 => Just(Step::Kill),
        1 => (8u8..16).prop_map(Step::Release),
        1 => Just(Step::InUse),
        1 => (clients.clone(), proptest::option::of(8u8..22), range)
            .prop_map(|(clients, address, range)| Step::Reserve { clients, address, range }),
        1 => clients.prop_map(Step::Unreserve),
        1 => change.prop_map(Step::Reload),
    ]
}

fn message(what: What, client: u32, class: Class) -> Message {
    let kind = match what {
        What::Discover => kind::DISCOVER,
        What::Select | What::Reboot | What::Renew | What::Rebind => kind::REQUEST,
        What::Release => kind::RELEASE,
        What::Decline => kind::DECLINE,
        What::Inform => kind::INFORM,
        What::Bootp => 0,
    };
    let message = Message::new(kind, client).with(55, &[43]);
    match class {
        Class::Desk => message.with(60, b"MyPhone"),
        Class::Wide => message.with(60, b"Wide"),
        // The hardware address is the same as without: the same client.
        Class::Plain => message.with(60, b"Plain"),
    }
}

struct World {
    pair: Pair,
    /// The address each client was told last.
    told: [Option<Ipv4Addr>; 8],
    /// The settings at first.
    all: Settings,
}

impl World {
    fn send(&mut self, client: u32, what: What, wire: Wire, class: Class, address: u8) {
        let (interface, network, server) = match wire {
            Wire::First => (0, [10, 10, 0], SERVER),
            Wire::Second => (1, [10, 20, 0], OTHER_SERVER),
            Wire::Relayed => (0, [10, 30, 0], SERVER),
        };
        let [a, b, c] = network;
        let any = Ipv4Addr::new(a, b, c, address);
        // Mostly what it was told, sometimes anything.
        let told = self.told[client as usize]
            .filter(|_| address != 8)
            .unwrap_or(any);
        let message = message(what, client, class);
        let (to, message) = match what {
            What::Discover | What::Bootp => (Ipv4Addr::BROADCAST, message),
            What::Select => (Ipv4Addr::BROADCAST, message.asking(told).to_server(server)),
            What::Reboot => (Ipv4Addr::BROADCAST, message.asking(told)),
            What::Renew => (server, message.from(told)),
            What::Rebind | What::Inform => (Ipv4Addr::BROADCAST, message.from(told)),
            What::Release => (server, message.from(told).to_server(server)),
            What::Decline => (Ipv4Addr::BROADCAST, message.asking(told).to_server(server)),
        };
        let message = match wire {
            Wire::Relayed => message.via(RELAY),
            _ => message,
        };
        self.pair.send(interface, to, &message);
        self.hear();
    }

    /// What clients hear is true: it is on disk, and bound.
    fn hear(&mut self) {
        while let Some(told) = self.pair.reply() {
            let client = (told.xid ^ 0x5a5a_0000) as usize;
            match told.kind {
                kind::OFFER => self.told[client] = Some(told.yiaddr),
                kind::ACK | 0 if !told.yiaddr.is_unspecified() => {
                    self.told[client] = Some(told.yiaddr);
                    self.check_ack(&told);
                }
                _ => {}
            }
        }
    }

    fn check_ack(&self, told: &Told) {
        let written = &self.pair.store.leases[&told.yiaddr];
        if told.kind == kind::ACK {
            let bound = self
                .pair
                .bound
                .get(&told.yiaddr)
                .and_then(|lease| lease.grant);
            assert_eq!(bound, written.grant, "{told:?}");
            assert!(
                told.grant()
                    .is_none_or(|grant| Some(grant) == written.grant),
                "{told:?}"
            );
        }
    }

    fn step(&mut self, step: Step) {
        let now = self.pair.now;
        match step {
            Step::Send {
                client,
                what,
                wire,
                class,
                address,
            } => {
                self.send(client, what, wire, class, address);
            }
            Step::Pass(milliseconds) => self.pair.pass(milliseconds),
            Step::Write => drop(self.pair.write_one()),
            Step::Kill => self.pair.kill(),
            Step::Release(last) => drop(self.pair.server.release(now, phone(last))),
            Step::InUse => {
                if let Some((address, _)) = self.pair.probes.back().copied() {
                    self.pair.server.in_use(now, address);
                }
            }
            Step::Reserve {
                clients,
                address,
                range,
            } => {
                let reservation = Reservation {
                    client: ReservedClient::Macs(clients.into_iter().map(mac).collect()),
                    address: address.map(phone),
                    grant: range.map(|range| grant(1, 1024 + range * 64, 64)),
                    class: None,
                    options: Vec::new(),
                };
                drop(self.pair.server.reserve(now, reservation));
            }
            Step::Unreserve(clients) => {
                let client = ReservedClient::Macs(clients.into_iter().map(mac).collect());
                drop(self.pair.server.unreserve(now, &client));
            }
            Step::Reload(change) => {
                // As the shell does it: nothing is under way.
                while self.pair.write_one() {
                    self.hear();
                }
                let mut settings = self.pair.server.settings().clone();
                apply(&mut settings, &self.all, change);
                self.pair.server.reconfigure(now, settings);
            }
        }
        self.pair.run();
        self.hear();
        self.pair.server.check(self.pair.now);
    }
}

fn apply(settings: &mut Settings, all: &Settings, change: Change) {
    match change {
        Change::Scopes(both) => {
            settings.scopes.truncate(OFFICE);
            let scopes = all.scopes.iter().skip(OFFICE).filter(|_| both);
            settings.scopes.extend(scopes.cloned());
        }
        Change::Nothing => {}
        Change::Ports(more) => settings.classes[0].ports = Some(if more { 128 } else { 64 }),
        Change::Addresses(all) => {
            let first = if all { 10 } else { 12 };
            settings.scopes[PHONES].addresses = vec![hosts([10, 10, 0], first..=14)];
        }
        Change::Occupied(some) => {
            let binding = (phone(11), Some(grant(1, 1088, 64)));
            settings.occupied = if some { vec![binding] } else { Vec::new() };
        }
        Change::Pool(both) => {
            let last = if both { 1 } else { 2 };
            settings.pools[0].addresses = (last..=2)
                .map(|last| Ipv4Addr::new(192, 0, 2, last))
                .collect();
        }
    }
}

fn world(probe: bool) -> World {
    let mut settings = settings();
    settings.scopes[PHONES].addresses = vec![hosts([10, 10, 0], 10..=14)];
    settings.scopes[crate::testing::site::MORE_PHONES].addresses =
        vec![hosts([10, 11, 0], 10..=11)];
    settings.scopes[PHONES].bootp = true;
    // Few ranges, so that they are sought after.
    settings.pools[0].kept_out = vec![1536..=65535];
    settings.probe = probe.then_some(500);
    let mut pair = Pair::new(settings.clone());
    pair.writes = false;
    World {
        all: settings,
        pair,
        told: [None; 8],
    }
}

proptest! {
    #[test]
    fn everybody_agrees(
        probe: bool,
        writes: bool,
        reservations: bool,
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut world = world(probe);
        world.pair.writes = writes;
        for step in steps {
            // A reserved range is one phone's, though that may have several names.
            if reservations || !matches!(step, Step::Reserve { .. }) {
                world.step(step);
            }
        }
        settle(&mut world.pair);
        if !reservations {
            check_history(&world.pair.store, REST);
        }
        // And after a restart.
        world.pair.kill();
        settle(&mut world.pair);
    }
}
