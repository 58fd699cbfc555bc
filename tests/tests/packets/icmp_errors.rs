//! ICMP errors on their way through: outside header and quote are translated.

use std::net::Ipv4Addr;

use gateway_common::Reason::{
    Hairpin, IcmpErrorUnmatched, Inbound, Outbound, RouterPort, UnsupportedIcmp, WrongInterface,
};
use gateway_tests::packet::{
    Packet, echo_request, frag_needed, icmp_error, sctp, tcp, time_exceeded, udp, unreachable,
};

use crate::bed::*;
use crate::row::{Port, Row, row};

/// A router on the internet.
const HOP: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

pub(crate) fn rows() -> Vec<Row> {
    [inbound(), outbound(), hairpin(), refused()].concat()
}

/// About packets that A sent: quoted as they were outside, delivered as A sent them.
fn inbound() -> Vec<Row> {
    let sent = udp(A, PORT_A, R, 5060).ttl(1).payload_of(40);
    let seen = sent.clone().source(PUBLIC);
    let stream = tcp(A, PORT_A, R, 443).payload_of(40).df();
    let chunk = sctp(A, PORT_A, R, 2905).payload_of(40);
    let unsummed = sent.clone().no_checksum();
    let options = sent.clone().options(&[7, 7, 4, 0, 0, 0, 0, 0]);
    let ping = echo_request(A, R, PORT_A + 9).payload_of(16);
    let case = |name, to_public: Packet, to_phone: Packet| {
        row(name, Port::Out0, to_public).sent(Inbound, Port::In0, to_phone.ttl(63))
    };
    let public = |packet: &Packet| packet.clone().source(PUBLIC);
    vec![
        case(
            "icmp-error/inbound-8-bytes",
            time_exceeded(HOP, PUBLIC).quoting(&seen),
            time_exceeded(HOP, A).quoting(&sent),
        ),
        case(
            "icmp-error/inbound-whole-quote",
            unreachable(R, PUBLIC, 3).quoting_all(&seen),
            unreachable(R, A, 3).quoting_all(&sent),
        ),
        case(
            "icmp-error/inbound-tcp-8-bytes",
            unreachable(HOP, PUBLIC, 1).quoting(&public(&stream)),
            unreachable(HOP, A, 1).quoting(&stream),
        ),
        case(
            "icmp-error/inbound-tcp-with-checksum",
            frag_needed(HOP, PUBLIC, 1400).quoting_all(&public(&stream)),
            frag_needed(HOP, A, 1400).quoting_all(&stream),
        ),
        case(
            "icmp-error/inbound-sctp",
            unreachable(HOP, PUBLIC, 2).quoting_all(&public(&chunk)),
            unreachable(HOP, A, 2).quoting_all(&chunk),
        ),
        case(
            "icmp-error/inbound-udp-checksum-zero",
            unreachable(HOP, PUBLIC, 3).quoting_all(&public(&unsummed)),
            unreachable(HOP, A, 3).quoting_all(&unsummed),
        ),
        case(
            "icmp-error/inbound-options-in-quote",
            unreachable(HOP, PUBLIC, 3).quoting_all(&public(&options)),
            unreachable(HOP, A, 3).quoting_all(&options),
        ),
        case(
            "icmp-error/inbound-options-outside-and-in-quote",
            unreachable(HOP, PUBLIC, 3)
                .options(&[1, 1, 1, 0])
                .quoting(&public(&options)),
            unreachable(HOP, A, 3)
                .options(&[1, 1, 1, 0])
                .quoting(&options),
        ),
        case(
            "icmp-error/inbound-parameter-problem",
            icmp_error(HOP, PUBLIC, 12, 0).quoting_all(&seen),
            icmp_error(HOP, A, 12, 0).quoting_all(&sent),
        ),
        case(
            "icmp-error/inbound-about-ping",
            time_exceeded(HOP, PUBLIC).quoting_all(&public(&ping)),
            time_exceeded(HOP, A).quoting_all(&ping),
        ),
    ]
}

/// About packets that A received.
fn outbound() -> Vec<Row> {
    let seen = udp(R, 5060, A, PORT_A + 5).payload_of(40);
    let sent = seen.clone().destination(PUBLIC);
    let stream = tcp(R, 80, A, PORT_A).payload_of(20);
    let case = |name, from_phone: Packet, to_world: Packet| {
        row(name, Port::In0, from_phone).sent(Outbound, Port::Out0, to_world.ttl(63))
    };
    vec![
        case(
            "icmp-error/outbound-port-unreachable",
            unreachable(A, R, 3).quoting_all(&seen),
            unreachable(PUBLIC, R, 3).quoting_all(&sent),
        ),
        case(
            "icmp-error/outbound-8-bytes",
            unreachable(A, R, 3).quoting(&seen),
            unreachable(PUBLIC, R, 3).quoting(&sent),
        ),
        case(
            "icmp-error/outbound-tcp",
            unreachable(A, R, 10).quoting_all(&stream),
            unreachable(PUBLIC, R, 10).quoting_all(&stream.clone().destination(PUBLIC)),
        ),
        case(
            "icmp-error/outbound-from-inside-router",
            time_exceeded(INSIDE_ROUTER, R).quoting(&seen),
            time_exceeded(PUBLIC, R).quoting(&sent),
        ),
    ]
}

/// About packets that went from A to B by public addresses.
fn hairpin() -> Vec<Row> {
    let as_a_sent = udp(A, PORT_A, PUBLIC, PORT_B).payload_of(12);
    let as_b_saw = udp(PUBLIC, PORT_A, B, PORT_B).payload_of(12);
    vec![
        row(
            "icmp-error/hairpin",
            Port::In0,
            unreachable(B, PUBLIC, 3).quoting_all(&as_b_saw),
        )
        .sent(
            Hairpin,
            Port::In0,
            unreachable(PUBLIC, A, 3).quoting_all(&as_a_sent).ttl(63),
        ),
        row(
            "icmp-error/hairpin-from-inside-router",
            Port::In0,
            time_exceeded(INSIDE_ROUTER, PUBLIC).quoting(&as_b_saw),
        )
        .sent(
            Hairpin,
            Port::In0,
            time_exceeded(PUBLIC, A).quoting(&as_a_sent).ttl(63),
        ),
    ]
}

fn refused() -> Vec<Row> {
    let sent = udp(PUBLIC, PORT_A, R, 5060).payload_of(40);
    let stranger = udp(PUBLIC, FREE_PORT, R, 5060);
    let other = udp(PUBLIC_2, PORT_D, R, 5060);
    let own = udp(SHARED, 4500, R, 4500);
    let seen = udp(R, 5060, A, PORT_A);
    let later = udp(PUBLIC, PORT_A, R, 5060)
        .payload_of(3000)
        .fragments(1500)[1]
        .clone();
    let about_error = unreachable(PUBLIC, R, 3).quoting(&sent);
    let to_public = |quote: &Packet| unreachable(HOP, PUBLIC, 1).quoting(quote);
    vec![
        row(
            "icmp-error/inbound-about-nobody",
            Port::Out0,
            to_public(&stranger),
        )
        .untouched(IcmpErrorUnmatched),
        row(
            "icmp-error/inbound-quote-of-other-address",
            Port::Out0,
            to_public(&other),
        )
        .untouched(IcmpErrorUnmatched),
        row(
            "icmp-error/inbound-about-later-fragment",
            Port::Out0,
            to_public(&later),
        )
        .untouched(IcmpErrorUnmatched),
        row(
            "icmp-error/inbound-about-error",
            Port::Out0,
            to_public(&about_error),
        )
        .untouched(IcmpErrorUnmatched),
        row(
            "icmp-error/inbound-about-router",
            Port::Out0,
            unreachable(HOP, SHARED, 1).quoting(&own),
        )
        .untouched(RouterPort),
        row(
            "icmp-error/outbound-about-nobody",
            Port::In0,
            unreachable(A, R, 3).quoting(&udp(R, 1, UNBOUND, 5)),
        )
        .untouched(IcmpErrorUnmatched),
        row(
            "icmp-error/outbound-port-not-its-own",
            Port::In0,
            unreachable(A, R, 3).quoting(&udp(R, 1, A, PORT_B)),
        )
        .untouched(IcmpErrorUnmatched),
        row(
            "icmp-error/outbound-to-third-party",
            Port::In0,
            unreachable(A, R2, 3).quoting(&seen),
        )
        .untouched(IcmpErrorUnmatched),
        row(
            "icmp-error/outbound-wrong-interface",
            Port::In1,
            unreachable(D, R, 3).quoting(&seen),
        )
        .untouched(WrongInterface),
        row(
            "icmp-error/redirect-inbound",
            Port::Out0,
            icmp_error(HOP, PUBLIC, 5, 1).quoting(&sent),
        )
        .untouched(UnsupportedIcmp),
        row(
            "icmp-error/source-quench",
            Port::Out0,
            icmp_error(HOP, PUBLIC, 4, 0).quoting(&sent),
        )
        .untouched(UnsupportedIcmp),
    ]
}

#[test]
fn icmp_errors() {
    crate::row::run(rows());
}
