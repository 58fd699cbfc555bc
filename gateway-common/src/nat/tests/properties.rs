//! For any packet: there and back is the identity, and nothing breaks the invariants.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::vec::Vec;

use super::sent;
use crate::nat::Stage;
use crate::tables::{Phone, Tables as _};
use crate::testing::invariants::{self, Case};
use crate::testing::packet::{
    Body, Sample, bare_udp, echo_reply, echo_request, sctp, tcp, udp, unreachable,
};
use crate::testing::site::{
    ALICE, BOB, CAROL, COMPUTER, DEDICATED, HOP, OUTSIDE, REMOTE, ROUTER, SHARED, site,
};
use crate::testing::sums::sums;
use crate::verdict::Reason;

fn any_phone() -> impl Strategy<Value = (Phone, u16)> {
    (select(&[ALICE, BOB, CAROL][..]), any::<Index>()).prop_map(|(phone, index)| {
        let ports = usize::from(phone.last_port - phone.first_port) + 1;
        (phone, phone.first_port + index.index(ports) as u16)
    })
}

/// What is not an address or a port.
#[derive(Clone, Debug)]
struct Around {
    ttl: u8,
    tos: u8,
    id: u16,
    df: bool,
    options: usize,
    data: Vec<u8>,
}

impl Around {
    /// `sample` with all of it.
    fn put(&self, mut sample: Sample) -> Sample {
        if let Body::Udp { data, .. }
        | Body::Tcp { data, .. }
        | Body::Sctp { data, .. }
        | Body::Echo { data, .. } = &mut sample.body
        {
            data.clone_from(&self.data);
        }
        (sample.tos, sample.id) = (self.tos, self.id);
        let sample = sample.ttl(self.ttl).options(self.options);
        if self.df { sample.df() } else { sample }
    }
}

prop_compose! {
    fn any_around()(
        ttl in 2u8..,
        tos: u8,
        id: u16,
        df: bool,
        options in 0usize..=10,
        data in proptest::collection::vec(any::<u8>(), 0..60),
    ) -> Around {
        Around { ttl, tos, id, df, options, data }
    }
}

type Make = fn(u32, u16, u32, u16) -> Sample;

fn any_make() -> impl Strategy<Value = Make> {
    select(&[udp as Make, bare_udp, tcp, sctp][..])
}

/// Addresses in the world.
fn any_remote() -> impl Strategy<Value = u32> {
    (1u32 << 24..0xe000_0000).prop_filter("somebody else's", |address| {
        site().owner(*address).is_nobodys() && address >> 24 != 127
    })
}

proptest! {
    #[test]
    fn what_leaves_comes_back_to_where_it_was(
        (phone, port) in any_phone(),
        remote in any_remote(),
        remote_port: u16,
        make in any_make(),
        around in any_around(),
    ) {
        let out = around.put(make(phone.private, port, remote, remote_port));
        let outside = out.forwarded(phone.public, remote);
        sent(&site(), (phone.inside, OUTSIDE), &out, Reason::Outbound, &outside);
        let back = outside.turned();
        let home = back.forwarded(remote, phone.private);
        if back.ttl > 1 {
            sent(&site(), (OUTSIDE, phone.inside), &back, Reason::Inbound, &home);
        }
        prop_assert_eq!(home.turned().ttl(out.ttl).bytes(), out.bytes());
        prop_assert!([out, outside, home].iter().all(|sample| sums(&sample.bytes()).are_right()));
    }

    #[test]
    fn hairpinned_packets_and_their_answers_meet(
        (from, from_port) in any_phone(),
        (to, to_port) in any_phone(),
        make in any_make(),
        around in any_around(),
    ) {
        let came = around.put(make(from.private, from_port, to.public, to_port));
        let left = came.forwarded(from.public, to.private);
        sent(&site(), (from.inside, to.inside), &came, Reason::Hairpin, &left);
        let back = left.turned().ttl(64);
        let home = back.forwarded(to.public, from.private);
        sent(&site(), (to.inside, from.inside), &back, Reason::Hairpin, &home);
        prop_assert_eq!(home.turned().ttl(came.ttl).bytes(), came.bytes());
    }

    #[test]
    fn any_identifier_comes_back(
        (phone, _) in any_phone(),
        remote in any_remote(),
        id: u16,
        around in any_around(),
    ) {
        let tables = site();
        let request = around.put(echo_request(phone.private, remote, id));
        let mask = phone.last_port - phone.first_port;
        let outside_id = phone.first_port | id & mask;
        let outside = request.forwarded(phone.public, remote).echo_id(outside_id);
        sent(&tables, (phone.inside, OUTSIDE), &request, Reason::Outbound, &outside);
        let reply = around.put(echo_reply(remote, phone.public, outside_id));
        let home = reply.forwarded(remote, phone.private).echo_id(id);
        sent(&tables, (OUTSIDE, phone.inside), &reply, Reason::Inbound, &home);
    }

    #[test]
    fn an_error_about_what_left_quotes_what_was_sent(
        (phone, port) in any_phone(),
        remote in any_remote(),
        make in any_make(),
        around in any_around(),
        // Half a TCP checksum stays as it is.
        keep in (8usize..100).prop_filter("not half a checksum", |keep| *keep != 17),
        outer in 0usize..=10,
    ) {
        let own = around.put(make(phone.private, port, remote, 5060));
        let quoted = own.forwarded(phone.public, remote);
        let own = Sample { ttl: quoted.ttl, ..own };
        let came = unreachable(remote, phone.public, quoted.clone(), keep).options(outer);
        let left = came.forwarded(remote, phone.private).quoting(own);
        sent(&site(), (OUTSIDE, phone.inside), &came, Reason::Inbound, &left);
        // And back: the same error about a packet that came in.
        let back = left.turned().ttl(64);
        let home = back.forwarded(phone.public, remote).quoting(quoted.turned());
        sent(&site(), (phone.inside, OUTSIDE), &back, Reason::Outbound, &home);
        prop_assert_eq!(home.turned().ttl(came.ttl).bytes(), came.bytes());
    }

    #[test]
    fn arbitrary_bytes_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        invariants::engine(&bytes);
        invariants::parse(&bytes);
    }

    #[test]
    fn damaged_packets_break_nothing(
        (case, sample) in (any_case(), any_packet()),
        hits in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..4),
        cut in proptest::option::of(any::<Index>()),
    ) {
        let mut packet = sample.bytes();
        for (at, value) in hits {
            let at = at.index(packet.len());
            packet[at] = value;
        }
        if let Some(cut) = cut {
            packet.truncate(cut.index(packet.len()));
        }
        let around: &[u8] = if case.ethernet {
            &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]
        } else {
            &[]
        };
        let input: Vec<u8> = [&case.to_bytes()[..], around, &packet].concat();
        invariants::engine(&input);
        invariants::parse(&input[Case::BYTES..]);
    }
}

proptest! {
    // Undamaged, so that most of them get through.
    #[test]
    fn packets_between_all_and_sundry_break_nothing(
        (case, sample) in (any_case(), any_packet()),
    ) {
        let case = Case { ethernet: false, ..case };
        let input = [&case.to_bytes()[..], &sample.bytes()].concat();
        prop_assert_eq!(sums(&sample.bytes()).ip, Some(0));
        prop_assert!(invariants::engine(&input).is_some());
    }
}

fn any_case() -> impl Strategy<Value = Case> {
    let answer = prop_oneof![4 => Just(0u8), 1 => 0u8..8];
    let small = (1u16..=4, any::<bool>(), any::<bool>());
    (small, answer, 0u8..6, any::<u8>()).prop_map(
        |((slot, ethernet, tc), answer, fragments, echo_ids)| Case {
            slot,
            ethernet,
            stage: if tc { Stage::Tc } else { Stage::Xdp },
            answer,
            fragments,
            echo_ids,
        },
    )
}

/// Packets and errors between everybody, from and to ports in ranges and out.
fn any_packet() -> impl Strategy<Value = Sample> {
    let who = || {
        let all = [
            ALICE.private,
            BOB.private,
            CAROL.private,
            DEDICATED,
            SHARED,
            REMOTE,
            HOP,
            ROUTER,
            COMPUTER,
        ];
        select(all.to_vec())
    };
    let port = || select(std::vec![40000u16, 40063, 40064, 50000, 50007, 5060]);
    let ends = (who(), port(), who(), port());
    let plain = (any_make(), ends, any_around(), 0u8..5, 1usize..8).prop_map(
        |(make, (source, from, destination, to), around, kind, cut)| match kind {
            0 => around.put(echo_request(source, destination, from)),
            1 => around.put(echo_reply(source, destination, to)),
            2 => {
                let sample = around.put(make(source, from, destination, to));
                let length = sample.bytes().len() - 20 - sample.options.len();
                let start = (8 * cut).min(length / 8 * 8);
                sample.cut(start, length)
            }
            _ => around.put(make(source, from, destination, to)),
        },
    );
    (plain, proptest::option::of((who(), 8usize..60))).prop_map(|(sample, error)| match error {
        // An error about it, to whom it is from, from whom it was for or another.
        Some((source, keep)) => unreachable(source, sample.source, sample, keep),
        None => sample,
    })
}
