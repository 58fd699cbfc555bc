//! Phones that speak SIP, in memory around the switch of the bed.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};

use ::sip::Peer as SipPeer;
use ::sip::ua::{Agent, AgentSettings, CallNumber, Event};

use super::bed::{Bed, HERE, THERE, bed};
use super::*;
use crate::registration::{Leased, Leases};
use crate::settings::{Line as LineRule, Way};
use crate::sip::{Settings as SipSettings, User};

const SWITCH: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
const INSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 10, 0, 1));

/// Phones behind the gateway that the switch runs on.
struct Site;

impl Leases for Site {
    fn by_private(&self, address: Ipv4Addr) -> Option<Leased> {
        let host = address.octets()[3];
        let inside = address.octets()[..3] == [10, 10, 1];
        inside.then(|| Leased {
            mac: Some([2, 0, 0, 0, 0, host]),
            private: address,
            public: Some(SocketAddrV4::new(HERE, 40_000 + u16::from(host) * 64)),
        })
    }

    fn by_public(&self, _: SocketAddrV4) -> Option<Leased> {
        None
    }
}

/// A phone in memory.
pub(super) struct Phone {
    pub(super) agent: Agent,
    /// Where its messages come from, as the switch sees it.
    seen: SipPeer,
    pub(super) events: Vec<Event>,
    pub(super) call: Option<CallNumber>,
}

pub(super) struct Exchange {
    pub(super) bed: Bed,
    pub(super) phones: Vec<Phone>,
    wire: VecDeque<(SipPeer, Arc<[u8]>)>,
    pub(super) accounts: BTreeMap<String, Account>,
    /// Messages that were delivered, and after which of them the switch is killed.
    delivered: usize,
    pub(super) kill_at: Option<usize>,
    /// Messages that come twice or never: every so many.
    pub(super) doubles: Option<usize>,
    pub(super) loses: Option<usize>,
    /// What phones said and heard, for a look at it.
    pub(super) said: Vec<String>,
    /// Nothing comes to this one.
    pub(super) deaf: Option<usize>,
    /// Phones say this instead of that.
    pub(super) changes: Option<(&'static str, &'static str)>,
}

/// Users 7001 and 7002 behind this gateway, 7003 at another site, a SIP trunk; and the lines of
/// the bed.
pub(super) fn exchange() -> Exchange {
    let mut bed = bed();
    let mut settings = bed.switch.settings().clone();
    let users = ["7001", "7002", "7003"];
    let user = |name: &&str| {
        let password = format!("secret of {name}");
        ((*name).to_owned(), User { password })
    };
    settings.sip = Some(SipSettings {
        realm: "switch.example".to_owned(),
        users: users.iter().map(user).collect(),
        ..SipSettings::default()
    });
    settings.lines.extend(users.iter().map(|name| LineRule {
        number: name.parse().expect("a number"),
        owner: Owner::User((*name).to_owned()),
        termination: LineRule::OF_A_USER,
    }));
    let trunk = SipPeer::udp(SocketAddr::from(([192, 0, 2, 90], 5060))).with_local(Some(SWITCH));
    settings.trunks[0].way = Way::Sip(trunk.with_local(None));
    bed.settings = settings.clone();
    bed.switch.reconfigure(settings);
    bed.switch.set_secret([7; 32]);
    bed.switch.locate_trunks(|_| Some(SWITCH));
    let here = |host: u8| {
        let address = SocketAddr::from(([10, 10, 1, host], 40_000 + u16::from(host) * 64));
        (address, SipPeer::udp(address).with_local(Some(INSIDE)))
    };
    let there = {
        let address = SocketAddr::from(([10, 10, 1, 1], 40_000));
        let outside = SocketAddr::from((THERE, 40_000));
        (address, SipPeer::udp(outside).with_local(Some(SWITCH)))
    };
    let outside = (trunk.address, trunk);
    let phones = [
        ("7001", here(11)),
        ("7002", here(12)),
        ("7003", there),
        ("carrier", outside),
    ];
    let phones = phones
        .into_iter()
        .enumerate()
        .map(|(at, (name, (local, seen)))| {
            let switch = SocketAddr::new(seen.local.expect("an address"), 5060);
            let settings = AgentSettings {
                user: name.to_owned(),
                domain: "switch.example".to_owned(),
                password: format!("secret of {name}"),
                server: SipPeer::udp(switch),
                local: SipPeer::udp(local),
                expires: Time::from_secs(600),
                lines: 2,
                agent: "phone".to_owned(),
                seed: at as u64 + 1,
                transactions: ::sip::transaction::Settings::default(),
            };
            Phone {
                agent: Agent::new(settings),
                seen,
                events: Vec::new(),
                call: None,
            }
        });
    let mut exchange = Exchange {
        phones: phones.collect(),
        bed,
        wire: VecDeque::new(),
        accounts: BTreeMap::new(),
        delivered: 0,
        kill_at: None,
        doubles: None,
        loses: None,
        said: Vec::new(),
        deaf: None,
        changes: None,
    };
    for at in 0..3 {
        let events = exchange.phones[at].agent.register(exchange.bed.now);
        exchange.heed(at, events);
        assert!(
            exchange.has(at, |event| matches!(event, Event::Registered { .. })),
            "{at}"
        );
    }
    exchange
}

pub(super) fn media(address: &str, port: u16) -> Vec<u8> {
    format!(
        "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0 8\r\n"
    )
    .into_bytes()
}

/// The address of media in a description.
pub(super) fn address_in(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body).into_owned();
    let line = text.lines().find(|line| line.starts_with("c="));
    line.unwrap_or_default()
        .trim_start_matches("c=IN IP4 ")
        .to_owned()
}

impl Exchange {
    /// All calls that a phone was told of.
    pub(super) fn calls_to(&self, at: usize) -> Vec<CallNumber> {
        let events = self.phones[at].events.iter();
        let calls = events.filter_map(|event| match event {
            Event::Incoming { call, .. } => Some(*call),
            _ => None,
        });
        calls.collect()
    }

    pub(super) const fn delivered(&self) -> usize {
        self.delivered
    }

    pub(super) fn has(&self, at: usize, is: impl Fn(&Event) -> bool) -> bool {
        self.phones[at].events.iter().any(is)
    }

    /// What a phone does.
    pub(super) fn heed(&mut self, at: usize, events: Vec<Event>) {
        for event in events {
            match event {
                Event::Send { bytes, .. } => {
                    let from = self.phones[at].seen;
                    let mut text = String::from_utf8_lossy(&bytes).into_owned();
                    if let Some((this, that)) = self.changes {
                        text = text.replacen(this, that, 1);
                    }
                    self.said.push(format!("{at} says\n{text}"));
                    let (now, message) = (self.bed.now, text.into_bytes());
                    self.bed.switch.sip_message(now, &Site, from, message);
                }
                Event::Incoming { call, .. } => {
                    self.phones[at].call = Some(call);
                    self.phones[at].events.push(event);
                }
                event => self.phones[at].events.push(event),
            }
        }
        self.run();
    }

    /// Until nobody has anything to say.
    pub(super) fn run(&mut self) {
        loop {
            self.bed.run();
            self.wire.extend(self.bed.sip.drain(..));
            for account in self.bed.accounts.drain(..) {
                match account.devices.is_empty() {
                    true => drop(self.accounts.remove(&account.user)),
                    false => drop(self.accounts.insert(account.user.clone(), account)),
                }
            }
            let Some((to, bytes)) = self.wire.pop_front() else {
                return;
            };
            self.delivered += 1;
            if self.kill_at == Some(self.delivered) {
                return self.kill();
            }
            let every =
                |many: Option<usize>| many.is_some_and(|many| self.delivered.is_multiple_of(many));
            if every(self.loses) {
                continue;
            }
            let copies = if every(self.doubles) { 2 } else { 1 };
            let found = self
                .phones
                .iter()
                .position(|phone| phone.seen.address == to.address);
            let at = found.unwrap_or_else(|| panic!("nobody is at {to:?}"));
            if self.deaf == Some(at) {
                continue;
            }
            self.said
                .push(format!("{at} hears\n{}", String::from_utf8_lossy(&bytes)));
            assert_eq!(
                to.local, self.phones[at].seen.local,
                "told from another address"
            );
            let from = SipPeer::udp(SocketAddr::new(to.local.expect("an address"), 5060));
            for _ in 0..copies {
                let now = self.bed.now;
                let events = self.phones[at].agent.handle(now, from, bytes.to_vec());
                self.heed(at, events);
            }
        }
    }

    pub(super) fn call(&mut self, at: usize, number: &str, offer: &[u8]) {
        let uri = format!("sip:{number}@switch.example");
        let now = self.bed.now;
        let (call, events) = self.phones[at].agent.call(now, &uri, offer);
        self.phones[at].call = Some(call);
        self.heed(at, events);
    }

    pub(super) fn answer(&mut self, at: usize, body: &[u8]) {
        let (now, call) = (self.bed.now, self.phones[at].call.expect("a call"));
        let events = self.phones[at]
            .agent
            .progress(now, call, ::sip::Status::RINGING, b"");
        self.heed(at, events);
        let events = self.phones[at].agent.answer(now, call, body);
        self.heed(at, events);
    }

    /// A phone's messages come from another port from now on; it registers.
    pub(super) fn move_to(&mut self, at: usize, port: u16) {
        self.phones[at].seen.address.set_port(port);
        let now = self.bed.now;
        let events = self.phones[at].agent.register(now);
        self.heed(at, events);
    }

    pub(super) fn hang_up(&mut self, at: usize) {
        let (now, call) = (self.bed.now, self.phones[at].call.expect("a call"));
        let events = self.phones[at].agent.hang_up(now, call);
        self.heed(at, events);
    }

    pub(super) fn pass(&mut self, time: Time) {
        self.bed.pass(time);
        self.run();
        for at in 0..self.phones.len() {
            let events = self.phones[at].agent.handle_timeout(self.bed.now);
            self.heed(at, events);
        }
    }

    /// The addresses that an end was offered and was answered.
    pub(super) fn offered(&self, at: usize) -> Option<String> {
        self.phones[at]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Incoming { offer, .. } => Some(address_in(offer)),
                _ => None,
            })
    }

    pub(super) fn answered(&self, at: usize) -> Option<String> {
        self.phones[at]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Answered { body, .. } => Some(address_in(body)),
                _ => None,
            })
    }

    pub(super) fn ended(&self, at: usize) -> Option<::sip::ua::Cause> {
        self.phones[at]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Ended { cause, .. } => Some(*cause),
                _ => None,
            })
    }

    /// Nothing is left of any call.
    pub(super) fn check_quiet(&mut self) {
        // Until all transactions are over.
        for _ in 0..4 {
            self.pass(Time::from_secs(20));
            for at in 0..5 {
                self.bed.beat(at);
            }
        }
        assert!(self.bed.switch.calls.is_empty());
        assert!(self.bed.kept.is_empty(), "{:?}", self.bed.kept);
        assert!(self.bed.switch.sip_is_quiet(), "{:?}", self.bed.switch.sip);
        for phone in &self.phones {
            let calls = phone.agent.calls();
            assert_eq!(calls, 0, "{:?} {:?}", phone.seen, phone.agent);
        }
        self.bed.check_quiet();
    }

    pub(super) fn kill(&mut self) {
        let accounts: Vec<Account> = self.accounts.values().cloned().collect();
        self.wire.clear();
        self.bed.kill_with(accounts);
        self.run();
    }
}
