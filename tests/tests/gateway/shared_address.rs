//! One public address for the phones and the router itself, as most small sites have it.

use std::net::{Ipv4Addr, SocketAddrV4};

use gateway_tests::site::{REMOTE, ROUTER_OUTSIDE, Site};
use gateway_tests::traffic::{Ping, Transfer, UdpEcho, exchange};

use crate::bed::{Bed, LONG, SOON, remote};
use crate::config::Config;

const BYTES: usize = 1 << 20;

/// The router's SSH port, reached by any of its addresses.
const fn ssh(address: Ipv4Addr) -> SocketAddrV4 {
    SocketAddrV4::new(address, 22)
}

const fn shared(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(ROUTER_OUTSIDE, port)
}

/// Phone 1 has ports of the router's address; host 2 is a computer, which the kernel translates.
fn bed() -> Bed {
    let config = Config::empty()
        .unbound_to_kernel()
        .pool("addresses = [\"198.51.100.1\"]\nshared_with_router = true")
        .binding("10.10.1.1", "198.51.100.1", "40000-40063");
    let bed = Bed::with(&Site::builder(), &config);
    let rules = "table ip nat { chain post { type nat hook postrouting priority srcnat; \
                 oifname uplink0 ip saddr 10.10.0.0/16 meta l4proto { tcp, udp } masquerade to :1024-32767; oifname uplink0 ip saddr 10.10.0.0/16 masquerade; }; }";
    bed.site.router.nft(rules).unwrap();
    bed
}

#[test]
fn the_router_serves_outside_and_inside() {
    let bed = bed();
    let router = &bed.site.router;
    let from_outside = Transfer {
        client: bed.internet(),
        local: remote(50_000),
        remote: ssh(ROUTER_OUTSIDE),
        server: router,
        listen: ssh(Ipv4Addr::UNSPECIFIED),
        bytes: BYTES,
    };
    from_outside.run(LONG).unwrap();
    // From a phone, whose port is in no range, and from a computer.
    for number in [1, 2] {
        let host = bed.phone(number);
        for address in [ROUTER_OUTSIDE, bed.site.inside[0].router_address] {
            let from_inside = Transfer {
                client: &host.ns,
                local: host.at(50_000),
                remote: ssh(address),
                ..from_outside
            };
            let report = from_inside.run(LONG).unwrap();
            assert_eq!(
                report.client_seen_as,
                host.at(50_000).into(),
                "to {address}"
            );
        }
    }
    assert!(bed.counters().get("uplink0", "xdp", "router_port") > 100);
    bed.finish();
}

#[test]
fn the_router_calls_out_by_the_shared_address() {
    let bed = bed();
    let out = Transfer {
        client: &bed.site.router,
        local: SocketAddrV4::new(ROUTER_OUTSIDE, 50_123),
        remote: remote(443),
        server: bed.internet(),
        listen: remote(443),
        bytes: BYTES,
    };
    let report = out.run(LONG).unwrap();
    assert_eq!(report.client_seen_as, shared(50_123).into());
    let report = Ping::new(REMOTE)
        .identifier(7)
        .run(&bed.site.router)
        .unwrap();
    assert_eq!(report.received, 3, "{}", report.output);
    bed.finish();
}

#[test]
fn phones_and_masqueraded_computers_go_side_by_side() {
    let bed = bed();
    let echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    let (phone, computer) = (bed.phone(1), bed.phone(2));
    for _ in 0..3 {
        exchange(&phone.ns, phone.at(40_000), remote(5060), b"phone", SOON).unwrap();
        exchange(&computer.ns, computer.at(40_000), remote(5060), b"pc", SOON).unwrap();
    }
    let (mut phones, mut computers) = (0, 0);
    for seen in echo.seen() {
        assert_eq!(seen.ip(), ROUTER_OUTSIDE);
        match seen.port() {
            40_000 => phones += 1,
            1024..=32_767 => computers += 1,
            other => panic!("somebody came from port {other}"),
        }
    }
    assert_eq!((phones, computers), (3, 3));
    let download = Transfer {
        client: &computer.ns,
        local: computer.at(40_001),
        remote: remote(443),
        server: bed.internet(),
        listen: remote(443),
        bytes: BYTES,
    };
    let report = download.run(LONG).unwrap();
    assert_eq!(report.client_seen_as.ip(), ROUTER_OUTSIDE);
    assert!(bed.counters().get("inside0", "xdp", "unbound_host") > 100);
    let unasked = UdpEcho::start(&phone.ns, phone.at(40_001)).unwrap();
    let from = remote(5061);
    exchange(bed.internet(), from, shared(40_001), b"INVITE", SOON).unwrap();
    assert_eq!(unasked.seen(), [from.into()]);
    bed.finish();
}

#[test]
fn pings_reach_the_router_and_the_world() {
    let bed = bed();
    // An identifier of no range: the kernel, unlike a phone, takes any.
    let ping = |to, host| Ping::new(to).identifier(7).run(host).unwrap();
    let hosts = [&bed.phone(1).ns, &bed.phone(2).ns];
    for host in hosts {
        for to in [REMOTE, ROUTER_OUTSIDE, bed.site.inside[0].router_address] {
            let report = ping(to, host);
            assert_eq!(report.received, 3, "to {to}: {}", report.output);
        }
    }
    let report = ping(ROUTER_OUTSIDE, bed.internet());
    assert_eq!(report.received, 3, "{}", report.output);
    bed.finish();
}
