//! Outbound, inbound and hairpin, for every protocol with ports.

use super::{refused, sent};
use crate::nat::{self, Stage};
use crate::parse;
use crate::tables::{Phone, RouteQuery};
use crate::testing::packet::{Sample, bare_udp, sctp, tcp, udp};
use crate::testing::run::forward;
use crate::testing::site::{
    ALICE, BOB, CAROL, COMPUTERS, DEDICATED, OUTSIDE, PHONES, REMOTE, SHARED, ifindex, site,
};
use crate::testing::sums::sums;
use crate::verdict::Reason;
use crate::view::SliceView;

type Make = fn(u32, u16, u32, u16) -> Sample;

/// Each protocol, plain, with IP options and as a fragment's beginning.
fn each(mut row: impl FnMut(&dyn Fn(u32, u16, u32, u16) -> Sample)) {
    for make in [udp as Make, bare_udp, tcp, sctp] {
        row(&make);
        row(&|a, b, c, d| make(a, b, c, d).df());
        row(&|a, b, c, d| make(a, b, c, d).options(1));
        row(&|a, b, c, d| make(a, b, c, d).options(10));
    }
}

#[test]
fn outbound_replaces_the_source_and_no_port() {
    each(|make| {
        for port in [40000, 40031, 40063] {
            let came = make(ALICE.private, port, REMOTE, 5060);
            let left = came.forwarded(DEDICATED, REMOTE);
            let done = sent(&site(), (PHONES, OUTSIDE), &came, Reason::Outbound, &left);
            let translation = done.translation;
            assert_eq!((translation.from, translation.to), (ALICE.index, 0));
        }
    });
}

#[test]
fn inbound_replaces_the_destination_and_no_port() {
    each(|make| {
        for (phone, to) in [(ALICE, PHONES), (BOB, PHONES), (CAROL, COMPUTERS)] {
            for port in [phone.first_port, phone.last_port] {
                let came = make(REMOTE, 5060, phone.public, port);
                let left = came.forwarded(REMOTE, phone.private);
                let done = sent(&site(), (OUTSIDE, to), &came, Reason::Inbound, &left);
                let translation = done.translation;
                assert_eq!((translation.from, translation.to), (0, phone.index));
                assert_eq!(translation.inside, phone.inside);
            }
        }
    });
}

#[test]
fn hairpin_replaces_both_and_the_receiver_sees_the_public_source() {
    let pairs: [(Phone, u16, Phone, u16); 4] = [
        (ALICE, PHONES, BOB, PHONES),
        (BOB, PHONES, ALICE, PHONES),
        (ALICE, PHONES, CAROL, COMPUTERS),
        (CAROL, COMPUTERS, CAROL, COMPUTERS),
    ];
    each(|make| {
        for (from, came_in, to, leaves_by) in pairs {
            let came = make(from.private, from.last_port, to.public, to.first_port);
            let left = came.forwarded(from.public, to.private);
            let slots = (came_in, leaves_by);
            let done = sent(&site(), slots, &came, Reason::Hairpin, &left);
            let translation = done.translation;
            assert_eq!((translation.from, translation.to), (from.index, to.index));
        }
    });
}

#[test]
fn a_udp_checksum_that_becomes_zero_is_sent_as_all_ones() {
    let is_ones = |sample: &Sample| sample.bytes()[26..28] == [0xff, 0xff];
    let came = |port| udp(ALICE.private, 40000, REMOTE, port);
    let port = (1..=u16::MAX)
        .find(|port| is_ones(&came(*port).forwarded(DEDICATED, REMOTE)))
        .expect("one port for each sum");
    let left = came(port).forwarded(DEDICATED, REMOTE);
    sent(
        &site(),
        (PHONES, OUTSIDE),
        &came(port),
        Reason::Outbound,
        &left,
    );
    // And one that is all ones already changes like any other.
    let port = (1..=u16::MAX)
        .find(|port| is_ones(&came(*port)))
        .expect("one port for each sum");
    let left = came(port).forwarded(DEDICATED, REMOTE);
    sent(
        &site(),
        (PHONES, OUTSIDE),
        &came(port),
        Reason::Outbound,
        &left,
    );
}

#[test]
fn a_tcp_checksum_of_zero_is_one_like_any_other() {
    let is_zero = |sample: &Sample| sample.bytes()[36..38] == [0, 0];
    let came = |port| tcp(ALICE.private, 40000, REMOTE, port);
    let left = |port| came(port).forwarded(DEDICATED, REMOTE);
    for zero in [
        (1..=u16::MAX).find(|port| is_zero(&came(*port))),
        (1..=u16::MAX).find(|port| is_zero(&left(*port))),
    ] {
        let port = zero.expect("one port for each sum");
        let slots = (PHONES, OUTSIDE);
        sent(&site(), slots, &came(port), Reason::Outbound, &left(port));
    }
}

#[test]
fn a_damaged_packet_stays_exactly_as_damaged() {
    for at in [10, 26, 30] {
        let mut whole = udp(ALICE.private, 40000, REMOTE, 5060).bytes();
        let mut damaged = whole.clone();
        damaged[at] ^= 0x5a;
        let before = sums(&damaged);
        let arrival = *site().interface(PHONES).expect("an interface of the site");
        for packet in [&mut damaged, &mut whole] {
            let done = forward(&site(), &arrival, Stage::Xdp, packet, 0);
            assert!(done.is_ok());
        }
        assert_eq!(sums(&damaged), before);
        assert!(sums(&whole).are_right() && !sums(&damaged).are_right());
    }
}

#[test]
fn the_fib_is_asked_with_the_addresses_the_packet_will_have() {
    let tables = site();
    let came = udp(ALICE.private, 40000, SHARED, 50001);
    let left = came.forwarded(DEDICATED, CAROL.private);
    sent(&tables, (PHONES, COMPUTERS), &came, Reason::Hairpin, &left);
    let asked = RouteQuery {
        source: DEDICATED,
        destination: CAROL.private,
        ifindex: ifindex(PHONES),
        length: 39,
        tos: 0xb8,
        protocol: 17,
    };
    assert_eq!(tables.asked.get(), Some(asked));
}

#[test]
fn what_is_refused_without_a_doubt_costs_no_look_up() {
    let tables = site();
    refused(
        &tables,
        OUTSIDE,
        &udp(REMOTE, 1, DEDICATED, 1),
        Reason::NoBinding,
    );
    assert_eq!(tables.asked.get(), None);
}

#[test]
fn a_block_that_says_another_range_or_address_is_not_believed() {
    let inbound = udp(REMOTE, 5060, DEDICATED, 40000);
    let mut tables = site();
    tables.change_record(ALICE.index, |phone| {
        (phone.first_port, phone.last_port) = (41000, 41007);
    });
    refused(&tables, OUTSIDE, &inbound, Reason::NoBinding);

    let mut tables = site();
    tables.change_record(ALICE.index, |phone| phone.public = SHARED);
    refused(&tables, OUTSIDE, &inbound, Reason::NoBinding);
}

#[test]
fn the_time_to_live_is_kept_where_the_kernel_forwards() {
    let came = udp(ALICE.private, 40000, REMOTE, 5060);
    let left = came.forwarded(DEDICATED, REMOTE).ttl(64);
    let mut bytes = came.bytes();
    let mut view = SliceView(&mut bytes);
    let packet = parse::ipv4(&view, 0).expect("a packet");
    let mut translation = nat::Translation::of(&packet);
    let tables = site();
    let arrival = tables.interface(PHONES).expect("an interface of the site");
    assert_eq!(
        nat::decide(&view, &packet, arrival, &tables, &mut translation),
        Ok(())
    );
    let done = nat::rewrite(&mut view, &packet, &translation, nat::TtlChange::Keep);
    assert_eq!((done, bytes), (Ok(()), left.bytes()));
}
