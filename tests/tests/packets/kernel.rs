//! What is none of the gateway's business reaches the kernel untouched.

use gateway_common::Reason::{
    InsideToInside, Multicast, NoRouteOutbound, NotIpv4, OtherHost, RouterLocal,
};
use gateway_tests::link::mac_of;
use gateway_tests::packet::{Packet, echo_request, tcp, udp};

use crate::bed::*;
use crate::row::{Port, Row, raw, row};

pub(crate) fn rows() -> Vec<Row> {
    let other = mac_of([10, 99, 99, 99].into());
    let to_group = udp([0, 0, 0, 0], 68, [255, 255, 255, 255], 67).payload_of(300);
    let group_mac = [0x01, 0x00, 0x5e, 0, 0, 1];
    vec![
        raw("kernel/arp", Port::In0, ethernet(ROUTER_IN0, 0x0806)),
        raw("kernel/arp-outside", Port::Out0, ethernet(SHARED, 0x0806)),
        raw("kernel/ipv6", Port::In0, ethernet(ROUTER_IN0, 0x86dd)),
        raw("kernel/pppoe", Port::Out0, ethernet(SHARED, 0x8864)),
    ]
    .into_iter()
    .map(|row| row.untouched(NotIpv4))
    .chain([
        row(
            "kernel/dhcp-discover",
            Port::In0,
            to_group.clone().macs(mac_of(A), [0xff; 6]),
        )
        .untouched(Multicast)
        .but_in_tc(crate::row::Then::Untouched(Multicast)),
        row(
            "kernel/multicast-mac",
            Port::Out0,
            udp(R, 1, PUBLIC, PORT_A).macs(other, group_mac),
        )
        .untouched(Multicast),
        row(
            "kernel/multicast-destination",
            Port::In0,
            udp(A, PORT_A, [224, 0, 0, 251], 5353),
        )
        .untouched(Multicast),
        row(
            "kernel/source-zero",
            Port::In0,
            udp([0, 0, 0, 0], 68, R, 67),
        )
        .untouched(Multicast),
        row(
            "kernel/frame-for-another-host",
            Port::In0,
            udp(A, PORT_A, R, 5060).macs(mac_of(A), other),
        )
        .untouched(OtherHost),
        row(
            "kernel/to-router-inside",
            Port::In0,
            udp(A, 68, ROUTER_IN0, 67),
        )
        .untouched(InsideToInside),
        row(
            "kernel/unbound-to-router-inside",
            Port::In0,
            udp(UNBOUND, 68, ROUTER_IN0, 67),
        )
        .untouched(InsideToInside),
        row(
            "kernel/to-router-outside-any-port",
            Port::In0,
            tcp(A, 1234, ROUTER_OTHER, 22),
        )
        .untouched(RouterLocal),
        row(
            "kernel/unbound-to-router-outside",
            Port::In0,
            tcp(UNBOUND, 1234, ROUTER_OTHER, 22),
        )
        .untouched(RouterLocal),
        row(
            "kernel/ping-router-outside",
            Port::In0,
            echo_request(A, ROUTER_OTHER, 5),
        )
        .untouched(RouterLocal),
        row(
            "kernel/inside-to-inside",
            Port::In0,
            udp(A, PORT_A, D, PORT_D),
        )
        .untouched(InsideToInside),
        row("kernel/inside-to-same-network", Port::In0, udp(A, 1, B, 1)).untouched(InsideToInside),
        row(
            "kernel/no-route",
            Port::In0,
            udp(A, PORT_A, R_UNREACHABLE, 9),
        )
        .untouched(NoRouteOutbound),
    ])
    .collect()
}

/// A frame that is no IPv4.
fn ethernet(to: std::net::Ipv4Addr, ethertype: u16) -> Vec<u8> {
    let mut frame = Packet::raw(A, R, 0, &[0; 26])
        .macs(mac_of(A), mac_of(to))
        .bytes();
    frame[12..14].copy_from_slice(&ethertype.to_be_bytes());
    frame
}

#[test]
fn kernel() {
    crate::row::run(rows());
}
