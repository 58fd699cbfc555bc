//! Two customer sites at one provider.

use gateway_tests::traffic::UdpEcho;
use gateway_tests::traffic::exchange;
use gateway_tests::two_sites::{PUBLIC_A, PUBLIC_B, TwoSites};

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
    let to = std::net::SocketAddrV4::new(PUBLIC_B, 40_010);
    let (_, from) = exchange(&one.ns, one.at(40_002), to, b"RTP", SOON).unwrap();
    assert_eq!(from.to_string(), "192.0.2.129:40010");
    assert_eq!(echo.seen()[0].to_string(), "192.0.2.1:40002");
}
