//! RFC 7857: updates to the requirements of RFC 4787, 5382 and 5508.

use gateway_common::Reason::{NoBinding, RouterPort, SourcePortOutOfRange};
use gateway_tests::packet::flags::{ACK, RST, SYN};
use gateway_tests::packet::{echo_request, sctp, tcp, udp};

use super::rfc5508::pings_of_phones;
use super::ways::{into, left, out};
use crate::bed::*;
use crate::row::{Port, Row, case};

pub(super) fn rows() -> Vec<Row> {
    [connections(), ports(), pings()].concat()
}

/// Section 2.2: RST.
fn connections() -> Vec<Row> {
    let rst_out = || out(tcp(A, PORT_A, R, 443).segment(RST, 7, 0));
    let rst_in = || into(tcp(R, 443, PUBLIC, PORT_A).segment(RST | ACK, 9, 8), A);
    vec![
        case(
            "rfc7857-sec2.2-rst-translated-both-ways",
            [rst_out(), rst_in()],
        ),
        case(
            "rfc7857-sec2.2-mapping-survives-rst",
            [
                rst_out(),
                rst_in(),
                into(tcp(R, 443, PUBLIC, PORT_A).segment(ACK, 9, 8), A),
            ],
        ),
    ]
}

/// Sections 4 to 6, 8 and 10.
fn ports() -> Vec<Row> {
    let syn = |from, to| tcp(A, from, R, to).segment(SYN, 1, 0);
    let fragmented = udp(A, PORT_A, R, 5060).id(0xbeef).payload_of(2000);
    let fragments = fragmented.clone().source(PUBLIC).fragments(1500);
    let first = super::ways::out_as(
        Port::In0,
        fragmented.fragments(1500)[0].clone(),
        fragments[0].clone(),
    );
    vec![
        case(
            "rfc7857-sec4-tcp-outside-range-is-dropped",
            [left(Port::In0, syn(PORT_A + 64, 443), SourcePortOutOfRange)],
        ),
        case(
            "rfc7857-sec5-same-port-udp-tcp-sctp",
            [
                out(udp(A, PORT_A, R, 5060)),
                out(syn(PORT_A, 5060)),
                out(sctp(A, PORT_A, R, 5060).payload_of(16)),
            ],
        ),
        case(
            "rfc7857-sec6-inbound-tcp-and-udp-same-port",
            [
                out(udp(A, PORT_A, R, 5060)),
                into(tcp(R, 5060, PUBLIC, PORT_A).segment(SYN, 1, 0), A),
                into(udp(R, 5060, PUBLIC, PORT_A), A),
            ],
        ),
        case(
            "rfc7857-sec8-odd-port-stays-odd",
            [
                out(udp(A, PORT_A + 1, R, 5060)),
                into(udp(R, 5060, PUBLIC, PORT_A + 1), A),
            ],
        ),
        case(
            "rfc7857-sec10-ip-id-unchanged",
            [first, out(udp(A, PORT_A, R, 5060).id(0).df())],
        ),
    ]
}

/// Section 12: echo requests from outside.
fn pings() -> Vec<Row> {
    let [request, reply] = pings_of_phones();
    let ping = |to| echo_request(R, to, FREE_PORT);
    vec![
        case("rfc7857-sec12-echo-request-to-phone", [request]),
        case("rfc7857-sec12-echo-reply-of-phone", [reply]),
        case(
            "rfc7857-sec12-echo-request-to-nobody",
            [left(Port::Out0, ping(PUBLIC), NoBinding)],
        ),
        case(
            "rfc7857-sec12-echo-request-to-router",
            [left(Port::Out0, ping(SHARED), RouterPort)],
        ),
    ]
}
