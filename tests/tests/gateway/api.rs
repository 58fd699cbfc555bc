//! Bindings by the API: they serve at once, stay over restarts, and contradictions are refused.

use gateway_tests::site::Site;
use gateway_tests::traffic::{UdpEcho, exchange};
use serde_json::Value;

use crate::bed::{Bed, SOON, number, remote};
use crate::call::Call;
use crate::config::Config;

const THIRD: [&str; 5] = ["bindings", "add", "10.10.1.3", "192.0.2.1", "40128-40191"];

fn bed() -> Bed {
    Bed::with(&Site::builder().phones(3), &Config::default())
}

/// What the internet sees of phone 3's port 40130.
fn third_seen_as(bed: &Bed) -> String {
    let echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    let phone = bed.phone(3);
    exchange(&phone.ns, phone.at(40_130), remote(5060), b"hello", SOON).unwrap();
    echo.seen()[0].to_string()
}

#[test]
fn a_binding_serves_at_once_and_stays() {
    let mut bed = bed();
    let call = Call::start(&bed, 1);
    let added = bed.json(&THIRD);
    let expected = [
        ("private", "10.10.1.3"),
        ("ports", "40128-40191"),
        ("origin", "api"),
    ];
    for (key, value) in expected {
        assert_eq!(added[0][key], value, "{added}");
    }
    assert_eq!(third_seen_as(&bed), "192.0.2.1:40130");
    bed.gateway.kill9().unwrap();
    bed.gateway.restart(SOON).unwrap();
    assert_eq!(third_seen_as(&bed), "192.0.2.1:40130");
    // A file without it is read again: it stays, it is not the file's.
    bed.reload(&Config::default());
    let status = bed.json(&["status"]);
    assert_eq!(
        (
            number(&status["bindings"]),
            number(&status["bindings_by_api"])
        ),
        (3, 1)
    );
    let list = bed.json(&["bindings"]);
    let third = list
        .as_array()
        .unwrap()
        .iter()
        .find(|of| of["private"] == "10.10.1.3");
    assert_eq!(number(&third.unwrap()["out_packets"]), 2, "{list}");

    let removed = bed.json(&["bindings", "del", "10.10.1.3"]);
    assert_eq!(removed["private"], "10.10.1.3");
    bed.gateway.restart(SOON).unwrap();
    assert_eq!(number(&bed.json(&["status"])["bindings"]), 2);
    call.expect_no_loss("bindings came and went");
    bed.finish();
}

#[test]
fn a_binding_that_comes_and_goes_costs_others_nothing() {
    let bed = bed();
    let call = Call::start(&bed, 1);
    for _ in 0..20 {
        bed.json(&THIRD);
        bed.json(&["bindings", "del", "10.10.1.3"]);
    }
    call.go_on(100);
    call.expect_no_loss("a neighbour's binding came and went 20 times");
    bed.finish();
}

#[test]
fn contradictions_are_refused_with_a_fix() {
    let bed = bed();
    let refused = [
        // What is asked for; what the answer must name.
        (["10.10.1.1", "192.0.2.1", "40128-40191"], "10.10.1.1"),
        (["10.10.1.3", "192.0.2.1", "40000-40063"], "10.10.1.1"),
        (["10.10.1.3", "192.0.2.1", "40064-40127"], "10.10.1.2"),
        (["10.10.1.3", "192.0.2.1", "40128-40159"], "smallest_range"),
        (["10.10.1.3", "192.0.2.99", "40128-40191"], "192.0.2.99"),
        (["10.99.1.3", "192.0.2.1", "40128-40191"], "10.99.1.3"),
        (["10.10.0.1", "192.0.2.1", "40128-40191"], "router's own"),
        (["10.10.255.255", "192.0.2.1", "40128-40191"], "no host's"),
        (["10.10.1.3", "192.0.2.1", "40100-40163"], "40064-40127"),
        (["10.10.1.3", "192.0.2.1", "40128"], "ports"),
        (["ten", "192.0.2.1", "40128-40191"], "ten"),
    ];
    for (wanted, named) in refused {
        let mut words = vec!["bindings", "add"];
        words.extend(wanted);
        let output = bed.gateway.ctl(&words).unwrap();
        assert_eq!(output.code, Some(1), "{wanted:?}: {output:?}");
        assert!(output.stderr.contains(named), "{wanted:?}: {output:?}");
    }
    // What is the file's is not the API's to remove; what is not there cannot be removed.
    for private in ["10.10.1.1", "10.10.1.77"] {
        let output = bed.gateway.ctl(&["bindings", "del", private]).unwrap();
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains(private), "{output:?}");
    }
    assert_eq!(number(&bed.json(&["status"])["bindings"]), 2);
    bed.finish();
}

#[test]
fn who_says_whose_a_port_is() {
    let shared =
        Config::default().pool("addresses = [\"198.51.100.1\"]\nshared_with_router = true");
    let bed = Bed::with(&Site::builder(), &shared);
    let owner = |at| -> Value { bed.json(&["who", at]) };
    let phone = owner("192.0.2.1:40077");
    assert_eq!(
        (&phone["owner"], &phone["binding"]["private"]),
        (&"binding".into(), &"10.10.1.2".into())
    );
    assert_eq!(owner("192.0.2.1:50000")["owner"], "free");
    assert_eq!(owner("198.51.100.1:22")["owner"], "router");
    assert_eq!(owner("203.0.113.10:5060")["owner"], "not_in_pool");
    bed.finish();
}
