//! Relay agents, BOOTP and INFORM.

use super::*;
use crate::lease::Relay;
use crate::output::Destination;
use crate::settings::LeaseTime;
use crate::testing::message::{Message, kind};
use crate::testing::site::{LEASE, OFFICE, OTHER_SERVER, RELAY, SERVER};

fn remote(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 30, 0, last)
}

fn office(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 20, 0, last)
}

#[test]
fn a_relay_says_where_the_client_is() {
    let mut pair = pair();
    let information = [1, 3, b'p', b'7', 0, 2, 2, 0xff, 0x00];
    let discover = Message::discover(1).with(82, &information).via(RELAY);
    pair.send(0, SERVER, &discover);
    let (to, offer) = pair.replies.pop_front().expect("an offer");
    assert_eq!((to, offer.yiaddr), (Destination::Relay(RELAY), remote(10)));
    assert_eq!(
        (offer.giaddr, offer.option(3)),
        (RELAY, Some(&[10, 30, 0, 1][..]))
    );
    assert_eq!(offer.codes().last(), Some(&82));
    assert_eq!(offer.option(82), Some(&information[..]), "verbatim");
    let request = Message::request(1).with(82, &information).via(RELAY);
    let ack = pair
        .ask(&request.asking(remote(10)).to_server(SERVER))
        .expect("an answer");
    assert_eq!(
        (ack.kind, ack.option(82)),
        (kind::ACK, Some(&information[..]))
    );
    let relay = Relay {
        address: RELAY,
        information: information.to_vec(),
    };
    assert_eq!(pair.lease(remote(10)).relay, Some(relay));
    // It renews directly, from far away.
    pair.pass(1_800_000);
    let told = pair.renew(1, remote(10)).expect("an answer");
    assert_eq!(
        (told.kind, told.number(51), told.option(82)),
        (kind::ACK, Some(LEASE), None)
    );
    // A relay in a network that is none of ours.
    let astray = Message::discover(2).via(Ipv4Addr::new(172, 16, 0, 1));
    assert_eq!(pair.ask(&astray), None);
    assert_eq!(pair.ignored(Ignored::NoScope), 1);
    pair.settle();
}

#[test]
fn a_refusal_through_a_relay_is_broadcast_there() {
    let mut pair = pair();
    let wrong = Message::request(1).asking(phone(10)).via(RELAY);
    pair.send(0, SERVER, &wrong.with(82, &[1, 1, 9]));
    let (to, nak) = pair.replies.pop_front().expect("a NAK");
    assert_eq!(
        (to, nak.kind, nak.flags),
        (Destination::Relay(RELAY), kind::NAK, 0x8000)
    );
    assert_eq!(nak.option(82), Some(&[1, 1, 9][..]));
}

#[test]
fn link_selection_and_subnet_selection() {
    let mut pair = pair();
    let link = Message::discover(1)
        .with(82, &[1, 1, 9, 5, 4, 10, 20, 0, 0])
        .via(RELAY);
    let offer = pair.ask(&link).expect("an offer");
    assert_eq!((offer.yiaddr, offer.giaddr), (office(10), RELAY));
    let subnet = Message::discover(2).with(118, &[10, 20, 0, 0]).via(RELAY);
    let offer = pair.ask(&subnet).expect("an offer");
    assert_eq!(
        (offer.yiaddr, offer.option(118)),
        (office(11), Some(&[10, 20, 0, 0][..]))
    );
    // A client does not choose its network.
    let bold = Message::discover(3)
        .with(118, &[10, 20, 0, 0])
        .with(82, &[5, 4, 10, 20, 0, 0]);
    let offer = pair.ask(&bold).expect("an offer");
    assert_eq!(offer.yiaddr, phone(10));
}

#[test]
fn a_relay_may_pose_as_the_server() {
    let mut pair = pair();
    let information = [11, 4, 10, 30, 0, 2];
    let discover = Message::discover(1).with(82, &information).via(RELAY);
    let offer = pair.ask(&discover).expect("an offer");
    assert_eq!(offer.number(54), Some(RELAY.into()), "RFC 5107");
    let request = Message::request(1).with(82, &information).via(RELAY);
    let ack = pair
        .ask(&request.asking(remote(10)).to_server(RELAY))
        .expect("an answer");
    assert_eq!(ack.kind, kind::ACK);
    // Without the relay's word that is another server.
    let other = Message::request(1)
        .via(RELAY)
        .asking(remote(10))
        .to_server(RELAY);
    assert_eq!(pair.ask(&other), None);
    assert_eq!(pair.ignored(Ignored::OtherServer), 1);
}

#[test]
fn a_renewal_is_answered_by_the_address_it_was_sent_to() {
    let mut pair = pair();
    pair.boot(1);
    pair.send(1, SERVER, &Message::request(1).from(phone(10)));
    let ack = pair.reply().expect("an answer");
    assert_eq!((ack.kind, ack.number(54)), (kind::ACK, Some(SERVER.into())));
    // From an address of no network of ours (CVE-2025-40779).
    pair.send(
        0,
        SERVER,
        &Message::request(1).from(Ipv4Addr::new(172, 16, 0, 9)),
    );
    pair.send(
        0,
        SERVER,
        &Message::desk(kind::INFORM, 1).from(Ipv4Addr::new(172, 16, 0, 9)),
    );
    assert_eq!(pair.ignored(Ignored::NoScope), 2);
    assert!(pair.replies.is_empty());
}

#[test]
fn inform_tells_options_and_no_lease() {
    let mut pair = pair();
    let first = pair.boot(1);
    let inform = |number| Message::desk(kind::INFORM, number).with(55, &[1, 6, 43, 51]);
    pair.send(0, Ipv4Addr::BROADCAST, &inform(1).from(phone(10)));
    let (to, ack) = pair.replies.pop_front().expect("an answer");
    assert_eq!((to, ack.kind), (Destination::Unicast(phone(10)), kind::ACK));
    assert_eq!((ack.yiaddr, ack.ciaddr), (Ipv4Addr::UNSPECIFIED, phone(10)));
    assert_eq!((ack.number(51), ack.number(58)), (None, None));
    assert_eq!(ack.grant(), first.grant(), "its own");
    // Somebody with a fixed address has no range, but a switch.
    let ack = pair.ask(&inform(2).from(phone(77))).expect("an answer");
    assert_eq!(ack.grant(), None);
    assert!(ack.option(43).is_some());
    let ack = pair.ask(&inform(2).from(phone(10))).expect("an answer");
    assert_eq!(ack.grant(), None, "another's");
    // On the wrong wire.
    assert_eq!(pair.ask(&inform(2).from(office(9))), None);
    assert_eq!(pair.ignored(Ignored::NoScope), 1);
    assert_eq!(pair.commits, 1);
    pair.settle();
}

#[test]
fn bootp_clients_get_leases_without_end() {
    let mut pair = pair();
    let bootp = Message::desk(0, 1);
    pair.send(1, Ipv4Addr::BROADCAST, &bootp);
    let told = pair.reply().expect("an answer");
    assert_eq!((told.kind, told.yiaddr, told.size), (0, office(10), 300));
    assert_eq!(told.codes()[..2], [1, 3]);
    assert!(told.number(51).is_none() && told.number(54).is_none());
    let lease = pair.lease(office(10));
    assert_eq!(lease.expires, None);
    assert!(lease.grant.is_some());
    assert_eq!(pair.bound.len(), 1);
    // It asks again at every boot: nothing is written.
    pair.send(1, Ipv4Addr::BROADCAST, &bootp);
    assert_eq!(pair.reply().map(|told| told.yiaddr), Some(office(10)));
    assert_eq!((pair.commits, pair.answered(Answer::Bootp)), (1, 2));
    // The next stage of its boot speaks DHCP and has a lease with an end.
    pair.send(1, Ipv4Addr::BROADCAST, &Message::discover(1));
    let offer = pair.reply().expect("an offer");
    let request = Message::request(1)
        .asking(offer.yiaddr)
        .to_server(OTHER_SERVER);
    pair.send(1, Ipv4Addr::BROADCAST, &request);
    assert_eq!(
        pair.lease(office(10)).expires,
        Some(1000 + u64::from(LEASE))
    );
    // Where it is off.
    pair.send(0, Ipv4Addr::BROADCAST, &Message::desk(0, 2));
    assert_eq!(pair.ignored(Ignored::BootpOff), 1);
    pair.settle();
}

#[test]
fn bootp_without_any_options() {
    let mut settings = settings();
    settings.classes[0].macs = vec!["02:00:00:00:00:*".parse().expect("a range")];
    settings.scopes[OFFICE].boot_file = Some("boot.bin".to_owned());
    settings.probe = Some(500);
    let mut pair = Pair::new(settings);
    let bare = Message {
        cookie: false,
        ..Message::new(0, 1)
    };
    pair.send(1, Ipv4Addr::BROADCAST, &bare);
    assert_eq!(pair.probes.len(), 1);
    pair.send(1, Ipv4Addr::BROADCAST, &bare);
    assert_eq!(pair.ignored(Ignored::Probing), 1);
    pair.pass(500);
    let told = pair.reply().expect("an answer");
    assert_eq!(
        (told.yiaddr, &told.file[..]),
        (office(10), &b"boot.bin"[..])
    );
    assert!(told.options.is_empty());
    pair.settle();
}

#[test]
fn infinite_leases_may_be_updated() {
    let mut settings = settings();
    settings.classes[0].lease_time = Some(LeaseTime::Infinite { update: Some(600) });
    settings.scopes[0].lease_time = LeaseTime::Infinite { update: None };
    let mut pair = Pair::new(settings);
    let ack = pair.boot(1);
    let times = [51, 58, 59].map(|code| ack.number(code));
    assert_eq!(times, [Some(u32::MAX), Some(600), Some(1050)]);
    assert_eq!(pair.lease(phone(10)).expires, None);
    pair.pass(1_000_000_000_000);
    let told = pair.renew(1, phone(10)).expect("an answer");
    assert_eq!(
        (told.kind, pair.commits),
        (kind::ACK, 1),
        "nothing has changed"
    );
    assert_eq!(pair.server.poll_timeout(), None);
    let plain = Message::new(kind::DISCOVER, 2).with(61, b"\0plain-2");
    let offer = pair.ask(&plain).expect("an offer");
    assert_eq!(
        [51, 58, 59].map(|code| offer.number(code)),
        [Some(u32::MAX), None, None]
    );
}
