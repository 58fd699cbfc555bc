//! Two customer sites at one provider, a gateway at each: hosted telephony, where the switch is on
//! neither gateway.

use std::net::SocketAddrV4;

use gateway_tests::traffic::{UdpEcho, exchange};
use gateway_tests::two_sites::files::Side;
use gateway_tests::two_sites::{Call, Hosted, PUBLIC_A, PUBLIC_B, Plan, TwoSites};

use crate::bed::SOON;
use crate::config::Config;

/// The only binding of a site.
fn config(public: &str) -> String {
    Config::empty()
        .pool(&format!("addresses = [\"{public}\"]"))
        .binding("10.10.1.1", public, "40000-40063")
        .to_string()
}

#[test]
fn phones_with_one_private_address_reach_each_other() {
    let sites = TwoSites::new(1, 1).unwrap();
    let _a = sites.a.gateway(&config(&PUBLIC_A.to_string())).unwrap();
    let _b = sites.b.gateway(&config(&PUBLIC_B.to_string())).unwrap();
    let (one, other) = (sites.a.phone(1), sites.b.phone(1));
    let echo = UdpEcho::start(&other.ns, other.at(40_010)).unwrap();
    let to = SocketAddrV4::new(PUBLIC_B, 40_010);
    let (_, from) = exchange(&one.ns, one.at(40_002), to, b"RTP", SOON).unwrap();
    assert_eq!(from.to_string(), "192.0.2.129:40010");
    assert_eq!(echo.seen()[0].to_string(), "192.0.2.1:40002");
}

fn is_right(call: &Call) {
    assert_eq!(call.wrong().unwrap(), Vec::<String>::new(), "{call:?}");
}

#[test]
fn a_hosted_switch_keeps_calls_of_a_site_at_the_site() {
    let mut hosted = Hosted::start().unwrap();
    hosted.boot().unwrap();
    let plan = Plan {
        caller: "a1",
        called: "a2",
        number: "5002",
        choice: "private",
        through: &[],
    };
    is_right(&hosted.call(&plan, |_| Ok(())).unwrap());
}

#[test]
fn calls_between_sites_and_to_a_trunk_go_by_public_addresses_over_kills() {
    let mut hosted = Hosted::start().unwrap();
    hosted.boot().unwrap();
    let plan = Plan {
        caller: "b1",
        called: "a1",
        number: "5001",
        choice: "public",
        through: &[Side::A, Side::B],
    };
    let call = hosted.call(&plan, |hosted| {
        hosted.gateway(Side::A).kill9()?;
        hosted.phones.tell("a1,b1 talk 1s")?;
        hosted.gateway(Side::A).restart(SOON)
    });
    is_right(&call.unwrap());
    let plan = Plan {
        caller: "b1",
        called: "carrier",
        number: "0163299",
        choice: "public",
        through: &[Side::B],
    };
    let call = hosted.call(&plan, |hosted| {
        hosted.switch.kill9()?;
        hosted.phones.tell("b1,carrier talk 1s")?;
        hosted.switch.restart(SOON)
    });
    is_right(&call.unwrap());
}
