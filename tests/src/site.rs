//! A customer site in network namespaces: what stands around the gateway.
//!
//! ```text
//!  phone1 eth0 --- phone1                 inside0 +--------+ uplink0   (a second router,
//!  10.10.1.1          lan, br0, up0 ------------- | router | ------+    if asked for)
//!  phone2 eth0 --- phone2              10.10.0.1  +--------+       +--- isp --- eth0 internet
//!  10.10.1.2                                 | inside1   198.51.100.1   |       203.0.113.10
//!  phone1 eth0 --- lan2 ---------------------+                198.51.100.254    203.0.113.11
//!  10.20.1.1                             10.20.0.1
//! ```
//!
//! The router forwards and knows a default route; nothing beyond it has a route to private
//! addresses, so that a packet which leaves untranslated gets no answer. The provider routes
//! [`POOL`] to the router. Interface `x` with address `a` has the Ethernet address
//! [`mac_of`](crate::link::mac_of)`(a)`.

mod build;
mod connection;
mod gateway;
mod maps;

use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::Result;

use crate::link::Interface;
use crate::netns::Namespace;
use crate::tun::TunLink;

pub use build::SiteBuilder;
pub(crate) use build::forwarding;
pub(crate) use connection::Connection;
pub use gateway::{CtlOutput, Gateway};
pub use maps::Bound;

/// The first inside network.
pub const INSIDE: &str = "10.10.0.0/16";
/// The router's address there.
pub const ROUTER_INSIDE: Ipv4Addr = Ipv4Addr::new(10, 10, 0, 1);
/// The second inside network.
pub const INSIDE_2: &str = "10.20.0.0/16";
/// The router's address there.
pub const ROUTER_INSIDE_2: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 1);
/// The router's address on the uplink, 198.51.100.0/24.
pub const ROUTER_OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The provider's address on the uplink.
pub const ISP: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 254);
/// Public addresses that the provider routes to the router.
pub const POOL: &str = "192.0.2.0/24";
/// A host on the internet.
pub const REMOTE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// Another address of the same host.
pub const REMOTE_2: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 11);

/// A customer site; dropped, nothing of it is left.
#[derive(Debug)]
pub struct Site {
    /// Where the gateway runs.
    pub router: Namespace,
    /// The inside networks: one or two.
    pub inside: Vec<Inside>,
    /// The router's `uplink0`.
    pub uplink: Interface,
    /// The other end of the uplink: in `isp` if there is one, else in `internet`.
    pub upstream: Interface,
    /// The second router, between the uplink and the internet.
    pub isp: Option<Namespace>,
    /// The host on the internet, with [`REMOTE`] and [`REMOTE_2`] on its `eth0`.
    pub internet: Namespace,
    /// The wire of a TUN uplink.
    _tunnel: Option<TunLink>,
}

/// An inside network.
#[derive(Debug)]
pub struct Inside {
    /// The switch: bridge `br0` with a port per phone and `up0` towards the router.
    pub lan: Namespace,
    /// The router's interface, `inside0` or `inside1`.
    pub router: Interface,
    /// The router's address.
    pub router_address: Ipv4Addr,
    /// The phones, the first one's number being 1.
    pub phones: Vec<Phone>,
}

/// A host with one address.
#[derive(Debug)]
pub struct Phone {
    /// Where its programs run.
    pub ns: Namespace,
    /// Its `eth0`.
    pub interface: Interface,
    /// 10.10.1.n for phone n, or 10.20.1.n.
    pub address: Ipv4Addr,
}

impl Phone {
    /// The phone's address with a port.
    #[must_use]
    pub const fn at(&self, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(self.address, port)
    }
}

impl Site {
    /// Describes a site; without further words it has two phones.
    #[must_use]
    pub fn builder() -> SiteBuilder {
        SiteBuilder::default()
    }

    /// A site with two phones.
    ///
    /// # Errors
    /// As [`SiteBuilder::build`].
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// Phone `number` of the first inside network, from 1.
    ///
    /// # Panics
    /// When the site has no such phone.
    #[must_use]
    pub fn phone(&self, number: usize) -> &Phone {
        let phones = &self.inside[0].phones;
        assert!(
            (1..=phones.len()).contains(&number),
            "phone {number} of {}",
            phones.len()
        );
        &phones[number - 1]
    }

    /// Starts the gateway in the router with this configuration and waits until it serves.
    ///
    /// # Errors
    /// When it ends or does not serve within 20 seconds: with its log.
    pub fn gateway(&self, config: &str) -> Result<Gateway> {
        let mut gateway = Gateway::start(&self.router, config)?;
        gateway.wait_ready(std::time::Duration::from_secs(20))?;
        Ok(gateway)
    }
}
