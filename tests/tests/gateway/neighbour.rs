//! A missing neighbour never costs the first packet: the tc stage has the kernel resolve it and
//! sends the packet translated.

use gateway_tests::site::{ISP, Site};
use gateway_tests::traffic::{Capture, UdpEcho, exchange};

use crate::bed::{Bed, SOON, public, remote};
use crate::config::Config;

/// Makes the router forget every neighbour, and be sure of none.
fn forget_neighbours(bed: &Bed) {
    bed.site.router.ip("neighbour flush all").unwrap();
    let left = bed.site.router.ip("neighbour show nud reachable").unwrap();
    assert_eq!(left, "");
}

#[test]
fn the_first_packet_out_arrives() {
    let bed = Bed::new();
    let echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    let phone = bed.phone(1);
    for round in 1..=3 {
        forget_neighbours(&bed);
        // One packet, no second try.
        let payload = [round; 20];
        let got = exchange(&phone.ns, phone.at(40_000), remote(5060), &payload, SOON).unwrap();
        assert_eq!(got.0, payload);
        assert_eq!(echo.seen().len(), usize::from(round));
    }
    assert_eq!(bed.counters().get("inside0", "xdp", "neighbour_unknown"), 3);
    assert_eq!(bed.counters().get("inside0", "tc_ingress", "outbound"), 3);
    bed.finish();
}

#[test]
fn the_first_packet_in_arrives() {
    let bed = Bed::new();
    let phone = bed.phone(1);
    let echo = UdpEcho::start(&phone.ns, phone.at(40_000)).unwrap();
    for round in 1..=3 {
        forget_neighbours(&bed);
        let payload = [round; 20];
        let got = exchange(bed.internet(), remote(5060), public(40_000), &payload, SOON).unwrap();
        assert_eq!(got.0, payload);
        assert_eq!(echo.seen().len(), usize::from(round));
    }
    assert_eq!(bed.counters().get("uplink0", "xdp", "neighbour_unknown"), 3);
    assert_eq!(bed.counters().get("uplink0", "tc_ingress", "inbound"), 3);
    bed.finish();
}

#[test]
fn the_first_packet_between_phones_arrives() {
    let bed = Bed::new();
    let (caller, called) = (bed.phone(1), bed.phone(2));
    let echo = UdpEcho::start(&called.ns, called.at(40_064)).unwrap();
    for round in 1..=3 {
        forget_neighbours(&bed);
        let payload = [round; 20];
        let got = exchange(
            &caller.ns,
            caller.at(40_000),
            public(40_064),
            &payload,
            SOON,
        )
        .unwrap();
        assert_eq!(got.0, payload);
        assert_eq!(echo.seen().last(), Some(&public(40_000).into()));
    }
    // The answers found their neighbour or not, by what its ARP has told the router.
    let counters = bed.counters();
    let by_tc = counters.get("inside0", "tc_ingress", "hairpin");
    assert!((3..=6).contains(&by_tc), "{by_tc}");
    assert_eq!(counters.total("hairpin"), 6);
    bed.finish();
}

#[test]
fn generic_mode_loses_no_first_packet_either() {
    let config = Config::default().dataplane("xdp = \"generic\"");
    let bed = Bed::with(&Site::builder(), &config);
    let mut uplink = Capture::start(&bed.site.upstream).unwrap();
    let phone = bed.phone(1);
    let _echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    forget_neighbours(&bed);
    exchange(&phone.ns, phone.at(40_000), remote(5060), b"first", SOON).unwrap();
    let arp_for_provider = |frame: &[u8]| frame[12..14] == [8, 6] && frame.ends_with(&ISP.octets());
    uplink.find(SOON, arp_for_provider).unwrap();
    bed.finish();
}
