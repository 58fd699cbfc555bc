//! Two switches: phones of one that dies come over to the other, which hands them back.

use gateway_tests::link::{VethOptions, veth};
use gateway_tests::phone::Phones;
use gateway_tests::site::{Gateway, Site};

use crate::bed::{Bed, LONG, config, expect_quiet, json, lines};

fn switch() -> String {
    let lines = lines([(5001, "a1"), (5002, "a2")]);
    format!("[switch]\nadmission = \"anybody\"\nheartbeat = \"1s\"\n{lines}")
}

/// The other switch: a gateway on the host that is phone 2 elsewhere, 10.10.1.2.
fn backup(site: &Site) -> Gateway {
    let ns = &site.phone(2).ns;
    let options = VethOptions::default();
    let inner = (ns, "inside0", [2, 0, 0, 0, 9, 1]);
    let (inside, _) = veth(inner, (ns, "inner0", [2, 0, 0, 0, 9, 2]), options).unwrap();
    inside.address("10.30.0.1/16").unwrap();
    let text = config("inside0", "10.30.0.0/16", "eth0", &switch());
    let mut gateway = Gateway::start(ns, &text).unwrap();
    gateway.wait_ready(LONG).unwrap();
    gateway
}

const CALL: &str = "a1 dial a2
    a2 expect ringing
    a2 answer
    all expect talking private
    all talk 300ms
    all expect media lost<=0
    a1 hangup
    a2 expect busy
    a2 hangup
    all expect idle";

#[test]
fn phones_come_over_and_are_handed_back() {
    let mut bed = Bed::new(&switch());
    let other = backup(&bed.site);
    let mut phones = Phones::start();
    phones
        .tell(&format!(
            "default protocol=h248 netns={} switch=10.10.0.1 backup=10.10.1.2 patience=1s
             phone a1 address=10.10.3.1/16 ports=1024-1055 mid=a1 number=5001
             phone a2 address=10.10.3.2/16 ports=1024-1055 mid=a2 number=5002
             all expect registered primary within 20s
             {CALL}",
            bed.phones()
        ))
        .unwrap();
    bed.expect_quiet();
    bed.gateway.kill9().unwrap();
    // Heartbeats alone tell phones that it is dead.
    phones
        .tell(&format!(
            "all expect registered backup within 30s
             a1 expect event registering method=failover reason=909
             {CALL}"
        ))
        .unwrap();
    expect_quiet(&other);
    bed.gateway.restart(LONG).unwrap();
    let to = ["phones", "handoff", "[10.10.0.1]:2944"];
    assert_eq!(json(&other, &to)["told"], 2);
    phones
        .tell(&format!(
            "all expect registered primary within 20s
             a1 expect event registering method=handoff reason=903
             {CALL}"
        ))
        .unwrap();
    bed.expect_quiet();
    expect_quiet(&other);
    phones.finish().unwrap();
}

/// Media never pass a switch, and the other one leaves alone what it does not know.
#[test]
fn a_call_goes_on_at_the_other_switch() {
    let mut bed = Bed::new(&switch());
    let other = backup(&bed.site);
    let mut phones = Phones::start();
    phones
        .tell(&format!(
            "default protocol=h248 netns={} switch=10.10.0.1 backup=10.10.1.2 patience=1s
             phone a1 address=10.10.3.1/16 ports=1024-1055 mid=a1 number=5001
             phone a2 address=10.10.3.2/16 ports=1024-1055 mid=a2 number=5002
             all expect registered primary within 20s
             a1 dial a2
             a2 expect ringing
             a2 answer
             all expect talking private",
            bed.phones()
        ))
        .unwrap();
    bed.gateway.kill9().unwrap();
    phones
        .tell(&format!(
            "all expect registered backup within 30s
             all talk 500ms
             all expect media lost<=0 source=remote
             a1 hangup
             a1 expect idle
             a2 hangup
             all expect idle
             {CALL}"
        ))
        .unwrap();
    expect_quiet(&other);
    phones.finish().unwrap();
}

#[test]
fn one_phone_is_handed_over() {
    let bed = Bed::new(&switch());
    let other = backup(&bed.site);
    let mut phones = Phones::start();
    phones
        .tell(&format!(
            "default protocol=h248 netns={} switch=10.10.0.1 backup=10.10.1.2 patience=1s
             phone a1 address=10.10.3.1/16 ports=1024-1055 mid=a1 number=5001
             phone a2 address=10.10.3.2/16 ports=1024-1055 mid=a2 number=5002
             all expect registered primary within 20s",
            bed.phones()
        ))
        .unwrap();
    let to = ["phones", "handoff", "[10.10.1.2]:2944", "--gateway", "a1"];
    assert_eq!(json(&bed.gateway, &to)["told"], 1);
    phones
        .tell(
            "a1 expect registered backup within 20s
             a2 expect registered primary
             a1 offhook
             a1 expect dialtone
             a1 hangup
             a1 expect idle",
        )
        .unwrap();
    assert_eq!(json(&other, &["phones"]).as_array().unwrap().len(), 1);
    phones.finish().unwrap();
}
