//! Between phones by public addresses.

use gateway_common::Reason::{
    Hairpin, NoBinding, RouterPort, SourcePortOutOfRange, UnboundHost, UnboundSource,
    UnsupportedIcmp, WrongInterface,
};
use gateway_tests::packet::{Packet, echo_request, sctp, tcp, udp};

use crate::bed::*;
use crate::row::{Port, Row, row};

pub(crate) fn rows() -> Vec<Row> {
    let call = udp(A, PORT_A, PUBLIC, PORT_B).payload(b"RTP");
    let between = |packet: &Packet, from, to| {
        let ttl = packet.ip.ttl - 1;
        packet.clone().source(from).destination(to).ttl(ttl)
    };
    let data = tcp(B, PORT_B, PUBLIC, PORT_A).payload(b"data");
    let chunk = sctp(A, PORT_A, PUBLIC_2, PORT_D).payload_of(8);
    let unsummed = call.clone().no_checksum();
    let shared = udp(A, PORT_A, SHARED, PORT_C).payload(b"x");
    let tagged = udp(A, PORT_A, PUBLIC, PORT_V).payload(b"x");
    let own = udp(A, PORT_A, PUBLIC, PORT_A + 1).payload(b"x");
    vec![
        row("hairpin/udp", Port::In0, call.clone()).sent(
            Hairpin,
            Port::In0,
            between(&call, PUBLIC, B),
        ),
        row("hairpin/udp-checksum-zero", Port::In0, unsummed.clone()).sent(
            Hairpin,
            Port::In0,
            between(&unsummed, PUBLIC, B),
        ),
        row("hairpin/tcp", Port::In0, data.clone()).sent(
            Hairpin,
            Port::In0,
            between(&data, PUBLIC, A),
        ),
        row("hairpin/other-inside-interface", Port::In0, chunk.clone()).sent(
            Hairpin,
            Port::In1,
            between(&chunk, PUBLIC, D),
        ),
        row(
            "hairpin/between-public-addresses",
            Port::In0,
            shared.clone(),
        )
        .sent(Hairpin, Port::In0, between(&shared, PUBLIC, C)),
        row("hairpin/into-vlan", Port::In0, tagged.clone()).sent(
            Hairpin,
            Port::Vlan,
            between(&tagged, PUBLIC, V),
        ),
        row("hairpin/to-itself", Port::In0, own.clone()).sent(
            Hairpin,
            Port::In0,
            between(&own, PUBLIC, A),
        ),
        row(
            "hairpin/port-of-nobody",
            Port::In0,
            udp(A, PORT_A, PUBLIC, FREE_PORT),
        )
        .untouched(NoBinding),
        row(
            "hairpin/router-service",
            Port::In0,
            tcp(A, 1234, SHARED, 22),
        )
        .untouched(RouterPort),
        row(
            "hairpin/port-out-of-range",
            Port::In0,
            udp(A, 1234, PUBLIC, PORT_B),
        )
        .untouched(SourcePortOutOfRange),
        row(
            "hairpin/unbound",
            Port::In0,
            udp(UNBOUND, 1234, PUBLIC, PORT_B),
        )
        .untouched(UnboundSource),
        row(
            "hairpin/unbound-left-to-kernel",
            Port::In1,
            udp(COMPUTER, 1234, PUBLIC, PORT_B),
        )
        .untouched(UnboundHost),
        row(
            "hairpin/wrong-interface",
            Port::In1,
            udp(A, PORT_A, PUBLIC, PORT_B),
        )
        .untouched(WrongInterface),
        row(
            "hairpin/ping-shared-address",
            Port::In0,
            echo_request(A, SHARED, PORT_C),
        )
        .untouched(RouterPort),
        row(
            "hairpin/ping-pool-address",
            Port::In0,
            echo_request(A, PUBLIC, PORT_B),
        )
        .untouched(UnsupportedIcmp),
    ]
}

#[test]
fn hairpin() {
    crate::row::run(rows());
}
