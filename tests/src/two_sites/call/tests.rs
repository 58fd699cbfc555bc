//! A call that is right, spoilt one thing at a time: each is seen.

use serde_json::json;

use super::*;

fn end(name: &'static str, public: [u8; 4], local: &str, remote: &str) -> End {
    let local: SocketAddrV4 = local.parse().unwrap();
    End {
        name,
        media: json!({
            "local": local, "remote": remote, "source": remote, "sent": 101, "packets": 100,
            "lost": 0, "duplicates": 0, "unexpected": 0, "malformed": 0,
        }),
        public: public.into(),
        private: *local.ip(),
    }
}

const A: [u8; 4] = [192, 0, 2, 1];
const B: [u8; 4] = [192, 0, 2, 129];

/// From a1 to b1.
fn between() -> Call {
    let (a, b) = ("192.0.2.1:40002", "192.0.2.129:40004");
    let flow = |from: &str, to: &str| (from.parse().unwrap(), to.parse().unwrap());
    let mut seen = Seen::default();
    seen.media.insert(flow(a, b), 101);
    seen.media.insert(flow(b, a), 100);
    seen.media
        .insert(flow("192.0.2.1:40003", "192.0.2.129:40005"), 2);
    Call {
        plan: Plan {
            caller: "a1",
            called: "b1",
            number: "6001",
            choice: "public",
            through: &[Side::A, Side::B],
        },
        record: json!({"choice": "public", "reason": "caller_hung_up"}),
        ends: [
            end("a1", A, "10.10.1.1:40002", b),
            end("b1", B, "10.10.1.1:40004", a),
        ],
        uplinks: [seen.clone(), seen],
    }
}

/// From a1 to a2.
fn at_home() -> Call {
    Call {
        plan: Plan {
            caller: "a1",
            called: "a2",
            number: "5002",
            choice: "private",
            through: &[],
        },
        record: json!({"choice": "private", "reason": "caller_hung_up"}),
        ends: [
            end("a1", A, "10.10.1.1:40002", "10.10.1.2:40066"),
            end("a2", A, "10.10.1.2:40066", "10.10.1.1:40002"),
        ],
        uplinks: Default::default(),
    }
}

#[test]
fn what_is_right_is_right() {
    for call in [between(), at_home()] {
        assert_eq!(call.wrong().unwrap(), Vec::<String>::new());
    }
    assert_eq!(between().crossed(Side::A).unwrap(), 201);
    assert_eq!(at_home().crossed(Side::B).unwrap(), 0);
}

#[test]
fn what_is_wrong_is_seen() {
    type Spoil = fn(&mut Call);
    let cases: &[(&str, Spoil)] = &[
        ("\"private\" addresses", |call| {
            call.record["choice"] = "private".into();
        }),
        ("it ended with \"lost\"", |call| {
            call.record["reason"] = "lost".into();
        }),
        ("a1 was given 10.10.1.1:40004", |call| {
            call.ends[0].media["remote"] = "10.10.1.1:40004".into();
        }),
        ("a1 was given 192.0.2.129:40006", |call| {
            call.ends[0].media["remote"] = "192.0.2.129:40006".into();
        }),
        ("b1 hears 192.0.2.1:1025", |call| {
            call.ends[1].media["source"] = "192.0.2.1:1025".into();
        }),
        ("a1 is not at", |call| call.ends[0].public = B.into()),
        ("b1 is not at", |call| {
            call.ends[1].private = [10, 10, 1, 9].into();
        }),
        ("not of its range", |call| {
            call.ends[0].media["local"] = "10.10.1.1:40064".into();
        }),
        ("a1: 1 packets lost", |call| {
            call.ends[0].media["lost"] = 1.into();
        }),
        ("b1: 3 packets unexpected", |call| {
            call.ends[1].media["unexpected"] = 3.into();
        }),
        ("b1 heard 12 packets", |call| {
            call.ends[1].media["packets"] = 12.into();
        }),
        ("uplink A: 1 with private", |call| {
            call.uplinks[0].private = 1;
        }),
        ("uplink B: 0 packets from", |call| {
            call.uplinks[1].media.clear();
        }),
        ("uplink B: 99 packets from", |call| {
            call.uplinks[1].media.values_mut().for_each(|n| *n = 99);
        }),
        ("uplink A: something from", |call| {
            let stray = ("192.0.2.1:5", "192.0.2.129:40004");
            let flow = (stray.0.parse().unwrap(), stray.1.parse().unwrap());
            call.uplinks[0].media.insert(flow, 1);
        }),
    ];
    for (expected, spoil) in cases {
        let mut call = between();
        spoil(&mut call);
        let wrong = call.wrong().unwrap();
        let found = wrong.iter().any(|wrong| wrong.contains(expected));
        assert!(found, "{expected}: {wrong:?}");
    }
    let mut call = at_home();
    call.uplinks[1] = between().uplinks[1].clone();
    let wrong = call.wrong().unwrap();
    assert!(wrong[0].starts_with("uplink B: 203 packets"), "{wrong:?}");
}
