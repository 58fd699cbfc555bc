//! What a phone is told of its range and its switch. The layout is in docs/dhcp-options.md.
//!
//! ```text
//!   option 43:                      | 1 4 public address | 2 4 first, last port | 3 2 ..
//!   option 125: | enterprise | length | the same                                             |
//!   option 159: | offset 0 | PSID length | PSID, from the left |        (RFC 7618 section 3)
//! ```

use std::net::{Ipv4Addr, SocketAddrV4};

use gateway_common::PortRange;
use ports::Grant;

/// Sub-option codes; docs/dhcp-options.md has their table.
const PUBLIC_ADDRESS: u8 = 1;
const PORT_RANGE: u8 = 2;
const SIGNALLING_PORT: u8 = 3;
const RTP_PORTS: u8 = 4;
const PRIMARY_SWITCH: u8 = 5;
const BACKUP_SWITCH: u8 = 6;

/// How a phone divides its range: the first port is for signalling, and RTP begins at the next
/// even one, so that each RTP port has its RTCP port (RFC 3550 section 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhonePorts {
    /// For SIP or H.248.
    pub signalling: u16,
    /// First port for media, even.
    pub rtp_first: u16,
    /// Last port for media, odd.
    pub rtp_last: u16,
}

impl From<PortRange> for PhonePorts {
    fn from(ports: PortRange) -> Self {
        Self {
            signalling: ports.first(),
            // A range has eight ports at least.
            rtp_first: ports.first() + 2,
            rtp_last: ports.last(),
        }
    }
}

/// What a class and a lease say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) grant: Option<Grant>,
    pub(crate) primary: Option<SocketAddrV4>,
    pub(crate) backup: Option<SocketAddrV4>,
}

/// The sub-options (RFC 2132 section 8.4), without an end.
pub(crate) fn sub_options(told: Told) -> Vec<u8> {
    let mut value = Vec::with_capacity(48);
    let mut put = |code: u8, parts: &[&[u8]]| {
        let length: u8 = parts
            .iter()
            .map(|part| u8::try_from(part.len()).unwrap_or(0))
            .sum();
        value.extend_from_slice(&[code, length]);
        for part in parts {
            value.extend_from_slice(part);
        }
    };
    if let Some(Grant { address, ports }) = told.grant {
        let phone = PhonePorts::from(ports);
        put(PUBLIC_ADDRESS, &[&address.octets()]);
        let ends = [ports.first(), ports.last()].map(u16::to_be_bytes);
        put(PORT_RANGE, &[&ends[0], &ends[1]]);
        put(SIGNALLING_PORT, &[&phone.signalling.to_be_bytes()]);
        let ends = [phone.rtp_first, phone.rtp_last].map(u16::to_be_bytes);
        put(RTP_PORTS, &[&ends[0], &ends[1]]);
    }
    for (code, switch) in [(PRIMARY_SWITCH, told.primary), (BACKUP_SWITCH, told.backup)] {
        if let Some(switch) = switch {
            put(code, &[&switch.ip().octets(), &switch.port().to_be_bytes()]);
        }
    }
    value
}

/// The same as option 125 has it (RFC 3925 section 4): under an enterprise number.
pub(crate) fn vendor_identifying(enterprise: u32, sub_options: &[u8]) -> Vec<u8> {
    let length = u8::try_from(sub_options.len()).unwrap_or(u8::MAX);
    let mut value = enterprise.to_be_bytes().to_vec();
    value.push(length);
    value.extend_from_slice(&sub_options[..usize::from(length)]);
    value
}

/// Option 159's value: an aligned block is a port set without offset, whose PSID are the bits that
/// all its ports share.
pub(crate) fn port_parameters(ports: PortRange) -> [u8; 4] {
    let free_bits = u8::try_from(ports.ports().trailing_zeros()).unwrap_or(0);
    let [high, low] = ports.first().to_be_bytes();
    [0, 16 - free_bits, high, low]
}

/// Reads option 159's value; `None` when it is no single block.
#[cfg(test)]
fn read_port_parameters([offset, length, high, low]: [u8; 4]) -> Option<PortRange> {
    let ports = 1u32.checked_shl(16u32.checked_sub(length.into())?)?;
    let first = u16::from_be_bytes([high, low]);
    let last = u16::try_from(u32::from(first) + ports - 1).ok()?;
    (offset == 0).then(|| PortRange::new(first, last).ok())?
}

/// For tests and tools: the public address and range in sub-options.
#[must_use]
pub fn read_grant(sub_options: &[u8]) -> Option<(Ipv4Addr, PortRange)> {
    let (mut address, mut range) = (None, None);
    let mut area = sub_options;
    while let [code, length, rest @ ..] = area {
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        match (*code, value) {
            (PUBLIC_ADDRESS, [a, b, c, d]) => address = Some(Ipv4Addr::new(*a, *b, *c, *d)),
            (PORT_RANGE, [a, b, c, d]) => {
                let [first, last] = [[*a, *b], [*c, *d]].map(u16::from_be_bytes);
                range = PortRange::new(first, last).ok();
            }
            _ => {}
        }
        area = rest;
    }
    address.zip(range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told() -> Told {
        Told {
            grant: Some(Grant {
                address: Ipv4Addr::new(192, 0, 2, 1),
                ports: PortRange::new(40000, 40063).expect("a range"),
            }),
            primary: Some(SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 10), 5060)),
            backup: Some(SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 11), 2944)),
        }
    }

    #[test]
    fn bytes_of_the_document() {
        let value = sub_options(told());
        let expected = [
            &[1, 4, 192, 0, 2, 1][..],
            &[2, 4, 0x9c, 0x40, 0x9c, 0x7f],
            &[3, 2, 0x9c, 0x40],
            &[4, 4, 0x9c, 0x42, 0x9c, 0x7f],
            &[5, 6, 203, 0, 113, 10, 0x13, 0xc4],
            &[6, 6, 203, 0, 113, 11, 0x0b, 0x80],
        ];
        assert_eq!(value, expected.concat());
        assert_eq!(
            read_grant(&value),
            told().grant.map(|g| (g.address, g.ports))
        );
        let identifying = vendor_identifying(32473, &value);
        assert_eq!(identifying[..5], [0, 0, 0x7e, 0xd9, 38]);
        assert_eq!(identifying[5..], value);
    }

    #[test]
    fn bytes_of_option_159() {
        let range = PortRange::new(16384, 16447).expect("a range");
        assert_eq!(port_parameters(range), [0x00, 0x0a, 0x40, 0x00]);
        assert!(
            PortRange::new(20000, 20063).is_err(),
            "it could not be said"
        );
    }

    proptest! {
        #[test]
        fn every_range_can_be_said(first: u16, order in 3u32..=15) {
            let ports = 1u16 << order;
            let first = first & !(ports - 1);
            if let Ok(range) = PortRange::new(first, first + (ports - 1)) {
                prop_assert_eq!(read_port_parameters(port_parameters(range)), Some(range));
            }
        }
    }
}
