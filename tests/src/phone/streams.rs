//! The media streams of a phone, each on a pair of its ports.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use super::event::Event;
use super::media::{Datagram, Report, Session, Settings};
use super::ports::{Pairs, Range};
use super::random::Random;

/// What a phone wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Open a socket at this port of the phone's address.
    Bind(u16),
    /// Close it.
    Unbind(u16),
    /// Send this.
    Send(Datagram),
    /// Tell this: of a line, counted from 0, or of the phone.
    Tell(Option<usize>, Event),
}

/// What all streams of a phone have in common.
#[derive(Clone, Debug)]
pub struct Common {
    /// Its own address.
    pub address: Ipv4Addr,
    /// Its ports.
    pub ports: Range,
    /// What it says, in Hz.
    pub tone_hz: u16,
    /// It says nothing at all, for loads that are about calls alone.
    pub mute: bool,
    /// Its name.
    pub name: String,
    /// The time since 1970 at moment zero of the clock.
    pub epoch: Duration,
}

/// All streams, by RTP's port.
#[derive(Debug)]
pub struct Streams {
    common: Common,
    pairs: Pairs,
    random: Random,
    open: BTreeMap<u16, Session>,
}

impl Streams {
    /// None yet.
    #[must_use]
    pub fn new(common: Common, random: Random) -> Self {
        Self {
            pairs: Pairs::new(common.ports),
            common,
            random,
            open: BTreeMap::new(),
        }
    }

    /// What all have in common.
    #[must_use]
    pub fn common(&self) -> &Common {
        &self.common
    }

    /// A new one, if a pair of ports is free.
    pub fn open(&mut self, out: &mut Vec<Output>) -> Option<&mut Session> {
        let port = self.pairs.take()?;
        out.extend([Output::Bind(port), Output::Bind(port + 1)]);
        let session = Session::new(Settings {
            address: self.common.address,
            port,
            tone_hz: self.common.tone_hz,
            mute: self.common.mute,
            name: format!("{}@{}", self.common.name, self.common.address),
            epoch: self.common.epoch,
            random: std::array::from_fn(|_| self.random.word()),
        });
        Some(self.open.entry(port).or_insert(session))
    }

    /// The one of a port.
    pub fn get(&self, port: u16) -> Option<&Session> {
        self.open.get(&port)
    }

    /// The one of a port.
    pub fn get_mut(&mut self, port: u16) -> Option<&mut Session> {
        self.open.get_mut(&port)
    }

    /// Ends one, with what is known of it.
    pub fn close(&mut self, now: Duration, port: u16, out: &mut Vec<Output>) -> Option<Report> {
        let mut session = self.open.remove(&port)?;
        out.extend(session.close(now).map(Output::Send));
        out.extend([Output::Unbind(port), Output::Unbind(port + 1)]);
        self.pairs.give(port);
        Some(session.summary())
    }

    /// A datagram that arrived at one of the ports.
    pub fn handle(&mut self, now: Duration, port: u16, from: SocketAddrV4, bytes: &[u8]) {
        if let Some(session) = self.open.get_mut(&(port & !1)) {
            session.handle(now, port, from, bytes);
        }
    }

    /// When there is something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.open.values().filter_map(Session::poll_timeout).min()
    }

    /// What is due by now.
    pub fn handle_timeout(&mut self, now: Duration, out: &mut Vec<Output>) {
        let mut datagrams = Vec::new();
        for session in self.open.values_mut() {
            session.handle_timeout(now, &mut datagrams);
        }
        out.extend(datagrams.into_iter().map(Output::Send));
    }
}
