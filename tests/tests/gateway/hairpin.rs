//! From phone to phone by public addresses: the receiver sees the sender's public address and
//! port (RFC 4787 REQ-9).

use gateway_tests::site::{Phone, Site};
use gateway_tests::traffic::{Transfer, UdpEcho, exchange};

use crate::bed::{Bed, LONG, SOON, public};
use crate::config::Config;

const MEGABYTES: usize = 2 << 20;

/// UDP and TCP from one phone to the other's public address.
fn talk(bed: &Bed, caller: (&Phone, u16), called: (&Phone, u16)) {
    let ((caller, from), (called, to)) = (caller, called);
    let echo = UdpEcho::start(&called.ns, called.at(to)).unwrap();
    let got = exchange(&caller.ns, caller.at(from), public(to), b"hi", SOON).unwrap();
    assert_eq!(got, (b"hi".to_vec(), public(to).into()));
    assert_eq!(echo.seen(), [public(from).into()]);
    let transfer = Transfer {
        client: &caller.ns,
        local: caller.at(from),
        remote: public(to),
        server: &called.ns,
        listen: called.at(to),
        bytes: MEGABYTES,
    };
    let report = transfer.run(LONG).unwrap();
    assert_eq!(report.client_seen_as, public(from).into());
    assert!(bed.counters().total("hairpin") > 2000);
    assert_eq!(bed.counters().total("outbound"), 0);
}

#[test]
fn between_phones_of_one_network() {
    let bed = Bed::new();
    talk(&bed, (bed.phone(1), 40_003), (bed.phone(2), 40_070));
    bed.finish();
}

#[test]
fn between_two_inside_interfaces() {
    let config = Config::default()
        .second_inside()
        .binding("10.20.1.1", "192.0.2.1", "40128-40191");
    let bed = Bed::with(&Site::builder().second_inside(1), &config);
    talk(&bed, (bed.phone(1), 40_003), (bed.far_phone(), 40_130));
    let counters = bed.counters();
    for interface in ["inside0", "inside1"] {
        assert!(
            counters.get(interface, "xdp", "hairpin") > 500,
            "{counters:?}"
        );
    }
    bed.finish();
}

#[test]
fn a_phone_reaches_itself() {
    let bed = Bed::new();
    let phone = bed.phone(1);
    let echo = UdpEcho::start(&phone.ns, phone.at(40_001)).unwrap();
    let got = exchange(&phone.ns, phone.at(40_000), public(40_001), b"me", SOON).unwrap();
    assert_eq!(got, (b"me".to_vec(), public(40_001).into()));
    assert_eq!(echo.seen(), [public(40_000).into()]);
    bed.finish();
}
