//! RFC 5508: what ICMP asks of a NAT; here what passes through it.

use std::net::Ipv4Addr;

use gateway_common::Reason::{
    Hairpin, IcmpErrorUnmatched, RouterPort, UnboundHost, UnsupportedIcmp,
};
use gateway_tests::packet::{
    Body, Packet, echo_reply, echo_request, frag_needed, icmp_error, tcp, time_exceeded, udp,
    unreachable,
};

use super::ways::{error_into, error_out, into, into_as, left, out, out_as};
use crate::bed::*;
use crate::row::{Port, Row, case, row};

/// A router on the internet.
const HOP: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

pub(super) fn rows() -> Vec<Row> {
    [
        queries(),
        checksums(),
        errors_into(),
        errors_out(),
        echo_errors(),
        hairpins(),
    ]
    .concat()
}

/// What `id` leaves with if it lies in no range and nobody took that before.
fn outside(id: u16) -> u16 {
    PORT_A + id % 64
}

fn ping(id: u16) -> Packet {
    echo_request(A, R, id).payload(b"0123456789")
}

/// A ping with this identifier leaves with that one.
fn ping_out(id: u16, leaves: u16) -> Row {
    let seen = echo_request(PUBLIC, R, leaves).payload(b"0123456789");
    out_as(Port::In0, ping(id), seen)
}

/// The answer to what left with this identifier arrives with that one.
fn pong_in(came: u16, arrives: u16) -> Row {
    let pong = |to, id| echo_reply(R, to, id).payload(b"0123456789");
    into_as(pong(PUBLIC, came), pong(A, arrives))
}

/// REQ-1, REQ-2: echo.
fn queries() -> Vec<Row> {
    let to_other = |from, id| echo_request(from, R2, id);
    vec![
        case(
            "rfc5508-req1-echo-id-in-range-kept",
            [ping_out(PORT_A + 5, PORT_A + 5)],
        ),
        case(
            "rfc5508-req1-echo-id-outside-range-replaced",
            [ping_out(0x1201, outside(0x1201))],
        ),
        case(
            "rfc5508-req1-echo-reply-gets-id-back",
            [
                ping_out(0x1202, outside(0x1202)),
                pong_in(outside(0x1202), 0x1202),
            ],
        ),
        case(
            "rfc5508-req1a-same-id-for-two-destinations",
            [
                ping_out(0x1203, outside(0x1203)),
                out_as(
                    Port::In0,
                    to_other(A, 0x1203),
                    to_other(PUBLIC, outside(0x1203)),
                ),
            ],
        ),
        // The same remainder: the second gets the next one.
        case(
            "rfc5508-req2-two-ids-side-by-side",
            [
                ping_out(0x1210, outside(0x1210)),
                ping_out(0x1250, outside(0x1210) + 1),
                pong_in(outside(0x1210), 0x1210),
                pong_in(outside(0x1210) + 1, 0x1250),
            ],
        ),
    ]
}

/// REQ-3: wrong checksums, options and extensions in what an error quotes.
fn checksums() -> Vec<Row> {
    let sent = udp(A, PORT_A, R, 5060).payload_of(40);
    let options = sent.clone().options(&[7, 7, 4, 0, 0, 0, 0, 0]);
    let all_of_128 = udp(A, PORT_A, R, 33434).payload_of(100);
    let spoilt = |at: usize| {
        move |to: Ipv4Addr, cause: &Packet| {
            let mut quote = cause.ip_bytes();
            crate::row::raise_checksum(&mut quote, at);
            unreachable(R, to, 3).payload(&quote)
        }
    };
    vec![
        case(
            "rfc5508-req3-wrong-checksum-stays-wrong",
            [
                error_into(&sent, |to, cause| unreachable(R, to, 3).quoting_all(cause))
                    .wrong_checksum_at(20 + 2),
            ],
        ),
        case(
            "rfc5508-req3a-wrong-quoted-ip-checksum-stays-wrong",
            [error_into(&sent, spoilt(10))],
        ),
        case(
            "rfc5508-req3b-quote-with-ip-options",
            [error_into(&options, |to, cause| {
                unreachable(R, to, 3).quoting_all(cause)
            })],
        ),
        case(
            "rfc5508-req3c-wrong-quoted-udp-checksum-passes",
            [error_into(&sent, spoilt(20 + 6))],
        ),
        case(
            "rfc5508-req3d-icmp-extension-untouched",
            [error_into(&all_of_128, with_mpls_label)],
        ),
    ]
}

/// Time exceeded with the label of the packet in an extension (RFC 4884, RFC 4950).
fn with_mpls_label(to: Ipv4Addr, cause: &Packet) -> Packet {
    let mut quote = cause.ip_bytes();
    assert_eq!(quote.len(), 128);
    quote.extend([0x20, 0, 0x77, 0x88, 0, 8, 1, 1, 0x12, 0x34, 0x51, 0xff]);
    let mut error = time_exceeded(HOP, to).payload(&quote);
    if let Body::Icmp { rest, .. } = &mut error.body {
        // Words of the quote, in the second byte.
        *rest = 32 << 16;
    }
    error
}

/// REQ-4: errors from outside.
fn errors_into() -> Vec<Row> {
    let call = udp(A, PORT_A, R, 5060).payload_of(40);
    let of_b = udp(B, PORT_B, R, 5060).payload_of(40);
    let stream = tcp(A, PORT_A, R, 443).payload_of(40).df();
    let with_rest = |kind, code, word: u32| {
        error_into(&call, move |to, cause| {
            let mut error = icmp_error(HOP, to, kind, code).quoting(cause);
            if let Body::Icmp { rest, .. } = &mut error.body {
                *rest = word;
            }
            error
        })
    };
    let about = |to, port| unreachable(R, to, 3).quoting(&udp(to, port, R, 5060));
    vec![
        case(
            "rfc5508-req4-unmatched-from-outside",
            [left(
                Port::Out0,
                about(PUBLIC, FREE_PORT),
                IcmpErrorUnmatched,
            )],
        ),
        case(
            "rfc5508-req4-unmatched-on-shared-address",
            [left(Port::Out0, about(SHARED, 4500), RouterPort)],
        ),
        case(
            "rfc5508-req4a-quoted-udp-restored",
            [error_into(&call, |to, cause| {
                unreachable(R, to, 3).quoting_all(cause)
            })],
        ),
        case(
            "rfc5508-req4a-quoted-tcp-restored",
            [error_into(&stream, |to, cause| {
                unreachable(HOP, to, 1).quoting_all(cause)
            })],
        ),
        case(
            "rfc5508-req4b-type-and-code-unchanged",
            [
                with_rest(3, 13, 0),
                with_rest(3, 4, 1400),
                with_rest(11, 1, 0),
                with_rest(12, 0, 8 << 24),
            ],
        ),
        case(
            "rfc5508-req4c-outer-destination-is-quoted-source",
            [error_into(&of_b, |to, cause| {
                unreachable(R2, to, 1).quoting(cause)
            })],
        ),
        case(
            "rfc5508-req10a-time-exceeded-forwarded",
            [error_into(&call, |to, cause| {
                time_exceeded(HOP, to).quoting(cause)
            })],
        ),
        case(
            "rfc5508-req10a-packet-too-big-forwarded",
            [error_into(&call.clone().df(), |to, cause| {
                frag_needed(HOP, to, 1400).quoting(cause)
            })],
        ),
        case(
            "rfc5508-req10b-parameter-problem-forwarded",
            [with_rest(12, 0, 20 << 24)],
        ),
    ]
}

/// REQ-5: errors from inside.
fn errors_out() -> Vec<Row> {
    let call = udp(R, 5060, A, PORT_A).payload_of(40);
    let to_e = udp(R, 5060, E, PORT_E + 4095).payload_of(40);
    let to_other = unreachable(A, R, 3).quoting(&udp(R, 5060, A, FREE_PORT));
    vec![
        case(
            "rfc5508-req5-unmatched-from-inside",
            [left(Port::In0, to_other, IcmpErrorUnmatched)],
        ),
        case(
            "rfc5508-req5-computer-is-the-kernels",
            [left(
                Port::In1,
                unreachable(COMPUTER, R, 3).quoting(&udp(R, 53, COMPUTER, 5353)),
                UnboundHost,
            )],
        ),
        case(
            "rfc5508-req5a-quoted-destination-restored",
            [error_out(A, &call, |from, cause| {
                unreachable(from, R, 3).quoting_all(cause)
            })],
        ),
        case(
            "rfc5508-req5b-type-and-code-unchanged",
            [error_out(A, &call, |from, cause| {
                unreachable(from, R, 2).quoting(cause)
            })],
        ),
        case(
            "rfc5508-req5c-error-from-phone",
            [error_out(E, &to_e, |from, cause| {
                unreachable(from, R, 3).quoting(cause)
            })],
        ),
        case(
            "rfc5508-req5c-error-from-inside-router",
            [error_out(INSIDE_ROUTER, &call, |from, cause| {
                time_exceeded(from, R).quoting(cause)
            })],
        ),
    ]
}

/// REQ-4a, REQ-5a, REQ-6: errors about pings whose identifier was replaced.
fn echo_errors() -> Vec<Row> {
    let expired = |to, from, id: u16| {
        let cause = echo_request(from, R, id).payload(b"0123456789");
        time_exceeded(HOP, to).quoting_all(&cause)
    };
    let about_ping = |id: u16| into_as(expired(PUBLIC, PUBLIC, outside(id)), expired(A, A, id));
    let refused = |from, to, id: u16| {
        let cause = echo_reply(R, to, id).payload(b"0123456789");
        unreachable(from, R, 3).quoting_all(&cause)
    };
    let about_pong =
        |id: u16, came: u16| out_as(Port::In0, refused(A, A, id), refused(PUBLIC, PUBLIC, came));
    vec![
        case(
            "rfc5508-req4a-quoted-echo-id-restored",
            [ping_out(0x1221, outside(0x1221)), about_ping(0x1221)],
        ),
        case(
            "rfc5508-req5a-quoted-echo-reply-id-restored",
            [
                ping_out(0x1222, outside(0x1222)),
                pong_in(outside(0x1222), 0x1222),
                about_pong(0x1222, outside(0x1222)),
                // A reply that nobody asked for came with the identifier it had.
                pong_in(PORT_A + 0x23, PORT_A + 0x23),
                about_pong(PORT_A + 0x23, PORT_A + 0x23),
            ],
        ),
        case(
            "rfc5508-req5-echo-reply-never-received",
            [left(Port::In0, refused(A, A, 0x1224), IcmpErrorUnmatched)],
        ),
        case(
            "rfc5508-req6-echo-works-after-error",
            [
                ping_out(0x1225, outside(0x1225)),
                about_ping(0x1225),
                pong_in(outside(0x1225), 0x1225),
            ],
        ),
        // Five identifiers with one remainder, one more than are looked for: an
        // error about a sixth takes nobody's place.
        case(
            "rfc5508-req6-error-ends-no-query",
            [
                ping_out(0x1230, outside(0x1230)),
                ping_out(0x1270, outside(0x1230) + 1),
                ping_out(0x12b0, outside(0x1230) + 2),
                ping_out(0x12f0, outside(0x1230) + 3),
                left(Port::In0, refused(A, A, 0x1330), IcmpErrorUnmatched),
                pong_in(outside(0x1230), 0x1230),
            ],
        ),
    ]
}

/// REQ-7.
fn hairpins() -> Vec<Row> {
    let as_a_sent = udp(A, PORT_A, PUBLIC, PORT_B).payload_of(12);
    let as_b_saw = udp(PUBLIC, PORT_A, B, PORT_B).payload_of(12);
    let from = |sender, error: Packet, arrives: Packet| {
        let error = error.source(sender).quoting_all(&as_b_saw);
        let arrives = arrives.quoting_all(&as_a_sent).ttl(63);
        row("", Port::In0, error).sent(Hairpin, Port::In0, arrives)
    };
    vec![
        case(
            "rfc5508-req7-hairpinned-error",
            [from(
                B,
                unreachable(B, PUBLIC, 3),
                unreachable(PUBLIC, A, 3),
            )],
        ),
        case(
            "rfc5508-req7-hairpinned-echo-is-refused",
            [
                left(Port::In0, echo_request(A, PUBLIC, PORT_B), UnsupportedIcmp),
                left(Port::In0, echo_request(A, SHARED, PORT_C), RouterPort),
            ],
        ),
        case(
            "rfc5508-req7a-hairpinned-error-destination",
            [from(
                INSIDE_ROUTER,
                time_exceeded(INSIDE_ROUTER, PUBLIC),
                time_exceeded(PUBLIC, A),
            )],
        ),
    ]
}

/// RFC 7857 section 12 as well: pings that come from outside.
pub(super) fn pings_of_phones() -> [Row; 2] {
    [
        into(echo_request(R, PUBLIC, PORT_A + 6).payload(b"ping"), A),
        out(echo_reply(A, R, PORT_A + 6).payload(b"ping")),
    ]
}
