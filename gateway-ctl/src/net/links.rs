//! Links and their IPv4 addresses, and word of their changes (rtnetlink(7)).

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use gateway_common::abi::VlanTag;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage};
use rtnetlink::packet_route::link::{
    InfoData, InfoVlan, LinkAttribute, LinkFlags, LinkInfo, LinkLayerType, LinkMessage,
    VlanProtocol,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::proto::Connection;
use rtnetlink::{Handle, MulticastGroup};

use super::netlink::{answered, closed};

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
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
    ///
    /// # Errors
    /// When it cannot be asked, or refuses.
    pub(crate) async fn read() -> io::Result<Self> {
        let (connection, handle, _notices) = rtnetlink::new_connection()?;
        answered(connection, ask(&handle)).await
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

async fn ask(handle: &Handle) -> io::Result<Links> {
    let answers = handle.link().get().execute();
    let mut links: Vec<Link> = answers.map_ok(link).try_collect().await.map_err(error)?;
    let mut question = handle.address().get();
    question.message_mut().header.family = AddressFamily::Inet;
    let answers = question.execute();
    let messages: Vec<AddressMessage> = answers.try_collect().await.map_err(error)?;
    for message in messages {
        let header = &message.header;
        let of = links.iter_mut().find(|link| link.index == header.index);
        if let Some((link, address)) = of.zip(address(&message)) {
            link.addresses.push((address, header.prefix_len));
        }
    }
    links.sort_by_key(|link| link.index);
    Ok(Links(links))
}

/// The kernel's own word where it gave one.
fn error(error: rtnetlink::Error) -> io::Error {
    match error {
        rtnetlink::Error::NetlinkError(refusal) => refusal.to_io(),
        other => io::Error::other(other),
    }
}

fn link(message: LinkMessage) -> Link {
    let header = message.header;
    let mut link = Link {
        index: header.index,
        name: String::new(),
        vlan: None,
        mac: None,
        mtu: 0,
        ethernet: header.link_layer_type == LinkLayerType::Ether,
        up: header.flags.contains(LinkFlags::Up),
        carrier: header.flags.contains(LinkFlags::LowerUp),
        addresses: Vec::new(),
    };
    let (mut under, mut tag) = (None, None);
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name = name,
            LinkAttribute::Mtu(mtu) => link.mtu = mtu,
            LinkAttribute::Address(mac) => link.mac = mac.try_into().ok(),
            LinkAttribute::Link(index) => under = Some(index),
            LinkAttribute::LinkInfo(info) => tag = vlan_tag(&info),
            _ => {}
        }
    }
    // A veth's IFLA_LINK is its peer: only VLAN devices lie on top of theirs.
    link.vlan = tag.zip(under);
    link
}

fn vlan_tag(info: &[LinkInfo]) -> Option<VlanTag> {
    let data = info.iter().find_map(|info| match info {
        LinkInfo::Data(InfoData::Vlan(data)) => Some(data),
        _ => None,
    })?;
    let mut tag = VlanTag {
        tpid: VlanProtocol::Ieee8021Q.into(),
        vid: 0,
    };
    for attribute in data {
        match attribute {
            InfoVlan::Id(vid) => tag.vid = *vid,
            InfoVlan::Protocol(protocol) => tag.tpid = (*protocol).into(),
            _ => {}
        }
    }
    Some(tag)
}

fn address(message: &AddressMessage) -> Option<Ipv4Addr> {
    let mut own = None;
    for attribute in &message.attributes {
        // IFA_ADDRESS is the peer's on point-to-point links; IFA_LOCAL is ours.
        match attribute {
            AddressAttribute::Local(IpAddr::V4(address)) => own = Some(*address),
            AddressAttribute::Address(IpAddr::V4(address)) if own.is_none() => {
                own = Some(*address);
            }
            _ => {}
        }
    }
    own
}

/// Hears of changes of links and addresses.
pub(crate) struct Watch {
    connection: Connection<RouteNetlinkMessage>,
    notices: BoxStream<'static, ()>,
}

impl Watch {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the kernel cannot be listened to.
    pub(crate) fn start() -> io::Result<Self> {
        let groups = [MulticastGroup::Link, MulticastGroup::Ipv4Ifaddr];
        let (connection, _, notices) = rtnetlink::new_multicast_connection(&groups)?;
        Ok(Self {
            connection,
            // What has changed does not matter, so neither do notices lost in a burst: the
            // socket's overrun comes as a notice too.
            notices: notices.map(|_| ()).boxed(),
        })
    }

    /// Waits until something changes.
    ///
    /// # Errors
    /// When nothing more will be heard.
    pub(crate) async fn changed(&mut self) -> io::Result<()> {
        tokio::select! {
            () = &mut self.connection => Err(closed()),
            notice = self.notices.next() => notice.ok_or_else(closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use rtnetlink::packet_route::link::InfoKind;

    use super::*;

    fn message(index: u32, attributes: Vec<LinkAttribute>) -> LinkMessage {
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.header.link_layer_type = LinkLayerType::Ether;
        message.header.flags = LinkFlags::Up;
        message.attributes = attributes;
        message
    }

    #[test]
    fn a_vlan_device_names_its_tag_and_the_device_under_it() {
        let data = vec![
            InfoVlan::Protocol(VlanProtocol::Ieee8021Ad),
            InfoVlan::Id(10),
        ];
        let made = link(message(
            3,
            vec![
                LinkAttribute::IfName("eth1.10".to_owned()),
                LinkAttribute::Mtu(1496),
                LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1]),
                LinkAttribute::LinkInfo(vec![
                    LinkInfo::Kind(InfoKind::Vlan),
                    LinkInfo::Data(InfoData::Vlan(data)),
                ]),
                LinkAttribute::Link(2),
            ],
        ));
        let tag = VlanTag {
            tpid: 0x88a8,
            vid: 10,
        };
        let expected = Link {
            index: 3,
            name: "eth1.10".to_owned(),
            vlan: Some((tag, 2)),
            mac: Some([2, 0, 0, 0, 0, 1]),
            mtu: 1496,
            ethernet: true,
            up: true,
            carrier: false,
            addresses: Vec::new(),
        };
        assert_eq!(made, expected);
    }

    #[test]
    fn the_peer_of_a_veth_is_not_under_it() {
        let kind = LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth)]);
        let made = link(message(3, vec![LinkAttribute::Link(2), kind]));
        assert_eq!(made.vlan, None);
    }

    #[test]
    fn our_end_of_a_point_to_point_link_is_the_address() {
        let (ours, theirs) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
        let mut message = AddressMessage::default();
        message.attributes = vec![
            AddressAttribute::Address(theirs.into()),
            AddressAttribute::Local(ours.into()),
        ];
        assert_eq!(address(&message), Some(ours));
        message.attributes.truncate(1);
        assert_eq!(address(&message), Some(theirs));
    }

    #[tokio::test]
    async fn the_kernel_tells_of_its_loopback() {
        let links = Links::read().await.unwrap();
        let loopback = links.named("lo").unwrap();
        assert!(!loopback.ethernet);
        assert_eq!(links.at(loopback.index), Some(loopback));
    }
}
