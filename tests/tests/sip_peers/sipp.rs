//! sipp as phone: registrations and calls that end in every way, over UDP and TCP.

use serde_json::Value;

use crate::bed::{Bed, PUBLIC, Party, history, registered};
use crate::program::sipp::{Over, Play};

fn register(bed: &Bed, party: &Party) {
    Play::once("register", party).run();
    let phone = registered(&bed.gateway, party.number);
    let address = format!("{}:{}", party.address, party.ports + 10);
    assert_eq!(phone["address"], address.as_str(), "{phone}");
}

fn reason(call: &Value) -> &str {
    call["reason"].as_str().unwrap()
}

/// Two of the site, the one in the internet; all registered.
fn parties(bed: &Bed) -> [Party; 3] {
    let [a1, a2] = bed.inside();
    let all = [a1, a2, bed.outside()];
    for party in &all {
        register(bed, party);
    }
    all
}

#[test]
fn who_has_the_password_is_registered() {
    let bed = Bed::new();
    let [a1, a2] = bed.inside();
    let wrong = Party {
        number: "7001",
        ..a2.clone()
    };
    let mut play = Play::once("register", &wrong);
    play.password = Some("guess");
    let told = play.start().fail();
    assert!(told.contains("401"), "{told}");
    assert_eq!(bed.json(&["phones"]), serde_json::json!([]));
    register(&bed, &a1);
    Play::once("register", &bed.outside()).over(Over::Tcp).run();
    let phone = registered(&bed.gateway, "7003");
    assert_eq!(phone["transport"], "tcp", "{phone}");
}

/// Their connection is over when they are called: a new one is made to their Contact.
#[test]
fn phones_over_tcp_are_connected_to_again() {
    let bed = Bed::new();
    let [a1, a2] = bed.inside();
    for party in [&a1, &a2] {
        Play::once("register", party).over(Over::Tcp).run();
    }
    for (calls, (caller, called)) in [("call", "answer"), ("call_hung_up", "answer_hang_up")]
        .into_iter()
        .enumerate()
    {
        let (one, other) = (a1.address.to_string(), a2.address.to_string());
        let answering = Play::once(called, &a2).over(Over::Tcp).given(&one).start();
        Play::once(caller, &a1)
            .over(Over::Tcp)
            .to("7002")
            .given(&other)
            .run();
        answering.finish();
        history(&bed.gateway, calls + 1);
    }
}

/// Caller's and called one's scenario, and why the call was over.
const ENDS: [(&str, &str, &str); 5] = [
    ("call", "answer", "caller_hung_up"),
    ("call_hung_up", "answer_hang_up", "called_hung_up"),
    ("call_changed", "answer_changed", "caller_hung_up"),
    ("call_cancelled", "answer_cancelled", "caller_hung_up"),
    ("call_busy", "answer_busy", "busy"),
];

fn calls(over: Over) {
    let bed = Bed::new();
    let [a1, a2, b1] = parties(&bed);
    let mut calls = 0;
    for (caller, called, why) in ENDS {
        let public = PUBLIC.to_string();
        for (from, to, choice) in [
            (&a1, &a2, "private"),
            (&a2, &b1, "public"),
            (&b1, &a1, "public"),
        ] {
            let address = |party: &Party| match choice {
                "public" if party.number != "7003" => public.clone(),
                _ => party.address.to_string(),
            };
            let (caller_is_given, called_is_given) = (address(to), address(from));
            let answering = Play::once(called, to).given(&called_is_given).start();
            Play::once(caller, from)
                .over(over)
                .to(to.number)
                .given(&caller_is_given)
                .run();
            answering.finish();
            calls += 1;
            let over = history(&bed.gateway, calls);
            assert_eq!(reason(&over[calls - 1]), why, "{caller}: {over:?}");
            assert_eq!(over[calls - 1]["choice"], choice, "{caller}: {over:?}");
        }
    }
}

#[test]
fn calls_end_in_every_way_over_udp() {
    calls(Over::Udp);
}

#[test]
fn callers_over_tcp_reach_phones_over_udp() {
    calls(Over::Tcp);
}

#[test]
fn many_calls_at_once_all_succeed() {
    const CALLS: u32 = 200;
    let bed = Bed::new();
    let [a1, a2, _] = parties(&bed);
    let (one, other) = (a1.address.to_string(), a2.address.to_string());
    for (over, total) in [(Over::Udp, CALLS), (Over::Tcp, 2 * CALLS)] {
        let answering = Play::once("answer", &a2)
            .given(&one)
            .many(CALLS, 50)
            .start();
        Play::once("call", &a1)
            .over(over)
            .to("7002")
            .given(&other)
            .many(CALLS, 50)
            .run();
        answering.finish();
        let over = history(&bed.gateway, total as usize);
        assert!(over.iter().all(|call| reason(call) == "caller_hung_up"));
    }
}
