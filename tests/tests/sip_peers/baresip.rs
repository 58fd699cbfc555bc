//! baresip calls baresip and lines of H.248 at one site.

use std::time::Duration;

use gateway_tests::phone::Phones;
use gateway_tests::site::ROUTER_INSIDE;
use gateway_tests::wait::eventually;

use crate::bed::{Bed, LONG, history, registered};
use crate::program::baresip::{Baresip, Over};

/// What the two say, in Hz.
const TONES: [u16; 2] = [440, 1000];
const A_WHILE: Duration = Duration::from_secs(1);

/// Two phones of the site, registered.
fn phones(bed: &Bed, over: Over) -> [Baresip; 2] {
    let [one, other] = bed.inside();
    let both = [(one, TONES[0]), (other, TONES[1])];
    let both = both.map(|(party, hz)| Baresip::start(&party, over, hz));
    for phone in &both {
        let seen = registered(&bed.gateway, phone.party.number);
        assert_eq!(seen["transport"], over.name(), "{seen}");
        assert_eq!(seen["private"], phone.party.address.to_string().as_str());
    }
    both
}

/// One calls, the other one answers, both hear each other.
fn talk(caller: &mut Baresip, called: &mut Baresip) {
    caller.dial(called.party.number);
    let ringing = called.answer();
    let from = ringing["peeruri"].as_str().unwrap_or_default();
    assert!(from.contains(caller.party.number), "{ringing}");
    caller.expect("CALL_ESTABLISHED");
    called.expect("CALL_ESTABLISHED");
    let tone = |phone: &Baresip| TONES[usize::from(phone.party.number == "7002")];
    caller.hears(tone(called), A_WHILE);
    called.hears(tone(caller), A_WHILE);
}

fn calls(over: Over) {
    let bed = Bed::new();
    let [mut one, mut other] = phones(&bed, over);
    talk(&mut one, &mut other);
    one.hang_up();
    other.expect("CALL_CLOSED");
    talk(&mut other, &mut one);
    // Who was called ends it.
    one.hang_up();
    other.expect("CALL_CLOSED");
    let over = history(&bed.gateway, 2);
    assert_eq!(over[0]["reason"], "caller_hung_up", "{over:?}");
    assert_eq!(over[1]["reason"], "called_hung_up", "{over:?}");
    assert!(over.iter().all(|call| call["choice"] == "private"));
    // Refused, and given up.
    one.dial("7002");
    other.expect("CALL_INCOMING");
    other.hang_up();
    one.expect("CALL_CLOSED");
    one.dial("7002");
    other.expect("CALL_INCOMING");
    one.hang_up();
    other.expect("CALL_CLOSED");
    history(&bed.gateway, 4);
    one.dial("4711");
    one.expect("CALL_CLOSED");
    let over = history(&bed.gateway, 5);
    let reasons: Vec<&str> = over[2..]
        .iter()
        .filter_map(|call| call["reason"].as_str())
        .collect();
    assert_eq!(reasons, ["busy", "caller_hung_up", "no_such_number"]);
}

#[test]
fn phones_of_a_site_talk_over_udp() {
    calls(Over::Udp);
}

#[test]
fn phones_of_a_site_talk_over_tcp() {
    calls(Over::Tcp);
}

#[test]
fn phones_of_a_site_talk_over_tls() {
    calls(Over::Tls);
}

/// Connections end with the daemon; those that are made anew carry the end of the call: by the phone, which
/// registers again, or over TCP by the switch.
fn killed(over: Over, again: bool) {
    let mut bed = Bed::new();
    let [mut one, mut other] = phones(&bed, over);
    talk(&mut one, &mut other);
    let before = registered(&bed.gateway, "7002")["address"].clone();
    bed.gateway.kill9().unwrap();
    bed.gateway.restart(LONG).unwrap();
    eventually(LONG, || {
        let now = registered(&bed.gateway, "7002")["address"].clone();
        match again && now == before {
            true => Err(format!("it is still at {now}")),
            false => Ok(()),
        }
    })
    .unwrap();
    one.hang_up();
    other.expect("CALL_CLOSED");
    let over = history(&bed.gateway, 1);
    assert_eq!(over[0]["reason"], "caller_hung_up", "{over:?}");
}

#[test]
fn a_killed_switch_loses_no_call_over_tcp() {
    killed(Over::Tcp, false);
}

#[test]
fn a_killed_switch_loses_no_call_over_tls() {
    killed(Over::Tls, true);
}

#[test]
fn a_phone_and_a_line_of_h248_talk() {
    let bed = Bed::new();
    let [mut one, other] = phones(&bed, Over::Udp);
    drop(other);
    let mut lines = Phones::start();
    lines
        .tell(&format!(
            "phone h1 netns={} address=10.10.1.2 ports=40096-40127 protocol=h248 mid=h1 number=5001 \
             tone=1500 switch={ROUTER_INSIDE}
             h1 expect registered within 20s",
            bed.site.phone(2).ns.name()
        ))
        .unwrap();
    one.dial("5001");
    lines.tell("h1 expect ringing\nh1 answer").unwrap();
    one.expect("CALL_ESTABLISHED");
    lines.tell("h1 expect talking private\nh1 talk 1s").unwrap();
    lines
        .tell("h1 expect media tone=440 lost<=1% source=remote")
        .unwrap();
    one.hears(1500, A_WHILE);
    one.press("hold");
    lines.tell("h1 expect held").unwrap();
    one.press("resume");
    lines
        .tell("h1 expect talking private\nh1 talk 500ms")
        .unwrap();
    one.hang_up();
    lines
        .tell("h1 expect hungup\nh1 hangup\nh1 expect idle")
        .unwrap();
    // And the other way.
    lines.tell("h1 dial 7001\nh1 expect ringback").unwrap();
    one.answer();
    one.expect("CALL_ESTABLISHED");
    lines.tell("h1 expect talking private\nh1 talk 1s").unwrap();
    one.hears(1500, A_WHILE);
    lines
        .tell("h1 expect media tone=440 lost<=1%\nh1 hangup\nh1 expect idle")
        .unwrap();
    one.expect("CALL_CLOSED");
    let over = history(&bed.gateway, 2);
    assert!(
        over.iter().all(|call| call["reason"] == "caller_hung_up"),
        "{over:?}"
    );
    lines.finish().unwrap();
}
