//! A gateway and a controller that speaks in text.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use megaco::Name;

use super::{Gateway, Restart, Settings};
use crate::phone::event::Event;
use crate::phone::line::{Act, State, Tone};
use crate::phone::random::Random;
use crate::phone::streams::{Common, Output, Streams};

mod associations;
mod calls;
mod commands;

const PRIMARY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 2944);
const BACKUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 2), 2944);
const OTHER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 8), 4000);
const SIGNALLING: u16 = 1024;

/// A gateway with two lines at 10.0.0.7, and all that it said.
struct Bed {
    gateway: Gateway,
    now: Duration,
    /// Messages that nobody looked at yet.
    sent: Vec<(SocketAddrV4, String)>,
    events: Vec<(Option<usize>, Event)>,
    /// Ports that are open.
    bound: Vec<u16>,
    media: Vec<(u16, SocketAddrV4)>,
    next: u32,
}

impl Bed {
    /// Before it was switched on.
    fn off() -> Self {
        let common = Common {
            address: Ipv4Addr::new(10, 0, 0, 7),
            ports: "1024-1031".parse().unwrap(),
            tone_hz: 440,
            mute: false,
            name: "a1".to_owned(),
            epoch: Duration::from_secs(1_700_000_000),
        };
        let settings = Settings {
            switches: vec![PRIMARY, BACKUP],
            lines: vec![Name::literal("line1"), Name::literal("line2")],
            mid: None,
            version: 3,
            patience: Duration::from_secs(5),
            digit_time: Duration::from_millis(100),
            trace: false,
        };
        let streams = Streams::new(common, Random::new(1));
        Self {
            gateway: Gateway::new(settings, streams, Random::new(2)),
            now: Duration::from_secs(1),
            sent: Vec::new(),
            events: Vec::new(),
            bound: Vec::new(),
            media: Vec::new(),
            next: 1,
        }
    }

    /// Registered with the primary controller.
    fn new() -> Self {
        let mut bed = Self::off();
        bed.with(|gateway, now, out| gateway.start(now, Restart::Cold, out));
        let (to, asked) = bed.message();
        assert_eq!(to, PRIMARY);
        bed.accept(&asked);
        assert_eq!(bed.gateway.registered(), Some(PRIMARY));
        bed.events.clear();
        bed
    }

    fn with(&mut self, act: impl FnOnce(&mut Gateway, Duration, &mut Vec<Output>)) {
        let mut out = Vec::new();
        act(&mut self.gateway, self.now, &mut out);
        for output in out {
            match output {
                Output::Bind(port) => self.bound.push(port),
                Output::Unbind(port) => self.bound.retain(|bound| *bound != port),
                Output::Tell(line, event) => self.events.push((line, event)),
                Output::Send(datagram) if datagram.port == SIGNALLING => {
                    let text = String::from_utf8(datagram.bytes).unwrap();
                    self.sent.push((datagram.to, text));
                }
                Output::Send(datagram) => self.media.push((datagram.port, datagram.to)),
            }
        }
    }

    /// Lets time go by up to a moment.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.gateway.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.with(|gateway, now, out| gateway.handle_timeout(now, out));
        }
        self.now = end;
    }

    /// The next message that it sent.
    fn message(&mut self) -> (SocketAddrV4, String) {
        assert!(!self.sent.is_empty(), "nothing was sent");
        self.sent.remove(0)
    }

    fn act(&mut self, line: usize, act: Act) {
        self.with(|gateway, now, out| gateway.act(now, line, &act, out));
    }

    fn tell(&mut self, from: SocketAddrV4, text: &str) {
        self.with(|gateway, now, out| gateway.handle(now, SIGNALLING, from, text.as_bytes(), out));
    }

    /// Accepts a registration.
    fn accept(&mut self, asked: &str) {
        let id = number(asked);
        self.tell(
            PRIMARY,
            &format!("!/1 [192.0.2.1]:2944 P={id}{{C=-{{SC=ROOT{{SV{{V=3}}}}}}}}"),
        );
    }

    /// Has actions executed: the actions of the reply.
    fn ask(&mut self, actions: &str) -> String {
        let id = self.next;
        self.next += 1;
        self.tell(
            PRIMARY,
            &format!("!/3 [192.0.2.1]:2944 T={id}{{{actions}}}"),
        );
        let (to, reply) = self.message();
        assert_eq!(to, PRIMARY);
        let head = format!("!/3 [10.0.0.7]:1024\nP={id}{{");
        let actions = reply
            .strip_prefix(&head)
            .unwrap_or_else(|| panic!("{reply}"));
        actions.strip_suffix('}').unwrap().to_owned()
    }

    /// The next Notify, answered: its action without times.
    fn notified(&mut self) -> String {
        let (to, text) = self.message();
        let id = number(&text);
        let termination = between(&text, "N=", "{").to_owned();
        let context = between(&text, "C=", "{").to_owned();
        self.tell(
            to,
            &format!("!/3 [192.0.2.1]:2944 P={id}{{C={context}{{N={termination}}}}}"),
        );
        let begin = text.find("C=").unwrap();
        without_times(&text[begin..text.len() - 1])
    }

    fn state(&self, line: usize) -> &State {
        self.gateway.line(line).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let name = |event: &Event| {
            let json = serde_json::to_value(event).unwrap();
            json["event"].as_str().unwrap().to_owned()
        };
        self.events.iter().map(|(_, event)| name(event)).collect()
    }
}

/// `T=17{...`: 17.
fn number(message: &str) -> u32 {
    between(message, "T=", "{").parse().unwrap()
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let (_, behind) = text.split_once(begin).unwrap_or_else(|| panic!("{text}"));
    behind.split_once(end).unwrap().0
}

/// Leaves out `20231114T22132100:`.
fn without_times(text: &str) -> String {
    let is_time = |at: usize| {
        let digits = |from: usize| {
            let eight = text.get(from..from + 8);
            eight.is_some_and(|eight| eight.bytes().all(|byte| byte.is_ascii_digit()))
        };
        digits(at) && text[at + 8..].starts_with('T') && digits(at + 9)
    };
    let (mut kept, mut at) = (String::new(), 0);
    while let Some(next) = text[at..].chars().next() {
        if is_time(at) {
            // With the colon.
            at += 18;
        } else {
            kept.push(next);
            at += next.len_utf8();
        }
    }
    kept
}
