//! DISCOVER, OFFER, REQUEST, ACK: what is said, written and bound, and in which order.

use super::*;
use crate::lease::HistoryRecord;
use crate::output::Destination;
use crate::testing::message::{Message, kind};
use crate::testing::site::{LEASE, SERVER, grant, mac};

#[test]
fn a_phone_gets_an_address_and_a_range() {
    let mut pair = pair();
    let offer = pair.ask(&Message::discover(1)).expect("an offer");
    assert_eq!(
        (offer.kind, offer.yiaddr, offer.siaddr),
        (kind::OFFER, phone(10), SERVER)
    );
    assert_eq!(offer.grant(), Some(grant(1, 1024, 64)));
    assert_eq!(pair.commits, 0, "an offer is in memory only");
    let request = Message::request(1).asking(offer.yiaddr).to_server(SERVER);
    let ack = pair.ask(&request).expect("an answer");
    assert_eq!((ack.kind, ack.yiaddr), (kind::ACK, phone(10)));
    assert_eq!(ack.number(51), Some(LEASE));
    assert_eq!((ack.number(58), ack.number(59)), (Some(1800), Some(3150)));
    assert_eq!(ack.number(54), Some(SERVER.into()));
    let lease = pair.lease(phone(10));
    assert_eq!(lease.hardware, mac(1).into());
    assert_eq!(lease.vendor_class.as_deref(), Some("MyPhone"));
    assert_eq!(
        (lease.granted_at, lease.expires),
        (1000, Some(1000 + u64::from(LEASE)))
    );
    let history: Vec<&HistoryRecord> = pair.store.history.values().collect();
    assert_eq!(history, [&lease.history(None).expect("a range")]);
    assert_eq!(pair.bound[&phone(10)], lease);
    assert_eq!(
        (pair.answered(Answer::Offer), pair.answered(Answer::Ack)),
        (1, 1)
    );
    assert_eq!(pair.events(Event::Granted), 1);
    pair.settle();
}

#[test]
fn nothing_follows_before_it_is_written() {
    let mut pair = pair();
    let offer = pair.ask(&Message::discover(1)).expect("an offer");
    pair.writes = false;
    let request = Message::request(1).asking(offer.yiaddr).to_server(SERVER);
    assert_eq!(pair.ask(&request), None);
    assert!(pair.bound.is_empty());
    // It asks again: the answer comes anyway.
    assert_eq!(pair.ask(&request), None);
    assert_eq!(pair.ask(&Message::discover(1)), None);
    assert_eq!(pair.ignored(Ignored::Committing), 2);
    assert_eq!(
        (pair.unwritten.len(), pair.server.commits_pending()),
        (1, 1)
    );
    assert!(pair.write_one());
    assert_eq!(pair.bound.len(), 1);
    assert_eq!(pair.reply().map(|ack| ack.kind), Some(kind::ACK));
    assert_eq!(pair.reply(), None);
    pair.settle();
}

#[test]
fn a_kill_before_the_disk_loses_nothing_that_was_said() {
    let mut pair = pair();
    let offer = pair.ask(&Message::discover(1)).expect("an offer");
    pair.writes = false;
    let request = Message::request(1).asking(offer.yiaddr).to_server(SERVER);
    assert_eq!(pair.ask(&request), None);
    pair.kill();
    assert_eq!(pair.server.lease_count(), 0);
    pair.writes = true;
    // The phone asks again; there is no offer any more, but nobody else has the address.
    let ack = pair.ask(&request).expect("an answer");
    assert_eq!(
        (ack.kind, ack.yiaddr, ack.grant()),
        (kind::ACK, offer.yiaddr, offer.grant())
    );
    pair.settle();
}

#[test]
fn a_kill_behind_the_disk_gives_the_same_again() {
    let mut pair = pair();
    let offer = pair.ask(&Message::discover(1)).expect("an offer");
    let request = Message::request(1).asking(offer.yiaddr).to_server(SERVER);
    let ack = pair.ask(&request).expect("an answer");
    pair.kill();
    assert_eq!(pair.bound.len(), 1, "the store says so");
    let other = pair.boot(2);
    assert_ne!((other.yiaddr, other.grant()), (ack.yiaddr, ack.grant()));
    let again = pair.ask(&request).expect("an answer");
    assert_eq!((again.yiaddr, again.grant()), (ack.yiaddr, ack.grant()));
    assert_eq!(pair.events(Event::RenewedEarly), 1);
    pair.settle();
}

#[test]
fn replies_go_where_clients_hear_them() {
    let mut pair = pair();
    let to = |pair: &mut Pair, message: &Message| {
        pair.send(0, Ipv4Addr::BROADCAST, message);
        pair.replies.pop_front().map(|(to, _)| to)
    };
    let discover = Message::discover(1);
    let hardware = Destination::Hardware {
        mac: mac(1),
        ip: phone(10),
    };
    assert_eq!(to(&mut pair, &discover), Some(hardware));
    let broadcast = Message {
        flags: 0x8000,
        ..discover.clone()
    };
    assert_eq!(to(&mut pair, &broadcast), Some(Destination::Broadcast));
    let relayed = discover.clone().via(phone(254));
    assert_eq!(
        to(&mut pair, &relayed),
        Some(Destination::Relay(phone(254)))
    );
    pair.boot(1);
    let rebinding = Message::request(1).from(phone(10));
    assert_eq!(
        to(&mut pair, &rebinding),
        Some(Destination::Unicast(phone(10)))
    );
    // Not an Ethernet address: it cannot be put in a frame of ours.
    let strange = Message {
        hardware: "6/01:02:03:04:05:06".parse().expect("an address"),
        ..discover
    };
    assert_eq!(to(&mut pair, &strange), Some(Destination::Broadcast));
}

#[test]
fn a_phone_with_two_keys_is_one_phone() {
    let mut pair = pair();
    let first = pair.boot(1);
    let identifier = [&[1][..], &mac(1).0].concat();
    let discover = Message::discover(1).with(61, &identifier);
    let offer = pair.ask(&discover).expect("an offer");
    assert_eq!(offer.yiaddr, first.yiaddr);
    assert_eq!(offer.option(61), Some(&identifier[..]), "RFC 6842");
    let other = Message::discover(1).with(61, b"\0another");
    let offer = pair.ask(&other).expect("an offer");
    assert_ne!(offer.yiaddr, first.yiaddr);
}

#[test]
fn the_address_asked_for_is_given_if_it_is_free() {
    let mut pair = pair();
    let offer = pair
        .ask(&Message::discover(1).asking(phone(15)))
        .expect("an offer");
    assert_eq!(offer.yiaddr, phone(15));
    let other = pair
        .ask(&Message::discover(2).asking(phone(15)))
        .expect("an offer");
    assert_eq!(other.yiaddr, phone(10));
    for outside in [phone(9), phone(20), Ipv4Addr::new(10, 20, 0, 10)] {
        let offer = pair
            .ask(&Message::discover(3).asking(outside))
            .expect("an offer");
        assert_eq!(offer.yiaddr, phone(11));
    }
}

#[test]
fn a_full_scope_sends_its_clients_to_the_next() {
    let mut pair = pair();
    for number in 0..10 {
        assert_eq!(pair.boot(number).yiaddr.octets()[..3], [10, 10, 0]);
    }
    let next = pair.boot(10);
    assert_eq!(next.yiaddr, Ipv4Addr::new(10, 11, 0, 10));
    assert_eq!(next.option(3), Some(&[10, 11, 0, 1][..]));
    for number in 11..20 {
        pair.boot(number);
    }
    assert_eq!(pair.ask(&Message::discover(20)), None);
    assert_eq!(pair.ignored(Ignored::AddressesExhausted), 1);
    let usage = &pair.server.scopes()[0];
    assert_eq!((usage.free, usage.active, usage.refused), (0, 10, 1));
    assert_eq!(
        usage.error.as_deref(),
        Some(
            "scope phones has no free address: 10 are leased, 0 offered, 0 rest: widen \
             `addresses`, or add a scope to its wire"
        )
    );
    // Another wire is not full.
    pair.send(1, Ipv4Addr::BROADCAST, &Message::discover(20));
    let offer = pair.reply().expect("an offer");
    assert_eq!(offer.yiaddr, Ipv4Addr::new(10, 20, 0, 10));
    pair.settle();
}

#[test]
fn many_clients_with_one_hardware_address() {
    let mut settings = settings();
    settings.scopes[0].network =
        gateway_common::Prefix::new([10, 8, 0, 0].into(), 13).expect("valid");
    settings.scopes.truncate(1);
    settings.scopes[0].addresses = vec![[10, 8, 1, 0].into()..=[10, 15, 255, 0].into()];
    settings.classes[0].ports = None;
    let mut pair = Pair::new(settings);
    for client in 0..100_000u32 {
        let identifier = [&[0][..], &client.to_be_bytes()].concat();
        let discover = Message::discover(1).with(61, &identifier);
        pair.exchange(&discover, &Message::request(1).with(61, &identifier));
    }
    assert_eq!(pair.server.scopes()[0].active, 100_000);
    assert_eq!(pair.server.offers(), 0);
}
