//! Requests of others.

use super::*;

#[test]
fn what_comes_again_gets_the_stored_reply() {
    let mut desk = Desk::new();
    assert_eq!(desk.hear(REGISTRATION), ["request 1"]);
    assert_eq!(desk.answer(), ["> P=1{C=-{MF=a}}"]);
    desk.pass(seconds(2));
    let again = ["> P=1{C=-{MF=a}}", "restart after 2s"];
    assert_eq!(desk.hear(REGISTRATION), again);
    // From another port of the same host, with an acknowledgement before it.
    let moved = SocketAddr::from(([192, 0, 2, 1], 50000));
    let with_ack = REGISTRATION.replace("\nT=", "\nK{7}T=") + "\r\n";
    let found = desk.hear_from(moved, &with_ack);
    assert_eq!(found[0], "> 192.0.2.1:50000 P=1{C=-{MF=a}}");
    assert_eq!(desk.pass(seconds(40)), Vec::<String>::new());
    assert!(desk.forgotten());
    assert_eq!(desk.hear(REGISTRATION), ["request 1"]);
    let counters = desk.endpoint.counters();
    assert_eq!(
        (counters.requests_in, counters.repeated_in, counters.resent),
        (2, 2, 2)
    );
}

/// The trap: numbers begin at 1 again, but what is asked is not the same.
#[test]
fn a_phone_that_restarts_is_served() {
    let mut desk = Desk::new();
    desk.hear(REGISTRATION);
    desk.answer();
    let warm = REGISTRATION.replace("901", "902");
    assert_eq!(desk.hear(&warm), ["request 1"]);
    assert_eq!(desk.answer(), ["> P=1{C=-{MF=a}}"]);
}

/// Nothing of the first life is under way any more, so it is another registration.
#[test]
fn a_phone_that_restarts_and_says_the_same_is_served() {
    let mut desk = Desk::new();
    desk.hear(REGISTRATION);
    desk.answer();
    let ack = "!/1 [192.168.1.10]:2944\nK{1}";
    assert_eq!(desk.hear(ack), Vec::<String>::new());
    desk.pass(seconds(4));
    assert_eq!(desk.hear(REGISTRATION), ["restart after 4s"]);
    desk.pass(seconds(1));
    assert_eq!(desk.hear(REGISTRATION), ["request 1"]);
    desk.answer();
    desk.pass(seconds(40));
    assert!(desk.forgotten());
}

/// Phones of two sites have the same private address for a name.
#[test]
fn the_same_from_another_host_is_another() {
    let mut desk = Desk::new();
    desk.hear(REGISTRATION);
    desk.answer();
    let elsewhere = SocketAddr::from(([198, 51, 100, 1], 40000));
    assert_eq!(desk.hear_from(elsewhere, REGISTRATION), ["request 1"]);
}

#[test]
fn who_asks_again_is_told_that_it_takes_long() {
    let mut desk = Desk::new();
    desk.hear(REGISTRATION);
    assert_eq!(desk.hear(REGISTRATION), ["> PN=1{}"]);
    assert_eq!(desk.pass(seconds(4)), ["> PN=1{}"; 2]);
    assert_eq!(desk.answer(), ["> P=1{IA,C=-{MF=a}}"]);
    // It wants to be acknowledged, and is sent again until it is.
    assert_eq!(desk.pass(millis(1800)), ["> P=1{IA,C=-{MF=a}}"; 2]);
    assert_eq!(
        desk.hear("!/1 [192.168.1.10]:2944\nK{1}"),
        Vec::<String>::new()
    );
    assert_eq!(desk.pass(seconds(40)), Vec::<String>::new());
    assert!(desk.forgotten());
}

#[test]
fn an_acknowledgement_that_never_comes_is_not_waited_for_for_ever() {
    let mut desk = Desk::new();
    desk.hear(REGISTRATION);
    assert!(desk.endpoint.pending(desk.last()));
    assert_eq!(desk.answer(), ["> PN=1{}", "> P=1{IA,C=-{MF=a}}"]);
    let sent = desk.pass(seconds(60)).len();
    assert!((5..=10).contains(&sent), "got {sent}");
    assert!(desk.forgotten());
    assert!(!desk.endpoint.pending(desk.last()));
}

#[test]
fn a_request_that_is_never_answered_expires() {
    let mut desk = Desk::with(|settings| settings.most_pendings = 3);
    desk.hear(REGISTRATION);
    let found = desk.pass(seconds(8));
    let expected = [
        "> PN=1{}",
        "> PN=1{}",
        "> PN=1{}",
        "> P=1{IA,ER=506{\"Number of transaction pendings exceeded\"}}",
        "expired",
    ];
    assert_eq!(found, expected);
    let key = desk.last();
    assert!(!desk.endpoint.reply(desk.now, key, done()), "too late");
}

#[test]
fn what_cannot_be_read_is_answered() {
    let mut desk = Desk::new();
    let head = "!/1 [192.168.1.10]:2944\n";
    let found = desk.hear(&format!("{head}T=5{{C=1{{XX=a}}}}T=6{{C=1{{MF=a}}}}"));
    let answer = "> P=5{ER=443{\"got XX=a}}T=6{C=1{MF=a}}, expected a command\"}}";
    assert_eq!(found, [answer, "malformed 443", "request 6"]);
    // It is an answer as any other: kept, and repeated.
    let found = desk.hear(&format!("{head}T=5{{C=1{{XX=a}}}}"));
    assert_eq!(found, [answer, "repeated after 0ns", "malformed 443"]);
    let found = desk.hear(&format!("{head}T{{C=1{{MF=a}}}}"));
    assert!(found[0].starts_with("> P=0{ER=403{"), "{found:?}");
    let found = desk.hear(&format!("{head}XX{{}}"));
    assert!(found[0].starts_with("> ER=400{"), "{found:?}");
    let found = desk.hear("!/1 [192.168.1.256] T=1{}");
    assert!(found[0].starts_with("> ER=400{"), "{found:?}");
    assert_eq!(found[1..], ["malformed 400"]);
    let found = desk.hear(&format!("{head}{}", "XX{}".repeat(100)));
    assert_eq!(found.iter().filter(|line| line.starts_with('>')).count(), 4);
    assert_eq!(desk.endpoint.counters().malformed, 105);
}

#[test]
fn errors_and_noise_are_not_answered() {
    let mut desk = Desk::new();
    assert_eq!(desk.hear("!/1 a ER=400{\"what\"}"), ["message error 400"]);
    assert_eq!(desk.hear("!/1 a P=0{ER=403{}}"), ["message error 403"]);
    assert_eq!(desk.hear("!/1 a P=7{XX}"), ["malformed 403"]);
    assert_eq!(desk.hear("!/1 a P=7{C=1}"), Vec::<String>::new());
    assert_eq!(desk.hear("!/9 a P=7{C=1}"), Vec::<String>::new());
    assert_eq!(desk.hear("OPTIONS sip:a SIP/2.0\r\n"), Vec::<String>::new());
    assert_eq!(desk.hear(""), Vec::<String>::new());
    let counters = desk.endpoint.counters();
    assert_eq!(counters.dropped(Dropped::NotMegaco), 2);
    assert_eq!(counters.dropped(Dropped::Unasked), 1);
    assert!(desk.forgotten());
}

#[test]
fn another_version_is_refused() {
    let mut desk = Desk::new();
    let found = desk.hear("!/4 a T=7{C=1{MF=a}}");
    assert_eq!(found, ["> ER=406{\"Version not supported\"}"]);
}
