//! A changed configuration under calls: what stays loses nothing, what goes ends, and a file with
//! errors changes nothing.

use gateway_tests::site::{Phone, Site};
use gateway_tests::traffic::{UdpEcho, bind_udp, exchange};
use gateway_tests::wait::eventually;

use crate::bed::{Bed, SOON, number, remote};
use crate::call::Call;
use crate::config::Config;

/// Three phones and one behind a second interface; phones 1 and 2 are bound.
fn bed() -> Bed {
    let site = Site::builder().phones(3).second_inside(1);
    Bed::with(&site, &Config::default())
}

/// One datagram from a phone's port; who the internet sees.
fn seen_as(bed: &Bed, phone: &Phone, port: u16) -> String {
    let echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    exchange(&phone.ns, phone.at(port), remote(5060), b"hello", SOON).unwrap();
    echo.seen()[0].to_string()
}

/// One datagram from a phone's port that is dropped for this reason.
fn expect_dropped(bed: &Bed, phone: &Phone, port: u16, reason: &str) {
    let before = bed.counters().total(reason);
    let socket = bind_udp(&phone.ns, phone.at(port)).unwrap();
    socket.send_to(b"hello", remote(5060)).unwrap();
    eventually(SOON, || match bed.counters().total(reason) {
        count if count == before + 1 => Ok(()),
        count => Err(format!("{reason}: {count}")),
    })
    .unwrap();
}

#[test]
fn bindings_come_go_and_change_under_a_call() {
    let bed = bed();
    let call = Call::start(&bed, 1);
    call.go_on(100);
    assert_eq!(seen_as(&bed, bed.phone(2), 40_064), "192.0.2.1:40064");
    expect_dropped(&bed, bed.phone(3), 40_128, "unbound_source");

    let third = Config::default().binding("10.10.1.3", "192.0.2.1", "40128-40191");
    let done = bed.reload(&third);
    let changes = ["added", "removed", "kept"].map(|what| number(&done[what]));
    assert_eq!((changes, &done["rebuilt"]), ([1, 0, 2], &false.into()));
    assert_eq!(seen_as(&bed, bed.phone(3), 40_128), "192.0.2.1:40128");

    let moved = third
        .without("10.10.1.2")
        .binding("10.10.1.2", "192.0.2.1", "41024-41087");
    bed.reload(&moved);
    expect_dropped(&bed, bed.phone(2), 40_064, "source_port_out_of_range");
    assert_eq!(seen_as(&bed, bed.phone(2), 41_024), "192.0.2.1:41024");

    bed.reload(&moved.without("10.10.1.2"));
    expect_dropped(&bed, bed.phone(2), 41_024, "unbound_source");
    call.go_on(100);
    call.expect_no_loss("four reloads");
    bed.finish();
}

#[test]
fn interfaces_and_addresses_come_and_go_by_sighup() {
    let bed = bed();
    let call = Call::start(&bed, 1);
    call.go_on(100);
    let wider = Config::default()
        .second_inside()
        .pool("addresses = [\"192.0.2.8/30\"]")
        .binding("10.20.1.1", "192.0.2.9", "49984-50047")
        .binding("10.10.1.3", "192.0.2.1", "40128-40191");
    for (config, bindings) in [(&wider, 4), (&Config::default(), 2), (&wider, 4)] {
        bed.gateway.write_config(&config.to_string()).unwrap();
        bed.gateway.reload().unwrap();
        eventually(SOON, || match number(&bed.json(&["status"])["bindings"]) {
            found if found == bindings => Ok(()),
            found => Err(format!("{found} bindings")),
        })
        .unwrap();
        call.go_on(50);
    }
    assert_eq!(seen_as(&bed, bed.far_phone(), 50_001), "192.0.2.9:50001");
    call.expect_no_loss("three reloads by SIGHUP");
    bed.finish();
}

#[test]
fn xdp_changes_its_mode_and_back() {
    let bed = bed();
    for mode in ["generic", "native", "generic", "native"] {
        bed.reload(&Config::default().dataplane(&format!("xdp = \"{mode}\"")));
        let status = bed.json(&["status"]);
        for interface in status["interfaces"].as_array().unwrap() {
            assert_eq!(interface["xdp"], mode, "{status}");
        }
        assert_eq!(seen_as(&bed, bed.phone(2), 40_064), "192.0.2.1:40064");
    }
    bed.finish();
}

/// A file with an error of each kind, and a word of what must be said of it.
fn faults() -> (String, Vec<&'static str>) {
    let config = Config::default()
        .pool("addresses = [\"10.10.7.7\"]")
        .binding("10.10.1.4", "192.0.2.1", "40000-40031")
        .binding("10.10.1.5", "192.0.2.77", "42048-42111")
        .binding("172.16.0.1", "192.0.2.1", "43008-43071")
        .binding("10.10.1.6", "192.0.2.1", "43073-43100")
        .text("[[outside]]\ninterface = \"uplink9\"")
        .text("[[inside]]\ninterface = \"inside1\"\nnetworks = [\"10.10.128.0/17\"]")
        .text("[nonsense]\nkey = 1");
    let words = vec![
        "pool address 10.10.7.7 lies in an inside network",
        "40000-40031",
        "192.0.2.77",
        "172.16.0.1",
        "range has 28 ports",
        "uplink9",
        "10.10.128.0/17 overlaps",
        "unknown section `nonsense`",
    ];
    (config.to_string(), words)
}

#[test]
fn a_file_with_errors_is_refused_with_all_of_them() {
    let bed = bed();
    let call = Call::start(&bed, 1);
    call.go_on(100);
    let (faulty, words) = faults();
    bed.gateway.write_config(&faulty).unwrap();
    let refused = bed.gateway.ctl(&["reload"]).unwrap();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let status = bed.json(&["status"]);
    assert_eq!(status["reload"]["ok"], false);
    let problems = status["reload"]["problems"].as_array().unwrap();
    let listed = status["reload"]["problems"].to_string();
    for word in words {
        assert!(
            listed.contains(word),
            "status is silent about {word}: {listed}"
        );
        assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
    }
    for problem in problems {
        assert!(number(&problem["line"]) > 0, "{problem}");
        // A fix of its own, or one that the message ends with.
        let message = problem["message"].as_str().unwrap();
        assert!(
            problem["fix"] != "" || message.contains("expected"),
            "{problem}"
        );
    }
    // What ran goes on as it was, and a good file is taken afterwards.
    assert_eq!(number(&status["bindings"]), 2);
    assert_eq!(seen_as(&bed, bed.phone(2), 40_064), "192.0.2.1:40064");
    bed.gateway.write_config("this is = not [ TOML").unwrap();
    assert_eq!(bed.gateway.ctl(&["reload"]).unwrap().code, Some(1));
    call.go_on(100);
    bed.reload(&Config::default());
    assert_eq!(bed.json(&["status"])["reload"]["ok"], true);
    call.expect_no_loss("three reloads, two of them refused");
    bed.finish();
}

#[test]
fn a_daemon_with_a_faulty_file_does_not_start_and_hurts_nobody() {
    let mut bed = bed();
    let call = Call::start(&bed, 1);
    call.go_on(100);
    let (faulty, words) = faults();
    bed.gateway.stop().unwrap();
    bed.gateway.write_config(&faulty).unwrap();
    bed.gateway.restart(SOON).unwrap_err();
    let status = bed.gateway.process().wait(SOON).unwrap();
    assert!(!status.success(), "a failed start is a failure");
    let log = bed.gateway.log();
    for word in words {
        assert!(log.contains(word), "the log is silent about {word}: {log}");
    }
    call.go_on(200);
    let good = Config::default().to_string();
    bed.gateway.write_config(&good).unwrap();
    bed.gateway.restart(SOON).unwrap();
    call.expect_no_loss("a start that failed");
    bed.finish();
}
