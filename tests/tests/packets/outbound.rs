//! From phones to the world.

use gateway_common::Reason::{
    NeighbourUnknown, Outbound, SourcePortOutOfRange, StackEgress, UnboundHost, UnboundSource,
    UnsupportedProtocol, WrongInterface,
};
use gateway_tests::packet::{Packet, flags, protocol, sctp, tcp, udp};

use crate::bed::*;
use crate::row::{Port, Row, Then, row};

pub(crate) fn rows() -> Vec<Row> {
    let call = udp(A, PORT_A, R, 5060).ttl(64).payload(b"INVITE");
    let out = |packet: &Packet| packet.clone().source(PUBLIC).ttl(packet.ip.ttl - 1);
    let syn = tcp(A, PORT_A + 1, R, 443).segment(flags::SYN, 1, 0);
    let chunk = sctp(A, PORT_A + 2, R, 2905).payload_of(16);
    let options = call.clone().options(&[7, 7, 4, 0, 0, 0, 0, 0]);
    let marked = call.clone().tos(0xb9);
    let last = udp(A, PORT_A + 63, R2, 9).payload_of(1);
    let large = udp(A, PORT_A, R, 5060).payload_of(1472).df();
    let unsummed = udp(A, PORT_A, R, 5060).no_checksum().payload(b"x");
    let unresolved = udp(A, PORT_A, R_UNRESOLVED, 5060).payload(b"x");
    let tunnel = udp(A, PORT_A, R_TUNNEL, 5060).payload(b"x");
    vec![
        row("outbound/udp", Port::In0, call.clone()).sent(Outbound, Port::Out0, out(&call)),
        row("outbound/udp-checksum-zero", Port::In0, unsummed.clone()).sent(
            Outbound,
            Port::Out0,
            out(&unsummed),
        ),
        row(
            "outbound/udp-checksum-becomes-ffff",
            Port::In0,
            becomes_zero(),
        )
        .sent(Outbound, Port::Out0, out(&becomes_zero())),
        row("outbound/last-port", Port::In0, last.clone()).sent(Outbound, Port::Out0, out(&last)),
        row("outbound/full-size", Port::In0, large.clone()).sent(Outbound, Port::Out0, out(&large)),
        row("outbound/tcp-syn", Port::In0, syn.clone()).sent(Outbound, Port::Out0, out(&syn)),
        row("outbound/sctp", Port::In0, chunk.clone()).sent(Outbound, Port::Out0, out(&chunk)),
        row("outbound/ip-options", Port::In0, options.clone()).sent(
            Outbound,
            Port::Out0,
            out(&options),
        ),
        row("outbound/dscp-ecn-kept", Port::In0, marked.clone()).sent(
            Outbound,
            Port::Out0,
            out(&marked),
        ),
        row(
            "outbound/ethernet-padding",
            Port::In0,
            call.clone().pad_to(60),
        )
        .sent(Outbound, Port::Out0, out(&call)),
        row(
            "outbound/second-inside",
            Port::In1,
            udp(D, PORT_D, R, 5060).payload(b"d"),
        )
        .sent(
            Outbound,
            Port::Out0,
            udp(PUBLIC_2, PORT_D, R, 5060).ttl(63).payload(b"d"),
        ),
        row(
            "outbound/shared-address",
            Port::In0,
            udp(C, PORT_C, R, 5060).payload(b"c"),
        )
        .sent(
            Outbound,
            Port::Out0,
            udp(SHARED, PORT_C, R, 5060).ttl(63).payload(b"c"),
        ),
        row("outbound/neighbour-unknown", Port::In0, unresolved.clone())
            .untouched(NeighbourUnknown)
            .but_in_tc(Then::Sent(Outbound, Port::Out0, out(&unresolved))),
        row("outbound/to-tunnel", Port::In0, tunnel.clone())
            .untouched(StackEgress)
            .but_in_tc(Then::Sent(Outbound, Port::Tun, out(&tunnel))),
        row(
            "outbound/port-below-range",
            Port::In0,
            udp(A, PORT_A - 1, R, 5060),
        )
        .untouched(SourcePortOutOfRange),
        row(
            "outbound/port-of-neighbour",
            Port::In0,
            udp(A, PORT_B, R, 5060),
        )
        .untouched(SourcePortOutOfRange),
        row(
            "outbound/tcp-port-out-of-range",
            Port::In0,
            tcp(A, 1234, R, 80),
        )
        .untouched(SourcePortOutOfRange),
        row(
            "outbound/unbound-dropped",
            Port::In0,
            udp(UNBOUND, PORT_A, R, 5060),
        )
        .untouched(UnboundSource),
        row(
            "outbound/unbound-left-to-kernel",
            Port::In1,
            udp(COMPUTER, 1234, R, 53),
        )
        .untouched(UnboundHost),
        row(
            "outbound/foreign-source",
            Port::In0,
            udp([8, 8, 8, 8], PORT_A, R, 5060),
        )
        .untouched(UnboundSource),
        row(
            "outbound/wrong-interface",
            Port::In1,
            udp(A, PORT_A, R, 5060),
        )
        .untouched(WrongInterface),
        row("outbound/wrong-vlan", Port::Vlan, udp(A, PORT_A, R, 5060)).untouched(WrongInterface),
        row(
            "outbound/untagged-from-vlan-phone",
            Port::In0,
            udp(V, PORT_V, R, 5060),
        )
        .untouched(WrongInterface),
        row(
            "outbound/esp",
            Port::In0,
            Packet::raw(A, R, protocol::ESP, &[0; 16]),
        )
        .untouched(UnsupportedProtocol),
    ]
}

/// A datagram whose checksum turns to zero with the translation, and so to 0xffff.
pub(crate) fn becomes_zero() -> Packet {
    let with = |word: u16| udp(A, PORT_A, R, 5060).ttl(64).payload(&word.to_be_bytes());
    (0..=u16::MAX)
        .map(with)
        .find(|packet| packet.clone().source(PUBLIC).ip_bytes()[26..28] == [0xff, 0xff])
        .unwrap()
}

#[test]
fn outbound() {
    crate::row::run(rows());
}

#[test]
fn bindings_count_both_ways() {
    Bed::with(|bed| {
        let sent = udp(A, PORT_A, R, 5060).payload_of(100);
        let received = udp(R, 5060, PUBLIC, PORT_A).payload_of(60);
        for _ in 0..3 {
            row("count/out", Port::In0, sent.clone())
                .sent(Outbound, Port::Out0, sent.clone().source(PUBLIC).ttl(63))
                .run(bed);
        }
        row("count/in", Port::Out0, received.clone())
            .sent(
                gateway_common::Reason::Inbound,
                Port::In0,
                received.destination(A).ttl(63),
            )
            .run(bed);
        // Each row runs through XDP and tc.
        let state = bed.dataplane.binding(A).unwrap();
        assert_eq!((state.out_packets, state.out_bytes), (6, 6 * 128));
        assert_eq!((state.in_packets, state.in_bytes), (2, 2 * 88));
        assert_eq!(bed.dataplane.binding(B).unwrap().out_packets, 0);
    });
}
