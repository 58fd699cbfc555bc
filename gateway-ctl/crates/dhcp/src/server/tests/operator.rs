//! What operators do, and reservations.

use super::*;
use crate::error::Error;
use crate::reservation::{Reservation, ReservedClient};
use crate::testing::message::{Message, kind};
use crate::testing::site::{OTHER_SERVER, SERVER, grant, mac};

fn reserved(numbers: &[u32]) -> Reservation {
    Reservation {
        client: ReservedClient::Macs(numbers.iter().map(|number| mac(*number)).collect()),
        address: None,
        grant: None,
        class: None,
        options: Vec::new(),
    }
}

fn at(numbers: &[u32], address: Ipv4Addr) -> Reservation {
    Reservation {
        address: Some(address),
        ..reserved(numbers)
    }
}

fn with(numbers: &[u32], grant: ports::Grant) -> Reservation {
    Reservation {
        grant: Some(grant),
        ..reserved(numbers)
    }
}

fn reserve(pair: &mut Pair, reservation: Reservation) -> Result<(), Error> {
    let result = pair.server.reserve(pair.now, reservation);
    pair.run();
    pair.settle();
    result.map(drop)
}

#[test]
fn an_operator_ends_a_lease() {
    let mut pair = pair();
    pair.boot(1);
    let id = pair
        .server
        .release(pair.now, phone(10))
        .expect("it is active");
    pair.writes = false;
    pair.run();
    assert_eq!(pair.unwritten.front().map(|(first, _)| *first), Some(id));
    assert_eq!(pair.bound.len(), 1, "not before it is written");
    pair.writes = true;
    pair.run();
    assert!(pair.bound.is_empty());
    assert_eq!(pair.events(Event::Revoked), 1);
    let missing = pair
        .server
        .release(pair.now, phone(10))
        .expect_err("it has ended");
    assert_eq!(
        missing.to_string(),
        "10.10.0.10 has no active lease: see `gateway-ctl leases list`"
    );
    pair.settle();
}

#[test]
fn a_reserved_address_is_its_clients_alone() {
    let mut pair = pair();
    reserve(&mut pair, at(&[1], phone(10))).expect("it is free");
    assert_eq!(pair.boot(2).yiaddr, phone(11));
    assert_eq!(pair.boot(1).yiaddr, phone(10));
    let taken = Message::request(3).asking(phone(10)).to_server(SERVER);
    assert_eq!(pair.ask(&taken).map(|nak| nak.kind), Some(kind::NAK));
    // Outside of what is leased to others.
    reserve(&mut pair, at(&[4], phone(200))).expect("it is in the network");
    assert_eq!(pair.boot(4).yiaddr, phone(200));
    // On another wire it is of no use.
    pair.send(1, Ipv4Addr::BROADCAST, &Message::discover(1));
    assert_eq!(
        pair.reply().map(|o| o.yiaddr),
        Some(Ipv4Addr::new(10, 20, 0, 10))
    );
    pair.settle();
}

#[test]
fn who_has_another_address_is_moved_when_it_renews() {
    let mut pair = pair();
    pair.boot(1);
    reserve(&mut pair, at(&[1], phone(15))).expect("it is free");
    assert_eq!(
        pair.renew(1, phone(10)).map(|nak| nak.kind),
        Some(kind::NAK)
    );
    let first = pair.lease(phone(10)).grant;
    let ack = pair.boot(1);
    assert_eq!(
        (ack.yiaddr, ack.grant()),
        (phone(15), first),
        "with its range"
    );
    pair.settle();
}

#[test]
fn several_hardware_addresses_have_one_address() {
    let mut pair = pair();
    reserve(&mut pair, at(&[1, 2], phone(15))).expect("it is free");
    let first = pair.boot(1);
    pair.pass(1_000);
    let second = pair.boot(2);
    assert_eq!((first.yiaddr, second.yiaddr), (phone(15), phone(15)));
    assert_eq!(pair.lease(phone(15)).hardware, mac(2).into());
    assert_eq!(pair.bound.len(), 1);
    let ends: Vec<_> = pair
        .store
        .history
        .values()
        .map(|record| record.end)
        .collect();
    assert_eq!(ends, [Some(1001), None]);
    pair.settle();
}

#[test]
fn several_hardware_addresses_have_one_range() {
    let mut pair = pair();
    let range = grant(1, 1024, 64);
    reserve(&mut pair, with(&[1, 2], range)).expect("it is free");
    assert_eq!(pair.boot(1).grant(), Some(range));
    let second = pair.boot(2);
    assert_eq!((second.yiaddr, second.grant()), (phone(11), Some(range)));
    assert_eq!(pair.bound.keys().copied().collect::<Vec<_>>(), [phone(11)]);
    let holder = pair.server.lease_of_port(range.address, 1087);
    assert_eq!(holder.map(|lease| lease.address), Some(phone(11)));
    assert_eq!(pair.server.lease_of_port(range.address, 1088), None);
    pair.settle();
}

#[test]
fn a_reserved_range_is_its_clients_alone() {
    let mut pair = pair();
    let range = grant(1, 1024, 128);
    reserve(&mut pair, with(&[1], range)).expect("it is free");
    assert_eq!(pair.boot(2).grant(), Some(grant(1, 1152, 64)));
    assert_eq!(pair.boot(1).grant(), Some(range), "whatever its class says");
    // It is the client's for ever, so it does not rest.
    pair.server
        .release(pair.now, pair.lease(phone(11)).address)
        .expect("it is active");
    pair.run();
    assert_eq!(pair.boot(1).grant(), Some(range));
    // When it is no longer reserved, it stays the client's until its class is asked again.
    let client = reserved(&[1]).client;
    pair.server
        .unreserve(pair.now, &client)
        .expect("it is reserved");
    pair.run();
    pair.settle();
    assert_eq!(pair.lease(phone(11)).grant, Some(range));
    let renewed = pair.renew(1, phone(11)).expect("an answer");
    assert_eq!(renewed.grant().map(|grant| grant.ports.ports()), Some(64));
    assert!(pair.store.reservations.is_empty());
    pair.settle();
}

#[test]
fn a_client_may_have_the_range_that_is_reserved_for_it() {
    let mut pair = pair();
    let had = pair.boot(1).grant().expect("a range");
    reserve(&mut pair, with(&[1], had)).expect("it is its own");
    let refused = reserve(&mut pair, with(&[2], had)).expect_err("it is another's");
    assert!(matches!(refused, Error::Range(_)), "{refused}");
    let other = pair.boot(3).grant().expect("a range");
    let refused = reserve(&mut pair, with(&[2], other)).expect_err("it is another's");
    assert!(matches!(refused, Error::Range(_)), "{refused}");
    let renewed = pair.renew(1, phone(10)).expect("an answer");
    assert_eq!(renewed.grant(), Some(had));
    assert_eq!(pair.commits, 3, "nothing has changed for it");
    pair.kill();
    pair.settle();
    assert_eq!(pair.boot(1).grant(), Some(had));
    pair.settle();
}

#[test]
fn reservations_are_replaced() {
    let mut pair = pair();
    reserve(&mut pair, at(&[1], phone(15))).expect("it is free");
    reserve(&mut pair, at(&[1], phone(16))).expect("it is free");
    assert_eq!(pair.store.reservations.len(), 1);
    assert_eq!(pair.boot(2).yiaddr, phone(10));
    let free = pair
        .ask(&Message::discover(3).asking(phone(15)))
        .expect("an offer");
    assert_eq!(free.yiaddr, phone(15), "anybody's again");
    // A refusal changes nothing.
    let bad = Reservation {
        grant: Some(grant(77, 1024, 64)),
        ..at(&[1], phone(17))
    };
    let refused = pair
        .server
        .reserve(pair.now, bad)
        .expect_err("no pool has it");
    assert_eq!(
        refused.to_string(),
        "ports 1024-1087 of 192.0.2.77 are in no pool: use a range of one"
    );
    assert_eq!(pair.boot(1).yiaddr, phone(16));
    pair.settle();
}

#[test]
fn reservations_that_cannot_be() {
    let mut settings = settings();
    settings.reservations = vec![at(&[7], phone(17))];
    settings.occupied = vec![(phone(18), None)];
    let mut pair = Pair::new(settings);
    pair.boot(1);
    reserve(&mut pair, at(&[5, 6], phone(15))).expect("it is free");
    let address = phone(10);
    assert_eq!(
        reserve(&mut pair, at(&[2], address)),
        Err(Error::Leased { address })
    );
    let address = Ipv4Addr::new(8, 8, 8, 8);
    assert_eq!(
        reserve(&mut pair, at(&[2], address)),
        Err(Error::NoScope { address })
    );
    for address in [SERVER, OTHER_SERVER, phone(0), phone(255), phone(18)] {
        assert_eq!(
            reserve(&mut pair, at(&[2], address)),
            Err(Error::KeptOut { address })
        );
    }
    let (address, client) = (phone(15), reserved(&[5, 6]).client);
    let taken = Err(Error::Reserved {
        address,
        client: client.clone(),
    });
    assert_eq!(reserve(&mut pair, at(&[2], address)), taken);
    assert_eq!(
        reserve(&mut pair, reserved(&[6])),
        Err(Error::ReservedTwice { client })
    );
    assert_eq!(reserve(&mut pair, reserved(&[])), Err(Error::Nobody));
    let client = reserved(&[7]).client;
    let fixed = Err(Error::Configured {
        client: client.clone(),
    });
    assert_eq!(reserve(&mut pair, reserved(&[7])), fixed);
    assert_eq!(pair.server.unreserve(pair.now, &client).map(drop), fixed);
    let client = reserved(&[9]).client;
    let missing = pair
        .server
        .unreserve(pair.now, &client)
        .expect_err("there is none");
    assert_eq!(missing.to_string(), "02:00:00:00:00:09 has no reservation");
    assert_eq!(pair.server.reservations().count(), 2);
}

#[test]
fn by_client_identifier() {
    let mut pair = pair();
    let reservation = Reservation {
        client: "id:006f6e65".parse().expect("an identifier"),
        ..at(&[], phone(15))
    };
    reserve(&mut pair, reservation).expect("it is free");
    let discover = Message::new(kind::DISCOVER, 1).with(61, b"\0one");
    assert_eq!(
        pair.ask(&discover).map(|offer| offer.yiaddr),
        Some(phone(15))
    );
    let discover = Message::new(kind::DISCOVER, 1).with(61, b"\0two");
    assert_eq!(pair.ask(&discover), None);
}

#[test]
fn a_phone_has_one_reservation_whatever_it_is_called() {
    let mut pair = pair();
    pair.boot(1);
    let mut by_key = reserved(&[]);
    let key = pair.lease(phone(10)).client.as_bytes().to_vec();
    by_key.client = ReservedClient::Id(key);
    assert_eq!(reserve(&mut pair, at(&[1], phone(10))), Ok(()));
    let client = reserved(&[1]).client;
    assert_eq!(
        reserve(&mut pair, by_key.clone()),
        Err(Error::ReservedTwice { client })
    );
    let id = pair.server.unreserve(pair.now, &reserved(&[1]).client);
    assert!(id.is_ok());
    pair.run();
    assert_eq!(reserve(&mut pair, by_key.clone()), Ok(()));
    let client = by_key.client;
    assert_eq!(
        reserve(&mut pair, at(&[1], phone(10))),
        Err(Error::ReservedTwice { client })
    );
}
