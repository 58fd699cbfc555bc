mod again;
mod bed;
mod exchange;
mod fake;
mod origins;
mod sip;
mod sip_guards;

use megaco::Method;

use super::*;
use crate::address::Choice;
use crate::record::{EndReason, Progress};
use crate::registration::Service;
use bed::{Bed, HERE, THERE, TRUNKS, bed};

/// Gateways of the bed: two phones here, one there, two to elsewhere.
const A1: usize = 0;
const A2: usize = 1;
const B1: usize = 2;
const TRUNK: usize = 3;
const BACKUP: usize = 4;

fn reasons(bed: &Bed) -> Vec<EndReason> {
    bed.records.iter().map(|record| record.reason).collect()
}

#[test]
fn lines_wait_to_be_lifted() {
    let bed = bed();
    for at in [A1, A2, B1] {
        let line = &bed.fakes[at].terminations["line1"];
        assert_eq!(line.events, ["al/of"]);
    }
    assert_eq!(bed.registrations.len(), 5);
    assert_eq!(bed.registrations[&bed.fakes[A1].id()].lines, ["line1"]);
    bed.check_quiet();
}

#[test]
fn a_call_at_one_site_is_given_private_addresses() {
    let mut bed = bed();
    bed.lift(A1);
    assert_eq!(bed.signal(A1), "cg/dt");
    bed.event(A1, "line1", "dd/ce", Some("5002"));
    assert_eq!((bed.signal(A1), bed.signal(A2)), ("cg/rt", "al/ri"));
    assert!(bed.kept.is_empty());
    bed.lift(A2);
    assert_eq!((bed.signal(A1), bed.signal(A2)), ("", ""));
    assert_eq!(bed.sends_to(A1).as_deref(), Some("10.10.1.2"));
    assert_eq!(bed.sends_to(A2).as_deref(), Some("10.10.1.1"));
    assert_eq!(bed.kept.len(), 1);
    bed.now += Time::from_secs(10);
    bed.hang_up(A1);
    assert_eq!(bed.signal(A2), "cg/bt");
    bed.hang_up(A2);
    bed.check_quiet();
    let record = bed.records.pop().expect("a record");
    assert_eq!(record.reason, EndReason::CallerHungUp);
    assert_eq!(record.choice, Some(Choice::Private));
    assert_eq!(record.caller.number.as_deref(), Some("5001"));
    let called = record.called.expect("it was called");
    assert_eq!(called.number.as_deref(), Some("5002"));
    assert_eq!(
        called.statistics.last(),
        Some(&("rtp/ps".to_owned(), "7".to_owned()))
    );
    assert_eq!(record.ended - record.answered.expect("it was"), 10_000);
}

#[test]
fn a_call_between_sites_is_given_public_addresses() {
    let mut bed = bed();
    bed.dial(A1, "5003");
    bed.lift(B1);
    assert_eq!(bed.sends_to(A1), Some(THERE.to_string()));
    assert_eq!(bed.sends_to(B1), Some(HERE.to_string()));
    bed.hang_up(B1);
    bed.hang_up(A1);
    assert_eq!(reasons(&bed), [EndReason::CalledHungUp]);
    bed.check_quiet();
}

#[test]
fn a_trunk_dials_and_the_next_one_takes_over() {
    let mut bed = bed();
    for (full, dead, expected) in [
        (false, false, TRUNK),
        (true, false, BACKUP),
        (false, true, BACKUP),
    ] {
        bed.fakes[TRUNK].full = full;
        bed.fakes[TRUNK].dead = dead;
        bed.dial(A1, "01632");
        let trunk = &bed.fakes[expected].terminations["trunk/1"];
        assert_eq!(trunk.signals, ["dg/d1", "dg/d6", "dg/d3", "dg/d2"]);
        bed.event(expected, "trunk/1", "al/of", None);
        let last = u8::try_from(expected - TRUNK).expect("few");
        let address = std::net::Ipv4Addr::from(u32::from(TRUNKS) + u32::from(last));
        assert_eq!(bed.sends_to(A1), Some(address.to_string()));
        assert_eq!(bed.sends_to(expected), Some(HERE.to_string()));
        bed.hang_up(A1);
        bed.event(expected, "trunk/1", "al/on", None);
        bed.check_quiet();
    }
    // Both are full.
    bed.fakes[TRUNK].dead = false;
    bed.fakes[TRUNK].full = true;
    bed.fakes[BACKUP].full = true;
    bed.dial(A1, "01632");
    assert_eq!(bed.signal(A1), "cg/ct");
    bed.hang_up(A1);
    assert_eq!(reasons(&bed).pop(), Some(EndReason::Congestion));
    bed.check_quiet();
}

#[test]
fn who_cannot_be_called() {
    let mut bed = bed();
    for (digits, reason, tone) in [
        ("5009", EndReason::NoSuchNumber, "cg/ct"),
        ("5001", EndReason::Busy, "cg/bt"),
        ("", EndReason::NoSuchNumber, "cg/ct"),
    ] {
        bed.dial(A1, digits);
        assert_eq!(bed.signal(A1), tone, "{digits}");
        bed.hang_up(A1);
        assert_eq!(reasons(&bed).pop(), Some(reason), "{digits}");
        bed.check_quiet();
    }
    bed.register(A2, Method::Forced);
    bed.dial(A1, "5002");
    assert_eq!(reasons(&bed).pop(), Some(EndReason::Unavailable));
    bed.hang_up(A1);
    bed.check_quiet();
}

#[test]
fn digits_one_by_one() {
    let mut bed = bed();
    bed.switch.settings.digit_maps = false;
    bed.lift(A1);
    for digit in ["dd/d5", "dd/d0", "dd/d0", "dd/d2"] {
        bed.event(A1, "line1", digit, None);
    }
    assert_eq!(bed.signal(A2), "al/ri");
    bed.hang_up(A1);
    assert_eq!(bed.signal(A2), "");
    assert_eq!(reasons(&bed), [EndReason::CallerHungUp]);
    // A trunk's number has no last digit: time ends it.
    bed.lift(A1);
    for digit in ["dd/d0", "dd/d1", "dd/d6", "dd/d3"] {
        bed.event(A1, "line1", digit, None);
    }
    assert!(bed.fakes[TRUNK].terminations["trunk/1"].signals.is_empty());
    bed.pass(Time::from_secs(6));
    assert_eq!(bed.fakes[TRUNK].terminations["trunk/1"].signals.len(), 3);
    bed.hang_up(A1);
    bed.check_quiet();
}

#[test]
fn nobody_answers() {
    let mut bed = bed();
    bed.dial(A1, "5002");
    bed.pass(Time::from_secs(59));
    assert_eq!(bed.signal(A2), "al/ri");
    bed.pass(Time::from_secs(1));
    assert_eq!((bed.signal(A1), bed.signal(A2)), ("cg/bt", ""));
    assert_eq!(bed.fakes[A2].terminations["line1"].events, ["al/of"]);
    bed.hang_up(A1);
    assert_eq!(reasons(&bed), [EndReason::NoAnswer]);
    bed.check_quiet();
}

/// A message that was sent while nobody listened comes when the phone has been lifted again.
#[test]
fn an_old_message_hangs_nobody_up() {
    let mut bed = bed();
    bed.dial(A1, "5002");
    bed.lift(A2);
    bed.hang_up(A1);
    let old = bed.fakes[A2].terminations["line1"].request;
    bed.kill();
    bed.lift(A2);
    let dialling = bed.fakes[A2].terminations["line1"].request;
    bed.request_is(A2, old);
    bed.hang_up(A2);
    bed.request_is(A2, dialling);
    assert_eq!(bed.signal(A2), "cg/dt");
    bed.event(A2, "line1", "dd/ce", Some("5001"));
    bed.hang_up(A2);
    bed.hang_up(A1);
    bed.check_quiet();
}

/// Hung up while the gateway has not answered yet, at each step.
#[test]
fn hung_up_before_the_gateway_has_answered() {
    for held in 0..4 {
        let mut bed = bed();
        if held == 0 {
            bed.hold = true;
            bed.dial(A1, "5002");
        } else {
            bed.lift(A1);
            bed.hold = true;
            bed.event(A1, "line1", "dd/ce", Some("5002"));
            // Some questions are answered, the next is not.
            for _ in 1..held {
                if let Some(next) = bed.held.pop_front() {
                    bed.hold = false;
                    bed.held.push_front(next);
                    bed.let_go();
                    bed.hold = true;
                }
            }
        }
        bed.hang_up(A1);
        bed.let_go();
        bed.check_quiet();
        assert_eq!(bed.signal(A2), "", "{held}");
        bed.dial(A1, "5002");
        bed.lift(A2);
        bed.hang_up(A1);
        bed.hang_up(A2);
        bed.check_quiet();
    }
}

#[test]
fn a_gateway_restarts_or_is_lost() {
    for lose in [false, true] {
        let mut bed = bed();
        bed.dial(A1, "5002");
        bed.lift(A2);
        if lose {
            bed.fakes[A2].dead = true;
            for _ in 0..8 {
                for at in [A1, B1, TRUNK, BACKUP] {
                    bed.beat(at);
                }
                bed.pass(Time::from_secs(15));
            }
            // They may still talk; what is over is over when somebody hangs up.
            assert_eq!(bed.switch.calls.len(), 1);
            bed.hang_up(A1);
            assert_eq!(reasons(&bed), [EndReason::CallerHungUp]);
        } else {
            bed.register(A2, Method::Restart);
            assert_eq!(bed.signal(A1), "cg/ct");
            assert_eq!(reasons(&bed), [EndReason::GatewayLost]);
            bed.hang_up(A1);
        }
        bed.check_quiet();
    }
}

#[test]
fn killed_in_every_state() {
    // On the way up: nothing is left of the call.
    for steps in 0..3 {
        let mut bed = bed();
        bed.lift(A1);
        if steps > 0 {
            bed.event(A1, "line1", "dd/ce", Some("5002"));
        }
        bed.kill();
        bed.pass(Time::from_secs(1));
        bed.hang_up(A1);
        bed.check_quiet();
        bed.dial(A1, "5002");
        assert_eq!(bed.signal(A2), "al/ri", "{steps}");
        bed.hang_up(A1);
    }
    // Established: it goes on, and can be ended.
    for by in [A1, A2] {
        let mut bed = bed();
        bed.dial(A1, "5002");
        bed.lift(A2);
        bed.kill();
        assert_eq!(bed.fakes[A1].contexts() + bed.fakes[A2].contexts(), 2);
        assert_eq!(bed.switch.calls.len(), 1);
        bed.hang_up(by);
        assert_eq!(bed.signal(A1 + A2 - by), "cg/bt");
        bed.hang_up(A1 + A2 - by);
        bed.check_quiet();
        // Numbers of calls do not begin anew.
        bed.dial(A1, "5002");
        bed.hang_up(A1);
        let ids: Vec<CallId> = bed.records.iter().map(|record| record.id).collect();
        assert_eq!(ids, [1, 2]);
    }
}

#[test]
fn who_is_not_known_is_refused() {
    let mut bed = bed();
    bed.fakes[A1].mid = megaco::Mid::Device(megaco::Name::literal("stranger"));
    let change = megaco::ServiceChange::new(Method::Restart, 901);
    let command = megaco::Command::ServiceChange(megaco::ServiceChangeRequest {
        terminations: TerminationId::Root.into(),
        change,
    });
    let action = ActionRequest::new(megaco::ContextId::Null, vec![command.into()]);
    let Heard::Refuse(error) = bed.request(A1, action) else {
        panic!("a stranger may register");
    };
    assert_eq!(error.code, megaco::ErrorCode::UNAUTHORIZED);
    assert_eq!(bed.switch.counters().unknown, 1);
}

#[test]
fn a_call_can_be_read_afterwards() {
    let mut bed = bed();
    bed.dial(A1, "5002");
    bed.lift(A2);
    bed.hang_up(A1);
    let ladder = bed.switch.trace("5002");
    let said: Vec<String> = ladder
        .iter()
        .map(|rung| {
            let number = rung.number.as_deref().unwrap_or("-");
            format!(
                "{} {number} {}",
                if rung.sent { "to" } else { "from" },
                rung.what
            )
        })
        .collect();
    for expected in [
        "from 5001 Notify al/of",
        "to 5001 C=- Modify line1 {E=al/on+dd/ce cg/dt}",
        "from 5001 Notify dd/ce 5002",
        "to 5001 C=$ Add line1 {E=al/on silence} Add $ {RC L=$:$}",
        "to 5002 C=$ Add line1 {al/ri E=al/of} Add $ {SR L=$:$ R=10.10.1.1:40004}",
        "from 5002 Notify al/of",
        "from 5001 Notify al/on",
    ] {
        assert!(
            said.iter().any(|said| said == expected),
            "{expected} in {said:#?}"
        );
    }
    assert_eq!(bed.switch.trace("5001"), ladder);
    assert_eq!(bed.switch.trace("5003").len(), 1, "it was told to wait");
    assert_eq!(bed.switch.trace("5004"), []);
}

#[test]
fn who_hangs_up_at_once_hears_no_busy_tone_later() {
    let mut bed = bed();
    bed.dial(A1, "5002");
    bed.lift(A2);
    bed.hold = true;
    bed.hang_up(A2);
    bed.hang_up(A1);
    bed.let_go();
    let ladder = bed.switch.trace("5001");
    let busy = ladder.iter().find(|rung| rung.what.contains("cg/bt"));
    assert_eq!(busy, None);
    bed.check_quiet();
    for at in [A1, A2] {
        assert_eq!(bed.fakes[at].terminations["line1"].events, ["al/of"]);
    }
}
