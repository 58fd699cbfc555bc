//! Simulated phones register with the gateway's switch, call each other, and check what they hear:
//! at one site by private addresses, to the world by public ones; and over a kill of the daemon.

use gateway_tests::phone::Phones;
use gateway_tests::wait::eventually;
use serde_json::Value;

use crate::bed::{Bed, LONG};
use crate::config::Config;

const SWITCH: &str = r#"
[switch]
heartbeat = "2s"
[[line]]
number = "5001"
phone = "a1"
[[line]]
number = "5002"
phone = "a2"
[[line]]
number = "6001"
phone = "b1"
"#;

/// Two phones behind the gateway, one in the internet.
fn bed() -> Bed {
    Bed::with(
        &gateway_tests::site::Site::builder(),
        &Config::default().text(SWITCH),
    )
}

/// The three phones, registered.
fn phones(bed: &Bed) -> Phones {
    let mut phones = Phones::start();
    let netns = |number: usize| bed.phone(number).ns.name().to_owned();
    phones
        .tell(&format!(
            "default protocol=h248
             phone a1 netns={} address=10.10.1.1 ports=40000-40063 mid=a1 number=5001 switch=10.10.0.1
             phone a2 netns={} address=10.10.1.2 ports=40064-40127 mid=a2 number=5002 switch=10.10.0.1
             phone b1 netns={} address=203.0.113.10 ports=50000-50063 mid=b1 number=6001 switch=198.51.100.1
             all expect registered within 20s",
            netns(1),
            netns(2),
            bed.internet().name()
        ))
        .unwrap();
    phones
}

/// Calls that are over.
fn history(bed: &Bed, calls: usize) -> Vec<Value> {
    eventually(LONG, || {
        let output = bed
            .gateway
            .ctl(&["calls", "history", "-o", "json"])
            .unwrap();
        let lines = output.stdout.lines();
        let all: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        match all.len() {
            found if found == calls => Ok(all),
            found => Err(format!("{found} of {calls} calls: {output:?}")),
        }
    })
    .unwrap()
}

/// Packets of a phone that the dataplane has translated, both ways.
fn translated(bed: &Bed, private: &str) -> u64 {
    let bindings = bed.json(&["bindings"]);
    let mut all = bindings.as_array().unwrap().iter();
    let one = all.find(|one| one["private"] == private).unwrap();
    one["out_packets"].as_u64().unwrap() + one["in_packets"].as_u64().unwrap()
}

#[test]
fn calls_have_the_right_addresses() {
    let bed = bed();
    let mut phones = phones(&bed);
    let before = translated(&bed, "10.10.1.1");
    phones
        .tell(
            "a1 dial a2
             a2 expect ringing
             a1 expect ringback
             a2 answer
             a1,a2 expect talking private within 5s
             a1,a2 talk 1s
             a1,a2 expect media lost<=1% source=remote
             a1 hangup
             a2 expect busy
             a2 hangup",
        )
        .unwrap();
    let home = history(&bed, 1);
    let (choice, reason) = (&home[0]["choice"], &home[0]["reason"]);
    assert_eq!(
        (choice, reason),
        (&"private".into(), &"caller_hung_up".into())
    );
    let crossed = translated(&bed, "10.10.1.1") - before;
    assert!(crossed < 10, "{crossed} packets have left the site");

    phones
        .tell(
            "a1 dial b1
             b1 expect ringing
             b1 answer
             a1,b1 expect talking public within 5s
             a1,b1 talk 1s
             a1,b1 expect media lost<=1% source=remote
             b1 hangup
             a1 hangup
             a1 dial 5009
             a1 expect congestion
             a1 hangup",
        )
        .unwrap();
    phones.finish().unwrap();
    let all = history(&bed, 3);
    let (choice, reason) = (&all[1]["choice"], &all[1]["reason"]);
    assert_eq!(
        (choice, reason),
        (&"public".into(), &"called_hung_up".into())
    );
    assert_eq!(all[1]["caller"]["place"]["public"], "192.0.2.1");
    assert_eq!(all[2]["reason"], "no_such_number");
    let crossed = translated(&bed, "10.10.1.1") - before;
    assert!(crossed > 60, "{crossed} packets crossed the gateway");
    let ladder = bed.gateway.ctl(&["calls", "trace", "6001"]).unwrap();
    assert!(
        ladder.stdout.contains("al/ri") && ladder.stdout.contains("6001"),
        "{ladder:?}"
    );
    bed.finish();
}

#[test]
fn a_killed_switch_loses_no_call() {
    let mut bed = bed();
    let mut phones = phones(&bed);
    phones
        .tell(
            "a1 dial a2
             a2 expect ringing
             a2 answer
             a1,a2 expect talking private within 5s",
        )
        .unwrap();
    let live = eventually(LONG, || {
        let live = bed.json(&["calls"]);
        match live[0]["progress"] == "talking" {
            true => Ok(live),
            false => Err(live.to_string()),
        }
    })
    .unwrap();
    bed.gateway.kill9().unwrap();
    phones.tell("a1,a2 talk 1s").unwrap();
    bed.gateway.restart(LONG).unwrap();
    let again = bed.json(&["calls"]);
    assert_eq!(again[0]["id"], live[0]["id"]);
    phones
        .tell(
            "a1,a2 talk 1s
             a1 hangup
             a2 expect busy within 20s
             a2 hangup
             a1 dial a2
             a2 expect ringing
             a1 hangup",
        )
        .unwrap();
    phones.finish().unwrap();
    let all = history(&bed, 2);
    assert_eq!(all[0]["id"], live[0]["id"]);
    assert!(all[1]["id"].as_u64() > live[0]["id"].as_u64(), "{all:?}");
    let registered = bed.json(&["phones"]);
    assert_eq!(registered.as_array().unwrap().len(), 3, "{registered}");
    bed.finish();
}
