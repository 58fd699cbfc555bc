//! Sites, links and traffic without the gateway: what a test of the gateway takes for granted.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use gateway_tests::link::{VethOptions, mac_of, veth};
use gateway_tests::netns::Namespace;
use gateway_tests::packet::{Packet, assert_frame, check, reassemble, udp};
use gateway_tests::site::{INSIDE, REMOTE, REMOTE_2, ROUTER_OUTSIDE, Site, SiteBuilder};
use gateway_tests::traffic::{
    Capture, Injector, Ping, Stream, StreamSpec, Transfer, UdpEcho, exchange,
};

const SOON: Duration = Duration::from_secs(10);
/// A transfer's time on a machine whose cores are busy with other tests.
const LONG: Duration = Duration::from_secs(60);
const MEGABYTES: usize = 8 << 20;

/// A site whose provider knows the way to the phones: plain forwarding, nothing translated.
fn routed(builder: SiteBuilder) -> Site {
    let site = builder.build().unwrap();
    site.upstream
        .ns
        .ip(&format!("route add {INSIDE} via {ROUTER_OUTSIDE}"))
        .unwrap();
    site
}

fn remote(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(REMOTE, port)
}

#[test]
fn ping_crosses_the_site() {
    let site = routed(Site::builder().second_inside(1));
    let report = Ping::new(REMOTE).run(&site.phone(1).ns).unwrap();
    assert_eq!((report.sent, report.received), (3, 3), "{}", report.output);
    let report = Ping::new(site.phone(2).address)
        .run(&site.phone(1).ns)
        .unwrap();
    assert_eq!(report.received, 3, "by the switch: {}", report.output);
    let report = Ping::new(site.inside[1].phones[0].address)
        .run(&site.phone(1).ns)
        .unwrap();
    assert_eq!(
        report.received, 3,
        "between the inside networks: {}",
        report.output
    );
}

#[test]
fn private_addresses_get_no_answer_from_the_internet() {
    let site = Site::new().unwrap();
    let ping = Ping::new(REMOTE).count(1).timeout_seconds(1);
    let report = ping.run(&site.phone(1).ns).unwrap();
    assert_eq!(report.received, 0, "{}", report.output);
}

#[test]
fn tcp_arrives_unchanged() {
    let site = routed(Site::builder());
    let transfer = Transfer {
        client: &site.phone(1).ns,
        local: site.phone(1).at(40_000),
        remote: remote(443),
        server: &site.internet,
        listen: remote(443),
        bytes: MEGABYTES,
    };
    let report = transfer.run(LONG).unwrap();
    assert_eq!(report.client_seen_as, transfer.local.into());
}

#[test]
fn a_translated_transfer_shows_the_public_address() {
    let site = Site::new().unwrap();
    site.router
        .nft(
            "table ip nat { chain post { type nat hook postrouting priority srcnat; \
             oifname uplink0 masquerade; }; }",
        )
        .unwrap();
    let echo = UdpEcho::start(&site.internet, remote(5060)).unwrap();
    let phone = site.phone(1);
    let (answer, from) = exchange(&phone.ns, phone.at(40_000), remote(5060), b"hi", SOON).unwrap();
    assert_eq!(
        (answer.as_slice(), from),
        (b"hi".as_slice(), remote(5060).into())
    );
    assert_eq!(
        echo.seen(),
        [SocketAddrV4::new(ROUTER_OUTSIDE, 40_000).into()]
    );
}

#[test]
fn a_stream_loses_nothing() {
    let site = routed(Site::builder());
    let spec = StreamSpec {
        sender: &site.phone(1).ns,
        local: site.phone(1).at(40_000),
        remote: remote(30_000),
        receiver: &site.internet,
        listen: remote(30_000),
        rate: 1000,
        payload: 172,
    };
    let stream = Stream::start(&spec).unwrap();
    stream.wait_sent(500, LONG).unwrap();
    let report = stream.stop(SOON).unwrap();
    assert!(report.sent >= 500, "{report:?}");
    assert_eq!(
        (report.lost, report.reordered, report.duplicates),
        (0, 0, 0),
        "{report:?}"
    );
    assert_eq!(report.sources, [spec.local.into()].into());
}

#[test]
fn a_stream_counts_what_is_dropped() {
    let site = routed(Site::builder());
    // Every datagram whose number ends in the bits 11: a quarter.
    site.router
        .nft(
            "table ip f { chain c { type filter hook forward priority 0; \
             udp dport 30000 @th,120,8 & 3 == 3 drop; }; }",
        )
        .unwrap();
    let spec = StreamSpec {
        sender: &site.phone(1).ns,
        local: site.phone(1).at(40_000),
        remote: remote(30_000),
        receiver: &site.internet,
        listen: remote(30_000),
        rate: 1000,
        payload: 8,
    };
    let stream = Stream::start(&spec).unwrap();
    stream.wait_sent(100, LONG).unwrap();
    let report = stream.stop(Duration::from_secs(1)).unwrap();
    assert_eq!(report.lost, report.sent / 4, "{report:?}");
    assert_eq!(report.first_lost, Some(3));
}

#[test]
fn traceroute_and_path_mtu_show_the_second_router() {
    let site = Site::builder().isp(1400).build().unwrap();
    let isp = site.isp.as_ref().unwrap();
    isp.ip(&format!("route add {INSIDE} via {ROUTER_OUTSIDE}"))
        .unwrap();
    let phone = &site.phone(1).ns;
    let hops = phone
        .run(&["traceroute", "-n", "-q", "1", &REMOTE.to_string()])
        .unwrap();
    for hop in ["10.10.0.1", "198.51.100.254", "203.0.113.10"] {
        assert!(
            hops.lines().skip(1).any(|line| line.contains(hop)),
            "{hops}"
        );
    }
    let ping = Ping::new(REMOTE).dont_fragment();
    let report = ping.clone().size(1372).run(phone).unwrap();
    assert_eq!(report.received, 3, "1,400 bytes fit: {}", report.output);
    let report = ping.size(1373).timeout_seconds(1).run(phone).unwrap();
    assert_eq!(report.received, 0, "{}", report.output);
    assert!(
        report.output.contains("mtu = 1400") || report.output.contains("mtu=1400"),
        "{report:?}"
    );
}

#[test]
fn a_tun_uplink_carries_packets_without_ethernet_header() {
    let site = Site::builder().tun_uplink().build().unwrap();
    site.upstream
        .ns
        .ip(&format!("route add {INSIDE} dev {}", site.upstream.name))
        .unwrap();
    let mut capture = Capture::start(&site.upstream).unwrap();
    let echo = UdpEcho::start(&site.internet, SocketAddrV4::new(REMOTE_2, 5060)).unwrap();
    let phone = site.phone(1);
    let to = SocketAddrV4::new(REMOTE_2, 5060);
    exchange(&phone.ns, phone.at(40_000), to, b"by tun", SOON).unwrap();
    assert_eq!(echo.seen(), [phone.at(40_000).into()]);
    let wanted = |bytes: &[u8]| bytes.ends_with(b"by tun");
    let got = capture.find(SOON, wanted).unwrap();
    let packet = gateway_tests::packet::check_ip(&got).unwrap();
    assert_eq!((packet.ip.source, packet.ip.ttl), (phone.address, 63));
}

/// Two hosts on one wire.
fn wire(
    mtu: u32,
) -> (
    gateway_tests::link::Interface,
    gateway_tests::link::Interface,
) {
    let (left, right) = (
        Namespace::new("left").unwrap(),
        Namespace::new("right").unwrap(),
    );
    let (a, b) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    let options = VethOptions { queues: 2, mtu };
    let ends = veth(
        (&left, "eth0", mac_of(a)),
        (&right, "eth0", mac_of(b)),
        options,
    )
    .unwrap();
    ends.0.address(&format!("{a}/24")).unwrap();
    ends.1.address(&format!("{b}/24")).unwrap();
    ends
}

#[test]
fn an_injected_frame_is_captured_as_it_was() {
    let (left, right) = wire(1500);
    let row = |packet: Packet| packet.macs(left.mac, right.mac);
    let packet = row(udp([10, 0, 0, 1], 5000, [10, 0, 0, 2], 9).payload(b"hello"));
    let injector = Injector::new(&left).unwrap();
    for packet in [
        packet.clone(),
        packet.clone().pad_to(60),
        packet.clone().vlan(100),
        packet.clone().tag(0x8100, 0xE064),
        packet.clone().qinq(100, 200),
    ] {
        let mut capture = Capture::start(&right).unwrap();
        injector.send(&packet.bytes()).unwrap();
        let got = capture.find(SOON, |bytes| check(bytes).is_ok()).unwrap();
        assert_frame(&got, &packet);
    }
}

#[test]
fn packets_of_a_real_sender_have_complete_checksums() {
    let (left, right) = wire(600);
    let mut capture = Capture::start(&right).unwrap();
    let (from, to) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    let echo = UdpEcho::start(&right.ns, SocketAddrV4::new(to, 7)).unwrap();
    let payload = vec![0xA5; 1500];
    let (local, remote) = (SocketAddrV4::new(from, 7000), SocketAddrV4::new(to, 7));
    exchange(&left.ns, local, remote, &payload, SOON).unwrap();
    assert_eq!(echo.seen().len(), 1);
    // Three fragments each way.
    let ip = |frame: &&gateway_tests::traffic::Frame| check(&frame.bytes).is_ok();
    let frames = capture
        .until(SOON, |frames| frames.iter().filter(ip).count() == 6)
        .unwrap();
    for outgoing in [false, true] {
        let one_way = frames
            .iter()
            .filter(ip)
            .filter(|frame| frame.outgoing == outgoing);
        let bytes: Vec<_> = one_way.map(|frame| frame.bytes.clone()).collect();
        assert_eq!(bytes.len(), 3);
        let whole = reassemble(&bytes).unwrap();
        let Packet { ip, .. } = &whole;
        assert_eq!(ip.source, if outgoing { to } else { from });
    }
}

#[test]
fn labs_stand_side_by_side() {
    // The same names and addresses, at the same time.
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let site = routed(Site::builder().phones(1));
                let report = Ping::new(REMOTE).count(5).run(&site.phone(1).ns).unwrap();
                assert_eq!(report.received, 5, "{}", report.output);
            });
        }
    });
}
