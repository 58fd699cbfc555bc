//! How many transactions there may be, and which are given up.

use super::*;

#[test]
fn limits_hold_and_merged_requests_are_refused() {
    let settings = Settings {
        limit: 3,
        refuse_merged: true,
        ..Settings::default()
    };
    let mut element = Transactions::new(settings);
    let from = peer(1, Transport::Udp);
    let mut first = request(Method::Options, "1");
    first.fields.set(Name::CallId, "same");
    let mut second = request(Method::Options, "2");
    second.fields.set(Name::CallId, "same");
    id_of(&received(&mut element, 0, from, &first));
    assert_eq!(names(&received(&mut element, 0, from, &second)), ["482"]);
    assert_eq!(names(&received(&mut element, 0, from, &second)), ["482"]);
    id_of(&received(
        &mut element,
        0,
        from,
        &request(Method::Options, "3"),
    ));
    let full = received(&mut element, 0, from, &request(Method::Options, "4"));
    assert_eq!(names(&full), ["503"]);
    let unsent = element.send(ms(0), from, request(Method::Options, "5"));
    assert_eq!(unsent, Err(Unsent::Full));
    let counters = element.counters();
    assert_eq!((counters.merged, counters.overload), (1, 1));
}

#[test]
fn the_oldest_answered_request_makes_room() {
    let settings = Settings {
        limit: 2,
        ..Settings::default()
    };
    let mut element = Transactions::new(settings);
    let from = peer(1, Transport::Udp);
    for branch in ["1", "2", "3"] {
        let asked = request(Method::Register, branch);
        let mut told = received(&mut element, 0, from, &asked);
        told.retain(|output| !matches!(output, Output::ServerOver { .. }));
        let id = id_of(&told);
        let answer = Response::answer(&asked, Status::OK);
        assert_eq!(names(&element.respond(ms(0), id, &answer)), ["200"]);
    }
    // The second is remembered, the first is not.
    let again = received(&mut element, 0, from, &request(Method::Register, "2"));
    assert_eq!(names(&again), ["200"]);
    let again = received(&mut element, 0, from, &request(Method::Register, "1"));
    let told = again
        .iter()
        .any(|output| matches!(output, Output::Request { .. }));
    assert!(told, "{again:?}");
    // Our own request finds room, too, and then there is none left.
    let unsent = element.send(ms(0), from, request(Method::Options, "4"));
    assert!(unsent.is_ok());
    let unsent = element.send(ms(0), from, request(Method::Options, "5"));
    assert_eq!(unsent, Err(Unsent::Full));
    assert_eq!((element.len(), element.counters().overload), (2, 0));
}
