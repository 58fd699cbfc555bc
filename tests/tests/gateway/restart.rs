//! The daemon ends and comes back under calls: what is pinned goes on, nothing is lost.

use std::time::Duration;

use gateway_tests::site::{Gateway, Site};
use serde_json::Value;

use crate::bed::{Bed, SOON, number};
use crate::call::{Call, RATE};
use crate::config::Config;

/// What a call sends in two seconds.
const TWO_SECONDS: u64 = 2 * RATE as u64;

fn xdp_program(bed: &Bed, interface: &str) -> u64 {
    let words = ["ip", "-j", "link", "show", "dev", interface];
    let links: Value = serde_json::from_str(&bed.site.router.run(&words).unwrap()).unwrap();
    number(&links[0]["xdp"]["prog"]["id"])
}

fn binding_packets(bed: &Bed) -> Vec<[u64; 2]> {
    let bindings = bed.json(&["bindings"]);
    let packets = |binding: &Value| ["out_packets", "in_packets"].map(|way| number(&binding[way]));
    bindings.as_array().unwrap().iter().map(packets).collect()
}

#[test]
fn kill_9_loses_nothing() {
    let mut bed = Bed::new();
    let call = Call::start(&bed, 1);
    call.go_on(200);
    bed.gateway.kill9().unwrap();
    call.go_on(TWO_SECONDS);
    bed.gateway.restart(SOON).unwrap();
    call.go_on(200);
    call.expect_no_loss("killed, dead for 2 seconds, started again");
    assert_eq!(bed.json(&["status"])["dataplane"], "adopted");
    bed.finish();
}

#[test]
fn sigterm_loses_nothing() {
    let mut bed = Bed::new();
    let call = Call::start(&bed, 1);
    call.go_on(200);
    bed.gateway.stop().unwrap();
    call.go_on(TWO_SECONDS);
    bed.gateway.restart(SOON).unwrap();
    call.go_on(200);
    call.expect_no_loss("stopped for 2 seconds");
    assert_eq!(bed.json(&["status"])["dataplane"], "adopted");
    bed.finish();
}

#[test]
fn a_restart_swaps_the_programs_in_and_counts_on() {
    let mut bed = Bed::new();
    let interfaces = ["inside0", "uplink0"];
    let call = Call::start(&bed, 1);
    call.go_on(300);
    let programs = interfaces.map(|name| xdp_program(&bed, name));
    let packets = binding_packets(&bed);
    let counters = bed.counters();
    bed.gateway.restart(SOON).unwrap();
    let after = binding_packets(&bed);
    assert!(
        after[0][0] >= packets[0][0] && packets[0][0] >= 290,
        "{after:?}"
    );
    assert!(
        after[0][1] >= packets[0][1] && packets[0][1] >= 290,
        "{after:?}"
    );
    for reason in ["outbound", "inbound"] {
        assert!(bed.counters().total(reason) >= counters.total(reason));
    }
    for (name, before) in interfaces.into_iter().zip(programs) {
        let now = xdp_program(&bed, name);
        assert_ne!(now, before, "{name} runs the old program");
    }
    call.go_on(100);
    call.expect_no_loss("upgraded");
    bed.finish();
}

#[test]
fn a_second_daemon_on_the_same_pins_changes_nothing() {
    let bed = Bed::new();
    let call = Call::start(&bed, 1);
    call.go_on(100);
    // With a state directory and a socket of its own, and no bindings.
    let mut other = Gateway::start(&bed.site.router, &Config::empty().to_string()).unwrap();
    let ended = format!("{:#}", other.wait_ready(SOON).unwrap_err());
    let why = "another gateway runs on what is pinned at /sys/fs/bpf/gateway, with another state";
    assert!(ended.contains(why), "{ended}");
    call.go_on(100);
    call.expect_no_loss("another daemon was refused");
    assert_eq!(bed.json(&["bindings"]).as_array().unwrap().len(), 2);
    bed.finish();
}

/// Kills it ten times at moments that differ: while it starts, while it reloads, while it serves.
#[test]
fn killed_over_and_over_it_stays_whole() {
    let both = Config::default();
    let one = Config::default().without("10.10.1.2");
    let mut bed = Bed::with(&Site::builder(), &both);
    let call = Call::start(&bed, 1);
    for round in 0..10_u32 {
        if round % 2 == 1 {
            let config = if round % 4 == 1 { &one } else { &both };
            bed.gateway.write_config(&config.to_string()).unwrap();
            bed.gateway.reload().unwrap();
        }
        call.go_on(u64::from(round * 37 % 50));
        bed.gateway.kill9().unwrap();
        // In every third round it does not get ready before it is killed again.
        let patience = Duration::from_millis(u64::from(round % 3) * 40);
        let _ = bed.gateway.restart(patience);
    }
    bed.gateway.write_config(&both.to_string()).unwrap();
    bed.gateway.restart(SOON).unwrap();
    call.go_on(200);
    call.expect_no_loss("killed ten times");
    assert_eq!(binding_packets(&bed).len(), 2);
    let second = Call::start(&bed, 2);
    second.go_on(200);
    second.expect_no_loss("the phone that came and went");
    bed.finish();
}
