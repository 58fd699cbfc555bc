//! A bad network for UDP: a relay that loses, doubles and reorders datagrams, since a lab has no
//! netem.
//!
//! ```text
//!   one   --\                      /-- socket for one ---\
//!   other ---> socket at `listen` <--- socket for other --> server
//! ```
//!
//! Each client has a socket of its own towards the server, as behind a NAT. What becomes of the
//! n-th datagram of a client in a direction is decided by seed, client, direction and n alone.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::socket::udp;
use crate::netns::Namespace;
use crate::phone::random::Random;
use crate::wait::now;

const LARGEST_DATAGRAM: usize = 65_536;
/// How long the relay waits for a datagram before it looks whether it should end.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// How bad.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// Datagrams of a hundred that are lost.
    pub lost: u64,
    /// Datagrams of a hundred that arrive twice.
    pub doubled: u64,
    /// Datagrams of a hundred that are late, so that others overtake them.
    pub late: u64,
    /// How late they are at most.
    pub delay: Duration,
    /// Another seed, other datagrams.
    pub seed: u64,
}

/// What became of datagrams, both directions together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relayed {
    /// All that came in.
    pub datagrams: u64,
    /// Of those, not sent on.
    pub lost: u64,
    /// Sent on twice.
    pub doubled: u64,
    /// Sent on late.
    pub late: u64,
}

/// A relay; dropped, it is gone.
#[derive(Debug)]
pub struct BadNetwork {
    stop: Arc<AtomicBool>,
    relayed: Arc<Mutex<Relayed>>,
    thread: Option<JoinHandle<()>>,
}

impl BadNetwork {
    /// Relays in `ns` from `listen` to `server` and back.
    ///
    /// # Errors
    /// When `listen` cannot be bound.
    pub fn start(
        ns: &Namespace,
        listen: SocketAddrV4,
        server: SocketAddrV4,
        faults: Faults,
    ) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let relayed = Arc::new(Mutex::new(Relayed::default()));
        let mut relay = Relay {
            listen: udp(ns, listen)?,
            from: SocketAddrV4::new(*listen.ip(), 0),
            ns: ns.clone(),
            server,
            faults,
            clients: BTreeMap::new(),
            late: BTreeMap::new(),
            relayed: Arc::clone(&relayed),
        };
        let ended = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                relay.step();
            }
        });
        Ok(Self {
            stop,
            relayed,
            thread: Some(thread),
        })
    }

    /// What became of datagrams so far.
    #[must_use]
    pub fn relayed(&self) -> Relayed {
        *self.relayed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for BadNetwork {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    ToServer,
    ToClient,
}

/// A client's socket towards the server, and what decides in each direction.
struct Client {
    socket: UdpSocket,
    fates: [Random; 2],
}

struct Relay {
    ns: Namespace,
    listen: UdpSocket,
    from: SocketAddrV4,
    server: SocketAddrV4,
    faults: Faults,
    clients: BTreeMap<SocketAddr, Client>,
    /// What is sent later, by time and in order of arrival.
    late: BTreeMap<(Instant, u64), (SocketAddr, Way, Vec<u8>)>,
    relayed: Arc<Mutex<Relayed>>,
}

impl Relay {
    fn step(&mut self) {
        let mut buffer = vec![0; LARGEST_DATAGRAM];
        for (from, way) in self.readable() {
            let received = match (way, from) {
                (Way::ToServer, _) => self.listen.recv_from(&mut buffer),
                (Way::ToClient, Some(client)) => match self.clients.get(&client) {
                    Some(there) => there
                        .socket
                        .recv(&mut buffer)
                        .map(|length| (length, client)),
                    None => continue,
                },
                (Way::ToClient, None) => continue,
            };
            // An error is an ICMP error to an earlier datagram: that one is lost.
            if let Ok((length, client)) = received {
                self.decide(client, way, &buffer[..length]);
            }
        }
        while let Some((&(due, _), _)) = self.late.first_key_value()
            && due <= now()
        {
            if let Some((_, (client, way, bytes))) = self.late.pop_first() {
                self.pass_on(client, way, &bytes);
            }
        }
    }

    /// Waits for what comes first: a datagram, or the time of a late one.
    fn readable(&self) -> Vec<(Option<SocketAddr>, Way)> {
        let due = self.late.first_key_value().map(|(&(due, _), _)| due);
        let wait = due.map_or(STOP_INTERVAL, |due| due.saturating_duration_since(now()));
        let wait = wait.min(STOP_INTERVAL) + Duration::from_micros(999);
        let mut polled = vec![PollFd::new(self.listen.as_fd(), PollFlags::POLLIN)];
        let sockets = self.clients.values();
        polled.extend(sockets.map(|one| PollFd::new(one.socket.as_fd(), PollFlags::POLLIN)));
        let timeout = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
        if !matches!(poll(&mut polled, timeout), Ok(1..)) {
            return Vec::new();
        }
        let ready = |one: &PollFd<'_>| one.any().unwrap_or(false);
        let clients = polled.iter().skip(1).zip(self.clients.keys());
        let of_clients = clients.filter(|(one, _)| ready(one));
        let own = polled.first().filter(|one| ready(one));
        let own = own.map(|_| (None, Way::ToServer));
        let of_clients = of_clients.map(|(_, client)| (Some(*client), Way::ToClient));
        own.into_iter().chain(of_clients).collect()
    }

    fn decide(&mut self, client: SocketAddr, way: Way, bytes: &[u8]) {
        let Ok(fate) = self.fate(client, way) else {
            return;
        };
        let faults = self.faults;
        let below = |percent: u64, shift: u32| (fate >> shift) % 100 < percent;
        let (lost, doubled) = (below(faults.lost, 0), below(faults.doubled, 16));
        let late = below(faults.late, 32);
        let place = {
            let mut relayed = self.relayed.lock().unwrap_or_else(PoisonError::into_inner);
            relayed.datagrams += 1;
            relayed.lost += u64::from(lost);
            relayed.doubled += u64::from(doubled && !lost);
            relayed.late += u64::from(late && !lost);
            relayed.datagrams
        };
        if lost {
            return;
        }
        if doubled {
            self.pass_on(client, way, bytes);
        }
        match late {
            true => {
                let share = u32::try_from((fate >> 48) % 100).unwrap_or(0) + 1;
                let due = now() + faults.delay * share / 100;
                self.late
                    .insert((due, place), (client, way, bytes.to_vec()));
            }
            false => self.pass_on(client, way, bytes),
        }
    }

    /// What is to become of the next datagram of a client in a direction.
    fn fate(&mut self, client: SocketAddr, way: Way) -> Result<u64> {
        if !self.clients.contains_key(&client) {
            let socket = udp(&self.ns, self.from)?;
            socket.connect(self.server)?;
            let of = |way: u64| {
                let address = match client.ip() {
                    std::net::IpAddr::V4(address) => u64::from(u32::from(address)),
                    std::net::IpAddr::V6(_) => 0,
                };
                let seed = self.faults.seed ^ (address << 24) ^ u64::from(client.port()) << 8;
                Random::new(seed ^ way)
            };
            let fates = [of(0), of(1)];
            self.clients.insert(client, Client { socket, fates });
        }
        let there = self.clients.get_mut(&client);
        let there = there.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(there.fates[usize::from(way == Way::ToClient)].next())
    }

    fn pass_on(&self, client: SocketAddr, way: Way, bytes: &[u8]) {
        // What cannot be sent is lost.
        let _ = match way {
            Way::ToClient => self.listen.send_to(bytes, client),
            Way::ToServer => match self.clients.get(&client) {
                Some(there) => there.socket.send(bytes),
                None => Ok(0),
            },
        };
    }
}
