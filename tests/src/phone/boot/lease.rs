//! What a DHCPACK tells a phone: its address, its range (`docs/dhcp-options.md`, vendor-specific
//! sub-options), and where its files are.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use crate::dhcp::message::{Message, code};

const SUBNET_MASK: u8 = 1;
const ROUTERS: u8 = 3;
const VENDOR: u8 = 43;
const TFTP_SERVER: u8 = 66;
const BOOT_FILE: u8 = 67;
const VENDOR_BY_ENTERPRISE: u8 = 125;
const TFTP_ADDRESSES: u8 = 150;

/// What a phone has been leased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Its address.
    pub address: Ipv4Addr,
    /// Bits of its network.
    pub prefix: u8,
    /// The way out.
    pub router: Option<Ipv4Addr>,
    /// Who leased it.
    pub server: Option<Ipv4Addr>,
    /// For how long; none for ever.
    pub time: Option<Duration>,
    /// The public address.
    pub public: Option<Ipv4Addr>,
    /// First and last port of its range.
    pub ports: Option<(u16, u16)>,
    /// Soft switches, the primary first.
    pub switches: Vec<SocketAddrV4>,
    /// Where files are.
    pub tftp: Option<Ipv4Addr>,
    /// What to boot.
    pub boot_file: Option<String>,
}

impl Lease {
    /// Reads a DHCPACK.
    #[must_use]
    pub fn of(ack: &Message) -> Self {
        let mut lease = Self {
            address: ack.yiaddr,
            prefix: address(ack.find(SUBNET_MASK))
                .map_or(32, |mask| mask.to_bits().count_ones() as u8),
            router: address(ack.find(ROUTERS)),
            server: ack.server(),
            time: seconds(ack.lease_time()),
            public: None,
            ports: None,
            switches: Vec::new(),
            tftp: tftp_server(ack),
            boot_file: text(ack.find(BOOT_FILE)).or_else(|| text(Some(&ack.boot_file))),
        };
        let enterprise = ack.find(VENDOR_BY_ENTERPRISE).and_then(by_enterprise);
        for (code, value) in sub_options(ack.find(VENDOR).or(enterprise).unwrap_or_default()) {
            match (code, value) {
                (1, value) => lease.public = address(Some(value)),
                (2, [a, b, c, d]) => {
                    lease.ports = Some((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])))
                }
                (5 | 6, [a, b, c, d, high, low]) => {
                    let port = u16::from_be_bytes([*high, *low]);
                    let switch = SocketAddrV4::new(Ipv4Addr::new(*a, *b, *c, *d), port);
                    lease.switches.push(switch);
                }
                _ => {}
            }
        }
        lease
    }
}

fn address(bytes: Option<&[u8]>) -> Option<Ipv4Addr> {
    let first: [u8; 4] = bytes?.get(..4)?.try_into().ok()?;
    Some(first.into())
}

/// All ones are for ever.
fn seconds(time: Option<u32>) -> Option<Duration> {
    let time = time.filter(|time| *time != u32::MAX)?;
    Some(Duration::from_secs(time.into()))
}

fn text(bytes: Option<&[u8]>) -> Option<String> {
    let bytes = bytes.filter(|bytes| !bytes.is_empty())?;
    Some(
        String::from_utf8_lossy(bytes)
            .trim_end_matches('\0')
            .to_owned(),
    )
}

/// By address (150), by a name that is one (66), by `siaddr`, and else who leased.
fn tftp_server(ack: &Message) -> Option<Ipv4Addr> {
    let named = text(ack.find(TFTP_SERVER)).and_then(|name| name.parse().ok());
    let next = Some(ack.siaddr).filter(|next| !next.is_unspecified());
    address(ack.find(TFTP_ADDRESSES))
        .or(named)
        .or(next)
        .or(ack.server())
}

/// The first enterprise's sub-options (RFC 3925).
fn by_enterprise(option: &[u8]) -> Option<&[u8]> {
    let length = usize::from(*option.get(4)?);
    option.get(5..5 + length)
}

fn sub_options(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let [code, length, rest @ ..] = bytes {
        let Some((value, behind)) = rest.split_at_checked(usize::from(*length)) else {
            break;
        };
        found.push((*code, value));
        bytes = behind;
    }
    found
}

/// What a phone asks for.
pub(super) const WISHES: &[u8] = &[
    SUBNET_MASK,
    ROUTERS,
    VENDOR,
    code::LEASE_TIME,
    TFTP_SERVER,
    BOOT_FILE,
    VENDOR_BY_ENTERPRISE,
    TFTP_ADDRESSES,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::message::kind;

    fn ack() -> Message {
        let mut ack = Message::of(kind::ACK, [2, 0, 0, 0, 0, 1], 7)
            .option(code::SERVER, &[10, 0, 0, 1])
            .option(code::LEASE_TIME, &[0, 0, 14, 16])
            .option(SUBNET_MASK, &[255, 255, 0, 0])
            .option(ROUTERS, &[10, 0, 0, 254]);
        (ack.reply, ack.yiaddr) = (true, Ipv4Addr::new(10, 0, 0, 9));
        ack
    }

    const RANGE: [u8; 12] = [1, 4, 192, 0, 2, 1, 2, 4, 0x9c, 0x40, 0x9c, 0x7f];

    #[test]
    fn all_that_is_told() {
        let switches = [
            5, 6, 203, 0, 113, 10, 0x13, 0xc4, 6, 6, 203, 0, 113, 11, 0x0b, 0x80,
        ];
        let lease = Lease::of(
            &ack()
                .option(VENDOR, &[&RANGE[..], &[99, 1, 0], &switches].concat())
                .option(TFTP_SERVER, b"10.0.0.3")
                .option(BOOT_FILE, b"image.bin\0"),
        );
        assert_eq!(
            (lease.address, lease.prefix),
            (Ipv4Addr::new(10, 0, 0, 9), 16)
        );
        assert_eq!(lease.router, Some(Ipv4Addr::new(10, 0, 0, 254)));
        assert_eq!(lease.time, Some(Duration::from_secs(3600)));
        assert_eq!(lease.public, Some(Ipv4Addr::new(192, 0, 2, 1)));
        assert_eq!(lease.ports, Some((40_000, 40_063)));
        let switches: Vec<String> = lease.switches.iter().map(ToString::to_string).collect();
        assert_eq!(switches, ["203.0.113.10:5060", "203.0.113.11:2944"]);
        assert_eq!(lease.tftp, Some(Ipv4Addr::new(10, 0, 0, 3)));
        assert_eq!(lease.boot_file.as_deref(), Some("image.bin"));
    }

    #[test]
    fn the_range_may_come_by_enterprise_or_not_at_all() {
        let enterprise = [&[0, 0, 0x7e, 0xd9, 12][..], &RANGE].concat();
        let lease = Lease::of(&ack().option(VENDOR_BY_ENTERPRISE, &enterprise));
        assert_eq!(lease.ports, Some((40_000, 40_063)));
        let bare = Lease::of(&ack().option(VENDOR, &[2, 9, 1]));
        assert_eq!(
            (bare.ports, bare.public, bare.boot_file),
            (None, None, None)
        );
        assert_eq!(bare.tftp, Some(Ipv4Addr::new(10, 0, 0, 1)));
    }
}
