//! RFC 5382: what TCP asks of a NAT.

use gateway_common::Reason::{NoBinding, SourcePortOutOfRange};
use gateway_tests::packet::flags::{ACK, FIN, PSH, SYN};
use gateway_tests::packet::{Body, Packet, tcp, unreachable};

use super::ways::{across, error_into, into, left, out};
use crate::bed::*;
use crate::row::{Port, Row, case};

pub(super) fn rows() -> Vec<Row> {
    [connections(), refused(), hairpins(), others()].concat()
}

/// A SYN, or a SYN and ACK, as hosts send them: with options.
fn opening(packet: Packet, acknowledged: u32) -> Packet {
    let set = if acknowledged == 0 { SYN } else { SYN | ACK };
    let mut packet = packet.segment(set, 0x7fff_ffff, acknowledged);
    if let Body::Tcp { options, .. } = &mut packet.body {
        // MSS, SACK permitted, window scale.
        *options = vec![2, 4, 5, 180, 4, 2, 1, 3, 3, 7, 0, 0];
    }
    packet
}

/// REQ-1 to REQ-3, REQ-5: connections opened from either side.
fn connections() -> Vec<Row> {
    let to_r = || tcp(A, PORT_A, R, 443);
    let from_r = || tcp(R, 443, PUBLIC, PORT_A);
    vec![
        case(
            "rfc5382-req1-same-mapping-for-two-destinations",
            [
                out(opening(to_r(), 0)),
                out(opening(tcp(A, PORT_A, R2, 80), 0)),
            ],
        ),
        case(
            "rfc5382-req2-connection-from-inside",
            [
                out(opening(to_r(), 0)),
                into(opening(from_r(), 0x8000_0000), A),
                out(to_r().segment(ACK, 0x8000_0000, 0x8000_0000)),
            ],
        ),
        case(
            "rfc5382-req2-connection-from-outside",
            [
                into(opening(from_r(), 0), A),
                out(opening(to_r(), 0x8000_0000)),
                into(from_r().segment(ACK, 0x8000_0000, 0x8000_0000), A),
            ],
        ),
        case(
            "rfc5382-req2-fin-and-half-close",
            [
                out(to_r().segment(FIN | ACK, 10, 20)),
                into(from_r().segment(PSH | ACK, 20, 11).payload(b"more"), A),
                into(from_r().segment(FIN | ACK, 24, 11), A),
                out(to_r().segment(ACK, 11, 25)),
            ],
        ),
        case(
            "rfc5382-req2a-simultaneous-open",
            [
                out(opening(to_r(), 0)),
                into(opening(from_r(), 0), A),
                out(opening(to_r(), 0x8000_0000)),
                into(opening(from_r(), 0x8000_0000), A),
            ],
        ),
        case(
            "rfc5382-req3-syn-from-any-remote",
            [into(opening(tcp(R2, 50_000, PUBLIC, PORT_A), 0), A)],
        ),
        // Nothing has been opened from this port.
        case(
            "rfc5382-req5-segment-without-syn",
            [out(tcp(A, PORT_A + 42, R, 443).payload(b"still there?"))],
        ),
    ]
}

/// REQ-4, REQ-7: what is nobody's, or another's.
fn refused() -> Vec<Row> {
    let to_nobody = || {
        let syn = opening(tcp(R, 50_000, PUBLIC, FREE_PORT), 0);
        left(Port::Out0, syn, NoBinding)
    };
    vec![
        case("rfc5382-req4-syn-to-nobody-is-not-answered", [to_nobody()]),
        case("rfc5382-req4a-no-rst-no-icmp", [to_nobody(), to_nobody()]),
        case(
            "rfc5382-req7-foreign-port-is-not-overloaded",
            [left(
                Port::In0,
                opening(tcp(A, PORT_B, R, 443), 0),
                SourcePortOutOfRange,
            )],
        ),
    ]
}

/// REQ-8.
fn hairpins() -> Vec<Row> {
    vec![
        case(
            "rfc5382-req8-hairpin-two-phones",
            [across(opening(tcp(A, PORT_A, PUBLIC, PORT_B), 0), B)],
        ),
        case(
            "rfc5382-req8a-hairpin-shows-public-source",
            [across(
                opening(tcp(B, PORT_B, PUBLIC, PORT_A), 0x8000_0000),
                A,
            )],
        ),
    ]
}

/// REQ-6, REQ-9, REQ-10: no ALG, ICMP errors.
fn others() -> Vec<Row> {
    let command = b"PORT 10,10,1,1,156,64\r\n";
    let stream = tcp(A, PORT_A, R, 443).payload_of(40);
    vec![
        case(
            "rfc5382-req6-ftp-port-command-untouched",
            [out(tcp(A, PORT_A, R, 21).payload(command))],
        ),
        case(
            "rfc5382-req9-unreachable-8-bytes-quoted",
            [error_into(&stream, |to, cause| {
                unreachable(R2, to, 1).quoting(cause)
            })],
        ),
        case(
            "rfc5382-req10-mapping-survives-icmp-error",
            [
                error_into(&stream, |to, cause| unreachable(R, to, 3).quoting(cause)),
                into(tcp(R, 443, PUBLIC, PORT_A), A),
                out(stream.clone()),
            ],
        ),
    ]
}
