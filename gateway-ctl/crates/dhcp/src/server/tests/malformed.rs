//! Malformed messages seen in the wild, each by its name; and any bytes.

use proptest::prelude::*;

use super::*;
use crate::testing::invariants;
use crate::testing::message::{Message, kind};
use crate::testing::site::mac;

fn ignored(payload: &[u8]) -> Option<Ignored> {
    let mut pair = pair();
    pair.send_bytes(0, Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, payload);
    pair.server.check(pair.now);
    let mut reasons = Ignored::ALL
        .iter()
        .filter(|reason| pair.ignored(**reason) > 0);
    let reason = reasons.next().copied();
    assert_eq!(
        reason.is_none(),
        pair.reply().is_some(),
        "answered or counted"
    );
    reason
}

fn changed(at: usize, value: u8) -> Vec<u8> {
    let mut bytes = Message::discover(1).to_bytes();
    bytes[at] = value;
    bytes
}

/// A discover with these bytes behind its own options.
fn followed_by(options: &[u8]) -> Vec<u8> {
    let mut bytes = Message::discover(1).to_bytes();
    let end = bytes.iter().rposition(|byte| *byte == 255).expect("an end");
    bytes.truncate(end);
    bytes.extend(options);
    bytes
}

#[test]
fn hardware_addresses_that_do_not_fit() {
    for hlen in [17, 255] {
        assert_eq!(
            ignored(&changed(2, hlen)),
            Some(Ignored::BadHardware),
            "hlen {hlen}"
        );
    }
    // Sixteen do, and none is one if there is an identifier.
    assert_eq!(ignored(&changed(2, 16)), None);
    assert_eq!(ignored(&changed(2, 0)), Some(Ignored::NoIdentity));
    let mut identified = Message::discover(1).with(61, b"\0one").to_bytes();
    identified[2] = 0;
    assert_eq!(ignored(&identified), None);
}

#[test]
fn cve_2010_2156_and_2012_3571_empty_identifier() {
    let mut pair = pair();
    let offer = pair
        .ask(&Message::discover(1).with(61, b""))
        .expect("an offer");
    assert_eq!(offer.option(61), None);
    let other = pair
        .ask(&Message::discover(2).with(61, b""))
        .expect("an offer");
    assert_ne!(
        offer.yiaddr, other.yiaddr,
        "known by their hardware addresses"
    );
    let offer = pair
        .ask(&Message::discover(3).with(61, b"x"))
        .expect("an offer");
    assert_eq!(offer.option(61), Some(&b"x"[..]));
}

#[test]
fn cve_2015_8605_cut_short() {
    let whole = Message::discover(1).to_bytes();
    for length in [0, 1, 2, 27, 43, 235, 239] {
        assert_eq!(
            ignored(&whole[..length]),
            Some(Ignored::TooShort),
            "{length} bytes"
        );
    }
    for length in 240..whole.len() {
        ignored(&whole[..length]);
    }
    let long = [&whole[..], &[0; 2000]].concat();
    assert_eq!(ignored(&long), Some(Ignored::TooLong));
}

#[test]
fn cve_2018_5733_options_cut_short() {
    for options in [
        &[12][..],
        &[12, 5],
        &[12, 5, b'a'],
        &[53, 255],
        &[55, 4, 1, 2, 3],
    ] {
        assert_eq!(
            ignored(&followed_by(options)),
            Some(Ignored::BadOptions),
            "{options:?}"
        );
    }
    // Without an end they are still whole.
    assert_eq!(ignored(&followed_by(&[])), None);
}

#[test]
fn cve_2022_2929_and_others_in_option_81() {
    let label = [&[81, 68, 0, 0, 0, 64][..], &[b'x'; 64], &[255]].concat();
    assert_eq!(ignored(&followed_by(&label)), None, "a label of 64 bytes");
    let ascii = b"\x51\x0aphone.voip\xff";
    assert_eq!(ignored(&followed_by(ascii)), None, "raw ASCII");
    for length in 0..4 {
        let short = [81, length, 0, 0, 0];
        let short = [&short[..2 + usize::from(length)], &[255]].concat();
        assert_eq!(ignored(&followed_by(&short)), None, "{length} bytes");
    }
}

#[test]
fn names_that_are_no_text() {
    for name in [
        &b""[..],
        b"\xff\xfe",
        b"\xe9cole",
        b"a\0b\r\n\x1b[2J",
        b"\0\0",
    ] {
        let mut pair = pair();
        let request = Message::request(1).with(12, name);
        let ack = pair.exchange(&Message::discover(1).with(12, name), &request);
        assert_eq!(ack.map(|ack| ack.kind), Some(kind::ACK), "{name:?}");
        let shown = pair.lease(phone(10)).host_name.unwrap_or_default();
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }
}

#[test]
fn options_that_trip_dhcproto() {
    // A 150 of two addresses, and 80 and 94 of strange lengths: what follows is still read.
    let options = [
        &[150, 8, 1, 2, 3, 4, 5, 6, 7, 8][..],
        &[80, 3, 1, 2, 3],
        &[94, 1, 9],
        &[61, 4, 0, b'o', b'n', b'e'],
        &[255],
    ];
    let mut pair = pair();
    pair.send_bytes(
        0,
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::BROADCAST,
        &followed_by(&options.concat()),
    );
    let offer = pair.reply().expect("an offer");
    assert_eq!(offer.option(61), Some(&b"\0one"[..]));
}

#[test]
fn hardware_type_37_stays_37() {
    let mut pair = pair();
    pair.send_bytes(
        0,
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::BROADCAST,
        &changed(1, 37),
    );
    let (id, _) = (pair.reply().expect("an offer"), ());
    assert_eq!(id.xid, Message::discover(1).xid);
    let request = Message {
        hardware: format!("37/{}", mac(1)).parse().expect("an address"),
        ..Message::request(1)
    };
    let ack = pair
        .ask(&request.asking(phone(10)).to_server(phone(1)))
        .expect("an answer");
    assert_eq!(ack.kind, kind::ACK);
    assert_eq!(pair.lease(phone(10)).hardware.kind(), 37);
}

#[test]
fn parts_of_options_in_different_places() {
    // 61 in two parts with something between, and the class in `file` (option 52).
    let mut message = Message::new(kind::DISCOVER, 1).with(52, &[1]);
    message = message.with(61, b"\0on").with(55, &[43]).with(61, b"e");
    let mut bytes = message.to_bytes();
    bytes[108..118].copy_from_slice(b"\x3c\x07MyPhone\xff");
    let mut pair = pair();
    pair.send_bytes(0, Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, &bytes);
    let offer = pair.reply().expect("an offer");
    assert_eq!(offer.option(61), Some(&b"\0one"[..]));
}

#[test]
fn messages_that_no_client_sends() {
    assert_eq!(ignored(&changed(0, 2)), Some(Ignored::NotARequest));
    assert_eq!(ignored(&changed(0, 0)), Some(Ignored::NotARequest));
    for other in [
        0,
        kind::OFFER,
        kind::ACK,
        kind::NAK,
        9,
        10,
        13,
        18,
        200,
        255,
    ] {
        let message = Message::desk(1, 1).without(53).with(53, &[other]);
        assert_eq!(
            ignored(&message.to_bytes()),
            Some(Ignored::UnexpectedType),
            "{other}"
        );
    }
    let message = Message::desk(1, 1).without(53).with(53, &[1, 1]);
    assert_eq!(ignored(&message.to_bytes()), Some(Ignored::BadOptions));
    let message = Message::discover(1).with(50, &[10, 0, 0]);
    assert_eq!(ignored(&message.to_bytes()), Some(Ignored::BadOptions));
    // Without its cookie it is BOOTP, which this scope does not serve, or nobody.
    assert_eq!(ignored(&changed(236, 0)), Some(Ignored::NoClass));
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        ignored(&bytes);
    }

    #[test]
    fn nearly_messages(
        kind in 0u8..9,
        changes in proptest::collection::vec((0usize..300, any::<u8>()), 0..8),
        options in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..9)), 0..9),
    ) {
        let mut message = Message::desk(kind, 1);
        message.options.extend(options);
        let mut bytes = message.to_bytes();
        for (at, value) in changes {
            bytes[at] = value;
        }
        ignored_or_done(&bytes);
    }

    #[test]
    fn any_input_of_the_fuzz_target(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        invariants::server(&bytes);
    }
}

/// RELEASE and DECLINE are neither answered nor ignored when they are right; nothing else is.
fn ignored_or_done(payload: &[u8]) {
    let mut pair = pair();
    pair.send_bytes(0, Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, payload);
    pair.settle();
}
