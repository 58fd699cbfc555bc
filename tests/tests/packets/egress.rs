//! tc at egress of an outside interface: no private source leaves.

use dataplane::RunAt;
use gateway_common::Reason::{self, Egress, EgressTranslated, PrivateSourceLeak};
use gateway_common::abi::Hook;
use gateway_tests::link::mac_of;
use gateway_tests::packet::{Packet, assert_ip, echo_request, icmp_error, tcp, udp};

use crate::bed::*;
use crate::row::{counted, ip_part};

/// A packet that the kernel sends out of out0, having come in on `from`.
struct Case {
    name: &'static str,
    from: Option<&'static str>,
    packet: Packet,
    reason: Reason,
    leaves_as: Packet,
}

fn cases() -> Vec<Case> {
    let case = |name, from, packet: Packet, reason, leaves_as: Option<Packet>| Case {
        name,
        from,
        leaves_as: leaves_as.unwrap_or(packet.clone()),
        packet,
        reason,
    };
    let phone = udp(A, PORT_A, R_SMALL, 5060).ttl(63).payload_of(900);
    let parts = udp(A, PORT_A, R, 9)
        .ttl(63)
        .payload_of(2400)
        .fragments(1280);
    let left = udp(PUBLIC, PORT_A, R, 9)
        .ttl(63)
        .payload_of(2400)
        .fragments(1280);
    vec![
        case("router's own", None, tcp(SHARED, 22, R, 5000), Egress, None),
        case(
            "computer after the kernel's NAT",
            Some("in1"),
            udp(SHARED, 60000, R, 53),
            Egress,
            None,
        ),
        case(
            "phone",
            Some("in0"),
            phone.clone(),
            EgressTranslated,
            Some(phone.source(PUBLIC)),
        ),
        case(
            "fragment",
            Some("in0"),
            parts[0].clone(),
            EgressTranslated,
            Some(left[0].clone()),
        ),
        case(
            "later fragment",
            Some("in0"),
            parts[1].clone(),
            EgressTranslated,
            Some(left[1].clone()),
        ),
        case(
            "ping",
            Some("in0"),
            echo_request(A, R, PORT_A),
            EgressTranslated,
            Some(echo_request(PUBLIC, R, PORT_A)),
        ),
        case(
            "phone, port not its own",
            Some("in0"),
            udp(A, 99, R, 9),
            PrivateSourceLeak,
            None,
        ),
        case(
            "phone, wrong interface",
            Some("in1"),
            udp(A, PORT_A, R, 9),
            PrivateSourceLeak,
            None,
        ),
        case(
            "unbound",
            Some("in0"),
            udp(UNBOUND, 99, R, 9),
            PrivateSourceLeak,
            None,
        ),
        case(
            "computer before NAT",
            Some("in1"),
            udp(COMPUTER, 99, R, 9),
            PrivateSourceLeak,
            None,
        ),
        case(
            "router's inside address",
            None,
            icmp_error(ROUTER_IN0, R, 11, 0),
            PrivateSourceLeak,
            None,
        ),
        case(
            "phone's address, made here",
            None,
            udp(A, PORT_A, R, 9),
            PrivateSourceLeak,
            None,
        ),
    ]
}

#[test]
fn no_private_source_leaves() {
    Bed::with(|bed| {
        for case in cases() {
            let before = bed.dataplane.counters().unwrap();
            let frame = case
                .packet
                .clone()
                .macs(mac_of(SHARED), mac_of(GATEWAY))
                .bytes();
            let ran = bed
                .dataplane
                .run_packet(
                    RunAt {
                        hook: Hook::TcEgress,
                        ifindex: bed.ifindex("out0"),
                        ingress_ifindex: case.from.map_or(0, |name| bed.ifindex(name)),
                        repeat: 1,
                    },
                    &frame,
                )
                .unwrap();
            let after = bed.dataplane.counters().unwrap();
            let reason = counted(&before, &after, "out0", Hook::TcEgress, case.name);
            assert_eq!(reason, case.reason, "{}", case.name);
            assert_ip(ip_part(&ran.frame), &case.leaves_as);
            let dropped = reason == PrivateSourceLeak;
            assert_eq!(ran.action, if dropped { 2 } else { 0 }, "{}", case.name);
        }
        assert_eq!(bed.spec("out0").name, "out0");
    });
}
