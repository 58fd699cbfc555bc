//! Every reason for which the engine refuses a packet, with a packet for it that
//! stays as it was.

use std::collections::BTreeSet;

use super::refused_bytes;
use crate::tables::{Hop, Route};
use crate::testing::packet::{Sample, echo_reply, echo_request, raw, sctp, tcp, udp, unreachable};
use crate::testing::site::{
    ALICE, BOB, CAROL, COMPUTER, COMPUTERS, DEDICATED, OUTSIDE, PHONES, REMOTE, ROUTER, SHARED,
    TUNNEL, address, ifindex, site,
};
use crate::verdict::Reason;

/// Where it comes in, what, and why it goes no further.
type Row = (u16, Sample, Reason);

fn whose() -> [Row; 26] {
    use Reason::*;
    let group = address([239, 1, 2, 3]);
    let from = |no_host| udp(address(no_host), 1, DEDICATED, 40000);
    [
        (PHONES, udp(ALICE.private, 40000, group, 5353), Multicast),
        (PHONES, udp(0, 68, u32::MAX, 67), Multicast),
        (OUTSIDE, udp(0, 1, DEDICATED, 40000), Multicast),
        (
            OUTSIDE,
            udp(REMOTE, 1, address([224, 0, 0, 1]), 1),
            Multicast,
        ),
        (
            OUTSIDE,
            udp(REMOTE, 1, address([8, 8, 8, 8]), 53),
            NotTranslated,
        ),
        (
            TUNNEL,
            udp(REMOTE, 1, address([8, 8, 8, 8]), 53),
            NotTranslated,
        ),
        (
            PHONES,
            udp(ALICE.private, 40000, address([0, 1, 2, 3]), 9),
            NotTranslated,
        ),
        (
            PHONES,
            udp(ALICE.private, 40000, address([127, 0, 0, 1]), 9),
            NotTranslated,
        ),
        (OUTSIDE, udp(ALICE.private, 40000, REMOTE, 1), SpoofedSource),
        (OUTSIDE, udp(ROUTER, 1, DEDICATED, 40000), SpoofedSource),
        (
            OUTSIDE,
            udp(DEDICATED, 40064, DEDICATED, 40000),
            SpoofedSource,
        ),
        (OUTSIDE, from([127, 0, 0, 1]), SpoofedSource),
        (OUTSIDE, from([0, 0, 0, 5]), SpoofedSource),
        (OUTSIDE, from([224, 0, 0, 1]), SpoofedSource),
        (OUTSIDE, from([255, 255, 255, 255]), SpoofedSource),
        (
            OUTSIDE,
            udp(REMOTE, 5060, ALICE.private, 40000),
            InsideDestination,
        ),
        (OUTSIDE, udp(REMOTE, 5060, ROUTER, 22), InsideDestination),
        (
            PHONES,
            udp(ALICE.private, 40000, CAROL.private, 50000),
            InsideToInside,
        ),
        (
            PHONES,
            udp(ALICE.private, 40000, COMPUTER, 80),
            InsideToInside,
        ),
        (PHONES, udp(ROUTER, 1, REMOTE, 53), UnboundSource),
        (
            PHONES,
            udp(REMOTE, 1, address([8, 8, 8, 8]), 53),
            UnboundSource,
        ),
        (COMPUTERS, udp(COMPUTER, 1, REMOTE, 53), UnboundHost),
        (
            COMPUTERS,
            udp(ALICE.private, 40000, REMOTE, 5060),
            WrongInterface,
        ),
        (
            PHONES,
            udp(CAROL.private, 50000, REMOTE, 5060),
            WrongInterface,
        ),
        (
            COMPUTERS,
            udp(ALICE.private, 40000, SHARED, 50000),
            WrongInterface,
        ),
        (COMPUTERS, udp(COMPUTER, 1, DEDICATED, 40000), UnboundHost),
    ]
}

fn which_port() -> [Row; 15] {
    use Reason::*;
    [
        (
            PHONES,
            udp(ALICE.private, 39999, REMOTE, 1),
            SourcePortOutOfRange,
        ),
        (
            PHONES,
            tcp(ALICE.private, 40064, REMOTE, 1),
            SourcePortOutOfRange,
        ),
        (
            PHONES,
            sctp(ALICE.private, 0, REMOTE, 1),
            SourcePortOutOfRange,
        ),
        (
            PHONES,
            udp(ALICE.private, 1, DEDICATED, 40064),
            SourcePortOutOfRange,
        ),
        (
            PHONES,
            echo_reply(ALICE.private, REMOTE, 7),
            SourcePortOutOfRange,
        ),
        (OUTSIDE, udp(REMOTE, 5060, DEDICATED, 39999), NoBinding),
        (OUTSIDE, tcp(REMOTE, 5060, DEDICATED, 50000), NoBinding),
        (OUTSIDE, echo_request(REMOTE, DEDICATED, 1), NoBinding),
        (PHONES, udp(ALICE.private, 40000, DEDICATED, 9), NoBinding),
        (OUTSIDE, udp(REMOTE, 500, SHARED, 500), RouterPort),
        (OUTSIDE, tcp(REMOTE, 5060, SHARED, 40000), RouterPort),
        (OUTSIDE, echo_request(REMOTE, SHARED, 1), RouterPort),
        (PHONES, tcp(ALICE.private, 40000, SHARED, 22), RouterPort),
        (COMPUTERS, tcp(COMPUTER, 1, SHARED, 22), RouterPort),
        (PHONES, tcp(ROUTER, 1, SHARED, 443), RouterPort),
    ]
}

fn which_protocol() -> [Row; 15] {
    use Reason::*;
    let esp = |from, to| raw(from, to, 50, &[0; 16]);
    let timestamp = |from, to| raw(from, to, 1, &[13, 0, 0, 0, 0, 0, 0, 0]);
    let quote = udp(DEDICATED, 9, REMOTE, 1);
    [
        (PHONES, esp(ALICE.private, REMOTE), UnsupportedProtocol),
        (
            PHONES,
            esp(ALICE.private, REMOTE).cut(8, 16),
            UnsupportedProtocol,
        ),
        (OUTSIDE, esp(REMOTE, DEDICATED), UnsupportedProtocol),
        (
            OUTSIDE,
            esp(REMOTE, DEDICATED).cut(8, 16),
            UnsupportedProtocol,
        ),
        (OUTSIDE, esp(REMOTE, SHARED), RouterPort),
        (OUTSIDE, esp(REMOTE, SHARED).cut(8, 16), RouterPort),
        (COMPUTERS, esp(COMPUTER, REMOTE), UnboundHost),
        (PHONES, timestamp(ALICE.private, REMOTE), UnsupportedIcmp),
        (OUTSIDE, timestamp(REMOTE, DEDICATED), UnsupportedIcmp),
        (OUTSIDE, timestamp(REMOTE, SHARED), RouterPort),
        (COMPUTERS, timestamp(COMPUTER, REMOTE), UnboundHost),
        (
            PHONES,
            echo_request(ALICE.private, DEDICATED, 40064),
            UnsupportedIcmp,
        ),
        (
            OUTSIDE,
            unreachable(REMOTE, DEDICATED, quote, 8),
            IcmpErrorUnmatched,
        ),
        (
            OUTSIDE,
            udp(REMOTE, 1, DEDICATED, 40000).cut(8, 19),
            FragmentHeld,
        ),
        (
            OUTSIDE,
            udp(REMOTE, 1, SHARED, 50000).cut(8, 19),
            EarlyFragmentShared,
        ),
    ]
}

/// With what the FIB then says.
fn where_to() -> [(Route, Hop, Row); 12] {
    use Reason::*;
    let none = Hop::default();
    let hop = |slot, resolved| Hop {
        ifindex: ifindex(slot),
        resolved,
        ..none
    };
    let out = || udp(ALICE.private, 40000, REMOTE, 5060);
    let back = || udp(REMOTE, 5060, DEDICATED, 40000);
    let hairpin = || udp(BOB.private, 40064, DEDICATED, 40000);
    [
        (Route::Local, none, (PHONES, out(), RouterLocal)),
        (Route::None, none, (PHONES, out(), NoRouteOutbound)),
        (Route::None, none, (OUTSIDE, back(), NoRoute)),
        (
            Route::ForwardingDisabled,
            none,
            (PHONES, out(), ForwardingDisabled),
        ),
        (
            Route::TooBig(1000),
            none,
            (PHONES, hairpin(), HairpinTooBig),
        ),
        (
            Route::TooBig(1000),
            none,
            (PHONES, out(), NeedsFragmentation),
        ),
        (
            Route::Via,
            hop(OUTSIDE, true),
            (OUTSIDE, back(), WrongEgress),
        ),
        (
            Route::Via,
            hop(COMPUTERS, true),
            (PHONES, hairpin(), WrongEgress),
        ),
        (
            Route::Via,
            hop(COMPUTERS, true),
            (PHONES, out(), InsideToInside),
        ),
        (Route::Via, hop(77, true), (PHONES, out(), NotTranslated)),
        (
            Route::Local,
            none,
            (PHONES, udp(ROUTER, 1, REMOTE, 53), RouterLocal),
        ),
        (Route::Local, none, (OUTSIDE, back(), WrongEgress)),
    ]
}

/// Packets that `parse` itself refuses.
fn malformed() -> [(std::vec::Vec<u8>, Reason); 6] {
    use Reason::*;
    let good = || udp(REMOTE, 5060, DEDICATED, 40000).bytes();
    let with = |at: usize, value: u8| {
        let mut bytes = good();
        bytes[at] = value;
        bytes
    };
    let short = |bytes: std::vec::Vec<u8>, keep: usize| {
        let mut bytes = bytes;
        bytes.truncate(keep);
        bytes[2..4].copy_from_slice(&(keep as u16).to_be_bytes());
        bytes
    };
    let fragment = tcp(REMOTE, 1, DEDICATED, 40000);
    [
        (with(0, 0x65), BadHeader),
        (with(0, 0x44), BadHeader),
        (short(good(), 27), Truncated),
        (with(2, 0xff), Truncated),
        (fragment.clone().cut(0, 16).bytes(), TinyFragment),
        (fragment.cut(8, 24).bytes(), TinyFragment),
    ]
}

#[test]
fn each_reason_has_a_packet_that_stays_as_it_was() {
    let mut seen = BTreeSet::new();
    for (slot, sample, reason) in [&whose()[..], &which_port(), &which_protocol()].concat() {
        refused_bytes(&site(), slot, &sample.bytes(), reason);
        seen.insert(reason);
    }
    for (route, hop, (slot, sample, reason)) in where_to() {
        let tables = site();
        tables.answer.set(Some((route, hop)));
        refused_bytes(&tables, slot, &sample.bytes(), reason);
        seen.insert(reason);
    }
    for (bytes, reason) in malformed() {
        refused_bytes(&site(), OUTSIDE, &bytes, reason);
        seen.insert(reason);
    }
    // Only at one of the two stages: `routes::a_way_out`.
    seen.extend([Reason::StackEgress, Reason::NeighbourUnknown]);
    let missing: BTreeSet<_> = Reason::ALL
        .iter()
        .filter(|reason| !seen.contains(reason) && !elsewhere(**reason))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Reasons that `nat` and `parse::ipv4` do not give, and who does.
fn elsewhere(reason: Reason) -> bool {
    use Reason::*;
    match reason {
        // Translated: the other files here.
        Outbound | Inbound | Hairpin => true,
        // `parse::frame` and `parse::addressed_to`: parse/tests.rs.
        NotIpv4 | UnknownInterface | OtherHost | Tagged => true,
        // The shells, from `Step` and on their own: the packet tables.
        TtlExpired | TooBig | InboundToStack | Egress | EgressTranslated | PrivateSourceLeak
        | FragmentNotHeld | RewriteFailed => true,
        _ => false,
    }
}
