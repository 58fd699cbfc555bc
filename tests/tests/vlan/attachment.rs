//! Programs on VLAN devices and their port: they outlive the daemon, and go when told.

use std::time::Duration;

use gateway_tests::site::Phone;
use gateway_tests::traffic::{Stream, StreamSpec};

use crate::lab::{Config, LONG, Lab, QINQ_PORT, VLAN_PORT, has_vlan_devices, public, remote};

/// Packets for each second and direction; emulation is slow.
const RATE: u32 = 100;
const SETTLE: Duration = Duration::from_secs(20);
const DEVICES: [&str; 5] = ["eth0", "eth1", "eth1.10", "eth1.100", "eth1.100.20"];

/// Lines such as `filter ... bpf chain 0 handle 0x1 gateway_tc_ingr direct-action ... id 12 ...`:
/// the filters of ours on a device.
fn filters(lab: &Lab, device: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for side in ["ingress", "egress"] {
        let words = ["tc", "filter", "show", "dev", device, side];
        // Without a qdisc for them it fails: no filters then.
        let output = lab.router.output(&words).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        lines.extend(
            text.lines()
                .filter(|line| line.contains("direct-action"))
                .map(|line| format!("{side}: {line}")),
        );
    }
    lines
}

/// How many filters of ours each of `DEVICES` has, where filters are the means (before Linux 6.6).
fn expect_filters(lab: &Lab, expected: [usize; 5]) {
    let tc = lab.json("status")["interfaces"][0]["tc"].clone();
    let counts = DEVICES.map(|device| filters(lab, device).len());
    match tc.as_str() {
        Some("clsact") => assert_eq!(counts, expected, "of {DEVICES:?}"),
        Some("tcx") => assert_eq!(counts, [0; 5], "of {DEVICES:?}"),
        _ => panic!("tc is {tc}"),
    }
}

fn has_xdp(lab: &Lab, device: &str) -> bool {
    lab.router
        .ip(&format!("link show dev {device}"))
        .unwrap()
        .contains("xdp")
}

/// A stream of the phone to the internet, and one back.
fn call(lab: &Lab, phone: &Phone, port: u16) -> [Stream; 2] {
    let out = StreamSpec {
        sender: &phone.ns,
        local: phone.at(port),
        remote: remote(port),
        receiver: &lab.internet,
        listen: remote(port),
        rate: RATE,
        payload: 172,
    };
    let back = StreamSpec {
        sender: &lab.internet,
        local: remote(port + 1),
        remote: public(port + 1),
        receiver: &phone.ns,
        listen: phone.at(port + 1),
        ..out
    };
    [out, back].map(|spec| Stream::start(&spec).unwrap())
}

/// In generic mode, where every packet takes XDP's *and* tc's program.
#[test]
fn filters_are_replaced_in_place_and_go_with_their_interface() {
    if !has_vlan_devices() {
        return;
    }
    let mut config = Config {
        uplink: "eth0",
        xdp: "generic",
        qinq: true,
    };
    let mut lab = Lab::new(&config);
    expect_filters(&lab, [2, 0, 1, 0, 1]);
    killed_and_restarted_it_loses_nothing(&mut lab);
    expect_filters(&lab, [2, 0, 1, 0, 1]);

    config.qinq = false;
    lab.reload(&config);
    expect_filters(&lab, [2, 0, 1, 0, 0]);
    // The port has another VLAN.
    assert!(has_xdp(&lab, "eth1"));
    config.qinq = true;
    lab.reload(&config);
    expect_filters(&lab, [2, 0, 1, 0, 1]);

    lab.gateway.stop().unwrap();
    assert!(has_xdp(&lab, "eth0") && has_xdp(&lab, "eth1"));
    let detached = lab.gateway.ctl(&["detach"]).unwrap();
    assert_eq!(detached.code, Some(0), "{detached:?}");
    for device in DEVICES {
        assert!(!has_xdp(&lab, device), "{device} has an XDP program");
        assert_eq!(filters(&lab, device), [""; 0], "filters of {device}");
    }
    let pins = lab
        .router
        .enter(|| std::path::Path::new("/sys/fs/bpf/gateway").exists());
    assert!(!pins, "pins are left");
}

fn killed_and_restarted_it_loses_nothing(lab: &mut Lab) {
    let before = filters(lab, "eth1.100.20");
    let calls = [
        call(lab, &lab.phone, VLAN_PORT),
        call(lab, &lab.qinq_phone, QINQ_PORT),
    ];
    let go_on = || {
        for stream in calls.iter().flatten() {
            stream.wait_sent(u64::from(RATE), LONG).unwrap();
        }
    };
    go_on();
    lab.gateway.kill9().unwrap();
    go_on();
    lab.gateway.restart(LONG).unwrap();
    go_on();
    for (number, stream) in calls.into_iter().flatten().enumerate() {
        let report = stream.stop(SETTLE).unwrap();
        let whole = (report.lost, report.duplicates, &report.send_error);
        assert_eq!(whole, (0, 0, &None), "stream {number}: {report:?}");
        assert_eq!(report.sources.len(), 1, "stream {number}: {report:?}");
    }
    assert_eq!(lab.json("status")["dataplane"], "adopted");
    let after = filters(lab, "eth1.100.20");
    let is_replaced = after != before || after.is_empty();
    assert!(is_replaced, "the former daemon's program runs: {after:?}");
}
