//! Interfaces that go and come back, and a gateway that is taken off.

use gateway_tests::link::{VethOptions, mac_of, veth};
use gateway_tests::site::{ISP, POOL, REMOTE, ROUTER_INSIDE, ROUTER_OUTSIDE, Site};
use gateway_tests::traffic::{UdpEcho, exchange};
use gateway_tests::wait::eventually;

use crate::bed::{Bed, SOON, public, remote};

/// Waits until the status says this of an interface.
fn expect_state(bed: &Bed, interface: &str, state: &str, attached: bool) {
    eventually(SOON, || {
        let status = bed.json(&["status"]);
        let interfaces = status["interfaces"].as_array().unwrap();
        let of = interfaces
            .iter()
            .find(|of| of["name"] == interface)
            .unwrap();
        match of["state"] == state && of["xdp"].is_string() == attached {
            true => Ok(()),
            false => Err(format!("{interface}: {of}")),
        }
    })
    .unwrap();
}

fn expect_warning(bed: &Bed, words: &str) {
    let warnings = bed.json(&["status"])["warnings"].to_string();
    assert!(warnings.contains(words), "{warnings}");
    let critical = "\"severity\":\"critical\"";
    assert!(warnings.contains(critical), "{warnings}");
}

/// One datagram each way.
fn talk(bed: &Bed) {
    let phone = bed.phone(1);
    let outside = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    let _inside = UdpEcho::start(&phone.ns, phone.at(40_001)).unwrap();
    exchange(&phone.ns, phone.at(40_000), remote(5060), b"out", SOON).unwrap();
    exchange(bed.internet(), remote(6000), public(40_001), b"in", SOON).unwrap();
    assert_eq!(outside.seen(), [public(40_000).into()]);
}

#[test]
fn an_uplink_that_comes_back_is_attached_again() {
    let bed = Bed::new();
    talk(&bed);
    let router = &bed.site.router;
    router.ip("link del uplink0").unwrap();
    expect_state(&bed, "uplink0", "missing", false);
    expect_warning(&bed, "interface uplink0 is missing");
    let ends = veth(
        (router, "uplink0", mac_of(ROUTER_OUTSIDE)),
        (bed.internet(), "eth0", mac_of(ISP)),
        VethOptions::default(),
    );
    let (uplink, upstream) = ends.unwrap();
    uplink.address(&format!("{ROUTER_OUTSIDE}/24")).unwrap();
    upstream.address(&format!("{ISP}/24")).unwrap();
    upstream.address(&format!("{REMOTE}/32")).unwrap();
    uplink.route("default", ISP).unwrap();
    upstream.route(POOL, ROUTER_OUTSIDE).unwrap();
    expect_state(&bed, "uplink0", "up", true);
    talk(&bed);
    bed.finish();
}

#[test]
fn an_inside_that_comes_back_is_attached_again() {
    let bed = Bed::new();
    talk(&bed);
    let (router, lan) = (&bed.site.router, &bed.site.inside[0].lan);
    router.ip("link del inside0").unwrap();
    expect_state(&bed, "inside0", "missing", false);
    expect_warning(&bed, "interface inside0 is missing");
    let ends = veth(
        (router, "inside0", mac_of(ROUTER_INSIDE)),
        (lan, "up0", [2, 0, 0, 0, 1, 0]),
        VethOptions::default(),
    );
    let (inside, port) = ends.unwrap();
    lan.ip(&format!("link set {} master br0", port.name))
        .unwrap();
    inside.address(&format!("{ROUTER_INSIDE}/16")).unwrap();
    expect_state(&bed, "inside0", "up", true);
    talk(&bed);
    assert_eq!(bed.json(&["bindings"])[0]["interface"], "inside0");
    bed.finish();
}

#[test]
fn a_link_that_is_down_is_said_and_survived() {
    let bed = Bed::new();
    talk(&bed);
    bed.site.router.ip("link set inside0 down").unwrap();
    expect_state(&bed, "inside0", "down", true);
    bed.site.router.ip("link set inside0 up").unwrap();
    expect_state(&bed, "inside0", "up", true);
    // The switch takes a moment to use its port again, and loses what comes before.
    let lan = &bed.site.inside[0].lan;
    eventually(SOON, || {
        let port = lan.run(&["bridge", "link", "show", "dev", "up0"]).unwrap();
        match port.contains("state forwarding") {
            true => Ok(()),
            false => Err(port),
        }
    })
    .unwrap();
    talk(&bed);
    bed.finish();
}

#[test]
fn lost_pins_are_noticed_and_a_restart_mends_them() {
    let mut bed = Bed::with(&Site::builder(), &crate::config::Config::default());
    talk(&bed);
    let router = bed.site.router.clone();
    router.run(&["rm", "-r", "/sys/fs/bpf/gateway"]).unwrap();
    expect_warning(&bed, "pins are gone");
    bed.gateway.restart(SOON).unwrap();
    let status = bed.json(&["status"]);
    assert_eq!(status["dataplane"], "fresh");
    assert!(!status["warnings"].to_string().contains("pins"), "{status}");
    talk(&bed);
    bed.finish();
}

#[test]
fn detach_removes_everything() {
    let mut bed = Bed::with(&Site::builder(), &crate::config::Config::default());
    talk(&bed);
    bed.expect_count("inside0", "xdp", "outbound", 1);
    let router = bed.site.router.clone();
    let refused = bed.gateway.ctl(&["detach"]).unwrap();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("stop it first"), "{refused:?}");
    talk(&bed);
    bed.gateway.stop().unwrap();
    let pinned = || {
        let words = ["find", "/sys/fs/bpf", "-path", "*gateway*"];
        router.run(&words).unwrap()
    };
    assert!(pinned().contains("links/xdp-native"), "{}", pinned());
    let said = bed.gateway.ctl(&["detach"]).unwrap();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(pinned(), "");
    // At once, not when the kernel comes to it.
    let net = router.run(&["bpftool", "net", "show"]).unwrap();
    assert!(
        !net.contains("gateway") && !net.contains("inside0"),
        "{net}"
    );
    let again = bed.gateway.ctl(&["detach"]).unwrap();
    assert_eq!(again.code, Some(1), "{again:?}");
    // And on again, from nothing.
    bed.gateway.restart(SOON).unwrap();
    assert_eq!(bed.json(&["status"])["dataplane"], "fresh");
    talk(&bed);
    bed.finish();
}
