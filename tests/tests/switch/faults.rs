//! A network that loses, doubles and reorders what phones and switch say to each other.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use gateway_tests::phone::Phones;
use gateway_tests::traffic::{BadNetwork, Faults};

use crate::bed::{Bed, lines};

const SWITCH: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 10, 0, 1), 2944);
/// Where the bad network begins, for phones.
const NEAR: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 10, 1, 2), 2944);
const PHONES: u32 = 40;

/// Phones in one namespace, the network in another, the switch behind it.
fn bed(faults: Faults) -> (Bed, BadNetwork) {
    let mids: Vec<String> = (1..=PHONES)
        .map(|number| format!("[10.10.3.{number}]:1024@{}", NEAR.ip()))
        .collect();
    let numbers = (5001..).zip(mids.iter().map(String::as_str));
    let bed = Bed::new(&format!(
        "[switch]\nadmission = \"anybody\"\nheartbeat = \"5s\"\n{}",
        lines(numbers)
    ));
    let network = BadNetwork::start(&bed.site.phone(2).ns, NEAR, SWITCH, faults).unwrap();
    (bed, network)
}

fn calls_complete(faults: Faults) {
    let (bed, network) = bed(faults);
    let mut phones = Phones::start();
    phones
        .tell(&format!(
            "phone p netns={} count={PHONES} address=10.10.3.1/16 ports=1024-1055 number=5001 \
             switch=10.10.1.2 patience=20s start=no
             all register rate=20 within 60s
             all load rate=4 hold=500ms for=8s ring=100ms
             all expect idle within 30s",
            bed.phones()
        ))
        .unwrap();
    bed.expect_quiet();
    let events = phones.finish().unwrap();
    let load = events.iter().find(|event| event["kind"] == "calls");
    let load = load.unwrap();
    assert!(load["completed"].as_u64().unwrap() >= 25, "{load}");
    assert_eq!(
        (&load["failed"], &load["media"]["lost"]),
        (&0.into(), &0.into()),
        "{load}"
    );
    let relayed = network.relayed();
    assert!(relayed.datagrams > 500, "{relayed:?}");
    let least = |percent: u64| relayed.datagrams * percent / 200;
    assert!(relayed.lost >= least(faults.lost), "{relayed:?}");
    assert!(relayed.doubled >= least(faults.doubled), "{relayed:?}");
    assert!(relayed.late >= least(faults.late), "{relayed:?}");
}

const NONE: Faults = Faults {
    lost: 0,
    doubled: 0,
    late: 0,
    delay: Duration::from_millis(60),
    seed: 1,
};

#[test]
fn calls_complete_when_one_of_twenty_messages_is_lost() {
    calls_complete(Faults { lost: 5, ..NONE });
}

#[test]
fn calls_complete_when_messages_are_doubled_and_overtake_each_other() {
    calls_complete(Faults {
        doubled: 20,
        late: 30,
        ..NONE
    });
}

#[test]
fn calls_complete_when_all_that_happens_at_once() {
    calls_complete(Faults {
        lost: 5,
        doubled: 5,
        late: 10,
        seed: 7,
        ..NONE
    });
}
