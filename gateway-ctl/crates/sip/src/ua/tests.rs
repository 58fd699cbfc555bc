//! Phones that call each other through an office, over good links and bad.

use super::*;
use crate::testing::{Weather, World};

const OFFER: &[u8] = b"v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\n";
const ANSWER: &[u8] = b"v=0\r\no=- 2 2 IN IP4 192.0.2.11\r\n";

const fn seconds(time: u64) -> Duration {
    Duration::from_secs(time)
}

fn bad(loss: u64, seed: u64) -> Weather {
    Weather {
        loss,
        doubled: loss * 2,
        delay: Duration::from_millis(20 + loss * 10),
        seed,
    }
}

fn world(weather: Weather) -> World {
    let mut world = World::new(3, weather);
    for phone in 0..3 {
        world.tell(phone, Agent::register);
    }
    world.run(seconds(40));
    let registered = Event::Registered {
        expires: seconds(600),
    };
    for phone in 0..3 {
        assert!(
            world.events.contains(&(phone, registered.clone())),
            "{phone} {weather:?}"
        );
    }
    world.events.clear();
    world
}

fn call(world: &mut World, from: usize, to: usize) -> CallNumber {
    let uri = World::uri(to);
    world
        .act(from, |phone, now| phone.call(now, &uri, OFFER))
        .unwrap()
}

/// Runs until a phone tells of a call.
fn incoming(world: &mut World, phone: usize) -> CallNumber {
    let end = world.now + seconds(30);
    loop {
        let found = world.events.iter().find_map(|(at, event)| match event {
            Event::Incoming { call, offer, .. } if *at == phone => Some((*call, offer.clone())),
            _ => None,
        });
        if let Some((call, offer)) = found {
            assert_eq!(offer, OFFER);
            return call;
        }
        assert!(world.step(end), "no call came: {:?}", world.events);
    }
}

/// What a phone told of calls, without those that are told of by time.
fn told(world: &World, phone: usize) -> Vec<String> {
    let events = world.events.iter().filter(|(at, _)| *at == phone);
    events
        .map(|(_, event)| match event {
            Event::Incoming { from, .. } => format!("incoming {from}"),
            Event::Progress { status, .. } => format!("progress {}", status.code()),
            Event::Answered { body, .. } => format!("answered {}", body.len()),
            Event::Confirmed { .. } => "confirmed".to_owned(),
            Event::Reoffer { .. } => "reoffer".to_owned(),
            Event::ReofferRefused { status, .. } => format!("reoffer refused {}", status.code()),
            Event::Ended { cause, .. } => format!("ended {cause:?}"),
            other => format!("{other:?}"),
        })
        .collect()
}

fn idle(world: &mut World) {
    let end = world.now + seconds(400);
    let busy = |world: &World| {
        let calls = world.phones.iter().any(|phone| phone.calls() > 0);
        calls || !world.office.is_idle()
    };
    while busy(world) {
        assert!(world.step(end), "something goes on for ever");
    }
    world
        .events
        .retain(|(_, event)| !matches!(event, Event::Registered { .. }));
}

#[test]
fn a_call_is_made_answered_and_ended_over_any_link() {
    for (loss, seed) in [(0, 1), (5, 2), (5, 3), (10, 4), (20, 5), (20, 6)] {
        let mut world = world(bad(loss, seed));
        let made = call(&mut world, 0, 1);
        let came = incoming(&mut world, 1);
        world.tell(1, |phone, now| {
            phone.progress(now, came, Status::RINGING, b"")
        });
        world.run(seconds(3));
        world.tell(1, |phone, now| phone.answer(now, came, ANSWER));
        world.run(seconds(40));
        world.tell(0, |phone, now| phone.hang_up(now, made));
        world.run(seconds(40));
        idle(&mut world);
        let mut caller = told(&world, 0);
        // A 180 may be lost for good.
        caller.retain(|event| event != "progress 180");
        assert_eq!(caller, ["answered 32", "ended Local"], "{loss} {seed}");
        let callee = [
            "incoming sip:2000@pbx.example.net",
            "confirmed",
            "ended Remote",
        ];
        assert_eq!(told(&world, 1), callee, "{loss} {seed}");
    }
}

#[test]
fn the_callee_may_hang_up_and_refuse() {
    let mut world = world(bad(0, 1));
    call(&mut world, 0, 1);
    let came = incoming(&mut world, 1);
    world.tell(1, |phone, now| phone.answer(now, came, ANSWER));
    // Before the ACK is there: the BYE waits for it.
    world.tell(1, |phone, now| phone.hang_up(now, came));
    idle(&mut world);
    assert_eq!(told(&world, 0), ["answered 32", "ended Remote"]);
    assert_eq!(told(&world, 1)[1..], ["ended Local"]);

    world.events.clear();
    call(&mut world, 0, 1);
    let came = incoming(&mut world, 1);
    world.tell(1, |phone, now| phone.refuse(now, came, Status::BUSY));
    idle(&mut world);
    assert_eq!(told(&world, 0), ["ended Refused(Status(486))"]);
    assert_eq!(told(&world, 1)[1..], ["ended Local"]);
}

#[test]
fn a_caller_may_give_up_at_any_time() {
    for (loss, wait) in [
        (0, 0),
        (0, 1),
        (0, 30),
        (0, 60),
        (10, 0),
        (10, 500),
        (20, 100),
    ] {
        let mut world = world(bad(loss, wait + 1));
        let made = call(&mut world, 0, 1);
        world.run(Duration::from_millis(wait));
        world.tell(0, |phone, now| phone.hang_up(now, made));
        idle(&mut world);
        assert_eq!(told(&world, 0), ["ended Local"], "{loss} {wait}");
        let callee = told(&world, 1);
        let ended = callee.is_empty() || callee[1..] == ["ended Cancelled"];
        assert!(ended, "{loss} {wait}: {callee:?}");
    }
}

/// CANCEL and 200 cross: the call is answered, and ended by BYE.
#[test]
fn an_answer_that_crosses_a_cancel_is_hung_up() {
    let mut world = world(Weather::default());
    let made = call(&mut world, 0, 1);
    let came = incoming(&mut world, 1);
    world.tell(1, |phone, now| {
        phone.progress(now, came, Status::RINGING, b"")
    });
    world.run(seconds(1));
    world.tell(1, |phone, now| phone.answer(now, came, ANSWER));
    world.tell(0, |phone, now| phone.hang_up(now, made));
    idle(&mut world);
    assert_eq!(told(&world, 0), ["progress 180", "ended Local"]);
    assert_eq!(told(&world, 1)[1..], ["confirmed", "ended Remote"]);
}

#[test]
fn nobody_there_nobody_known_no_line_free() {
    let mut world = world(bad(0, 1));
    let unknown = "sip:2999@pbx.example.net";
    world.act(0, |phone, now| phone.call(now, unknown, OFFER));
    world.run(seconds(5));
    assert_eq!(told(&world, 0), ["ended Refused(Status(404))"]);

    world.events.clear();
    for _ in 0..2 {
        call(&mut world, 0, 1);
    }
    world.run(seconds(1));
    call(&mut world, 2, 1);
    world.run(seconds(5));
    assert_eq!(told(&world, 2), ["ended Refused(Status(486))"]);
    // Nobody answers: after three minutes the office gives up.
    world.events.clear();
    idle(&mut world);
    let caller = ["ended Refused(Status(487))", "ended Refused(Status(487))"];
    assert_eq!(told(&world, 0), caller);
    assert_eq!(told(&world, 1), ["ended Cancelled", "ended Cancelled"]);
}

#[test]
fn a_session_is_changed_both_ways() {
    for loss in [0, 10] {
        let mut world = world(bad(loss, 9));
        let made = call(&mut world, 0, 1);
        let came = incoming(&mut world, 1);
        world.tell(1, |phone, now| phone.answer(now, came, ANSWER));
        world.run(seconds(40));
        world.events.clear();
        world.tell(1, |phone, now| {
            phone.reoffer(now, came, OFFER).expect("not busy")
        });
        world.run(seconds(20));
        world.tell(0, |phone, now| phone.answer(now, made, ANSWER));
        world.run(seconds(40));
        world.tell(0, |phone, now| {
            phone.reoffer(now, made, OFFER).expect("not busy")
        });
        world.run(seconds(20));
        world.tell(1, |phone, now| {
            phone.refuse(now, came, Status::NOT_ACCEPTABLE_HERE)
        });
        world.run(seconds(40));
        world.tell(1, |phone, now| phone.hang_up(now, came));
        idle(&mut world);
        let caller = [
            "reoffer",
            "confirmed",
            "reoffer refused 488",
            "ended Remote",
        ];
        assert_eq!(told(&world, 0), caller, "{loss}");
        assert_eq!(
            told(&world, 1),
            ["answered 32", "reoffer", "ended Local"],
            "{loss}"
        );
    }
}

#[test]
fn registration_is_renewed_and_taken_back() {
    let mut world = world(bad(5, 1));
    world.run(seconds(3600));
    let renewed = world.events.iter().filter(|(phone, _)| *phone == 0).count();
    assert!((11..=13).contains(&renewed), "{renewed}");
    world.events.clear();
    world.tell(1, Agent::unregister);
    world.run(seconds(40));
    assert_eq!(told(&world, 1), ["Unregistered"]);
    call(&mut world, 0, 1);
    world.run(seconds(40));
    assert!(told(&world, 0).contains(&"ended Refused(Status(404))".to_owned()));
}

#[test]
fn a_wrong_password_is_not_tried_again_at_once() {
    let mut world = World::new(1, Weather::default());
    world.phones[0] = Agent::new(crate::testing::settings(0, "guess"));
    world.tell(0, Agent::register);
    world.run(seconds(25));
    assert_eq!(
        told(&world, 0),
        ["RegisterFailed { status: Some(Status(401)) }"]
    );
    world.run(seconds(25));
    assert_eq!(told(&world, 0).len(), 2);
}

#[test]
fn an_office_that_is_down_is_noticed() {
    let weather = Weather {
        loss: 100,
        ..Weather::default()
    };
    let mut world = World::new(1, weather);
    world.tell(0, Agent::register);
    call(&mut world, 0, 1);
    world.run(seconds(33));
    assert_eq!(
        told(&world, 0),
        ["RegisterFailed { status: None }", "ended TimedOut"]
    );
}
