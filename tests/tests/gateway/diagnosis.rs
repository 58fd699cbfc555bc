//! Ping and traceroute through the gateway, both ways.

use gateway_tests::site::{REMOTE, ROUTER_OUTSIDE, Site};
use gateway_tests::traffic::Ping;

use crate::bed::{Bed, PUBLIC};
use crate::config::Config;

/// A site with a second router, the provider's.
fn with_provider() -> Bed {
    Bed::with(&Site::builder().isp(1500), &Config::default())
}

/// The hops of a traceroute in order, `*` where nobody answered.
fn hops(text: &str) -> Vec<&str> {
    text.lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect()
}

#[test]
fn a_phone_pings_with_any_identifier() {
    let bed = Bed::new();
    let phone = bed.phone(1);
    for identifier in [1, 40_000, 40_063, 40_064, 65_535] {
        let report = Ping::new(REMOTE)
            .identifier(identifier)
            .run(&phone.ns)
            .unwrap();
        assert_eq!(report.received, 3, "id {identifier}: {}", report.output);
        assert!(!report.output.contains("DUP"), "{}", report.output);
    }
    bed.finish();
}

#[test]
fn two_phones_ping_with_one_identifier() {
    let bed = Bed::new();
    std::thread::scope(|scope| {
        for number in [1, 2] {
            let phone = bed.phone(number);
            scope.spawn(move || {
                let ping = Ping::new(REMOTE).identifier(7).count(10);
                let report = ping.run(&phone.ns).unwrap();
                assert_eq!(report.received, 10, "{}", report.output);
            });
        }
    });
    bed.finish();
}

#[test]
fn a_large_ping_is_fragmented_and_returns() {
    let bed = Bed::new();
    for identifier in [1, 40_005] {
        let ping = Ping::new(REMOTE).size(4000).identifier(identifier);
        let report = ping.run(&bed.phone(1).ns).unwrap();
        assert_eq!(report.received, 3, "id {identifier}: {}", report.output);
    }
    bed.finish();
}

#[test]
fn the_world_pings_a_phone_by_its_range() {
    let bed = Bed::new();
    // An identifier is a port: this one is phone 2's.
    let ping = Ping::new(PUBLIC).identifier(40_100);
    let report = ping.run(bed.internet()).unwrap();
    assert_eq!(report.received, 3, "{}", report.output);
    let packets = |number: usize| {
        let bindings = bed.json(&["bindings"]);
        bindings[number - 1]["in_packets"].as_u64().unwrap()
    };
    assert_eq!((packets(1), packets(2)), (0, 3));
    // This one is nobody's: no answer, and the drop is counted.
    let ping = Ping::new(PUBLIC).identifier(7).timeout_seconds(1);
    let report = ping.run(bed.internet()).unwrap();
    assert_eq!(report.received, 0, "{}", report.output);
    bed.expect_count("uplink0", "xdp", "no_binding", 3);
    bed.finish();
}

#[test]
fn traceroute_from_a_phone_shows_every_hop() {
    let bed = with_provider();
    let phone = bed.phone(1);
    let to = REMOTE.to_string();
    let expected = ["10.10.0.1", "198.51.100.254", "203.0.113.10"];
    // UDP with a source port of the range, as phones' own tools must; ICMP echo from any.
    for how in [vec!["--sport=40000", "-U", "-p", "33434"], vec!["-I"]] {
        let mut words = vec![
            "traceroute",
            "-n",
            "-q",
            "1",
            "-N",
            "1",
            "-m",
            "8",
            "-w",
            "3",
        ];
        words.extend(&how);
        words.push(&to);
        let text = phone.ns.run(&words).unwrap();
        assert_eq!(hops(&text), expected, "{how:?}: {text}");
    }
    bed.finish();
}

#[test]
fn traceroute_to_a_phone_ends_there() {
    let bed = with_provider();
    let to = PUBLIC.to_string();
    // Nobody listens at the port, so that the phone says so: from its public address.
    let words = [
        "traceroute",
        "-n",
        "-q",
        "1",
        "-N",
        "1",
        "-m",
        "8",
        "-w",
        "3",
        "-U",
        "-p",
        "40009",
        &to,
    ];
    let text = bed.internet().run(&words).unwrap();
    let router = ROUTER_OUTSIDE.to_string();
    assert_eq!(hops(&text), ["203.0.113.254", &router, &to], "{text}");
    bed.finish();
}
