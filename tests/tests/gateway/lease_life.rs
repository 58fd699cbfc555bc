//! What becomes of leases: restarts, reloads, relay agents, operators, and addresses that
//! somebody else has.

use std::net::Ipv4Addr;

use gateway_tests::dhcp::branch::{self, Branch, RelayOptions};
use gateway_tests::dhcp::client::Program;
use gateway_tests::site::Site;
use gateway_tests::traffic::{UdpEcho, exchange};
use gateway_tests::wait::eventually;

use crate::bed::{Bed, LONG, SOON, remote};
use crate::config::Config;
use crate::leases::{LEASES, bed, binding, passes, phone, range_of};

#[test]
fn a_lease_outlives_the_daemon() {
    let mut bed = bed(Site::new().unwrap(), "");
    let mut client = phone(Program::Udhcpc)
        .start(&bed.phone(1).interface)
        .unwrap();
    let lease = client.bound(LONG).unwrap();
    bed.gateway.kill9().unwrap();
    passes(&bed, &lease);
    bed.gateway.restart(LONG).unwrap();
    assert_eq!(binding(&bed, lease.address).unwrap()["origin"], "lease");
    let renewed = client.renew(LONG).unwrap();
    assert_eq!(
        (renewed.address, range_of(&renewed)),
        (lease.address, range_of(&lease))
    );
    // A phone that lost its power, and one whose gateway did too, have the same again.
    client.restart().unwrap();
    let again = client.bound(LONG).unwrap();
    assert_eq!(
        (again.address, range_of(&again)),
        (lease.address, range_of(&lease))
    );
    bed.finish();
}

#[test]
fn operators_see_and_change_leases() {
    let bed = bed(Site::new().unwrap(), "");
    let mut client = phone(Program::Udhcpc)
        .host_name("desk")
        .start(&bed.phone(1).interface)
        .unwrap();
    let lease = client.bound(LONG).unwrap();
    let (public, first, last) = range_of(&lease);
    let address = lease.address.to_string();
    let ctl = |words: &[&str]| bed.gateway.ctl(words).unwrap();

    let shown = bed.json(&["leases", "show", &address]);
    assert_eq!(shown[0]["ports"], format!("{first}-{last}"));
    assert_eq!(
        (shown[0]["host_name"].as_str(), shown[0]["class"].as_str()),
        (Some("desk"), Some("phone"))
    );
    let mac = shown[0]["mac"].as_str().unwrap();
    assert_eq!(bed.json(&["leases", "show", mac]), shown);

    let port = format!("{public}:{}", first + 5);
    let who = bed.json(&["who", &port]);
    assert_eq!(who["binding"]["private"], address);
    assert_eq!(who["lease"]["mac"], mac);
    let granted = shown[0]["granted"].as_str().unwrap();
    let then = bed.json(&["who", &port, "--at", granted]);
    assert_eq!(
        (then["owner"].as_str(), then["lease"]["private"].as_str()),
        (Some("lease"), Some(&*address))
    );
    let before = bed.json(&["who", &port, "--at", "2001-01-01T00:00:00Z"]);
    assert_eq!(before["owner"], "free");
    let wrong = ctl(&["who", &port, "--at", "yesterday"]);
    assert!(wrong.stderr.contains("write it in UTC"), "{wrong:?}");

    let reserved = ctl(&["leases", "reserve", &address]);
    assert_eq!(reserved.code, Some(0), "{reserved:?}");
    let all = bed.json(&["leases", "reservations"]);
    assert_eq!(
        (&all[0]["address"], &all[0]["client"]),
        (&address.as_str().into(), &mac.into())
    );
    let by_client = format!("id:{}", shown[0]["client_id"].as_str().unwrap());
    let second = ctl(&["leases", "reserve", "10.10.2.9", "--client", &by_client]);
    assert!(second.stderr.contains("already"), "{second:?}");

    let released = ctl(&["leases", "release", mac]);
    assert_eq!(released.code, Some(0), "{released:?}");
    let kept = bed.json(&["who", &port]);
    assert_eq!(
        (&kept["owner"], &kept["reserved_for"]),
        (&"free".into(), &mac.into())
    );
    let gone = bed.json(&["leases", "unreserve", &by_client]);
    assert_eq!(gone["client"], mac);
    assert_eq!(binding(&bed, lease.address), None);
    let twice = ctl(&["leases", "release", &address]);
    assert!(twice.stderr.contains("has no lease"), "{twice:?}");
    let metric = ctl(&["status"]);
    assert!(
        metric.stdout.contains("0 leases, DHCP served on inside0"),
        "{metric:?}"
    );
    bed.finish();
}

#[test]
fn a_binding_of_the_file_takes_the_place_of_a_lease() {
    let bed = bed(Site::new().unwrap(), "");
    let mut client = phone(Program::Udhcpc)
        .start(&bed.phone(1).interface)
        .unwrap();
    let lease = client.bound(LONG).unwrap();
    let (public, first, last) = range_of(&lease);
    let config = Config::empty()
        .pool("name = \"main\"\naddresses = [\"192.0.2.1-192.0.2.2\"]")
        .binding("10.10.3.1", &public.to_string(), &format!("{first}-{last}"))
        .text(LEASES);
    bed.reload(&config);
    eventually(SOON, || match binding(&bed, lease.address) {
        None => Ok(()),
        Some(still) => Err(format!("{still}")),
    })
    .unwrap();
    let taken = binding(&bed, Ipv4Addr::new(10, 10, 3, 1)).unwrap();
    assert_eq!(
        (taken["origin"].as_str(), taken["interface"].as_str()),
        (Some("file"), Some("inside0"))
    );
    client.restart().unwrap();
    let again = client.bound(LONG).unwrap();
    assert_ne!(range_of(&again), range_of(&lease));
    passes(&bed, &again);
    bed.finish();
}

#[test]
fn an_address_that_somebody_has_is_not_offered() {
    let bed = bed(Site::new().unwrap(), "");
    let squatter = &bed.phone(2).ns;
    squatter.ip("address add 10.10.2.0/16 dev eth0").unwrap();
    let mut client = phone(Program::Udhcpc)
        .start(&bed.phone(1).interface)
        .unwrap();
    let lease = client.bound(LONG).unwrap();
    assert_eq!(lease.address, Ipv4Addr::new(10, 10, 2, 1));
    let status = bed.json(&["status"]);
    assert_eq!(status["leases"]["scopes"][0]["declined"], 1, "{status}");
    bed.finish();
}

#[test]
fn phones_behind_a_relay_agent_have_theirs_too() {
    let site = Site::new().unwrap();
    let branch = Branch::new(&site.router, 1).unwrap();
    let text = format!(
        "[[inside]]\ninterface = \"{}\"\nnetworks = [\"{}\", \"{}\"]\n\
         [[scope]]\nnetwork = \"{}\"\naddresses = [\"10.31.2.0-10.31.2.99\"]\nrouters = [\"{}\"]\n",
        branch::ROUTER_INTERFACE,
        branch::TRANSIT,
        branch::NETWORK,
        branch::NETWORK,
        branch::GIADDR
    );
    let bed: Bed = bed(site, &text);
    let options = RelayOptions {
        agent_information: true,
        ..RelayOptions::default()
    };
    let _relay = branch.relay(branch::ROUTER, options, LONG).unwrap();
    let interface = &branch.phones[0];
    let mut client = phone(Program::Dhclient).start(interface).unwrap();
    let lease = client.bound(LONG).unwrap();
    assert_eq!(lease.address.octets()[..3], [10, 31, 2]);
    let shown = bed.json(&["leases", "show", &lease.address.to_string()]);
    assert_eq!(shown[0]["relay"], branch::GIADDR.to_string());
    let (public, first, _) = range_of(&lease);
    let echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    let from = std::net::SocketAddrV4::new(lease.address, first);
    exchange(&interface.ns, from, remote(5060), b"hello", SOON).unwrap();
    assert_eq!(
        echo.seen(),
        [std::net::SocketAddrV4::new(public, first).into()]
    );
    client.release(LONG).unwrap();
    eventually(SOON, || match binding(&bed, lease.address) {
        None => Ok(()),
        Some(still) => Err(format!("{still}")),
    })
    .unwrap();
    bed.finish();
}
