//! A relay agent with any number of clients: complete exchanges (DISCOVER, OFFER, REQUEST, ACK) at
//! a fixed rate or with a fixed number under way, and the time that each takes.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddrV4, UdpSocket};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use gateway_tests::dhcp::message::{Message, code, kind};
use gateway_tests::dhcp::raw::SERVER_PORT;
use gateway_tests::traffic::bind_udp;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::super::interval::now;
use super::place::{Place, RELAY, SERVER, VENDOR_CLASS};

/// An exchange of which nothing has been heard for so long is lost, or begun again.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest message that is looked at, in bytes.
const LARGEST: usize = 2048;

/// Whose exchanges: no Ethernet address is perfdhcp's, nor in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clients {
    /// Those that fill the table.
    Filling,
    /// Others in every run.
    New,
}

impl Clients {
    /// The Ethernet address of a client.
    pub(super) fn mac(self, number: u32) -> [u8; 6] {
        let [a, b, c, d] = number.to_be_bytes();
        let kind = match self {
            Self::Filling => 0xFF,
            Self::New => 0xFE,
        };
        [2, kind, a, b, c, d]
    }
}

/// How exchanges are begun.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// So many a second, however long they take; what is lost stays so.
    Rate { rate: f64, lasting: Duration },
    /// The next one when one is complete, until all are; what is lost is begun again.
    Window {
        under_way: usize,
        exchanges: usize,
        within: Duration,
    },
}

/// What came of a run.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// From DISCOVER to ACK, of each complete exchange, the shortest first.
    pub(super) times: Vec<Duration>,
    pub(super) lost: usize,
    pub(super) took: Duration,
}

impl Outcome {
    /// The time within which this share of the complete exchanges was.
    pub(super) fn percentile(&self, share: f64) -> Option<Duration> {
        let rank = (self.times.len() as f64 * share).ceil() as usize;
        self.times.get(rank.max(1) - 1).copied()
    }
}

/// The relay agent. It has a socket while it runs only: perfdhcp wants the same address.
#[derive(Debug, Default)]
pub(super) struct Storm {
    /// The next client of [`Clients::New`].
    next: u32,
    /// The next transaction.
    xid: u32,
}

/// One exchange.
struct Exchange {
    client: u32,
    begun: Instant,
    /// When something was last sent.
    sent: Instant,
    requested: bool,
    done: bool,
}

/// One run.
struct Run<'s> {
    socket: &'s UdpSocket,
    clients: Clients,
    pace: Pace,
    start: Instant,
    first_client: u32,
    first_xid: u32,
    /// By transaction.
    exchanges: Vec<Exchange>,
    /// When to look after which.
    looks: VecDeque<(Instant, usize)>,
    under_way: usize,
    times: Vec<Duration>,
    lost: usize,
}

impl Storm {
    /// Runs exchanges until all have been begun and have ended.
    pub(super) fn run(&mut self, place: &Place, clients: Clients, pace: Pace) -> Result<Outcome> {
        let socket = bind_udp(&place.relay, SocketAddrV4::new(RELAY, SERVER_PORT))?;
        socket.connect(SocketAddrV4::new(SERVER, SERVER_PORT))?;
        socket.set_nonblocking(true)?;
        let first_client = match clients {
            Clients::Filling => 0,
            Clients::New => self.next,
        };
        let mut run = Run {
            socket: &socket,
            clients,
            pace,
            start: now(),
            first_client,
            first_xid: self.xid,
            exchanges: Vec::new(),
            looks: VecDeque::new(),
            under_way: 0,
            times: Vec::new(),
            lost: 0,
        };
        while !run.ended() {
            run.step()?;
        }
        let begun = u32::try_from(run.exchanges.len())?;
        let mut times = run.times;
        times.sort_unstable();
        let outcome = Outcome {
            times,
            lost: run.lost,
            took: run.start.elapsed(),
        };
        self.xid += begun;
        if clients == Clients::New {
            self.next += begun;
        }
        Ok(outcome)
    }
}

impl Run<'_> {
    fn ended(&self) -> bool {
        match self.pace {
            Pace::Rate { lasting, .. } => self.under_way == 0 && self.start.elapsed() >= lasting,
            Pace::Window {
                exchanges, within, ..
            } => self.times.len() == exchanges || self.start.elapsed() >= within,
        }
    }

    fn step(&mut self) -> Result<()> {
        while self.is_due() {
            self.begin()?;
        }
        self.look_after()?;
        self.wait()?;
        self.receive()
    }

    /// Whether the next exchange is to be begun.
    fn is_due(&self) -> bool {
        let begun = self.exchanges.len();
        match self.pace {
            Pace::Rate { rate, lasting } => {
                let elapsed = self.start.elapsed().min(lasting);
                (begun as f64) < elapsed.as_secs_f64() * rate
            }
            Pace::Window {
                under_way,
                exchanges,
                ..
            } => begun < exchanges && self.under_way < under_way,
        }
    }

    fn begin(&mut self) -> Result<()> {
        let index = self.exchanges.len();
        let (client, begun) = (self.first_client + u32::try_from(index)?, now());
        self.exchanges.push(Exchange {
            client,
            begun,
            sent: begun,
            requested: false,
            done: false,
        });
        self.under_way += 1;
        self.looks.push_back((begun, index));
        self.send(&self.discover(index)?)
    }

    fn discover(&self, index: usize) -> Result<Message> {
        let mac = self.clients.mac(self.exchanges[index].client);
        let xid = self.first_xid + u32::try_from(index)?;
        let mut id = vec![1];
        id.extend(mac);
        Ok(Message::discover(mac, xid)
            .option(code::VENDOR_CLASS, VENDOR_CLASS.as_bytes())
            .option(code::CLIENT_ID, &id)
            .option(code::REQUEST_LIST, &[3, 43])
            .relayed(RELAY))
    }

    /// A full buffer is a packet lost, as it would be on the wire.
    fn send(&self, message: &Message) -> Result<()> {
        match self.socket.send(&message.bytes()) {
            Err(why) if why.kind() == io::ErrorKind::WouldBlock => Ok(()),
            // The server is being started: ICMP says that its port is closed.
            Err(why) if why.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            sent => sent.map(drop).context("send to the server"),
        }
    }

    /// Gives up, or begins again, what has not been heard of for long.
    fn look_after(&mut self) -> Result<()> {
        while let Some((at, index)) = self.looks.front().copied() {
            if at.elapsed() < PATIENCE {
                break;
            }
            self.looks.pop_front();
            let exchange = &mut self.exchanges[index];
            if exchange.done {
                continue;
            }
            if exchange.sent > at {
                let sent = exchange.sent;
                self.looks.push_back((sent, index));
            } else if matches!(self.pace, Pace::Window { .. }) {
                (exchange.sent, exchange.requested) = (now(), false);
                let sent = exchange.sent;
                self.looks.push_back((sent, index));
                self.send(&self.discover(index)?)?;
            } else {
                exchange.done = true;
                self.under_way -= 1;
                self.lost += 1;
            }
        }
        Ok(())
    }

    /// Until there is something to read, or the next exchange to begin.
    fn wait(&self) -> Result<()> {
        let pause = match self.pace {
            Pace::Rate { rate, lasting } if self.start.elapsed() < lasting => {
                let next = Duration::from_secs_f64((self.exchanges.len() + 1) as f64 / rate);
                next.saturating_sub(self.start.elapsed())
            }
            Pace::Rate { .. } | Pace::Window { .. } => Duration::from_millis(20),
        };
        let mut polled = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        let pause = TimeSpec::from_duration(pause.min(Duration::from_millis(20)));
        match ppoll(&mut polled, Some(pause), None) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(why) => Err(why).context("ppoll"),
        }
    }

    fn receive(&mut self) -> Result<()> {
        let mut buffer = [0; LARGEST];
        loop {
            let length = match self.socket.recv(&mut buffer) {
                Ok(length) => length,
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(why) if why.kind() == io::ErrorKind::ConnectionRefused => continue,
                Err(why) => return Err(why).context("receive from the server"),
            };
            if let Ok(message) = Message::parse(&buffer[..length]) {
                self.answer(&message)?;
            }
        }
    }

    fn answer(&mut self, message: &Message) -> Result<()> {
        let index = message.xid.wrapping_sub(self.first_xid) as usize;
        let Some(exchange) = self.exchanges.get_mut(index) else {
            return Ok(()); // Of an earlier run.
        };
        if exchange.done {
            return Ok(());
        }
        match message.kind() {
            Some(kind::OFFER) if !exchange.requested => {
                (exchange.requested, exchange.sent) = (true, now());
                let request = self.discover(index)?.request(message);
                self.send(&request)
            }
            Some(kind::ACK) => {
                exchange.done = true;
                self.times.push(exchange.begun.elapsed());
                self.under_way -= 1;
                Ok(())
            }
            // A DHCPNAK is an exchange that does not get complete.
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let outcome = Outcome {
            times: (1..=200).map(Duration::from_millis).collect(),
            lost: 0,
            took: Duration::ZERO,
        };
        assert_eq!(outcome.percentile(0.5), Some(Duration::from_millis(100)));
        assert_eq!(outcome.percentile(0.99), Some(Duration::from_millis(198)));
        let none = Outcome {
            times: Vec::new(),
            ..outcome
        };
        assert_eq!(none.percentile(0.5), None);
    }
}
