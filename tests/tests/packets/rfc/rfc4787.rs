//! RFC 4787: what UDP asks of a NAT.

use std::net::Ipv4Addr;

use gateway_common::Reason::{
    EarlyFragmentShared, EgressTranslated, FragmentHeld, FragmentNotHeld, HairpinTooBig,
    InboundToStack, NeedsFragmentation, SourcePortOutOfRange,
};
use gateway_tests::packet::{Packet, time_exceeded, udp, unreachable};

use super::ways::{across, error_into, into, into_as, left, out, too_big};
use crate::bed::*;
use crate::row::{Port, Row, Then, case, leaving};

pub(super) fn rows() -> Vec<Row> {
    [mapping(), filtering(), errors(), sizes(), fragments()].concat()
}

/// REQ-1 to REQ-5: the mapping.
fn mapping() -> Vec<Row> {
    vec![
        case(
            "rfc4787-req1-same-mapping-for-two-destinations",
            [
                out(udp(A, PORT_A, R, 5060).payload(b"one")),
                out(udp(A, PORT_A, R2, 5061).payload(b"two")),
            ],
        ),
        case(
            "rfc4787-req2-two-ports-same-public-address",
            [
                out(udp(A, PORT_A, R, 5060)),
                out(udp(A, PORT_A + 1, R, 5060)),
            ],
        ),
        case(
            "rfc4787-req3-foreign-port-is-not-overloaded",
            [left(
                Port::In0,
                udp(A, PORT_B, R, 5060),
                SourcePortOutOfRange,
            )],
        ),
        case(
            "rfc4787-req3a-system-port-is-dropped",
            [left(Port::In0, udp(A, 1023, R, 5060), SourcePortOutOfRange)],
        ),
        case(
            "rfc4787-req4-parity-odd-and-even",
            [
                out(udp(A, PORT_A + 2, R, 7078)),
                out(udp(A, PORT_A + 3, R, 7079)),
            ],
        ),
        // Nothing has been sent from this port.
        case(
            "rfc4787-req5-inbound-without-outbound",
            [into(udp(R, 5060, PUBLIC, PORT_A + 41).payload(b"call"), A)],
        ),
    ]
}

/// REQ-8 to REQ-11: filtering, hairpins, payload, determinism.
fn filtering() -> Vec<Row> {
    let register = b"REGISTER sip:example.net SIP/2.0\r\nContact: <sip:x@10.10.1.1:40000>\r\n\r\n";
    let steady = udp(A, PORT_A, R, 5060).payload(b"steady");
    let stray = left(Port::In0, udp(A, FREE_PORT, R, 5060), SourcePortOutOfRange);
    vec![
        case(
            "rfc4787-req8-inbound-from-any-remote",
            [
                out(udp(A, PORT_A, R, 5060)),
                into(udp(R2, 9999, PUBLIC, PORT_A), A),
            ],
        ),
        case(
            "rfc4787-req9-hairpin-two-phones",
            [across(udp(A, PORT_A, PUBLIC, PORT_B).payload(b"hello"), B)],
        ),
        case(
            "rfc4787-req9a-hairpin-shows-public-source",
            [across(udp(B, PORT_B, PUBLIC, PORT_A).payload(b"hello"), A)],
        ),
        case(
            "rfc4787-req10-sip-payload-untouched",
            [out(udp(A, PORT_A, R, 5060).payload(register))],
        ),
        case(
            "rfc4787-req11-repeat-gives-same-result",
            [
                out(steady.clone()),
                stray.clone(),
                out(steady.clone()),
                stray,
                out(steady),
            ],
        ),
    ]
}

/// REQ-12: ICMP errors.
fn errors() -> Vec<Row> {
    let call = udp(A, PORT_A, R, 5060).payload_of(40);
    // Private, and none of ours.
    let somewhere = Ipv4Addr::new(172, 31, 0, 1);
    vec![
        case(
            "rfc4787-req12-mapping-survives-icmp-error",
            [
                error_into(&call, |to, cause| unreachable(R, to, 3).quoting(cause)),
                into(udp(R, 5060, PUBLIC, PORT_A), A),
                out(call.clone()),
            ],
        ),
        case(
            "rfc4787-req12a-icmp-error-from-any-router",
            [error_into(&call, |to, cause| {
                time_exceeded(somewhere, to).quoting(cause)
            })],
        ),
        case(
            "rfc4787-req12b-port-unreachable-reaches-phone",
            [error_into(&call, |to, cause| {
                unreachable(R, to, 3).quoting_all(cause)
            })],
        ),
    ]
}

/// REQ-13: packets larger than the next link takes.
fn sizes() -> Vec<Row> {
    let large = udp(A, PORT_A, R_SMALL, 5060).payload_of(1400);
    let large_in = udp(R, 5060, PUBLIC, PORT_B).payload_of(1400);
    let parts = large.clone().ttl(63).fragments(SMALL_MTU.into());
    let from_phone = |part: &Packet| {
        leaving("", Some(Port::In0), part.clone())
            .given(EgressTranslated, part.clone().source(PUBLIC))
    };
    // The first fragment has the checksum of the whole.
    let whole = large.clone().ttl(63).source(PUBLIC);
    let first = leaving("", Some(Port::In0), parts[0].clone()).given(
        EgressTranslated,
        whole.fragments(SMALL_MTU.into())[0].clone(),
    );
    vec![
        case(
            "rfc4787-req13-too-big-df-is-answered",
            [too_big(Port::In0, large.clone().df(), SMALL_MTU)],
        ),
        case(
            "rfc4787-req13a-too-big-goes-to-kernel",
            [left(Port::In0, large, NeedsFragmentation)],
        ),
        case(
            "rfc4787-req13a-fragments-translated-at-egress",
            [first, from_phone(&parts[1])],
        ),
        case(
            "rfc4787-req13a-inbound-too-big-goes-to-kernel",
            [left(Port::Out0, large_in.clone(), NeedsFragmentation)
                .but_in_tc(Then::Given(InboundToStack, large_in.destination(B)))],
        ),
        case(
            "rfc4787-req13a-hairpin-too-big-is-dropped",
            [left(
                Port::In0,
                udp(A, PORT_A, PUBLIC, PORT_B).payload_of(1400),
                HairpinTooBig,
            )],
        ),
    ]
}

/// REQ-14: fragments.
fn fragments() -> Vec<Row> {
    let sent = udp(A, PORT_A, R, 5060).id(141).payload_of(2000);
    let came = udp(R, 5060, PUBLIC, PORT_A).id(142).payload_of(2000);
    let early = udp(R, 5060, PUBLIC, PORT_A).id(143).payload_of(2000);
    let shared = udp(R, 5060, SHARED, PORT_C).id(144).payload_of(2000);
    let oversized = udp(R, 5060, PUBLIC, PORT_A).id(145).payload_of(4400);
    let part = |whole: &Packet, number: usize| whole.fragments(1500)[number].clone();
    let arrives = came.clone().destination(A);
    vec![
        case(
            "rfc4787-req14-outbound-later-fragment",
            [out(part(&sent, 1))],
        ),
        case(
            "rfc4787-req14-inbound-in-order",
            [
                into_as(part(&came, 0), part(&arrives, 0)),
                into_as(part(&came, 1), part(&arrives, 1)),
            ],
        ),
        case(
            "rfc4787-req14-inbound-early-is-held",
            [left(Port::Out0, part(&early, 1), FragmentHeld)],
        ),
        case(
            "rfc4787-req14-early-on-shared-address",
            [left(Port::Out0, part(&shared, 1), EarlyFragmentShared)],
        ),
        // More than 2,048 bytes; as on a link with jumbo frames.
        case(
            "rfc4787-req14a-oversized-early-fragment-not-held",
            [left(
                Port::Out0,
                oversized.fragments(2200)[1].clone(),
                FragmentNotHeld,
            )],
        ),
    ]
}
