//! Frames that the kernel cannot make: to a client without an address, and ARP probes.

use std::net::Ipv4Addr;

use gateway_common::checksum::fold;
use gateway_common::headers::{ethernet, ipv4, protocol, udp};

/// An Ethernet address.
pub(super) type Mac = [u8; 6];

/// To all stations.
pub(super) const BROADCAST: Mac = [0xff; 6];

/// ARP over Ethernet for IPv4 (RFC 826).
mod arp {
    /// Its EtherType.
    pub(super) const ETHERTYPE: u16 = 0x0806;
    /// Hardware Ethernet, protocol IPv4, lengths 6 and 4.
    pub(super) const PREAMBLE: [u8; 6] = [0, 1, 8, 0, 6, 4];
    /// Bytes of the packet.
    pub(super) const LENGTH: usize = 28;
    /// Offset of the sender's IPv4 address.
    pub(super) const SENDER: usize = 14;
}

const TTL: u8 = 64;

/// Ethernet, IPv4 and UDP around a payload; without DF, so that a reply passes a link
/// with tags.
pub(super) fn udp(
    macs: (Mac, Mac),
    addresses: (Ipv4Addr, Ipv4Addr),
    ports: (u16, u16),
    payload: &[u8],
) -> Option<Vec<u8>> {
    let length = u16::try_from(udp::HEADER + payload.len()).ok()?;
    let total = length.checked_add(u16::try_from(ipv4::HEADER).ok()?)?;
    let (from, to) = addresses;

    let mut header = [0; ipv4::HEADER];
    header[ipv4::VERSION_IHL] = 0x45;
    header[ipv4::TOTAL_LENGTH..][..2].copy_from_slice(&total.to_be_bytes());
    header[ipv4::TTL] = TTL;
    header[ipv4::PROTOCOL] = protocol::UDP;
    header[ipv4::SOURCE..][..4].copy_from_slice(&from.octets());
    header[ipv4::DESTINATION..][..4].copy_from_slice(&to.octets());
    let checksum = !fold(sum(&header));
    header[ipv4::CHECKSUM..][..2].copy_from_slice(&checksum.to_be_bytes());

    let mut datagram = [0; udp::HEADER];
    datagram[..2].copy_from_slice(&ports.0.to_be_bytes());
    datagram[2..4].copy_from_slice(&ports.1.to_be_bytes());
    datagram[4..6].copy_from_slice(&length.to_be_bytes());
    // The pseudo header (RFC 768): addresses, protocol, length.
    let pseudo = sum(&header[ipv4::SOURCE..]) + u32::from(protocol::UDP) + u32::from(length);
    let checksum = match !fold(pseudo + sum(&datagram) + sum(payload)) {
        0 => 0xffff,
        other => other,
    };
    datagram[udp::CHECKSUM..].copy_from_slice(&checksum.to_be_bytes());

    let mut frame = ethernet(macs, ethernet::IPV4, usize::from(total));
    for part in [&header[..], &datagram, payload] {
        frame.extend_from_slice(part);
    }
    Some(frame)
}

/// Who has this address? Asked without saying who we are (RFC 5227 section 2.1.1), so that
/// nobody learns it.
pub(super) fn arp_probe(own: Mac, address: Ipv4Addr) -> Vec<u8> {
    let mut frame = ethernet((own, BROADCAST), arp::ETHERTYPE, arp::LENGTH);
    frame.extend_from_slice(&arp::PREAMBLE);
    frame.extend_from_slice(&[0, 1]);
    frame.extend_from_slice(&own);
    frame.extend_from_slice(&[0; 10]);
    frame.extend_from_slice(&address.octets());
    frame
}

/// The address that the sender of an ARP frame has; `None`: none, or it is no such frame.
pub(super) fn arp_sender(frame: &[u8]) -> Option<Ipv4Addr> {
    let packet = frame.get(ethernet::HEADER..)?;
    if packet.get(..6)? != arp::PREAMBLE {
        return None;
    }
    let octets: [u8; 4] = packet.get(arp::SENDER..arp::SENDER + 4)?.try_into().ok()?;
    let sender = Ipv4Addr::from(octets);
    (!sender.is_unspecified()).then_some(sender)
}

fn ethernet((source, destination): (Mac, Mac), ethertype: u16, room: usize) -> Vec<u8> {
    let mut frame = Vec::with_capacity(ethernet::HEADER + room);
    frame.extend_from_slice(&destination);
    frame.extend_from_slice(&source);
    frame.extend_from_slice(&ethertype.to_be_bytes());
    frame
}

/// Sum of 16-bit words (RFC 1071), an odd byte padded. A datagram's cannot overflow.
pub(super) fn sum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks(2);
    let word = |pair: &[u8]| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
    words.map(|pair| u32::from(word(pair))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Mac = [2, 0, 0, 0, 0, 1];
    const THEIRS: Mac = [2, 0, 0, 0, 0, 2];

    #[test]
    fn a_reply_has_sums_that_come_out() {
        let (from, to) = (Ipv4Addr::new(10, 10, 0, 1), Ipv4Addr::new(10, 10, 0, 21));
        for payload in [&b"odd"[..], b"even", &[0; 300]] {
            let frame = udp((OURS, THEIRS), (from, to), (67, 68), payload).unwrap();
            assert_eq!(frame[..6], THEIRS);
            let packet = &frame[14..];
            assert_eq!(fold(sum(&packet[..20])), 0xffff);
            let datagram = &packet[20..];
            let length = u32::try_from(datagram.len()).unwrap();
            let pseudo = sum(&packet[12..20]) + 17 + length;
            assert_eq!(fold(pseudo + sum(datagram)), 0xffff);
            assert_eq!(datagram[..4], [0, 67, 0, 68]);
            assert_eq!(&datagram[8..], payload);
        }
        assert_eq!(udp((OURS, THEIRS), (from, to), (67, 68), &[0; 65536]), None);
    }

    #[test]
    fn a_probe_names_nobody_and_an_answer_its_sender() {
        let address = Ipv4Addr::new(10, 10, 0, 21);
        let probe = arp_probe(OURS, address);
        assert_eq!(probe.len(), 42);
        assert_eq!(arp_sender(&probe), None);
        let mut answer = probe;
        answer[14 + 14..][..4].copy_from_slice(&address.octets());
        assert_eq!(arp_sender(&answer), Some(address));
        assert_eq!(arp_sender(&answer[..30]), None);
        answer[14] = 9;
        assert_eq!(arp_sender(&answer), None);
    }
}
