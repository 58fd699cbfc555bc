//! The operator's files: a configuration for each site's gateway and one for the switch, all made
//! from one list of phones.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;

use super::{CARRIER, PUBLIC_A, PUBLIC_B, SWITCH};

/// A customer's site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Site A.
    A,
    /// Site B.
    B,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The address that its phones share.
    #[must_use]
    pub const fn public(self) -> Ipv4Addr {
        match self {
            Self::A => PUBLIC_A,
            Self::B => PUBLIC_B,
        }
    }
}

/// A phone as the operator knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    /// What scripts call it.
    pub name: &'static str,
    /// What others dial.
    pub number: &'static str,
    /// Where it is.
    pub side: Side,
    /// Which phone of the site, from 1.
    pub host: u8,
    /// Its ports.
    pub ports: RangeInclusive<u16>,
}

impl Subscriber {
    /// The address that is reserved for it.
    #[must_use]
    pub const fn private(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 10, 1, self.host)
    }

    /// What it calls itself by in H.248.
    #[must_use]
    pub const fn mid(&self) -> SocketAddrV4 {
        SocketAddrV4::new(self.private(), *self.ports.start())
    }
}

/// The phones. `a1` and `b1` have the same private address and the same ports, and so the same mId:
/// their public addresses differ.
pub const SUBSCRIBERS: [Subscriber; 3] = [
    Subscriber {
        name: "a1",
        number: "5001",
        side: Side::A,
        host: 1,
        ports: 40_000..=40_063,
    },
    Subscriber {
        name: "a2",
        number: "5002",
        side: Side::A,
        host: 2,
        ports: 40_064..=40_127,
    },
    Subscriber {
        name: "b1",
        number: "6001",
        side: Side::B,
        host: 1,
        ports: 40_000..=40_063,
    },
];

/// The trunk gateway's ports; its H.248 is at the first.
pub const TRUNK_PORTS: RangeInclusive<u16> = 30_000..=30_063;
/// The port of H.248 at the switch.
pub const H248: u16 = 2944;
/// The image of every phone.
pub const IMAGE: &str = "image.bin";

const GATEWAY: &str = r#"# A customer's site: phones lease an address and ports, and fetch their files here.
[state]
directory = "{dir}/state"

[[inside]]
interface = "inside0"
networks = ["10.10.0.0/16"]

[[outside]]
interface = "uplink0"

[[pool]]
addresses = ["{public}"]

[dhcp]
probe = "100ms"

[[scope]]
interface = "inside0"
network = "10.10.0.0/16"
addresses = ["10.10.1.1-10.10.1.99"]
routers = ["10.10.0.1"]
tftp_server_name = "10.10.0.1"

[[class]]
name = "phone"
vendor_classes = ["DemoPhone*"]
ports = 64
primary_switch = "{switch}"

[provision]
root = "{root}"
templates = "{templates}"

[[template]]
name = "{mac}.json"
file = "simulated-phone.json"
class = "phone"
"#;

const SWITCHING: &str = r#"# The operator's soft switch, which knows each site by its public address.
[state]
directory = "{dir}/state"

# Two phones share nothing but this: whoever comes from one address is at one site.
[[site]]
name = "site A"
addresses = ["{public_a}"]

[[site]]
name = "site B"
addresses = ["{public_b}"]

[switch]
name = "switch.example"
admission = "listed"

[[trunk]]
name = "carrier"
gateway = "[{carrier}]:{trunk_port}"

[[route]]
prefix = "0"
trunks = ["carrier"]
least = 6
most = 6
"#;

/// Of a site's gateway. `mac` tells phones' Ethernet addresses as text, `root` is where files are.
pub(super) fn gateway(side: Side, root: &str, mac: impl Fn(&Subscriber) -> String) -> String {
    let templates = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/templates");
    let mut text = GATEWAY
        .replace("{public}", &side.public().to_string())
        .replace("{switch}", &format!("{SWITCH}:{H248}"))
        .replace("{root}", root)
        .replace("{templates}", templates);
    for phone in SUBSCRIBERS.iter().filter(|phone| phone.side == side) {
        let (mac, private) = (mac(phone), phone.private());
        text += &format!(
            "\n[[reservation]]\nmacs = [\"{mac}\"]\naddress = \"{private}\"\n\
             public = \"{}\"\nports = \"{}-{}\"\nclass = \"phone\"\n\n\
             [[phone]]\nmac = \"{mac}\"\nvariables = [\"image={IMAGE}\"]\n",
            side.public(),
            phone.ports.start(),
            phone.ports.end(),
        );
    }
    text
}

/// Of the switch.
pub(super) fn switch() -> String {
    let mut text = SWITCHING
        .replace("{public_a}", &PUBLIC_A.to_string())
        .replace("{public_b}", &PUBLIC_B.to_string())
        .replace("{carrier}", &CARRIER.to_string())
        .replace("{trunk_port}", &TRUNK_PORTS.start().to_string());
    for phone in &SUBSCRIBERS {
        let (mid, public) = (phone.mid(), phone.side.public());
        text += &format!(
            "\n[[line]]\nnumber = \"{}\"\nphone = \"[{}]:{}@{public}\"\n",
            phone.number,
            mid.ip(),
            mid.port()
        );
    }
    text
}
