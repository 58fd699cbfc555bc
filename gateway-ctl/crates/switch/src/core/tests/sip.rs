//! Phones that speak SIP, among themselves and with lines of H.248.

use ::sip::ua::Event;

use super::exchange::{Exchange, address_in, exchange, media};
use super::*;
use crate::address::Choice;

#[test]
fn phones_of_one_site_are_given_private_addresses_and_others_public_ones() {
    // Who calls whom, and what each is given of the other.
    for (caller, number, called, given, choice) in [
        (0, "7002", 1, ("10.10.1.11", "10.10.1.12"), Choice::Private),
        (
            0,
            "7003",
            2,
            ("198.51.100.1", "203.0.113.7"),
            Choice::Public,
        ),
        (
            2,
            "7001",
            0,
            ("203.0.113.7", "198.51.100.1"),
            Choice::Public,
        ),
        (
            0,
            "0123456",
            3,
            ("198.51.100.1", "192.0.2.90"),
            Choice::Public,
        ),
    ] {
        let mut exchange = exchange();
        let own = |at: usize| match at {
            0 => "10.10.1.11",
            1 => "10.10.1.12",
            2 => "10.10.1.1",
            _ => "192.0.2.90",
        };
        exchange.call(caller, number, &media(own(caller), 40_002));
        assert_eq!(
            exchange.offered(called).as_deref(),
            Some(given.0),
            "{caller} {called}"
        );
        exchange.answer(called, &media(own(called), 40_006));
        assert_eq!(
            exchange.answered(caller).as_deref(),
            Some(given.1),
            "{caller} {called}"
        );
        assert!(exchange.has(called, |event| matches!(event, Event::Confirmed { .. })));
        let live: Vec<LiveCall> = exchange.bed.switch.calls().collect();
        assert_eq!(live[0].progress, Progress::Talking);
        assert_eq!(live[0].choice, Some(choice));
        exchange.hang_up(called);
        assert_eq!(exchange.ended(caller), Some(::sip::ua::Cause::Remote));
        let record = &exchange.bed.records[0];
        assert_eq!(record.reason, EndReason::CalledHungUp);
        exchange.check_quiet();
    }
}

#[test]
fn a_change_within_a_call_has_the_chosen_addresses_too() {
    let mut exchange = exchange();
    exchange.call(2, "7001", &media("10.10.1.1", 40_002));
    exchange.answer(0, &media("10.10.1.11", 40_706));
    let (now, call) = (exchange.bed.now, exchange.phones[0].call.expect("a call"));
    let events = exchange.phones[0]
        .agent
        .reoffer(now, call, &media("10.10.1.11", 40_710));
    exchange.heed(0, events.expect("a change"));
    let offered = exchange.phones[2]
        .events
        .iter()
        .find_map(|event| match event {
            Event::Reoffer { offer, .. } => Some(address_in(offer)),
            _ => None,
        });
    assert_eq!(offered.as_deref(), Some("198.51.100.1"));
    exchange.answer(2, &media("10.10.1.1", 40_004));
    assert_eq!(exchange.answered(0).as_deref(), Some("203.0.113.7"));
    exchange.hang_up(2);
    exchange.check_quiet();
}

#[test]
fn a_phone_that_has_moved_in_a_call_is_told_its_end_where_it_is() {
    let mut exchange = exchange();
    exchange.call(2, "7001", &media("10.10.1.1", 40_002));
    exchange.answer(0, &media("10.10.1.11", 40_706));
    exchange.move_to(2, 40_020);
    exchange.hang_up(0);
    assert_eq!(exchange.ended(2), Some(::sip::ua::Cause::Remote));
    exchange.check_quiet();
}

#[test]
fn lines_of_h248_and_phones_by_sip_call_each_other() {
    let mut exchange = exchange();
    // A line at this site calls a phone at the other.
    exchange.bed.dial(0, "7003");
    exchange.run();
    assert_eq!(exchange.offered(2).as_deref(), Some("198.51.100.1"));
    exchange.answer(2, &media("10.10.1.1", 40_002));
    assert_eq!(exchange.bed.sends_to(0).as_deref(), Some("203.0.113.7"));
    exchange.bed.hang_up(0);
    exchange.run();
    assert_eq!(exchange.ended(2), Some(::sip::ua::Cause::Remote));
    exchange.check_quiet();
    // A phone calls a line of its site.
    exchange.call(0, "5002", &media("10.10.1.11", 40_702));
    assert_eq!(exchange.bed.signal(1), "al/ri");
    assert_eq!(exchange.bed.sends_to(1).as_deref(), Some("10.10.1.11"));
    assert!(exchange.has(0, |event| matches!(event, Event::Progress { .. })));
    exchange.bed.lift(1);
    exchange.run();
    assert_eq!(exchange.answered(0).as_deref(), Some("10.10.1.2"));
    let live: Vec<LiveCall> = exchange.bed.switch.calls().collect();
    assert_eq!(live[0].progress, Progress::Talking);
    // Hold, and back.
    for (way, mode) in [("a=sendonly\r\n", "10.10.1.11"), ("", "10.10.1.11")] {
        let (now, call) = (exchange.bed.now, exchange.phones[0].call.expect("a call"));
        let mut offer = media("10.10.1.11", 40_702);
        offer.extend(way.bytes());
        let events = exchange.phones[0]
            .agent
            .reoffer(now, call, &offer)
            .expect("a change");
        exchange.heed(0, events);
        assert_eq!(exchange.bed.sends_to(1).as_deref(), Some(mode));
        assert!(!exchange.has(0, |event| matches!(event, Event::ReofferRefused { .. })));
    }
    exchange.bed.hang_up(1);
    exchange.run();
    assert_eq!(exchange.ended(0), Some(::sip::ua::Cause::Remote));
    exchange.check_quiet();
}

#[test]
fn failures_are_told_and_nothing_is_left() {
    use ::sip::Status;
    use ::sip::ua::Cause;
    let offer = media("10.10.1.11", 40_702);
    // Nobody has the number; the other end is busy; nobody answers; who is called is away.
    let mut exchange = exchange();
    exchange.call(0, "4711", &offer);
    assert_eq!(exchange.ended(0), Some(Cause::Refused(Status::NOT_FOUND)));
    exchange.call(0, "7002", &offer);
    let (now, call) = (exchange.bed.now, exchange.phones[1].call.expect("a call"));
    let events = exchange.phones[1].agent.refuse(now, call, Status::BUSY);
    exchange.heed(1, events);
    assert_eq!(exchange.ended(0), Some(Cause::Refused(Status::BUSY)));
    assert_eq!(exchange.bed.records[1].reason, EndReason::Busy);
    // A line that is lifted.
    exchange.bed.lift(0);
    exchange.call(0, "5001", &offer);
    assert_eq!(exchange.ended(0), Some(Cause::Refused(Status::BUSY)));
    exchange.bed.hang_up(0);
    exchange.run();
    // It rings for a minute.
    for number in ["7002", "5002"] {
        exchange.call(0, number, &offer);
        let (now, call) = (exchange.bed.now, exchange.phones[1].call);
        if let (Some(call), "7002") = (call, number) {
            let events = exchange.phones[1]
                .agent
                .progress(now, call, Status::RINGING, b"");
            exchange.heed(1, events);
        }
        for _ in 0..7 {
            exchange.pass(Time::from_secs(10));
            for at in 0..5 {
                exchange.bed.beat(at);
            }
        }
        assert_eq!(
            exchange.ended(0),
            Some(Cause::Refused(Status::UNAVAILABLE)),
            "{number}"
        );
        let last = exchange.bed.records.last().expect("a record");
        assert_eq!(last.reason, EndReason::NoAnswer, "{number}");
    }
    // The caller gives up, and so does a line's.
    for number in ["7002", "5002"] {
        exchange.call(0, number, &offer);
        // Until everybody has said that it is being tried (RFC 3261 section 9.1).
        exchange.pass(Time::from_millis(300));
        exchange.hang_up(0);
        assert_eq!(exchange.ended(0), Some(Cause::Local), "{number}");
        let last = exchange.bed.records.last().expect("a record");
        assert_eq!(last.reason, EndReason::CallerHungUp, "{number}");
    }
    exchange.bed.dial(1, "7001");
    exchange.run();
    exchange.pass(Time::from_millis(300));
    exchange.bed.hang_up(1);
    exchange.run();
    assert_eq!(exchange.ended(0), Some(Cause::Cancelled));
    exchange.check_quiet();
}

#[test]
fn the_next_trunk_has_the_call_whatever_it_speaks() {
    use ::sip::Status;
    let mut exchange = exchange();
    exchange.call(0, "0123456", &media("10.10.1.11", 40_702));
    let (now, call) = (exchange.bed.now, exchange.phones[3].call.expect("a call"));
    let events = exchange.phones[3]
        .agent
        .refuse(now, call, Status::SERVICE_UNAVAILABLE);
    exchange.heed(3, events);
    // The second one is a media gateway, and is dialled.
    let trunk = &exchange.bed.fakes[4];
    assert_eq!(trunk.terminations["trunk/1"].signals.len(), 6);
    exchange.bed.event(4, "trunk/1", "al/of", None);
    exchange.run();
    assert_eq!(exchange.answered(0).as_deref(), Some("192.0.2.81"));
    exchange.hang_up(0);
    exchange.check_quiet();
}

#[test]
fn nobody_gets_in_without_a_password() {
    let mut exchange = exchange();
    let mut settings = exchange.bed.switch.settings().clone();
    if let Some(sip) = &mut settings.sip {
        sip.users.get_mut("7002").expect("a user").password = "another".to_owned();
    }
    exchange.bed.switch.reconfigure(settings);
    let events = exchange.phones[1].agent.register(exchange.bed.now);
    exchange.heed(1, events);
    assert!(exchange.has(1, |event| matches!(event, Event::RegisterFailed { .. })));
    exchange.call(1, "7001", &media("10.10.1.12", 40_770));
    assert!(exchange.ended(1).is_some() && exchange.offered(0).is_none());
    // A trunk calls no trunk.
    exchange.call(3, "0123456", &media("192.0.2.90", 40_770));
    assert_eq!(
        exchange.ended(3),
        Some(::sip::ua::Cause::Refused(::sip::Status::NOT_FOUND))
    );
    exchange.call(3, "7001", &media("192.0.2.90", 40_770));
    assert_eq!(exchange.offered(0).as_deref(), Some("192.0.2.90"));
    exchange.hang_up(3);
    exchange.check_quiet();
}

#[test]
fn killed_at_any_moment_established_calls_can_be_ended() {
    for number in ["7003", "5002"] {
        for ends in [0, 1] {
            let mut exchange = exchange();
            exchange.call(0, number, &media("10.10.1.11", 40_702));
            match number {
                "7003" => exchange.answer(2, &media("10.10.1.1", 40_006)),
                _ => {
                    exchange.bed.lift(1);
                    exchange.run();
                }
            }
            assert_eq!(exchange.bed.kept.len(), 1);
            exchange.kill();
            assert_eq!(exchange.bed.switch.accounts().count(), 3);
            match (ends, number) {
                (0, _) => exchange.hang_up(0),
                (_, "7003") => exchange.hang_up(2),
                _ => {
                    exchange.bed.hang_up(1);
                    exchange.run();
                }
            }
            exchange.check_quiet();
        }
    }
}

#[test]
fn the_operator_ends_a_call_and_both_hear_it() {
    let mut exchange = exchange();
    exchange.call(0, "7003", &media("10.10.1.11", 40_702));
    exchange.answer(2, &media("10.10.1.1", 40_006));
    let id = exchange.bed.switch.calls().next().expect("a call").id;
    let now = exchange.bed.now;
    assert!(exchange.bed.switch.end_call(now, id));
    exchange.run();
    assert_eq!(exchange.ended(0), Some(::sip::ua::Cause::Remote));
    assert_eq!(exchange.ended(2), Some(::sip::ua::Cause::Remote));
    let ladder = exchange.bed.switch.trace("7003");
    let said: Vec<&str> = ladder.iter().map(|rung| rung.what.as_str()).collect();
    assert!(
        said.iter().any(|what| what.starts_with("INVITE")),
        "{said:?}"
    );
    assert!(said.contains(&"ACK") && said.contains(&"BYE"), "{said:?}");
    exchange.check_quiet();
}

#[test]
fn who_is_heard_of_no_more_has_no_call_and_who_is_no_user_is_forgotten() {
    let mut exchange = exchange();
    exchange.call(0, "7003", &media("10.10.1.11", 40_702));
    exchange.answer(2, &media("10.10.1.1", 40_006));
    // Only the one at the other site registers again.
    for _ in 0..70 {
        exchange.bed.pass(Time::from_secs(10));
        for at in 0..5 {
            exchange.bed.beat(at);
        }
        exchange.run();
        let now = exchange.bed.now;
        let events = exchange.phones[2].agent.handle_timeout(now);
        exchange.heed(2, events);
    }
    assert_eq!(exchange.ended(2), Some(::sip::ua::Cause::Remote));
    assert_eq!(exchange.bed.records[0].reason, EndReason::GatewayLost);
    let users = exchange.bed.switch.accounts();
    let users: Vec<String> = users.map(|account| account.user.clone()).collect();
    assert_eq!(users, ["7003"]);
    let mut settings = exchange.bed.switch.settings().clone();
    if let Some(sip) = &mut settings.sip {
        sip.users.remove("7003");
    }
    exchange.bed.switch.reconfigure(settings);
    exchange.run();
    assert!(exchange.accounts.is_empty());
}

#[test]
fn when_sip_is_spoken_no_more_its_calls_end() {
    let mut exchange = exchange();
    exchange.call(0, "5002", &media("10.10.1.11", 40_702));
    exchange.bed.lift(1);
    exchange.run();
    let mut settings = exchange.bed.switch.settings().clone();
    settings.sip = None;
    exchange.bed.switch.reconfigure(settings);
    exchange.run();
    assert_eq!(exchange.ended(0), Some(::sip::ua::Cause::Remote));
    exchange.bed.hang_up(1);
    exchange.bed.check_quiet();
}

/// A call of phone 0 as far as it comes, through all of which time passes.
fn whole_call(exchange: &mut Exchange, number: &str, called: usize) {
    exchange.call(0, number, &media("10.10.1.11", 40_702));
    let is_line = number == "5002";
    for _ in 0..40 {
        exchange.pass(Time::from_millis(300));
        if is_line && exchange.bed.signal(1) == "al/ri" {
            exchange.bed.lift(1);
            exchange.run();
            break;
        }
        if !is_line && exchange.phones[called].call.is_some() {
            exchange.answer(called, &media("10.10.1.1", 40_006));
            break;
        }
    }
    for _ in 0..10 {
        exchange.pass(Time::from_millis(700));
    }
    exchange.hang_up(0);
    for _ in 0..30 {
        exchange.pass(Time::from_millis(700));
    }
    // Whoever has not been told hangs up, and looks after itself.
    if number == "5002" {
        exchange.bed.hang_up(1);
        exchange.run();
    }
    for call in exchange.calls_to(called) {
        let now = exchange.bed.now;
        let events = exchange.phones[called].agent.hang_up(now, call);
        exchange.heed(called, events);
    }
    for _ in 0..20 {
        exchange.pass(Time::from_secs(10));
        for at in 0..5 {
            exchange.bed.beat(at);
        }
    }
}

#[test]
fn killed_after_any_message_nothing_is_left() {
    for (number, called) in [("7002", 1), ("7003", 2), ("5002", 1)] {
        for at in 1..26 {
            let mut exchange = exchange();
            exchange.kill_at = Some(exchange.delivered() + at);
            whole_call(&mut exchange, number, called);
            exchange.kill_at = None;
            exchange.check_quiet();
            // And all can call again.
            exchange.call(0, number, &media("10.10.1.11", 40_702));
            exchange.pass(Time::from_millis(300));
            let offered = match number {
                "5002" => exchange.bed.signal(1) == "al/ri",
                _ => exchange.offered(called).is_some(),
            };
            assert!(offered, "{number}, killed after {at}");
        }
    }
}

#[test]
fn what_is_lost_or_doubled_is_made_up_for() {
    for (number, called) in [("7002", 1), ("7003", 2), ("5002", 1)] {
        for every in 2..9 {
            for lose in [false, true] {
                let mut exchange = exchange();
                match lose {
                    true => exchange.loses = Some(every),
                    false => exchange.doubles = Some(every),
                }
                whole_call(&mut exchange, number, called);
                let talked = |event: &Event| matches!(event, Event::Answered { .. });
                assert!(
                    exchange.has(0, talked),
                    "{number}, every {every}, lost: {lose}"
                );
                exchange.check_quiet();
            }
        }
    }
}

#[test]
fn a_call_is_found_by_the_number_that_was_dialled() {
    let mut exchange = exchange();
    exchange.call(0, "0123456", &media("10.10.1.11", 40_702));
    exchange.answer(3, &media("192.0.2.90", 40_770));
    exchange.kill();
    exchange.hang_up(0);
    let ladder = exchange.bed.switch.trace("0123456");
    assert!(ladder.iter().any(|rung| rung.what == "BYE"), "{ladder:?}");
    exchange.check_quiet();
}
