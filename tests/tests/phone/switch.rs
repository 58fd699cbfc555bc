//! The gateway's own switch: many phones at once, and a trunk that is a phone with several lines.

use gateway_tests::phone::Phones;
use gateway_tests::site::{Gateway, Site};

/// Phones are known by the names that they call themselves.
const CONFIG: &str = r#"
[limits]
bindings = 64
pool_addresses = 16
[state]
directory = "{dir}/state"
[metrics]
listen = "off"
[[inside]]
interface = "inside0"
networks = ["10.10.0.0/16"]
unbound_hosts = "kernel"
[[outside]]
interface = "uplink0"
[[pool]]
addresses = ["192.0.2.1"]
[switch]
admission = "anybody"
[[trunk]]
name = "carrier"
gateway = "carrier"
[[route]]
prefix = "0"
trunks = ["carrier"]
"#;

/// Phone 1 has no lease, and is called from outside: so the file says which address and ports it has.
const BINDING: &str = r#"
[[binding]]
private = "10.10.1.1"
public = "192.0.2.1"
ports = "1024-1087"
"#;

fn bed(phones: u32) -> (Site, Gateway) {
    let site = Site::new().unwrap();
    let line = |number: u32| {
        format!(
            "[[line]]\nnumber = \"{}\"\nphone = \"p{number:03}\"\n",
            5000 + number
        )
    };
    let lines: String = (1..=phones).map(line).collect();
    let gateway = site.gateway(&format!("{CONFIG}{BINDING}{lines}")).unwrap();
    (site, gateway)
}

#[test]
fn many_phones_call_each_other() {
    let (site, _gateway) = bed(60);
    let mut phones = Phones::start();
    phones
        .tell(&format!(
            "phone p netns={} count=60 address=10.10.3.1/16 ports=1024-1031 mid=p001 number=5001 \
             switch=10.10.0.1 start=no
             all register rate=500 within 30s
             all load rate=20 hold=500ms for=3s ring=50ms",
            site.phone(1).ns.name()
        ))
        .unwrap();
    let events = phones.finish().unwrap();
    let load = events
        .iter()
        .find(|event| event["kind"] == "calls")
        .unwrap();
    assert_eq!(
        (&load["completed"], &load["media"]["lost"]),
        (&60.into(), &0.into()),
        "{load}"
    );
}

#[test]
fn a_trunk_is_called_and_calls_are_ended_from_both_sides() {
    let (site, _gateway) = bed(2);
    let mut phones = Phones::start();
    phones
        .tell(&format!(
            "default switch=10.10.0.1
             phone p001 netns={} address=10.10.1.1 ports=1024-1087 mid=p001
             phone carrier netns={} address=203.0.113.10 ports=20000-20063 mid=carrier \
             lines=trunk/1,trunk/2 switch=198.51.100.1
             all expect registered
             p001 dial 0163299
             carrier expect ringing
             carrier expect event ringing called=163299
             carrier answer
             p001,carrier expect talking public
             p001,carrier talk 500ms
             p001,carrier expect media lost<=1% source=remote
             p001 expect media tone=carrier
             carrier expect media tone=p001
             p001 hangup
             carrier expect hungup
             carrier hangup
             all expect idle",
            site.phone(1).ns.name(),
            site.internet.name()
        ))
        .unwrap();
    phones.finish().unwrap();
}
