//! Thousands of clients behind one relay agent, and what they were told.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use gateway_tests::dhcp::message::{Message, code, kind};
use gateway_tests::netns::Namespace;
use gateway_tests::site::ROUTER_INSIDE;
use gateway_tests::traffic::bind_udp;
use gateway_tests::wait::eventually;

const SERVER_PORT: u16 = 67;
/// Exchanges that are under way at once.
const UNDER_WAY: usize = 32;
/// How long an answer is waited for before all that is under way is begun again.
const PATIENCE: Duration = Duration::from_millis(50);

/// What clients do with their leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    /// Keep them; every fourth is renewed.
    Stay,
    /// Every second one is given back a moment after it was got.
    ComeAndGo,
}

/// What an ACK said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) mac: [u8; 6],
    pub(super) public: Ipv4Addr,
    pub(super) ports: (u16, u16),
}

impl Told {
    pub(super) fn mac_text(&self) -> String {
        let octets = self.mac.map(|octet| format!("{octet:02x}"));
        octets.join(":")
    }

    pub(super) fn ports_text(&self) -> String {
        format!("{}-{}", self.ports.0, self.ports.1)
    }
}

/// What the clients know, by private address.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Leases that were acknowledged and not given back.
    pub(super) told: BTreeMap<Ipv4Addr, Told>,
    /// Whose range was whose, those that were given back included: none rests so briefly that
    /// another could have it while the test runs.
    ranges: BTreeMap<(Ipv4Addr, u16), [u8; 6]>,
}

/// The relay agent, until it is stopped.
pub(super) struct Clients {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

struct Shared {
    acks: AtomicU64,
    paused: AtomicBool,
    ended: AtomicBool,
    known: Mutex<Known>,
}

impl Clients {
    /// Starts to ask for leases, through a relay agent with this address.
    pub(super) fn start(ns: &Namespace, relay: Ipv4Addr, habit: Habit) -> Self {
        let socket = bind_udp(ns, SocketAddrV4::new(relay, SERVER_PORT)).unwrap();
        socket
            .connect(SocketAddrV4::new(ROUTER_INSIDE, SERVER_PORT))
            .unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let shared = Arc::new(Shared {
            acks: AtomicU64::new(0),
            paused: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            known: Mutex::default(),
        });
        let agent = Agent {
            socket,
            relay,
            habit,
            shared: shared.clone(),
            under_way: BTreeMap::new(),
            next: 0,
        };
        let thread = std::thread::spawn(move || agent.run());
        Self { shared, thread }
    }

    /// Waits until so many more leases were acknowledged.
    pub(super) fn await_acks(&self, more: u64, within: Duration) {
        let goal = self.shared.acks.load(Ordering::Acquire) + more;
        eventually(within, || {
            let acks = self.shared.acks.load(Ordering::Acquire);
            assert!(!self.thread.is_finished(), "the clients have given up");
            (acks >= goal)
                .then_some(())
                .ok_or(format!("{acks} of {goal} ACKs"))
        })
        .unwrap();
    }

    /// Nothing new is asked for; what was sent may still be answered.
    pub(super) fn pause(&self) {
        self.shared.paused.store(true, Ordering::Release);
    }

    pub(super) fn go_on(&self) {
        self.shared.paused.store(false, Ordering::Release);
    }

    pub(super) fn known(&self) -> Known {
        self.shared.known.lock().unwrap().clone()
    }

    /// Ends; how many leases were acknowledged.
    pub(super) fn stop(self) -> u64 {
        self.shared.ended.store(true, Ordering::Release);
        self.thread.join().unwrap();
        self.shared.acks.load(Ordering::Acquire)
    }
}

struct Agent {
    socket: UdpSocket,
    relay: Ipv4Addr,
    habit: Habit,
    shared: Arc<Shared>,
    /// Transactions, and what was sent last in each.
    under_way: BTreeMap<u32, Message>,
    next: u32,
}

impl Agent {
    fn run(mut self) {
        let mut buffer = [0; 2048];
        while !self.shared.ended.load(Ordering::Acquire) {
            let paused = self.shared.paused.load(Ordering::Acquire);
            while !paused && self.under_way.len() < UNDER_WAY {
                self.begin();
            }
            match self.socket.recv(&mut buffer) {
                Ok(length) => self.answered(&Message::parse(&buffer[..length]).unwrap()),
                // The daemon is away: its port is closed, or nobody answers.
                Err(why) if why.kind() == ErrorKind::ConnectionRefused => {}
                Err(why) if why.kind() == ErrorKind::WouldBlock => {
                    if !paused {
                        self.send_again();
                    }
                }
                Err(why) => panic!("receive: {why}"),
            }
        }
    }

    fn begin(&mut self) {
        let number = self.next;
        self.next += 1;
        let [_, a, b, c] = number.to_be_bytes();
        let discover = self.message(kind::DISCOVER, [2, 0xcc, 0, a, b, c], number);
        self.send(&discover);
        self.under_way.insert(number, discover);
    }

    fn message(&self, kind: u8, mac: [u8; 6], xid: u32) -> Message {
        Message::of(kind, mac, xid)
            .option(code::VENDOR_CLASS, b"MyPhone 1.0")
            .option(code::REQUEST_LIST, &[1, 43])
            .relayed(self.relay)
    }

    /// What is lost is lost, as on the wire.
    fn send(&self, message: &Message) {
        let _ = self.socket.send(&message.bytes());
    }

    fn send_again(&self) {
        for message in self.under_way.values() {
            self.send(message);
        }
    }

    fn answered(&mut self, message: &Message) {
        let Some(sent) = self.under_way.get(&message.xid) else {
            return;
        };
        match message.kind() {
            Some(kind::OFFER) if sent.kind() == Some(kind::DISCOVER) => {
                let request = sent.request(message);
                self.send(&request);
                self.under_way.insert(message.xid, request);
            }
            Some(kind::ACK) => {
                self.under_way.remove(&message.xid);
                self.acknowledged(message);
            }
            // The offer was forgotten with the daemon: from the beginning.
            Some(kind::NAK) => {
                self.under_way.remove(&message.xid);
            }
            _ => {}
        }
    }

    fn acknowledged(&mut self, ack: &Message) {
        let told = told(ack);
        let mut known = self.shared.known.lock().unwrap();
        let range = (told.public, told.ports.0);
        if let Some(former) = known.ranges.insert(range, told.mac) {
            assert_eq!(former, told.mac, "{told:?} was another's a moment ago");
        }
        let former = known.told.insert(ack.yiaddr, told);
        assert!(
            former.is_none_or(|former| former == told),
            "{former:?}, now {told:?}"
        );
        let number = self.shared.acks.fetch_add(1, Ordering::AcqRel);
        match self.habit {
            Habit::Stay if number.is_multiple_of(4) => {
                drop(known);
                let mut renewal = self.message(kind::REQUEST, told.mac, ack.xid);
                renewal.ciaddr = ack.yiaddr;
                self.send(&renewal);
            }
            Habit::ComeAndGo if number.is_multiple_of(2) => {
                // Whether it arrives before a kill, nobody knows.
                known.told.remove(&ack.yiaddr);
                drop(known);
                let mut release = self.message(kind::RELEASE, told.mac, ack.xid);
                release.ciaddr = ack.yiaddr;
                let server = ROUTER_INSIDE.octets();
                self.send(&release.option(code::SERVER, &server));
            }
            _ => {}
        }
    }
}

/// Option 43: public address (1), first and last port (2).
fn told(ack: &Message) -> Told {
    let mut options = ack.find(43).unwrap();
    let (mut public, mut ports) = (None, None);
    while let [code, length, rest @ ..] = options {
        let (value, next) = rest.split_at(usize::from(*length));
        match (code, value) {
            (1, [a, b, c, d]) => public = Some(Ipv4Addr::new(*a, *b, *c, *d)),
            (2, [a, b, c, d]) => {
                ports = Some((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])));
            }
            _ => {}
        }
        options = next;
    }
    Told {
        mac: ack.mac,
        public: public.unwrap(),
        ports: ports.unwrap(),
    }
}
