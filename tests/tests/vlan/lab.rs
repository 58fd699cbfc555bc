//! A router whose phones and uplink are behind tags.
//!
//! ```text
//!  VLAN phone  eth0.10      10.10.1.1 --- eth0 --\
//!                                                 br0 === eth1  router  eth0 === eth0  internet
//!  QinQ phone  eth0.100.20  10.20.1.1 --- eth0 --/        eth1.10         |      (or eth0.200)
//!                                                         eth1.100.20     198.51.100.1
//! ```
//!
//! Nobody knows a neighbour before the first packet.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use gateway_tests::link::{DEFAULT_MTU, Interface, VethOptions, bridge, mac_of, veth, vlan};
use gateway_tests::netns::Namespace;
use gateway_tests::site::{
    Gateway, ISP, POOL, Phone, REMOTE, ROUTER_INSIDE, ROUTER_INSIDE_2, ROUTER_OUTSIDE,
};
use gateway_tests::wait::eventually;
use serde_json::Value;

/// For anything: the verifier takes long under emulation, and calls go on meanwhile.
pub(crate) const LONG: Duration = Duration::from_secs(180);
/// The trunk has room for the second tag.
const TRUNK_MTU: u32 = DEFAULT_MTU + 4;
/// The public address of the phones.
pub(crate) const PUBLIC: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// First of the VLAN phone's 64 ports.
pub(crate) const VLAN_PORT: u16 = 40_000;
/// First of the QinQ phone's.
pub(crate) const QINQ_PORT: u16 = 40_064;

/// Whether this kernel can run such a test; says so if it cannot.
///
/// # Panics
/// In the virtual machine, whose kernel can.
pub(crate) fn has_vlan_devices() -> bool {
    let ns = Namespace::new("probe").unwrap();
    let ends = (
        (&ns, "one", [2, 0, 0, 0, 0, 1]),
        (&ns, "two", [2, 0, 0, 0, 0, 2]),
    );
    let (one, _) = veth(ends.0, ends.1, VethOptions::default()).unwrap();
    let Err(why) = vlan(&one, "802.1q", 10, DEFAULT_MTU) else {
        return true;
    };
    let in_vm = std::env::var_os("GATEWAY_VM").is_some();
    assert!(!in_vm, "no 802.1q devices in the virtual machine: {why:#}");
    // Not by a macro: its text would be swallowed when the test ends well.
    let text = b"no 802.1q devices here: `cargo xtask vm test` runs this\n";
    std::io::stderr().write_all(text).unwrap();
    false
}

/// What the gateway is told.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The outside interface: `eth0` or `eth0.200`.
    pub(crate) uplink: &'static str,
    /// `auto`, `native` or `generic`.
    pub(crate) xdp: &'static str,
    /// Whether the QinQ phone's network is part of it.
    pub(crate) qinq: bool,
}

impl Config {
    fn text(&self) -> String {
        let Self { uplink, xdp, qinq } = self;
        let phone = |interface, network, private, first: u16| {
            format!(
                "[[inside]]\ninterface = \"{interface}\"\nnetworks = [\"{network}\"]\n\
                 [[binding]]\nprivate = \"{private}\"\npublic = \"{PUBLIC}\"\n\
                 ports = \"{first}-{}\"\n",
                first + 63
            )
        };
        let mut text = format!(
            "[state]\ndirectory = \"{{dir}}/state\"\n[metrics]\nlisten = \"off\"\n\
             [dataplane]\nxdp = \"{xdp}\"\n[[outside]]\ninterface = \"{uplink}\"\n\
             [[pool]]\naddresses = [\"{PUBLIC}\"]\n"
        );
        text += &phone("eth1.10", "10.10.0.0/16", "10.10.1.1", VLAN_PORT);
        if *qinq {
            text += &phone("eth1.100.20", "10.20.0.0/16", "10.20.1.1", QINQ_PORT);
        }
        text
    }
}

/// The router with its gateway, and what stands around it.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) gateway: Gateway,
    pub(crate) router: Namespace,
    pub(crate) internet: Namespace,
    /// In VLAN 10.
    pub(crate) phone: Phone,
    /// In VLAN 20 of service VLAN 100.
    pub(crate) qinq_phone: Phone,
    _lan: Namespace,
}

impl Lab {
    /// A lab with a gateway that serves.
    pub(crate) fn new(config: &Config) -> Self {
        let router = Namespace::new("router").unwrap();
        router.sysctl("net.ipv4.ip_forward", 1).unwrap();
        let internet = uplink(&router, config.uplink);
        let lan = Namespace::new("lan").unwrap();
        bridge(&lan, "br0").unwrap();
        let trunk = trunk(&router, &lan);
        let vlan_phone = phone(&lan, "phone", ROUTER_INSIDE, one_tag);
        let qinq_phone = phone(&lan, "qinq-phone", ROUTER_INSIDE_2, two_tags);
        for (interface, address) in [
            (one_tag(&trunk), ROUTER_INSIDE),
            (two_tags(&trunk), ROUTER_INSIDE_2),
        ] {
            interface.address(&format!("{address}/16")).unwrap();
        }
        let mut gateway = Gateway::start(&router, &config.text()).unwrap();
        gateway.wait_ready(LONG).unwrap();
        Self {
            gateway,
            router,
            internet,
            phone: vlan_phone,
            qinq_phone,
            _lan: lan,
        }
    }

    /// Makes router and phones forget every neighbour.
    pub(crate) fn forget_neighbours(&self) {
        for ns in [&self.router, &self.phone.ns, &self.qinq_phone.ns] {
            ns.ip("neighbour flush all").unwrap();
        }
    }

    /// What the CLI says as JSON.
    pub(crate) fn json(&self, command: &str) -> Value {
        let output = self.gateway.ctl(&[command, "-o", "json"]).unwrap();
        output.json().unwrap()
    }

    /// Packets of an interface that ended at a hook for a reason.
    pub(crate) fn count(&self, interface: &str, hook: &str, reason: &str) -> u64 {
        let counters = self.json("counters");
        let here = counters
            .as_array()
            .unwrap()
            .iter()
            .filter(|of| of["interface"] == interface && of["hook"] == hook);
        here.flat_map(|of| of["reasons"].as_array().unwrap())
            .filter(|count| count["reason"] == reason)
            .map(|count| count["packets"].as_u64().unwrap())
            .sum()
    }

    /// Name, role, device, tags and XDP mode of each interface, as `status` has them.
    pub(crate) fn interfaces(&self) -> Vec<[String; 5]> {
        let status = self.json("status");
        let fields = ["name", "role", "device", "vlans", "xdp"];
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let interfaces = status["interfaces"].as_array().unwrap().iter();
        interfaces
            .map(|interface| fields.map(|field| text(&interface[field])))
            .collect()
    }

    /// Writes the configuration, sends SIGHUP and waits until the file has been read.
    pub(crate) fn reload(&self, config: &Config) {
        let before = self.json("status")["reload"]["at"].clone();
        self.gateway.write_config(&config.text()).unwrap();
        self.gateway.reload().unwrap();
        eventually(LONG, || {
            let now = self.json("status")["reload"].clone();
            let is_done = now["at"] != before && now["ok"] == true;
            is_done.then_some(()).ok_or_else(|| now.to_string())
        })
        .unwrap();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(output) = self.gateway.ctl(&["counters"])
        {
            eprintln!("--- counters\n{}", output.stdout);
        }
    }
}

/// The host on the internet, and the link to it.
fn uplink(router: &Namespace, name: &str) -> Namespace {
    let internet = Namespace::new("internet").unwrap();
    let (mut near, mut far) = veth(
        (router, "eth0", mac_of(ROUTER_OUTSIDE)),
        (&internet, "eth0", mac_of(ISP)),
        VethOptions::default(),
    )
    .unwrap();
    if let Some((_, id)) = name.split_once('.') {
        let tagged = |end| vlan(end, "802.1q", id.parse().unwrap(), DEFAULT_MTU).unwrap();
        (near, far) = (tagged(&near), tagged(&far));
    }
    near.address(&format!("{ROUTER_OUTSIDE}/24")).unwrap();
    far.address(&format!("{ISP}/24")).unwrap();
    far.address(&format!("{REMOTE}/32")).unwrap();
    near.route("default", ISP).unwrap();
    far.route(POOL, ROUTER_OUTSIDE).unwrap();
    internet
}

fn trunk(router: &Namespace, lan: &Namespace) -> Interface {
    let (trunk, port) = veth(
        (router, "eth1", mac_of(ROUTER_INSIDE)),
        (lan, "up0", [2, 0, 0, 0, 1, 0]),
        VethOptions {
            mtu: TRUNK_MTU,
            ..VethOptions::default()
        },
    )
    .unwrap();
    lan.ip(&format!("link set {} master br0", port.name))
        .unwrap();
    trunk
}

/// 802.1Q 10.
fn one_tag(port: &Interface) -> Interface {
    vlan(port, "802.1q", 10, DEFAULT_MTU).unwrap()
}

/// 802.1ad 100, 802.1Q 20.
fn two_tags(port: &Interface) -> Interface {
    let service = vlan(port, "802.1ad", 100, TRUNK_MTU).unwrap();
    vlan(&service, "802.1q", 20, DEFAULT_MTU).unwrap()
}

/// A phone at the switch; `tags` makes its interface.
fn phone(
    lan: &Namespace,
    role: &str,
    router: Ipv4Addr,
    tags: impl FnOnce(&Interface) -> Interface,
) -> Phone {
    let [a, b, ..] = router.octets();
    let address = Ipv4Addr::new(a, b, 1, 1);
    let ns = Namespace::new(role).unwrap();
    let (port, switch) = veth(
        (&ns, "eth0", mac_of(address)),
        (lan, role, [2, 0, 0, 1, b, 1]),
        VethOptions {
            mtu: TRUNK_MTU,
            ..VethOptions::default()
        },
    )
    .unwrap();
    lan.ip(&format!("link set {} master br0", switch.name))
        .unwrap();
    let interface = tags(&port);
    interface.address(&format!("{address}/16")).unwrap();
    interface.route("default", router).unwrap();
    Phone {
        ns,
        interface,
        address,
    }
}

/// A port of the host on the internet.
pub(crate) const fn remote(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(REMOTE, port)
}

/// A port of the phones' public address.
pub(crate) const fn public(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(PUBLIC, port)
}
