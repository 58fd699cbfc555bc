//! An office and its phones on one link.

use std::time::Duration;

use super::link::{Link, Weather};
use super::office::{DOMAIN, Office, PASSWORD};
use crate::transaction::Settings;
use crate::transport::Peer;
use crate::ua::{Agent, AgentSettings, Event};

/// Phones are 2000, 2001 .. at 192.0.2.10, 192.0.2.11 ..
#[derive(Debug)]
pub struct World {
    /// The office.
    pub office: Office,
    /// The phones.
    pub phones: Vec<Agent>,
    /// What phones told, in order.
    pub events: Vec<(usize, Event)>,
    /// The time.
    pub now: Duration,
    link: Link,
}

impl World {
    /// So many phones, not registered.
    #[must_use]
    pub fn new(phones: u8, weather: Weather) -> Self {
        let phones = (0..phones).map(|number| Agent::new(settings(number, PASSWORD)));
        Self {
            office: Office::new(),
            phones: phones.collect(),
            events: Vec::new(),
            now: Duration::from_secs(1000),
            link: Link::new(weather),
        }
    }

    /// The URI of a phone.
    #[must_use]
    pub fn uri(number: usize) -> String {
        format!("sip:{}@{DOMAIN}", 2000 + number)
    }

    /// Lets a phone do something.
    pub fn act<T>(
        &mut self,
        phone: usize,
        act: impl FnOnce(&mut Agent, Duration) -> (T, Vec<Event>),
    ) -> Option<T> {
        let agent = self.phones.get_mut(phone)?;
        let (value, events) = act(agent, self.now);
        self.heed(phone, events);
        Some(value)
    }

    /// Lets a phone do something that gives nothing back.
    pub fn tell(&mut self, phone: usize, act: impl FnOnce(&mut Agent, Duration) -> Vec<Event>) {
        self.act(phone, |agent, now| ((), act(agent, now)));
    }

    /// Lets the office receive bytes as if from a phone.
    pub fn inject(&mut self, phone: usize, bytes: Vec<u8>) {
        let sent = self.office.handle(self.now, address(phone), bytes);
        self.office_sends(sent);
    }

    fn heed(&mut self, phone: usize, events: Vec<Event>) {
        for event in events {
            match event {
                Event::Send { to, bytes, .. } => {
                    self.link.send(self.now, address(phone), to, &bytes);
                }
                event => self.events.push((phone, event)),
            }
        }
    }

    fn office_sends(&mut self, sent: Vec<(Peer, std::sync::Arc<[u8]>)>) {
        for (to, bytes) in sent {
            self.link.send(self.now, Office::peer(), to, &bytes);
        }
    }

    /// The next thing that happens, if there is one not later than `end`.
    pub fn step(&mut self, end: Duration) -> bool {
        let timers = self.phones.iter().filter_map(Agent::poll_timeout);
        let all = timers
            .chain(self.office.poll_timeout())
            .chain(self.link.next());
        let Some(next) = all.min().filter(|next| *next <= end) else {
            return false;
        };
        self.now = self.now.max(next);
        while let Some(datagram) = self.link.receive(self.now) {
            let bytes = datagram.bytes.to_vec();
            if datagram.to == Office::peer() {
                let sent = self.office.handle(self.now, datagram.from, bytes);
                self.office_sends(sent);
                continue;
            }
            let phone = (0..self.phones.len()).find(|phone| address(*phone) == datagram.to);
            if let Some(phone) = phone {
                self.tell(phone, |agent, now| agent.handle(now, datagram.from, bytes));
            }
        }
        let sent = self.office.handle_timeout(self.now);
        self.office_sends(sent);
        for phone in 0..self.phones.len() {
            self.tell(phone, Agent::handle_timeout);
        }
        true
    }

    /// Until then, nothing in between.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }
}

fn address(phone: usize) -> Peer {
    let last = u8::try_from(phone).unwrap_or(u8::MAX).saturating_add(10);
    Peer::udp(([192, 0, 2, last], 5060).into())
}

/// A phone's settings.
#[must_use]
pub fn settings(number: u8, password: &str) -> AgentSettings {
    AgentSettings {
        user: format!("{}", 2000 + u16::from(number)),
        domain: DOMAIN.to_owned(),
        password: password.to_owned(),
        server: Office::peer(),
        local: address(number.into()),
        expires: Duration::from_secs(600),
        lines: 2,
        agent: "phone/1".to_owned(),
        seed: u64::from(number) + 77,
        transactions: Settings::default(),
    }
}
