//! From the world to phones.

use gateway_common::Reason::{
    Inbound, InsideDestination, NeighbourUnknown, NoBinding, NotTranslated, RouterPort,
    SpoofedSource, UnsupportedProtocol, WrongEgress,
};
use gateway_tests::packet::{Packet, flags, protocol, sctp, tcp, udp};

use crate::bed::*;
use crate::row::{Port, Row, Then, row};

pub(crate) fn rows() -> Vec<Row> {
    let media = udp(R, 7078, PUBLIC, PORT_A + 2).tos(0xb8).payload_of(172);
    let to_a = |packet: &Packet| packet.clone().destination(A).ttl(packet.ip.ttl - 1);
    let syn = tcp(R, 80, PUBLIC, PORT_A).segment(flags::SYN | flags::ACK, 9, 2);
    let chunk = sctp(R, 2905, PUBLIC, PORT_A).payload_of(16);
    let unsummed = udp(R, 7078, PUBLIC, PORT_A).no_checksum().payload(b"x");
    let options = media.clone().options(&[1, 1, 1, 0]);
    let last = udp(R, 1, PUBLIC, PORT_A + 63);
    let to_n = udp(R, 5060, PUBLIC, PORT_N).payload(b"x");
    vec![
        row("inbound/udp", Port::Out0, media.clone()).sent(Inbound, Port::In0, to_a(&media)),
        row("inbound/udp-checksum-zero", Port::Out0, unsummed.clone()).sent(
            Inbound,
            Port::In0,
            to_a(&unsummed),
        ),
        row("inbound/tcp", Port::Out0, syn.clone()).sent(Inbound, Port::In0, to_a(&syn)),
        row("inbound/sctp", Port::Out0, chunk.clone()).sent(Inbound, Port::In0, to_a(&chunk)),
        row("inbound/ip-options", Port::Out0, options.clone()).sent(
            Inbound,
            Port::In0,
            to_a(&options),
        ),
        row("inbound/last-port", Port::Out0, last.clone()).sent(Inbound, Port::In0, to_a(&last)),
        row(
            "inbound/ethernet-padding",
            Port::Out0,
            last.clone().pad_to(60),
        )
        .sent(Inbound, Port::In0, to_a(&last)),
        row(
            "inbound/next-range-is-the-next-phone",
            Port::Out0,
            udp(R, 1, PUBLIC, PORT_B),
        )
        .sent(Inbound, Port::In0, udp(R, 1, B, PORT_B).ttl(63)),
        row(
            "inbound/second-address-same-port",
            Port::Out0,
            udp(R, 1, PUBLIC_2, PORT_D),
        )
        .sent(Inbound, Port::In1, udp(R, 1, D, PORT_D).ttl(63)),
        row(
            "inbound/shared-address",
            Port::Out0,
            udp(R, 1, SHARED, PORT_C),
        )
        .sent(Inbound, Port::In0, udp(R, 1, C, PORT_C).ttl(63)),
        row("inbound/neighbour-unknown", Port::Out0, to_n.clone())
            .untouched(NeighbourUnknown)
            .but_in_tc(Then::Sent(Inbound, Port::In0, to_n.destination(N).ttl(63))),
        row("inbound/from-tunnel", Port::Tun, media.clone()).sent(Inbound, Port::In0, to_a(&media)),
        row(
            "inbound/port-of-nobody",
            Port::Out0,
            udp(R, 1, PUBLIC, FREE_PORT),
        )
        .untouched(NoBinding),
        row("inbound/system-port", Port::Out0, tcp(R, 1, PUBLIC, 22)).untouched(NoBinding),
        row("inbound/shared-ssh", Port::Out0, tcp(R, 50000, SHARED, 22)).untouched(RouterPort),
        row("inbound/shared-ike", Port::Out0, udp(R, 4500, SHARED, 4500)).untouched(RouterPort),
        row(
            "inbound/shared-esp",
            Port::Out0,
            Packet::raw(R, SHARED, protocol::ESP, &[0; 32]),
        )
        .untouched(RouterPort),
        row(
            "inbound/esp-to-pool",
            Port::Out0,
            Packet::raw(R, PUBLIC, protocol::ESP, &[0; 32]),
        )
        .untouched(UnsupportedProtocol),
        row(
            "inbound/router-address",
            Port::Out0,
            tcp(R, 1, ROUTER_OTHER, 22),
        )
        .untouched(NotTranslated),
        row("inbound/transit", Port::Out0, udp(R, 1, [8, 8, 8, 8], 53)).untouched(NotTranslated),
        row(
            "inbound/private-destination",
            Port::Out0,
            udp(R, 1, A, PORT_A),
        )
        .untouched(InsideDestination),
        row(
            "inbound/private-destination-unbound",
            Port::Out0,
            udp(R, 1, UNBOUND, 80),
        )
        .untouched(InsideDestination),
        row(
            "inbound/spoofed-phone",
            Port::Out0,
            udp(A, PORT_A, PUBLIC, PORT_B),
        )
        .untouched(SpoofedSource),
        row(
            "inbound/spoofed-inside",
            Port::Out0,
            udp(UNBOUND, 1, ROUTER_OTHER, 22),
        )
        .untouched(SpoofedSource),
        row(
            "inbound/loopback-source",
            Port::Out0,
            udp([127, 0, 0, 1], 1, PUBLIC, PORT_A),
        )
        .untouched(SpoofedSource),
        row(
            "inbound/multicast-source",
            Port::Out0,
            udp([224, 0, 0, 1], 1, PUBLIC, PORT_A),
        )
        .untouched(SpoofedSource),
        row(
            "inbound/spoofed-pool",
            Port::Out0,
            udp(PUBLIC, PORT_A, PUBLIC, PORT_B),
        )
        .untouched(SpoofedSource),
        row(
            "inbound/route-leads-elsewhere",
            Port::Out0,
            udp(R, 1, PUBLIC, PORT_STRAY),
        )
        .untouched(WrongEgress),
    ]
}

#[test]
fn inbound() {
    crate::row::run(rows());
}
