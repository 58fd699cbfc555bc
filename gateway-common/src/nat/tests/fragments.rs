//! Fragments: out by their source alone, in by what their first one said.

use super::{refused, sent};
use crate::nat::fragment_key;
use crate::parse;
use crate::tables::{FragmentReceiver, Phone, Tables as _};
use crate::testing::packet::{Sample, bare_udp, echo_request, sctp, tcp, udp};
use crate::testing::site::{
    ALICE, BOB, CAROL, COMPUTERS, DEDICATED, OUTSIDE, PHONES, REMOTE, SHARED, site,
};
use crate::testing::tables::FakeTables;
use crate::verdict::Reason;
use crate::view::SliceView;

type Make = fn(u32, u16, u32, u16) -> Sample;

const MAKES: [(Make, usize, usize); 4] = [
    (udp, 8, 19),
    (bare_udp, 8, 11),
    (tcp, 24, 25),
    (sctp, 16, 17),
];

/// What `sample`'s later fragments are known by.
fn remember(tables: &FakeTables, sample: &Sample, receiver: FragmentReceiver) {
    let mut bytes = sample.bytes();
    let packet = parse::ipv4(&SliceView(&mut bytes), 0).expect("a packet");
    tables.remember_fragment(fragment_key(&packet), receiver);
}

/// A phone's block, while it is the phone's.
const fn block_of(phone: Phone) -> FragmentReceiver {
    FragmentReceiver {
        block: phone.index,
        private: phone.private,
    }
}

#[test]
fn outbound_needs_no_state() {
    for (make, cut, end) in MAKES {
        let whole = make(ALICE.private, 40000, REMOTE, 5060);
        // The later one even comes first.
        for (start, end) in [(cut, end), (0, cut)] {
            let came = whole.clone().cut(start, end);
            let left = came.forwarded(DEDICATED, REMOTE);
            let slots = (PHONES, OUTSIDE);
            sent(&site(), slots, &came, Reason::Outbound, &left);
        }
    }
}

#[test]
fn inbound_the_first_speaks_for_the_later_ones() {
    for (make, cut, end) in MAKES {
        for (phone, to) in [(BOB, PHONES), (CAROL, COMPUTERS)] {
            let tables = site();
            let whole = make(REMOTE, 5060, phone.public, phone.first_port);
            for (start, end) in [(0, cut), (cut, end)] {
                let came = whole.clone().cut(start, end);
                let left = came.forwarded(REMOTE, phone.private);
                let done = sent(&tables, (OUTSIDE, to), &came, Reason::Inbound, &left);
                assert_eq!(done.translation.to, phone.index);
            }
        }
    }
}

#[test]
fn hairpinned_ones_are_told_apart_by_their_private_source() {
    let tables = site();
    let whole = |from, port| udp(from, port, SHARED, 50000);
    let mine = whole(ALICE.private, 40000);
    for (start, end) in [(0, 8), (8, 19)] {
        let came = mine.clone().cut(start, end);
        let left = came.forwarded(DEDICATED, CAROL.private);
        sent(&tables, (PHONES, COMPUTERS), &came, Reason::Hairpin, &left);
    }
    // Same identification, another sender.
    let his = whole(BOB.private, 40064).cut(8, 19);
    refused(&tables, PHONES, &his, Reason::EarlyFragmentShared);
}

#[test]
fn an_early_one_is_held_and_on_a_shared_address_the_kernels_too() {
    for (make, cut, end) in MAKES {
        let later = |public, port| make(REMOTE, 5060, public, port).cut(cut, end);
        refused(
            &site(),
            OUTSIDE,
            &later(DEDICATED, 40000),
            Reason::FragmentHeld,
        );
        refused(
            &site(),
            OUTSIDE,
            &later(SHARED, 50000),
            Reason::EarlyFragmentShared,
        );
    }
}

#[test]
fn each_part_of_the_key_counts() {
    let first = udp(REMOTE, 5060, DEDICATED, 40000).cut(0, 8);
    let tables = site();
    remember(&tables, &first, block_of(ALICE));
    let later = udp(REMOTE, 5060, DEDICATED, 40000).cut(8, 19);
    let mut other_id = later.clone();
    other_id.id += 1;
    let mut other_source = later.clone();
    other_source.source += 1;
    let other_protocol = tcp(REMOTE, 5060, DEDICATED, 40000).cut(16, 25);
    for other in [other_id, other_source, other_protocol] {
        refused(&tables, OUTSIDE, &other, Reason::FragmentHeld);
    }
    let left = later.forwarded(REMOTE, ALICE.private);
    sent(&tables, (OUTSIDE, PHONES), &later, Reason::Inbound, &left);
}

#[test]
fn those_of_nobodys_datagram_share_its_fate() {
    for (public, port, reason) in [
        (DEDICATED, 9, Reason::NoBinding),
        (SHARED, 500, Reason::RouterPort),
    ] {
        let tables = site();
        let whole = udp(REMOTE, 500, public, port);
        for (start, end) in [(0, 8), (8, 19)] {
            refused(&tables, OUTSIDE, &whole.clone().cut(start, end), reason);
        }
        assert_eq!(tables.fragments.borrow().len(), 1);
    }
}

#[test]
fn a_binding_withdrawn_meanwhile_gets_nothing() {
    let later = udp(REMOTE, 5060, DEDICATED, 40000).cut(8, 19);
    let gone = Phone { index: 77, ..ALICE };
    let tables = site();
    remember(&tables, &later, block_of(gone));
    refused(&tables, OUTSIDE, &later, Reason::NoBinding);

    // A block of another public address.
    let tables = site();
    remember(&tables, &later, block_of(CAROL));
    refused(&tables, OUTSIDE, &later, Reason::NoBinding);

    let mut tables = site();
    remember(&tables, &later, block_of(ALICE));
    tables.give_away(ALICE.index, BOB);
    refused(&tables, OUTSIDE, &later, Reason::NoBinding);

    let later = udp(REMOTE, 5060, SHARED, 50000).cut(8, 19);
    let mut tables = site();
    remember(&tables, &later, block_of(CAROL));
    tables.give_away(CAROL.index, BOB);
    refused(&tables, OUTSIDE, &later, Reason::RouterPort);
}

#[test]
fn whole_datagrams_leave_no_trace() {
    let tables = site();
    let came = udp(REMOTE, 5060, DEDICATED, 40000);
    let left = came.forwarded(REMOTE, ALICE.private);
    sent(&tables, (OUTSIDE, PHONES), &came, Reason::Inbound, &left);
    assert!(tables.fragments.borrow().is_empty());
}

#[test]
fn a_large_ping_from_outside_too() {
    let tables = site();
    for (start, end) in [(0, 8), (8, 15)] {
        let came = echo_request(REMOTE, DEDICATED, 40000).cut(start, end);
        let left = came.forwarded(REMOTE, ALICE.private);
        sent(&tables, (OUTSIDE, PHONES), &came, Reason::Inbound, &left);
    }
}
