//! baresip calls baresip through two gateways: each at a customer's site with ports of its own, the
//! switch at their provider. What crosses the uplinks is captured at the provider's ends.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use gateway_tests::link::{VethOptions, mac_of, veth};
use gateway_tests::netns::Namespace;
use gateway_tests::site::{Gateway, Site};
use gateway_tests::two_sites::{PUBLIC_A, PUBLIC_B, SWITCH, Seen, TwoSites, Uplinks};

use crate::bed::{LONG, Party, history, lines, registered};
use crate::program::baresip::{Baresip, Over};

/// Ports that each phone has.
const PORTS: u16 = 64;
/// Media of a second, each way, less what a busy machine's pauses cost.
const LEAST: u64 = 40;

const GATEWAY: &str = r#"
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
addresses = ["{public}"]
"#;

const SWITCHING: &str = r#"
[state]
directory = "{dir}/state"
[metrics]
listen = "off"
[[inside]]
interface = "inside0"
networks = ["10.255.0.0/16"]
[[outside]]
interface = "eth0"
[switch]
name = "switch.example"
[sip]
names = ["sip.example"]
shortest = "10s"
"#;

/// The provider's switch, two gateways, and who is behind them.
struct Hosted {
    uplinks: Uplinks,
    switch: Gateway,
    _gateways: [Gateway; 2],
    sites: TwoSites,
    _offices: Namespace,
}

impl Hosted {
    fn start() -> Self {
        let sites = TwoSites::new(2, 1).unwrap();
        let offices = offices(&sites.switch.ns);
        let uplinks = Uplinks::start(&sites).unwrap();
        let text = SWITCHING.to_owned() + &lines(&["7001", "7002", "7003"]);
        let mut switch = Gateway::start(&sites.switch.ns, &text).unwrap();
        let gateways = [(&sites.a, PUBLIC_A), (&sites.b, PUBLIC_B)];
        let gateways = gateways.map(|(site, public)| site.gateway(&gateway(site, public)).unwrap());
        switch.wait_ready(LONG).unwrap();
        Self {
            uplinks,
            switch,
            _gateways: gateways,
            sites,
            _offices: offices,
        }
    }

    /// Host `number` of a site, with the ports that its gateway has for it.
    fn party(&self, site: &Site, host: usize, number: &'static str) -> Party {
        let phone = site.phone(host);
        Party {
            number,
            ns: phone.ns.clone(),
            address: phone.address,
            ports: first_port(host),
            switch: SWITCH,
        }
    }

    /// A phone that is on, and whom the switch knows by these addresses.
    fn phone(&self, party: &Party, public: Ipv4Addr, hz: u16) -> Baresip {
        let phone = Baresip::start(party, Over::Udp, hz);
        let seen = registered(&self.switch, party.number);
        assert_eq!(seen["public"], public.to_string().as_str(), "{seen}");
        assert_eq!(
            seen["private"],
            party.address.to_string().as_str(),
            "{seen}"
        );
        let address = SocketAddrV4::new(public, party.ports);
        assert_eq!(seen["address"], address.to_string().as_str(), "{seen}");
        phone
    }

    /// What has crossed the uplinks of A and B since this was asked last, but for SIP.
    fn crossed(&mut self) -> [Seen; 2] {
        let mut both = self.uplinks.take().unwrap();
        for seen in &mut both {
            let is_sip = |from: &SocketAddrV4, to: &SocketAddrV4| {
                let at_switch = |at: &SocketAddrV4| *at == SocketAddrV4::new(SWITCH, 5060);
                at_switch(from) || at_switch(to)
            };
            seen.media.retain(|(from, to), _| !is_sip(from, to));
        }
        both
    }
}

const fn first_port(host: usize) -> u16 {
    40_000 + (host as u16 - 1) * PORTS
}

fn gateway(site: &Site, public: Ipv4Addr) -> String {
    let mut text = GATEWAY.replace("{public}", &public.to_string());
    for (phone, host) in site.inside[0].phones.iter().zip(1..) {
        let (first, private) = (first_port(host), phone.address);
        text += &format!(
            "[[binding]]\nprivate = \"{private}\"\npublic = \"{public}\"\nports = \"{first}-{}\"\n",
            first + PORTS - 1
        );
    }
    text
}

/// The inside of the switch's router, where nobody is.
fn offices(switch: &Namespace) -> Namespace {
    const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 255, 0, 1);
    switch.sysctl("net.ipv4.ip_forward", 1).unwrap();
    let offices = Namespace::new("offices").unwrap();
    let (inside, _) = veth(
        (switch, "inside0", mac_of(ROUTER)),
        (&offices, "eth0", [2, 0, 0, 2, 1, 0]),
        VethOptions::default(),
    )
    .unwrap();
    inside.address(&format!("{ROUTER}/16")).unwrap();
    offices
}

/// Both hear each other for a second.
fn talk(caller: &mut Baresip, called: &mut Baresip, tones: [u16; 2]) {
    caller.dial(called.party.number);
    called.answer();
    caller.expect("CALL_ESTABLISHED");
    called.expect("CALL_ESTABLISHED");
    caller.hears(tones[1], Duration::from_secs(1));
    called.hears(tones[0], Duration::from_secs(1));
    caller.hang_up();
    called.expect("CALL_CLOSED");
}

/// Whether an address is a port of media of a phone: of its range, and not that of SIP.
fn is_its(address: SocketAddrV4, public: Ipv4Addr, party: &Party) -> bool {
    let ports = party.ports + 1..party.ports + PORTS;
    *address.ip() == public && ports.contains(&address.port())
}

#[test]
fn phones_of_two_sites_talk_by_public_addresses_and_ports_of_their_own() {
    let mut hosted = Hosted::start();
    let a = hosted.party(&hosted.sites.a, 1, "7001");
    let b = hosted.party(&hosted.sites.b, 1, "7003");
    // Both have the same private address, and the same ports.
    assert_eq!((a.address, a.ports), (b.address, b.ports));
    let mut one = hosted.phone(&a, PUBLIC_A, 440);
    let mut other = hosted.phone(&b, PUBLIC_B, 1000);
    talk(&mut one, &mut other, [440, 1000]);
    let over = history(&hosted.switch, 1);
    assert_eq!(over[0]["choice"], "public", "{over:?}");
    assert_eq!(over[0]["reason"], "caller_hung_up", "{over:?}");
    for seen in hosted.crossed() {
        assert_eq!(seen.private, 0, "{seen:?}");
        let mut ways = [0, 0];
        for ((from, to), packets) in &seen.media {
            let out = is_its(*from, PUBLIC_A, &a) && is_its(*to, PUBLIC_B, &b);
            let back = is_its(*from, PUBLIC_B, &b) && is_its(*to, PUBLIC_A, &a);
            assert!(out || back, "{from} to {to}: {seen:?}");
            ways[usize::from(back)] += packets;
        }
        assert!(ways.iter().all(|packets| *packets > LEAST), "{seen:?}");
    }
    // And the other way.
    talk(&mut other, &mut one, [1000, 440]);
}

#[test]
fn phones_of_one_site_talk_by_private_addresses_and_nothing_leaves_it() {
    let mut hosted = Hosted::start();
    let a1 = hosted.party(&hosted.sites.a, 1, "7001");
    let a2 = hosted.party(&hosted.sites.a, 2, "7002");
    let mut one = hosted.phone(&a1, PUBLIC_A, 440);
    let mut other = hosted.phone(&a2, PUBLIC_A, 1000);
    talk(&mut one, &mut other, [440, 1000]);
    let over = history(&hosted.switch, 1);
    assert_eq!(over[0]["choice"], "private", "{over:?}");
    for seen in hosted.crossed() {
        assert_eq!((seen.private, seen.media.len()), (0, 0), "{seen:?}");
    }
}
