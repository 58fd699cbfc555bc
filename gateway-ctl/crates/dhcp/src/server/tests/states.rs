//! REQUEST in its four states: ACK, NAK or silence (RFC 2131 section 4.3.2).

use super::*;
use crate::output::Destination;
use crate::testing::message::{Message, Told, kind};
use crate::testing::site::{LEASE, OTHER_SERVER, SERVER, grant, mac};

const HOUR: u64 = 3_600_000;

fn kind_of(told: Option<Told>) -> Option<u8> {
    told.map(|told| told.kind)
}

/// A phone boots with an address it remembers.
fn reboot(pair: &mut Pair, number: u32, address: Ipv4Addr) -> Option<u8> {
    let told = pair.ask(&Message::request(number).asking(address));
    kind_of(told)
}

/// A phone near its end asks everybody.
fn rebind(pair: &mut Pair, number: u32, address: Ipv4Addr) -> Option<u8> {
    let told = pair.ask(&Message::request(number).from(address));
    kind_of(told)
}

#[test]
fn selecting_another_server_withdraws_the_offer() {
    let mut pair = pair();
    pair.ask(&Message::discover(1)).expect("an offer");
    let elsewhere = Message::request(1).asking(phone(10)).to_server(phone(77));
    assert_eq!(pair.ask(&elsewhere), None);
    assert_eq!(pair.ignored(Ignored::OtherServer), 1);
    assert_eq!(pair.events(Event::OfferWithdrawn), 1);
    // Both are free at once.
    let other = pair.boot(2);
    assert_eq!(
        (other.yiaddr, other.grant()),
        (phone(10), Some(grant(1, 1024, 64)))
    );
    pair.settle();
}

#[test]
fn selecting_what_cannot_be_had_is_refused() {
    let mut pair = pair();
    pair.boot(1);
    let request = |address| Message::request(2).asking(address).to_server(SERVER);
    for (address, why) in [
        (phone(10), "another's"),
        (phone(200), "not leased"),
        (phone(255), "broadcast"),
        (SERVER, "ours"),
        (OTHER_SERVER, "another wire"),
        (Ipv4Addr::new(8, 8, 8, 8), "nowhere"),
    ] {
        assert_eq!(
            kind_of(pair.ask(&request(address))),
            Some(kind::NAK),
            "{why}"
        );
    }
    // By another of our addresses it is still us.
    let request = Message::request(2)
        .asking(phone(11))
        .to_server(OTHER_SERVER);
    assert_eq!(kind_of(pair.ask(&request)), Some(kind::ACK));
    pair.settle();
}

#[test]
fn rebooting() {
    let mut pair = pair();
    pair.boot(1);
    pair.boot(2);
    assert_eq!(reboot(&mut pair, 1, phone(10)), Some(kind::ACK));
    assert_eq!(
        reboot(&mut pair, 1, phone(11)),
        Some(kind::NAK),
        "another's"
    );
    assert_eq!(
        reboot(&mut pair, 1, phone(15)),
        Some(kind::NAK),
        "it has another one"
    );
    assert_eq!(
        reboot(&mut pair, 3, phone(10)),
        Some(kind::NAK),
        "another's"
    );
    assert_eq!(
        reboot(&mut pair, 3, Ipv4Addr::new(10, 20, 0, 10)),
        Some(kind::NAK),
        "wrong network"
    );
    assert_eq!(
        reboot(&mut pair, 3, Ipv4Addr::new(192, 168, 1, 5)),
        Some(kind::NAK),
        "wrong network"
    );
    assert_eq!(
        reboot(&mut pair, 3, phone(15)),
        None,
        "unknown: another server's, perhaps"
    );
    assert_eq!(pair.ignored(Ignored::UnknownClient), 1);
    let stranger = Message::new(kind::REQUEST, 4).asking(phone(10));
    assert_eq!(pair.ask(&stranger), None, "not even a NAK");
    assert_eq!(pair.ignored(Ignored::NoClass), 1);
    pair.settle();
}

#[test]
fn rebooting_after_the_end() {
    let mut pair = pair();
    let first = pair.boot(1);
    pair.pass(2 * HOUR);
    assert_eq!(pair.events(Event::Expired), 1);
    assert!(pair.bound.is_empty());
    let told = pair
        .ask(&Message::request(1).asking(phone(10)))
        .expect("an answer");
    assert_eq!(
        (told.kind, told.yiaddr, told.grant()),
        (kind::ACK, phone(10), first.grant())
    );
    pair.pass(2 * HOUR);
    // Somebody else got the address meanwhile.
    let request = Message::request(2).asking(phone(10)).to_server(SERVER);
    assert_eq!(kind_of(pair.ask(&request)), Some(kind::ACK));
    assert_eq!(reboot(&mut pair, 1, phone(10)), Some(kind::NAK));
    pair.settle();
}

#[test]
fn renewing_writes_only_when_it_must() {
    let mut pair = pair();
    pair.boot(1);
    assert_eq!(pair.commits, 1);
    pair.pass(800_000);
    let told = pair.renew(1, phone(10)).expect("an answer");
    assert_eq!((told.kind, told.number(51)), (kind::ACK, Some(LEASE - 800)));
    assert_eq!((told.number(58), told.ciaddr), (Some(1400), phone(10)));
    assert_eq!((pair.commits, pair.events(Event::RenewedEarly)), (1, 1));
    pair.pass(101_000);
    let told = pair.renew(1, phone(10)).expect("an answer");
    assert_eq!(told.number(51), Some(LEASE));
    assert_eq!((pair.commits, pair.events(Event::Renewed)), (2, 1));
    let lease = pair.lease(phone(10));
    assert_eq!((lease.granted_at, lease.renewed_at), (1000, 1901));
    assert_eq!(lease.expires, Some(1901 + u64::from(LEASE)));
    assert_eq!(
        (pair.store.history.len(), pair.bound.len()),
        (1, 1),
        "the same binding"
    );
    // A change is written however early it is.
    pair.send(
        0,
        SERVER,
        &Message::request(1).with(12, b"desk-1").from(phone(10)),
    );
    assert_eq!(pair.commits, 3);
    assert_eq!(pair.lease(phone(10)).host_name.as_deref(), Some("desk-1"));
    // What is left out is no change.
    pair.renew(1, phone(10)).expect("an answer");
    assert_eq!((pair.commits, pair.events(Event::RenewedEarly)), (3, 2));
    pair.settle();
}

#[test]
fn renewing_without_thrift_always_writes() {
    let mut settings = settings();
    settings.early_renewal = false;
    let mut pair = Pair::new(settings);
    pair.boot(1);
    pair.renew(1, phone(10)).expect("an answer");
    assert_eq!((pair.commits, pair.events(Event::Renewed)), (2, 1));
}

#[test]
fn renewing_a_lease_that_is_gone() {
    let mut pair = pair();
    let first = pair.boot(1);
    pair.pass(2 * HOUR);
    let again = pair.renew(1, phone(10)).expect("an answer");
    assert_eq!((again.kind, again.grant()), (kind::ACK, first.grant()));
    // The store was lost, the phone still has its address.
    pair.store.leases.clear();
    pair.kill();
    let again = pair.renew(1, phone(10)).expect("an answer");
    assert_eq!((again.kind, again.yiaddr), (kind::ACK, phone(10)));
    // It is another's now.
    assert_eq!(kind_of(pair.renew(2, phone(10))), Some(kind::NAK));
    // We never lease it, so we did not.
    assert_eq!(kind_of(pair.renew(2, phone(200))), Some(kind::NAK));
    pair.settle();
}

#[test]
fn rebinding() {
    let mut pair = pair();
    pair.boot(1);
    assert_eq!(rebind(&mut pair, 1, phone(10)), Some(kind::ACK));
    assert_eq!(
        rebind(&mut pair, 2, phone(10)),
        Some(kind::NAK),
        "another's"
    );
    assert_eq!(
        rebind(&mut pair, 2, Ipv4Addr::new(10, 20, 0, 10)),
        Some(kind::NAK),
        "wrong network"
    );
    assert_eq!(
        rebind(&mut pair, 2, phone(200)),
        None,
        "another server may have leased it"
    );
    assert_eq!(
        rebind(&mut pair, 2, phone(12)),
        Some(kind::ACK),
        "lost, and free"
    );
    pair.settle();
}

#[test]
fn a_refusal_says_little() {
    let mut pair = pair();
    pair.boot(1);
    let message = Message::request(2).asking(phone(10)).with(61, b"\0two");
    pair.send(0, Ipv4Addr::BROADCAST, &message);
    let (to, nak) = pair.replies.pop_front().expect("a NAK");
    assert_eq!(to, Destination::Broadcast);
    assert_eq!(nak.codes(), [53, 54, 56, 61]);
    assert_eq!(
        (nak.yiaddr, nak.siaddr),
        (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED)
    );
    assert_eq!(nak.option(61), Some(&b"\0two"[..]));
    // A client behind a router could not hear a broadcast of ours.
    let far = Message::request(2).from(Ipv4Addr::new(10, 20, 0, 15));
    let taken = Message::request(3)
        .asking(Ipv4Addr::new(10, 20, 0, 15))
        .to_server(SERVER);
    pair.send(1, Ipv4Addr::BROADCAST, &taken);
    assert_eq!(kind_of(pair.reply()), Some(kind::ACK));
    pair.send(0, SERVER, &far);
    let (to, nak) = pair.replies.pop_front().expect("a NAK");
    assert_eq!(
        (to, nak.kind),
        (
            Destination::Unicast(Ipv4Addr::new(10, 20, 0, 15)),
            kind::NAK
        )
    );
}

#[test]
fn requests_that_name_nothing() {
    let mut pair = pair();
    assert_eq!(pair.ask(&Message::request(1)), None);
    assert_eq!(pair.ask(&Message::request(1).to_server(SERVER)), None);
    assert_eq!(pair.ignored(Ignored::NoAddress), 2);
}

#[test]
fn a_phone_that_moves_takes_its_range_along() {
    let mut pair = pair();
    let first = pair.boot(1);
    pair.pass(10_000);
    pair.send(1, Ipv4Addr::BROADCAST, &Message::discover(1));
    let offer = pair.reply().expect("an offer");
    let there = Ipv4Addr::new(10, 20, 0, 10);
    assert_eq!((offer.yiaddr, offer.grant()), (there, first.grant()));
    let request = Message::request(1).asking(there).to_server(OTHER_SERVER);
    pair.send(1, Ipv4Addr::BROADCAST, &request);
    assert_eq!(kind_of(pair.reply()), Some(kind::ACK));
    assert_eq!(pair.events(Event::Moved), 1);
    assert_eq!(pair.state(phone(10)), Some(State::Ended { at: 1010 }));
    assert_eq!(pair.lease(phone(10)).grant, None);
    let bound: Vec<_> = pair.bound.keys().copied().collect();
    assert_eq!(bound, [there]);
    let times: Vec<_> = pair
        .store
        .history
        .values()
        .map(|r| (r.private, r.begin, r.end))
        .collect();
    assert_eq!(times, [(phone(10), 1000, Some(1010)), (there, 1010, None)]);
    pair.settle();
    // And back again.
    let back = pair.boot(1);
    assert_eq!((back.yiaddr, back.grant()), (phone(10), first.grant()));
    pair.settle();
    assert_eq!(pair.lease(phone(10)).hardware, mac(1).into());
}

#[test]
fn shorter_leases_for_those_who_wish_them() {
    let mut pair = pair();
    let wish = |seconds: u32| Message::discover(1).with(51, &seconds.to_be_bytes());
    let told = |pair: &mut Pair, seconds| {
        let offer = pair.ask(&wish(seconds)).expect("an offer");
        offer.number(51)
    };
    assert_eq!(told(&mut pair, 600), Some(600));
    assert_eq!(told(&mut pair, 1), Some(120));
    assert_eq!(told(&mut pair, u32::MAX), Some(LEASE));
}
