//! The messages of RFC 4475, garbage and half messages, sent to the daemon from the internet: it answers
//! as it should, lives on, and calls work after that.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gateway_tests::site::ROUTER_OUTSIDE;
use sip::message::Limits;
use sip::{Frame, Message, Method, Name, Request, Stream};

use crate::bed::{Bed, LONG, history};
use crate::program::sipp::Play;

const FIXTURES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../gateway-ctl/crates/sip/tests/fixtures/rfc4475"
);

/// What the daemon says to those that are sound as messages, from a stranger and mostly for domains that
/// are not its own; nothing to the rest of them, which are responses to nobody. How the others are refused
/// is the parser's verdict (`torture.rs` of crate `sip`).
const SOUND: &[(u16, &[&str])] = &[
    (
        404,
        &[
            "badbranch",
            "cparam01",
            "cparam02",
            "dblreq",
            "escnull",
            "lwsdisp",
            "mpart01",
            "regaut01",
            "regbadct",
            "regescrt",
            "semiuri",
            "transports",
        ],
    ),
    (405, &["esc02", "intmeth"]),
    (
        407,
        &["baddate", "esc01", "inv2543", "invut", "longreq", "sdp01"],
    ),
    (416, &["novelsc", "unkscm", "unksm2"]),
    (420, &["bext01"]),
    (481, &["wsinv"]),
    (483, &["zeromf"]),
];

/// What has the branch and the sender of one before it that has a transaction: where requests may be lost
/// it is a repetition of that, and answered to where that has come from.
const REPEATED: &[&str] = &["unkscm"];

fn fixtures() -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(Path::new(FIXTURES)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let messages = paths.filter(|path| path.extension().is_some_and(|end| end == "dat"));
    messages
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect()
}

/// What a connection or a socket has heard before the answer to its last question.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Answers(Vec<u16>),
    /// The daemon has hung up: nobody can tell where the next message begins.
    Closed,
}

/// A way to the daemon of its own.
enum Way {
    Udp(UdpSocket),
    Tcp(TcpStream, Box<Stream>),
}

impl Way {
    fn udp(bed: &Bed) -> Self {
        let open = || {
            let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
            socket.connect((ROUTER_OUTSIDE, 5060)).unwrap();
            let patience = Some(Duration::from_secs(2));
            socket.set_read_timeout(patience).unwrap();
            socket
        };
        Self::Udp(bed.site.internet.enter(open))
    }

    fn tcp(bed: &Bed) -> Self {
        let open = || TcpStream::connect((ROUTER_OUTSIDE, 5060)).unwrap();
        let stream = bed.site.internet.enter(open);
        stream.set_read_timeout(Some(LONG)).unwrap();
        Self::Tcp(stream, Box::new(Stream::new(Limits::default())))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Udp(_) => "UDP",
            Self::Tcp(..) => "TCP",
        }
    }

    /// Whether it was taken.
    fn say(&mut self, bytes: &[u8]) -> bool {
        match self {
            // Only what is longer than a datagram can't be sent.
            Self::Udp(socket) => socket.send(bytes).is_ok(),
            Self::Tcp(stream, _) => stream.write_all(bytes).is_ok(),
        }
    }

    /// The next response, as its code and text: an answer repeats what was wrong with the question, so
    /// that not all can be parsed. None when the connection has ended, or no datagram comes.
    fn response(&mut self) -> Option<(u16, String)> {
        let bytes = match self {
            Self::Udp(socket) => {
                let mut buffer = vec![0; 65_536];
                let length = socket.recv(&mut buffer).ok()?;
                buffer.truncate(length);
                buffer
            }
            Self::Tcp(stream, frames) => loop {
                if let Some(Frame::Message(message)) = frames.next().unwrap() {
                    break message;
                }
                let mut buffer = [0; 4096];
                match stream.read(&mut buffer) {
                    Ok(0) => return None,
                    Ok(length) => frames.push(&buffer[..length]),
                    Err(why) if why.kind() == ErrorKind::ConnectionReset => return None,
                    Err(why) => panic!("{why}"),
                }
            },
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let code = text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3));
        let code = code.and_then(|code| code.parse().ok());
        Some((code.unwrap_or_else(|| panic!("no response: {text}")), text))
    }

    /// What is answered to this before the answer to a question that is asked behind it.
    fn heard(&mut self, bytes: &[u8]) -> Heard {
        let (question, mut codes) = (question(self.name()), Vec::new());
        let mut connected = self.say(bytes);
        // A datagram may be lost; then it is asked again.
        for _ in 0..30 {
            connected = connected && self.say(&question);
            while connected && let Some((code, text)) = self.response() {
                if text.contains(QUESTION) {
                    assert_eq!(code, 200, "{text}");
                    return Heard::Answers(codes);
                }
                codes.push(code);
            }
            connected = matches!(self, Self::Udp(_));
        }
        Heard::Closed
    }
}

/// Its Call-ID.
const QUESTION: &str = "are-you-there";

/// A sound OPTIONS.
fn question(transport: &str) -> Vec<u8> {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let number = ASKED.fetch_add(1, Ordering::Relaxed);
    let mut request = Request::new(Method::Options, &format!("sip:{ROUTER_OUTSIDE}"));
    let fields = &mut request.fields;
    let via = format!("SIP/2.0/{transport} 203.0.113.10:5060;rport;branch=z9hG4bKquestion{number}");
    fields.push(Name::Via, via);
    fields.push(Name::MaxForwards, "70");
    fields.push(Name::From, "<sip:nobody@example.com>;tag=1");
    fields.push(Name::To, format!("<sip:{ROUTER_OUTSIDE}>"));
    fields.push(Name::CallId, QUESTION);
    fields.push(Name::CSeq, "1 OPTIONS");
    fields.push(Name::ContentLength, "0");
    request.encode()
}

/// What is to be answered to a message.
fn verdict(name: &str, bytes: &[u8]) -> Vec<u16> {
    match Message::parse(bytes.to_vec(), &Limits::default()) {
        Err(refusal) => refusal
            .answer()
            .map(|answer| answer.status.code())
            .into_iter()
            .collect(),
        Ok(_) => {
            let rows = SOUND.iter();
            let row = rows.filter(|(_, names)| names.contains(&name));
            row.map(|(code, _)| *code).collect()
        }
    }
}

/// The same over a stream; `None`: it is half a message there, and waits for its rest.
fn verdict_in_stream(name: &str, bytes: &[u8]) -> Option<Heard> {
    let mut frames = Stream::new(Limits::default());
    frames.push(bytes);
    match frames.next() {
        Err(_) => Some(Heard::Closed),
        Ok(Some(Frame::Message(message))) => {
            // What follows a message is one more.
            let mut codes = verdict(name, &message);
            frames.push(&question("TCP"));
            while let Ok(Some(frame)) = frames.next() {
                let Frame::Message(more) = frame else {
                    continue;
                };
                let message = Message::parse(more.clone(), &Limits::default());
                let last = message.is_ok_and(|message| message.fields().call_id() == Ok(QUESTION));
                if last {
                    return Some(Heard::Answers(codes));
                }
                codes.extend(verdict(name, &more));
            }
            Some(Heard::Closed)
        }
        Ok(_) => None,
    }
}

/// All messages, each over a way of its own, are answered as they should be; a half one is but said.
fn tortured(bed: &Bed, way: fn(&Bed) -> Way, verdict: fn(&str, &[u8]) -> Option<Heard>) {
    let mut wrong = Vec::new();
    for (name, bytes) in fixtures() {
        let Some(expected) = verdict(&name, &bytes) else {
            assert!(way(bed).say(&bytes), "{name}");
            continue;
        };
        let heard = way(bed).heard(&bytes);
        if heard != expected {
            wrong.push(format!("{name}: {heard:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn torture_messages_are_answered_over_udp() {
    let mut bed = Bed::new();
    tortured(&bed, Way::udp, |name, bytes| {
        let codes = match REPEATED.contains(&name) {
            true => Vec::new(),
            false => verdict(name, bytes),
        };
        Some(Heard::Answers(codes))
    });
    calls_work(&mut bed);
}

#[test]
fn torture_messages_are_answered_over_tcp() {
    let mut bed = Bed::new();
    tortured(&bed, Way::tcp, verdict_in_stream);
    calls_work(&mut bed);
}

#[test]
fn garbage_and_half_messages_do_no_harm() {
    let mut bed = Bed::new();
    let all: Vec<Vec<u8>> = fixtures().into_values().collect();
    let mut dice = Dice(0x5eed);
    for _ in 0..3000 {
        let bytes = dice.garbage(&all);
        Way::udp(&bed).say(&bytes);
    }
    assert_eq!(Way::udp(&bed).heard(b""), Heard::Answers(Vec::new()));
    for _ in 0..300 {
        let mut way = Way::tcp(&bed);
        // Some is heard before the connection is gone in the midst of the next.
        let mut pieces = (0..3).map(|_| dice.garbage(&all));
        let _ = pieces.all(|piece| way.say(&piece));
    }
    assert_eq!(Way::tcp(&bed).heard(b""), Heard::Answers(Vec::new()));
    calls_work(&mut bed);
}

#[test]
fn a_message_may_come_octet_by_octet() {
    let bed = Bed::new();
    let mut way = Way::tcp(&bed);
    let bytes = question("TCP");
    for octet in &bytes {
        assert!(way.say(&[*octet]));
    }
    assert_eq!(way.response().unwrap().0, 200);
    // Several at once.
    assert!(way.say(&[b"\r\n".to_vec(), bytes.clone(), bytes.clone()].concat()));
    for _ in 0..2 {
        assert_eq!(way.response().unwrap().0, 200);
    }
    // Half of one, on a connection that stays: others are served.
    assert!(way.say(&bytes[..bytes.len() / 2]));
    assert_eq!(Way::tcp(&bed).heard(b""), Heard::Answers(Vec::new()));
}

/// The daemon is still the one that was started, and connects a call.
fn calls_work(bed: &mut Bed) {
    assert_eq!(bed.gateway.process().exited().unwrap(), None);
    let [a1, a2] = bed.inside();
    for party in [&a1, &a2] {
        Play::once("register", party).run();
    }
    let (one, other) = (a1.address.to_string(), a2.address.to_string());
    let answering = Play::once("answer", &a2).given(&one).start();
    Play::once("call", &a1).to("7002").given(&other).run();
    answering.finish();
    let over = history(&bed.gateway, 1);
    assert_eq!(over[0]["reason"], "caller_hung_up", "{over:?}");
}

/// Numbers that look random, and are the same each time (a linear congruential generator).
struct Dice(u64);

impl Dice {
    /// 0 to below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }

    /// Random octets, or a message that is cut, has wrong octets or another one's end.
    fn garbage(&mut self, messages: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = messages[self.roll(messages.len())].clone();
        match self.roll(4) {
            0 => {
                let length = self.roll(1400);
                bytes = (0..length).map(|_| self.roll(256) as u8).collect();
            }
            1 => bytes.truncate(self.roll(bytes.len())),
            2 => {
                for _ in 0..=self.roll(12) {
                    let at = self.roll(bytes.len());
                    bytes[at] = self.roll(256) as u8;
                }
            }
            _ => {
                let other = &messages[self.roll(messages.len())];
                bytes.truncate(self.roll(bytes.len()));
                bytes.extend(&other[self.roll(other.len())..]);
            }
        }
        // What a datagram can carry.
        bytes.truncate(60_000);
        bytes
    }
}
