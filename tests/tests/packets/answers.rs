//! ICMP errors of the gateway's own: time exceeded, fragmentation needed. They
//! quote the packet as it was sent.

use gateway_common::Reason::{
    HairpinTooBig, InboundToStack, NeedsFragmentation, TooBig, TtlExpired,
};
use gateway_tests::packet::{
    Packet, echo_request, frag_needed, tcp, time_exceeded, udp, unreachable,
};

use crate::bed::*;
use crate::row::{Port, Row, Then, row};

pub(crate) fn rows() -> Vec<Row> {
    [ttl(), size()].concat()
}

fn ttl() -> Vec<Row> {
    let out = udp(A, PORT_A, R, 33434).ttl(1).payload_of(24);
    let long = tcp(A, PORT_A, R, 443).ttl(1).payload_of(500);
    let zero = udp(A, PORT_A, R, 33434).ttl(0).payload_of(24);
    let tagged = udp(V, PORT_V, R, 33434).ttl(1).payload_of(24);
    let double = udp(Q, PORT_Q, R, 33434).ttl(1).payload_of(24);
    let inbound = udp(R, 33434, PUBLIC, PORT_A).ttl(1).payload_of(24);
    let hairpin = udp(A, PORT_A, PUBLIC, PORT_B).ttl(1).payload_of(24);
    let later = udp(A, PORT_A, R, 9).ttl(1).payload_of(3000).fragments(1500)[1].clone();
    let error = unreachable(A, R, 3).quoting(&udp(R, 1, A, PORT_A)).ttl(1);
    let case = |name, port, packet: &Packet, router| {
        row(name, port, packet.clone()).answered(
            TtlExpired,
            answer(time_exceeded(router, packet.ip.source)).quoting_bytes(packet, quoted(packet)),
        )
    };
    vec![
        case("answer/ttl-outbound", Port::In0, &out, ROUTER_IN0),
        case(
            "answer/ttl-long-packet-is-cut",
            Port::In0,
            &long,
            ROUTER_IN0,
        ),
        case("answer/ttl-zero", Port::In0, &zero, ROUTER_IN0),
        case("answer/ttl-tagged", Port::Vlan, &tagged, ROUTER_VLAN),
        case("answer/ttl-qinq", Port::Qinq, &double, ROUTER_QINQ),
        case(
            "answer/ttl-inbound-quotes-public",
            Port::Out0,
            &inbound,
            SHARED,
        ),
        case("answer/ttl-hairpin", Port::In0, &hairpin, ROUTER_IN0),
        row("answer/none-about-later-fragment", Port::In0, later).untouched(TtlExpired),
        row("answer/none-about-error", Port::In0, error).untouched(TtlExpired),
    ]
}

fn size() -> Vec<Row> {
    let case = |name, port, packet: &Packet, router| {
        let needed = frag_needed(router, packet.ip.source, SMALL_MTU);
        row(name, port, packet.clone())
            .answered(TooBig, answer(needed).quoting_bytes(packet, quoted(packet)))
    };
    let out = udp(A, PORT_A, R_SMALL, 5060).df().payload_of(1400);
    let stream = tcp(A, PORT_A, R_SMALL, 443).df().payload_of(1300);
    let ping = echo_request(A, R_SMALL, 7).df().payload_of(1400);
    let inbound = udp(R, 5060, PUBLIC, PORT_B).df().payload_of(1300);
    let hairpin = udp(A, PORT_A, PUBLIC, PORT_B).df().payload_of(1300);
    let fits = udp(A, PORT_A, R_SMALL, 5060).df().payload_of(1252);
    let may = udp(A, PORT_A, R_SMALL, 5060).payload_of(1400);
    let may_in = udp(R, 5060, PUBLIC, PORT_B).payload_of(1300);
    let may_hairpin = udp(A, PORT_A, PUBLIC, PORT_B).payload_of(1300);
    vec![
        case("answer/too-big-outbound", Port::In0, &out, ROUTER_IN0),
        case("answer/too-big-tcp", Port::In0, &stream, ROUTER_IN0),
        case("answer/too-big-ping", Port::In0, &ping, ROUTER_IN0),
        case(
            "answer/too-big-inbound-quotes-public",
            Port::Out0,
            &inbound,
            SHARED,
        ),
        case("answer/too-big-hairpin", Port::In0, &hairpin, ROUTER_IN0),
        row("answer/exact-fit", Port::In0, fits.clone()).sent(
            gateway_common::Reason::Outbound,
            Port::Out0,
            fits.source(PUBLIC).ttl(63),
        ),
        row("fragmentation/outbound-left-to-kernel", Port::In0, may).untouched(NeedsFragmentation),
        row(
            "fragmentation/inbound-left-to-kernel",
            Port::Out0,
            may_in.clone(),
        )
        .untouched(NeedsFragmentation)
        .but_in_tc(Then::Given(InboundToStack, may_in.destination(B))),
        row("fragmentation/hairpin", Port::In0, may_hairpin).untouched(HairpinTooBig),
    ]
}

/// The header that the gateway puts in front: internetwork control, DF, TTL 64.
pub(crate) fn answer(packet: Packet) -> Packet {
    packet.tos(0xc0).ttl(64).df().id(0)
}

/// How much of the packet is quoted behind its own header.
pub(crate) fn quoted(packet: &Packet) -> usize {
    let whole = packet.ip_bytes().len();
    let header = 20 + packet.ip.options.len();
    whole.min(128) / 4 * 4 - header
}

#[test]
fn answers() {
    crate::row::run(rows());
}
