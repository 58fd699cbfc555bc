//! Datagrams larger than the MTU, their fragments in any order (RFC 4787 REQ-14).

use gateway_tests::link::{Interface, mac_of};
use gateway_tests::packet::{Packet, udp};
use gateway_tests::site::{ISP, Phone, REMOTE, ROUTER_INSIDE, ROUTER_OUTSIDE, Site};
use gateway_tests::traffic::{Injector, UdpEcho, exchange};
use gateway_tests::wait::eventually;

use crate::bed::{Bed, PUBLIC, SOON, number, public, remote};
use crate::config::Config;

/// Six fragments.
const LARGE: usize = 8000;

fn large(seed: usize) -> Vec<u8> {
    (0..LARGE)
        .map(|n| (n * 31 + n / 251 + seed) as u8)
        .collect()
}

#[test]
fn large_datagrams_go_both_ways() {
    let bed = Bed::new();
    let _outside = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    let phone = bed.phone(1);
    let inside = UdpEcho::start(&phone.ns, phone.at(40_001)).unwrap();
    for round in 0..5 {
        let data = large(round);
        let got = exchange(&phone.ns, phone.at(40_000), remote(5060), &data, SOON).unwrap();
        assert_eq!(got, (data.clone(), remote(5060).into()));
        let got = exchange(bed.internet(), remote(6000), public(40_001), &data, SOON).unwrap();
        assert_eq!(got, (data, public(40_001).into()));
    }
    assert_eq!(inside.seen().len(), 5);
    bed.finish();
}

#[test]
fn large_datagrams_go_both_ways_generically() {
    let config = Config::default().dataplane("xdp = \"generic\"");
    let bed = Bed::with(&Site::builder(), &config);
    let _outside = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    let phone = bed.phone(1);
    let data = large(1);
    let got = exchange(&phone.ns, phone.at(40_000), remote(5060), &data, SOON).unwrap();
    assert_eq!(got, (data, remote(5060).into()));
    bed.finish();
}

#[test]
fn large_datagrams_between_phones() {
    let bed = Bed::new();
    let (caller, called) = (bed.phone(1), bed.phone(2));
    let echo = UdpEcho::start(&called.ns, called.at(40_064)).unwrap();
    for round in 0..5 {
        let data = large(round);
        let got = exchange(&caller.ns, caller.at(40_000), public(40_064), &data, SOON).unwrap();
        assert_eq!(got, (data, public(40_064).into()));
    }
    assert_eq!(echo.seen(), [public(40_000).into(); 5]);
    assert_eq!(bed.counters().total("outbound"), 0);
    bed.finish();
}

/// Sends the fragments of one datagram in this order.
fn inject(from: &Interface, packet: &Packet, order: &[usize]) {
    let fragments = packet.fragments(1500);
    assert_eq!(fragments.len(), order.len());
    let injector = Injector::new(from).unwrap();
    for number in order {
        injector.send(&fragments[*number].bytes()).unwrap();
    }
}

/// Waits until the host has answered as many datagrams as were sent.
fn expect_senders(echo: &UdpEcho, senders: usize) {
    eventually(SOON, || match echo.seen().len() {
        seen if seen == senders => Ok(()),
        seen => Err(format!("{seen} datagrams of {senders} arrived whole")),
    })
    .unwrap();
}

/// Orders in which the six fragments of a large datagram may come.
const ORDERS: [[usize; 6]; 4] = [
    [5, 4, 3, 2, 1, 0],
    [1, 0, 2, 3, 4, 5],
    [3, 1, 5, 0, 2, 4],
    [0, 5, 4, 3, 2, 1],
];

/// Warms neighbours up: what is injected finds them known.
fn greet(bed: &Bed, phone: &Phone) {
    exchange(&phone.ns, phone.at(40_002), remote(5060), b"hello", SOON).unwrap();
    drop(bed.site.router.ip("neighbour show"));
}

#[test]
fn inbound_fragments_ahead_of_the_first_are_held() {
    let bed = Bed::new();
    let phone = bed.phone(1);
    let _outside = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    greet(&bed, phone);
    let echo = UdpEcho::start(&phone.ns, phone.at(40_001)).unwrap();
    for (round, order) in ORDERS.iter().enumerate() {
        let packet = udp(REMOTE, 6000, PUBLIC, 40_001)
            .payload(&large(round))
            .id(100 + round as u16)
            .macs(mac_of(ISP), mac_of(ROUTER_OUTSIDE));
        inject(&bed.site.upstream, &packet, order);
        expect_senders(&echo, round + 1);
    }
    let early = &bed.json(&["status"])["early_fragments"];
    let (held, sent) = (number(&early["held"]), number(&early["sent"]));
    assert_eq!((held, sent), (5 + 1 + 3, 5 + 1 + 3), "{early}");
    assert_eq!(bed.counters().get("uplink0", "xdp", "fragment_held"), 9);
    bed.finish();
}

#[test]
fn outbound_fragments_need_no_order() {
    let bed = Bed::new();
    let phone = bed.phone(1);
    let echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    greet(&bed, phone);
    for (round, order) in ORDERS.iter().enumerate() {
        let packet = udp(phone.address, 40_001, REMOTE, 5060)
            .payload(&large(round))
            .id(100 + round as u16)
            .macs(phone.interface.mac, mac_of(ROUTER_INSIDE));
        inject(&phone.interface, &packet, order);
        expect_senders(&echo, round + 2);
    }
    assert_eq!(echo.seen()[1..], [public(40_001).into(); 4]);
    assert_eq!(
        bed.counters().total("fragment_held"),
        0,
        "its source says all"
    );
    bed.finish();
}

#[test]
fn fragments_between_phones_are_held_too() {
    let bed = Bed::new();
    let (caller, called) = (bed.phone(1), bed.phone(2));
    let echo = UdpEcho::start(&called.ns, called.at(40_064)).unwrap();
    exchange(
        &caller.ns,
        caller.at(40_002),
        public(40_064),
        b"hello",
        SOON,
    )
    .unwrap();
    for (round, order) in ORDERS.iter().enumerate() {
        let packet = udp(caller.address, 40_001, PUBLIC, 40_064)
            .payload(&large(round))
            .id(100 + round as u16)
            .macs(caller.interface.mac, mac_of(ROUTER_INSIDE));
        inject(&caller.interface, &packet, order);
        expect_senders(&echo, round + 2);
    }
    assert_eq!(echo.seen()[1..], [public(40_001).into(); 4]);
    bed.finish();
}
