//! Promises and probes.

use super::*;
use crate::output::ProbeHow;
use crate::testing::message::{Message, kind};
use crate::testing::site::{RELAY, SERVER, grant};

fn probing() -> Pair {
    let mut settings = settings();
    settings.probe = Some(500);
    Pair::new(settings)
}

#[test]
fn an_offer_is_held_for_its_client() {
    let mut pair = pair();
    let first = pair.ask(&Message::discover(1)).expect("an offer");
    let other = pair.ask(&Message::discover(2)).expect("an offer");
    assert_ne!((first.yiaddr, first.grant()), (other.yiaddr, other.grant()));
    pair.pass(59_000);
    let again = pair.ask(&Message::discover(1)).expect("an offer");
    assert_eq!((again.yiaddr, again.grant()), (first.yiaddr, first.grant()));
    assert_eq!(pair.server.offers(), 2);
    pair.pass(59_000);
    assert_eq!(
        (pair.server.offers(), pair.events(Event::OfferForgotten)),
        (1, 1)
    );
    pair.pass(2_000);
    assert_eq!(pair.server.offers(), 0);
    // Nothing rests: it was never used.
    assert_eq!(pair.server.pools(pair.now)[0].ports.resting, 0);
    let other = pair.boot(3);
    assert_eq!(
        (other.yiaddr, other.grant()),
        (phone(10), Some(grant(1, 1024, 64)))
    );
    assert_eq!(pair.commits, 1);
    pair.settle();
}

#[test]
fn an_offer_is_made_anew_when_the_client_has_changed() {
    let mut pair = pair();
    let narrow = pair.ask(&Message::discover(1)).expect("an offer");
    let discover = Message::new(kind::DISCOVER, 1).with(60, b"Wide");
    assert!(pair.ask(&discover).is_some());
    let request = Message::new(kind::REQUEST, 1).with(60, b"Wide");
    let request = request.asking(narrow.yiaddr).to_server(SERVER);
    assert_eq!(pair.ask(&request).map(|ack| ack.kind), Some(kind::ACK));
    let lease = pair.lease(narrow.yiaddr);
    assert_eq!(lease.grant.map(|grant| grant.ports.ports()), Some(256));
    pair.settle();
}

#[test]
fn addresses_are_probed_before_they_are_offered() {
    let mut pair = probing();
    assert_eq!(pair.ask(&Message::discover(1)), None);
    assert_eq!(pair.probes, [(phone(10), ProbeHow::Arp)]);
    assert_eq!(pair.ask(&Message::discover(1)), None);
    assert_eq!((pair.probes.len(), pair.ignored(Ignored::Probing)), (1, 1));
    pair.pass(499);
    assert_eq!(pair.reply(), None);
    pair.pass(1);
    let offer = pair.reply().expect("an offer");
    assert_eq!((offer.kind, offer.yiaddr), (kind::OFFER, phone(10)));
    let request = Message::request(1).asking(phone(10)).to_server(SERVER);
    assert_eq!(pair.ask(&request).map(|ack| ack.kind), Some(kind::ACK));
    // Who has it is not probed.
    assert!(pair.ask(&Message::discover(1)).is_some());
    // Behind a relay it is asked by ICMP.
    let relayed = Message::discover(2).via(RELAY);
    assert_eq!(pair.ask(&relayed), None);
    let remote = Ipv4Addr::new(10, 30, 0, 10);
    assert_eq!(pair.probes.back(), Some(&(remote, ProbeHow::Icmp)));
    assert_eq!(pair.events(Event::Probed), 2);
    pair.pass(500);
    pair.settle();
}

#[test]
fn the_offer_answers_the_last_message() {
    let mut pair = probing();
    assert_eq!(pair.ask(&Message::discover(1)), None);
    let later = Message {
        xid: 77,
        ..Message::discover(1)
    };
    assert_eq!(pair.ask(&later), None);
    pair.pass(500);
    assert_eq!(pair.reply().map(|offer| offer.xid), Some(77));
    assert_eq!(pair.reply(), None);
}

#[test]
fn an_address_in_use_is_left_alone() {
    let mut pair = probing();
    assert_eq!(pair.ask(&Message::discover(1)), None);
    pair.server.in_use(pair.now, phone(10));
    pair.run();
    assert_eq!(pair.probes.back(), Some(&(phone(11), ProbeHow::Arp)));
    assert_eq!(pair.state(phone(10)), Some(State::Declined { until: 1600 }));
    pair.pass(500);
    assert_eq!(pair.reply().map(|offer| offer.yiaddr), Some(phone(11)));
    assert_eq!(pair.events(Event::InUse), 1);
    assert_eq!(pair.server.scopes()[0].declined, 1);
    // An answer that comes late still counts.
    pair.server.in_use(pair.now, phone(11));
    pair.run();
    assert!(matches!(
        pair.state(phone(11)),
        Some(State::Declined { .. })
    ));
    let request = Message::request(1).asking(phone(11)).to_server(SERVER);
    assert_eq!(pair.ask(&request).map(|nak| nak.kind), Some(kind::NAK));
    // One that nobody asked for does not.
    pair.server.in_use(pair.now, phone(12));
    assert_eq!(pair.events(Event::InUse), 2);
    pair.settle();
    // After its rest it is an address like any other.
    pair.pass(601_000);
    assert_eq!(
        (pair.state(phone(10)), pair.server.scopes()[0].declined),
        (None, 0)
    );
    pair.settle();
}

#[test]
fn nothing_is_left_when_all_addresses_are_in_use() {
    let mut pair = probing();
    assert_eq!(pair.ask(&Message::discover(1)), None);
    while let Some((address, _)) = pair.probes.pop_front() {
        pair.server.in_use(pair.now, address);
        pair.run();
    }
    assert_eq!(pair.events(Event::InUse), 20);
    assert_eq!(pair.ignored(Ignored::AddressesExhausted), 1);
    pair.settle();
}

#[test]
fn offers_are_bounded() {
    let mut settings = settings();
    settings.scopes.truncate(1);
    settings.scopes[0].network =
        gateway_common::Prefix::new([10, 8, 0, 0].into(), 13).expect("valid");
    settings.scopes[0].addresses = vec![[10, 8, 1, 0].into()..=[10, 15, 255, 0].into()];
    settings.classes[0].ports = None;
    settings.probe = Some(500);
    let mut pair = Pair::new(settings);
    for client in 0..100_000 {
        pair.send(0, Ipv4Addr::BROADCAST, &Message::discover(client));
        pair.probes.clear();
    }
    let most = crate::book::offers::MOST_OFFERS;
    assert_eq!(pair.server.offers(), most);
    assert_eq!(pair.events(Event::OfferEvicted), 100_000 - most as u64);
}
