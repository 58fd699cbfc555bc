//! From bytes back to a packet, with every checksum recomputed over the whole of what it covers.

use std::net::Ipv4Addr;

use super::build::{TPID_SERVICE, TPID_VLAN};
use super::checksum::{crc32c, internet, transport};
use super::encode::{DONT_FRAGMENT, ETHERTYPE_IPV4, IP_HEADER, MORE_FRAGMENTS};
use super::{Body, Ethernet, Ip, Packet, protocol};

/// Most tags that the gateway knows: a service tag and a VLAN tag.
const MOST_TAGS: usize = 2;
const UDP_HEADER: usize = 8;
const TCP_HEADER: usize = 20;
const SCTP_HEADER: usize = 12;
const ICMP_HEADER: usize = 8;

/// Decodes an Ethernet frame that carries IPv4.
///
/// In an ICMP error the quoted IP header's checksum is verified too, and that of the quoted
/// segment where all of it is quoted. A fragment's segment cannot be verified alone: see
/// [`super::reassemble`].
///
/// # Errors
/// The first thing that is wrong: a length, a version, a checksum with got and expected value.
pub fn check(frame: &[u8]) -> Result<Packet, String> {
    let (ethernet, rest) = ethernet(frame)?;
    let (ip, body, padding) = packet(rest)?;
    Ok(Packet {
        ethernet,
        ip,
        body,
        padding: padding.to_vec(),
    })
}

/// Decodes an IPv4 packet without Ethernet header; the result has the builder's made-up one.
///
/// # Errors
/// As [`check`].
pub fn check_ip(bytes: &[u8]) -> Result<Packet, String> {
    let (ip, body, padding) = packet(bytes)?;
    let mut whole = Packet::new(ip.source, ip.destination, body);
    whole.ip = ip;
    whole.padding = padding.to_vec();
    Ok(whole)
}

fn ethernet(frame: &[u8]) -> Result<(Ethernet, &[u8]), String> {
    let (&destination, rest) = frame
        .split_first_chunk()
        .ok_or("frame without destination")?;
    let (&source, mut rest) = rest.split_first_chunk().ok_or("frame without source")?;
    let mut tags = Vec::new();
    loop {
        let (kind, behind) = rest.split_first_chunk().ok_or("frame without EtherType")?;
        match u16::from_be_bytes(*kind) {
            ETHERTYPE_IPV4 => {
                return Ok((
                    Ethernet {
                        destination,
                        source,
                        tags,
                    },
                    behind,
                ));
            }
            tpid @ (TPID_VLAN | TPID_SERVICE) if tags.len() < MOST_TAGS => {
                let (tci, behind) = behind.split_first_chunk().ok_or("tag without TCI")?;
                tags.push((tpid, u16::from_be_bytes(*tci)));
                rest = behind;
            }
            other => return Err(format!("EtherType: got {other:#06x}, expected IPv4")),
        }
    }
}

/// An IPv4 packet and what follows it.
fn packet(bytes: &[u8]) -> Result<(Ip, Body, &[u8]), String> {
    let Header {
        ip,
        protocol,
        header,
        total,
    } = ip_header(bytes)?;
    if total > bytes.len() {
        return Err(format!(
            "IP total length {total}, but there are {} bytes",
            bytes.len()
        ));
    }
    let (inside, padding) = bytes.split_at(total);
    let body = body(&ip, protocol, &inside[header..])?;
    Ok((ip, body, padding))
}

struct Header {
    ip: Ip,
    protocol: u8,
    /// Length of the header in bytes, options included.
    header: usize,
    /// Length of the packet in bytes, as it says itself.
    total: usize,
}

fn ip_header(bytes: &[u8]) -> Result<Header, String> {
    if bytes.len() < IP_HEADER {
        return Err(format!(
            "IP header: got {} bytes, expected {IP_HEADER}",
            bytes.len()
        ));
    }
    let (version, header) = (bytes[0] >> 4, usize::from(bytes[0] & 15) * 4);
    if version != 4 || header < IP_HEADER || header > bytes.len() {
        return Err(format!(
            "IP version {version}, header of {header} in {} bytes",
            bytes.len()
        ));
    }
    expect_zero("IP header", internet(&[&bytes[..header]]), word(bytes, 10))?;
    let total = usize::from(word(bytes, 2));
    if total < header {
        return Err(format!(
            "IP total length {total} is less than the header's {header}"
        ));
    }
    let fragment = word(bytes, 6);
    if fragment & 0x8000 != 0 {
        return Err("IP: the reserved flag is set".to_owned());
    }
    let ip = Ip {
        tos: bytes[1],
        id: word(bytes, 4),
        dont_fragment: fragment & DONT_FRAGMENT != 0,
        more_fragments: fragment & MORE_FRAGMENTS != 0,
        fragment_offset: (fragment & 0x1FFF) * 8,
        ttl: bytes[8],
        source: address(bytes, 12),
        destination: address(bytes, 16),
        options: bytes[IP_HEADER..header].to_vec(),
    };
    Ok(Header {
        ip,
        protocol: bytes[9],
        header,
        total,
    })
}

/// What the packet with header `ip` carries in `bytes`.
pub(super) fn body(ip: &Ip, protocol: u8, bytes: &[u8]) -> Result<Body, String> {
    if ip.more_fragments || ip.fragment_offset > 0 {
        return Ok(Body::Raw {
            protocol,
            payload: bytes.to_vec(),
        });
    }
    match protocol {
        protocol::UDP => udp(ip, bytes),
        protocol::TCP => tcp(ip, bytes),
        protocol::SCTP => sctp(bytes),
        protocol::ICMP => icmp(bytes),
        _ => Ok(Body::Raw {
            protocol,
            payload: bytes.to_vec(),
        }),
    }
}

fn udp(ip: &Ip, bytes: &[u8]) -> Result<Body, String> {
    at_least("UDP", bytes, UDP_HEADER)?;
    let (length, field) = (usize::from(word(bytes, 4)), word(bytes, 6));
    if length != bytes.len() {
        return Err(format!(
            "UDP length: got {length}, expected {}",
            bytes.len()
        ));
    }
    if field != 0 {
        let sum = transport(ip.source, ip.destination, protocol::UDP, bytes);
        expect_zero("UDP", sum, field)?;
    }
    Ok(Body::Udp {
        source: word(bytes, 0),
        destination: word(bytes, 2),
        checksum: field != 0,
        payload: bytes[UDP_HEADER..].to_vec(),
    })
}

fn tcp(ip: &Ip, bytes: &[u8]) -> Result<Body, String> {
    at_least("TCP", bytes, TCP_HEADER)?;
    let header = usize::from(bytes[12] >> 4) * 4;
    if header < TCP_HEADER || header > bytes.len() {
        return Err(format!("TCP header of {header} in {} bytes", bytes.len()));
    }
    let sum = transport(ip.source, ip.destination, protocol::TCP, bytes);
    expect_zero("TCP", sum, word(bytes, 16))?;
    Ok(Body::Tcp {
        source: word(bytes, 0),
        destination: word(bytes, 2),
        sequence: double(bytes, 4),
        acknowledgement: double(bytes, 8),
        flags: bytes[13],
        window: word(bytes, 14),
        options: bytes[TCP_HEADER..header].to_vec(),
        payload: bytes[header..].to_vec(),
    })
}

fn sctp(bytes: &[u8]) -> Result<Body, String> {
    at_least("SCTP", bytes, SCTP_HEADER)?;
    let (got, expected) = (&bytes[8..12], crc32c(&[&bytes[..8], &[0; 4], &bytes[12..]]));
    if got != expected {
        return Err(format!(
            "SCTP CRC32c: got {got:02x?}, expected {expected:02x?}"
        ));
    }
    Ok(Body::Sctp {
        source: word(bytes, 0),
        destination: word(bytes, 2),
        tag: double(bytes, 4),
        payload: bytes[SCTP_HEADER..].to_vec(),
    })
}

fn icmp(bytes: &[u8]) -> Result<Body, String> {
    at_least("ICMP", bytes, ICMP_HEADER)?;
    expect_zero("ICMP", internet(&[bytes]), word(bytes, 2))?;
    let (kind, code, data) = (bytes[0], bytes[1], bytes[ICMP_HEADER..].to_vec());
    if matches!((kind, code), (0 | 8, 0)) {
        let (identifier, sequence) = (word(bytes, 4), word(bytes, 6));
        return Ok(Body::Echo {
            reply: kind == 0,
            identifier,
            sequence,
            payload: data,
        });
    }
    if matches!(kind, 3 | 4 | 5 | 11 | 12) {
        quote(&data).map_err(|why| format!("quoted in an ICMP error: {why}"))?;
    }
    Ok(Body::Icmp {
        kind,
        code,
        rest: double(bytes, 4),
        quote: data,
    })
}

/// Verifies what an ICMP error quotes, as far as it goes.
fn quote(bytes: &[u8]) -> Result<(), String> {
    let Header {
        ip,
        protocol,
        header,
        total,
    } = ip_header(bytes)?;
    match bytes.get(header..total) {
        Some(all) => body(&ip, protocol, all).map(drop),
        // Not all is quoted: there is nothing to sum over.
        None => Ok(()),
    }
}

impl Packet {
    /// The packet that an ICMP error quotes: its header and whatever is quoted of its body, the
    /// latter as raw bytes.
    ///
    /// # Errors
    /// When this is no ICMP error, or the quoted header is wrong.
    pub fn quoted(&self) -> Result<Self, String> {
        let Body::Icmp { quote, .. } = &self.body else {
            return Err(format!("not an ICMP error: {:?}", self.body));
        };
        let Header {
            ip,
            protocol,
            header,
            total,
        } = ip_header(quote)?;
        let payload = quote[header..total.min(quote.len())].to_vec();
        let mut inner = Self::new(ip.source, ip.destination, Body::Raw { protocol, payload });
        inner.ip = ip;
        Ok(inner)
    }
}

fn at_least(what: &str, bytes: &[u8], length: usize) -> Result<(), String> {
    if bytes.len() < length {
        return Err(format!(
            "{what} header: got {} bytes, expected {length}",
            bytes.len()
        ));
    }
    Ok(())
}

/// `sum` is the checksum over bytes that hold `field`: zero if that is right.
fn expect_zero(what: &str, sum: u16, field: u16) -> Result<(), String> {
    if sum == 0 {
        return Ok(());
    }
    // Both are one's complement: take the field out of the sum to see what it should have been.
    let without = u32::from(sum) + u32::from(field);
    let expected = (without & 0xFFFF) + (without >> 16);
    Err(format!(
        "{what} checksum: got {field:#06x}, expected {expected:#06x}"
    ))
}

fn word(bytes: &[u8], offset: usize) -> u16 {
    u16::from_be_bytes([bytes[offset], bytes[offset + 1]])
}

fn double(bytes: &[u8], offset: usize) -> u32 {
    (u32::from(word(bytes, offset)) << 16) | u32::from(word(bytes, offset + 2))
}

fn address(bytes: &[u8], offset: usize) -> Ipv4Addr {
    Ipv4Addr::from(double(bytes, offset))
}
