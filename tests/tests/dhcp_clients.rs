//! The labs' DHCP clients and relay agent work, shown with another's server (dnsmasq): what fails
//! with the gateway then is the gateway's fault.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::Ipv4Addr;
use std::time::Duration;

use gateway_tests::dhcp::branch::{self, Branch, RelayOptions};
use gateway_tests::dhcp::client::{Lease, Program, Spec};
use gateway_tests::dhcp::dnsmasq::{Dnsmasq, Range};
use gateway_tests::dhcp::message::{Message, code, kind};
use gateway_tests::dhcp::raw::{CLIENT_PORT, RawClient};
use gateway_tests::link::{Interface, VethOptions, mac_of, veth};
use gateway_tests::netns::Namespace;
use gateway_tests::traffic::Capture;
use gateway_tests::wait::eventually;

const SOON: Duration = Duration::from_secs(30);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 1);
const MASK: Ipv4Addr = Ipv4Addr::new(255, 255, 0, 0);
const LEASE_TIME: u32 = 3600;

/// Options as a gateway would send them; 43 and 159 only to those that ask.
const OPTIONS: &str = "\
    dhcp-option=43,01:04:c6:33:64:c8\n\
    dhcp-option=125,00:00:7e:d9:03:01:01:2a\n\
    dhcp-option=66,tftp.example\n\
    dhcp-option=67,phone.cfg\n\
    dhcp-option=150,10.20.0.1,10.20.0.2\n\
    dhcp-option=159,9f:04:00:0a:40:00\n\
    dhcp-vendorclass=set:phone,MyPhone\n\
    dhcp-ignore=tag:!phone\n";

/// A phone and a server at two ends of a cable.
struct Cable {
    phone: Interface,
    server: Interface,
    dnsmasq: Dnsmasq,
}

fn range(network: u8) -> Range {
    Range {
        first: Ipv4Addr::new(10, network, 1, 0),
        last: Ipv4Addr::new(10, network, 1, 250),
        mask: MASK,
        lease_time: LEASE_TIME,
    }
}

impl Cable {
    fn new() -> Self {
        let (server, phone) = (
            Namespace::new("server").unwrap(),
            Namespace::new("phone").unwrap(),
        );
        let (server, phone) = veth(
            (&server, "inside0", mac_of(SERVER)),
            (&phone, "eth0", [2, 0, 0, 0, 0, 7]),
            VethOptions::default(),
        )
        .unwrap();
        server.address(&format!("{SERVER}/16")).unwrap();
        let dnsmasq = Dnsmasq::start(&server.ns, &[range(20)], OPTIONS, SOON).unwrap();
        Self {
            phone,
            server,
            dnsmasq,
        }
    }

    /// Waits until the server knows so many leases.
    fn expect_leases(&self, count: usize) {
        eventually(SOON, || {
            let text = std::fs::read_to_string(self.dnsmasq.leases()).unwrap_or_default();
            match text.lines().count() {
                found if found == count => Ok(()),
                _ => Err(format!("{count} leases expected:\n{text}")),
            }
        })
        .unwrap();
    }

    fn address(&self) -> String {
        self.phone.ns.ip("-4 -o address show dev eth0").unwrap()
    }
}

fn spec(program: Program) -> Spec {
    Spec::new(program).vendor_class("MyPhone 1.0")
}

fn expect_options(lease: &Lease) {
    let expected: [(u8, &[u8]); 5] = [
        (43, &[1, 4, 0xC6, 0x33, 0x64, 0xC8]),
        (66, b"tftp.example"),
        (67, b"phone.cfg"),
        (125, &[0, 0, 0x7E, 0xD9, 3, 1, 1, 0x2A]),
        (150, &[10, 20, 0, 1, 10, 20, 0, 2]),
    ];
    for (code, bytes) in expected {
        assert_eq!(
            lease.option(code),
            Some(bytes),
            "option {code} of {lease:?}"
        );
    }
}

/// Boots, renews, loses its power, releases; and what it reports is what was sent.
fn life(program: Program) {
    let cable = Cable::new();
    let mut client = spec(program).start(&cable.phone).unwrap();
    let lease = client.bound(SOON).unwrap();
    assert_eq!(lease.address.octets()[..3], [10, 20, 1], "{lease:?}");
    assert_eq!(lease.lease_time, LEASE_TIME);
    assert_eq!(lease.server, Some(SERVER));
    assert_eq!(lease.router, Some(SERVER));
    expect_options(&lease);
    assert_eq!(lease.option(159), None, "nobody asked for it");
    let text = cable.address();
    assert!(text.contains(&format!("{}/16", lease.address)), "{text}");
    cable.expect_leases(1);

    assert_eq!(client.renew(SOON).unwrap(), lease);
    client.restart().unwrap();
    assert_eq!(client.bound(SOON).unwrap(), lease, "after a restart");
    client.release(SOON).unwrap();
    cable.expect_leases(0);
    assert!(!cable.address().contains("inet"), "{}", cable.address());
}

#[test]
fn udhcpc_lives() {
    life(Program::Udhcpc);
}

#[test]
fn dhclient_lives() {
    life(Program::Dhclient);
}

#[test]
fn dhcpcd_lives() {
    life(Program::Dhcpcd);
}

/// Identifier, host name and another option reach the server; without the class it is silent.
#[test]
fn clients_send_what_they_are_told_to() {
    for program in Program::ALL {
        let cable = Cable::new();
        let mut capture = Capture::start(&cable.server).unwrap();
        let spec = Spec::new(program)
            .vendor_class("MyPhone 1.0")
            .client_id(b"\x00desk-7")
            .host_name("desk7")
            .request(159);
        let mut client = spec.start(&cable.phone).unwrap();
        let lease = client.bound(SOON).unwrap();
        let bytes = [0x9F, 4, 0, 0x0A, 0x40, 0];
        assert_eq!(lease.option(159), Some(&bytes[..]), "{program:?}");
        let frame = capture.find(SOON, |frame| {
            let sent = frame.get(42..).map(Message::parse);
            matches!(sent, Some(Ok(message)) if message.kind() == Some(kind::REQUEST))
        });
        let sent = Message::parse(&frame.unwrap()[42..]).unwrap();
        assert_eq!(sent.find(code::CLIENT_ID), Some(&b"\x00desk-7"[..]));
        assert_eq!(sent.find(12), Some(&b"desk7"[..]), "{program:?}");
        assert_eq!(
            sent.find(code::VENDOR_CLASS),
            Some(&b"MyPhone 1.0"[..]),
            "{program:?}"
        );
    }
}

/// dhcpcd's processes go with its handle, and the machine's files were not touched.
#[test]
fn a_dropped_client_leaves_nothing() {
    let resolver = std::fs::read("/etc/resolv.conf").ok();
    for program in Program::ALL {
        let cable = Cable::new();
        let mut client = spec(program).start(&cable.phone).unwrap();
        client.bound(SOON).unwrap();
        drop(client);
        let inside = || {
            let words = ["ip", "netns", "pids", cable.phone.ns.name()];
            let output = std::process::Command::new(words[0])
                .args(&words[1..])
                .output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        eventually(SOON, || match inside() {
            none if none.is_empty() => Ok(()),
            some => Err(format!("{program:?} has left processes: {some}")),
        })
        .unwrap();
        cable.expect_leases(1);
    }
    assert_eq!(std::fs::read("/etc/resolv.conf").ok(), resolver);
}

#[test]
fn a_raw_client_leases_and_sees_silence() {
    let cable = Cable::new();
    let mut raw = RawClient::new(&cable.phone).unwrap();
    let discover = |number: u8, xid| {
        Message::discover([2, 0, 0, 0, 1, number], xid)
            .option(code::VENDOR_CLASS, b"MyPhone")
            .option(code::REQUEST_LIST, &[1, 3, 43, 159])
    };
    let (offer, ack) = raw.lease(&discover(1, 1), SOON).unwrap();
    assert_eq!(ack.message.yiaddr, offer.message.yiaddr);
    assert_eq!(ack.message.lease_time(), Some(LEASE_TIME));
    assert_eq!(ack.port, CLIENT_PORT);
    assert_eq!(ack.macs, (mac_of(SERVER), [2, 0, 0, 0, 1, 1]));
    assert_eq!(ack.addresses, (SERVER, ack.message.yiaddr));
    assert_eq!(ack.message.find(159).map(<[u8]>::len), Some(6));

    let stranger = Message::discover([2, 0, 0, 0, 1, 2], 2);
    let answers = raw.answers_beside(&stranger.bytes(), &discover(3, 3), SOON);
    assert_eq!(answers.unwrap(), [], "it has no vendor class");
    let known = discover(4, 4).bytes();
    let answers = raw.answers_beside(&known, &discover(5, 5), SOON).unwrap();
    assert_eq!(answers.len(), 1, "{answers:?}");
    raw.frame(&[0xFF; 14]).unwrap();
    raw.lease(&discover(6, 6), SOON).unwrap();
}

#[test]
fn the_relay_agent_relays() {
    let router = Namespace::new("router").unwrap();
    let branch = Branch::new(&router, 3).unwrap();
    let _dnsmasq = Dnsmasq::start(&router, &[range(31)], OPTIONS, SOON).unwrap();
    let mut capture = Capture::start(&branch.router).unwrap();
    for (program, phone) in Program::ALL.into_iter().zip(&branch.phones) {
        let options = RelayOptions {
            agent_information: program != Program::Udhcpc,
            link_selection: program == Program::Dhcpcd,
        };
        let relay = branch.relay(branch::ROUTER, options, SOON).unwrap();
        let mut client = spec(program).start(phone).unwrap();
        let lease = client.bound(SOON).unwrap();
        assert_eq!(lease.address.octets()[..3], [10, 31, 1], "{lease:?}");
        expect_options(&lease);
        let frame = capture.find(SOON, |frame| {
            let sent = frame.get(42..).map(Message::parse);
            matches!(sent, Some(Ok(message)) if message.mac == phone.mac)
        });
        let sent = Message::parse(&frame.unwrap()[42..]).unwrap();
        let (giaddr, information): (_, Option<&[u8]>) = match program {
            Program::Udhcpc => (branch::GIADDR, None),
            Program::Dhclient => (branch::GIADDR, Some(b"\x01\x03br0")),
            // Sub-option 5: the network that the phone is in.
            Program::Dhcpcd => (branch::RELAY, Some(b"\x01\x03br0\x05\x04\x0a\x1f\x00\x01")),
        };
        assert_eq!((sent.giaddr, sent.hops), (giaddr, 1));
        assert_eq!(sent.find(code::RELAY_AGENT), information, "{}", relay.log());
    }
}
