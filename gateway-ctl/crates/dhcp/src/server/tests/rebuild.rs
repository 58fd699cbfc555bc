//! Start and reload: what still fits is untouched.

use super::*;
use crate::error::{Error, Lost};
use crate::reservation::{Reservation, ReservedClient};
use crate::settings::Settings;
use crate::testing::message::{Message, kind};
use crate::testing::site::{OFFICE, PHONES, REMOTE, SERVER, grant as range, hosts, mac};

fn reload(pair: &mut Pair, change: impl FnOnce(&mut Settings)) -> Vec<(Option<Ipv4Addr>, Error)> {
    let mut settings = pair.server.settings().clone();
    change(&mut settings);
    let lost = pair.server.reconfigure(pair.now, settings);
    pair.run();
    pair.settle();
    let lost = lost.into_iter().map(|lost| match lost {
        Lost::Lease { lease, why } => (Some(lease.address), why),
        Lost::Reservation { why, .. } => (None, why),
    });
    lost.collect()
}

#[test]
fn a_reload_that_changes_nothing_touches_nothing() {
    let mut pair = pair();
    for number in 0..5 {
        pair.boot(number);
    }
    pair.server
        .release(pair.now, phone(12))
        .expect("it is active");
    pair.run();
    pair.ask(&Message::discover(7)).expect("an offer");
    let (store, bound, commits) = (pair.store.clone(), pair.bound.clone(), pair.commits);
    assert_eq!(reload(&mut pair, |_| {}), []);
    assert_eq!(pair.server.offers(), 1);
    // Something else has changed.
    assert_eq!(reload(&mut pair, |settings| settings.offer_hold += 1), []);
    assert_eq!(
        (pair.store.clone(), pair.bound.clone(), pair.commits),
        (store, bound, commits)
    );
    assert_eq!(pair.server.pools(pair.now)[0].ports.resting, 64);
    assert_eq!(pair.server.offers(), 0);
}

#[test]
fn leases_of_a_scope_that_is_gone_are_gone() {
    let mut pair = pair();
    pair.boot(1);
    pair.send(1, Ipv4Addr::BROADCAST, &Message::discover(2));
    let offer = pair.reply().expect("an offer");
    let request = Message::request(2).asking(offer.yiaddr);
    pair.send(1, Ipv4Addr::BROADCAST, &request.to_server(SERVER));
    let address = offer.yiaddr;
    let lost = reload(&mut pair, |settings| drop(settings.scopes.remove(OFFICE)));
    assert_eq!(lost, [(Some(address), Error::NoScope { address })]);
    assert_eq!(pair.state(address), Some(State::Ended { at: 1000 }));
    assert_eq!(pair.bound.keys().copied().collect::<Vec<_>>(), [phone(10)]);
}

#[test]
fn what_a_binding_takes_is_lost() {
    let mut pair = pair();
    let first = pair.boot(1);
    pair.boot(2);
    pair.boot(3);
    let lost = reload(&mut pair, |settings| {
        settings.occupied = vec![
            (phone(11), None),
            (Ipv4Addr::new(10, 99, 0, 1), first.grant()),
        ];
    });
    let addresses: Vec<_> = lost.iter().map(|(address, _)| *address).collect();
    assert_eq!(addresses, [Some(phone(10)), Some(phone(11))]);
    assert!(matches!(lost[0].1, Error::Range(_)), "{:?}", lost[0]);
    assert_eq!(lost[1].1, Error::KeptOut { address: phone(11) });
    assert_eq!(pair.bound.len(), 1);
    // The first phone keeps its address and gets another range.
    let renewed = pair.renew(1, phone(10)).expect("an answer");
    assert_eq!(renewed.kind, kind::ACK);
    assert!(renewed.grant().is_some() && renewed.grant() != first.grant());
    assert_eq!(
        pair.renew(2, phone(11)).map(|nak| nak.kind),
        Some(kind::NAK)
    );
    pair.settle();
}

#[test]
fn a_pool_that_shrinks_takes_its_ranges_along() {
    let mut pair = pair();
    let first = pair.boot(1);
    let lost = reload(&mut pair, |settings| {
        settings.pools[0].addresses = vec![Ipv4Addr::new(192, 0, 2, 2)];
    });
    let grant = first.grant().expect("a range");
    let why = Error::NoPool {
        public: grant.address,
        ports: grant.ports,
    };
    assert_eq!(lost, [(Some(phone(10)), why)]);
    let lost = reload(&mut pair, |settings| {
        settings.pools[0].kept_out = vec![1024..=2047]
    });
    assert_eq!(lost, []);
    assert_eq!(pair.boot(1).grant(), Some(range(2, 2048, 64)));
    pair.settle();
}

#[test]
fn addresses_that_are_no_longer_leased() {
    let mut pair = pair();
    pair.boot(1);
    pair.boot(2);
    let lost = reload(&mut pair, |settings| {
        settings.scopes[PHONES].addresses = vec![hosts([10, 10, 0], 11..=30)];
    });
    let address = phone(10);
    assert_eq!(lost, [(Some(address), Error::NotLeased { address })]);
    assert_eq!(pair.boot(1).yiaddr, phone(12));
    pair.settle();
}

#[test]
fn a_new_size_comes_with_the_next_renewal() {
    let mut pair = pair();
    let first = pair.boot(1);
    assert_eq!(
        reload(&mut pair, |settings| settings.classes[0].ports = Some(128)),
        []
    );
    assert_eq!(pair.bound[&phone(10)].grant, first.grant());
    let renewed = pair.renew(1, phone(10)).expect("an answer");
    assert_eq!(renewed.grant().map(|grant| grant.ports.ports()), Some(128));
    pair.settle();
    assert_eq!(
        reload(&mut pair, |settings| settings.classes[0].ports = None),
        []
    );
    pair.renew(1, phone(10)).expect("an answer");
    assert_eq!(pair.lease(phone(10)).grant, None);
    assert!(pair.bound.is_empty());
    pair.settle();
}

#[test]
fn reservations_of_the_configuration_come_first() {
    let mut pair = pair();
    let of = |number, address| Reservation {
        client: ReservedClient::Macs(vec![mac(number)]),
        address: Some(address),
        grant: None,
        class: None,
        options: Vec::new(),
    };
    pair.boot(1);
    pair.server
        .reserve(pair.now, of(2, phone(15)))
        .expect("it is free");
    pair.run();
    let lost = reload(&mut pair, |settings| {
        settings.reservations = vec![of(3, phone(10)), of(4, phone(15))];
    });
    let reserved = |number, address| Error::Reserved {
        address,
        client: of(number, address).client,
    };
    assert_eq!(
        lost,
        [
            (None, reserved(4, phone(15))),
            (Some(phone(10)), reserved(3, phone(10)))
        ]
    );
    // It waits, and so does one of the configuration.
    assert_eq!(pair.server.unmet_reservations(), 1);
    let own = pair.server.settings().interfaces[0].address;
    reload(&mut pair, |settings| settings.reservations.push(of(5, own)));
    assert_eq!(pair.server.unmet_reservations(), 2);
    reload(&mut pair, |settings| settings.reservations.truncate(1));
    assert_eq!(pair.server.unmet_reservations(), 0);
    assert_eq!(pair.boot(3).yiaddr, phone(10));
    // The one in the store waits for better times.
    assert_eq!(pair.store.reservations.len(), 1);
    let lost = reload(&mut pair, |settings| settings.reservations.truncate(1));
    assert_eq!(lost, []);
    assert_eq!(pair.boot(2).yiaddr, phone(15));
    pair.settle();
}

#[test]
fn a_lease_that_is_lost_before_it_is_written_is_never_bound() {
    let mut pair = pair();
    let offer = pair.ask(&Message::discover(1)).expect("an offer");
    pair.writes = false;
    let request = Message::request(1).asking(offer.yiaddr);
    assert_eq!(pair.ask(&request.to_server(SERVER)), None);
    let mut settings = pair.server.settings().clone();
    settings.occupied = vec![(phone(10), None)];
    assert_eq!(pair.server.reconfigure(pair.now, settings).len(), 1);
    pair.run();
    assert!(pair.write_one());
    assert!(pair.bound.is_empty() && pair.replies.is_empty());
}

#[test]
fn a_restart_with_what_no_longer_fits() {
    let mut pair = pair();
    pair.boot(1);
    let relayed = |message: Message| message.via(crate::testing::site::RELAY);
    pair.exchange(
        &relayed(Message::discover(2)),
        &relayed(Message::request(2)),
    );
    let mut settings = settings();
    settings.scopes.remove(REMOTE);
    pair.restart(settings);
    assert_eq!(pair.bound.len(), 1);
    pair.settle();
    let ended = pair
        .store
        .history
        .values()
        .filter(|record| record.end.is_some());
    assert_eq!(ended.count(), 1);
    // The range rests, and then all is forgotten.
    assert_eq!(pair.server.pools(pair.now)[0].ports.resting, 64);
    pair.pass(86_400_000);
    assert_eq!(pair.server.pools(pair.now)[0].ports.resting, 0);
    assert_eq!(
        pair.store.leases.keys().copied().collect::<Vec<_>>(),
        [phone(10)]
    );
    pair.settle();
}

#[test]
fn expired_while_nobody_was_there() {
    let mut pair = pair();
    pair.boot(1);
    pair.now += 10_000_000;
    pair.kill();
    assert_eq!(pair.bound.len(), 1, "the kernel went on");
    pair.pass(0);
    assert!(pair.bound.is_empty());
    assert_eq!(pair.state(phone(10)), Some(State::Ended { at: 11_000 }));
    pair.settle();
}

#[test]
fn a_scope_may_change_its_name() {
    let mut pair = pair();
    pair.boot(1);
    assert_eq!(reload(&mut pair, |_| {}), []);
    let mut settings = settings();
    settings.scopes[PHONES].name = "voice".to_owned();
    assert_eq!(pair.server.reconfigure(pair.now, settings), []);
    assert_eq!(pair.lease(phone(10)).scope.as_str(), "voice");
    assert_eq!(pair.commits, 1);
    assert_eq!(
        range(1, 1024, 64),
        pair.lease(phone(10)).grant.expect("a range")
    );
}
