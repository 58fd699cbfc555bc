//! Echo identifiers: kept, replaced, in each other's way, given back.

use super::{refused, sent};
use crate::abi::EchoKey;
use crate::tables::{Phone, Tables as _};
use crate::testing::packet::{Sample, echo_reply, echo_request, unreachable};
use crate::testing::site::{
    ALICE, BOB, CAROL, COMPUTERS, DEDICATED, OUTSIDE, PHONES, REMOTE, SHARED, site,
};
use crate::testing::tables::FakeTables;
use crate::verdict::Reason;

/// `phone` pings with `id`, which leaves as `outside`.
#[track_caller]
fn leaves(tables: &FakeTables, phone: Phone, id: u16, outside: u16) {
    let came = echo_request(phone.private, REMOTE, id);
    let left = came.forwarded(phone.public, REMOTE).echo_id(outside);
    let slots = (phone.inside, OUTSIDE);
    sent(tables, slots, &came, Reason::Outbound, &left);
}

/// The answer to `outside` reaches `phone` as `id`.
#[track_caller]
fn returns(tables: &FakeTables, phone: Phone, outside: u16, id: u16) {
    let came = echo_reply(REMOTE, phone.public, outside);
    let left = came.forwarded(REMOTE, phone.private).echo_id(id);
    let slots = (OUTSIDE, phone.inside);
    sent(tables, slots, &came, Reason::Inbound, &left);
}

#[test]
fn an_identifier_of_the_range_is_kept() {
    let tables = site();
    leaves(&tables, ALICE, 40007, 40007);
    returns(&tables, ALICE, 40007, 40007);
}

#[test]
fn any_other_is_replaced_and_comes_back() {
    let tables = site();
    // 64 ports: the low six bits of 7 and 0xffff.
    leaves(&tables, ALICE, 7, 40007);
    leaves(&tables, ALICE, 0xffff, 40063);
    returns(&tables, ALICE, 40007, 7);
    returns(&tables, ALICE, 40063, 0xffff);
    // The same ping keeps what it has.
    leaves(&tables, ALICE, 7, 40007);
    assert_eq!(tables.echo_ids.borrow().len(), 2);
}

#[test]
fn phones_at_one_address_do_not_share_identifiers() {
    let tables = site();
    leaves(&tables, ALICE, 1, 40001);
    leaves(&tables, BOB, 1, 40065);
    returns(&tables, ALICE, 40001, 1);
    returns(&tables, BOB, 40065, 1);
}

#[test]
fn pings_in_each_others_way_take_the_next_until_the_first_gives_way() {
    let tables = site();
    // All of these want 50006; the range ends at 50007 and goes on at 50000.
    leaves(&tables, CAROL, 6, 50006);
    leaves(&tables, CAROL, 14, 50007);
    leaves(&tables, CAROL, 22, 50000);
    leaves(&tables, CAROL, 30, 50001);
    for (outside, id) in [(50006, 6), (50007, 14), (50000, 22), (50001, 30)] {
        leaves(&tables, CAROL, id, outside);
        returns(&tables, CAROL, outside, id);
    }
    // Four were tried: the one whose place it is goes.
    leaves(&tables, CAROL, 38, 50006);
    returns(&tables, CAROL, 50006, 38);
    returns(&tables, CAROL, 50007, 14);
}

#[test]
fn a_forgotten_identifier_comes_back_as_it_is() {
    returns(&site(), ALICE, 40009, 40009);
}

#[test]
fn a_phone_that_is_pinged_answers_with_the_same_identifier() {
    let tables = site();
    // Even where a ping of its own uses it outside.
    leaves(&tables, ALICE, 7, 40007);
    let came = echo_request(REMOTE, DEDICATED, 40007);
    let left = came.forwarded(REMOTE, ALICE.private);
    sent(&tables, (OUTSIDE, PHONES), &came, Reason::Inbound, &left);
    let came = echo_reply(ALICE.private, REMOTE, 40007);
    let left = came.forwarded(DEDICATED, REMOTE);
    sent(&tables, (PHONES, OUTSIDE), &came, Reason::Outbound, &left);
}

#[test]
fn an_answer_with_another_identifier_than_its_own_stays_here() {
    let came = echo_reply(ALICE.private, REMOTE, 40064);
    refused(&site(), PHONES, &came, Reason::SourcePortOutOfRange);
}

#[test]
fn no_request_goes_from_phone_to_phone() {
    let to = |public| echo_request(ALICE.private, public, 40064);
    refused(&site(), PHONES, &to(DEDICATED), Reason::UnsupportedIcmp);
    // The router answers at its own address.
    refused(&site(), PHONES, &to(SHARED), Reason::RouterPort);
}

#[test]
fn the_first_fragment_of_a_large_ping_is_right_when_put_together() {
    let tables = site();
    let whole = echo_request(CAROL.private, REMOTE, 3);
    // The sum over all of it is in the first, with the identifier.
    let first = whole.clone().cut(0, 8);
    let first_left = first.forwarded(SHARED, REMOTE).echo_id(50003);
    let later = whole.cut(8, 15);
    let later_left = later.forwarded(SHARED, REMOTE);
    for (came, left) in [(first, first_left), (later, later_left)] {
        let slots = (COMPUTERS, OUTSIDE);
        sent(&tables, slots, &came, Reason::Outbound, &left);
    }
}

#[test]
fn entries_are_the_bindings_own() {
    let tables = site();
    leaves(&tables, CAROL, 3, 50003);
    let key = |public| EchoKey { public, id: 50003 };
    assert_eq!(tables.echo_id(key(CAROL.public)), Some(3));
    assert_eq!(tables.echo_id(key(ALICE.public)), None);
}

/// A request that nobody answers: the error brings its own identifier back.
#[test]
fn an_error_about_a_request_quotes_the_hosts_own_identifier() {
    let tables = site();
    let request = echo_request(ALICE.private, REMOTE, 7).ttl(1);
    leaves(&tables, ALICE, 7, 40007);
    let outside = |sample: &Sample| sample.clone().echo_id(40007);
    for keep in [8, 15] {
        let quoted = outside(&request.forwarded(DEDICATED, REMOTE));
        let came = unreachable(REMOTE, DEDICATED, quoted, keep);
        let quoted = request.forwarded(ALICE.private, REMOTE);
        let left = came.forwarded(REMOTE, ALICE.private).quoting(quoted);
        sent(&tables, (OUTSIDE, PHONES), &came, Reason::Inbound, &left);
    }
}

/// The other way: the answer got the host's identifier on its way in.
#[test]
fn an_error_about_an_answer_quotes_the_outside_identifier() {
    let tables = site();
    leaves(&tables, ALICE, 7, 40007);
    let answer = echo_reply(REMOTE, ALICE.private, 7);
    for keep in [8, 15] {
        let came = unreachable(ALICE.private, REMOTE, answer.clone(), keep);
        let mut quoted = answer.clone().echo_id(40007);
        quoted.destination = DEDICATED;
        let left = came.forwarded(DEDICATED, REMOTE).quoting(quoted);
        sent(&tables, (PHONES, OUTSIDE), &came, Reason::Outbound, &left);
    }
}

/// RFC 5508 REQ-6: an error about an answer that never came leaves no trace.
#[test]
fn an_error_about_no_answer_is_refused_and_remembers_nothing() {
    let tables = site();
    for (id, outside) in [(6, 50006), (14, 50007), (22, 50000), (30, 50001)] {
        leaves(&tables, CAROL, id, outside);
    }
    let known = tables.echo_ids.borrow().clone();
    let answer = echo_reply(REMOTE, CAROL.private, 38);
    let came = unreachable(CAROL.private, REMOTE, answer, 8);
    refused(&tables, COMPUTERS, &came, Reason::IcmpErrorUnmatched);
    assert_eq!(*tables.echo_ids.borrow(), known);
}
