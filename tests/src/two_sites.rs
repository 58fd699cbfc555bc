//! Two customer sites at one provider, for what happens between them.
//!
//! ```text
//!  site A, 10.10.0.0/16                       provider                         203.0.113.0/24
//!   phone1 10.10.1.1 --+                      +---------+                  +-- switch    .5
//!   phone2 10.10.1.2 --+-- lan -- router -----| isp     |                  +-- internet  .10
//!                           192.0.2.0/25      |   br0 --+-- 203.0.113.254 -+
//!  site B, 10.10.0.0/16                       |         |                  +-- carrier   .20
//!   phone1 10.10.1.1 ----- lan -- router -----|         |                  (and whom a test adds)
//!                           192.0.2.128/25    +---------+
//! ```
//!
//! Both sites have the same private addresses, as customers have; their phones' Ethernet addresses
//! differ. The provider knows no way to private addresses: what leaves a site untranslated gets no
//! answer. `upstream` of each [`Site`] is the provider's end of its uplink, where a capture sees all
//! that enters or leaves the site.
//!
//! A gateway is started at a site with [`Site::gateway`]. [`Hosted`] starts one at each, a soft switch
//! at the provider, and phones; its calls are watched at both uplinks.
//!
//! | module | what it is |
//! |---|---|
//! | [`hosted`] | the operator's three daemons, and phones that boot |
//! | [`files`] | their configurations, made from one list of phones |
//! | [`call`] | a call, as both ends, the switch and the uplinks saw it |
//! | [`uplinks`] | what was seen at the provider's ends of the uplinks |

pub mod call;
pub mod files;
pub mod hosted;
pub mod uplinks;

use std::net::Ipv4Addr;

use anyhow::Result;

use crate::link::{VethOptions, bridge, mac_of, veth};
use crate::netns::Namespace;
use crate::site::{Connection, Phone as Host, REMOTE, Site, forwarding};

pub use call::{Call, Plan};
pub use hosted::Hosted;
pub use uplinks::{Seen, Uplinks};

/// Public addresses of site A: the first half of [`crate::site::POOL`].
pub const POOL_A: &str = "192.0.2.0/25";
/// The one that its phones share.
pub const PUBLIC_A: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Public addresses of site B.
pub const POOL_B: &str = "192.0.2.128/25";
/// The one that its phones share.
pub const PUBLIC_B: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 129);
/// The host that a soft switch may run on.
pub const SWITCH: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);
/// A trunk gateway's address.
pub const CARRIER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 20);
/// The provider's address among its hosts.
const PROVIDER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 254);

/// Two sites and their provider; dropped, nothing of it is left.
#[derive(Debug)]
pub struct TwoSites {
    /// The first site. Its `internet` is that of both.
    pub a: Site,
    /// The second site.
    pub b: Site,
    /// The provider's router.
    pub isp: Namespace,
    /// A host at the provider with [`SWITCH`]: nothing runs there.
    pub switch: Host,
    /// A host with [`CARRIER`]: nothing runs there.
    pub carrier: Host,
    /// A host with [`REMOTE`].
    pub internet: Host,
}

impl TwoSites {
    /// Two sites with so many phones each, 1 to 254.
    ///
    /// # Errors
    /// Without root, or when the kernel refuses a part of it.
    pub fn new(phones_a: u8, phones_b: u8) -> Result<Self> {
        let isp = forwarding("isp")?;
        bridge(&isp, "br0")?;
        isp.ip(&format!("address add {PROVIDER}/24 dev br0"))?;
        let host = |role, address| host(&isp, role, address);
        let (switch, carrier) = (host("switch", SWITCH)?, host("carrier", CARRIER)?);
        let internet = host("internet", REMOTE)?;
        let site = |number: u8, name, phones: u8| {
            let far = format!("site-{name}");
            let half = if number == 1 { 0 } else { 128 };
            let connection = Connection {
                number,
                name: &format!("{name}-"),
                provider: &isp,
                far: &far,
                router: Ipv4Addr::new(198, 51, 100, half + 1),
                isp: Ipv4Addr::new(198, 51, 100, half + 126),
                length: 25,
                pool: if number == 1 { POOL_A } else { POOL_B },
            };
            let builder = Site::builder().phones(phones);
            builder.build_at(&connection, Some(&isp), &internet.ns)
        };
        let (a, b) = (site(1, "a", phones_a)?, site(2, "b", phones_b)?);
        Ok(Self {
            a,
            b,
            isp,
            switch,
            carrier,
            internet,
        })
    }

    /// Another host at the provider, with an address of 203.0.113.0/24 that nobody has.
    ///
    /// # Errors
    /// When the kernel refuses a part of it.
    pub fn host(&self, role: &str, address: Ipv4Addr) -> Result<Host> {
        host(&self.isp, role, address)
    }
}

fn host(isp: &Namespace, role: &str, address: Ipv4Addr) -> Result<Host> {
    let ns = Namespace::new(role)?;
    ns.sysctl("net.ipv4.icmp_ratelimit", 0)?;
    let [.., last] = address.octets();
    let (interface, port) = veth(
        (&ns, "eth0", mac_of(address)),
        (isp, &format!("host{last}"), [2, 0, 0, 2, 0, last]),
        VethOptions::default(),
    )?;
    isp.ip(&format!("link set {} master br0", port.name))?;
    interface.address(&format!("{address}/24"))?;
    interface.route("default", PROVIDER)?;
    Ok(Host {
        ns,
        interface,
        address,
    })
}
