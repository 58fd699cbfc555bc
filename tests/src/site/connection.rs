//! Where a site is connected to the world: a provider of its own, or one of several sites.

use std::net::Ipv4Addr;

use super::{ISP, POOL, ROUTER_OUTSIDE};
use crate::link::mac_of;
use crate::netns::Namespace;

/// A site's place at a provider.
#[derive(Clone, Debug)]
pub(crate) struct Connection<'a> {
    /// Which site: goes into its Ethernet addresses, which may not be another's.
    pub(crate) number: u8,
    /// What its namespaces' names begin with.
    pub(crate) name: &'a str,
    /// Whose the other end of the uplink is.
    pub(crate) provider: &'a Namespace,
    /// What the other end is called there.
    pub(crate) far: &'a str,
    /// The router's address on the uplink.
    pub(crate) router: Ipv4Addr,
    /// The provider's address on the uplink.
    pub(crate) isp: Ipv4Addr,
    /// Bits of the uplink's network.
    pub(crate) length: u8,
    /// What the provider routes to the router.
    pub(crate) pool: &'a str,
}

impl<'a> Connection<'a> {
    /// Of the only site.
    pub(super) const fn alone(provider: &'a Namespace, far: &'a str) -> Self {
        Self {
            number: 0,
            name: "",
            provider,
            far,
            router: ROUTER_OUTSIDE,
            isp: ISP,
            length: 24,
            pool: POOL,
        }
    }

    /// The Ethernet address of the site's interface with this address.
    pub(super) const fn mac(&self, address: Ipv4Addr) -> [u8; 6] {
        let [first, _, rest @ ..] = mac_of(address);
        let [a, b, c, d] = rest;
        [first, self.number, a, b, c, d]
    }

    /// A namespace's name, by what it is.
    pub(super) fn role(&self, role: &str) -> String {
        format!("{}{role}", self.name)
    }
}
