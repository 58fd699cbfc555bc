//! What the dataplane is to be: interfaces, public addresses, bindings.

use std::net::Ipv4Addr;

use gateway_common::abi::{VlanTag, blocks_per_address};
use gateway_common::port_range::MIN_PORTS;
use gateway_common::{PortRange, Prefix};

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    /// Inside and outside interfaces.
    pub interfaces: Vec<InterfaceSpec>,
    /// Public addresses.
    pub pool: Vec<PoolSpec>,
    /// Phones.
    pub bindings: Vec<BindingSpec>,
    /// ICMP errors sent for each second and CPU.
    pub icmp_error_rate: u32,
}

/// How much there may be. Sizes of maps are fixed when they are made: another one makes
/// new maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bindings at most.
    pub bindings: u32,
    /// Public addresses at most (2 MiB / `smallest_range` each).
    pub pool_addresses: u32,
    /// Nodes of the address tree (9 KiB each): one for each /24 with a binding or
    /// pool address.
    pub tree_nodes: u32,
    /// Ports of the smallest range, a power of two from 8.
    pub smallest_range: u16,
}

/// [`Limits::smallest_range`] where nothing else is said.
const SMALLEST_RANGE: u16 = 64;

impl Limits {
    /// Limits for so many bindings and public addresses, with the tree sized for
    /// inside networks used at a quarter or more.
    #[must_use]
    pub fn new(bindings: u32, pool_addresses: u32) -> Self {
        Self {
            bindings,
            pool_addresses,
            tree_nodes: 256 + bindings / 64 + pool_addresses / 16,
            smallest_range: SMALLEST_RANGE,
        }
    }

    /// Whether the same maps serve both: the number of bindings alone makes no map larger.
    #[must_use]
    pub fn same_maps(self, other: Self) -> bool {
        let bindings = other.bindings;
        Self { bindings, ..self } == other
    }

    /// Ports in a block of the maps are 2 to this power.
    pub(crate) fn block_shift(self) -> u32 {
        self.smallest_range.max(MIN_PORTS).ilog2()
    }

    /// How many blocks the maps have.
    pub(crate) fn blocks(self) -> u32 {
        self.pool_addresses * blocks_per_address(self.block_shift())
    }
}

/// Which side an interface is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Phones are here.
    Inside {
        /// Their networks.
        networks: Vec<Prefix>,
        /// What becomes of hosts without a binding.
        unbound_hosts: UnboundHosts,
    },
    /// The world is here.
    Outside,
}

/// What becomes of inside hosts without a binding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnboundHosts {
    /// Their packets to the world are dropped.
    #[default]
    Drop,
    /// They are left to the kernel (and its own NAT).
    Kernel,
}

/// An IP interface (`eth1.10`) and the device under it (`eth1`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceSpec {
    /// Name of the IP interface.
    pub name: String,
    /// Its index.
    pub ifindex: u32,
    /// Index of the device that frames are received on and leave by.
    pub port_ifindex: u32,
    /// Name of that device.
    pub port_name: String,
    /// VLAN tags between the two, outer first; at most two.
    pub tags: Vec<VlanTag>,
    /// Whether frames have an Ethernet header; without, tc does all the work.
    pub ethernet: bool,
    /// Ethernet address of the IP interface.
    pub mac: [u8; 6],
    /// Largest IP packet, bytes.
    pub mtu: u32,
    /// The router's own address here, source of ICMP errors.
    pub address: Option<Ipv4Addr>,
    /// Inside or outside.
    pub role: Role,
}

/// A public address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSpec {
    /// The address.
    pub address: Ipv4Addr,
    /// The router has it too: ports of no range are the kernel's.
    pub shared: bool,
}

/// A phone's binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindingSpec {
    /// Private address, in an inside network.
    pub private: Ipv4Addr,
    /// Public address, in the pool.
    pub public: Ipv4Addr,
    /// Public ports.
    pub ports: PortRange,
}
