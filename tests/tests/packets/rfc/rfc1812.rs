//! RFC 1812, 792 and 1191: what a router owes. RFC 2827 is in `others.rs`.

use std::net::Ipv4Addr;

use gateway_common::Reason::{
    BadHeader, Multicast, NoRoute, NoRouteOutbound, NotTranslated, SpoofedSource, TtlExpired,
};
use gateway_tests::link::mac_of;
use gateway_tests::packet::{Packet, tcp, udp};

use super::ways::{across, as_in, expires, into, left, out, too_big};
use crate::bed::*;
use crate::malformed;
use crate::row::{Port, Row, case, raw};

pub(super) fn rows() -> Vec<Row> {
    [headers(), ttl(), answers(), silence(), ways(), sizes()].concat()
}

fn call() -> Packet {
    udp(A, PORT_A, R, 5060).payload_of(60)
}

/// A packet each way.
fn each_way() -> [Packet; 3] {
    [
        call(),
        udp(R, 5060, PUBLIC, PORT_A).payload_of(60),
        udp(A, PORT_A, PUBLIC, PORT_B).payload_of(60),
    ]
}

/// Sections 4.2.2.6, 5.2.2, 5.3.13: the header is checked, options are carried.
fn headers() -> Vec<Row> {
    let mut version_6 = call().macs(mac_of(A), mac_of(ROUTER_IN0)).bytes();
    version_6[14] = 0x65;
    let unknown = [0x9e, 4, 0xab, 0xcd];
    // Three free slots.
    let record_route = [7, 15, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    vec![
        case(
            "rfc1812-sec5.2.2-wrong-checksum-stays-wrong",
            [out(call()).wrong_checksum_at(10)],
        ),
        as_in(
            malformed::rows(),
            "malformed/header-length-4",
            "rfc1812-sec5.2.2-short-header-length",
        ),
        as_in(
            malformed::rows(),
            "malformed/total-length-below-header",
            "rfc1812-sec5.2.2-total-length-below-header",
        ),
        raw("rfc1812-sec5.2.2-version-not-4", Port::In0, version_6).untouched(BadHeader),
        as_in(
            malformed::rows(),
            "malformed/total-length-beyond-frame",
            "rfc1812-sec5.2.2-frame-shorter-than-packet",
        ),
        case(
            "rfc1812-sec4.2.2.6-unknown-option-untouched",
            [out(call().options(&unknown))],
        ),
        case(
            "rfc1812-sec5.3.13.5-record-route-untouched",
            [out(call().options(&record_route))],
        ),
    ]
}

/// Section 5.3.1.
fn ttl() -> Vec<Row> {
    let [sent, came, between] = each_way().map(|packet| packet.ttl(2));
    vec![
        case(
            "rfc1812-sec5.3.1-ttl-2-leaves-as-1",
            [out(sent), into(came, A), across(between, B)],
        ),
        case(
            "rfc1812-sec5.3.1-ttl-1-is-answered",
            [
                expires(Port::In0, call().ttl(1)),
                expires(Port::In0, call().ttl(0)),
            ],
        ),
        // From the interface's address, quoting what was sent to the public one.
        case(
            "rfc792-time-exceeded-from-outside",
            [expires(
                Port::Out0,
                udp(R, 5060, PUBLIC, PORT_A).ttl(1).payload_of(20),
            )],
        ),
    ]
}

/// Sections 4.3.2.3 and 4.3.2.4: quote and source of own errors.
fn answers() -> Vec<Row> {
    let options = call().options(&[1, 1, 1, 0]).ttl(1);
    let odd = udp(A, PORT_A, R, 5060).payload_of(59).ttl(1);
    let long = udp(A, PORT_A, R, 5060).payload_of(1000).ttl(1);
    let from_d = udp(D, PORT_D, R, 5060).payload_of(60).ttl(1);
    vec![
        // Whole words are quoted: the odd one lacks its last three bytes.
        case(
            "rfc1812-sec4.3.2.3-quote-is-as-received",
            [expires(Port::In0, options), expires(Port::In0, odd)],
        ),
        case(
            "rfc1812-sec4.3.2.3-quote-is-128-bytes",
            [expires(Port::In0, long)],
        ),
        case(
            "rfc1812-sec4.3.2.4-source-is-interface-address",
            [expires(Port::In1, from_d)],
        ),
    ]
}

/// Sections 4.3.2.7, 5.3.4 and 5.3.7: no answers, no forwarding.
fn silence() -> Vec<Row> {
    let later = udp(A, PORT_A, R, 5060).payload_of(2000).ttl(1);
    let group = Ipv4Addr::new(224, 0, 1, 1);
    let from = |source: [u8; 4]| udp(source, 5060, PUBLIC, PORT_A);
    let martian = |source| left(Port::Out0, from(source), SpoofedSource);
    vec![
        case(
            "rfc1812-sec4.3.2.7-later-fragment-not-answered",
            [left(
                Port::In0,
                later.fragments(1500)[1].clone(),
                TtlExpired,
            )],
        ),
        case(
            "rfc1812-sec5.3.4-link-broadcast-not-forwarded",
            [left(
                Port::In0,
                call().macs(mac_of(A), [0xff; 6]),
                Multicast,
            )],
        ),
        case(
            "rfc1812-sec4.3.2.7-multicast-not-answered",
            [left(
                Port::In0,
                udp(A, PORT_A, group, 5060).ttl(1),
                Multicast,
            )],
        ),
        case(
            "rfc1812-sec4.3.2.7-loopback-source-not-answered",
            [left(Port::Out0, from([127, 0, 0, 1]).ttl(1), SpoofedSource)],
        ),
        case(
            "rfc1812-sec5.3.7-martian-sources-are-dropped",
            [
                martian([0, 0, 0, 1]),
                martian([0, 255, 255, 255]),
                martian([127, 0, 0, 1]),
                martian([224, 0, 0, 1]),
                martian([240, 0, 0, 1]),
                martian([255, 255, 255, 255]),
            ],
        ),
        case(
            "rfc1812-sec5.3.7-martian-destinations-are-the-kernels",
            [
                left(Port::In0, udp(A, PORT_A, [0, 1, 2, 3], 5060), NotTranslated),
                left(
                    Port::In0,
                    udp(A, PORT_A, [127, 0, 0, 1], 5060),
                    NotTranslated,
                ),
                left(Port::In0, udp(A, PORT_A, [240, 0, 0, 1], 5060), Multicast),
            ],
        ),
        // The broadcast address of out0's network is known to the FIB, which is not
        // asked about sources.
        case(
            "rfc1812-sec4.3.2.7-network-broadcast-source-is-answered",
            [expires(
                Port::Out0,
                from([198, 51, 100, 255]).payload_of(20).ttl(1),
            )],
        ),
        // The kernel drops it, unless it is a broadcast (a host without address yet).
        case(
            "rfc1812-sec5.3.7-source-zero-is-the-kernels",
            [left(Port::Out0, from([0, 0, 0, 0]), Multicast)],
        ),
    ]
}

/// Sections 4.3.3.1 and 5.3.3.3: no route, and DSCP.
fn ways() -> Vec<Row> {
    let [sent, came, between] = each_way().map(|packet| packet.tos(0xbb));
    let to_lost = tcp(R, 443, PUBLIC, PORT_LOST);
    vec![
        case(
            "rfc1812-sec4.3.3.1-no-route-outbound-is-the-kernels",
            [left(
                Port::In0,
                udp(A, PORT_A, R_UNREACHABLE, 5060),
                NoRouteOutbound,
            )],
        ),
        case(
            "rfc1812-sec4.3.3.1-no-route-to-phone",
            [left(Port::Out0, to_lost, NoRoute)],
        ),
        case(
            "rfc1812-sec5.3.2-dscp-and-ecn-untouched",
            [out(sent), into(came, A), across(between, B)],
        ),
    ]
}

/// RFC 1191 section 4.
fn sizes() -> Vec<Row> {
    let outbound = udp(A, PORT_A, R_SMALL, 5060).df().payload_of(1400);
    let inbound = udp(R, 5060, PUBLIC, PORT_B).df().payload_of(1400);
    vec![
        case(
            "rfc1191-sec4-next-hop-mtu",
            [too_big(Port::In0, outbound, SMALL_MTU)],
        ),
        case(
            "rfc1191-sec4-inbound-too-big-is-answered",
            [too_big(Port::Out0, inbound, SMALL_MTU)],
        ),
    ]
}
