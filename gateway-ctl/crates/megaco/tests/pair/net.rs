//! A network that loses, doubles and reorders, with ends that ask each other.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use megaco::transactions::{Endpoint, Output, RequestKey, Settings};
use megaco::{
    ActionReply, ActionRequest, Amm, Audited, Command, ContextId, Descriptor, Descriptors, Mid,
    Outcome, Package, Response, TerminationId,
};

/// Numbers that look like chance, the same for the same seed.
#[derive(Clone, Debug)]
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// How bad it is, in percent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) loss: u64,
    pub(crate) doubles: u64,
    /// How long messages are under way, at most, milliseconds.
    pub(crate) delay: u64,
    /// How many requests take up to nine seconds, percent.
    pub(crate) slow: u64,
}

enum Event {
    Arrives {
        to: usize,
        from: usize,
        bytes: Vec<u8>,
    },
    Answers {
        end: usize,
        request: RequestKey,
        outcome: Outcome,
    },
    Asks {
        end: usize,
        to: usize,
    },
}

pub(crate) struct Net {
    weather: Weather,
    chance: Chance,
    pub(crate) ends: Vec<Endpoint>,
    addresses: Vec<SocketAddr>,
    events: BTreeMap<(Duration, u64), Event>,
    serial: u64,
    now: Duration,
    /// By what was asked: how often it was executed.
    pub(crate) executed: BTreeMap<String, u32>,
    /// By end and number: what was asked.
    asked: BTreeMap<(usize, u32), String>,
    pub(crate) replied: BTreeSet<String>,
    pub(crate) failed: Vec<String>,
    pub(crate) messages: u64,
}

impl Net {
    /// One controller, end 0, and phones.
    pub(crate) fn new(phones: u16, weather: Weather, seed: u64, tune: fn(&mut Settings)) -> Self {
        let addresses: Vec<SocketAddr> = (0..=phones)
            .map(|end| SocketAddr::from(([192, 0, 2, 1], 3000 + end)))
            .collect();
        let ends = addresses.iter().map(|address| {
            let mid = Mid::Address(address.ip(), Some(address.port()));
            let mut settings = Settings::new(mid, 1);
            tune(&mut settings);
            Endpoint::new(settings)
        });
        Self {
            weather,
            chance: Chance(seed | 1),
            ends: ends.collect(),
            addresses,
            events: BTreeMap::new(),
            serial: 0,
            now: Duration::from_secs(1),
            executed: BTreeMap::new(),
            asked: BTreeMap::new(),
            replied: BTreeSet::new(),
            failed: Vec::new(),
            messages: 0,
        }
    }

    fn at(&mut self, after: u64, event: Event) {
        self.serial += 1;
        let when = self.now + Duration::from_millis(after);
        self.events.insert((when, self.serial), event);
    }

    /// Every phone asks the controller, and is asked by it, so many times in ten seconds.
    pub(crate) fn plan(&mut self, times: u32) {
        for phone in 1..self.ends.len() {
            for _ in 0..times {
                let (one, other) = (self.chance.below(10_000), self.chance.below(10_000));
                self.at(one, Event::Asks { end: phone, to: 0 });
                self.at(other, Event::Asks { end: 0, to: phone });
            }
        }
    }

    /// Until nothing more happens.
    pub(crate) fn run(&mut self) {
        loop {
            let timers = self.ends.iter().enumerate();
            let timer = timers
                .filter_map(|(end, endpoint)| Some((endpoint.poll_timeout()?, end)))
                .min();
            let event = self.events.first_key_value().map(|((when, _), _)| *when);
            match (timer, event) {
                (Some((when, end)), event) if event.is_none_or(|event| when < event) => {
                    self.now = self.now.max(when);
                    self.ends[end].handle_timeout(self.now);
                    self.drain(end);
                }
                (_, Some(when)) => {
                    self.now = when;
                    let (_, event) = self.events.pop_first().expect("an event");
                    self.happen(event);
                }
                (_, None) => return,
            }
            assert!(self.now < Duration::from_secs(600), "it does not end");
        }
    }

    fn happen(&mut self, event: Event) {
        let end = match event {
            Event::Arrives { to, from, bytes } => {
                self.ends[to].handle(self.now, self.addresses[from], &bytes);
                to
            }
            Event::Answers {
                end,
                request,
                outcome,
            } => {
                self.ends[end].reply(self.now, request, outcome);
                end
            }
            Event::Asks { end, to } => {
                self.serial += 1;
                let what = format!("q{}", self.serial);
                let version = if self.chance.percent(50) { 3 } else { 1 };
                let termination = TerminationId::new(&what).expect("a name");
                let command = Command::AuditValue(Audited::new(termination, None));
                let actions = vec![ActionRequest::new(ContextId::Null, vec![command.into()])];
                let to = self.addresses[to];
                let id = self.ends[end].request(self.now, to, version, actions);
                self.asked.insert((end, id), what);
                end
            }
        };
        self.drain(end);
    }

    fn drain(&mut self, end: usize) {
        while let Some(output) = self.ends[end].next_output() {
            match output {
                Output::Send { to, bytes } => self.carry(end, to, bytes),
                Output::Request {
                    request, actions, ..
                } => {
                    let command = &actions[0].commands[0].command;
                    let what = command.terminations().first().as_str().to_string();
                    *self.executed.entry(what.clone()).or_default() += 1;
                    let slow = self.chance.percent(self.weather.slow);
                    let delay = self.chance.below(if slow { 9_000 } else { 50 });
                    let outcome = answer(&what, self.chance.below(8));
                    self.at(
                        delay,
                        Event::Answers {
                            end,
                            request,
                            outcome,
                        },
                    );
                }
                Output::Reply { id, outcome, .. } => {
                    let what = self.asked[&(end, id)].clone();
                    check(&what, &outcome);
                    assert!(self.replied.insert(what), "answered twice");
                }
                Output::Failed { id, why } => {
                    let what = &self.asked[&(end, id)];
                    self.failed.push(format!("{what}: {why:?}"));
                }
                Output::Repeated { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn carry(&mut self, from: usize, to: SocketAddr, bytes: Vec<u8>) {
        self.messages += 1;
        let to = self
            .addresses
            .iter()
            .position(|known| *known == to)
            .expect("an end");
        let copies = 1 + u64::from(self.chance.percent(self.weather.doubles));
        for _ in 0..copies {
            let delay = self.chance.below(self.weather.delay) + 1;
            if !self.chance.percent(self.weather.loss) {
                let bytes = bytes.clone();
                self.at(delay, Event::Arrives { to, from, bytes });
            }
        }
    }
}

/// Several answers, so that some replies need segments.
fn answer(what: &str, lines: u64) -> Outcome {
    let package = Package {
        name: megaco::Name::literal("nt"),
        version: 1,
    };
    let long = Descriptors(vec![Descriptor::Packages(vec![package; 80])]);
    let responses = (0..=lines).map(|line| {
        let termination = TerminationId::new(&format!("{what}/{line}")).expect("a name");
        let amm = Amm::new(termination, long.clone());
        Response::AuditValue(megaco::AuditReply::Terminations(amm))
    });
    Outcome::Actions(vec![ActionReply::new(ContextId::Null, responses.collect())])
}

/// The whole answer to what was asked, and in order.
fn check(what: &str, outcome: &Outcome) {
    let Outcome::Actions(actions) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(actions.len(), 1);
    let lines = actions[0].responses.len() as u64;
    assert_eq!(*outcome, answer(what, lines - 1));
}
