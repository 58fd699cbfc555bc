//! Phones with real DHCP clients: each boots, has its range, uses it, and gives it back.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use gateway_tests::dhcp::client::{Client, Lease, Program, Spec};
use gateway_tests::site::{REMOTE, Site};
use gateway_tests::traffic::{Transfer, UdpEcho, exchange};
use gateway_tests::wait::eventually;
use serde_json::Value;

use crate::bed::{Bed, LONG, SOON, remote};
use crate::config::Config;

/// For what must not happen.
const MOMENT: Duration = Duration::from_millis(500);

/// Leases of 64 ports of 192.0.2.1 and .2 for clients that say `MyPhone`.
pub(crate) const LEASES: &str = r#"
[dhcp]
probe = "100ms"
[[scope]]
interface = "inside0"
network = "10.10.0.0/16"
addresses = ["10.10.2.0-10.10.2.99"]
lease_time = "1h"
routers = ["10.10.0.1"]
option_159 = true
tftp_server_name = "10.10.0.1"
[[class]]
name = "phone"
vendor_classes = ["MyPhone*"]
ports = 64
primary_switch = "198.51.100.200:5060"
"#;

/// A gateway that leases, on a site whose phones have no address yet.
pub(crate) fn bed(site: Site, more: &str) -> Bed {
    for phone in &site.inside[0].phones {
        phone.ns.ip("address flush dev eth0").unwrap();
    }
    let config = Config::empty()
        .pool("name = \"main\"\naddresses = [\"192.0.2.1-192.0.2.2\"]")
        .text(LEASES)
        .text(more);
    Bed::on(site, &config)
}

/// A phone of that class.
pub(crate) fn phone(program: Program) -> Spec {
    Spec::new(program).vendor_class("MyPhone 1.0").request(159)
}

/// What option 43 says: public address, first and last port.
pub(crate) fn range_of(lease: &Lease) -> (Ipv4Addr, u16, u16) {
    let mut options = lease.option(43).unwrap();
    let (mut address, mut ports) = (None, None);
    while let [code, length, rest @ ..] = options {
        let (value, next) = rest.split_at(usize::from(*length));
        match (code, value) {
            (1, [a, b, c, d]) => address = Some(Ipv4Addr::new(*a, *b, *c, *d)),
            (2, [a, b, c, d]) => {
                ports = Some((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])));
            }
            _ => {}
        }
        options = next;
    }
    let (first, last) = ports.unwrap();
    (address.unwrap(), first, last)
}

/// The binding of a private address, as the daemon tells it.
pub(crate) fn binding(bed: &Bed, private: Ipv4Addr) -> Option<Value> {
    let all = bed.json(&["bindings"]);
    let all = all.as_array().unwrap().iter();
    all.into_iter()
        .find(|one| one["private"] == private.to_string())
        .cloned()
}

/// Whatever it is: it boots, has what it was told, and loses it when it gives it back.
fn life(program: Program) {
    let bed = bed(Site::new().unwrap(), "");
    let host = bed.phone(1);
    let mut client = phone(program)
        .host_name("desk")
        .start(&host.interface)
        .unwrap();
    let lease = client.bound(LONG).unwrap();
    let (_, first, last) = range_of(&lease);
    assert_eq!(
        (lease.server, lease.lease_time),
        (Some(Ipv4Addr::new(10, 10, 0, 1)), 3600)
    );
    assert_eq!(lease.option(66), Some(&b"10.10.0.1"[..]));
    let psid = [&[0, 10][..], &first.to_be_bytes()].concat();
    assert_eq!(lease.option(159), Some(&psid[..]), "RFC 7618");

    let bound = binding(&bed, lease.address).unwrap();
    assert_eq!(bound["origin"], "lease");
    assert_eq!(bound["ports"], format!("{first}-{last}"));
    passes(&bed, &lease);

    // It may have left by another door before it gave it back.
    client.release(LONG).unwrap();
    eventually(SOON, || match binding(&bed, lease.address) {
        None => Ok(()),
        Some(still) => Err(format!("{still}")),
    })
    .unwrap();
    host.ns
        .ip(&format!("address replace {}/16 dev eth0", lease.address))
        .unwrap();
    host.ns.ip("route replace default via 10.10.0.1").unwrap();
    let from = SocketAddrV4::new(lease.address, first);
    let echo = UdpEcho::start(bed.internet(), remote(5070)).unwrap();
    let sent = exchange(&host.ns, from, remote(5070), b"late", MOMENT);
    assert!(sent.is_err(), "a phone without lease has no way out");
    assert_eq!(echo.seen(), []);
    assert!(bed.counters().get("inside0", "xdp", "unbound_source") > 0);
    bed.finish();
}

/// UDP and TCP leave by exactly the range, and by no other port.
pub(crate) fn passes(bed: &Bed, lease: &Lease) {
    let host = bed.phone(1);
    let (public, first, last) = range_of(lease);
    let echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    for port in [first, last] {
        let from = SocketAddrV4::new(lease.address, port);
        exchange(&host.ns, from, remote(5060), b"hello", SOON).unwrap();
        let seen = SocketAddrV4::new(public, port).into();
        assert_eq!(echo.seen().last(), Some(&seen));
    }
    let beyond = SocketAddrV4::new(lease.address, last + 1);
    let sent = exchange(&host.ns, beyond, remote(5060), b"no", MOMENT);
    assert!(sent.is_err());
    assert_eq!(echo.seen().len(), 2);
    let transfer = Transfer {
        client: &host.ns,
        local: SocketAddrV4::new(lease.address, first + 2),
        server: bed.internet(),
        remote: SocketAddrV4::new(REMOTE, 8080),
        listen: SocketAddrV4::new(REMOTE, 8080),
        bytes: 200_000,
    };
    let report = transfer.run(LONG).unwrap();
    assert_eq!(
        report.client_seen_as,
        SocketAddrV4::new(public, first + 2).into()
    );
}

#[test]
fn udhcpc_has_its_range_until_it_gives_it_back() {
    life(Program::Udhcpc);
}

#[test]
fn dhclient_has_its_range_until_it_gives_it_back() {
    life(Program::Dhclient);
}

#[test]
fn dhcpcd_has_its_range_until_it_gives_it_back() {
    life(Program::Dhcpcd);
}

#[test]
fn who_is_no_phone_is_not_answered() {
    let bed = bed(Site::new().unwrap(), "");
    let other = Spec::new(Program::Udhcpc).vendor_class("computer");
    let _computer: Client = other.start(&bed.phone(1).interface).unwrap();
    let mut client = phone(Program::Udhcpc)
        .start(&bed.phone(2).interface)
        .unwrap();
    client.bound(LONG).unwrap();
    let leases = bed.json(&["leases"]);
    assert_eq!(leases.as_array().unwrap().len(), 1, "{leases}");
    bed.finish();
}
