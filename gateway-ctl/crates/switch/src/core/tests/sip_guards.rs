//! Who may lead the switch where, and what is made of it.

use ::sip::ua::Event;

use super::exchange::{Exchange, exchange, media};
use super::*;
use crate::registration::NoLeases;

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

/// A message to the switch; what it says to that.
fn told(exchange: &mut Exchange, from: ::sip::Peer, message: &str) -> Vec<String> {
    let (now, bytes) = (exchange.bed.now, message.as_bytes().to_vec());
    let switch = &mut exchange.bed.switch;
    switch.sip_message(now, &NoLeases, from, bytes);
    let mut said = Vec::new();
    while let Some(output) = switch.next_output() {
        if let Output::Sip { to, bytes, .. } = output {
            assert_eq!(to.address, from.address);
            said.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    said
}

#[test]
fn who_shows_no_password_leaves_nothing() {
    let mut exchange = exchange();
    let before = exchange.bed.switch.sip_transactions();
    let local = Some(std::net::IpAddr::from([198, 51, 100, 1]));
    let from = ::sip::Peer::udp(([203, 0, 113, 66], 5060).into()).with_local(local);
    let request = |method: &str, uri: &str, more: &str| {
        format!(
            "{method} sip:{uri} SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.66;branch=z9hG4bK{method}\r\n\
             From: <sip:7001@switch.example>;tag=1\r\nTo: <sip:7001@switch.example>\r\n\
             Call-ID: x\r\nCSeq: 1 {method}\r\n{more}Content-Length: 0\r\n\r\n"
        )
    };
    let guess = |name: &str, realm: &str| {
        format!(
            "{name}: Digest username=\"7001\", realm=\"{realm}\", nonce=\"0\", \
             uri=\"sip:switch.example\", response=\"0\"\r\n"
        )
    };
    let proxy = "Proxy-Authorization";
    for (method, uri, more, code) in [
        ("REGISTER", "switch.example", String::new(), "401"),
        ("REGISTER", "elsewhere.example", String::new(), "404"),
        (
            "REGISTER",
            "switch.example",
            "Max-Forwards: 0\r\n".to_owned(),
            "483",
        ),
        (
            "REGISTER",
            "switch.example",
            guess("Authorization", "switch.example"),
            "401",
        ),
        ("INVITE", "7002@switch.example", String::new(), "407"),
        (
            "INVITE",
            "7002@switch.example",
            guess(proxy, "other"),
            "407",
        ),
        (
            "INVITE",
            "7002@switch.example",
            guess(proxy, "switch.example"),
            "407",
        ),
        ("MESSAGE", "7002@switch.example", String::new(), "407"),
        ("CANCEL", "7002@switch.example", String::new(), "481"),
    ] {
        // Each time that it comes.
        for _ in 0..2 {
            let said = told(&mut exchange, from, &request(method, uri, &more));
            let [said] = &said[..] else {
                panic!("{method}: {said:?}");
            };
            assert!(said.starts_with(&format!("SIP/2.0 {code} ")), "{said}");
            let way = "SIP/2.0/UDP 203.0.113.66;branch=z9hG4bK";
            assert!(said.contains(way), "{said}");
        }
        assert_eq!(exchange.bed.switch.sip_transactions(), before, "{method}");
    }
    let ack = request("ACK", "7002@switch.example", "").replace("bKACK", "bKINVITE");
    assert!(told(&mut exchange, from, &ack).is_empty());
    assert_eq!(exchange.bed.switch.sip_transactions(), before);
    // Who has one calls, and trunks need none.
    for at in [0, 3] {
        exchange.call(at, "7002", &media("10.10.1.11", 40_702));
        exchange.answer(1, &media("10.10.1.12", 40_770));
        assert!(exchange.answered(at).is_some(), "{at}");
        exchange.hang_up(at);
        exchange.check_quiet();
    }
    let asked = exchange
        .said
        .iter()
        .filter(|text| text.starts_with("3 hears\nSIP/2.0 407"));
    assert_eq!(asked.count(), 0);
}
