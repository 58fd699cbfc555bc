//! Echo: identifiers stand where ports do.

use gateway_common::Reason::{
    Inbound, NoBinding, NotTranslated, Outbound, RouterPort, SourcePortOutOfRange, UnsupportedIcmp,
};
use gateway_tests::packet::{Packet, echo_reply, echo_request, icmp_error};

use crate::bed::*;
use crate::row::{Port, Row, row};

/// An identifier outside every range, and the one of A's range it leaves with.
const FOREIGN: u16 = 0x1205;
const REPLACED: u16 = PORT_A + (FOREIGN & 63);
/// Another one that would leave with the same.
const COLLIDING: u16 = FOREIGN + 64;

pub(crate) fn rows() -> Vec<Row> {
    let ping = |id| echo_request(A, R, id).payload(b"0123456789");
    let pinged = |id| echo_request(PUBLIC, R, id).payload(b"0123456789").ttl(63);
    let pong = |id| echo_reply(R, PUBLIC, id).payload(b"0123456789");
    let ponged = |id| echo_reply(R, A, id).payload(b"0123456789").ttl(63);
    let timestamp = |from, to| icmp_error(Packet::raw(from, to, 1, &[]).ip.source, to, 13, 0);
    vec![
        row("icmp/echo-id-in-range-kept", Port::In0, ping(PORT_A + 1)).sent(
            Outbound,
            Port::Out0,
            pinged(PORT_A + 1),
        ),
        row("icmp/echo-reply-id-in-range", Port::Out0, pong(PORT_A + 1)).sent(
            Inbound,
            Port::In0,
            ponged(PORT_A + 1),
        ),
        row("icmp/echo-id-replaced", Port::In0, ping(FOREIGN)).sent(
            Outbound,
            Port::Out0,
            pinged(REPLACED),
        ),
        row("icmp/echo-reply-id-restored", Port::Out0, pong(REPLACED)).sent(
            Inbound,
            Port::In0,
            ponged(FOREIGN),
        ),
        row("icmp/echo-id-collision", Port::In0, ping(COLLIDING)).sent(
            Outbound,
            Port::Out0,
            pinged(REPLACED + 1),
        ),
        row(
            "icmp/echo-id-collision-restored",
            Port::Out0,
            pong(REPLACED + 1),
        )
        .sent(Inbound, Port::In0, ponged(COLLIDING)),
        row(
            "icmp/echo-id-replaced-the-same-again",
            Port::In0,
            ping(FOREIGN),
        )
        .sent(Outbound, Port::Out0, pinged(REPLACED)),
        row(
            "icmp/echo-reply-never-asked-for",
            Port::Out0,
            pong(PORT_A + 40),
        )
        .sent(Inbound, Port::In0, ponged(PORT_A + 40)),
        row(
            "icmp/echo-request-inbound",
            Port::Out0,
            echo_request(R, PUBLIC, PORT_B + 3),
        )
        .sent(Inbound, Port::In0, echo_request(R, B, PORT_B + 3).ttl(63)),
        row(
            "icmp/echo-reply-outbound",
            Port::In0,
            echo_reply(B, R, PORT_B + 3),
        )
        .sent(
            Outbound,
            Port::Out0,
            echo_reply(PUBLIC, R, PORT_B + 3).ttl(63),
        ),
        row(
            "icmp/echo-reply-outbound-id-out-of-range",
            Port::In0,
            echo_reply(B, R, 77),
        )
        .untouched(SourcePortOutOfRange),
        row(
            "icmp/echo-request-to-nobody",
            Port::Out0,
            echo_request(R, PUBLIC, 77),
        )
        .untouched(NoBinding),
        row(
            "icmp/echo-request-to-router",
            Port::Out0,
            echo_request(R, SHARED, 77),
        )
        .untouched(RouterPort),
        row(
            "icmp/echo-request-to-unpooled-router",
            Port::Out0,
            echo_request(R, ROUTER_OTHER, 7),
        )
        .untouched(NotTranslated),
        row(
            "icmp/echo-reply-to-router",
            Port::Out0,
            echo_reply(R, SHARED, PORT_C),
        )
        .untouched(RouterPort),
        row("icmp/timestamp-inbound", Port::Out0, timestamp(R, PUBLIC)).untouched(UnsupportedIcmp),
        row("icmp/timestamp-to-shared", Port::Out0, timestamp(R, SHARED)).untouched(RouterPort),
        row("icmp/timestamp-outbound", Port::In0, timestamp(A, R)).untouched(UnsupportedIcmp),
    ]
}

#[test]
fn icmp() {
    crate::row::run(rows());
}
