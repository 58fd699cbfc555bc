//! From bytes to what they mean: frames, headers, fragments, quotes.

use std::vec::Vec;

use super::*;
use crate::testing::packet::{Sample, echo_reply, echo_request, raw, sctp, tcp, udp, unreachable};
use crate::view::SliceView;

const A: u32 = 0x0a0a_0015;
const B: u32 = 0xcb00_710a;

fn parsed(bytes: &[u8]) -> Result<Packet, Reason> {
    ipv4(&SliceView(&mut bytes.to_vec()), 0)
}

fn frame_of(ethertypes: &[u16], behind: usize) -> Result<Frame, Reason> {
    let mut bytes = [0u8; 12].to_vec();
    for (index, word) in ethertypes.iter().enumerate() {
        if index > 0 {
            bytes.extend([0xe0, 0x64 + index as u8]); // priority 7, VLAN 100 + index
        }
        bytes.extend(word.to_be_bytes());
    }
    bytes.resize(bytes.len() + behind, 0);
    frame(&SliceView(&mut bytes))
}

#[test]
fn up_to_two_tags_in_front_of_ipv4() {
    let rows: [(&[u16], u16, u16, u16); 5] = [
        (&[0x0800], 14, 0, 0),
        (&[0x8100, 0x0800], 18, 0x65, 0),
        (&[0x88a8, 0x0800], 18, 0x65, 0),
        (&[0x88a8, 0x8100, 0x0800], 22, 0x65, 0x66),
        (&[0x8100, 0x8100, 0x0800], 22, 0x65, 0x66),
    ];
    for (ethertypes, ip, outer_vid, inner_vid) in rows {
        let expected = Frame {
            ip,
            vids: u32::from(outer_vid) | u32::from(inner_vid) << 16,
            ethertype: 0x0800,
        };
        assert_eq!(frame_of(ethertypes, 20), Ok(expected));
    }
}

#[test]
fn everything_else_is_not_ipv4() {
    let three: &[u16] = &[0x88a8, 0x8100, 0x8100, 0x0800];
    for ethertypes in [&[0x0806][..], &[0x86dd], &[0x8100, 0x86dd], &[46], three] {
        let found = frame_of(ethertypes, 4).map(|frame| frame.is_ipv4());
        assert_eq!(found, Ok(false), "{ethertypes:04x?}");
    }
}

#[test]
fn a_frame_that_ends_in_its_headers() {
    let mut bytes = [0u8; 22];
    for at in [12, 16] {
        bytes[at] = 0x81;
    }
    for length in 0..bytes.len() {
        let found = frame(&SliceView(&mut bytes[..length]));
        assert_eq!(found.is_err(), length < 22, "{length}: {found:?}");
    }
}

#[test]
fn frames_are_for_one_address_for_a_group_or_for_others() {
    let mac = [0x0200, 0x0000, 0x0001];
    let to = |bytes: [u8; 6]| addressed_to(&SliceView(&mut bytes.to_vec()), mac);
    assert_eq!(to([2, 0, 0, 0, 0, 1]), Ok(()));
    assert_eq!(to([2, 0, 0, 0, 0, 2]), Err(Reason::OtherHost));
    assert_eq!(to([0xff; 6]), Err(Reason::Multicast));
    assert_eq!(to([1, 0, 0x5e, 0, 0, 0xfb]), Err(Reason::Multicast));
    let short = addressed_to(&SliceView(&mut [2, 0, 0, 0, 0]), mac);
    assert_eq!(short, Err(Reason::Truncated));
}

#[test]
fn every_field_of_a_header() {
    let bytes = udp(A, 40000, B, 5060).options(2).df().ttl(7).bytes();
    let frame = [&[0xee; 22][..], &bytes, &[0; 9]].concat();
    let packet = ipv4(&SliceView(&mut frame.clone()), 22);
    let expected = Packet {
        ip: 22,
        transport_at: 50,
        total_length: 47,
        id: 0x1234,
        ttl: 7,
        protocol: 17,
        tos: 0xb8,
        df: true,
        fragment: Fragment::Whole,
        transport: Transport::Ports,
        source: A,
        destination: B,
        source_port: 40000,
        destination_port: 5060,
    };
    assert_eq!(packet, Ok(expected));
}

#[test]
fn what_follows_the_header() {
    use Transport::*;
    let message = |kind: u8| raw(A, B, 1, &[kind, 0, 0, 0, 0, 7, 0, 0]);
    let rows = [
        (tcp(A, 1, B, 2), Ports, (1, 2)),
        (sctp(A, 1, B, 2), Ports, (1, 2)),
        (echo_request(A, B, 7), EchoRequest, (7, 7)),
        (echo_reply(A, B, 7), EchoReply, (7, 7)),
        (unreachable(A, B, udp(B, 1, A, 2), 8), IcmpError, (0, 0)),
        (message(11), IcmpError, (0, 0)),
        (message(12), IcmpError, (0, 0)),
        // Source quench and redirect are for hosts, timestamps for nobody.
        (message(4), OtherIcmp, (0, 0)),
        (message(5), OtherIcmp, (0, 0)),
        (message(13), OtherIcmp, (0, 0)),
        (raw(A, B, 50, &[0; 8]), Portless, (0, 0)),
        (raw(A, B, 50, &[]), Portless, (0, 0)),
        (raw(A, B, 50, &[0; 24]).cut(8, 24), Portless, (0, 0)),
        (udp(A, 1, B, 2).cut(8, 19), Unknown, (0, 0)),
        (echo_request(A, B, 7).cut(8, 15), Unknown, (0, 0)),
    ];
    for (sample, transport, ports) in rows {
        let packet = parsed(&sample.bytes()).expect("a packet");
        let found = (
            packet.transport,
            (packet.source_port, packet.destination_port),
        );
        assert_eq!(found, (transport, ports), "{sample:?}");
    }
}

#[test]
fn parts_of_a_datagram() {
    let whole = tcp(A, 1, B, 2);
    let part = |sample: &Sample| parsed(&sample.bytes()).map(|packet| packet.fragment);
    assert_eq!(part(&whole), Ok(Fragment::Whole));
    assert_eq!(part(&whole.clone().cut(0, 24)), Ok(Fragment::First));
    assert_eq!(part(&whole.clone().cut(16, 24)), Ok(Fragment::Later));
    assert_eq!(part(&whole.cut(24, 25)), Ok(Fragment::Later));
}

#[test]
fn a_first_fragment_must_hold_its_ports_and_none_may_cover_them() {
    let rows = [
        (tcp(A, 1, B, 2).cut(0, 16), Err(Reason::TinyFragment)),
        (tcp(A, 1, B, 2).cut(8, 24), Err(Reason::TinyFragment)),
        (tcp(A, 1, B, 2).cut(16, 24), Ok(())),
        (sctp(A, 1, B, 2).cut(0, 8), Err(Reason::TinyFragment)),
        (udp(A, 1, B, 2).cut(0, 8), Ok(())),
        (udp(A, 1, B, 2).cut(0, 0), Err(Reason::TinyFragment)),
        (udp(A, 1, B, 2).cut(8, 16), Ok(())),
        (echo_request(A, B, 1).cut(0, 0), Err(Reason::TinyFragment)),
    ];
    for (sample, expected) in rows {
        assert_eq!(parsed(&sample.bytes()).map(drop), expected, "{sample:?}");
    }
}

#[test]
fn lengths_that_are_too_short_for_what_they_promise() {
    for (sample, header) in [
        (udp(A, 1, B, 2), 8),
        (tcp(A, 1, B, 2), 20),
        (sctp(A, 1, B, 2), 12),
        (echo_request(A, B, 1), 8),
    ] {
        let all = sample.bytes();
        for length in 0..all.len() {
            // Cut, with and without a total length that says so.
            let cut = &all[..length];
            assert_eq!(parsed(cut), Err(Reason::Truncated), "{length}: {sample:?}");
            if length < 20 {
                continue;
            }
            let honest = with(cut, 2, &(length as u16).to_be_bytes());
            let expected = match length {
                _ if length < 20 + header => Err(Reason::Truncated),
                _ => Ok(()),
            };
            assert_eq!(parsed(&honest).map(drop), expected, "{length}: {sample:?}");
        }
    }
}

#[test]
fn headers_that_contradict_themselves() {
    let good = udp(A, 1, B, 2).options(1).bytes();
    let rows: [(usize, &[u8]); 6] = [
        (0, &[0x66]),
        (0, &[0x06]),
        (0, &[0x44]),
        (0, &[0x40]),
        (2, &[0, 23]),
        (2, &[0, 0]),
    ];
    for (at, bytes) in rows {
        let bad = with(&good, at, bytes);
        assert_eq!(parsed(&bad), Err(Reason::BadHeader), "{at}: {bytes:02x?}");
    }
    // Fifteen words of header claimed, seven words of packet there.
    let claimed = with(&good, 0, &[0x4f]);
    assert_eq!(parsed(&claimed), Err(Reason::BadHeader));
}

fn with(bytes: &[u8], at: usize, new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

fn quote_in(sample: &Sample) -> Result<Quoted, Reason> {
    let mut bytes = sample.bytes();
    let view = SliceView(&mut bytes);
    let packet = ipv4(&view, 0)?;
    quoted(&view, &packet)
}

#[test]
fn every_field_of_a_quote() {
    let inner = tcp(B, 5060, A, 40000).options(3);
    let found = quote_in(&unreachable(A, B, inner, 8).options(2));
    let expected = Quoted {
        ip: 36,
        transport_at: 68,
        end: 76,
        protocol: 6,
        transport: Transport::Ports,
        source: B,
        destination: A,
        source_port: 5060,
        destination_port: 40000,
    };
    assert_eq!(found, Ok(expected));
}

#[test]
fn quotes_of_echo_messages() {
    for (inner, transport) in [
        (echo_request(B, A, 7), Transport::EchoRequest),
        (echo_reply(B, A, 7), Transport::EchoReply),
    ] {
        let found = quote_in(&unreachable(A, B, inner, 8)).expect("a quote");
        let ports = (found.source_port, found.destination_port);
        assert_eq!((found.transport, ports), (transport, (7, 7)));
    }
}

#[test]
fn quotes_that_no_error_is_sent_about() {
    let inner = udp(B, 1, A, 2);
    let about_an_error = unreachable(B, A, udp(A, 1, B, 2), 8);
    let rows = [
        (unreachable(A, B, inner.clone(), 7), Reason::Truncated),
        (
            unreachable(A, B, inner.clone().options(1), 7),
            Reason::Truncated,
        ),
        (
            unreachable(A, B, inner.cut(8, 16), 8),
            Reason::IcmpErrorUnmatched,
        ),
        (
            unreachable(A, B, about_an_error, 8),
            Reason::IcmpErrorUnmatched,
        ),
        (
            unreachable(A, B, raw(B, A, 50, &[0; 8]), 8),
            Reason::IcmpErrorUnmatched,
        ),
        (raw(A, B, 1, &[3, 3, 0, 0, 0, 0, 0, 0]), Reason::Truncated),
        (
            raw(A, B, 1, &[3, 3, 0, 0, 0, 0, 0, 0, 0x45]),
            Reason::Truncated,
        ),
        (
            raw(A, B, 1, &[&[3; 8][..], &[0x65; 40]].concat()),
            Reason::BadHeader,
        ),
        (
            raw(A, B, 1, &[&[3; 8][..], &[0x44; 40]].concat()),
            Reason::BadHeader,
        ),
    ];
    for (sample, reason) in rows {
        assert_eq!(quote_in(&sample), Err(reason), "{sample:?}");
    }
}

#[test]
fn no_quote_at_all_is_cut_short_whatever_follows() {
    let message = raw(A, B, 1, &[3, 3, 0, 0, 0, 0, 0, 0]).bytes();
    let mut bytes = [&message[..], &[0; 40]].concat();
    let view = SliceView(&mut bytes);
    let packet = ipv4(&view, 0).expect("a packet");
    assert_eq!(quoted(&view, &packet), Err(Reason::Truncated));
}

/// Behind the packet there may be padding, or another packet's rest.
#[test]
fn a_quote_ends_with_its_packet() {
    let sample = unreachable(A, B, udp(B, 1, A, 2), 7);
    let mut bytes = [&sample.bytes()[..], &[0; 40]].concat();
    let view = SliceView(&mut bytes);
    let packet = ipv4(&view, 0).expect("a packet");
    assert_eq!(quoted(&view, &packet), Err(Reason::Truncated));
}
