//! RFC 2827, 3022, 768, 1858 and 3128: spoofing, checksums, tiny fragments.

use gateway_common::Reason::{
    InsideDestination, PrivateSourceLeak, SpoofedSource, TinyFragment, UnboundHost, UnboundSource,
    WrongInterface,
};
use gateway_tests::packet::{Packet, tcp, udp};

use super::ways::{across, into, left, out};
use crate::bed::*;
use crate::fragments::first_bytes;
use crate::outbound::becomes_zero;
use crate::row::{Port, Row, case, leaving};

pub(super) fn rows() -> Vec<Row> {
    [sources(), private(), checksums(), tiny()].concat()
}

/// RFC 2827: who may send from where.
fn sources() -> Vec<Row> {
    let spoofed = |packet| left(Port::Out0, packet, SpoofedSource);
    vec![
        case(
            "rfc2827-foreign-source-from-inside",
            [left(Port::In0, udp(R2, 5060, R, 5060), UnboundSource)],
        ),
        case(
            "rfc2827-unbound-host-left-to-kernel",
            [left(Port::In1, udp(COMPUTER, 5060, R, 5060), UnboundHost)],
        ),
        case(
            "rfc2827-phone-on-wrong-interface",
            [left(Port::In1, udp(A, PORT_A, R, 5060), WrongInterface)],
        ),
        case(
            "rfc2827-inside-source-from-outside",
            [
                spoofed(udp(A, PORT_A, PUBLIC, PORT_B)),
                spoofed(udp(UNBOUND, 1, PUBLIC, PORT_B)),
            ],
        ),
        case(
            "rfc2827-pool-source-from-outside",
            [
                spoofed(udp(PUBLIC, PORT_A, PUBLIC, PORT_B)),
                spoofed(udp(PUBLIC_APART, 1, R, 5060)),
                spoofed(udp(SHARED, 1, PUBLIC, PORT_B)),
            ],
        ),
    ]
}

/// RFC 3022 sections 2 and 5: private addresses stay inside.
fn private() -> Vec<Row> {
    let to_private = |packet| left(Port::Out0, packet, InsideDestination);
    let leak = |from, packet| leaving("", from, packet).untouched(PrivateSourceLeak);
    vec![
        case(
            "rfc3022-private-destination-from-outside",
            [
                to_private(udp(R, 5060, A, PORT_A)),
                to_private(udp(R, 5060, UNBOUND, 1)),
            ],
        ),
        case(
            "rfc3022-private-source-caught-at-egress",
            [
                leak(Some(Port::In0), udp(UNBOUND, 1, R, 5060)),
                leak(None, udp(A, PORT_A, R, 5060)),
            ],
        ),
    ]
}

/// RFC 3022 section 4.2, RFC 768.
fn checksums() -> Vec<Row> {
    let without = |packet: Packet| packet.payload(b"no sum").no_checksum();
    vec![
        case(
            "rfc3022-sec4.2-udp-checksum-adjusted",
            [
                out(udp(A, PORT_A, R, 5060).payload_of(333)),
                into(udp(R, 5060, PUBLIC, PORT_A).payload_of(333), A),
            ],
        ),
        case(
            "rfc3022-sec4.2-tcp-checksum-adjusted",
            [
                out(tcp(A, PORT_A, R, 443).payload_of(333)),
                into(tcp(R, 443, PUBLIC, PORT_A).payload_of(333), A),
            ],
        ),
        case(
            "rfc768-checksum-0-stays-0",
            [
                out(without(udp(A, PORT_A, R, 5060))),
                into(without(udp(R, 5060, PUBLIC, PORT_A)), A),
                across(without(udp(A, PORT_A, PUBLIC, PORT_B)), B),
            ],
        ),
        case("rfc768-sum-of-0-is-sent-as-ffff", [out(becomes_zero())]),
    ]
}

/// RFC 1858 section 3, RFC 3128.
fn tiny() -> Vec<Row> {
    let sent = tcp(A, PORT_A, R, 443).id(41).payload_of(100);
    let came = tcp(R, 443, PUBLIC, PORT_A).id(42).payload_of(100);
    let datagram = udp(R, 5060, PUBLIC, PORT_A).id(43).payload_of(100);
    let at_8 = |packet: &Packet| {
        let mut part = first_bytes(packet, 16, true);
        part.ip.fragment_offset = 8;
        part
    };
    vec![
        case(
            "rfc1858-tiny-first-fragment",
            [
                left(Port::In0, first_bytes(&sent, 8, true), TinyFragment),
                left(Port::Out0, first_bytes(&came, 16, true), TinyFragment),
                left(Port::Out0, first_bytes(&datagram, 4, true), TinyFragment),
            ],
        ),
        case(
            "rfc3128-tcp-fragment-at-offset-8",
            [
                left(Port::In0, at_8(&sent), TinyFragment),
                left(Port::Out0, at_8(&came), TinyFragment),
            ],
        ),
    ]
}
