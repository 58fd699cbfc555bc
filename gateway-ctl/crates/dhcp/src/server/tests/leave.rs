//! RELEASE, DECLINE, expiry, and what is remembered.

use super::*;
use crate::testing::message::{Message, kind};
use crate::testing::site::{LEASE, REST, SERVER};

fn release(pair: &mut Pair, number: u32, address: Ipv4Addr) {
    let message = Message::new(kind::RELEASE, number)
        .from(address)
        .to_server(SERVER);
    pair.send(0, SERVER, &message);
    assert_eq!(pair.reply(), None);
}

fn decline(pair: &mut Pair, number: u32, address: Ipv4Addr) {
    let message = Message::new(kind::DECLINE, number)
        .asking(address)
        .to_server(SERVER);
    assert_eq!(pair.ask(&message), None);
}

#[test]
fn what_is_released_rests_for_others() {
    let mut pair = pair();
    let first = pair.boot(1);
    pair.pass(5_500);
    release(&mut pair, 1, phone(10));
    assert_eq!(pair.events(Event::Released), 1);
    assert_eq!(pair.state(phone(10)), Some(State::Ended { at: 1006 }));
    assert!(pair.bound.is_empty());
    assert_eq!(
        pair.store
            .history
            .values()
            .next()
            .and_then(|record| record.end),
        Some(1006)
    );
    // Once is enough.
    release(&mut pair, 1, phone(10));
    assert_eq!(pair.ignored(Ignored::NotTheirs), 1);
    pair.settle();
    // Others get other ones, however often they ask.
    let other = pair
        .ask(&Message::discover(2).asking(phone(10)))
        .expect("an offer");
    assert_ne!((other.yiaddr, other.grant()), (first.yiaddr, first.grant()));
    // The same phone gets the same again.
    let again = pair.boot(1);
    assert_eq!((again.yiaddr, again.grant()), (first.yiaddr, first.grant()));
    assert_eq!(pair.store.history.len(), 2);
    pair.settle();
}

#[test]
fn rested_addresses_are_others_when_all_are_taken() {
    let mut pair = pair();
    for number in 0..20 {
        pair.boot(number);
    }
    pair.pass(10_000);
    release(&mut pair, 5, phone(15));
    pair.pass(REST * 1000 - 1);
    assert_eq!(pair.ask(&Message::discover(30)), None, "it rests");
    pair.pass(1);
    assert_eq!(pair.boot(30).yiaddr, phone(15));
    pair.settle();
}

#[test]
fn leases_expire_and_are_forgotten() {
    let mut pair = pair();
    pair.boot(1);
    let end = 1000 + u64::from(LEASE);
    assert_eq!(pair.server.poll_timeout(), Some(end * 1000));
    pair.pass(u64::from(LEASE) * 1000 - 1);
    assert!(pair.lease(phone(10)).is_active());
    pair.pass(1);
    assert_eq!(pair.state(phone(10)), Some(State::Ended { at: end }));
    assert!(pair.bound.is_empty());
    pair.settle();
    pair.pass(86_400_000);
    assert_eq!(pair.state(phone(10)), None);
    assert_eq!((pair.server.lease_count(), pair.store.leases.len()), (0, 0));
    assert_eq!(pair.server.poll_timeout(), None);
    assert_eq!(pair.server.scopes()[0].free, 10);
    pair.settle();
}

#[test]
fn many_leases_expire_in_few_commits() {
    let mut pair = pair();
    for number in 0..20 {
        pair.boot(number);
    }
    let before = pair.commits;
    pair.pass(u64::from(LEASE) * 1000);
    assert_eq!(
        (pair.commits - before, pair.events(Event::Expired)),
        (1, 20)
    );
    pair.settle();
}

#[test]
fn a_declined_address_is_left_alone() {
    let mut pair = pair();
    let first = pair.boot(1);
    decline(&mut pair, 1, phone(10));
    assert_eq!(pair.state(phone(10)), Some(State::Declined { until: 1600 }));
    assert!(pair.bound.is_empty());
    assert_eq!(pair.events(Event::Declined), 1);
    let rest = pair.lease(phone(10)).rests;
    assert_eq!(
        rest.iter()
            .map(|rest| (Some(rest.grant), rest.until))
            .collect::<Vec<_>>(),
        [(first.grant(), 1120)]
    );
    pair.settle();
    // The phone gets another address, with its range.
    let other = pair.boot(1);
    assert_eq!((other.yiaddr, other.grant()), (phone(11), first.grant()));
    pair.settle();
    pair.pass(600_000);
    assert_eq!(pair.state(phone(10)), None);
    pair.settle();
}

#[test]
fn an_offer_can_be_declined() {
    let mut pair = pair();
    pair.ask(&Message::discover(1)).expect("an offer");
    decline(&mut pair, 1, phone(10));
    assert!(matches!(
        pair.state(phone(10)),
        Some(State::Declined { .. })
    ));
    assert_eq!(pair.server.offers(), 0);
    pair.settle();
}

#[test]
fn nobody_leaves_for_others() {
    let mut pair = pair();
    pair.boot(1);
    release(&mut pair, 2, phone(10));
    decline(&mut pair, 2, phone(10));
    decline(&mut pair, 1, phone(15));
    release(&mut pair, 1, Ipv4Addr::new(8, 8, 8, 8));
    assert_eq!(pair.ignored(Ignored::NotTheirs), 4);
    let elsewhere = Message::new(kind::RELEASE, 1)
        .from(phone(10))
        .to_server(phone(77));
    pair.send(0, SERVER, &elsewhere);
    assert_eq!(pair.ignored(Ignored::OtherServer), 1);
    pair.send(0, SERVER, &Message::new(kind::RELEASE, 1));
    pair.send(0, SERVER, &Message::new(kind::DECLINE, 1));
    assert_eq!(pair.ignored(Ignored::NoAddress), 2);
    assert!(pair.lease(phone(10)).is_active());
    assert_eq!(pair.commits, 1);
}

#[test]
fn a_release_behind_an_unwritten_lease_comes_after_it() {
    let mut pair = pair();
    let offer = pair.ask(&Message::discover(1)).expect("an offer");
    pair.writes = false;
    let request = Message::request(1).asking(offer.yiaddr).to_server(SERVER);
    assert_eq!(pair.ask(&request), None);
    release(&mut pair, 1, phone(10));
    assert_eq!(pair.unwritten.len(), 2);
    assert!(pair.write_one());
    assert_eq!(pair.bound.len(), 1);
    assert!(pair.write_one());
    assert!(pair.bound.is_empty());
    pair.settle();
}
