//! Who has which address and ports: a site of numbered phones, laid out as
//! `gateway-ebpf/src/lab/abi.rs` draws it.

use std::net::Ipv4Addr;

use anyhow::{Result, anyhow};
use dataplane::{BindingSpec, Desired, InterfaceSpec, PoolSpec, Role, UnboundHosts};
use gateway_common::{PortRange, Prefix};
use gateway_tests::link::Interface;

use super::abi::Traffic;
use super::path::{FRAME, INSIDE, INSIDE_LENGTH, Path, REMOTE};

/// Where phones begin: a /12 holds 1,048,576 of them.
const FIRST_PRIVATE: u32 = u32::from_be_bytes(INSIDE.octets());
/// Where public addresses begin.
const FIRST_PUBLIC: u32 = u32::from_be_bytes([198, 18, 0, 0]);
/// Ports below are nobody's.
const FIRST_PORT: u32 = 1024;

/// A number of phones with as many ports each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Phones {
    count: u32,
    ports: u32,
}

impl Phones {
    /// So many phones with ranges of 256 ports: a million of them fill 3,969 addresses.
    pub(crate) const fn many(count: u32) -> Self {
        Self { count, ports: 256 }
    }

    /// 1,000 phones with ranges of 1,024 ports.
    pub(crate) const fn thousand() -> Self {
        Self {
            count: 1000,
            ports: 1024,
        }
    }

    const fn per_address(self) -> u32 {
        (65536 - FIRST_PORT) / self.ports
    }

    /// How many public addresses they need.
    pub(crate) const fn addresses(self) -> u32 {
        self.count.div_ceil(self.per_address())
    }

    /// How many public ports each has.
    pub(crate) const fn ports(self) -> u32 {
        self.ports
    }

    fn binding(self, number: u32) -> Result<BindingSpec> {
        let first = FIRST_PORT + number % self.per_address() * self.ports;
        let ports = PortRange::new(
            u16::try_from(first)?,
            u16::try_from(first + self.ports - 1)?,
        )
        .map_err(|why| anyhow!("{why}"))?;
        Ok(BindingSpec {
            private: Ipv4Addr::from(FIRST_PRIVATE + number),
            public: Ipv4Addr::from(FIRST_PUBLIC + number / self.per_address()),
            ports,
        })
    }

    /// All bindings.
    pub(crate) fn bindings(self) -> Result<Vec<BindingSpec>> {
        (0..self.count).map(|number| self.binding(number)).collect()
    }

    /// What the dataplane of the path's router is to be, with a pool of `addresses`.
    pub(crate) fn desired(self, path: &Path, addresses: u32) -> Result<Desired> {
        let network = Prefix::new(INSIDE, INSIDE_LENGTH)
            .ok_or_else(|| anyhow!("the inside network is no prefix"))?;
        let inside = Role::Inside {
            networks: vec![network],
            unbound_hosts: UnboundHosts::Drop,
        };
        let pool = (0..addresses).map(|number| PoolSpec {
            address: Ipv4Addr::from(FIRST_PUBLIC + number),
            shared: false,
        });
        Ok(Desired {
            interfaces: vec![
                interface(&path.inside, inside)?,
                interface(&path.outside, Role::Outside)?,
            ],
            pool: pool.collect(),
            bindings: self.bindings()?,
            icmp_error_rate: 100,
        })
    }

    /// Packets of this kind from or to these phones, `flows` of them for the generator.
    pub(crate) fn traffic(self, kind: u32, flows: u32) -> Traffic {
        Traffic {
            kind,
            phones: self.count,
            phones_per_address: self.per_address(),
            ports_per_phone: self.ports,
            first_private: FIRST_PRIVATE,
            first_public: FIRST_PUBLIC,
            first_port: FIRST_PORT,
            first_remote: REMOTE.into(),
            flows,
            stride: stride(flows),
            ip_length: FRAME as u32 - 14,
            ..Traffic::default()
        }
    }
}

fn interface(link: &Interface, role: Role) -> Result<InterfaceSpec> {
    let ifindex = link.index()?;
    Ok(InterfaceSpec {
        name: link.name.clone(),
        ifindex,
        port_ifindex: ifindex,
        port_name: link.name.clone(),
        tags: Vec::new(),
        ethernet: true,
        mac: link.mac,
        mtu: gateway_tests::link::DEFAULT_MTU,
        address: None,
        role,
    })
}

/// About the golden section of `flows` and coprime to it: jumps about, leaves none out.
fn stride(flows: u32) -> u32 {
    let golden = (f64::from(flows) * 0.618_034) as u32;
    (golden.max(1)..)
        .find(|stride| gcd(*stride, flows) == 1)
        .unwrap_or(1)
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_phones_fit() {
        let phones = Phones::many(1_000_000);
        assert_eq!(phones.addresses(), 3969);
        let last = phones.binding(999_999).unwrap();
        assert_eq!(last.private, Ipv4Addr::new(10, 31, 66, 63));
        assert_eq!(last.public, Ipv4Addr::new(198, 18, 15, 128));
    }

    #[test]
    fn every_flow_has_its_turn() {
        for flows in [1, 10_000, 1_000_000] {
            assert_eq!(gcd(stride(flows), flows), 1);
        }
    }
}
