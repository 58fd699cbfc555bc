//! Those who ask too much.

use super::*;

fn request(id: usize, mid: usize) -> String {
    format!("!/1 phone{mid}\nT={id}{{C=-{{MF=a}}}}")
}

/// How many of these are let through.
fn through(desk: &mut Desk, texts: impl IntoIterator<Item = String>) -> usize {
    let found = texts.into_iter().flat_map(|text| desk.hear(&text));
    found.filter(|line| line.starts_with("request")).count()
}

#[test]
fn one_may_ask_only_so_fast() {
    let mut desk = Desk::with(|settings| {
        settings.peer.rate = 10;
        settings.peer.burst = 5;
    });
    assert_eq!(through(&mut desk, (0..20).map(|id| request(id, 1))), 5);
    assert_eq!(desk.endpoint.counters().dropped(Dropped::TooFast), 15);
    // Others may still.
    assert_eq!(through(&mut desk, [request(1, 2)]), 1);
    desk.pass(seconds(1));
    assert_eq!(through(&mut desk, (20..40).map(|id| request(id, 1))), 5);
}

#[test]
fn one_may_have_only_so_many_open() {
    let mut desk = Desk::with(|settings| settings.peer.open = 3);
    assert_eq!(through(&mut desk, (0..9).map(|id| request(id, 1))), 3);
    assert_eq!(desk.endpoint.counters().dropped(Dropped::TooManyOpen), 6);
    desk.answer();
    assert_eq!(through(&mut desk, [request(9, 1)]), 1);
}

#[test]
fn only_so_many_are_remembered() {
    let mut desk = Desk::with(|settings| settings.most_peers = 4);
    assert_eq!(through(&mut desk, (0..9).map(|mid| request(1, mid))), 4);
    assert_eq!(desk.endpoint.counters().dropped(Dropped::TooManyPeers), 5);
    assert_eq!(desk.endpoint.peers(), 4);
}

#[test]
fn the_oldest_replies_of_one_make_room() {
    let reply = "!/1 <mgc.example>\nP=1{C=-{MF=a}}".len();
    let mut desk = Desk::with(|settings| settings.peer.kept = 3 * reply);
    for id in 1..=5 {
        desk.hear(&request(id, 1));
        desk.answer();
    }
    assert_eq!(desk.endpoint.asked.len(), 3);
    assert_eq!(through(&mut desk, (3..=5).map(|id| request(id, 1))), 0);
    assert_eq!(through(&mut desk, (1..=2).map(|id| request(id, 1))), 2);
}

#[test]
fn long_messages_are_neither_read_nor_sent() {
    let mut desk = Desk::with(|settings| settings.message.size = 150);
    assert_eq!(through(&mut desk, [request(1, 1) + &" ".repeat(150)]), 0);
    assert_eq!(desk.endpoint.counters().dropped(Dropped::TooLong), 1);
    desk.hear(&request(1, 1));
    let Outcome::Actions(mut actions) = done() else {
        panic!("actions");
    };
    let one = actions[0].responses[0].clone();
    actions[0].responses = vec![one; 40];
    let key = desk.last();
    desk.endpoint
        .reply(desk.now, key, Outcome::Actions(actions));
    let expected = ["> P=1{ER=533{\"Response exceeds maximum transport PDU size\"}}"];
    assert_eq!(desk.drain(), expected);
    let amm = Amm::new(line(), Descriptors::NONE);
    let commands = vec![Command::Modify(amm).into(); 40];
    let actions = vec![ActionRequest::new(ContextId::Null, commands)];
    desk.endpoint.request(desk.now, phone(), 1, actions);
    assert_eq!(desk.drain(), ["failed 50: TooLong"]);
}

#[test]
fn a_long_reply_of_version_3_goes_in_segments() {
    let mut desk = Desk::with(|settings| settings.segment_size = 240);
    desk.hear("!/3 phone1\nT=1{C=-{MF=a}}");
    let Outcome::Actions(mut actions) = done() else {
        panic!("actions");
    };
    let name = "a".repeat(40);
    let termination = TerminationId::new(&name).expect("a name");
    let one = Response::Modify(Amm::new(termination, Descriptors::NONE));
    actions[0].responses = vec![one; 6];
    let key = desk.last();
    desk.endpoint
        .reply(desk.now, key, Outcome::Actions(actions));
    let parts = ["1", "2", "3/&"].map(|part| format!("> P=1/{part}{{C=-{{MF={name},MF={name}}}}}"));
    assert_eq!(desk.drain(), parts);
    assert_eq!(desk.hear("!/3 phone1\nSM=1/2"), Vec::<String>::new());
    // What was not acknowledged comes again.
    assert_eq!(desk.hear("!/3 phone1\nSM=1/1"), Vec::<String>::new());
    assert_eq!(desk.pass(millis(500)), parts[2..]);
    let found = desk.hear("!/3 phone1\nT=1{C=-{MF=a}}");
    assert_eq!(found, [&parts[2], "repeated after 500ms"]);
    assert_eq!(desk.hear("!/3 phone1\nSM=1/3/END"), Vec::<String>::new());
    assert_eq!(desk.pass(seconds(40)), Vec::<String>::new());
    assert!(desk.forgotten());
}
