//! Fragments both ways, in any order.

use dataplane::Release;
use gateway_common::Reason::{
    EarlyFragmentShared, FragmentHeld, FragmentNotHeld, Hairpin, Inbound, NoBinding, Outbound,
    RouterPort, SourcePortOutOfRange, TinyFragment, Truncated,
};
use gateway_common::abi::Hook;
use gateway_tests::packet::{Packet, check_ip, echo_reply, reassemble_ip, tcp, udp};

use crate::bed::*;
use crate::row::{Port, Row, row};
use crate::shared;

fn parts(packet: &Packet) -> Vec<Packet> {
    packet.fragments(1500)
}

pub(crate) fn rows() -> Vec<Row> {
    [outbound(), inbound(), hairpin(), cut()].concat()
}

fn outbound() -> Vec<Row> {
    let out = udp(A, PORT_A, R, 5060).id(11).payload_of(3200);
    let left = parts(&out.clone().source(PUBLIC).ttl(63));
    let sent = parts(&out);
    let wrong = parts(&udp(A, 999, R, 5060).id(12).payload_of(3200));
    vec![
        row("fragment/outbound-later-first", Port::In0, sent[1].clone()).sent(
            Outbound,
            Port::Out0,
            left[1].clone(),
        ),
        row("fragment/outbound-first", Port::In0, sent[0].clone()).sent(
            Outbound,
            Port::Out0,
            left[0].clone(),
        ),
        row("fragment/outbound-last", Port::In0, sent[2].clone()).sent(
            Outbound,
            Port::Out0,
            left[2].clone(),
        ),
        row(
            "fragment/outbound-first-out-of-range",
            Port::In0,
            wrong[0].clone(),
        )
        .untouched(SourcePortOutOfRange),
    ]
}

fn inbound() -> Vec<Row> {
    let datagram = udp(R, 5060, PUBLIC, PORT_A).id(21).payload_of(3200);
    let came = parts(&datagram);
    let went = parts(&datagram.clone().destination(A).ttl(63));
    let stream = parts(&tcp(R, 80, PUBLIC, PORT_V).id(21).payload_of(2000));
    let stream_to_v = parts(&tcp(R, 80, V, PORT_V).id(21).payload_of(2000).ttl(63));
    let pong = parts(&echo_reply(R, PUBLIC, PORT_A).id(23).payload_of(2000));
    let pong_to_a = parts(&echo_reply(R, A, PORT_A).id(23).payload_of(2000).ttl(63));
    let other = parts(&udp(R2, 5060, PUBLIC, PORT_A).id(21).payload_of(3200));
    let nobody = parts(&udp(R, 5060, PUBLIC, FREE_PORT).id(24).payload_of(2000));
    let ike = parts(&udp(R, 500, SHARED, 500).id(25).payload_of(2000));
    let large = udp(R2, 5060, PUBLIC, PORT_A).id(27).payload_of(4400);
    let early_ike = parts(&udp(R2, 500, SHARED, 500).id(26).payload_of(2000));
    let to = |packet: &Packet| packet.clone();
    vec![
        row("fragment/inbound-first", Port::Out0, to(&came[0])).sent(
            Inbound,
            Port::In0,
            to(&went[0]),
        ),
        row(
            "fragment/inbound-last-before-middle",
            Port::Out0,
            to(&came[2]),
        )
        .sent(Inbound, Port::In0, to(&went[2])),
        row("fragment/inbound-middle", Port::Out0, to(&came[1])).sent(
            Inbound,
            Port::In0,
            to(&went[1]),
        ),
        row(
            "fragment/inbound-tcp-same-id-other-phone",
            Port::Out0,
            to(&stream[0]),
        )
        .sent(Inbound, Port::Vlan, to(&stream_to_v[0])),
        row("fragment/inbound-tcp-later", Port::Out0, to(&stream[1])).sent(
            Inbound,
            Port::Vlan,
            to(&stream_to_v[1]),
        ),
        row(
            "fragment/inbound-udp-still-to-its-own",
            Port::Out0,
            to(&came[1]),
        )
        .sent(Inbound, Port::In0, to(&went[1])),
        row("fragment/inbound-ping-first", Port::Out0, to(&pong[0])).sent(
            Inbound,
            Port::In0,
            to(&pong_to_a[0]),
        ),
        row("fragment/inbound-ping-later", Port::Out0, to(&pong[1])).sent(
            Inbound,
            Port::In0,
            to(&pong_to_a[1]),
        ),
        row("fragment/inbound-early-is-held", Port::Out0, to(&other[1])).untouched(FragmentHeld),
        row(
            "fragment/inbound-early-too-large-to-hold",
            Port::Out0,
            to(&large.fragments(2200)[1]),
        )
        .untouched(FragmentNotHeld),
        row(
            "fragment/inbound-first-to-nobody",
            Port::Out0,
            to(&nobody[0]),
        )
        .untouched(NoBinding),
        row(
            "fragment/inbound-later-to-nobody",
            Port::Out0,
            to(&nobody[1]),
        )
        .untouched(NoBinding),
        row("fragment/shared-first-to-router", Port::Out0, to(&ike[0])).untouched(RouterPort),
        row("fragment/shared-later-to-router", Port::Out0, to(&ike[1])).untouched(RouterPort),
        row("fragment/shared-early", Port::Out0, to(&early_ike[1])).untouched(EarlyFragmentShared),
    ]
}

fn hairpin() -> Vec<Row> {
    let datagram = udp(A, PORT_A, PUBLIC, PORT_V).id(31).payload_of(2000);
    let came = parts(&datagram);
    let went = parts(&datagram.clone().source(PUBLIC).destination(V).ttl(63));
    let early = parts(&datagram.clone().id(32));
    vec![
        row("fragment/hairpin-first", Port::In0, came[0].clone()).sent(
            Hairpin,
            Port::Vlan,
            went[0].clone(),
        ),
        row("fragment/hairpin-later", Port::In0, came[1].clone()).sent(
            Hairpin,
            Port::Vlan,
            went[1].clone(),
        ),
        row(
            "fragment/hairpin-early-is-held",
            Port::In0,
            early[1].clone(),
        )
        .untouched(FragmentHeld),
    ]
}

/// Fragments cut so as to hide something (RFC 1858, RFC 3128), or just short.
fn cut() -> Vec<Row> {
    let stream = tcp(R, 80, PUBLIC, PORT_A).id(41).payload_of(100);
    let tiny = first_bytes(&stream, 8, true);
    let whole_but_short = first_bytes(&udp(R, 1, PUBLIC, PORT_A), 4, false);
    let mut overlap = tiny.clone();
    overlap.ip.fragment_offset = 8;
    vec![
        row("fragment/tiny-first", Port::Out0, tiny).untouched(TinyFragment),
        row("fragment/overlapping-ports", Port::Out0, overlap).untouched(TinyFragment),
        row("fragment/short-datagram", Port::Out0, whole_but_short).untouched(Truncated),
    ]
}

/// A packet with only the first bytes of its transport part.
pub(crate) fn first_bytes(packet: &Packet, count: usize, more: bool) -> Packet {
    let mut cut = Packet::raw(
        packet.ip.source,
        packet.ip.destination,
        packet.body.protocol(),
        &packet.ip_bytes()[20..20 + count],
    )
    .id(packet.ip.id);
    cut.ip.more_fragments = more;
    cut
}

#[test]
fn fragments() {
    crate::row::run(rows());
}

#[test]
fn early_fragments_are_released_after_the_first() {
    shared::with(|bed| {
        let datagram = udp(R, 5060, PUBLIC, PORT_A).id(99).payload_of(3200);
        let came = parts(&datagram);
        let held = row("held", Port::Out0, came[2].clone())
            .untouched(FragmentHeld)
            .run_at(bed, Hook::Xdp)
            .unwrap();
        assert_eq!(held.packet, came[2].ip_bytes());
        assert_eq!(bed.dataplane.release_fragment(&held), Release::Wait);

        let went = parts(&datagram.clone().destination(A).ttl(63));
        row("first", Port::Out0, came[0].clone())
            .sent(Inbound, Port::In0, went[0].clone())
            .run_at(bed, Hook::Xdp);
        let Release::Send(last) = bed.dataplane.release_fragment(&held) else {
            panic!("not released");
        };
        assert_eq!(check_ip(&last), Ok(went[2].clone()));
        let all = [went[0].ip_bytes(), went[1].ip_bytes(), last];
        assert_eq!(reassemble_ip(&all), Ok(datagram.destination(A).ttl(63)));

        // One that turns out to be nobody's is forgotten.
        let other = parts(&udp(R, 1, PUBLIC, FREE_PORT).id(98).payload_of(2000));
        let held = row("held too", Port::Out0, other[1].clone())
            .untouched(FragmentHeld)
            .run_at(bed, Hook::Xdp)
            .unwrap();
        row("nobody's", Port::Out0, other[0].clone())
            .untouched(NoBinding)
            .run_at(bed, Hook::Xdp);
        assert_eq!(bed.dataplane.release_fragment(&held), Release::NotOurs);
    });
}
