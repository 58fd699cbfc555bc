//! A server with its shell: what it wants written is written (or not), what it wants sent is kept.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};

use super::message::{Message, Told, kind};
use super::site::SERVER;
use crate::lease::{HistoryRecord, Lease};
use crate::output::{
    Change, CommitId, Destination, MOST_CHANGES, Output, ProbeHow, Received, Time,
};
use crate::reservation::Reservation;
use crate::server::Server;
use crate::settings::Settings;

/// What is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    /// By private address.
    pub leases: BTreeMap<Ipv4Addr, Lease>,
    /// By public address, first port and begin.
    pub history: BTreeMap<(Ipv4Addr, u16, u64), HistoryRecord>,
    /// By client.
    pub reservations: BTreeMap<String, Reservation>,
}

impl Store {
    fn write(&mut self, change: Change) {
        match change {
            Change::Put(lease) => drop(self.leases.insert(lease.address, lease)),
            Change::Remove(address) => drop(self.leases.remove(&address)),
            Change::History(record) => {
                let key = (record.public, record.ports.first(), record.begin);
                self.history.insert(key, record);
            }
            Change::Reserve(reservation) => {
                let key = reservation.client.to_string();
                self.reservations.insert(key, reservation);
            }
            Change::Unreserve(client) => drop(self.reservations.remove(&client.to_string())),
        }
    }
}

/// A server, its clock, its disk and its dataplane.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The server.
    pub server: Server,
    /// Milliseconds.
    pub now: Time,
    /// What is on disk.
    pub store: Store,
    /// Whether the disk is quick: commits are written at once.
    pub writes: bool,
    /// Commits that are not on disk.
    pub unwritten: VecDeque<(CommitId, Vec<Change>)>,
    /// Leases of the dataplane.
    pub bound: BTreeMap<Ipv4Addr, Lease>,
    /// Replies, with where they went.
    pub replies: VecDeque<(Destination, Told)>,
    /// Addresses that were probed.
    pub probes: VecDeque<(Ipv4Addr, ProbeHow)>,
    /// How many commits there were.
    pub commits: usize,
}

impl Pair {
    /// A new server, at second 1000.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            server: Server::new(settings),
            now: 1_000_000,
            store: Store::default(),
            writes: true,
            unwritten: VecDeque::new(),
            bound: BTreeMap::new(),
            replies: VecDeque::new(),
            probes: VecDeque::new(),
            commits: 0,
        }
    }

    /// Seconds.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        self.now / 1000
    }

    /// Does what the server wants done.
    pub fn run(&mut self) {
        loop {
            while let Some(output) = self.server.next_output() {
                self.perform(output);
            }
            if !self.writes || !self.write_one() {
                return;
            }
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Reply { to, payload, .. } => {
                self.replies.push_back((to, Told::read(&payload)));
            }
            Output::Probe { address, how, .. } => self.probes.push_back((address, how)),
            Output::Commit { id, changes } => {
                assert!(
                    (1..=MOST_CHANGES).contains(&changes.len()),
                    "{} changes",
                    changes.len()
                );
                self.commits += 1;
                self.unwritten.push_back((id, changes));
            }
            Output::Bind(lease) => {
                assert_eq!(
                    self.store.leases.get(&lease.address),
                    Some(&lease),
                    "bound unwritten"
                );
                let grant = lease.grant.expect("a range to bind");
                let overlaps = |other: &&Lease| {
                    other.grant.is_some_and(|other| {
                        other.address == grant.address && other.ports.overlaps(grant.ports)
                    })
                };
                assert_eq!(self.bound.values().find(overlaps), None, "another's range");
                let before = self.bound.insert(lease.address, lease);
                assert_eq!(before, None, "bound twice");
            }
            Output::Unbind(lease) => {
                let bound = self.bound.remove(&lease.address);
                assert_eq!(
                    bound.and_then(|bound| bound.grant),
                    lease.grant,
                    "it was not bound"
                );
            }
        }
    }

    /// Writes the oldest commit; the server hears of it.
    pub fn write_one(&mut self) -> bool {
        let Some((id, changes)) = self.unwritten.pop_front() else {
            return false;
        };
        changes
            .into_iter()
            .for_each(|change| self.store.write(change));
        self.server.committed(self.now, id);
        while let Some(output) = self.server.next_output() {
            self.perform(output);
        }
        true
    }

    /// Lets time pass, and what is due happen.
    pub fn pass(&mut self, milliseconds: u64) {
        let until = self.now + milliseconds;
        while let Some(next) = self.server.poll_timeout()
            && next <= until
        {
            self.now = self.now.max(next);
            self.server.handle_timeout(self.now);
            self.run();
        }
        self.now = until;
    }

    /// A message arrives.
    pub fn send(&mut self, interface: usize, to: Ipv4Addr, message: &Message) {
        let from = if message.giaddr.is_unspecified() {
            message.ciaddr
        } else {
            message.giaddr
        };
        self.send_bytes(interface, from, to, &message.to_bytes());
    }

    /// Bytes arrive.
    pub fn send_bytes(&mut self, interface: usize, from: Ipv4Addr, to: Ipv4Addr, payload: &[u8]) {
        let received = Received {
            interface,
            source: SocketAddrV4::new(from, 68),
            destination: to,
            payload,
        };
        let _ = self.server.handle(self.now, received);
        self.run();
    }

    /// A client sends and is answered.
    #[must_use]
    pub fn ask(&mut self, message: &Message) -> Option<Told> {
        let to = match message.giaddr.is_unspecified() {
            true => Ipv4Addr::BROADCAST,
            false => SERVER,
        };
        self.send(0, to, message);
        self.reply()
    }

    /// The oldest reply.
    pub fn reply(&mut self) -> Option<Told> {
        self.replies.pop_front().map(|(_, told)| told)
    }

    /// DISCOVER to ACK for these two messages, whose addresses and server are filled in.
    pub fn exchange(&mut self, discover: &Message, request: &Message) -> Option<Told> {
        let offer = self.ask(discover)?;
        assert_eq!((offer.kind, offer.xid), (kind::OFFER, discover.xid));
        let request = request.clone().asking(offer.yiaddr);
        let server = offer.option(54).expect("a server identifier");
        let ack = self.ask(&request.with(54, server))?;
        if ack.kind == kind::ACK {
            assert_eq!((ack.yiaddr, ack.grant()), (offer.yiaddr, offer.grant()));
        }
        Some(ack)
    }

    /// A desk phone on the first wire boots.
    ///
    /// # Panics
    /// When it gets no lease.
    pub fn boot(&mut self, number: u32) -> Told {
        let ack = self.exchange(&Message::discover(number), &Message::request(number));
        let ack = ack.expect("an answer");
        assert_eq!(ack.kind, kind::ACK);
        ack
    }

    /// A desk phone on the first wire renews.
    #[must_use]
    pub fn renew(&mut self, number: u32, address: Ipv4Addr) -> Option<Told> {
        self.send(0, SERVER, &Message::request(number).from(address));
        self.reply()
    }

    /// The daemon is killed and started again: what is not on disk is gone.
    pub fn kill(&mut self) {
        let settings = self.server.settings().clone();
        self.restart(settings);
    }

    /// The same, with other settings.
    pub fn restart(&mut self, settings: Settings) {
        self.server = Server::new(settings);
        self.unwritten.clear();
        self.replies.clear();
        self.probes.clear();
        let leases: Vec<Lease> = self.store.leases.values().cloned().collect();
        let active = leases
            .iter()
            .filter(|lease| lease.is_active() && lease.grant.is_some());
        self.bound = active.map(|lease| (lease.address, lease.clone())).collect();
        let reservations = self.store.reservations.values().cloned();
        self.server.restore(self.now, leases, reservations);
        self.run();
    }
}
