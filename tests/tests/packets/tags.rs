//! VLAN and QinQ tags in and out.

use gateway_common::Reason::{Inbound, Outbound, Tagged, UnknownInterface};
use gateway_tests::packet::{Packet, udp};

use crate::bed::*;
use crate::row::{Port, Row, Then, row};

pub(crate) fn rows() -> Vec<Row> {
    let from_vlan = udp(V, PORT_V, R, 5060).payload(b"tagged");
    let from_qinq = udp(Q, PORT_Q, R, 5060).payload(b"twice");
    let out = |packet: &Packet| packet.clone().source(PUBLIC).ttl(63);
    let to_vlan = udp(R, 5060, PUBLIC, PORT_V).payload(b"tagged");
    let to_qinq = udp(R, 5060, PUBLIC, PORT_Q).payload(b"twice");
    let to_wan = udp(A, PORT_A, R_TAGGED, 5060).payload(b"wan");
    let vlan_to_wan = udp(V, PORT_V, R_TAGGED, 5060).payload(b"both");
    let from_wan = udp(R_TAGGED, 5060, PUBLIC, PORT_A).payload(b"wan");
    let wan_to_qinq = udp(R_TAGGED, 5060, PUBLIC, PORT_Q).payload(b"one to two");
    let priority = udp(A, PORT_A, R, 5060).payload(b"p");
    let phone_priority = udp(V, PORT_V, R, 5060).payload(b"p");
    vec![
        row("tags/vlan-to-untagged", Port::Vlan, from_vlan.clone()).sent(
            Outbound,
            Port::Out0,
            out(&from_vlan),
        ),
        row("tags/untagged-to-vlan", Port::Out0, to_vlan.clone()).sent(
            Inbound,
            Port::Vlan,
            to_vlan.destination(V).ttl(63),
        ),
        row("tags/qinq-to-untagged", Port::Qinq, from_qinq.clone()).sent(
            Outbound,
            Port::Out0,
            out(&from_qinq),
        ),
        row("tags/untagged-to-qinq", Port::Out0, to_qinq.clone()).sent(
            Inbound,
            Port::Qinq,
            to_qinq.destination(Q).ttl(63),
        ),
        row("tags/untagged-to-tagged-uplink", Port::In0, to_wan.clone()).sent(
            Outbound,
            Port::Wan,
            out(&to_wan),
        ),
        row(
            "tags/vlan-to-tagged-uplink",
            Port::Vlan,
            vlan_to_wan.clone(),
        )
        .sent(Outbound, Port::Wan, out(&vlan_to_wan)),
        row(
            "tags/tagged-uplink-to-untagged",
            Port::Wan,
            from_wan.clone(),
        )
        .sent(Inbound, Port::In0, from_wan.destination(A).ttl(63)),
        row("tags/tagged-uplink-to-qinq", Port::Wan, wan_to_qinq.clone()).sent(
            Inbound,
            Port::Qinq,
            wan_to_qinq.destination(Q).ttl(63),
        ),
        // A priority tag (VID 0) says nothing about the VLAN.
        row(
            "tags/priority-tag",
            Port::In0,
            priority.clone().tag(0x8100, 0xa000),
        )
        .sent(Outbound, Port::Out0, out(&priority)),
        row(
            "tags/pcp-bits",
            Port::Vlan,
            phone_priority.clone().tag(0x8100, 0xa000 | VLAN),
        )
        .sent(Outbound, Port::Out0, out(&phone_priority)),
        row(
            "tags/unknown-vlan",
            Port::Vlan,
            udp(V, PORT_V, R, 5060).vlan(77),
        )
        .untouched(UnknownInterface)
        .but_in_tc(Then::Untouched(Tagged)),
        row(
            "tags/untagged-on-trunk",
            Port::Wan,
            udp(R_TAGGED, 1, PUBLIC, PORT_A).vlan(0),
        )
        .untouched(UnknownInterface),
        row(
            "tags/inner-tag-unexpected",
            Port::Vlan,
            udp(V, PORT_V, R, 5060).qinq(VLAN, 5),
        )
        .untouched(UnknownInterface)
        .but_in_tc(Then::Untouched(Tagged)),
        row(
            "tags/three-tags",
            Port::Qinq,
            three(udp(Q, PORT_Q, R, 5060)),
        )
        .untouched(gateway_common::Reason::NotIpv4)
        .but_in_tc(Then::Untouched(Tagged)),
    ]
}

fn three(packet: Packet) -> Packet {
    packet.vlan(7).qinq(OUTER, INNER)
}

#[test]
fn tags() {
    crate::row::run(rows());
}
