//! Inputs by hand: one for each thing the engine does, and each that it refuses.
//!
//! The site is the one of `gateway_common::testing::site`.

use gateway_common::nat::Stage::{self, Tc, Xdp};
use gateway_common::testing::invariants::Case;
use gateway_common::testing::site::{COMPUTERS, OUTSIDE, PHONES, TUNNEL};
use gateway_tests::packet::{
    Packet, echo_reply, echo_request, frag_needed, icmp_error, protocol, sctp, tcp, time_exceeded,
    udp, unreachable,
};

type Seeds = Vec<(&'static str, Vec<u8>)>;

const ALICE: [u8; 4] = [10, 10, 0, 21];
const CAROL: [u8; 4] = [10, 20, 0, 23];
const ROUTER: [u8; 4] = [10, 10, 0, 254];
const COMPUTER: [u8; 4] = [10, 20, 0, 99];
const DEDICATED: [u8; 4] = [192, 0, 2, 1];
const SHARED: [u8; 4] = [192, 0, 2, 2];
const REMOTE: [u8; 4] = [203, 0, 113, 10];
const HOP: [u8; 4] = [198, 51, 100, 1];

/// Comes in on an Ethernet device and goes straight on.
const CASE: Case = Case {
    slot: PHONES,
    ethernet: true,
    stage: Xdp,
    answer: 0,
    fragments: 0,
    echo_ids: 0,
};

fn at(slot: u16, packet: &Packet) -> Vec<u8> {
    with(Case { slot, ..CASE }, packet)
}

/// With the FIB's answer (see [`Case::answer`]).
fn routed(slot: u16, stage: Stage, answer: u8, packet: &Packet) -> Vec<u8> {
    let case = Case {
        slot,
        stage,
        answer,
        ..CASE
    };
    with(case, packet)
}

fn with(case: Case, packet: &Packet) -> Vec<u8> {
    let packet = match case.ethernet {
        true => packet.bytes(),
        false => packet.ip_bytes(),
    };
    [&case.to_bytes()[..], &packet].concat()
}

fn out() -> Packet {
    udp(ALICE, 40000, REMOTE, 5060).payload(b"REGISTER")
}

fn back() -> Packet {
    udp(REMOTE, 5060, DEDICATED, 40063).payload(b"200 OK")
}

fn hairpin() -> Packet {
    udp(CAROL, 50000, DEDICATED, 40001).payload(b"INVITE")
}

/// First and last fragment.
fn halves(packet: &Packet) -> [Packet; 2] {
    let parts = packet.clone().payload_of(40).fragments(52);
    let [first, .., last] = &parts[..] else {
        panic!("it is too small to be cut: {packet:?}")
    };
    [first.clone(), last.clone()]
}

/// Seeds of the target `engine`.
pub(crate) fn engine() -> Seeds {
    [ways(), errors(), refusals(), routes()].concat()
}

fn ways() -> Seeds {
    let [out_first, out_last] = halves(&out());
    let [back_first, back_last] = halves(&back());
    let known = Case {
        slot: OUTSIDE,
        fragments: 2,
        ..CASE
    };
    let tunnel = Case {
        slot: TUNNEL,
        ethernet: false,
        stage: Tc,
        ..CASE
    };
    let pinging = Case {
        slot: COMPUTERS,
        echo_ids: 8,
        ..CASE
    };
    vec![
        ("outbound-udp", at(PHONES, &out())),
        ("outbound-udp-bare", at(PHONES, &out().no_checksum())),
        (
            "outbound-tcp-vlan",
            at(PHONES, &tcp(ALICE, 40001, REMOTE, 80).vlan(10)),
        ),
        (
            "outbound-sctp-qinq",
            at(PHONES, &sctp(ALICE, 40002, REMOTE, 2905).qinq(10, 20)),
        ),
        (
            "outbound-options",
            at(PHONES, &out().options(&[7, 7, 4, 0, 0, 0, 0]).pad_to(90)),
        ),
        ("outbound-first", at(PHONES, &out_first)),
        ("outbound-later", at(PHONES, &out_last)),
        (
            "outbound-ping",
            at(PHONES, &echo_request(ALICE, REMOTE, 7).payload(b"abc")),
        ),
        (
            "outbound-ping-collides",
            with(pinging, &echo_request(CAROL, REMOTE, 50000)),
        ),
        (
            "outbound-pong",
            at(PHONES, &echo_reply(ALICE, REMOTE, 40003)),
        ),
        ("inbound-udp", at(OUTSIDE, &back())),
        (
            "inbound-tcp",
            at(OUTSIDE, &tcp(REMOTE, 443, SHARED, 50007).payload(b"hello")),
        ),
        ("inbound-tunnel", with(tunnel, &back().no_checksum())),
        ("inbound-first", at(OUTSIDE, &back_first)),
        ("inbound-later", with(known, &back_last)),
        (
            "inbound-pong",
            with(
                Case {
                    echo_ids: 1,
                    ..known
                },
                &echo_reply(REMOTE, DEDICATED, 40010),
            ),
        ),
        ("hairpin-udp", at(COMPUTERS, &hairpin())),
        ("hairpin-tcp", at(PHONES, &tcp(ALICE, 40005, SHARED, 50001))),
    ]
}

fn errors() -> Seeds {
    let sent = udp(DEDICATED, 40000, REMOTE, 5060)
        .ttl(1)
        .payload(b"REGISTER");
    let ping = echo_request(DEDICATED, REMOTE, 40009);
    let got = udp(REMOTE, 5060, ALICE, 40000).payload(b"200 OK");
    let hairpinned = udp(SHARED, 50000, ALICE, 40001);
    let known = Case {
        slot: OUTSIDE,
        echo_ids: 3,
        ..CASE
    };
    let pong = echo_reply(REMOTE, ALICE, 7);
    vec![
        (
            "error-in",
            at(OUTSIDE, &time_exceeded(HOP, DEDICATED).quoting(&sent)),
        ),
        (
            "error-in-whole",
            at(
                OUTSIDE,
                &unreachable(REMOTE, DEDICATED, 3).quoting_all(&sent),
            ),
        ),
        (
            "error-in-options",
            at(
                OUTSIDE,
                &frag_needed(HOP, DEDICATED, 1400)
                    .options(&[1; 8])
                    .quoting_all(&sent.clone().options(&[1; 12])),
            ),
        ),
        (
            "error-in-tcp",
            at(
                OUTSIDE,
                &unreachable(HOP, SHARED, 1).quoting_all(&tcp(SHARED, 50002, REMOTE, 80)),
            ),
        ),
        (
            "error-in-sctp",
            at(
                OUTSIDE,
                &unreachable(HOP, SHARED, 2).quoting(&sctp(SHARED, 50002, REMOTE, 80)),
            ),
        ),
        (
            "error-in-bare",
            at(
                OUTSIDE,
                &unreachable(HOP, DEDICATED, 3).quoting(&sent.clone().no_checksum()),
            ),
        ),
        (
            "error-in-ping",
            with(known, &time_exceeded(HOP, DEDICATED).quoting_all(&ping)),
        ),
        (
            "error-out",
            at(PHONES, &unreachable(ALICE, REMOTE, 3).quoting_all(&got)),
        ),
        (
            "error-out-router",
            at(PHONES, &time_exceeded(ROUTER, REMOTE).quoting(&got)),
        ),
        (
            "error-out-pong",
            at(PHONES, &unreachable(ALICE, REMOTE, 3).quoting_all(&pong)),
        ),
        (
            "error-hairpin",
            at(PHONES, &unreachable(ALICE, SHARED, 3).quoting(&hairpinned)),
        ),
        (
            "error-unmatched",
            at(
                OUTSIDE,
                &unreachable(HOP, DEDICATED, 3).quoting(&udp(DEDICATED, 9, REMOTE, 9)),
            ),
        ),
        (
            "error-kernels",
            at(
                COMPUTERS,
                &unreachable(COMPUTER, REMOTE, 3).quoting(&udp(REMOTE, 53, COMPUTER, 9)),
            ),
        ),
    ]
}

fn refusals() -> Seeds {
    let [_, dedicated_last] = halves(&back());
    let [_, shared_last] = halves(&udp(REMOTE, 1, SHARED, 50000));
    let mut tiny = tcp(REMOTE, 1, DEDICATED, 40000)
        .payload_of(40)
        .fragments(36);
    let mut bad = at(OUTSIDE, &back());
    bad[Case::BYTES + 14] = 0x44;
    let mut cut = at(OUTSIDE, &back());
    cut.truncate(Case::BYTES + 14 + 30);
    let esp = |from: [u8; 4], to: [u8; 4]| Packet::raw(from, to, protocol::ESP, &[0; 16]);
    vec![
        (
            "refused-multicast",
            at(PHONES, &udp(ALICE, 40000, [239, 1, 2, 3], 5353)),
        ),
        ("refused-port", at(PHONES, &udp(ALICE, 39999, REMOTE, 5060))),
        ("refused-unbound", at(PHONES, &udp(ROUTER, 1, REMOTE, 53))),
        (
            "refused-kernels",
            at(COMPUTERS, &udp(COMPUTER, 1, REMOTE, 53)),
        ),
        ("refused-interface", at(COMPUTERS, &out())),
        ("refused-spoofed", at(OUTSIDE, &out())),
        ("refused-inside", at(OUTSIDE, &udp(REMOTE, 1, ALICE, 40000))),
        (
            "refused-to-inside",
            at(PHONES, &udp(ALICE, 40000, CAROL, 50000)),
        ),
        (
            "refused-no-binding",
            at(OUTSIDE, &udp(REMOTE, 1, DEDICATED, 9)),
        ),
        (
            "refused-router-port",
            at(OUTSIDE, &udp(REMOTE, 500, SHARED, 500)),
        ),
        ("refused-protocol", at(OUTSIDE, &esp(REMOTE, DEDICATED))),
        (
            "refused-icmp",
            at(PHONES, &icmp_error(ALICE, REMOTE, 5, 1).payload(&[0; 28])),
        ),
        ("refused-early", at(OUTSIDE, &dedicated_last)),
        ("refused-early-shared", at(OUTSIDE, &shared_last)),
        ("refused-tiny", at(OUTSIDE, &tiny.swap_remove(0))),
        ("refused-bad-header", bad),
        ("refused-truncated", cut),
        (
            "refused-transit",
            at(OUTSIDE, &udp(REMOTE, 1, [8, 8, 8, 8], 53)),
        ),
    ]
}

fn routes() -> Seeds {
    vec![
        ("route-local", routed(PHONES, Xdp, 1, &out())),
        ("route-too-big", routed(PHONES, Xdp, 2, &out())),
        (
            "route-too-big-df",
            routed(PHONES, Tc, 2, &out().df().payload_of(200)),
        ),
        ("route-too-big-in", routed(OUTSIDE, Tc, 2, &back())),
        (
            "route-too-big-hairpin",
            routed(COMPUTERS, Xdp, 2, &hairpin()),
        ),
        ("route-none", routed(PHONES, Xdp, 3, &out())),
        ("route-none-in", routed(OUTSIDE, Xdp, 3, &back())),
        ("route-closed", routed(PHONES, Xdp, 4, &out())),
        ("route-elsewhere", routed(OUTSIDE, Xdp, 5, &back())),
        ("route-tunnel", routed(PHONES, Xdp, 6, &out())),
        ("route-unresolved", routed(PHONES, Xdp, 7, &out())),
        (
            "route-ttl",
            at(PHONES, &tcp(ALICE, 40000, REMOTE, 80).ttl(1)),
        ),
    ]
}

/// Seeds of the target `parse`.
pub(crate) fn parse() -> Seeds {
    let [first, last] = halves(&back());
    let error = unreachable(HOP, DEDICATED, 3).options(&[1; 4]);
    vec![
        ("udp", out().bytes()),
        ("tcp-vlan", tcp(ALICE, 1, REMOTE, 2).vlan(10).bytes()),
        (
            "sctp-qinq",
            sctp(ALICE, 1, REMOTE, 2).qinq(1, 2).pad_to(80).bytes(),
        ),
        ("options", out().options(&[1; 40]).bytes()),
        ("first", first.bytes()),
        ("later", last.bytes()),
        ("echo", echo_request(ALICE, REMOTE, 7).bytes()),
        ("error", error.quoting(&out()).bytes()),
        (
            "error-echo",
            time_exceeded(HOP, ALICE)
                .quoting(&echo_reply(ALICE, HOP, 7))
                .bytes(),
        ),
        (
            "esp-bare",
            Packet::raw(ALICE, REMOTE, protocol::ESP, &[0; 8]).ip_bytes(),
        ),
    ]
}
