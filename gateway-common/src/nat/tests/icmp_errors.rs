//! ICMP errors, outer and quoted header, each way.

use super::{AROUND, Ran, framed, refused, sent};
use crate::nat::Stage;
use crate::testing::packet::{
    Sample, bare_udp, echo_reply, frag_needed, raw, sctp, tcp, udp, unreachable,
};
use crate::testing::site::{
    ALICE, BOB, CAROL, COMPUTER, COMPUTERS, DEDICATED, HOP, OUTSIDE, PHONES, REMOTE, ROUTER,
    SHARED, site,
};
use crate::testing::sums::sums;
use crate::verdict::Reason;

type Make = fn(u32, u16, u32, u16) -> Sample;

/// Every error about every packet: quoted whole, up to its ports, with and without the
/// TCP checksum, with options outside and inside.
///
/// `came` quotes what `quoted` has on this side, and leaves quoting `translated`.
fn each(
    slots: (u16, u16),
    reason: Reason,
    (came_from, came_to): (u32, u32),
    (left_from, left_to): (u32, u32),
    quoted: impl Fn(Make) -> [Sample; 2],
) {
    for make in [udp as Make, bare_udp, tcp, sctp] {
        for (outer, inner) in [(0, 0), (3, 0), (0, 10), (10, 10)] {
            // The TCP checksum ends at 18; half of it, quoted alone, stays as it is.
            for keep in [8, 12, 16, 18, 19, 1000] {
                let [before, after] = quoted(make).map(|sample| sample.options(inner));
                let came = unreachable(came_from, came_to, before, keep).options(outer);
                let left = came.forwarded(left_from, left_to).quoting(after);
                sent(&site(), slots, &came, reason, &left);
            }
        }
    }
}

#[test]
fn inbound_from_the_far_end() {
    let remote = (REMOTE, DEDICATED);
    each(
        (OUTSIDE, PHONES),
        Reason::Inbound,
        remote,
        (REMOTE, ALICE.private),
        |make| {
            let sent = make(DEDICATED, 40063, REMOTE, 5060);
            let own = make(ALICE.private, 40063, REMOTE, 5060);
            [sent, own]
        },
    );
}

#[test]
fn inbound_from_a_router_on_the_way() {
    let quoted = udp(SHARED, 50003, REMOTE, 5060).df().ttl(1);
    let came = frag_needed(HOP, SHARED, quoted.clone());
    let mut own = quoted;
    own.source = CAROL.private;
    let left = came.forwarded(HOP, CAROL.private).quoting(own);
    sent(&site(), (OUTSIDE, COMPUTERS), &came, Reason::Inbound, &left);
}

#[test]
fn outbound_from_the_phone() {
    each(
        (PHONES, OUTSIDE),
        Reason::Outbound,
        (ALICE.private, REMOTE),
        (DEDICATED, REMOTE),
        |make| {
            [
                make(REMOTE, 5060, ALICE.private, 40000),
                make(REMOTE, 5060, DEDICATED, 40000),
            ]
        },
    );
}

#[test]
fn outbound_from_a_router_inside_speaks_with_the_phones_address() {
    let quoted = |to| udp(REMOTE, 5060, to, 40000);
    let came = unreachable(ROUTER, REMOTE, quoted(ALICE.private), 8);
    let left = came.forwarded(DEDICATED, REMOTE).quoting(quoted(DEDICATED));
    let done = sent(&site(), (PHONES, OUTSIDE), &came, Reason::Outbound, &left);
    assert_eq!(
        (done.translation.from, done.translation.to),
        (ALICE.index, 0)
    );
}

#[test]
fn outbound_from_another_phone_speaks_with_its_own_address() {
    let mut tables = site();
    let erin = crate::tables::Phone {
        index: 4,
        private: ALICE.private + 10,
        public: SHARED,
        first_port: 50016,
        last_port: 50023,
        inside: PHONES,
    };
    tables.add_phone(erin);
    let quoted = |to| udp(REMOTE, 5060, to, 40000);
    let came = unreachable(erin.private, REMOTE, quoted(ALICE.private), 8);
    let left = came.forwarded(SHARED, REMOTE).quoting(quoted(DEDICATED));
    let done = sent(&tables, (PHONES, OUTSIDE), &came, Reason::Outbound, &left);
    assert_eq!(done.translation.from, erin.index);
}

#[test]
fn hairpinned_between_phones() {
    // Alice sent to Carol's public address; Carol tells her that nobody is there.
    each(
        (COMPUTERS, PHONES),
        Reason::Hairpin,
        (CAROL.private, DEDICATED),
        (SHARED, ALICE.private),
        |make| {
            [
                make(DEDICATED, 40001, CAROL.private, 50001),
                make(ALICE.private, 40001, SHARED, 50001),
            ]
        },
    );
}

#[test]
fn hairpinned_between_phones_at_one_address() {
    let quoted = udp(DEDICATED, 40001, BOB.private, 40064);
    let came = unreachable(BOB.private, DEDICATED, quoted, 8);
    let own = udp(ALICE.private, 40001, DEDICATED, 40064);
    let left = came.forwarded(DEDICATED, ALICE.private).quoting(own);
    let done = sent(&site(), (PHONES, PHONES), &came, Reason::Hairpin, &left);
    let translation = done.translation;
    assert_eq!((translation.from, translation.to), (BOB.index, ALICE.index));
}

#[test]
fn about_an_answer_to_a_ping_from_outside() {
    let quoted = |from| echo_reply(from, REMOTE, 40005);
    let came = unreachable(HOP, DEDICATED, quoted(DEDICATED), 8);
    let left = came
        .forwarded(HOP, ALICE.private)
        .quoting(quoted(ALICE.private));
    sent(&site(), (OUTSIDE, PHONES), &came, Reason::Inbound, &left);
}

#[test]
fn about_a_first_fragment() {
    let quoted = |from| udp(from, 40000, REMOTE, 5060).cut(0, 16);
    let came = unreachable(HOP, DEDICATED, quoted(DEDICATED), 1000);
    let left = came
        .forwarded(HOP, ALICE.private)
        .quoting(quoted(ALICE.private));
    sent(&site(), (OUTSIDE, PHONES), &came, Reason::Inbound, &left);
}

#[test]
fn a_quoted_checksum_that_becomes_zero_is_written_as_all_ones() {
    let is_ones = |sample: &Sample| sample.bytes()[26..28] == [0xff, 0xff];
    let own = |port| udp(ALICE.private, 40000, REMOTE, port);
    let port = (1..=u16::MAX)
        .find(|port| is_ones(&own(*port)))
        .expect("one port for each sum");
    let came = unreachable(REMOTE, DEDICATED, udp(DEDICATED, 40000, REMOTE, port), 8);
    let left = came.forwarded(REMOTE, ALICE.private).quoting(own(port));
    sent(&site(), (OUTSIDE, PHONES), &came, Reason::Inbound, &left);
}

#[test]
fn a_quoted_tcp_checksum_of_zero_is_one_like_any_other() {
    let own = |port| tcp(ALICE.private, 40000, REMOTE, port);
    let port = (1..=u16::MAX)
        .find(|port| tcp(DEDICATED, 40000, REMOTE, *port).bytes()[36..38] == [0, 0])
        .expect("one port for each sum");
    let quoted = tcp(DEDICATED, 40000, REMOTE, port);
    let came = unreachable(REMOTE, DEDICATED, quoted, 1000);
    let left = came.forwarded(REMOTE, ALICE.private).quoting(own(port));
    sent(&site(), (OUTSIDE, PHONES), &came, Reason::Inbound, &left);
}

/// The quote ends between the two bytes of the TCP checksum: what is there stays, and
/// nothing behind the packet is taken for the rest of it.
#[test]
fn half_a_quoted_checksum_is_left_alone() {
    let quoted = tcp(DEDICATED, 40000, REMOTE, 80);
    let came = unreachable(REMOTE, DEDICATED, quoted, 17).bytes();
    let ran = Ran::new(&site(), OUTSIDE, Stage::Xdp, &came);
    assert!(ran.ended.is_ok());
    let left = &ran.frame[AROUND.len()..][..came.len()];
    assert_eq!(left.last(), came.last());
    assert_eq!(sums(left), sums(&came));
    assert_eq!(ran.frame, framed(left));
}

#[test]
fn inbound_about_what_is_not_ours() {
    use Reason::{IcmpErrorUnmatched, RouterPort};
    let rows = [
        // Quotes a packet that its receiver did not send.
        (DEDICATED, udp(REMOTE, 40000, HOP, 1), IcmpErrorUnmatched),
        (DEDICATED, udp(DEDICATED, 9, REMOTE, 1), IcmpErrorUnmatched),
        (SHARED, udp(SHARED, 500, REMOTE, 500), RouterPort),
        (
            DEDICATED,
            raw(DEDICATED, REMOTE, 50, &[0; 8]),
            IcmpErrorUnmatched,
        ),
        (
            DEDICATED,
            udp(DEDICATED, 40000, REMOTE, 1).cut(8, 19),
            IcmpErrorUnmatched,
        ),
    ];
    for (to, quoted, reason) in rows {
        refused(
            &site(),
            OUTSIDE,
            &unreachable(REMOTE, to, quoted, 8),
            reason,
        );
    }
}

/// The router's own tunnels: errors about ESP reach the kernel, because the address
/// is its own too.
#[test]
fn inbound_about_the_routers_own_esp() {
    let tables = site();
    tables
        .answer
        .set(Some((crate::tables::Route::Local, Default::default())));
    let esp = raw(SHARED, REMOTE, 50, &[0; 8]);
    let came = frag_needed(HOP, SHARED, esp);
    refused(&tables, OUTSIDE, &came, Reason::RouterLocal);
}

#[test]
fn outbound_about_what_is_not_ours() {
    use Reason::{IcmpErrorUnmatched, UnboundHost, WrongInterface};
    let about = |to, port| udp(REMOTE, 5060, to, port);
    let rows = [
        // Quotes a packet to somebody without a binding, or to a strange port.
        (PHONES, ROUTER, about(ROUTER, 40000), IcmpErrorUnmatched),
        (
            PHONES,
            ALICE.private,
            about(ALICE.private, 1),
            IcmpErrorUnmatched,
        ),
        // The phone is elsewhere.
        (
            COMPUTERS,
            ALICE.private,
            about(ALICE.private, 40000),
            WrongInterface,
        ),
        (
            PHONES,
            ALICE.private,
            about(CAROL.private, 50000),
            WrongInterface,
        ),
        // Computers are the kernel's, and so are their errors.
        (COMPUTERS, COMPUTER, about(COMPUTER, 1), UnboundHost),
        (
            COMPUTERS,
            COMPUTER,
            raw(REMOTE, COMPUTER, 47, &[0; 8]),
            UnboundHost,
        ),
        (
            COMPUTERS,
            CAROL.private,
            about(CAROL.private, 1),
            IcmpErrorUnmatched,
        ),
    ];
    for (slot, from, quoted, reason) in rows {
        let came = unreachable(from, REMOTE, quoted, 8);
        refused(&site(), slot, &came, reason);
    }
    // Sent to somebody else than the quoted source.
    let came = unreachable(ALICE.private, HOP, about(ALICE.private, 40000), 8);
    refused(&site(), PHONES, &came, IcmpErrorUnmatched);
}

#[test]
fn quotes_that_are_cut_short_or_make_no_sense() {
    let quoted = udp(DEDICATED, 40000, REMOTE, 1);
    let came = unreachable(REMOTE, DEDICATED, quoted.clone(), 7);
    refused(&site(), OUTSIDE, &came, Reason::Truncated);
    let mut six = quoted.bytes();
    six[0] = 0x65;
    let mut short = quoted.bytes();
    short[0] = 0x44;
    for (bytes, reason) in [
        (six, Reason::BadHeader),
        (short, Reason::BadHeader),
        (quoted.bytes()[..19].to_vec(), Reason::Truncated),
    ] {
        let message = [&[3, 3, 0, 0, 0, 0, 0, 0], bytes.as_slice()].concat();
        let came = raw(REMOTE, DEDICATED, 1, &message);
        refused(&site(), OUTSIDE, &came, reason);
    }
}
