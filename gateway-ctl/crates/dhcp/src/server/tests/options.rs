//! What clients are told besides their lease.

use super::*;
use crate::reservation::{Reservation, ReservedClient};
use crate::testing::message::{Message, kind};
use crate::testing::site::{PHONES, RELAY, mac};

#[test]
fn the_range_and_the_switches_in_option_43_and_125() {
    let mut pair = pair();
    let offer = pair.ask(&Message::discover(1)).expect("an offer");
    let expected = [
        &[1, 4, 192, 0, 2, 1][..],
        &[2, 4, 0x04, 0x00, 0x04, 0x3f],
        &[3, 2, 0x04, 0x00],
        &[4, 4, 0x04, 0x02, 0x04, 0x3f],
        &[5, 6, 203, 0, 113, 10, 0x13, 0xc4],
        &[6, 6, 203, 0, 113, 11, 0x13, 0xc4],
    ];
    let expected = expected.concat();
    assert_eq!(offer.option(43), Some(&expected[..]));
    let identifying = [&[0, 0, 0x7e, 0xd9, 38][..], &expected].concat();
    assert_eq!(offer.option(125), Some(&identifying[..]));
    // Also for phones that do not ask for them.
    let silent = Message::desk(kind::DISCOVER, 2).with(55, &[6]);
    let offer = pair.ask(&silent).expect("an offer");
    assert!(offer.option(43).is_some() && offer.option(125).is_some());
}

#[test]
fn option_159_only_where_and_when_it_is_asked_for() {
    let mut settings = settings();
    settings.pools[0].kept_out = vec![1024..=16383];
    let mut pair = Pair::new(settings);
    let asking = |number| Message::desk(kind::DISCOVER, number).with(55, &[159, 43]);
    let remote = pair.ask(&asking(1).via(RELAY)).expect("an offer");
    assert_eq!(remote.option(159), Some(&[0x00, 0x0a, 0x40, 0x00][..]));
    let local = pair.ask(&asking(2)).expect("an offer");
    assert_eq!(local.option(159), None, "its scope does not say so");
    let silent = pair
        .ask(&Message::desk(kind::DISCOVER, 3).via(RELAY))
        .expect("an offer");
    assert_eq!(silent.option(159), None, "it does not ask");
}

#[test]
fn options_come_in_the_order_they_are_asked_for() {
    let mut pair = pair();
    let discover = Message::desk(kind::DISCOVER, 1).with(55, &[6, 3, 43, 42, 6, 1, 53]);
    let offer = pair.ask(&discover).expect("an offer");
    assert_eq!(offer.codes(), [53, 54, 51, 58, 59, 6, 3, 43, 1, 125]);
    // Who does not say what it wants gets everything.
    let offer = pair
        .ask(&Message::desk(kind::DISCOVER, 2))
        .expect("an offer");
    assert_eq!(offer.codes(), [53, 54, 51, 58, 59, 1, 3, 43, 125, 6]);
}

#[test]
fn reservation_before_class_before_scope() {
    let mut settings = settings();
    settings.scopes[PHONES]
        .options
        .extend([(15, b"scope".to_vec()), (42, vec![1; 4])]);
    settings.classes[0].options = vec![(15, b"class".to_vec()), (66, b"class".to_vec())];
    settings.reservations = vec![Reservation {
        client: ReservedClient::Macs(vec![mac(1)]),
        address: None,
        grant: None,
        class: None,
        options: vec![(15, b"own".to_vec()), (12, b"desk-1".to_vec())],
    }];
    let mut pair = Pair::new(settings);
    let discover = |number| Message::desk(kind::DISCOVER, number).with(55, &[15, 42, 66, 12]);
    let own = pair.ask(&discover(1)).expect("an offer");
    let values = [15, 42, 66, 12].map(|code| own.option(code).map(<[u8]>::to_vec));
    let text = |text: &[u8]| Some(text.to_vec());
    assert_eq!(
        values,
        [text(b"own"), text(&[1; 4]), text(b"class"), text(b"desk-1")]
    );
    let other = pair.ask(&discover(2)).expect("an offer");
    assert_eq!(
        (other.option(15), other.option(12)),
        (Some(&b"class"[..]), None)
    );
}

#[test]
fn an_empty_value_takes_an_option_out() {
    let mut settings = settings();
    settings.scopes[PHONES].next_server = Some(phone(9));
    settings.classes[0].options = vec![(6, Vec::new()), (150, Vec::new())];
    let mut pair = Pair::new(settings);
    let discover = Message::desk(kind::DISCOVER, 1).with(55, &[6, 66, 150]);
    let offer = pair.ask(&discover).expect("an offer");
    assert_eq!((offer.option(6), offer.option(150)), (None, None));
    assert_eq!(offer.option(66), Some(&b"10.10.0.9"[..]));
}

#[test]
fn where_the_boot_file_is() {
    let mut settings = settings();
    settings.scopes[PHONES].boot_file = Some("phones.cfg".to_owned());
    settings.scopes[PHONES].next_server = Some(phone(9));
    settings.classes[1].boot_file = Some("wide.cfg".to_owned());
    let mut pair = Pair::new(settings);
    let discover = |number, class| {
        let message = Message::new(kind::DISCOVER, number).with(60, class);
        message.with(55, &[66, 67, 150])
    };
    let offer = pair.ask(&discover(1, b"MyPhone")).expect("an offer");
    assert_eq!(
        (offer.siaddr, &offer.file[..]),
        (phone(9), &b"phones.cfg"[..])
    );
    let values = [66, 67, 150].map(|code| offer.option(code));
    assert_eq!(
        values,
        [
            Some(&b"10.10.0.9"[..]),
            Some(b"phones.cfg"),
            Some(&[10, 10, 0, 9])
        ]
    );
    let offer = pair.ask(&discover(2, b"Wide")).expect("an offer");
    assert_eq!(
        (&offer.file[..], offer.option(67)),
        (&b"wide.cfg"[..], Some(&b"wide.cfg"[..]))
    );
}

#[test]
fn what_a_class_has_configured_for_43_comes_after_ours() {
    let mut settings = settings();
    settings.classes[0].options = vec![(43, vec![200, 1, 7])];
    let mut pair = Pair::new(settings);
    let offer = pair.ask(&Message::discover(1)).expect("an offer");
    let value = offer.option(43).expect("sub-options");
    assert!(value.ends_with(&[200, 1, 7]) && offer.grant().is_some());
}

#[test]
fn no_more_than_the_client_takes() {
    let mut settings = settings();
    let codes = 200..230;
    settings.scopes[PHONES]
        .options
        .extend(codes.clone().map(|code| (code, vec![code; 30])));
    let mut pair = Pair::new(settings);
    let wanted: Vec<u8> = codes.chain([1, 3, 43, 125]).collect();
    let discover = |number| Message::desk(kind::DISCOVER, number).with(55, &wanted);
    let offer = pair
        .ask(&discover(1).with(82, &[7; 100]).via(phone(254)))
        .expect("an offer");
    assert!(offer.size <= 576 - 28, "{}", offer.size);
    assert_eq!(offer.option(82), Some(&[7; 100][..]));
    assert!(
        [53, 54, 51, 1, 3, 43]
            .iter()
            .all(|code| offer.option(*code).is_some())
    );
    assert_eq!(pair.events(Event::OptionsDropped), 1);
    let large = discover(2).with(57, &1500u16.to_be_bytes());
    let offer = pair.ask(&large).expect("an offer");
    assert!(wanted.iter().all(|code| offer.option(*code).is_some()));
    assert!((1000..=1472).contains(&offer.size), "{}", offer.size);
    assert_eq!(pair.events(Event::OptionsDropped), 1);
    // A size below the least is none.
    let tiny = discover(3).with(57, &[0, 1]);
    assert!(pair.ask(&tiny).expect("an offer").size > 400);
}
