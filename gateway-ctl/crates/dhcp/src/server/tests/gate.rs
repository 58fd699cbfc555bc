//! Who is answered, and who is not at all.

use super::*;
use crate::reservation::{Reservation, ReservedClient};
use crate::settings::{Class, Settings};
use crate::testing::message::{Message, kind};
use crate::testing::site::mac;

fn discover(number: u32) -> Message {
    Message::new(kind::DISCOVER, number)
}

fn reserved(number: u32) -> Reservation {
    Reservation {
        client: ReservedClient::Macs(vec![mac(number)]),
        address: None,
        grant: None,
        class: None,
        options: Vec::new(),
    }
}

/// The class of the address that is offered and requested.
fn class_of(pair: &mut Pair, discover: &Message) -> Option<String> {
    let request = Message {
        options: discover
            .options
            .iter()
            .filter(|(code, _)| *code != 53)
            .cloned()
            .collect(),
        ..Message::new(kind::REQUEST, 0)
    };
    let request = Message {
        hardware: discover.hardware,
        ..request.with(53, &[kind::REQUEST])
    };
    let ack = pair.exchange(discover, &request)?;
    let class = pair.lease(ack.yiaddr).class;
    class.map(|class| class.as_str().to_owned())
}

#[test]
fn whoever_is_of_no_class_gets_no_answer() {
    let mut pair = pair();
    for message in [
        discover(1),
        discover(1).with(60, b"MyPhone2"),
        discover(1).with(60, b""),
        discover(1).with(61, b"\0guest"),
        Message::new(kind::INFORM, 1).from(phone(10)),
        Message::new(kind::REQUEST, 1).from(phone(10)),
    ] {
        assert_eq!(pair.ask(&message), None, "{message:?}");
    }
    assert_eq!(pair.ignored(Ignored::NoClass), 6);
    assert_eq!(
        (pair.server.offers(), pair.server.lease_count()),
        (0, 0),
        "and costs nothing"
    );
}

#[test]
fn hardware_address_then_vendor_class_then_identifier() {
    let mut settings = settings();
    let by_mac = Class {
        name: "by-mac".to_owned(),
        macs: vec!["02:00:00:00:01:*".parse().expect("a range")],
        vendor_classes: Vec::new(),
        ports: None,
        ..settings.classes[0].clone()
    };
    settings.classes.push(by_mac);
    let mut pair = Pair::new(settings);
    let all = |number| discover(number).with(60, b"Wide 9").with(61, b"\0plain-1");
    assert_eq!(class_of(&mut pair, &all(0x101)).as_deref(), Some("by-mac"));
    assert_eq!(class_of(&mut pair, &all(1)).as_deref(), Some("wide"));
    let identified = discover(1).with(60, b"None").with(61, b"\0plain-2");
    assert_eq!(class_of(&mut pair, &identified).as_deref(), Some("plain"));
    let bare = discover(1).with(61, b"plain-3");
    assert_eq!(class_of(&mut pair, &bare).as_deref(), Some("plain"));
    pair.settle();
}

#[test]
fn allowed_hardware_addresses_come_first() {
    let settings = Settings {
        allow_macs: vec!["02:00:00:00:00:*".parse().expect("a range")],
        reservations: vec![reserved(0x300)],
        ..settings()
    };
    let mut pair = Pair::new(settings);
    assert!(pair.ask(&Message::discover(0x01)).is_some());
    assert_eq!(pair.ask(&Message::discover(0x200)), None);
    assert_eq!(pair.ignored(Ignored::MacNotAllowed), 1);
    assert!(pair.ask(&Message::discover(0x300)).is_some(), "reserved");
    let strange = Message {
        hardware: "6/02:00:00:00:00:01".parse().expect("an address"),
        ..Message::discover(1)
    };
    assert_eq!(pair.ask(&strange), None, "no Ethernet address");
    assert_eq!(pair.ignored(Ignored::MacNotAllowed), 2);
}

#[test]
fn a_reserved_client_needs_no_class() {
    let settings = Settings {
        reservations: vec![
            Reservation {
                address: Some(phone(15)),
                ..reserved(1)
            },
            Reservation {
                class: Some("desk".to_owned()),
                ..reserved(2)
            },
        ],
        ..settings()
    };
    let mut pair = Pair::new(settings);
    let ack = pair
        .exchange(&discover(1), &Message::new(kind::REQUEST, 1))
        .expect("an answer");
    assert_eq!(ack.yiaddr, phone(15));
    let lease = pair.lease(phone(15));
    assert_eq!((lease.class, lease.grant), (None, None));
    assert!(pair.bound.is_empty(), "no range, nothing to bind");
    assert_eq!(class_of(&mut pair, &discover(2)).as_deref(), Some("desk"));
    // What it says itself counts less.
    let wide = discover(2).with(60, b"Wide");
    assert_eq!(class_of(&mut pair, &wide).as_deref(), Some("desk"));
    pair.settle();
}

#[test]
fn a_phone_that_renews_without_its_vendor_class_is_still_known() {
    let mut pair = pair();
    let first = pair.boot(1);
    pair.pass(1_800_000);
    let silent = Message::new(kind::REQUEST, 1)
        .with(55, &[43])
        .from(phone(10));
    let again = pair.ask(&silent).expect("an answer");
    assert_eq!((again.kind, again.grant()), (kind::ACK, first.grant()));
    // But not if it says that it is something else.
    let other = Message::new(kind::REQUEST, 1)
        .with(60, b"Toaster")
        .from(phone(10));
    assert_eq!(pair.ask(&other), None);
    // And not after its lease.
    pair.pass(4_000_000);
    assert_eq!(pair.ask(&silent), None);
    pair.settle();
}

#[test]
fn only_what_is_sent_to_us_is_heard() {
    let mut pair = pair();
    for (to, heard) in [
        (Ipv4Addr::BROADCAST, true),
        (phone(255), true),
        (phone(1), true),
        (phone(77), false),
        (Ipv4Addr::new(224, 0, 0, 1), false),
    ] {
        pair.send(0, to, &Message::discover(1));
        assert_eq!(pair.reply().is_some(), heard, "{to}");
    }
    assert_eq!(pair.ignored(Ignored::NotForUs), 2);
    pair.send(2, Ipv4Addr::BROADCAST, &Message::discover(1));
    assert_eq!(pair.ignored(Ignored::UnknownInterface), 1);
}

#[test]
fn an_interface_without_a_scope_is_silent() {
    let mut settings = settings();
    settings.scopes.remove(crate::testing::site::OFFICE);
    let mut pair = Pair::new(settings);
    pair.send(1, Ipv4Addr::BROADCAST, &Message::discover(1));
    assert_eq!(pair.ignored(Ignored::NoScope), 1);
}

#[test]
fn an_interface_without_an_address_is_silent() {
    let mut settings = settings();
    settings.interfaces[0].address = Ipv4Addr::UNSPECIFIED;
    let mut pair = Pair::new(settings);
    assert_eq!(pair.ask(&Message::discover(1)), None);
    assert_eq!(pair.ignored(Ignored::UnknownInterface), 1);
}
