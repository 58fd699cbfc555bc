//! DHCP: inputs by hand, and what must be reached by replaying.
//!
//! Messages and what happens between them: see `dhcp::testing::invariants`.

use std::net::Ipv4Addr;

use ::dhcp::testing::invariants;
use ::dhcp::testing::message::{Message, kind};
use ::dhcp::testing::site::{RELAY, SERVER};
use ::dhcp::{Answer, Event, Ignored, Kind};

use crate::{inputs, replay};

const OFFICE: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 10);

fn phone(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 10, 0, last)
}

/// A step: what, and how much of it.
fn step(what: u8, length: u16) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    vec![what, high, low]
}

fn bytes_to(what: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a short message");
    [step(what, length), bytes.to_vec()].concat()
}

/// A broadcast on the first wire.
fn heard(message: Message) -> Vec<u8> {
    bytes_to(0, &message.to_bytes())
}

/// A broadcast on the second wire.
fn heard_elsewhere(message: Message) -> Vec<u8> {
    bytes_to(1, &message.to_bytes())
}

/// To our address.
fn told(message: Message) -> Vec<u8> {
    bytes_to(2, &message.to_bytes())
}

fn pass(seconds: u16) -> Vec<u8> {
    step(4, seconds)
}

fn kill() -> Vec<u8> {
    step(5, 0)
}

fn write() -> Vec<u8> {
    step(6, 0)
}

fn in_use() -> Vec<u8> {
    step(7, 0)
}

/// A desk phone's request for the first address.
fn request(number: u32) -> Message {
    Message::request(number).asking(phone(10)).to_server(SERVER)
}

/// A phone boots.
fn boot() -> Vec<u8> {
    let discover = Message::discover(1).with(12, b"desk-1");
    let request = request(1).with(12, b"desk-1");
    [heard(discover), pass(1), heard(request), write()].concat()
}

fn after_boot(steps: &[Vec<u8>]) -> Vec<u8> {
    [boot(), steps.concat()].concat()
}

/// A discover with these bytes instead of its end.
fn followed_by(options: &[u8]) -> Vec<u8> {
    let mut bytes = Message::discover(1).to_bytes();
    let end = bytes.iter().rposition(|byte| *byte == 255);
    bytes.truncate(end.expect("an end"));
    bytes.extend_from_slice(options);
    bytes_to(0, &bytes)
}

fn changed(at: usize, value: u8) -> Vec<u8> {
    let mut bytes = Message::discover(1).to_bytes();
    bytes[at] = value;
    bytes_to(0, &bytes)
}

pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    [states(), others(), malformed()].concat()
}

fn states() -> Vec<(&'static str, Vec<u8>)> {
    let from = |number| Message::request(number).from(phone(10));
    let release = Message::new(kind::RELEASE, 1).from(phone(10));
    let decline = Message::new(kind::DECLINE, 1).asking(phone(10));
    let reboot = |number| Message::request(number).asking(phone(10));
    let wide = from(1).without(60).with(60, b"Wide");
    vec![
        ("boot", boot()),
        ("boot-killed", {
            let discover = heard(Message::discover(1));
            [
                discover,
                pass(1),
                heard(request(1)),
                kill(),
                heard(request(1)),
                write(),
            ]
            .concat()
        }),
        ("boot-twice", {
            let steps = [
                heard(Message::discover(1)),
                heard(Message::discover(1)),
                pass(1),
            ];
            [
                steps.concat(),
                heard(request(1)),
                heard(request(1)),
                write(),
            ]
            .concat()
        }),
        (
            "reboot",
            after_boot(&[heard(reboot(1)), heard(reboot(2)), kill()]),
        ),
        (
            "renew",
            after_boot(&[told(from(1)), pass(1800), told(from(1)), write()]),
        ),
        (
            "rebind",
            after_boot(&[pass(3000), heard(from(1)), heard(from(2)), write()]),
        ),
        ("range", after_boot(&[told(wide), write(), pass(200)])),
        (
            "release",
            after_boot(&[told(release), write(), heard(reboot(1)), write()]),
        ),
        (
            "decline",
            after_boot(&[
                heard(decline),
                write(),
                heard(Message::discover(1)),
                pass(700),
            ]),
        ),
        (
            "expire",
            after_boot(&[pass(3600), write(), pass(65535), pass(65535), write()]),
        ),
        ("other-server", {
            let other = Message::request(1).asking(phone(10)).to_server(phone(99));
            [heard(Message::discover(1)), pass(1), heard(other)].concat()
        }),
        (
            "unknown",
            [heard(reboot(1)), heard(request(2)), write()].concat(),
        ),
    ]
}

fn others() -> Vec<(&'static str, Vec<u8>)> {
    let moved = Message::request(1).asking(OFFICE).to_server(SERVER);
    let relayed = |message: Message| {
        let information = [1, 2, 7, 7, 11, 4, 10, 30, 0, 2, 5, 4, 10, 30, 0, 0];
        let message = message.with(82, &information).with(118, &[10, 30, 0, 0]);
        told(message.via(RELAY))
    };
    let wanted = Message::discover(1)
        .with(57, &[2, 64])
        .with(51, &[0, 0, 0, 1]);
    vec![
        ("in-use", {
            let steps = [heard(Message::discover(1)), in_use(), pass(1), in_use()];
            [steps.concat(), write(), write(), pass(700), write()].concat()
        }),
        ("moved", after_boot(&[heard_elsewhere(moved), write()])),
        ("relayed", {
            let request = Message::request(1).asking(Ipv4Addr::new(10, 30, 0, 10));
            let steps = [relayed(Message::discover(1)), pass(1)];
            [steps.concat(), relayed(request.to_server(RELAY)), write()].concat()
        }),
        (
            "relayed-159",
            relayed(Message::desk(kind::DISCOVER, 1).with(55, &[159, 43])),
        ),
        (
            "bootp",
            [heard_elsewhere(Message::desk(0, 1)), pass(1), write()].concat(),
        ),
        ("bootp-off", heard(Message::desk(0, 1))),
        (
            "inform",
            after_boot(&[heard(Message::desk(kind::INFORM, 1).from(phone(10)))]),
        ),
        ("wishes", [heard(wanted.clone()), pass(1)].concat()),
        (
            "no-class",
            heard(Message::new(kind::DISCOVER, 1).with(60, b"Toaster")),
        ),
        (
            "no-scope",
            told(Message::discover(1).via(Ipv4Addr::new(172, 16, 0, 1))),
        ),
        (
            "not-theirs",
            after_boot(&[told(Message::new(kind::RELEASE, 2).from(phone(10)))]),
        ),
        (
            "no-address",
            [
                heard(Message::request(1)),
                told(Message::new(kind::RELEASE, 1)),
            ]
            .concat(),
        ),
        ("unexpected", heard(Message::new(kind::OFFER, 1))),
    ]
}

fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("short", bytes_to(0, &[1; 100])),
        ("long", bytes_to(0, &[1; 2049])),
        ("reply", changed(0, 2)),
        ("hlen-17", changed(2, 17)),
        ("hlen-255", changed(2, 255)),
        ("hlen-0", changed(2, 0)),
        // CVE-2010-2156, CVE-2012-3571.
        ("empty-61", [followed_by(&[61, 0, 255]), pass(1)].concat()),
        // CVE-2018-5733.
        ("cut-option", followed_by(&[12, 200, b'a'])),
        // CVE-2022-2929.
        (
            "label-64",
            followed_by(&[&[81, 68, 0, 0, 0, 64][..], &[b'x'; 64], &[255]].concat()),
        ),
        ("ascii-81", followed_by(b"\x51\x05phone\xff")),
        ("empty-12", [followed_by(&[12, 0, 255]), pass(1)].concat()),
        (
            "no-text-12",
            [followed_by(&[12, 2, 0xff, 0xfe, 255]), pass(1)].concat(),
        ),
        ("overload", followed_by(&[52, 1, 3, 255])),
        (
            "parts",
            followed_by(&[61, 2, 0, b'a', 55, 1, 43, 61, 1, b'b', 255]),
        ),
        (
            "option-150",
            followed_by(&[150, 8, 1, 2, 3, 4, 5, 6, 7, 8, 255]),
        ),
    ]
}

/// What the corpus need not reach: these want other settings, or more clients than an input has.
const OUT_OF_REACH: &[Ignored] = &[
    Ignored::UnknownInterface,
    Ignored::NotForUs,
    Ignored::MacNotAllowed,
    Ignored::AddressesExhausted,
    Ignored::PortsExhausted,
];

/// Replays the corpus: it still gets everywhere.
#[test]
fn the_dhcp_corpus_is_replayed() {
    let (mut ignored, mut kinds) = (Vec::new(), Vec::new());
    let (mut answers, mut events) = (Vec::new(), Vec::new());
    for (path, bytes) in inputs("dhcp") {
        let pair = replay(&path, || invariants::server(&bytes));
        let counters = pair.server.counters();
        let reached = |count| count > 0;
        ignored.extend(
            Ignored::ALL
                .iter()
                .filter(|at| reached(counters.ignored(**at))),
        );
        kinds.extend(
            Kind::ALL
                .iter()
                .filter(|at| reached(counters.received(**at))),
        );
        answers.extend(
            Answer::ALL
                .iter()
                .filter(|at| reached(counters.answered(**at))),
        );
        events.extend(
            Event::ALL
                .iter()
                .filter(|at| reached(counters.events(**at))),
        );
    }
    for reason in Ignored::ALL {
        let expected = ignored.contains(&reason) || OUT_OF_REACH.contains(reason);
        assert!(expected, "no input is ignored as {reason:?}");
    }
    for kind in Kind::ALL {
        assert!(kinds.contains(&kind), "no input has a {kind:?}");
    }
    for answer in Answer::ALL {
        assert!(
            answers.contains(&answer),
            "no input is answered by {answer:?}"
        );
    }
    for event in [
        Event::Probed,
        Event::InUse,
        Event::Declined,
        Event::Released,
        Event::Expired,
        Event::Moved,
        Event::Granted,
        Event::Renewed,
        Event::RenewedEarly,
        Event::RangeChanged,
        Event::OfferForgotten,
        Event::OfferWithdrawn,
    ] {
        assert!(events.contains(&&event), "no input makes {event:?}");
    }
}
