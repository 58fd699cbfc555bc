//! Replies are read by dhcproto, which is not what wrote them.

use dhcproto::v4::{DhcpOption, Message, OptionCode};
use dhcproto::{Decodable as _, Decoder};
use proptest::prelude::*;

use super::*;
use crate::mac::MacAddr;
use crate::wire::options::Options;

fn reply(options: Vec<Opt<'_>>, room: Room) -> Reply<'_> {
    Reply {
        hops: 1,
        xid: 0x0102_0304,
        flags: 0x8000,
        ciaddr: Ipv4Addr::UNSPECIFIED,
        yiaddr: Ipv4Addr::new(10, 0, 0, 9),
        siaddr: Ipv4Addr::new(10, 0, 0, 1),
        giaddr: Ipv4Addr::new(10, 0, 0, 254),
        hardware: MacAddr([2, 0, 0, 0, 0, 9]).into(),
        file: b"boot/9",
        options,
        room,
    }
}

fn options_of(bytes: &[u8]) -> Options<'_> {
    Options::read(&bytes[240..], &bytes[108..236], &bytes[44..108]).expect("whole options")
}

#[test]
fn the_header_is_as_it_should_be() {
    let options = vec![
        Opt::new(53, vec![5]),
        Opt::new(66, &b"10.0.0.1"[..]),
        Opt::new(82, vec![1, 1, 7]),
        Opt::new(1, vec![255, 0, 0, 0]),
    ];
    let (bytes, dropped) = reply(options, Room::Datagram(576)).encode();
    assert_eq!((bytes.len(), dropped), (300, false));
    let message = Message::decode(&mut Decoder::new(&bytes)).expect("a message");
    assert_eq!((message.xid(), message.hops()), (0x0102_0304, 1));
    assert!(message.flags().broadcast());
    assert_eq!(message.yiaddr(), Ipv4Addr::new(10, 0, 0, 9));
    assert_eq!(message.giaddr(), Ipv4Addr::new(10, 0, 0, 254));
    assert_eq!(message.chaddr(), [2, 0, 0, 0, 0, 9]);
    assert_eq!(message.fname(), Some(&b"boot/9\0"[..]));
    let mask = message.opts().get(OptionCode::SubnetMask);
    assert_eq!(
        mask,
        Some(&DhcpOption::SubnetMask(Ipv4Addr::new(255, 0, 0, 0)))
    );
    // In our order, 82 last, then the end and nothing but padding.
    let expected = [
        &[53, 1, 5, 66, 8][..],
        b"10.0.0.1",
        &[1, 4, 255, 0, 0, 0, 82, 3, 1, 1, 7, 255],
    ];
    let expected = expected.concat();
    assert_eq!(bytes[240..240 + expected.len()], expected);
    assert!(bytes[240 + expected.len()..].iter().all(|byte| *byte == 0));
}

#[test]
fn long_options_are_sent_in_parts() {
    let long: Vec<u8> = (0..600u16).map(|n| n.to_be_bytes()[1]).collect();
    let (bytes, dropped) = reply(vec![Opt::new(43, &long)], Room::Datagram(1500)).encode();
    assert!(!dropped);
    assert_eq!(options_of(&bytes).get(43), Some(&long[..]));
}

#[test]
fn what_does_not_fit_goes_into_the_header() {
    let options = vec![
        Opt::new(53, vec![5]),
        Opt::new(200, vec![1; 240]),
        Opt::new(201, vec![2; 60]),
        Opt::new(202, vec![3; 120]),
        Opt::new(203, vec![4; 100]),
        Opt::new(1, vec![255; 4]),
        Opt::new(82, vec![9; 20]),
    ];
    let mut with_file = reply(options, Room::Datagram(576));
    let (bytes, dropped) = with_file.encode();
    assert!(dropped && bytes.len() <= 576 - 28);
    let options = options_of(&bytes);
    let sizes = [53, 200, 201, 202, 203, 1, 82].map(|code| options.get(code).map(<[u8]>::len));
    let expected = [Some(1), Some(240), Some(60), None, None, Some(4), Some(20)];
    assert_eq!(sizes, expected);
    assert_eq!(options.get(52), Some(&[2][..]), "only sname is free");
    with_file.file = b"";
    let (bytes, dropped) = with_file.encode();
    assert!(dropped, "203 is one too many");
    let options = options_of(&bytes);
    assert_eq!(options.get(52), Some(&[3][..]));
    assert_eq!(options.get(202), Some(&[3; 120][..]));
}

#[test]
fn bootp_clients_take_64_bytes() {
    let options = vec![
        Opt::new(6, vec![1; 40]),
        Opt::new(15, vec![b'x'; 30]),
        Opt::new(1, vec![255; 4]),
    ];
    let (bytes, dropped) = reply(options, Room::Bootp).encode();
    assert_eq!((bytes.len(), dropped), (300, true));
    let options = options_of(&bytes);
    assert!(options.get(1).is_some() && options.get(6).is_some());
    assert!(options.get(15).is_none() && options.get(52).is_none());
}

proptest! {
    #[test]
    fn essential_options_always_arrive(
        sizes in proptest::collection::btree_map(prop_oneof![Just(53u8), Just(43), Just(82), 1u8..=254], 0usize..400, 0..12),
        datagram in 576usize..2000,
        file in proptest::collection::vec(1u8.., 0..140),
    ) {
        let sizes: Vec<(u8, usize)> = sizes.into_iter().filter(|(code, _)| *code != 52).collect();
        let options = sizes.iter().map(|(code, size)| Opt::new(*code, vec![*code; *size])).collect();
        let mut reply = reply(options, Room::Datagram(datagram));
        reply.file = &file;
        let (bytes, dropped) = reply.encode();
        let read = options_of(&bytes);
        let mut missing = false;
        for (code, size) in sizes {
            match read.get(code) {
                Some(value) => prop_assert_eq!(value, vec![code; size]),
                None => {
                    missing = true;
                    prop_assert!(!ESSENTIAL.contains(&code));
                }
            }
        }
        prop_assert_eq!(missing, dropped);
    }
}
