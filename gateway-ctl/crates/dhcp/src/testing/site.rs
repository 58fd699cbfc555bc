//! A site: phones on two wires, one of which has two subnets, and more behind relays.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;

use gateway_common::{PortRange, Prefix};
use ports::{Grant, Rules};

use crate::client::Pattern;
use crate::mac::MacAddr;
use crate::settings::{Class, Interface, LeaseTime, Scope, Settings};

/// Our address on the first wire.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(10, 10, 0, 1);
/// Our address on the second wire.
pub const OTHER_SERVER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 1);
/// A relay, in the network that is only relayed.
pub const RELAY: Ipv4Addr = Ipv4Addr::new(10, 30, 0, 2);
/// Indices of scopes.
pub const PHONES: usize = 0;
/// The second subnet of the first wire.
pub const MORE_PHONES: usize = 1;
/// The second wire; BOOTP is served.
pub const OFFICE: usize = 2;
/// Behind [`RELAY`]; option 159 is sent.
pub const REMOTE: usize = 3;
/// What desk phones say they are.
pub const DESK: &[u8] = b"MyPhone";
/// Seconds of a lease.
pub const LEASE: u32 = 3600;
/// Seconds that a range rests.
pub const REST: u64 = 120;

/// A locally administered hardware address.
#[must_use]
pub fn mac(number: u32) -> MacAddr {
    let [a, b, c, d] = number.to_be_bytes();
    MacAddr([2, 0, a, b, c, d])
}

/// A range of a public address.
#[must_use]
pub fn grant(last: u8, first: u16, ports: u16) -> Grant {
    let range = PortRange::new(first, first + (ports - 1));
    Grant {
        address: Ipv4Addr::new(192, 0, 2, last),
        ports: range.expect("an aligned range"),
    }
}

/// Addresses of a /24 that begins with these bytes.
#[must_use]
pub fn hosts(network: [u8; 3], hosts: RangeInclusive<u8>) -> RangeInclusive<Ipv4Addr> {
    let [a, b, c] = network;
    Ipv4Addr::new(a, b, c, *hosts.start())..=Ipv4Addr::new(a, b, c, *hosts.end())
}

fn scope(name: &str, interface: Option<usize>, network: [u8; 3], last: u8) -> Scope {
    let [a, b, c] = network;
    let router = [a, b, c, 1].to_vec();
    Scope {
        name: name.to_owned(),
        interface,
        wire: None,
        network: Prefix::new(Ipv4Addr::new(a, b, c, 0), 24).expect("a network"),
        addresses: vec![hosts(network, 10..=last)],
        lease_time: LeaseTime::Finite(LEASE),
        bootp: false,
        option_159: false,
        next_server: None,
        boot_file: None,
        options: vec![(3, router), (6, vec![10, 10, 0, 53])],
    }
}

fn class(name: &str, ports: Option<u16>) -> Class {
    Class {
        name: name.to_owned(),
        macs: Vec::new(),
        vendor_classes: Vec::new(),
        client_ids: Vec::new(),
        ports,
        pools: vec![0],
        primary_switch: None,
        backup_switch: None,
        enterprise: None,
        vendor_options: false,
        options: Vec::new(),
        lease_time: None,
        boot_file: None,
    }
}

/// The site.
///
/// Classes: `desk` (vendor class `MyPhone`, 64 ports), `wide` (vendor class `Wide*`, 256 ports),
/// `plain` (client identifier `plain-*`, no ports).
#[must_use]
pub fn settings() -> Settings {
    let switch = |last| Some(SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, last), 5060));
    let interface = |name: &str, address| Interface {
        name: name.to_owned(),
        address,
    };
    Settings {
        interfaces: vec![interface("lan0", SERVER), interface("lan1", OTHER_SERVER)],
        scopes: vec![
            Scope {
                wire: Some("voice".to_owned()),
                ..scope("phones", Some(0), [10, 10, 0], 19)
            },
            Scope {
                wire: Some("voice".to_owned()),
                ..scope("more-phones", None, [10, 11, 0], 19)
            },
            Scope {
                bootp: true,
                ..scope("office", Some(1), [10, 20, 0], 19)
            },
            Scope {
                option_159: true,
                ..scope("remote", None, [10, 30, 0], 29)
            },
        ],
        allow_macs: Vec::new(),
        classes: vec![
            Class {
                vendor_classes: vec![Pattern::new("MyPhone")],
                primary_switch: switch(10),
                backup_switch: switch(11),
                enterprise: Some(32473),
                vendor_options: true,
                ..class("desk", Some(64))
            },
            Class {
                vendor_classes: vec![Pattern::new("Wide*")],
                ..class("wide", Some(256))
            },
            Class {
                client_ids: vec![Pattern::new("plain-*")],
                ..class("plain", None)
            },
        ],
        reservations: Vec::new(),
        pools: vec![Rules {
            name: "voice".to_owned(),
            addresses: vec![Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)],
            kept_out: Vec::new(),
            rest: REST,
        }],
        occupied: Vec::new(),
        probe: None,
        offer_hold: 60,
        decline_rest: 600,
        remember: 86_400,
        smallest_range: 8,
        early_renewal: true,
    }
}
