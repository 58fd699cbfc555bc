//! Who may lead the switch where, and what is made of it.

use ::sip::ua::Event;

use super::exchange::{Exchange, exchange, media};
use super::*;

/// What a phone was sent last that begins so.
fn heard(exchange: &Exchange, at: usize, begin: &str) -> String {
    let begin = format!("{at} hears\n{begin}");
    let mut said = exchange.said.iter().rev();
    let found = said.find(|text| text.starts_with(&begin));
    found
        .cloned()
        .unwrap_or_else(|| panic!("{at} has not heard {begin}"))
}

#[test]
fn a_trunk_is_told_the_address_that_it_reaches_us_at() {
    let mut exchange = exchange();
    exchange.call(0, "0123456", &media("10.10.1.11", 40_702));
    let invite = heard(&exchange, 3, "INVITE");
    let route = "Record-Route: <sip:c1@198.51.100.1:5060;lr>";
    assert!(invite.contains(route), "{invite}");
    exchange.answer(3, &media("192.0.2.90", 40_770));
    exchange.hang_up(3);
    assert_eq!(exchange.ended(0), Some(::sip::ua::Cause::Remote));
    exchange.check_quiet();
}

#[test]
fn nobody_chooses_the_way_behind_the_switch() {
    let mut exchange = exchange();
    // A Route of the caller's own leads past the dial plan.
    let route = "Route: <sip:00900123@192.0.2.90>\r\nRemote-Party-ID: <sip:1@x>\r\n\
                 P-Asserted-Identity: <sip:1@x>\r\nMax-Forwards";
    exchange.changes = Some(("Max-Forwards", route));
    exchange.call(0, "7002", &media("10.10.1.11", 40_702));
    let invite = heard(&exchange, 1, "INVITE");
    for word in ["192.0.2.90", "Remote-Party-ID", "Asserted"] {
        assert!(!invite.contains(word), "{word}: {invite}");
    }
    exchange.changes = None;
    exchange.pass(Time::from_millis(300));
    exchange.hang_up(0);
    // A Contact at a trunk's address: calls go to where the phone is all the same.
    let contact = "Contact: <sip:7002@10.10.1.12:40768>";
    exchange.changes = Some((contact, "Contact: <sip:00900@192.0.2.90>"));
    let events = exchange.phones[1].agent.register(exchange.bed.now);
    exchange.heed(1, events);
    exchange.call(0, "7002", &media("10.10.1.11", 40_702));
    let invite = heard(&exchange, 1, "INVITE");
    assert!(invite.contains("sip:00900@192.0.2.90"), "{invite}");
    exchange.pass(Time::from_millis(300));
    exchange.hang_up(0);
    // A way that it has not come, and what nobody writes.
    for extra in [
        "Path: <sip:192.0.2.90;lr>\r\nMax-Forwards",
        "User-Agent: \"\u{1}\"\r\nMax-Forwards",
    ] {
        exchange.phones[1].events.clear();
        exchange.changes = Some(("Max-Forwards", extra));
        let events = exchange.phones[1].agent.register(exchange.bed.now);
        exchange.heed(1, events);
        let refused = |event: &Event| matches!(event, Event::RegisterFailed { .. });
        assert!(exchange.has(1, refused), "{extra}");
    }
}

#[test]
fn who_declines_is_not_called_by_the_next_trunk() {
    use ::sip::Status;
    for status in [Status::BUSY, Status::DECLINE, Status::NOT_FOUND] {
        let mut exchange = exchange();
        exchange.call(0, "0123456", &media("10.10.1.11", 40_702));
        let (now, call) = (exchange.bed.now, exchange.phones[3].call.expect("a call"));
        let events = exchange.phones[3].agent.refuse(now, call, status);
        exchange.heed(3, events);
        assert_eq!(exchange.ended(0), Some(::sip::ua::Cause::Refused(status)));
        assert_eq!(exchange.bed.fakes[4].contexts(), 0);
        exchange.check_quiet();
    }
}

#[test]
fn the_switch_can_end_a_call_that_has_outlived_it() {
    let mut exchange = exchange();
    exchange.call(0, "7003", &media("10.10.1.11", 40_702));
    exchange.answer(2, &media("10.10.1.1", 40_006));
    // Changes count on.
    for port in [40_704, 40_706] {
        let (now, call) = (exchange.bed.now, exchange.phones[0].call.expect("a call"));
        let offer = media("10.10.1.11", port);
        let events = exchange.phones[0].agent.reoffer(now, call, &offer);
        exchange.heed(0, events.expect("a change"));
        exchange.answer(2, &media("10.10.1.1", 40_006));
    }
    exchange.kill();
    let id = exchange.bed.switch.calls().next().expect("a call").id;
    let now = exchange.bed.now;
    assert!(exchange.bed.switch.end_call(now, id));
    exchange.run();
    for at in [0, 2] {
        assert_eq!(exchange.ended(at), Some(::sip::ua::Cause::Remote), "{at}");
    }
    exchange.check_quiet();
}

#[test]
fn many_users_that_go_at_once_are_no_single_batch() {
    let mut exchange = exchange();
    let mut settings = exchange.bed.switch.settings().clone();
    let users = (0..300).map(|number| {
        let mut account = exchange.accounts["7001"].clone();
        account.user = format!("x{number}");
        account
    });
    let users: Vec<Account> = users.collect();
    let now = exchange.bed.now;
    exchange.bed.switch.restore_accounts(now, users);
    settings.no_answer += Time::from_secs(1);
    exchange.bed.switch.reconfigure(settings);
    let mut forgotten = 0;
    while let Some(output) = exchange.bed.switch.next_output() {
        if let Output::Commit { changes, .. } = output {
            assert!(changes.len() <= 64);
            forgotten += changes.len();
        }
    }
    assert_eq!(forgotten, 300);
}

#[test]
fn a_change_that_a_silent_line_cannot_make_is_refused() {
    let mut exchange = exchange();
    exchange.call(0, "5002", &media("10.10.1.11", 40_702));
    exchange.bed.lift(1);
    exchange.run();
    // Nothing is heard of the line's gateway.
    exchange.bed.fakes[1].dead = true;
    for _ in 0..12 {
        exchange.bed.pass(Time::from_secs(10));
        exchange.run();
    }
    let (now, call) = (exchange.bed.now, exchange.phones[0].call.expect("a call"));
    let offer = media("10.10.1.11", 40_704);
    let events = exchange.phones[0].agent.reoffer(now, call, &offer);
    exchange.heed(0, events.expect("a change"));
    let refused = |event: &Event| matches!(event, Event::ReofferRefused { .. });
    assert!(exchange.has(0, refused), "{:?}", exchange.phones[0].events);
    exchange.hang_up(0);
}

#[test]
fn a_trunk_that_has_not_answered_comes_last_for_a_while() {
    let mut exchange = exchange();
    // Nothing comes to the first trunk.
    exchange.deaf = Some(3);
    exchange.call(0, "0123456", &media("10.10.1.11", 40_702));
    for _ in 0..40 {
        exchange.pass(Time::from_secs(1));
        for at in 0..5 {
            exchange.bed.beat(at);
        }
    }
    assert_eq!(exchange.bed.fakes[4].contexts(), 1);
    exchange.hang_up(0);
    // The next call does not wait for it.
    exchange.call(0, "0123457", &media("10.10.1.11", 40_702));
    assert_eq!(exchange.bed.fakes[4].contexts(), 1);
    exchange.pass(Time::from_millis(300));
    exchange.hang_up(0);
    // It is tried again later.
    for _ in 0..7 {
        exchange.pass(Time::from_secs(10));
        for at in 0..5 {
            exchange.bed.beat(at);
        }
    }
    exchange.deaf = None;
    exchange.call(0, "0123458", &media("10.10.1.11", 40_702));
    assert!(exchange.offered(3).is_some());
    exchange.pass(Time::from_millis(300));
    exchange.hang_up(0);
    exchange.check_quiet();
}
