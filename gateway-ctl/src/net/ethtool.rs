//! A device's offloads, by ethtool's netlink family.

use std::io;

use nix::libc;
use nix::sys::socket::SockProtocol;

use super::netlink::{Netlink, attributes, put_attribute, text, u16_at};

/// Names of the features that are on (`large-receive-offload`, `rx-gro-hw`, ...).
///
/// # Errors
/// When the kernel has no ethtool netlink family, or does not know the device.
pub(crate) fn enabled_features(device: &str) -> io::Result<Vec<String>> {
    // linux/ethtool_netlink.h
    const ETHTOOL_MSG_FEATURES_GET: u8 = 11;
    const ETHTOOL_A_FEATURES_HEADER: u16 = 1;
    const ETHTOOL_A_FEATURES_ACTIVE: u16 = 4;
    const ETHTOOL_A_HEADER_DEV_NAME: u16 = 2;

    let mut netlink = Netlink::open(SockProtocol::NetlinkGeneric, 0)?;
    let family = family(&mut netlink, "ethtool")?;
    let mut header = Vec::new();
    put_attribute(&mut header, ETHTOOL_A_HEADER_DEV_NAME, &c_string(device));
    let mut body = vec![ETHTOOL_MSG_FEATURES_GET, 1, 0, 0];
    put_attribute(&mut body, ETHTOOL_A_FEATURES_HEADER | NESTED, &header);
    let answer = netlink.ask(family, &body)?;
    let active = attributes(answer.body.get(4..).unwrap_or_default())
        .find(|(kind, _)| *kind == ETHTOOL_A_FEATURES_ACTIVE)
        .map(|(_, value)| bit_names(value));
    Ok(active.unwrap_or_default())
}

const NESTED: u16 = 1 << 15;

/// The names in a verbose bit set: those listed are on.
fn bit_names(bit_set: &[u8]) -> Vec<String> {
    const ETHTOOL_A_BITSET_BITS: u16 = 3;
    const ETHTOOL_A_BITSET_BIT_NAME: u16 = 2;
    attributes(bit_set)
        .filter(|(kind, _)| *kind == ETHTOOL_A_BITSET_BITS)
        .flat_map(|(_, bits)| attributes(bits))
        .flat_map(|(_, bit)| attributes(bit))
        .filter(|(kind, _)| *kind == ETHTOOL_A_BITSET_BIT_NAME)
        .map(|(_, name)| text(name))
        .collect()
}

/// The number of a generic netlink family.
fn family(netlink: &mut Netlink, name: &str) -> io::Result<u16> {
    let mut body = vec![
        u8::try_from(libc::CTRL_CMD_GETFAMILY).unwrap_or_default(),
        1,
        0,
        0,
    ];
    put_attribute(
        &mut body,
        u16::try_from(libc::CTRL_ATTR_FAMILY_NAME).unwrap_or_default(),
        &c_string(name),
    );
    let answer = netlink.ask(u16::try_from(libc::GENL_ID_CTRL).unwrap_or_default(), &body)?;
    attributes(answer.body.get(4..).unwrap_or_default())
        .find(|(kind, _)| i32::from(*kind) == libc::CTRL_ATTR_FAMILY_ID)
        .and_then(|(_, value)| u16_at(value, 0))
        .ok_or_else(|| io::Error::other(format!("no netlink family {name}")))
}

fn c_string(text: &str) -> Vec<u8> {
    text.bytes().chain([0]).collect()
}
