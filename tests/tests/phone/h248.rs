//! Calls by H.248.

use std::net::{Ipv4Addr, SocketAddrV4};

use gateway_tests::netns::Namespace;
use gateway_tests::phone::Phones;

use crate::controller::Controller;

const PRIMARY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(127, 0, 1, 1), 2944);
const BACKUP: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(127, 0, 1, 2), 2944);

/// Two phones in a namespace, registered.
fn phones(ns: &Namespace, more: &str) -> Phones {
    let mut phones = Phones::start();
    phones
        .tell(&format!(
            "default netns={} protocol=h248 switch=127.0.1.1 {more}
             phone a1 address=127.0.0.1 ports=1024-1087 number=5001
             phone a2 address=127.0.0.2 ports=1088-1151 number=5002 start=no
             a1 expect registered primary
             a2 start
             a2 expect registered primary",
            ns.name()
        ))
        .unwrap();
    phones
}

#[test]
fn a_call_from_the_handset_to_the_handset() {
    let ns = Namespace::new("phones").unwrap();
    let _controller = Controller::start(&ns, PRIMARY);
    let mut phones = phones(&ns, "");
    phones
        .tell(
            "a1 dial a2
             a2 expect ringing
             a1 expect ringback
             a2 answer
             all expect talking
             all talk 1s
             all expect media lost<=0 source=remote packets>=40 rtcp>=1
             a1 expect media tone=a2
             a2 expect media tone=a1
             a1 hangup
             a2 expect hungup
             a2 expect busy
             a2 hangup
             all expect idle
             # Once more, the other way round, and given up.
             a2 dial 5001
             a1 expect ringing
             a2 hangup
             a1 expect quiet
             all expect idle
             a1 dial a1
             a1 expect busy",
        )
        .unwrap();
    let talking = phones.last("a1", "talking").unwrap();
    assert_eq!(
        (&talking["local"], &talking["remote"]),
        (&"127.0.0.1:1026".into(), &"127.0.0.2:1090".into())
    );
    phones.finish().unwrap();
}

#[test]
fn a_controller_dies_and_phones_come_over() {
    let ns = Namespace::new("phones").unwrap();
    let controller = Controller::start(&ns, PRIMARY);
    let backup = Controller::start(&ns, BACKUP);
    let mut phones = phones(&ns, "backup=127.0.1.2 patience=1s");
    drop(controller);
    // By the heartbeat alone: nobody does anything.
    phones
        .tell(
            "a1 expect registered backup 20s
             a2 expect registered backup 20s
             a1 expect event registering method=failover reason=909
             a1 offhook
             a1 expect dialtone",
        )
        .unwrap();
    drop(backup);
    let _controller = Controller::start(&ns, PRIMARY);
    phones
        .tell("all expect registered primary 20s\na1 leave\na1 expect unregistered")
        .unwrap();
    phones.finish().unwrap();
}
