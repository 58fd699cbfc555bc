//! A restart that comes again.

use super::*;

#[test]
fn a_doubled_restart_does_no_harm() {
    let mut bed = bed();
    // While dialling.
    bed.lift(A1);
    bed.restart_again(A1);
    assert_eq!(bed.signal(A1), "cg/dt");
    bed.event(A1, "line1", "dd/ce", Some("5002"));
    // While it rings, and while they talk.
    for _ in 0..2 {
        bed.pass(Time::from_millis(100));
        bed.restart_again(A1);
        bed.restart_again(A2);
        assert_eq!(bed.switch.calls.len(), 1);
        bed.lift(A2);
    }
    assert_eq!(bed.fakes[A1].contexts() + bed.fakes[A2].contexts(), 2);
    bed.hang_up(A1);
    assert_eq!(bed.signal(A2), "cg/bt");
    bed.restart_again(A2);
    assert_eq!(bed.signal(A2), "cg/bt");
    bed.hang_up(A2);
    assert_eq!(reasons(&bed), [EndReason::CallerHungUp]);
    bed.check_quiet();
}

#[test]
fn a_phone_that_started_twice_has_lost_its_calls() {
    for talking in [false, true] {
        for who in [A1, A2] {
            let mut bed = bed();
            bed.dial(A1, "5002");
            if talking {
                bed.lift(A2);
            }
            bed.pass(Time::from_millis(100));
            bed.fakes[who].reboot();
            bed.restart_again(who);
            assert_eq!(reasons(&bed), [EndReason::GatewayLost]);
            bed.hang_up(A1);
            bed.hang_up(A2);
            bed.check_quiet();
            for at in [A1, A2] {
                assert_eq!(bed.fakes[at].terminations["line1"].events, ["al/of"]);
            }
        }
    }
}

#[test]
fn a_phone_that_started_twice_waits_to_be_lifted() {
    let mut bed = bed();
    bed.fakes[A1].reboot();
    bed.restart_again(A1);
    assert_eq!(bed.fakes[A1].terminations["line1"].events, ["al/of"]);
    // While it dialled.
    bed.lift(A1);
    bed.fakes[A1].reboot();
    bed.restart_again(A1);
    assert_eq!(bed.fakes[A1].terminations["line1"].events, ["al/of"]);
    // It had left, and is back.
    bed.register(A1, Method::Forced);
    bed.fakes[A1].reboot();
    bed.restart_again(A1);
    assert_eq!(bed.registrations[&bed.fakes[A1].id()].service, Service::Up);
    bed.dial(A2, "5001");
    assert_eq!(bed.signal(A1), "al/ri");
    bed.hang_up(A2);
    bed.check_quiet();
}

/// Its answer to the audit of its lines is lost, and comes seconds later.
#[test]
fn a_phone_is_called_before_it_has_told_of_its_lines() {
    let mut bed = bed();
    bed.forget();
    for at in [A1, A2] {
        bed.hold = at == A2;
        bed.register(at, Method::Restart);
    }
    let held = std::mem::take(&mut bed.held);
    bed.hold = false;
    bed.dial(A1, "5002");
    assert_eq!(bed.signal(A2), "al/ri");
    bed.held = held;
    bed.let_go();
    assert_eq!(bed.signal(A2), "al/ri");
    bed.lift(A2);
    bed.hang_up(A1);
    bed.hang_up(A2);
    assert_eq!(reasons(&bed), [EndReason::CallerHungUp]);
    bed.check_quiet();
}

/// A controller dies in a call, and another has never heard of it.
#[test]
fn calls_of_another_controller_go_on_until_somebody_hangs_up() {
    let mut bed = bed();
    bed.dial(A1, "5002");
    bed.lift(A2);
    bed.forget();
    for at in [A1, A2] {
        bed.register(at, Method::Failover);
    }
    assert_eq!(bed.fakes[A1].contexts() + bed.fakes[A2].contexts(), 2);
    bed.hang_up(A1);
    assert_eq!((bed.fakes[A1].contexts(), bed.fakes[A2].contexts()), (0, 1));
    bed.hang_up(A2);
    bed.check_quiet();
    bed.dial(A1, "5002");
    bed.lift(A2);
    bed.hang_up(A2);
    bed.hang_up(A1);
    assert_eq!(reasons(&bed), [EndReason::CalledHungUp]);
    bed.check_quiet();
}

/// An audit that was asked before a call was made says nothing of it, and one that is answered
/// before the call's own reply does not end it.
#[test]
fn an_audit_and_a_call_that_overtake_each_other() {
    let mut bed = bed();
    bed.hold = true;
    bed.restart_again(A1);
    let mut audits = std::mem::take(&mut bed.held);
    bed.hold = false;
    let before = bed.answers(&mut audits);
    bed.pass(Time::from_millis(100));
    bed.dial(A1, "5002");
    bed.lift(A2);
    bed.take_answers(before);
    assert_eq!(bed.switch.calls.len(), 1);
    bed.hang_up(A1);
    bed.hang_up(A2);
    bed.check_quiet();

    bed.lift(A1);
    bed.hold = true;
    bed.event(A1, "line1", "dd/ce", Some("5002"));
    let mut seize = std::mem::take(&mut bed.held);
    let seized = bed.answers(&mut seize);
    bed.hold = false;
    bed.restart_again(A1);
    assert_eq!(bed.fakes[A1].contexts(), 1);
    bed.take_answers(seized);
    assert_eq!(bed.signal(A2), "al/ri");
    bed.pass(Time::from_secs(1));
    assert_eq!(bed.signal(A2), "al/ri");
    bed.hang_up(A1);
    bed.check_quiet();
}
