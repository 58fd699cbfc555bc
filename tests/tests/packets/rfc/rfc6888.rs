//! RFC 6888: many phones behind few addresses.

use gateway_common::Reason::{NotTranslated, SourcePortOutOfRange, UnsupportedProtocol};
use gateway_tests::packet::flags::SYN;
use gateway_tests::packet::{Packet, echo_request, sctp, tcp, udp};

use super::ways::{into, left, out};
use crate::bed::*;
use crate::row::{Port, Row, case};

/// RFC 4340.
const DCCP: u8 = 33;

pub(super) fn rows() -> Vec<Row> {
    [transports(), ranges(), refused()].concat()
}

/// REQ-1 to REQ-3, REQ-6, REQ-7.
fn transports() -> Vec<Row> {
    let dccp = |from, to| Packet::raw(from, to, DCCP, &[0x9c, 0x40, 0x13, 0xc4, 4, 0, 0, 0]);
    vec![
        case(
            "rfc6888-req1-sctp-translated",
            [
                out(sctp(A, PORT_A, R, 2905).payload_of(16)),
                into(sctp(R, 2905, PUBLIC, PORT_A).payload_of(16), A),
            ],
        ),
        case(
            "rfc6888-req1-dccp-is-not-forwarded",
            [
                left(Port::In0, dccp(A, R), UnsupportedProtocol),
                left(Port::Out0, dccp(R, PUBLIC), UnsupportedProtocol),
            ],
        ),
        case(
            "rfc6888-req2-udp-tcp-icmp-same-address",
            [
                out(udp(A, PORT_A, R, 5060)),
                out(tcp(A, PORT_A, R, 5060)),
                out(echo_request(A, R, PORT_A + 7)),
            ],
        ),
        case(
            "rfc6888-req3-pool-addresses-apart",
            [
                out(udp(A, PORT_A, R, 5060)),
                out(udp(E, PORT_E, R, 5060)),
                into(udp(R, 5060, PUBLIC_APART, PORT_E), E),
            ],
        ),
        case(
            "rfc6888-req6-other-way-out-is-not-translated",
            [left(
                Port::In0,
                udp(A, PORT_A, R_OTHER, 5060),
                NotTranslated,
            )],
        ),
        case(
            "rfc6888-req7-inbound-from-any-remote",
            [
                into(udp(R2, 9999, PUBLIC, PORT_A), A),
                into(tcp(R, 9999, PUBLIC, PORT_A).segment(SYN, 1, 0), A),
            ],
        ),
    ]
}

/// REQ-4: the limit of a phone is its range.
fn ranges() -> Vec<Row> {
    let (last_a, last_e, last_f) = (PORT_A + 63, PORT_E + (PORTS_E - 1), PORT_F + (PORTS_F - 1));
    let refused = |port| left(Port::In0, udp(A, port, R, 5060), SourcePortOutOfRange);
    vec![
        case(
            "rfc6888-req4-first-and-last-port",
            [
                out(udp(A, PORT_A, R, 5060)),
                out(udp(A, last_a, R, 5060)),
                into(udp(R, 5060, PUBLIC, PORT_A), A),
                into(udp(R, 5060, PUBLIC, last_a), A),
            ],
        ),
        case(
            "rfc6888-req4-one-below-one-above",
            [refused(PORT_A - 1), refused(last_a + 1)],
        ),
        case(
            "rfc6888-req4a-ranges-of-8-and-4096",
            [
                out(udp(F, PORT_F, R, 5060)),
                out(udp(F, last_f, R, 5060)),
                left(Port::In0, udp(F, last_f + 1, R, 5060), SourcePortOutOfRange),
                out(udp(E, last_e, R, 5060)),
                left(Port::In0, udp(E, last_e + 1, R, 5060), SourcePortOutOfRange),
                into(udp(R, 5060, PUBLIC, last_f), F),
                into(udp(R, 5060, PUBLIC_APART, last_e), E),
            ],
        ),
    ]
}

/// REQ-11: what cannot be mapped.
fn refused() -> Vec<Row> {
    let datagram = || left(Port::In0, udp(A, FREE_PORT, R, 5060), SourcePortOutOfRange);
    let syn = tcp(A, FREE_PORT, R, 443).segment(SYN, 1, 0);
    vec![
        case("rfc6888-req11a-outside-range-is-dropped", [datagram()]),
        case(
            "rfc6888-req11b-no-host-unreachable",
            [left(Port::In0, syn, SourcePortOutOfRange)],
        ),
        // Every row counts: one received, one of this reason, none for a binding.
        case(
            "rfc6888-req11c-drop-is-counted",
            [datagram(), datagram(), datagram()],
        ),
        case(
            "rfc6888-req11d-binding-survives-refused-flow",
            [datagram(), out(udp(A, PORT_A, R, 5060))],
        ),
    ]
}
