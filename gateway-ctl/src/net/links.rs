//! Links and their IPv4 addresses, and word of their changes (rtnetlink(7)).

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd};

use gateway_common::abi::VlanTag;
use nix::libc;
use nix::sys::socket::SockProtocol;

use super::netlink::{Message, Netlink, attributes, text, u16_at, u32_at};

/// `struct ifinfomsg` and `struct ifaddrmsg`.
const LINK_HEADER: usize = 16;
const ADDRESS_HEADER: usize = 8;
/// Multicast groups, as bits: links, IPv4 addresses.
const GROUPS: u32 = (1 << (libc::RTNLGRP_LINK - 1)) | (1 << (libc::RTNLGRP_IPV4_IFADDR - 1));

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// Kind by which it was made (`veth`, `vlan`); empty for hardware.
    pub(crate) kind: String,
    /// The tag of a VLAN device and the device under it.
    pub(crate) vlan: Option<(VlanTag, u32)>,
    pub(crate) mac: Option<[u8; 6]>,
    /// Largest IP packet, bytes.
    pub(crate) mtu: u32,
    /// Frames have an Ethernet header.
    pub(crate) ethernet: bool,
    /// Administratively up.
    pub(crate) up: bool,
    /// The other end is there.
    pub(crate) carrier: bool,
    /// IPv4 addresses and lengths of their networks, in the kernel's order.
    pub(crate) addresses: Vec<(Ipv4Addr, u8)>,
}

/// All links, by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Links(Vec<Link>);

impl Links {
    /// Asks the kernel.
    pub(crate) fn read() -> io::Result<Self> {
        let mut netlink = Netlink::open(SockProtocol::NetlinkRoute, 0)?;
        let mut links: Vec<Link> = netlink
            .dump(libc::RTM_GETLINK, &[0; LINK_HEADER])?
            .iter()
            .filter_map(link)
            .collect();
        let mut filter = [0; ADDRESS_HEADER];
        filter[0] = u8::try_from(libc::AF_INET).unwrap_or_default();
        for message in netlink.dump(libc::RTM_GETADDR, &filter)? {
            let Some((index, address, length)) = address(&message) else {
                continue;
            };
            if let Some(link) = links.iter_mut().find(|link| link.index == index) {
                link.addresses.push((address, length));
            }
        }
        links.sort_by_key(|link| link.index);
        Ok(Self(links))
    }

    /// The link with this name.
    pub(crate) fn named(&self, name: &str) -> Option<&Link> {
        self.0.iter().find(|link| link.name == name)
    }

    /// The link with this index.
    pub(crate) fn at(&self, index: u32) -> Option<&Link> {
        self.0.iter().find(|link| link.index == index)
    }

    /// All of them, by index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.0.iter()
    }

    /// Whether an address is one of the machine's own.
    pub(crate) fn has_address(&self, address: Ipv4Addr) -> bool {
        self.0
            .iter()
            .any(|link| link.addresses.iter().any(|(own, _)| *own == address))
    }

    #[cfg(test)]
    pub(super) fn of(links: Vec<Link>) -> Self {
        Self(links)
    }
}

fn link(message: &Message) -> Option<Link> {
    let body = &message.body;
    let index = u32_at(body, 4)?;
    let flags = u32_at(body, 8)?.cast_signed();
    let mut link = Link {
        index,
        name: String::new(),
        kind: String::new(),
        vlan: None,
        mac: None,
        mtu: 0,
        ethernet: u16_at(body, 2)? == libc::ARPHRD_ETHER,
        up: flags & libc::IFF_UP != 0,
        carrier: flags & libc::IFF_LOWER_UP != 0,
        addresses: Vec::new(),
    };
    let (mut under, mut tag) = (None, None);
    for (kind, value) in attributes(body.get(LINK_HEADER..)?) {
        match kind {
            libc::IFLA_IFNAME => link.name = text(value),
            libc::IFLA_MTU => link.mtu = u32_at(value, 0)?,
            libc::IFLA_ADDRESS => link.mac = value.try_into().ok(),
            libc::IFLA_LINK => under = u32_at(value, 0),
            libc::IFLA_LINKINFO => (link.kind, tag) = link_info(value),
            _ => {}
        }
    }
    // A veth's IFLA_LINK is its peer: only VLAN devices lie on top of theirs.
    link.vlan = tag.zip(under);
    Some(link)
}

fn link_info(bytes: &[u8]) -> (String, Option<VlanTag>) {
    let (mut kind, mut data) = (String::new(), None);
    for (attribute, value) in attributes(bytes) {
        match attribute {
            libc::IFLA_INFO_KIND => kind = text(value),
            libc::IFLA_INFO_DATA => data = Some(value),
            _ => {}
        }
    }
    let tag = data.filter(|_| kind == "vlan").and_then(vlan_tag);
    (kind, tag)
}

fn vlan_tag(bytes: &[u8]) -> Option<VlanTag> {
    // linux/if_link.h
    const IFLA_VLAN_ID: u16 = 1;
    const IFLA_VLAN_PROTOCOL: u16 = 5;
    let mut tag = VlanTag {
        tpid: 0x8100,
        vid: 0,
    };
    for (attribute, value) in attributes(bytes) {
        match attribute {
            IFLA_VLAN_ID => tag.vid = u16_at(value, 0)?,
            // Network byte order.
            IFLA_VLAN_PROTOCOL => tag.tpid = u16::from_be(u16_at(value, 0)?),
            _ => {}
        }
    }
    Some(tag)
}

fn address(message: &Message) -> Option<(u32, Ipv4Addr, u8)> {
    let body = &message.body;
    let (length, index) = (*body.get(1)?, u32_at(body, 4)?);
    let mut own = None;
    for (attribute, value) in attributes(body.get(ADDRESS_HEADER..)?) {
        // IFA_ADDRESS is the peer's on point-to-point links; IFA_LOCAL is ours.
        if attribute == libc::IFA_LOCAL || (attribute == libc::IFA_ADDRESS && own.is_none()) {
            own = <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from);
        }
    }
    Some((index, own?, length))
}

/// Hears of changes of links and addresses.
#[derive(Debug)]
pub(crate) struct Watch(Netlink);

impl Watch {
    /// Starts to listen.
    pub(crate) fn start() -> io::Result<Self> {
        Netlink::open(SockProtocol::NetlinkRoute, GROUPS).map(Self)
    }

    /// Whether something has changed since the last call.
    pub(crate) fn changed(&self) -> bool {
        self.0.drain()
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
