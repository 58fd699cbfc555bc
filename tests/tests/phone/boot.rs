//! A phone behind the gateway: it boots for real, and calls through the dataplane.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use gateway_tests::phone::Phones;
use gateway_tests::site::{Gateway, REMOTE, Site};

use crate::controller::Controller;

/// Ports for phones, files for them, and which controller they belong to.
const CONFIG: &str = r#"
[limits]
bindings = 1024
pool_addresses = 16
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
name = "main"
addresses = ["192.0.2.1"]
[dhcp]
probe = "100ms"
[[scope]]
interface = "inside0"
network = "10.10.0.0/16"
addresses = ["10.10.2.0-10.10.2.99"]
lease_time = "1h"
routers = ["10.10.0.1"]
tftp_server_name = "10.10.0.1"
[[class]]
name = "phone"
vendor_classes = ["MyPhone*"]
ports = 64
primary_switch = "203.0.113.10:2944"
[provision]
root = "{files}"
templates = "{templates}"
[[template]]
name = "{mac}.json"
file = "simulated-phone.json"
class = "phone"
[[phone]]
mac = "02:00:0a:0a:01:01"
variables = ["image=image.bin"]
"#;

/// A site whose phones have no address yet, and whose gateway has files for them.
fn site(files: &Path) -> (Site, Gateway) {
    let site = Site::new().unwrap();
    for phone in &site.inside[0].phones {
        phone.ns.ip("address flush dev eth0").unwrap();
    }
    let templates = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/templates");
    let files = files.to_str().unwrap();
    let config = CONFIG
        .replace("{templates}", templates)
        .replace("{files}", files);
    let gateway = site.gateway(&config).unwrap();
    (site, gateway)
}

#[test]
fn two_phones_boot_and_call_each_other_and_nothing_private_leaves() {
    let image: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("image.bin"), &image).unwrap();
    let (site, _gateway) = site(files.path());
    let _controller = Controller::start(&site.internet, SocketAddrV4::new(REMOTE, 2944));
    let mut phones = Phones::start();
    let define = |phones: &mut Phones, name: &str, number: usize| {
        let (ns, mac) = (
            site.phone(number).ns.name(),
            site.phone(number).interface.mac,
        );
        let mac: Vec<String> = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        phones.tell(&format!(
            "phone {name} netns={ns} mac={} vendor_class=\"MyPhone 1.0\" number=500{number}
             {name} expect registered primary 30s",
            mac.join(":")
        ))
    };
    define(&mut phones, "a1", 1).unwrap();
    define(&mut phones, "a2", 2).unwrap();
    let leased = phones.last("a1", "leased").unwrap().clone();
    assert_eq!(leased["public_address"], "192.0.2.1");
    let fetched = phones.last("a1", "fetched").unwrap();
    assert_eq!(
        (&fetched["name"], &fetched["bytes"]),
        (&"image.bin".into(), &image.len().into())
    );
    assert_eq!(
        phones.last("a2", "fetched").unwrap()["name"],
        "02000a0a0102.json"
    );
    phones
        .tell(
            "a1 dial a2
             a2 expect ringing
             a2 answer
             all expect talking private
             all talk 1s
             all expect media lost<=0 source=remote
             a1 expect media tone=a2
             a2 expect media tone=a1
             a1 hangup
             a2 hangup
             all expect idle",
        )
        .unwrap();
    // From its range and no other port.
    let local: SocketAddrV4 = phones.last("a1", "talking").unwrap()["local"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let port = |name: &str| leased[name].as_u64().unwrap();
    assert!((port("first_port") + 2..=port("last_port")).contains(&u64::from(local.port())));
    let address: Ipv4Addr = leased["address"].as_str().unwrap().parse().unwrap();
    assert_eq!(*local.ip(), address);
    phones.finish().unwrap();
}
