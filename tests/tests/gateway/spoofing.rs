//! What may not pass does not: nothing arrives, the reason is counted, and no private source is
//! ever seen at the uplink.

use gateway_tests::link::{Interface, mac_of};
use gateway_tests::packet::{Packet, udp};
use gateway_tests::site::{ISP, REMOTE, ROUTER_INSIDE, ROUTER_INSIDE_2, ROUTER_OUTSIDE, Site};
use gateway_tests::traffic::{Capture, Injector, UdpEcho, exchange};

use crate::bed::{Bed, PUBLIC, SOON, remote};
use crate::config::Config;

/// In every packet that must not arrive.
const MARK: &[u8] = b"spoofed";

/// Whether a frame is one that must not have arrived, or has a private source.
fn is_wrong(frame: &[u8]) -> bool {
    let ipv4 = frame[12..14] == [8, 0];
    frame.ends_with(MARK) || (ipv4 && frame[26] == 10)
}

fn inject(at: &Interface, packet: &Packet, router: [u8; 6]) {
    let packet = packet.clone().payload(MARK).macs(at.mac, router);
    Injector::new(at).unwrap().send(&packet.bytes()).unwrap();
}

#[test]
fn from_inside() {
    let config = Config::default()
        .without("10.10.1.2")
        .second_inside()
        .binding("10.20.1.1", "192.0.2.1", "40128-40191");
    let bed = Bed::with(&Site::builder().second_inside(1), &config);
    let mut uplink = Capture::start(&bed.site.upstream).unwrap();
    let echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    let (first, unbound, far) = (bed.phone(1), bed.phone(2), bed.far_phone());
    let rows = [
        // By whom, from what address and port, and what is counted where.
        (far, first.address, 40_000, "inside1", "wrong_interface"),
        (far, PUBLIC, 40_128, "inside1", "unbound_source"),
        (
            first,
            first.address,
            40_064,
            "inside0",
            "source_port_out_of_range",
        ),
        (
            first,
            first.address,
            39_999,
            "inside0",
            "source_port_out_of_range",
        ),
        (first, unbound.address, 40_000, "inside0", "unbound_source"),
        (
            unbound,
            unbound.address,
            40_000,
            "inside0",
            "unbound_source",
        ),
    ];
    for (by, source, port, interface, reason) in rows {
        let before = bed.counters().get(interface, "xdp", reason);
        let router = match interface {
            "inside1" => ROUTER_INSIDE_2,
            _ => ROUTER_INSIDE,
        };
        inject(
            &by.interface,
            &udp(source, port, REMOTE, 5060),
            mac_of(router),
        );
        bed.expect_count(interface, "xdp", reason, before + 1);
    }
    // The first that may pass is the first that arrives.
    exchange(&first.ns, first.at(40_000), remote(5060), b"mine", SOON).unwrap();
    assert_eq!(echo.seen().len(), 1);
    let last = |frame: &[u8]| frame.ends_with(b"mine");
    uplink.find(SOON, last).unwrap();
    let frames = uplink.until(SOON, |_| true).unwrap();
    assert!(
        !frames.iter().any(|frame| is_wrong(&frame.bytes)),
        "{frames:?}"
    );
    bed.finish();
}

#[test]
fn from_outside() {
    let bed = Bed::new();
    let (first, second) = (bed.phone(1), bed.phone(2));
    let mut captures = [first, second].map(|phone| Capture::start(&phone.interface).unwrap());
    let _echo = UdpEcho::start(&first.ns, first.at(40_000)).unwrap();
    let rows = [
        // Inside and public sources, private destinations, ports of nobody.
        (
            udp(second.address, 40_064, PUBLIC, 40_000),
            "spoofed_source",
        ),
        (udp([10, 10, 9, 9], 5060, PUBLIC, 40_000), "spoofed_source"),
        (udp(PUBLIC, 40_064, PUBLIC, 40_000), "spoofed_source"),
        (udp([127, 0, 0, 1], 5060, PUBLIC, 40_000), "spoofed_source"),
        (
            udp(REMOTE, 5060, first.address, 40_000),
            "inside_destination",
        ),
        (udp(REMOTE, 5060, PUBLIC, 39_999), "no_binding"),
        (udp(REMOTE, 5060, PUBLIC, 40_128), "no_binding"),
    ];
    for (packet, reason) in rows {
        let before = bed.counters().get("uplink0", "xdp", reason);
        let mut upstream = bed.site.upstream.clone();
        upstream.mac = mac_of(ISP);
        inject(&upstream, &packet, mac_of(ROUTER_OUTSIDE));
        bed.expect_count("uplink0", "xdp", reason, before + 1);
    }
    let to = crate::bed::public(40_000);
    exchange(bed.internet(), remote(5060), to, b"mine", SOON).unwrap();
    captures[0]
        .find(SOON, |frame| frame.ends_with(b"mine"))
        .unwrap();
    for capture in &mut captures {
        let frames = capture.until(SOON, |_| true).unwrap();
        assert!(
            !frames.iter().any(|frame| frame.bytes.ends_with(MARK)),
            "{frames:?}"
        );
    }
    bed.finish();
}

#[test]
fn hosts_left_to_the_kernel_do_not_leak() {
    let config = Config::default().without("10.10.1.2").unbound_to_kernel();
    let bed = Bed::with(&Site::builder(), &config);
    let mut uplink = Capture::start(&bed.site.upstream).unwrap();
    let _echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    let (phone, computer) = (bed.phone(1), bed.phone(2));
    // Nobody masquerades: the kernel routes it out as it is, and the door is shut.
    inject(
        &computer.interface,
        &udp(computer.address, 999, REMOTE, 5060),
        mac_of(ROUTER_INSIDE),
    );
    bed.expect_count("inside0", "xdp", "unbound_host", 1);
    bed.expect_count("uplink0", "tc_egress", "private_source_leak", 1);
    exchange(&phone.ns, phone.at(40_000), remote(5060), b"mine", SOON).unwrap();
    uplink.find(SOON, |frame| frame.ends_with(b"mine")).unwrap();
    let frames = uplink.until(SOON, |_| true).unwrap();
    assert!(
        !frames.iter().any(|frame| is_wrong(&frame.bytes)),
        "{frames:?}"
    );
    bed.finish();
}

#[test]
fn a_dead_daemon_keeps_the_door_shut() {
    let mut bed = Bed::new();
    let phone = bed.phone(1);
    let echo = UdpEcho::start(bed.internet(), remote(5060)).unwrap();
    let interface = phone.interface.clone();
    let (ns, from, source) = (phone.ns.clone(), phone.at(40_000), phone.address);
    bed.gateway.kill9().unwrap();
    inject(
        &interface,
        &udp(source, 39_999, REMOTE, 5060),
        mac_of(ROUTER_INSIDE),
    );
    exchange(&ns, from, remote(5060), b"mine", SOON).unwrap();
    assert_eq!(echo.seen().len(), 1);
    bed.gateway.restart(SOON).unwrap();
    bed.expect_count("inside0", "xdp", "source_port_out_of_range", 1);
    bed.finish();
}
