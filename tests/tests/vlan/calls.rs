//! Traffic between tags, and where it may not go.

use std::net::UdpSocket;

use gateway_tests::site::Phone;
use gateway_tests::traffic::{Transfer, UdpEcho, exchange};
use gateway_tests::wait::eventually;

use crate::lab::{Config, LONG, Lab, QINQ_PORT, VLAN_PORT, has_vlan_devices, public, remote};

/// Enough for full-sized packets to come in bursts.
const TRANSFER_BYTES: usize = 256 * 1024;

/// Each phone with its interface of the router and its first port.
fn phones(lab: &Lab) -> [(&Phone, &'static str, u16); 2] {
    [
        (&lab.phone, "eth1.10", VLAN_PORT),
        (&lab.qinq_phone, "eth1.100.20", QINQ_PORT),
    ]
}

/// A question and its answer, each by one packet; the remote sees the phone's own port.
fn phone_asks(lab: &Lab, phone: &Phone, port: u16) {
    let echo = UdpEcho::start(&lab.internet, remote(5060)).unwrap();
    let (answer, from) = exchange(&phone.ns, phone.at(port), remote(5060), b"out", LONG).unwrap();
    assert_eq!((&answer[..], from), (&b"out"[..], remote(5060).into()));
    assert_eq!(echo.seen(), [public(port).into()]);
}

/// The same from the internet, unasked.
fn phone_is_asked(lab: &Lab, phone: &Phone, port: u16) {
    let echo = UdpEcho::start(&phone.ns, phone.at(port)).unwrap();
    let (answer, from) = exchange(&lab.internet, remote(5061), public(port), b"in", LONG).unwrap();
    assert_eq!((&answer[..], from), (&b"in"[..], public(port).into()));
    assert_eq!(echo.seen(), [remote(5061).into()]);
}

/// The phone that calls sees the public address of the other, which sees its own.
fn phone_asks_phone(lab: &Lab, caller: (&Phone, u16), called: (&Phone, u16)) {
    let ((caller, port), (called, its_port)) = (caller, called);
    lab.forget_neighbours();
    let echo = UdpEcho::start(&called.ns, called.at(its_port)).unwrap();
    for round in 1..=2 {
        let (to, payload) = (public(its_port), [round; 20]);
        let (answer, from) = exchange(&caller.ns, caller.at(port), to, &payload, LONG).unwrap();
        assert_eq!((&answer[..], from), (&payload[..], to.into()));
        assert_eq!(echo.seen(), vec![public(port).into(); round.into()]);
    }
}

/// TCP each way, every byte compared.
fn transfers(lab: &Lab, phone: &Phone, port: u16) {
    let out = Transfer {
        client: &phone.ns,
        local: phone.at(port),
        remote: remote(8080),
        server: &lab.internet,
        listen: remote(8080),
        bytes: TRANSFER_BYTES,
    };
    assert_eq!(out.run(LONG).unwrap().client_seen_as, public(port).into());
    let back = Transfer {
        client: &lab.internet,
        local: remote(8081),
        remote: public(port + 1),
        server: &phone.ns,
        listen: phone.at(port + 1),
        bytes: TRANSFER_BYTES,
    };
    assert_eq!(back.run(LONG).unwrap().client_seen_as, remote(8081).into());
}

/// The first packet each way to neighbours that nobody knows arrives, by tc; the next goes the
/// fast way, by XDP.
fn all_ways_are_open(lab: &Lab, uplink: &str) {
    for (phone, interface, port) in phones(lab) {
        lab.forget_neighbours();
        phone_asks(lab, phone, port);
        assert_eq!(
            lab.count(interface, "xdp", "neighbour_unknown"),
            1,
            "{interface}"
        );
        assert_eq!(
            lab.count(interface, "tc_ingress", "outbound"),
            1,
            "{interface}"
        );
        phone_asks(lab, phone, port);
        assert_eq!(lab.count(interface, "xdp", "outbound"), 1, "{interface}");

        lab.forget_neighbours();
        let inbound = |hook| lab.count(uplink, hook, "inbound");
        let before = ["tc_ingress", "xdp"].map(inbound);
        phone_is_asked(lab, phone, port + 1);
        assert_eq!(inbound("tc_ingress"), before[0] + 1, "{interface}");
        phone_is_asked(lab, phone, port + 1);
        assert_eq!(inbound("xdp"), before[1] + 1, "{interface}");

        transfers(lab, phone, port + 2);
    }
    let by_vlan = (&lab.phone, VLAN_PORT + 4);
    let by_qinq = (&lab.qinq_phone, QINQ_PORT + 4);
    phone_asks_phone(lab, by_vlan, by_qinq);
    phone_asks_phone(lab, by_qinq, by_vlan);
    for (_, interface, _) in phones(lab) {
        assert!(lab.count(interface, "xdp", "hairpin") > 0, "{interface}");
    }
}

/// A phone's address is good for its own VLAN.
fn no_phone_speaks_for_another_vlan(lab: &Lab) {
    let echo = UdpEcho::start(&lab.internet, remote(5062)).unwrap();
    let [(phone, interface, port), (other, ..)] = phones(lab);
    let strange = &other.interface;
    let borrowed = format!("{}/32", phone.address);
    strange.address(&borrowed).unwrap();
    let socket = other.ns.enter(|| UdpSocket::bind(phone.at(port)).unwrap());
    socket.send_to(b"borrowed", remote(5062)).unwrap();
    eventually(LONG, || {
        match lab.count("eth1.100.20", "xdp", "wrong_interface") {
            1 => Ok(()),
            other => Err(format!("{other} packets dropped as wrong_interface")),
        }
    })
    .unwrap();
    assert_eq!(lab.count(interface, "xdp", "wrong_interface"), 0);
    assert_eq!(echo.seen(), []);
    strange
        .ns
        .ip(&format!("address del {borrowed} dev {}", strange.name))
        .unwrap();
}

fn interfaces(uplink: &str, vlans: &str, xdp: &str) -> [[String; 5]; 3] {
    [
        ["eth1.10", "inside", "eth1", "[10]", xdp],
        ["eth1.100.20", "inside", "eth1", "[100,20]", xdp],
        [uplink, "outside", "eth0", vlans, xdp],
    ]
    .map(|fields| fields.map(str::to_owned))
}

#[test]
fn phones_behind_tags_call_by_an_uplink_without() {
    if !has_vlan_devices() {
        return;
    }
    let lab = Lab::new(&Config {
        uplink: "eth0",
        xdp: "auto",
        qinq: true,
    });
    assert_eq!(lab.interfaces(), interfaces("eth0", "[]", "native"));
    all_ways_are_open(&lab, "eth0");
    no_phone_speaks_for_another_vlan(&lab);
}

#[test]
fn phones_behind_tags_call_by_an_uplink_with_one() {
    if !has_vlan_devices() {
        return;
    }
    let mut config = Config {
        uplink: "eth0.200",
        xdp: "auto",
        qinq: true,
    };
    let lab = Lab::new(&config);
    assert_eq!(lab.interfaces(), interfaces("eth0.200", "[200]", "native"));
    all_ways_are_open(&lab, "eth0.200");

    // The same in the kernel's own XDP, where tc sends everything.
    config.xdp = "generic";
    lab.reload(&config);
    assert_eq!(lab.interfaces(), interfaces("eth0.200", "[200]", "generic"));
    lab.forget_neighbours();
    for (phone, interface, port) in phones(&lab) {
        let before = lab.count(interface, "tc_ingress", "outbound");
        phone_asks(&lab, phone, port);
        phone_is_asked(&lab, phone, port + 1);
        assert_eq!(lab.count(interface, "tc_ingress", "outbound"), before + 2);
    }
    phone_asks_phone(
        &lab,
        (&lab.phone, VLAN_PORT + 4),
        (&lab.qinq_phone, QINQ_PORT + 4),
    );
}
