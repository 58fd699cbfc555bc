//! The router that the rows run on.
//!
//! ```text
//!  10.10.0.0/16  in0   ----+--------+---- out0  198.51.100.1/24 -> .254, default route
//!  10.20.0.0/16  in1   ----| router |---- wan.200 (tagged uplink) 203.0.113.128/25
//!  10.30.0.0/16  trunk.10 -|        |---- tun0  (no Ethernet) 198.18.0.0/15
//!  10.40.0.0/16  trunk.100.20 ------+---- other (the configuration does not name it)
//! ```
//!
//! Tags are bytes to XDP, so a plain device stands for each VLAN device.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::path::Path;

use dataplane::{
    BindingSpec, Dataplane, Desired, Events, InterfaceSpec, Limits, PoolSpec, Role, UnboundHosts,
    XdpPreference,
};
use gateway_common::abi::VlanTag;
use gateway_common::{PortRange, Prefix};
use gateway_tests::link::{VethOptions, mac_of, veth};
use gateway_tests::netns::Namespace;
use gateway_tests::tun::Tun;

pub(crate) const A: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 1);
pub(crate) const B: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 2);
/// Bound to an address that the router shares.
pub(crate) const C: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 3);
/// With 4,096 ports, on an address far from the others.
pub(crate) const E: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 5);
/// With 8 ports.
pub(crate) const F: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 6);
/// On the second inside interface.
pub(crate) const D: Ipv4Addr = Ipv4Addr::new(10, 20, 1, 1);
/// Behind a VLAN tag.
pub(crate) const V: Ipv4Addr = Ipv4Addr::new(10, 30, 1, 1);
/// Behind two.
pub(crate) const Q: Ipv4Addr = Ipv4Addr::new(10, 40, 1, 1);
/// Bound, but its neighbour entry is missing.
pub(crate) const N: Ipv4Addr = Ipv4Addr::new(10, 10, 1, 9);
/// Bound, but its route leads out of another inside interface.
pub(crate) const STRAY: Ipv4Addr = Ipv4Addr::new(10, 10, 7, 7);
/// Bound, but there is no route to it.
pub(crate) const LOST: Ipv4Addr = Ipv4Addr::new(10, 10, 7, 8);
/// An inside router without a binding.
pub(crate) const INSIDE_ROUTER: Ipv4Addr = Ipv4Addr::new(10, 10, 9, 1);
/// Unbound, where that means dropped.
pub(crate) const UNBOUND: Ipv4Addr = Ipv4Addr::new(10, 10, 9, 9);
/// Unbound, where that means the kernel's.
pub(crate) const COMPUTER: Ipv4Addr = Ipv4Addr::new(10, 20, 9, 9);

/// Public address of all phones but C, D and E.
pub(crate) const PUBLIC: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Public address of D.
pub(crate) const PUBLIC_2: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// Public address of E.
pub(crate) const PUBLIC_APART: Ipv4Addr = Ipv4Addr::new(203, 0, 114, 77);
/// The router's own address, shared: C's public address.
pub(crate) const SHARED: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

pub(crate) const ROUTER_IN0: Ipv4Addr = Ipv4Addr::new(10, 10, 0, 1);
pub(crate) const ROUTER_IN1: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 1);
pub(crate) const ROUTER_VLAN: Ipv4Addr = Ipv4Addr::new(10, 30, 0, 1);
pub(crate) const ROUTER_QINQ: Ipv4Addr = Ipv4Addr::new(10, 40, 0, 1);
pub(crate) const ROUTER_WAN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 129);
/// The router's address on out0 that is not in the pool.
pub(crate) const ROUTER_OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 254);

/// A host on the internet, by the default route.
pub(crate) const R: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
pub(crate) const R2: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 11);
/// By the tagged uplink.
pub(crate) const R_TAGGED: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 200);
/// By the tunnel.
pub(crate) const R_TUNNEL: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 10);
/// Behind a next hop that takes 1280 bytes.
pub(crate) const R_SMALL: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 99);
/// Whose next hop is not resolved.
pub(crate) const R_UNRESOLVED: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 98);
/// To which there is no way.
pub(crate) const R_UNREACHABLE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 97);
/// By the interface that the configuration does not name.
pub(crate) const R_OTHER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 96);

pub(crate) const SMALL_MTU: u16 = 1280;
pub(crate) const VLAN: u16 = 10;
pub(crate) const OUTER: u16 = 100;
pub(crate) const INNER: u16 = 20;
pub(crate) const WAN_VLAN: u16 = 200;

/// First port of a phone's range, which has 64 unless said otherwise.
pub(crate) const PORT_A: u16 = 40_000;
pub(crate) const PORT_B: u16 = 40_064;
pub(crate) const PORT_C: u16 = 50_048;
pub(crate) const PORT_D: u16 = 40_000;
pub(crate) const PORT_V: u16 = 40_128;
pub(crate) const PORT_Q: u16 = 40_192;
pub(crate) const PORT_N: u16 = 40_256;
pub(crate) const PORT_STRAY: u16 = 40_320;
pub(crate) const PORT_LOST: u16 = 40_384;
pub(crate) const PORT_E: u16 = 40_960;
pub(crate) const PORTS_E: u16 = 4096;
pub(crate) const PORT_F: u16 = 40_448;
pub(crate) const PORTS_F: u16 = 8;
/// A port of PUBLIC that belongs to nobody.
pub(crate) const FREE_PORT: u16 = 41_024;

/// More ICMP errors a second and CPU than any table makes.
pub(crate) const MANY_ICMP_ERRORS: u32 = 1_000_000;

/// The dataplane on a router.
pub(crate) struct Bed {
    pub(crate) dataplane: Dataplane,
    pub(crate) events: RefCell<Events>,
}

impl Bed {
    /// Runs `work` on a router of its own.
    pub(crate) fn with<T: Send>(work: impl FnOnce(&mut Bed) -> T + Send) -> T {
        Self::with_icmp_error_rate(MANY_ICMP_ERRORS, work)
    }

    /// The same, with so many ICMP errors a second and CPU.
    pub(crate) fn with_icmp_error_rate<T: Send>(
        rate: u32,
        work: impl FnOnce(&mut Bed) -> T + Send,
    ) -> T {
        Router::new().enter(|| work(&mut Self::open(rate)))
    }

    /// Puts the dataplane on the router that the calling thread is in.
    pub(crate) fn open(icmp_error_rate: u32) -> Self {
        let specs = specs();
        let limits = Limits {
            smallest_range: 8,
            ..Limits::new(1024, 16)
        };
        let (mut dataplane, _) = Dataplane::open(Path::new("/sys/fs/bpf/gateway"), limits).unwrap();
        dataplane
            .reconcile(&desired(&specs, icmp_error_rate))
            .unwrap();
        for attached in dataplane.attach(&specs, XdpPreference::Auto) {
            attached.unwrap();
        }
        let events = RefCell::new(dataplane.events().unwrap());
        Self { dataplane, events }
    }

    /// Index of an interface.
    pub(crate) fn ifindex(&self, name: &str) -> u32 {
        nix::net::if_::if_nametoindex(name).unwrap()
    }
}

/// Devices, addresses and routes; no dataplane yet.
pub(crate) struct Router {
    ns: Namespace,
    _world: Namespace,
    _tun: Tun,
}

impl Router {
    pub(crate) fn new() -> Self {
        let ns = Namespace::new("router").unwrap();
        let world = Namespace::new("world").unwrap();
        for (name, address) in LINKS {
            let mac = mac_of(address.parse().unwrap());
            let (device, _) = veth(
                (&ns, name, mac),
                (&world, name, mac_of(GATEWAY)),
                VethOptions::default(),
            )
            .unwrap();
            device
                .address(&format!("{address}/{}", prefix_of(name)))
                .unwrap();
        }
        let tun = Tun::new(&ns, "tun0", 1400).unwrap();
        ns.sysctl("net.ipv4.ip_forward", 1).unwrap();
        set_up_routes(&ns);
        Self {
            ns,
            _world: world,
            _tun: tun,
        }
    }

    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.ns.enter(work)
    }
}

const LINKS: [(&str, &str); 8] = [
    ("in0", "10.10.0.1"),
    ("in1", "10.20.0.1"),
    ("trunk", "169.254.1.1"),
    ("vlan10", "10.30.0.1"),
    ("qinq", "10.40.0.1"),
    ("out0", "198.51.100.1"),
    ("wan200", "203.0.113.129"),
    ("other", "192.168.77.1"),
];

fn prefix_of(name: &str) -> u8 {
    match name {
        "out0" | "other" => 24,
        "wan200" => 25,
        "trunk" => 30,
        _ => 16,
    }
}

fn set_up_routes(router: &Namespace) {
    let mac = |address: Ipv4Addr| gateway_tests::link::mac_text(mac_of(address));
    router
        .ip(&format!("address add {ROUTER_OTHER}/24 dev out0"))
        .unwrap();
    router.ip("link set tun0 up").unwrap();
    router
        .ip(&format!("route add default via {GATEWAY}"))
        .unwrap();
    router.ip("route add 198.18.0.0/15 dev tun0").unwrap();
    router
        .ip(&format!(
            "route add {R_SMALL}/32 via {GATEWAY} mtu lock {SMALL_MTU}"
        ))
        .unwrap();
    router
        .ip(&format!("route add {R_UNRESOLVED}/32 via 198.51.100.77"))
        .unwrap();
    router
        .ip(&format!("route add unreachable {R_UNREACHABLE}/32"))
        .unwrap();
    router
        .ip(&format!("route add {STRAY}/32 via 10.20.1.1"))
        .unwrap();
    router
        .ip(&format!("route add unreachable {LOST}/32"))
        .unwrap();
    router
        .ip(&format!("route add {R_OTHER}/32 via 192.168.77.2"))
        .unwrap();
    // B's link takes less than its network's.
    router
        .ip(&format!("route add {B}/32 dev in0 mtu lock {SMALL_MTU}"))
        .unwrap();
    let neighbours = [
        (GATEWAY, "out0"),
        (R_TAGGED, "wan200"),
        (A, "in0"),
        (B, "in0"),
        (C, "in0"),
        (E, "in0"),
        (F, "in0"),
        (D, "in1"),
        (V, "vlan10"),
        (Q, "qinq"),
    ];
    for (address, device) in neighbours {
        router
            .ip(&format!(
                "neigh replace {address} lladdr {} dev {device} nud permanent",
                mac(address)
            ))
            .unwrap();
    }
}

fn specs() -> Vec<InterfaceSpec> {
    let inside = |network: &str, unbound_hosts| Role::Inside {
        networks: vec![Prefix::new(network.parse().unwrap(), 16).unwrap()],
        unbound_hosts,
    };
    let tag = |tpid, vid| VlanTag { tpid, vid };
    vec![
        spec("in0", "in0", &[], inside("10.10.0.0", UnboundHosts::Drop)),
        spec("in1", "in1", &[], inside("10.20.0.0", UnboundHosts::Kernel)),
        spec(
            "vlan10",
            "trunk",
            &[tag(0x8100, VLAN)],
            inside("10.30.0.0", UnboundHosts::Drop),
        ),
        spec(
            "qinq",
            "trunk",
            &[tag(0x88a8, OUTER), tag(0x8100, INNER)],
            inside("10.40.0.0", UnboundHosts::Drop),
        ),
        spec("out0", "out0", &[], Role::Outside),
        spec("wan200", "trunk", &[tag(0x8100, WAN_VLAN)], Role::Outside),
        spec("tun0", "tun0", &[], Role::Outside),
    ]
}

fn spec(name: &str, port: &str, tags: &[VlanTag], role: Role) -> InterfaceSpec {
    let index = |name| nix::net::if_::if_nametoindex(name).unwrap();
    let address = LINKS
        .iter()
        .find(|(link, _)| *link == name)
        .map(|(_, address)| address.parse().unwrap());
    InterfaceSpec {
        name: name.to_owned(),
        ifindex: index(name),
        port_ifindex: index(port),
        port_name: port.to_owned(),
        tags: tags.to_vec(),
        ethernet: name != "tun0",
        mac: address.map_or([0; 6], mac_of),
        mtu: 1500,
        address,
        role,
    }
}

fn desired(specs: &[InterfaceSpec], icmp_error_rate: u32) -> Desired {
    let range = |private, public, first, ports| BindingSpec {
        private,
        public,
        ports: PortRange::new(first, first + (ports - 1)).unwrap(),
    };
    let binding = |private, public, first| range(private, public, first, 64);
    let pool = |address, shared| PoolSpec { address, shared };
    Desired {
        interfaces: specs.to_vec(),
        pool: vec![
            pool(PUBLIC, false),
            pool(PUBLIC_2, false),
            pool(PUBLIC_APART, false),
            pool(SHARED, true),
        ],
        bindings: vec![
            binding(A, PUBLIC, PORT_A),
            binding(B, PUBLIC, PORT_B),
            binding(C, SHARED, PORT_C),
            binding(D, PUBLIC_2, PORT_D),
            range(E, PUBLIC_APART, PORT_E, PORTS_E),
            range(F, PUBLIC, PORT_F, PORTS_F),
            binding(V, PUBLIC, PORT_V),
            binding(Q, PUBLIC, PORT_Q),
            binding(N, PUBLIC, PORT_N),
            binding(STRAY, PUBLIC, PORT_STRAY),
            binding(LOST, PUBLIC, PORT_LOST),
        ],
        icmp_error_rate,
    }
}

/// An inside interface that every namespace has, for what needs no packets: 10.0.0.0/8.
pub(crate) fn loopback() -> InterfaceSpec {
    InterfaceSpec {
        name: "lo".to_owned(),
        ifindex: 1,
        port_ifindex: 1,
        port_name: "lo".to_owned(),
        tags: Vec::new(),
        ethernet: true,
        mac: [0; 6],
        mtu: 1500,
        address: None,
        role: Role::Inside {
            networks: vec![Prefix::new([10, 0, 0, 0].into(), 8).unwrap()],
            unbound_hosts: UnboundHosts::Drop,
        },
    }
}
