//! Path MTU discovery through the gateway, and what is too big for a link behind it.
//!
//! ```text
//!   phone ---1500--- router ---uplink--- isp ---a route's MTU--- internet
//! ```

use std::net::{Ipv4Addr, SocketAddrV4};

use gateway_tests::netns::Namespace;
use gateway_tests::site::{POOL, REMOTE, ROUTER_INSIDE, ROUTER_OUTSIDE, Site};
use gateway_tests::traffic::{Capture, Ping, Transfer, UdpEcho, bind_udp, exchange};
use gateway_tests::wait::eventually;
use nix::sys::socket::setsockopt;
use nix::{libc, setsockopt_impl, sockopt_impl};

use crate::bed::{Bed, LONG, PUBLIC, SOON, public, remote};
use crate::config::Config;

const BYTES: usize = 2 << 20;

sockopt_impl!(
    /// Whether DF is set and too large datagrams refused (ip(7)).
    IpMtuDiscover,
    SetOnly,
    libc::IPPROTO_IP,
    libc::IP_MTU_DISCOVER,
    libc::c_int
);

/// Megabytes from a phone and to a phone, DF on every segment.
fn transfers(bed: &Bed) {
    let phone = bed.phone(1);
    let out = Transfer {
        client: &phone.ns,
        local: phone.at(40_010),
        remote: remote(443),
        server: bed.internet(),
        listen: remote(443),
        bytes: BYTES,
    };
    out.run(LONG).unwrap();
    let back = Transfer {
        client: bed.internet(),
        local: remote(50_000),
        remote: public(40_011),
        server: &phone.ns,
        listen: phone.at(40_011),
        bytes: BYTES,
    };
    back.run(LONG).unwrap();
}

/// What a host has learned of the path to `to`.
fn learned(ns: &Namespace, to: Ipv4Addr) -> String {
    ns.ip(&format!("route get {to}")).unwrap()
}

/// Sends datagrams with DF until the socket refuses them: EMSGSIZE, the path MTU is known.
fn expect_refusal(ns: &Namespace, local: SocketAddrV4, to: SocketAddrV4, payload: usize) {
    let socket = bind_udp(ns, local).unwrap();
    setsockopt(&socket, IpMtuDiscover, &libc::IP_PMTUDISC_DO).unwrap();
    let data = vec![0; payload];
    let first = socket.send_to(&data, to);
    assert_eq!(first.ok(), Some(payload), "nothing is known yet");
    eventually(SOON, || match socket.send_to(&data, to) {
        Err(why) if why.raw_os_error() == Some(libc::EMSGSIZE) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .unwrap();
}

/// No datagram of this host carries DF unless it asks for it.
fn without_discovery(ns: &Namespace) {
    ns.sysctl("net.ipv4.ip_no_pmtu_disc", 1).unwrap();
}

/// A site whose provider has a narrow link behind it, both ways.
fn narrow_provider(mtu: u32) -> Bed {
    let site = Site::builder().isp(1500).build().unwrap();
    let isp = site.isp.as_ref().unwrap();
    isp.batch(&format!(
        "route add {REMOTE} dev up0 mtu lock {mtu}\n\
         route replace {POOL} via {ROUTER_OUTSIDE} dev down0 mtu lock {mtu}"
    ))
    .unwrap();
    Bed::on(site, &Config::default())
}

#[test]
fn a_narrow_link_behind_the_provider_is_discovered() {
    let bed = narrow_provider(1300);
    let phone = bed.phone(1);
    transfers(&bed);
    let route = learned(&phone.ns, REMOTE);
    assert!(
        route.contains("mtu 1300"),
        "the provider's error reached the phone: {route}"
    );
    let second = bed.phone(2);
    expect_refusal(&second.ns, second.at(40_070), remote(9), 1400);
    bed.finish();
}

#[test]
fn a_narrow_uplink_is_told_by_the_gateway() {
    let bed = Bed::with(
        &Site::builder().uplink_mtu(1400).isp(1500),
        &Config::default(),
    );
    let phone = bed.phone(1);
    let ping = Ping::new(REMOTE).dont_fragment().size(1450).count(1);
    let report = ping.timeout_seconds(1).run(&phone.ns).unwrap();
    let told = format!("From {ROUTER_INSIDE} icmp_seq=1 Frag needed and DF set (mtu = 1400)");
    assert!(report.output.contains(&told), "{}", report.output);
    transfers(&bed);
    let second = bed.phone(2);
    expect_refusal(&second.ns, second.at(40_070), remote(9), 1450);
    assert!(bed.counters().get("inside0", "xdp", "too_big") >= 2);
    bed.finish();
}

/// A gateway whose route to the phones is narrow.
fn narrow_inside() -> Bed {
    let bed = Bed::new();
    let network = "10.10.0.0/16 dev inside0 proto kernel scope link src 10.10.0.1";
    let narrow = format!("route replace {network} mtu lock 1300");
    bed.site.router.ip(&narrow).unwrap();
    bed
}

#[test]
fn a_narrow_inside_is_told_by_the_gateway() {
    let bed = narrow_inside();
    transfers(&bed);
    let route = learned(bed.internet(), PUBLIC);
    assert!(route.contains("mtu 1300"), "{route}");
    assert!(bed.counters().get("uplink0", "xdp", "too_big") >= 1);
    bed.finish();
}

#[test]
fn a_datagram_too_big_for_the_inside_is_refused() {
    let bed = narrow_inside();
    expect_refusal(bed.internet(), remote(6000), public(40_001), 1400);
    assert!(bed.counters().get("uplink0", "xdp", "too_big") >= 1);
    bed.finish();
}

#[test]
fn without_df_the_kernel_cuts_what_leaves() {
    let bed = Bed::with(
        &Site::builder().uplink_mtu(1400).isp(1500),
        &Config::default(),
    );
    let phone = bed.phone(1);
    without_discovery(&phone.ns);
    without_discovery(bed.internet());
    let mut uplink = Capture::start(&bed.site.upstream).unwrap();
    let echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    for length in [1450, 1472, 4000] {
        let data = vec![length as u8; length];
        let got = exchange(&phone.ns, phone.at(40_000), remote(5060), &data, SOON).unwrap();
        assert_eq!(got.0, data);
    }
    assert_eq!(echo.seen(), [public(40_000).into(); 3]);
    // Two pieces of each whole packet; of 4,000 bytes the first two are too long for the link.
    let counters = bed.counters();
    assert_eq!(
        counters.total("needs_fragmentation"),
        2 * (1 + 1 + 2),
        "XDP and tc"
    );
    assert_eq!(
        counters.get("uplink0", "tc_egress", "egress_translated"),
        2 * (1 + 1 + 2)
    );
    let private = |frame: &[u8]| frame[12..14] == [8, 0] && frame[26] == 10;
    let frames = uplink.until(SOON, |frames| frames.len() >= 9).unwrap();
    assert!(!frames.iter().any(|frame| private(&frame.bytes)));
    bed.finish();
}

#[test]
fn without_df_the_kernel_cuts_what_comes_in() {
    let bed = Bed::with(&Site::builder().inside_mtu(1400), &Config::default());
    let phone = bed.phone(1);
    for host in [bed.internet(), &phone.ns] {
        without_discovery(host);
    }
    let echo = UdpEcho::start(&phone.ns, phone.at(40_001)).unwrap();
    for length in [1450, 1472, 4000] {
        let data = vec![length as u8; length];
        let from = remote(6000);
        let got = exchange(bed.internet(), from, public(40_001), &data, SOON).unwrap();
        assert_eq!(got, (data, public(40_001).into()));
    }
    assert_eq!(echo.seen(), [remote(6000).into(); 3]);
    assert_eq!(
        bed.counters()
            .get("uplink0", "tc_ingress", "inbound_to_stack"),
        1 + 1 + 2
    );
    bed.finish();
}

#[test]
fn the_documented_firewall_leaves_fragments_alone() {
    let bed = Bed::with(
        &Site::builder().uplink_mtu(1400).isp(1500),
        &Config::default(),
    );
    bed.site.router.nft(FIREWALL).unwrap();
    let phone = bed.phone(1);
    without_discovery(&phone.ns);
    without_discovery(bed.internet());
    let echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    for length in [100, 1450, 4000] {
        let data = vec![length as u8; length];
        let got = exchange(&phone.ns, phone.at(40_000), remote(5060), &data, SOON).unwrap();
        assert_eq!(got.0, data);
    }
    assert_eq!(echo.seen(), [public(40_000).into(); 3]);
    transfers(&bed);
    bed.finish();
}

/// As in docs/router.md, with the site's names.
const FIREWALL: &str = r#"
table inet gateway {
    set phones { type ipv4_addr; flags interval; elements = { 10.10.0.0/16 }; }
    chain untracked {
        type filter hook prerouting priority -450; policy accept;
        meta mark 0x67770001 notrack
    }
    chain untracked_output {
        type filter hook output priority -450; policy accept;
        meta mark 0x67770001 notrack
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
        meta mark 0x67770001 accept
        ct state established,related accept
    }
    chain source_nat {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "uplink0" ip saddr @phones return
    }
}
"#;
