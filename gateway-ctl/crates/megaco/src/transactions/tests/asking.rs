//! Our requests.

use super::*;

const HEAD: &str = "!/1 [192.168.1.10]:2944\n";

#[test]
fn a_request_is_sent_again_and_given_up() {
    let mut desk = Desk::new();
    assert_eq!(desk.ask(), ["> T=50{C=-{MF=a}}"]);
    let (mut waits, begin, mut last) = (Vec::new(), desk.now, desk.now);
    while let Some(due) = desk.endpoint.poll_timeout() {
        waits.push((due - last).as_millis());
        last = due;
        desk.now = due;
        desk.endpoint.handle_timeout(due);
    }
    let found = desk.drain();
    assert_eq!(found.last().expect("an end"), "failed 50: Timeout");
    assert_eq!(desk.now - begin, seconds(25));
    let bounds = [500, 1000, 2000, 4000, 4000, 4000];
    for (wait, most) in waits.iter().zip(bounds) {
        assert!((most * 3 / 4..=most).contains(wait), "{waits:?}");
    }
    assert!((8..=10).contains(&waits.len()), "{waits:?}");
    assert!(desk.forgotten());
}

#[test]
fn the_reply_ends_it() {
    let mut desk = Desk::new();
    desk.ask();
    let elsewhere = SocketAddr::from(([192, 0, 2, 2], 40000));
    let reply = format!("{HEAD}P=50{{C=-{{MF=a}}}}");
    assert_eq!(desk.hear_from(elsewhere, &reply), Vec::<String>::new());
    let moved = SocketAddr::from(([192, 0, 2, 1], 50000));
    assert_eq!(desk.hear_from(moved, &reply), ["reply 50: 1 actions"]);
    assert_eq!(desk.hear(&reply), Vec::<String>::new());
    assert!(desk.forgotten());
}

#[test]
fn an_acknowledgement_that_is_wanted_is_given_as_often_as_it_is_wanted() {
    let mut desk = Desk::new();
    desk.ask();
    let reply = format!("{HEAD}P=50{{IA,C=-{{MF=a}}}}");
    assert_eq!(desk.hear(&reply), ["> K{50}", "reply 50: 1 actions"]);
    assert_eq!(desk.hear(&reply), ["> K{50}"]);
    // Not for a number that we never gave.
    let other = format!("{HEAD}P=51{{IA,C=-{{MF=a}}}}");
    assert_eq!(desk.hear(&other), Vec::<String>::new());
}

#[test]
fn acknowledgements_wait_for_others() {
    let mut desk = Desk::with(|settings| settings.batch_acks = Some(seconds(1)));
    for id in 50..53 {
        desk.ask();
        desk.hear(&format!("{HEAD}P={id}{{C=-{{MF=a}}}}"));
    }
    // The second and third request took the first acknowledgements with them.
    assert_eq!(desk.pass(seconds(1)), ["> K{52}"]);
    desk.ask();
    desk.ask();
    desk.hear(&format!("{HEAD}P=53{{C=-{{MF=a}}}}"));
    desk.hear(&format!("{HEAD}P=54{{C=-{{MF=a}}}}"));
    assert_eq!(desk.ask(), ["> K{53-54}T=55{C=-{MF=a}}"]);
}

#[test]
fn pending_makes_it_wait_longer() {
    let mut desk = Desk::new();
    desk.ask();
    desk.pass(millis(100));
    let pending = format!("{HEAD}PN=50{{}}");
    assert_eq!(desk.hear(&pending), Vec::<String>::new());
    assert_eq!(desk.pass(millis(9_999)), Vec::<String>::new());
    assert_eq!(desk.pass(millis(1)), ["> T=50{C=-{MF=a}}"]);
    // The reply is acknowledged, wanted or not.
    let found = desk.hear(&format!("{HEAD}P=50{{C=-{{MF=a}}}}"));
    assert_eq!(found, ["> K{50}", "reply 50: 1 actions"]);
    desk.ask();
    for _ in 0..30 {
        desk.hear(&format!("{HEAD}PN=51{{}}"));
    }
    let found = desk.hear(&format!("{HEAD}PN=51{{}}"));
    assert_eq!(found, ["failed 51: TooManyPendings"]);
    assert!(desk.forgotten());
}

#[test]
fn a_reply_that_cannot_be_read_ends_it() {
    let mut desk = Desk::new();
    desk.ask();
    let found = desk.hear(&format!("{HEAD}P=50{{C=-{{XX=a}}}}"));
    assert_eq!(found, ["failed 50: Unreadable", "malformed 443"]);
    assert!(desk.forgotten());
}

#[test]
fn segments_are_put_together_in_any_order() {
    let mut desk = Desk::new();
    desk.ask();
    let third = "!/3 [192.168.1.10]:2944\nP=50/3/&{C=1{MF=c,ER=500{}}}";
    assert_eq!(desk.hear(third), ["> SM=50/3/&"]);
    let first = "!/3 [192.168.1.10]:2944\nP=50/1{C=-{MF=x},C=1{MF=a}}";
    assert_eq!(desk.hear(first), ["> SM=50/1"]);
    assert_eq!(desk.hear(first), ["> SM=50/1"]);
    desk.pass(seconds(9));
    let second = "!/3 [192.168.1.10]:2944\nP=50/2{C=1{MF=b}}";
    assert_eq!(desk.hear(second), ["> SM=50/2", "reply 50: 2 actions"]);
    assert_eq!(desk.hear(second), ["> SM=50/2"]);
    assert!(desk.forgotten());
}

#[test]
fn a_segment_that_never_comes_is_not_waited_for_for_ever() {
    let mut desk = Desk::new();
    desk.ask();
    desk.hear("!/3 [192.168.1.10]:2944\nP=50/1{C=-{MF=x}}");
    assert_eq!(desk.pass(seconds(9)), Vec::<String>::new());
    assert_eq!(desk.pass(seconds(1)), ["failed 50: SegmentsLost"]);
    assert!(desk.forgotten());
}

#[test]
fn a_controller_that_failed_over_is_asked_elsewhere() {
    let mut desk = Desk::new();
    desk.ask();
    let spare = SocketAddr::from(([198, 51, 100, 9], 2944));
    desk.endpoint.redirect(desk.now, phone(), spare);
    assert_eq!(desk.drain(), ["> 198.51.100.9:2944 T=50{C=-{MF=a}}"]);
    let reply = format!("{HEAD}P=50{{C=-{{MF=a}}}}");
    assert_eq!(desk.hear_from(spare, &reply), ["reply 50: 1 actions"]);
}

#[test]
fn nothing_is_told_of_what_was_given_up() {
    let mut desk = Desk::new();
    desk.ask();
    assert!(desk.endpoint.cancel(50));
    assert!(!desk.endpoint.cancel(50));
    assert!(desk.forgotten());
}

#[test]
fn what_follows_at_once_goes_in_the_same_message() {
    let mut desk = Desk::new();
    desk.hear("!/1 phone1\nT=1{C=-{MF=a}}");
    desk.endpoint.reply(desk.now, desk.last(), done());
    for version in [1, 1, 3] {
        let amm = Amm::new(line(), Descriptors::NONE);
        let actions = vec![ActionRequest::new(
            ContextId::Null,
            vec![Command::Modify(amm).into()],
        )];
        desk.endpoint.request(desk.now, phone(), version, actions);
    }
    let together = "> P=1{C=-{MF=a}}T=50{C=-{MF=a}}T=51{C=-{MF=a}}";
    // Another version is another message.
    assert_eq!(desk.drain(), [together, "> T=52{C=-{MF=a}}"]);
    // Each is sent again by itself.
    assert_eq!(desk.pass(millis(500)).len(), 3);
}
