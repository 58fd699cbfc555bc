//! UDP and TCP both ways.

use std::net::SocketAddrV4;

use gateway_tests::site::{REMOTE_2, Site};
use gateway_tests::traffic::{Transfer, UdpEcho, exchange};

use crate::bed::{Bed, LONG, SOON, public, remote};
use crate::call::Call;
use crate::config::Config;

const MEGABYTES: usize = 4 << 20;

#[test]
fn a_phone_reaches_the_internet_and_keeps_its_port() {
    let bed = Bed::new();
    let echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    for (number, port) in [(1, 40_000), (1, 40_063), (2, 40_064), (2, 40_127)] {
        let phone = bed.phone(number);
        let got = exchange(&phone.ns, phone.at(port), remote(5060), b"hello", SOON).unwrap();
        assert_eq!(got, (b"hello".to_vec(), remote(5060).into()));
        assert_eq!(echo.seen().last(), Some(&public(port).into()));
    }
    bed.expect_count("inside0", "xdp", "outbound", 3);
    let counters = bed.counters();
    let by_tc = counters.get("inside0", "tc_ingress", "outbound");
    assert_eq!(
        (counters.total("outbound"), by_tc),
        (4, 1),
        "the first had no neighbour"
    );
    assert_eq!(counters.total("inbound"), 4);
    bed.finish();
}

#[test]
fn any_host_reaches_a_phone_unasked() {
    let bed = Bed::new();
    let phone = bed.phone(1);
    // The phone has sent nothing, and never sends to these.
    let echo = UdpEcho::start(&phone.ns, phone.at(40_001)).unwrap();
    let second = SocketAddrV4::new(REMOTE_2, 4444);
    for from in [remote(5060), second] {
        let (answer, by) = exchange(bed.internet(), from, public(40_001), b"INVITE", SOON).unwrap();
        assert_eq!((&answer[..], by), (&b"INVITE"[..], public(40_001).into()));
    }
    assert_eq!(echo.seen(), [remote(5060).into(), second.into()]);
    bed.finish();
}

#[test]
fn two_phones_call_at_once() {
    let bed = Bed::new();
    let calls = [Call::start(&bed, 1), Call::start(&bed, 2)];
    calls[0].go_on(500);
    for (call, phone) in calls.into_iter().zip(["phone 1", "phone 2"]) {
        call.expect_no_loss(phone);
    }
    let bindings = bed.json(&["bindings"]);
    for binding in bindings.as_array().unwrap() {
        for way in ["out_packets", "in_packets"] {
            assert!(binding[way].as_u64().unwrap() >= 400, "{binding}");
        }
    }
    bed.finish();
}

/// Megabytes from a phone to a server outside and back, and from outside to one on the phone.
fn transfers(bed: &Bed) {
    let phone = bed.phone(1);
    let from_phone = Transfer {
        client: &phone.ns,
        local: phone.at(40_010),
        remote: remote(443),
        server: bed.internet(),
        listen: remote(443),
        bytes: MEGABYTES,
    };
    let report = from_phone.run(LONG).unwrap();
    assert_eq!(report.client_seen_as, public(40_010).into());
    let to_phone = Transfer {
        client: bed.internet(),
        local: remote(50_000),
        remote: public(40_011),
        server: &phone.ns,
        listen: phone.at(40_011),
        bytes: MEGABYTES,
    };
    let report = to_phone.run(LONG).unwrap();
    assert_eq!(report.client_seen_as, remote(50_000).into());
}

fn modes(bed: &Bed) -> Vec<String> {
    let status = bed.json(&["status"]);
    let interfaces = status["interfaces"].as_array().unwrap();
    let mode = |of: &serde_json::Value| of["xdp"].as_str().unwrap().to_owned();
    interfaces.iter().map(mode).collect()
}

#[test]
fn megabytes_over_tcp_natively() {
    let bed = Bed::new();
    assert_eq!(modes(&bed), ["native", "native"]);
    transfers(&bed);
    bed.finish();
}

#[test]
fn megabytes_over_tcp_generically() {
    let config = Config::default().dataplane("xdp = \"generic\"");
    let bed = Bed::with(&Site::builder(), &config);
    assert_eq!(modes(&bed), ["generic", "generic"]);
    transfers(&bed);
    bed.finish();
}
