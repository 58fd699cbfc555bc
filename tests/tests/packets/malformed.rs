//! Packets that contradict themselves.

use gateway_common::Reason::{BadHeader, Tagged, Truncated, UnknownInterface};
use gateway_tests::link::mac_of;
use gateway_tests::packet::{Packet, udp, unreachable};

use crate::bed::*;
use crate::row::{Port, Row, Then, raw};

pub(crate) fn rows() -> Vec<Row> {
    let good = udp(A, PORT_A, R, 5060)
        .payload_of(32)
        .macs(mac_of(A), mac_of(ROUTER_IN0))
        .bytes();
    let with = |name, change: &dyn Fn(&mut Vec<u8>)| {
        let mut frame = good.clone();
        change(&mut frame);
        raw(name, Port::In0, frame)
    };
    let error = unreachable(R, PUBLIC, 1)
        .quoting(&udp(PUBLIC, PORT_A, R, 1))
        .macs(mac_of(GATEWAY), mac_of(SHARED));
    let cut_quote = |length: usize| {
        let quote = error.body_bytes()[8..8 + length].to_vec();
        let mut message = error.body_bytes()[..8].to_vec();
        message.extend(quote);
        Packet::raw(R, PUBLIC, 1, &message)
            .macs(mac_of(GATEWAY), mac_of(SHARED))
            .bytes()
    };
    vec![
        with("malformed/version-5", &|frame| frame[14] = 0x55).untouched(BadHeader),
        with("malformed/header-length-4", &|frame| frame[14] = 0x44).untouched(BadHeader),
        with("malformed/total-length-below-header", &|frame| {
            frame[16..18].copy_from_slice(&[0, 19])
        })
        .untouched(BadHeader),
        with("malformed/total-length-beyond-frame", &|frame| {
            frame[17] += 1
        })
        .untouched(Truncated),
        with("malformed/no-room-for-udp", &|frame| {
            frame[16..18].copy_from_slice(&[0, 27])
        })
        .untouched(Truncated),
        with("malformed/options-beyond-frame", &|frame| {
            frame[14] = 0x4f;
            frame.truncate(14 + 40);
            frame[16..18].copy_from_slice(&[0, 40]);
        })
        .untouched(BadHeader),
        with("malformed/ends-in-ip-header", &|frame| {
            frame.truncate(14 + 19)
        })
        .untouched(Truncated)
        .xdp_only(),
        raw("malformed/quote-of-19-bytes", Port::Out0, cut_quote(19)).untouched(Truncated),
        raw("malformed/quote-of-27-bytes", Port::Out0, cut_quote(27)).untouched(Truncated),
        with("malformed/ends-in-tag", &|frame| {
            frame.truncate(14);
            frame[12..14].copy_from_slice(&[0x81, 0x00]);
        })
        .untouched(Truncated)
        .xdp_only(),
        raw("malformed/garbage-on-tunnel", Port::Tun, vec![0x60; 40])
            .untouched(gateway_common::Reason::NotIpv4),
        with("malformed/other-vlan-garbage", &|frame| {
            frame[12..18].copy_from_slice(&[0x81, 0x00, 0x0f, 0xff, 0xff, 0xff]);
        })
        .untouched(UnknownInterface)
        .but_in_tc(Then::Untouched(Tagged)),
    ]
}

#[test]
fn malformed() {
    crate::row::run(rows());
}
