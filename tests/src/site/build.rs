//! Builds a site, link by link.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};

use super::connection::Connection;
use super::{
    INSIDE, INSIDE_2, Inside, Phone, REMOTE, REMOTE_2, ROUTER_INSIDE, ROUTER_INSIDE_2, Site,
};
use crate::link::{DEFAULT_MTU, Interface, VethOptions, bridge, mac_of, veth};
use crate::netns::Namespace;
use crate::tun::{Tun, TunLink};

/// The second router's address towards the internet.
const ISP_INTERNET: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 254);
/// Phones in one network: their number is the last octet of their address.
const MOST_PHONES: u8 = 254;

/// What a site is to look like.
#[derive(Clone, Debug)]
pub struct SiteBuilder {
    phones: u8,
    second_phones: Option<u8>,
    inside_mtu: u32,
    uplink_mtu: u32,
    internet_mtu: Option<u32>,
    tun_uplink: bool,
    queues: u32,
}

impl Default for SiteBuilder {
    fn default() -> Self {
        Self {
            phones: 2,
            second_phones: None,
            inside_mtu: DEFAULT_MTU,
            uplink_mtu: DEFAULT_MTU,
            internet_mtu: None,
            tun_uplink: false,
            queues: 1,
        }
    }
}

impl SiteBuilder {
    /// Phones on the first inside network: 1 to 254.
    #[must_use]
    pub fn phones(mut self, phones: u8) -> Self {
        self.phones = phones;
        self
    }

    /// A second inside network with so many phones: `site.inside[1]`.
    #[must_use]
    pub fn second_inside(mut self, phones: u8) -> Self {
        self.second_phones = Some(phones);
        self
    }

    /// Largest IP packet on the inside networks, in bytes.
    #[must_use]
    pub fn inside_mtu(mut self, mtu: u32) -> Self {
        self.inside_mtu = mtu;
        self
    }

    /// Largest IP packet on the uplink, in bytes.
    #[must_use]
    pub fn uplink_mtu(mut self, mtu: u32) -> Self {
        self.uplink_mtu = mtu;
        self
    }

    /// Puts a second router between uplink and internet, with an MTU in bytes on its far link.
    #[must_use]
    pub fn isp(mut self, internet_mtu: u32) -> Self {
        self.internet_mtu = Some(internet_mtu);
        self
    }

    /// Makes the uplink a TUN device: packets without Ethernet header.
    #[must_use]
    pub fn tun_uplink(mut self) -> Self {
        self.tun_uplink = true;
        self
    }

    /// Transmit and receive queues of each link at the router.
    #[must_use]
    pub fn queues(mut self, queues: u32) -> Self {
        self.queues = queues;
        self
    }

    /// Makes it.
    ///
    /// # Errors
    /// Without root, or when the kernel refuses a part of it.
    pub fn build(&self) -> Result<Site> {
        let internet = Namespace::new("internet")?;
        internet.sysctl("net.ipv4.icmp_ratelimit", 0)?;
        let isp = self
            .internet_mtu
            .map(|mtu| second_router(&internet, mtu))
            .transpose()?;
        // The internet host's own interface is eth0, whoever is at its other end.
        let connection = match &isp {
            Some(isp) => Connection::alone(isp, "down0"),
            None => Connection::alone(&internet, "eth0"),
        };
        let site = self.build_at(&connection, isp.as_ref(), &internet)?;
        if isp.is_none() {
            let name = &site.upstream.name;
            internet.batch(&format!(
                "address add {REMOTE}/32 dev {name}\naddress add {REMOTE_2}/32 dev {name}"
            ))?;
        }
        Ok(site)
    }

    /// Makes it at a provider that is there already.
    pub(crate) fn build_at(
        &self,
        at: &Connection<'_>,
        isp: Option<&Namespace>,
        internet: &Namespace,
    ) -> Result<Site> {
        let router = forwarding(&at.role("router"))?;
        let (uplink, upstream, tunnel) = self.uplink(&router, at)?;
        let first = Network {
            number: 0,
            prefix: INSIDE,
            router: ROUTER_INSIDE,
        };
        let mut inside = vec![self.inside(&router, at, &first, self.phones)?];
        if let Some(phones) = self.second_phones {
            let second = Network {
                number: 1,
                prefix: INSIDE_2,
                router: ROUTER_INSIDE_2,
            };
            inside.push(self.inside(&router, at, &second, phones)?);
        }
        Ok(Site {
            router,
            inside,
            uplink,
            upstream,
            isp: isp.cloned(),
            internet: internet.clone(),
            _tunnel: tunnel,
        })
    }

    fn uplink(
        &self,
        router: &Namespace,
        at: &Connection<'_>,
    ) -> Result<(Interface, Interface, Option<TunLink>)> {
        let (provider, far, pool) = (at.provider, at.far, at.pool);
        if self.tun_uplink {
            let near = Tun::new(router, "uplink0", self.uplink_mtu)?;
            let far = Tun::new(provider, far, self.uplink_mtu)?;
            let (uplink, upstream) = (near.interface.clone(), far.interface.clone());
            uplink.address(&format!("{} peer {}", at.router, at.isp))?;
            upstream.address(&format!("{} peer {}", at.isp, at.router))?;
            router.ip("route add default dev uplink0")?;
            provider.ip(&format!("route add {pool} dev {}", upstream.name))?;
            return Ok((uplink, upstream, Some(TunLink::new(near, far))));
        }
        let (uplink, upstream) = veth(
            (router, "uplink0", at.mac(at.router)),
            (provider, far, at.mac(at.isp)),
            VethOptions {
                queues: self.queues,
                mtu: self.uplink_mtu,
            },
        )?;
        uplink.address(&format!("{}/{}", at.router, at.length))?;
        upstream.address(&format!("{}/{}", at.isp, at.length))?;
        uplink.route("default", at.isp)?;
        upstream.route(pool, at.router)?;
        Ok((uplink, upstream, None))
    }

    fn inside(
        &self,
        router: &Namespace,
        at: &Connection<'_>,
        network: &Network,
        phones: u8,
    ) -> Result<Inside> {
        ensure!(
            (1..=MOST_PHONES).contains(&phones),
            "1 to {MOST_PHONES} phones, got {phones}"
        );
        let suffix = if network.number == 0 { "" } else { "2" };
        let lan = Namespace::new(&at.role(&format!("lan{suffix}")))?;
        bridge(&lan, "br0")?;
        let mtu = self.inside_mtu;
        let (interface, port) = veth(
            (
                router,
                &format!("inside{}", network.number),
                at.mac(network.router),
            ),
            (&lan, "up0", [2, 0, 0, 0, 1, network.number]),
            VethOptions {
                queues: self.queues,
                mtu,
            },
        )?;
        interface.address(&format!("{}/16", network.router))?;
        lan.ip(&format!("link set {} master br0", port.name))?;
        let phones: Result<Vec<Phone>> = (1..=phones)
            .map(|number| phone(&lan, at, network, number, mtu))
            .collect();
        Ok(Inside {
            lan,
            router: interface,
            router_address: network.router,
            phones: phones?,
        })
    }
}

/// An inside network's numbers.
struct Network {
    number: u8,
    prefix: &'static str,
    router: Ipv4Addr,
}

fn phone(
    lan: &Namespace,
    at: &Connection<'_>,
    network: &Network,
    number: u8,
    mtu: u32,
) -> Result<Phone> {
    let [a, b, ..] = network.router.octets();
    let address = Ipv4Addr::new(a, b, 1, number);
    let kind = if network.number == 0 {
        "phone"
    } else {
        "phone2-"
    };
    let ns = Namespace::new(&at.role(&format!("{kind}{number}")))?;
    let (interface, port) = veth(
        (&ns, "eth0", at.mac(address)),
        (
            lan,
            &format!("phone{number}"),
            [2, 0, 0, 1, network.number, number],
        ),
        VethOptions {
            mtu,
            ..VethOptions::default()
        },
    )?;
    let (_, length) = network
        .prefix
        .split_once('/')
        .unwrap_or((network.prefix, "32"));
    interface.address(&format!("{address}/{length}"))?;
    interface.route("default", network.router)?;
    lan.ip(&format!("link set {} master br0", port.name))?;
    Ok(Phone {
        ns,
        interface,
        address,
    })
}

fn second_router(internet: &Namespace, mtu: u32) -> Result<Namespace> {
    let isp = forwarding("isp")?;
    let (near, far) = veth(
        (&isp, "up0", mac_of(ISP_INTERNET)),
        (internet, "eth0", mac_of(REMOTE)),
        VethOptions {
            mtu,
            ..VethOptions::default()
        },
    )?;
    near.address(&format!("{ISP_INTERNET}/24"))?;
    far.address(&format!("{REMOTE}/24"))?;
    far.address(&format!("{REMOTE_2}/24"))?;
    far.route("default", ISP_INTERNET)?;
    Ok(isp)
}

/// A namespace that forwards, and whose ICMP errors no rate limit swallows.
pub(crate) fn forwarding(role: &str) -> Result<Namespace> {
    let ns = Namespace::new(role)?;
    ns.sysctl("net.ipv4.ip_forward", 1)?;
    ns.sysctl("net.ipv4.icmp_ratelimit", 0)?;
    Ok(ns)
}
