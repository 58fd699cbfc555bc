//! From a packet to bytes.

use super::checksum::{crc32c, internet, transport};
use super::{Body, Ip, Packet};

/// EtherType of IPv4.
pub(super) const ETHERTYPE_IPV4: u16 = 0x0800;
/// Bytes of an IPv4 header without options.
pub(super) const IP_HEADER: usize = 20;
/// Flags in the word of the fragment offset.
pub(super) const DONT_FRAGMENT: u16 = 0x4000;
pub(super) const MORE_FRAGMENTS: u16 = 0x2000;

impl Packet {
    /// The Ethernet frame.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut frame = Vec::new();
        frame.extend_from_slice(&self.ethernet.destination);
        frame.extend_from_slice(&self.ethernet.source);
        for (tpid, tci) in &self.ethernet.tags {
            frame.extend_from_slice(&tpid.to_be_bytes());
            frame.extend_from_slice(&tci.to_be_bytes());
        }
        frame.extend_from_slice(&ETHERTYPE_IPV4.to_be_bytes());
        frame.extend_from_slice(&self.ip_bytes());
        frame.extend_from_slice(&self.padding);
        frame
    }

    /// The IP packet alone, as devices without Ethernet header carry it.
    #[must_use]
    pub fn ip_bytes(&self) -> Vec<u8> {
        let body = self.body_bytes();
        let mut bytes = self.ip.header(self.body.protocol(), body.len());
        bytes.extend_from_slice(&body);
        bytes
    }

    /// What stands behind the IP header, checksums filled in.
    #[must_use]
    pub fn body_bytes(&self) -> Vec<u8> {
        match &self.body {
            Body::Udp {
                source,
                destination,
                checksum,
                payload,
            } => {
                let length = (8 + payload.len()) as u16;
                let mut bytes = words(&[*source, *destination, length, 0]);
                bytes.extend_from_slice(payload);
                if *checksum {
                    // Zero would mean "none" (RFC 768).
                    let sum = self.transport_checksum(&bytes);
                    put(&mut bytes, 6, if sum == 0 { 0xFFFF } else { sum });
                }
                bytes
            }
            Body::Tcp {
                source,
                destination,
                sequence,
                acknowledgement,
                flags,
                window,
                options,
                payload,
            } => {
                let mut bytes = words(&[*source, *destination]);
                bytes.extend_from_slice(&sequence.to_be_bytes());
                bytes.extend_from_slice(&acknowledgement.to_be_bytes());
                let data_offset = (20 + options.len()) / 4;
                bytes.extend_from_slice(&[(data_offset as u8) << 4, *flags]);
                bytes.extend_from_slice(&words(&[*window, 0, 0]));
                bytes.extend_from_slice(options);
                bytes.extend_from_slice(payload);
                let sum = self.transport_checksum(&bytes);
                put(&mut bytes, 16, sum);
                bytes
            }
            Body::Sctp {
                source,
                destination,
                tag,
                payload,
            } => {
                let mut bytes = words(&[*source, *destination]);
                bytes.extend_from_slice(&tag.to_be_bytes());
                bytes.extend_from_slice(&[0; 4]);
                bytes.extend_from_slice(payload);
                let sum = crc32c(&[&bytes]);
                bytes[8..12].copy_from_slice(&sum);
                bytes
            }
            Body::Echo {
                reply,
                identifier,
                sequence,
                payload,
            } => {
                let rest = (u32::from(*identifier) << 16) | u32::from(*sequence);
                icmp_bytes(if *reply { 0 } else { 8 }, 0, rest, payload)
            }
            Body::Icmp {
                kind,
                code,
                rest,
                quote,
            } => icmp_bytes(*kind, *code, *rest, quote),
            Body::Raw { payload, .. } => payload.clone(),
        }
    }

    fn transport_checksum(&self, segment: &[u8]) -> u16 {
        transport(
            self.ip.source,
            self.ip.destination,
            self.body.protocol(),
            segment,
        )
    }
}

impl Ip {
    fn header(&self, protocol: u8, body: usize) -> Vec<u8> {
        let length = IP_HEADER + self.options.len();
        let mut fragment = self.fragment_offset / 8;
        if self.dont_fragment {
            fragment |= DONT_FRAGMENT;
        }
        if self.more_fragments {
            fragment |= MORE_FRAGMENTS;
        }
        let mut bytes = vec![0x40 | (length / 4) as u8, self.tos];
        bytes.extend_from_slice(&words(&[(length + body) as u16, self.id, fragment]));
        bytes.extend_from_slice(&[self.ttl, protocol, 0, 0]);
        bytes.extend_from_slice(&self.source.octets());
        bytes.extend_from_slice(&self.destination.octets());
        bytes.extend_from_slice(&self.options);
        let sum = internet(&[&bytes]);
        put(&mut bytes, 10, sum);
        bytes
    }
}

fn icmp_bytes(kind: u8, code: u8, rest: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, code, 0, 0];
    bytes.extend_from_slice(&rest.to_be_bytes());
    bytes.extend_from_slice(data);
    let sum = internet(&[&bytes]);
    put(&mut bytes, 2, sum);
    bytes
}

fn words(values: &[u16]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_be_bytes())
        .collect()
}

fn put(bytes: &mut [u8], offset: usize, value: u16) {
    bytes[offset..offset + 2].copy_from_slice(&value.to_be_bytes());
}
