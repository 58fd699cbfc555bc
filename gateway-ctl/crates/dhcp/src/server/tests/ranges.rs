//! Ranges of leases: sizes, changes, exhaustion, rest across restarts.

use super::*;
use crate::lease::Rest;
use crate::testing::message::{Message, Told, kind};
use crate::testing::site::{PHONES, REST, SERVER, grant};

fn wide(kind: u8, number: u32) -> Message {
    Message::new(kind, number).with(60, b"Wide").with(55, &[43])
}

#[test]
fn each_class_has_its_size() {
    let mut pair = pair();
    pair.boot(1);
    let ack = pair
        .exchange(&wide(kind::DISCOVER, 2), &wide(kind::REQUEST, 2))
        .expect("an answer");
    let lease = pair.lease(ack.yiaddr);
    assert_eq!(lease.grant.map(|grant| grant.ports.ports()), Some(256));
    assert_eq!(
        ack.option(43),
        None,
        "the class does not say it by option 43"
    );
    let plain = |kind| Message::new(kind, 3).with(61, b"\0plain-3");
    let ack = pair
        .exchange(&plain(kind::DISCOVER), &plain(kind::REQUEST))
        .expect("an answer");
    assert_eq!(pair.lease(ack.yiaddr).grant, None);
    assert_eq!((pair.bound.len(), pair.store.history.len()), (2, 2));
    pair.settle();
}

#[test]
fn a_range_changes_when_the_class_does() {
    let mut pair = pair();
    let first = pair.boot(1);
    pair.pass(100_000);
    pair.send(0, SERVER, &wide(kind::REQUEST, 1).from(phone(10)));
    assert_eq!(pair.reply().map(|ack: Told| ack.kind), Some(kind::ACK));
    let lease = pair.lease(phone(10));
    assert_eq!(lease.grant.map(|grant| grant.ports.ports()), Some(256));
    assert_eq!(lease.granted_at, 1100);
    let old = first.grant().expect("a range");
    assert_eq!(
        lease.rests,
        [Rest {
            grant: old,
            until: 1220
        }]
    );
    assert_eq!(pair.events(Event::RangeChanged), 1);
    assert_eq!(pair.bound[&phone(10)].grant, lease.grant);
    let ends: Vec<_> = pair
        .store
        .history
        .values()
        .map(|record| record.end)
        .collect();
    assert_eq!(ends, [Some(1100), None]);
    pair.settle();
    // It rests even for those who come after a restart.
    pair.kill();
    assert_eq!(pair.server.pools(pair.now)[0].ports.resting, 64);
    let other = pair.boot(2);
    assert_ne!(other.grant(), Some(old));
    // The phone that had it gets it back.
    pair.send(0, SERVER, &Message::request(1).from(phone(10)));
    assert_eq!(pair.lease(phone(10)).grant, Some(old));
    pair.settle();
}

#[test]
fn rest_survives_a_restart() {
    let mut pair = pair();
    let first = pair.boot(1);
    pair.pass(500);
    pair.server
        .release(pair.now, phone(10))
        .expect("it is active");
    pair.run();
    pair.pass(1_000);
    pair.kill();
    let pool = &pair.server.pools(pair.now)[0];
    assert_eq!((pool.ports.resting, pool.ranges), (64, 0));
    assert_ne!(pair.boot(2).grant(), first.grant());
    assert_eq!(pair.boot(1).grant(), first.grant());
    pair.server
        .release(pair.now, phone(10))
        .expect("it is active");
    pair.run();
    let at = pair.seconds() + 1;
    assert_eq!(pair.state(phone(10)), Some(State::Ended { at }));
    pair.now = (at + REST) * 1000 - 1;
    assert_eq!(pair.server.pools(pair.now)[0].ports.resting, 64);
    pair.now += 1;
    assert_eq!(pair.server.pools(pair.now)[0].ports.resting, 0);
    pair.settle();
}

#[test]
fn no_range_no_answer() {
    let mut settings = settings();
    settings.pools[0].kept_out = vec![1152..=65535];
    let mut pair = Pair::new(settings);
    for number in 0..4 {
        pair.boot(number);
    }
    assert_eq!(pair.ask(&Message::discover(4)), None);
    assert_eq!(pair.ignored(Ignored::PortsExhausted), 1);
    let pool = &pair.server.pools(pair.now)[0];
    assert_eq!(
        (pool.name.as_str(), pool.ranges, pool.refused),
        ("voice", 4, 1)
    );
    let error = pool.error.as_deref().expect("a text");
    assert!(
        error.starts_with("pool voice has no 64 ports in a row"),
        "{error}"
    );
    assert_eq!(pair.server.offers(), 0, "and no address is held");
    // Clients without ports are not concerned.
    let plain = Message::new(kind::DISCOVER, 5).with(61, b"\0plain-5");
    assert!(pair.ask(&plain).is_some());
    // One of another size gets none, but keeps what it has.
    pair.send(0, SERVER, &wide(kind::REQUEST, 1).from(phone(11)));
    assert_eq!(pair.reply().map(|ack| ack.kind), Some(kind::ACK));
    assert_eq!(pair.lease(phone(11)).grant, Some(grant(1, 1088, 64)));
    pair.settle();
}

#[test]
fn ranges_come_from_the_next_pool_when_one_is_full() {
    let mut settings = settings();
    let second = ports::Rules {
        name: "spare".to_owned(),
        addresses: vec![Ipv4Addr::new(192, 0, 2, 9)],
        ..settings.pools[0].clone()
    };
    settings.pools.push(second);
    settings.pools[0].addresses.truncate(1);
    settings.pools[0].kept_out = vec![1088..=65535];
    settings.classes[0].pools = vec![0, 1];
    let mut pair = Pair::new(settings);
    assert_eq!(pair.boot(1).grant(), Some(grant(1, 1024, 64)));
    assert_eq!(pair.boot(2).grant(), Some(grant(9, 1024, 64)));
    assert_eq!(
        pair.lease(phone(11))
            .pool
            .as_ref()
            .map(|pool| pool.as_str()),
        Some("spare")
    );
    pair.settle();
}

#[test]
fn occupied_ranges_are_not_given_out() {
    let mut settings = settings();
    settings.occupied = vec![(phone(10), Some(grant(1, 1024, 256))), (phone(12), None)];
    let mut pair = Pair::new(settings);
    let first = pair.boot(1);
    assert_eq!(
        (first.yiaddr, first.grant()),
        (phone(11), Some(grant(1, 1280, 64)))
    );
    assert_eq!(pair.boot(2).yiaddr, phone(13));
    pair.settle();
}

#[test]
fn a_binding_comes_and_goes_beside_offers() {
    let mut pair = pair();
    let offer = pair.ask(&Message::discover(1)).expect("an offer");
    let binding = (phone(14), Some(grant(1, 1088, 64)));
    let mut settings = pair.server.settings().clone();
    settings.occupied = vec![binding];
    assert_eq!(pair.server.reconfigure(pair.now, settings.clone()), []);
    pair.server.check(pair.now);
    assert_eq!(pair.server.offers(), 1, "the offer is forgotten");
    let request = Message::request(1).asking(offer.yiaddr);
    assert!(pair.ask(&request.to_server(SERVER)).is_some());
    assert_eq!(pair.boot(2).grant(), Some(grant(1, 1152, 64)));
    settings.occupied.clear();
    assert_eq!(pair.server.reconfigure(pair.now, settings), []);
    pair.server.check(pair.now);
    assert_eq!(pair.boot(3).grant(), Some(grant(1, 1216, 64)));
    pair.settle();
}

#[test]
fn the_range_of_a_binding_rests_when_it_is_gone() {
    let mut settings = settings();
    let whole = Some(grant(1, 1024, 64));
    settings.occupied = vec![(phone(14), whole)];
    let mut pair = Pair::new(settings.clone());
    settings.occupied.clear();
    assert_eq!(pair.server.reconfigure(pair.now, settings.clone()), []);
    // A reload that begins anew does not end the rest.
    settings.scopes[PHONES].name = "voice".to_owned();
    assert_eq!(pair.server.reconfigure(pair.now, settings.clone()), []);
    assert_eq!(pair.server.pools(pair.now)[0].ports.resting, 64);
    assert_eq!(pair.boot(1).grant(), Some(grant(1, 1088, 64)));
    // The same binding may come back, an operator knows why.
    settings.occupied = vec![(phone(13), whole)];
    assert_eq!(pair.server.reconfigure(pair.now, settings.clone()), []);
    settings.occupied.clear();
    assert_eq!(pair.server.reconfigure(pair.now, settings), []);
    pair.pass(300_000);
    assert_eq!(pair.server.pools(pair.now)[0].ports.resting, 0);
    assert_eq!(pair.boot(2).grant(), whole);
    pair.settle();
}
