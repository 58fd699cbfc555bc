//! The gateway's own errors, byte for byte.

use std::vec::Vec;

use super::*;
use crate::parse;
use crate::testing::packet::{
    Body, Sample, echo_reply, echo_request, raw, sctp, tcp, udp, unreachable,
};
use crate::testing::sums::sums;
use crate::view::SliceView;

const PHONE: u32 = 0x0a0a_0015;
const REMOTE: u32 = 0xcb00_710a;
const GATEWAY: u32 = 0x0a0a_0001;

fn parsed(sample: &Sample) -> Packet {
    parse::ipv4(&SliceView(&mut sample.bytes()), 0).expect("a packet")
}

/// The answer about `sample`, as the shells make it behind an Ethernet header.
fn answer_to(sample: &Sample, answer: &Answer) -> Vec<u8> {
    let mut frame = [&[0xee; 14][..], &sample.bytes()].concat();
    let packet = parse::ipv4(&SliceView(&mut frame), 14).expect("a packet");
    let quote = quote_length(&packet);
    frame.truncate(14 + quote);
    frame.splice(14..14, [0xaa; HEADERS]);
    let done = write(&mut SliceView(&mut frame), &packet, answer, quote);
    assert_eq!(done, Ok(()));
    assert_eq!(frame[..14], [0xee; 14], "the Ethernet header");
    frame.split_off(14)
}

#[test]
fn time_exceeded_quotes_what_the_sender_sent() {
    for sample in [
        udp(PHONE, 40000, REMOTE, 5060).ttl(1),
        tcp(PHONE, 40000, REMOTE, 80).ttl(1).options(10),
        sctp(PHONE, 40000, REMOTE, 80).ttl(0),
        echo_request(PHONE, REMOTE, 7).ttl(1),
    ] {
        let sent = sample.bytes();
        let quote = (sent.len() / 4 * 4).min(QUOTE);
        let answer = answer_to(&sample, &Answer::ttl_expired(GATEWAY));
        let length = (HEADERS + quote) as u8;
        let header = [0x45, 0xc0, 0, length, 0, 0, 0x40, 0, 64, 1];
        assert_eq!(answer[..10], header);
        assert_eq!(answer[12..20], [10, 10, 0, 1, 10, 10, 0, 21]);
        assert_eq!(answer[20..22], [11, 0]);
        assert_eq!(answer[24..28], [0, 0, 0, 0]);
        assert_eq!(answer[28..], sent[..quote]);
        assert!(sums(&answer).ip == Some(0) && sums(&answer).transport == Some(0));
    }
}

#[test]
fn fragmentation_needed_says_how_much_fits() {
    let mut sample = udp(PHONE, 40000, REMOTE, 5060).df();
    if let Body::Udp { data, .. } = &mut sample.body {
        data.resize(1400, 0x55);
    }
    let answer = answer_to(&sample, &Answer::too_big(GATEWAY, 1280));
    assert_eq!(answer.len(), HEADERS + QUOTE);
    assert_eq!(answer[20..22], [3, 4]);
    assert_eq!(answer[24..28], [0, 0, 0x05, 0x00]);
    assert!(sums(&answer).ip == Some(0) && sums(&answer).transport == Some(0));
}

#[test]
fn at_least_eight_bytes_behind_the_longest_header_are_quoted() {
    for words in 0..=10 {
        let mut sample = udp(PHONE, 40000, REMOTE, 5060).options(words);
        if let Body::Udp { data, .. } = &mut sample.body {
            data.truncate(1);
        }
        let packet = parsed(&sample);
        let header = usize::from(packet.transport_at);
        assert_eq!(quote_length(&packet), header + 8);
    }
}

#[test]
fn no_error_about_errors_later_fragments_or_what_is_no_host() {
    let ours = udp(REMOTE, 1, PHONE, 2);
    let from = |source| udp(source, 40000, REMOTE, 5060);
    let rows = [
        (from(PHONE), true),
        (from(PHONE).cut(0, 8), true),
        (echo_request(PHONE, REMOTE, 1), true),
        (echo_reply(PHONE, REMOTE, 1), true),
        (from(PHONE).cut(8, 16), false),
        (unreachable(PHONE, REMOTE, ours, 8), false),
        (raw(PHONE, REMOTE, 1, &[5, 0, 0, 0, 0, 0, 0, 0]), false),
        (from(0), false),
        (from(0x7f00_0001), false),
        (from(0xe000_0001), false),
        (from(u32::MAX), false),
    ];
    for (sample, expected) in rows {
        assert_eq!(is_answerable(&parsed(&sample)), expected, "{sample:?}");
    }
}

#[test]
fn without_room_it_is_truncated() {
    let sample = udp(PHONE, 40000, REMOTE, 5060);
    let packet = parsed(&sample);
    let answer = Answer::ttl_expired(GATEWAY);
    for length in 0..HEADERS + 28 {
        let mut room = [0u8; HEADERS + 28][..length].to_vec();
        let done = write(&mut SliceView(&mut room), &packet, &answer, 28);
        assert_eq!(done, Err(Reason::Truncated), "{length}");
    }
}
