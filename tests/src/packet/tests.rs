//! The builder and the verifier against each other, and both against packets from elsewhere.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const PHONE: [u8; 4] = [10, 10, 1, 1];
const REMOTE: [u8; 4] = [203, 0, 113, 10];

#[test]
fn a_header_from_a_textbook() {
    // An IPv4 header whose checksum, 0xb861, many texts compute.
    let bytes = [
        0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xB8, 0x61, 0xC0, 0xA8, 0x00,
        0x01, 0xC0, 0xA8, 0x00, 0xC7,
    ];
    let built = udp([192, 168, 0, 1], 1, [192, 168, 0, 199], 2)
        .id(0)
        .df()
        .payload_of(0x73 - 28);
    assert_bytes(&built.ip_bytes()[..20], &bytes);
}

#[test]
fn a_udp_checksum_of_zero_is_sent_as_all_ones() {
    // Try source ports until the sum comes out as zero: exactly one port gives it.
    let found = (0..=u16::MAX).find(|&port| {
        let bytes = udp(PHONE, port, REMOTE, 5060).payload(b"x").body_bytes();
        bytes[6..8] == [0xFF, 0xFF]
    });
    let port = found.expect("one of 65,536 ports gives each sum");
    let packet = udp(PHONE, port, REMOTE, 5060).payload(b"x");
    assert_eq!(check(&packet.bytes()), Ok(packet));
}

#[test]
fn every_wrong_checksum_is_found() {
    for packet in [
        udp(PHONE, 40_000, REMOTE, 5060).payload(b"hi!"),
        tcp(PHONE, 40_000, REMOTE, 80).payload(b"GET"),
        sctp(PHONE, 40_000, REMOTE, 2905).payload(&[0; 8]),
        echo_request(PHONE, REMOTE, 7).payload(b"abc"),
        time_exceeded(REMOTE, PHONE).quoting_all(&udp(PHONE, 1, REMOTE, 2).payload(b"x")),
    ] {
        let good = packet.ip_bytes();
        assert_eq!(check_ip(&good), Ok(packet));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x01;
            assert!(
                check_ip(&bad).is_err(),
                "byte {at} changed in\n{}",
                hexdump(&good)
            );
        }
    }
}

#[test]
fn errors_say_what_was_expected() {
    let mut bytes = udp(PHONE, 40_000, REMOTE, 5060).ip_bytes();
    let right = u16::from_be_bytes([bytes[26], bytes[27]]);
    bytes[26] ^= 0x10;
    let why = check_ip(&bytes).unwrap_err();
    assert!(
        why.starts_with("UDP checksum") && why.ends_with(&format!("{right:#06x}")),
        "{why}"
    );
}

#[test]
fn quoted_checksums_are_verified_as_far_as_they_go() {
    let cause = udp(PHONE, 40_000, REMOTE, 5060).payload(b"hello");
    let mut wrong = cause.ip_bytes();
    wrong[26] ^= 1;
    let error = unreachable(REMOTE, PHONE, 3);
    assert!(
        check(&error.clone().payload(&wrong).bytes()).is_err(),
        "all is quoted"
    );
    assert!(
        check(&error.clone().payload(&wrong[..28]).bytes()).is_ok(),
        "8 bytes are quoted"
    );
    wrong[10] ^= 1;
    assert!(
        check(&error.clone().payload(&wrong[..28]).bytes()).is_err(),
        "the header is wrong"
    );

    let inner = error.quoting(&cause).quoted().unwrap();
    assert_eq!((inner.ip, inner.body.protocol()), (cause.ip, protocol::UDP));
}

#[test]
fn tags_stand_from_the_outermost_in() {
    let frame = udp(PHONE, 1, REMOTE, 2).qinq(100, 200).bytes();
    assert_bytes(
        &frame[12..22],
        &[0x88, 0xA8, 0, 100, 0x81, 0, 0, 200, 0x08, 0x00],
    );
}

#[test]
fn fragments_join_in_any_order() {
    let packet = udp(PHONE, 40_000, REMOTE, 5060).payload_of(4000);
    let mut frames: Vec<_> = packet.fragments(1500).iter().map(Packet::bytes).collect();
    assert_eq!(frames.len(), 3);
    assert!(frames.iter().all(|frame| frame.len() <= 1514));
    frames.reverse();
    assert_eq!(reassemble(&frames), Ok(packet));
    assert!(
        reassemble(&frames[1..]).is_err(),
        "the last fragment is missing"
    );
    assert!(
        reassemble(&frames[..2]).is_err(),
        "the first fragment is missing"
    );
}

fn any_body() -> impl Strategy<Value = Body> {
    let data = || vec(any::<u8>(), 0..100);
    let options = || vec(any::<[u8; 4]>(), 0..=10).prop_map(|words| words.concat());
    prop_oneof![
        (any::<[u16; 2]>(), any::<bool>(), data()).prop_map(
            |([source, destination], checksum, payload)| {
                Body::Udp {
                    source,
                    destination,
                    checksum,
                    payload,
                }
            }
        ),
        (
            any::<[u16; 3]>(),
            any::<[u32; 2]>(),
            any::<u8>(),
            options(),
            data()
        )
            .prop_map(|(words, numbers, flags, options, payload)| {
                let [source, destination, window] = words;
                let [sequence, acknowledgement] = numbers;
                Body::Tcp {
                    source,
                    destination,
                    sequence,
                    acknowledgement,
                    flags,
                    window,
                    options,
                    payload,
                }
            }),
        (any::<[u16; 2]>(), any::<u32>(), data()).prop_map(
            |([source, destination], tag, payload)| Body::Sctp {
                source,
                destination,
                tag,
                payload
            }
        ),
        (any::<bool>(), any::<[u16; 2]>(), data()).prop_map(
            |(reply, [identifier, sequence], payload)| {
                Body::Echo {
                    reply,
                    identifier,
                    sequence,
                    payload,
                }
            }
        ),
        (any::<u32>(), any_ip(), any::<[u16; 2]>(), data()).prop_map(
            |(rest, ip, [from, to], payload)| {
                let cause = udp(ip.source, from, ip.destination, to).payload(&payload);
                let quote = Packet { ip, ..cause }.ip_bytes();
                Body::Icmp {
                    kind: 3,
                    code: 4,
                    rest,
                    quote,
                }
            }
        ),
        data().prop_map(|payload| Body::Raw {
            protocol: protocol::ESP,
            payload
        }),
    ]
}

fn any_ip() -> impl Strategy<Value = Ip> {
    let options = vec(any::<[u8; 4]>(), 0..=10).prop_map(|words| words.concat());
    (
        any::<[u8; 4]>(),
        any::<[u8; 4]>(),
        any::<[u8; 2]>(),
        any::<u16>(),
        any::<bool>(),
        options,
    )
        .prop_map(
            |(source, destination, [tos, ttl], id, dont_fragment, options)| Ip {
                tos,
                id,
                dont_fragment,
                more_fragments: false,
                fragment_offset: 0,
                ttl,
                source: source.into(),
                destination: destination.into(),
                options,
            },
        )
}

prop_compose! {
    fn any_packet()(
        macs in any::<[[u8; 6]; 2]>(),
        tags in vec((prop_oneof![Just(0x8100_u16), Just(0x88A8)], any::<u16>()), 0..=2),
        ip in any_ip(),
        body in any_body(),
        padding in vec(any::<u8>(), 0..20),
    ) -> Packet {
        let [destination, source] = macs;
        Packet { ethernet: Ethernet { destination, source, tags }, ip, body, padding }
    }
}

proptest! {
    #[test]
    fn checking_undoes_building(packet in any_packet()) {
        prop_assert_eq!(check(&packet.bytes()), Ok(packet));
    }

    #[test]
    fn joining_undoes_fragmenting(packet in any_packet(), mtu in 68_usize..200) {
        let mut packet = packet;
        packet.padding.clear();
        let frames: Vec<_> = packet.fragments(mtu).iter().map(Packet::bytes).collect();
        prop_assert!(frames.iter().all(|frame| frame.len() <= 14 + 8 + mtu));
        prop_assert_eq!(reassemble(&frames), Ok(packet));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        let _ = check(&bytes);
        let _ = check_ip(&bytes);
    }

    #[test]
    fn truncated_packets_never_panic(packet in any_packet(), keep in 0_usize..250) {
        let mut bytes = packet.bytes();
        bytes.truncate(keep);
        let _ = check(&bytes);
    }
}
