//! Simulated phones that speak SIP register with the gateway's switch, call each other, lines of
//! H.248 and a trunk; and over a kill of the daemon.

use gateway_tests::phone::Phones;
use gateway_tests::wait::eventually;
use serde_json::Value;

use crate::bed::{Bed, LONG};
use crate::config::Config;

const SWITCH: &str = r#"
[switch]
name = "switch.example"
heartbeat = "2s"
[sip]
[[line]]
number = "7001"
password = "secret of a1"
[[line]]
number = "7002"
password = "secret of a2"
[[line]]
number = "7003"
password = "secret of b1"
[[line]]
number = "5001"
phone = "h1"
[[trunk]]
name = "carrier"
sip = "203.0.113.10:51000"
[[route]]
prefix = "0"
trunks = ["carrier"]
"#;

/// Three phones behind the gateway: two by SIP, one by H.248; one in the internet, and a carrier.
struct Exchange {
    bed: Bed,
    phones: Phones,
}

fn exchange() -> Exchange {
    let bed = Bed::with(
        &gateway_tests::site::Site::builder(),
        &Config::default().text(SWITCH),
    );
    let mut phones = Phones::start();
    let netns = |number: usize| bed.phone(number).ns.name().to_owned();
    phones
        .tell(&format!(
            "default protocol=sip domain=switch.example
             phone a1 netns={} address=10.10.1.1 ports=40000-40031 user=7001 password=\"secret of a1\" switch=10.10.0.1
             phone a2 netns={} address=10.10.1.2 ports=40064-40095 user=7002 password=\"secret of a2\" switch=10.10.0.1
             phone h1 netns={} address=10.10.1.2 ports=40096-40127 protocol=h248 mid=h1 number=5001 switch=10.10.0.1
             phone b1 netns={internet} address=203.0.113.10 ports=50000-50063 user=7003 password=\"secret of b1\" switch=198.51.100.1
             phone carrier netns={internet} address=203.0.113.10 ports=51000-51063 user=carrier switch=198.51.100.1
             a1,a2,h1,b1 expect registered within 20s",
            netns(1),
            netns(2),
            netns(2),
            internet = bed.internet().name()
        ))
        .unwrap();
    Exchange { bed, phones }
}

impl Exchange {
    /// A call from one to the other, ended by `last`.
    fn call(&mut self, caller: &str, number: &str, called: &str, choice: &str, last: &str) {
        let other = if last == caller { called } else { caller };
        self.phones
            .tell(&format!(
                "{caller} dial {number}
                 {called} expect ringing
                 {called} answer
                 {caller},{called} expect talking {choice} within 5s
                 {caller},{called} talk 600ms
                 {caller},{called} expect media lost<=1% source=remote
                 {last} hangup
                 {other} expect hungup
                 {other} hangup
                 {caller},{called} expect idle"
            ))
            .unwrap();
    }

    /// Calls that are over.
    fn history(&self, calls: usize) -> Vec<Value> {
        eventually(LONG, || {
            let output = self.bed.gateway.ctl(&["calls", "history", "-o", "json"]);
            let output = output.unwrap();
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
}

#[test]
fn phones_by_sip_are_given_the_right_addresses() {
    let mut exchange = exchange();
    exchange.call("a1", "7002", "a2", "private", "a1");
    exchange.call("a1", "7003", "b1", "public", "b1");
    exchange.call("a2", "0163299", "carrier", "public", "a2");
    exchange.call("b1", "7001", "a1", "public", "a1");
    exchange
        .phones
        .tell(
            "a1 dial 4711
             a1 expect event refused code=404
             a1 hangup
             a1 dial 7002
             a2 expect ringing
             a2 refuse
             a1 expect event refused code=603
             a1 hangup",
        )
        .unwrap();
    let all = exchange.history(6);
    let told = |at: usize, key: &str| all[at][key].as_str().unwrap_or_default().to_owned();
    let choices: Vec<String> = (0..4).map(|at| told(at, "choice")).collect();
    assert_eq!(choices, ["private", "public", "public", "public"]);
    let reasons: Vec<String> = (0..6).map(|at| told(at, "reason")).collect();
    let hung_up = [
        "caller_hung_up",
        "called_hung_up",
        "caller_hung_up",
        "called_hung_up",
    ];
    assert_eq!(reasons[..4], hung_up);
    assert_eq!(reasons[4..], ["no_such_number", "busy"]);
    let ladder = exchange
        .bed
        .gateway
        .ctl(&["calls", "trace", "7003"])
        .unwrap();
    for word in ["INVITE", "180 Ringing", "200 OK", "ACK", "BYE"] {
        assert!(ladder.stdout.contains(word), "{word}: {ladder:?}");
    }
    let registered = exchange.bed.json(&["phones"]);
    let by_sip = registered.as_array().unwrap().iter();
    let by_sip = by_sip.filter(|phone| phone["protocol"] == "sip");
    assert_eq!(by_sip.count(), 3, "{registered}");
    exchange.phones.finish().unwrap();
    exchange.bed.finish();
}

#[test]
fn lines_of_h248_and_phones_by_sip_call_each_other() {
    let mut exchange = exchange();
    exchange.call("a1", "5001", "h1", "private", "a1");
    exchange.call("h1", "7003", "b1", "public", "b1");
    exchange.call("h1", "0163299", "carrier", "public", "h1");
    exchange
        .phones
        .tell(
            "h1 dial 7001
             a1 expect ringing
             h1 expect ringback
             h1 hangup
             a1 expect quiet
             a1 dial 5001
             h1 expect ringing
             a1 hangup
             h1 expect quiet",
        )
        .unwrap();
    exchange.phones.finish().unwrap();
    exchange.bed.finish();
}

#[test]
fn a_killed_switch_loses_no_call_by_sip() {
    let mut exchange = exchange();
    for (number, called, last, other) in [("7003", "b1", "b1", "a1"), ("5001", "h1", "a1", "h1")] {
        exchange
            .phones
            .tell(&format!(
                "a1 dial {number}
                 {called} expect ringing
                 {called} answer
                 a1,{called} expect talking within 5s"
            ))
            .unwrap();
        eventually(LONG, || {
            let live = exchange.bed.json(&["calls"]);
            match live[0]["progress"] == "talking" {
                true => Ok(()),
                false => Err(live.to_string()),
            }
        })
        .unwrap();
        exchange.bed.gateway.kill9().unwrap();
        exchange
            .phones
            .tell(&format!("a1,{called} talk 300ms"))
            .unwrap();
        exchange.bed.gateway.restart(LONG).unwrap();
        exchange
            .phones
            .tell(&format!(
                "a1,{called} talk 300ms
                 {last} hangup
                 {other} expect hungup within 20s
                 {other} hangup
                 a1,{called} expect idle"
            ))
            .unwrap();
    }
    assert_eq!(exchange.history(2).len(), 2);
    exchange.phones.finish().unwrap();
    exchange.bed.finish();
}
