//! Ethernet links between namespaces: veth pairs with the settings without which XDP loses or
//! spoils packets.
//!
//! | setting | why |
//! |---|---|
//! | `tx off` on both ends | a local sender's packets would carry half a checksum (CHECKSUM_PARTIAL), which a redirect forgets to complete |
//! | `tso off gso off` | XDP must see frames as they are on a wire, not merged ones of 64 KiB |
//! | `gro on`, before the *other* end goes up | gives the end NAPI: else what XDP redirects into it vanishes silently |
//! | VLAN offloads off | else a tag travels beside the packet, where XDP does not see it |
//! | as many queues at both ends | a receiver needs at least as many as its peer sends on |

use std::net::Ipv4Addr;

use anyhow::Result;

use crate::netns::Namespace;

/// The largest MTU for which a frame fits in the page that native XDP wants on veth.
pub const DEFAULT_MTU: u32 = 1500;

/// An interface inside a namespace.
#[derive(Clone, Debug)]
pub struct Interface {
    /// The namespace that it is in.
    pub ns: Namespace,
    /// Its name there, such as `eth0`.
    pub name: String,
    /// Its Ethernet address; all zero for a device without Ethernet header.
    pub mac: [u8; 6],
}

/// How a veth pair is made.
#[derive(Clone, Copy, Debug)]
pub struct VethOptions {
    /// Transmit and receive queues of each end; at least 1.
    pub queues: u32,
    /// Largest IP packet in bytes, on both ends.
    pub mtu: u32,
}

impl Default for VethOptions {
    fn default() -> Self {
        Self {
            queues: 1,
            mtu: DEFAULT_MTU,
        }
    }
}

/// One end of a pair before it exists: its namespace, interface name and Ethernet address.
pub type End<'a> = (&'a Namespace, &'a str, [u8; 6]);

/// Makes a veth pair between two namespaces; both ends are up when it returns.
///
/// # Errors
/// When `ip` or `ethtool` refuses.
pub fn veth(one: End<'_>, other: End<'_>, options: VethOptions) -> Result<(Interface, Interface)> {
    let VethOptions { queues, mtu } = options;
    let shape = |mac| {
        format!(
            "address {} mtu {mtu} numtxqueues {queues} numrxqueues {queues}",
            mac_text(mac)
        )
    };
    let (ns, name, mac) = one;
    let (peer_ns, peer_name, peer_mac) = other;
    ns.ip(&format!(
        "link add name {name} {} type veth peer name {peer_name} netns {} {}",
        shape(mac),
        peer_ns.name(),
        shape(peer_mac),
    ))?;
    let interface = |(ns, name, mac): End<'_>| Interface {
        ns: ns.clone(),
        name: name.to_owned(),
        mac,
    };
    let ends = (interface(one), interface(other));
    // All offloads before either end goes up: whether an end can be redirected into, the kernel
    // decides when it goes up, by whether its peer's GRO is on *then*.
    ends.0.without_offloads()?;
    ends.1.without_offloads()?;
    ns.ip(&format!("link set {name} up"))?;
    peer_ns.ip(&format!("link set {peer_name} up"))?;
    Ok(ends)
}

impl Interface {
    fn without_offloads(&self) -> Result<()> {
        let name = &self.name;
        self.ethtool(&format!(
            "-K {name} tx off tso off gso off gro on txvlan off rxvlan off \
             tx-vlan-stag-hw-insert off rx-vlan-stag-hw-parse off"
        ))
        .map(drop)
    }

    /// Runs `ethtool` in the interface's namespace, arguments as typed.
    ///
    /// # Errors
    /// When it fails, with what it said.
    pub fn ethtool(&self, arguments: &str) -> Result<String> {
        let words: Vec<&str> = std::iter::once("ethtool")
            .chain(arguments.split_whitespace())
            .collect();
        self.ns.run(&words)
    }

    /// Adds an address such as `10.10.0.1/16`.
    ///
    /// # Errors
    /// When `ip` refuses it.
    pub fn address(&self, address: &str) -> Result<()> {
        self.ns
            .ip(&format!("address add {address} dev {}", self.name))
            .map(drop)
    }

    /// Adds a route to `prefix` (or `default`) by way of `gateway` on this link.
    ///
    /// # Errors
    /// When `ip` refuses it.
    pub fn route(&self, prefix: &str, gateway: Ipv4Addr) -> Result<()> {
        self.ns
            .ip(&format!(
                "route add {prefix} via {gateway} dev {}",
                self.name
            ))
            .map(drop)
    }

    /// Enters a neighbour for good, so that no test depends on ARP.
    ///
    /// # Errors
    /// When `ip` refuses it.
    pub fn neighbour(&self, address: Ipv4Addr, mac: [u8; 6]) -> Result<()> {
        let (mac, name) = (mac_text(mac), &self.name);
        self.ns
            .ip(&format!(
                "neighbour replace {address} lladdr {mac} dev {name} nud permanent"
            ))
            .map(drop)
    }

    /// Sets the largest IP packet in bytes.
    ///
    /// # Errors
    /// When `ip` refuses it.
    pub fn set_mtu(&self, mtu: u32) -> Result<()> {
        self.ns
            .ip(&format!("link set {} mtu {mtu}", self.name))
            .map(drop)
    }

    /// The kernel's index of the interface in its namespace.
    ///
    /// # Errors
    /// When it is gone.
    pub fn index(&self) -> Result<u32> {
        self.statistic("ifindex")
            .map(|index| u32::try_from(index).unwrap_or(0))
    }

    /// A number below `/sys/class/net/<interface>`, such as `statistics/rx_packets` or `mtu`.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn statistic(&self, file: &str) -> Result<u64> {
        let path = format!("/sys/class/net/{}/{file}", self.name);
        let text = self.ns.enter(|| std::fs::read_to_string(&path));
        let text = anyhow::Context::with_context(text, || format!("[{}] {path}", self.ns.name()))?;
        Ok(text.trim().parse()?)
    }
}

/// Makes the VLAN device `eth1.10` over `eth1`, up, with its Ethernet address and an MTU in bytes.
///
/// `protocol` is `802.1q` or `802.1ad`. What lies below a second tag needs 4 bytes more of its MTU:
/// the kernel counts only one tag as part of the header.
///
/// # Errors
/// When `ip` refuses, or the kernel has no VLAN devices.
pub fn vlan(under: &Interface, protocol: &str, id: u16, mtu: u32) -> Result<Interface> {
    let (under_name, name) = (&under.name, format!("{}.{id}", under.name));
    under.ns.batch(&format!(
        "link add link {under_name} name {name} type vlan protocol {protocol} id {id}\n\
         link set {name} mtu {mtu} up"
    ))?;
    Ok(Interface {
        name,
        ..under.clone()
    })
}

/// Makes a bridge that forwards at once: no spanning tree, no multicast queries of its own.
///
/// # Errors
/// When `ip` refuses.
pub fn bridge(ns: &Namespace, name: &str) -> Result<()> {
    ns.batch(&format!(
        "link add name {name} type bridge stp_state 0 mcast_snooping 0\nlink set {name} up"
    ))
}

/// The Ethernet address the labs give to the interface with this IPv4 address: `02:00` and the
/// four octets, so that a capture can be read without a table.
#[must_use]
pub const fn mac_of(address: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = address.octets();
    [2, 0, a, b, c, d]
}

/// An Ethernet address as people write it.
#[must_use]
pub fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}
