//! The gateway on a router with real sockets around it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddrV4;

use gateway_tests::site::{REMOTE, Site};
use gateway_tests::traffic::{UdpEcho, exchange};
use gateway_tests::wait::Deadline;

const CONFIG: &str = r#"
[state]
directory = "{dir}/state"
[metrics]
listen = "off"
[[inside]]
interface = "inside0"
networks = ["10.10.0.0/16"]
[[outside]]
interface = "uplink0"
[[pool]]
addresses = ["192.0.2.1"]
[[binding]]
private = "10.10.1.1"
public = "192.0.2.1"
ports = "40000-40063"
[[binding]]
private = "10.10.1.2"
public = "192.0.2.1"
ports = "40064-40127"
"#;

#[test]
fn udp_both_ways() {
    let site = Site::new().unwrap();
    let gateway = site.gateway(CONFIG).unwrap();
    let echo = UdpEcho::start(&site.internet, SocketAddrV4::new(REMOTE, 5060)).unwrap();
    let phone = site.phone(1);
    let (answer, from) = exchange(
        &phone.ns,
        phone.at(40_000),
        SocketAddrV4::new(REMOTE, 5060),
        b"hello",
        Deadline::seconds(5),
    )
    .unwrap();
    assert_eq!(
        (&answer[..], from.to_string()),
        (&b"hello"[..], "203.0.113.10:5060".into())
    );
    assert_eq!(echo.seen()[0].to_string(), "192.0.2.1:40000");
    for c in [
        vec!["status"],
        vec!["counters"],
        vec!["bindings"],
        vec!["memory"],
    ] {
        println!("{}", gateway.ctl(&c).unwrap().stdout);
    }
}
