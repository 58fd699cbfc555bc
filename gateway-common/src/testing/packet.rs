//! Packets for the tests' tables, every checksum summed over the whole.

use std::boxed::Box;
use std::vec::Vec;

use crate::headers::{icmp, ipv4, protocol};

/// An IPv4 packet. Expected ones are clones with other addresses.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) source: u32,
    pub(crate) destination: u32,
    pub(crate) ttl: u8,
    pub(crate) tos: u8,
    pub(crate) id: u16,
    /// DF, or 0.
    pub(crate) flags: u16,
    pub(crate) options: Vec<u8>,
    pub(crate) body: Body,
    /// Start and end of the fragment that this is; both multiples of 8 or the end.
    pub(crate) cut: Option<(usize, usize)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Udp {
        ports: [u16; 2],
        checksum: bool,
        data: Vec<u8>,
    },
    Tcp {
        ports: [u16; 2],
        data: Vec<u8>,
    },
    Sctp {
        ports: [u16; 2],
        data: Vec<u8>,
    },
    Echo {
        kind: u8,
        id: u16,
        data: Vec<u8>,
    },
    /// Type, code, second word, quoted packet and how much of its transport header.
    Error {
        kind: u8,
        code: u8,
        rest: u32,
        quoted: Box<Sample>,
        keep: usize,
    },
    Raw {
        protocol: u8,
        data: Vec<u8>,
    },
}

impl Sample {
    pub(crate) fn new(source: u32, destination: u32, body: Body) -> Self {
        Self {
            source,
            destination,
            ttl: 64,
            tos: 0xb8,
            id: 0x1234,
            flags: 0,
            options: vec![],
            body,
            cut: None,
        }
    }

    /// With other addresses and one hop on.
    pub(crate) fn forwarded(&self, source: u32, destination: u32) -> Self {
        Self {
            source,
            destination,
            ttl: self.ttl - 1,
            ..self.clone()
        }
    }

    pub(crate) fn ttl(self, ttl: u8) -> Self {
        Self { ttl, ..self }
    }

    pub(crate) fn df(self) -> Self {
        Self {
            flags: ipv4::DF,
            ..self
        }
    }

    /// With `words` words of options (no-operation).
    pub(crate) fn options(self, words: usize) -> Self {
        Self {
            options: vec![1; 4 * words],
            ..self
        }
    }

    /// The part of it from `start` to `end` of its body.
    pub(crate) fn cut(self, start: usize, end: usize) -> Self {
        Self {
            cut: Some((start, end)),
            ..self
        }
    }

    /// With another echo identifier.
    pub(crate) fn echo_id(mut self, new: u16) -> Self {
        if let Body::Echo { id, .. } = &mut self.body {
            *id = new;
        }
        self
    }

    /// An ICMP error with another packet in it.
    pub(crate) fn quoting(mut self, packet: Self) -> Self {
        if let Body::Error { quoted, .. } = &mut self.body {
            **quoted = packet;
        }
        self
    }

    /// Source and destination address and port changed about, as an answer has them.
    pub(crate) fn turned(&self) -> Self {
        let mut turned = self.clone();
        (turned.source, turned.destination) = (self.destination, self.source);
        match &mut turned.body {
            Body::Udp { ports, .. } | Body::Tcp { ports, .. } | Body::Sctp { ports, .. } => {
                ports.reverse();
            }
            Body::Echo { kind, .. } => *kind = icmp::ECHO_REQUEST - *kind,
            Body::Error { quoted, .. } => **quoted = quoted.turned(),
            Body::Raw { .. } => {}
        }
        turned
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let body = self.body_bytes();
        let (start, end) = self.cut.unwrap_or((0, body.len()));
        let more = if end < body.len() { ipv4::MF } else { 0 };
        let header = ipv4::HEADER + self.options.len();
        let words = [
            (header as u16 / 4 + 0x40) << 8 | u16::from(self.tos),
            (header + end - start) as u16,
            self.id,
            self.flags | more | (start / 8) as u16,
            u16::from(self.ttl) << 8 | u16::from(self.protocol()),
            0,
        ];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.extend(self.source.to_be_bytes());
        bytes.extend(self.destination.to_be_bytes());
        bytes.extend(&self.options);
        put_checksum(&mut bytes, 10, &[]);
        bytes.extend(&body[start..end]);
        bytes
    }

    fn protocol(&self) -> u8 {
        match self.body {
            Body::Udp { .. } => protocol::UDP,
            Body::Tcp { .. } => protocol::TCP,
            Body::Sctp { .. } => protocol::SCTP,
            Body::Echo { .. } | Body::Error { .. } => protocol::ICMP,
            Body::Raw { protocol, .. } => protocol,
        }
    }

    fn body_bytes(&self) -> Vec<u8> {
        match &self.body {
            Body::Udp {
                ports,
                checksum,
                data,
            } => self.udp(*ports, *checksum, data),
            Body::Tcp { ports, data } => {
                let rest = [0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 0x20, 0, 0, 0, 0, 0];
                let mut bytes = [&halves(*ports)[..], &rest, data].concat();
                put_checksum(&mut bytes, 16, &self.pseudo_header(20 + data.len()));
                bytes
            }
            Body::Sctp { ports, data } => [&halves(*ports)[..], b"tag.CRC.", data].concat(),
            Body::Echo { kind, id, data } => icmp(*kind, 0, u32::from(*id) << 16 | 1, data),
            Body::Error {
                kind,
                code,
                rest,
                quoted,
                keep,
            } => {
                let mut quote = quoted.bytes();
                quote.truncate(ipv4::HEADER + quoted.options.len() + keep);
                icmp(*kind, *code, *rest, &quote)
            }
            Body::Raw { data, .. } => data.clone(),
        }
    }

    fn udp(&self, ports: [u16; 2], checksum: bool, data: &[u8]) -> Vec<u8> {
        let length = 8 + data.len();
        let mut bytes = [&halves(ports)[..], &halves([length as u16, 0]), data].concat();
        if checksum {
            put_checksum(&mut bytes, 6, &self.pseudo_header(length));
            if bytes[6..8] == [0, 0] {
                bytes[6..8].fill(0xff);
            }
        }
        bytes
    }

    fn pseudo_header(&self, length: usize) -> Vec<u8> {
        let mut bytes = vec![];
        bytes.extend(self.source.to_be_bytes());
        bytes.extend(self.destination.to_be_bytes());
        bytes.extend([0, self.protocol()]);
        bytes.extend((length as u16).to_be_bytes());
        bytes
    }
}

fn icmp(kind: u8, code: u8, rest: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = [&[kind, code, 0, 0], &rest.to_be_bytes()[..], data].concat();
    put_checksum(&mut bytes, 2, &[]);
    bytes
}

fn halves([a, b]: [u16; 2]) -> [u8; 4] {
    (u32::from(a) << 16 | u32::from(b)).to_be_bytes()
}

/// RFC 1071 over `bytes` and the pseudo header, into the zero field at `at`.
fn put_checksum(bytes: &mut [u8], at: usize, pseudo_header: &[u8]) {
    let mut sum = 0u64;
    for part in [pseudo_header, bytes] {
        for word in part.chunks(2) {
            sum += u64::from(word[0]) << 8 | u64::from(*word.get(1).unwrap_or(&0));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    bytes[at..at + 2].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}

pub(crate) fn udp(source: u32, from: u16, destination: u32, to: u16) -> Sample {
    let body = Body::Udp {
        ports: [from, to],
        checksum: true,
        data: b"INVITE sip:".to_vec(),
    };
    Sample::new(source, destination, body)
}

/// UDP without checksum.
pub(crate) fn bare_udp(source: u32, from: u16, destination: u32, to: u16) -> Sample {
    let body = Body::Udp {
        ports: [from, to],
        checksum: false,
        data: b"RTP".to_vec(),
    };
    Sample::new(source, destination, body)
}

pub(crate) fn tcp(source: u32, from: u16, destination: u32, to: u16) -> Sample {
    let body = Body::Tcp {
        ports: [from, to],
        data: b"GET /".to_vec(),
    };
    Sample::new(source, destination, body)
}

pub(crate) fn sctp(source: u32, from: u16, destination: u32, to: u16) -> Sample {
    let body = Body::Sctp {
        ports: [from, to],
        data: b"chunk".to_vec(),
    };
    Sample::new(source, destination, body)
}

pub(crate) fn echo_request(source: u32, destination: u32, id: u16) -> Sample {
    echo(source, destination, icmp::ECHO_REQUEST, id)
}

pub(crate) fn echo_reply(source: u32, destination: u32, id: u16) -> Sample {
    echo(source, destination, icmp::ECHO_REPLY, id)
}

fn echo(source: u32, destination: u32, kind: u8, id: u16) -> Sample {
    let data = b"abcdefg".to_vec();
    Sample::new(source, destination, Body::Echo { kind, id, data })
}

pub(crate) fn raw(source: u32, destination: u32, protocol: u8, data: &[u8]) -> Sample {
    let data = data.to_vec();
    Sample::new(source, destination, Body::Raw { protocol, data })
}

/// "Port unreachable" about `quoted`, with so many bytes behind its IP header.
pub(crate) fn unreachable(source: u32, destination: u32, quoted: Sample, keep: usize) -> Sample {
    let body = Body::Error {
        kind: icmp::UNREACHABLE,
        code: 3,
        rest: 0,
        quoted: Box::new(quoted),
        keep,
    };
    Sample::new(source, destination, body)
}

/// "Fragmentation needed" about all of `quoted`.
pub(crate) fn frag_needed(source: u32, destination: u32, quoted: Sample) -> Sample {
    let body = Body::Error {
        kind: icmp::UNREACHABLE,
        code: icmp::FRAGMENTATION_NEEDED,
        rest: 1400,
        quoted: Box::new(quoted),
        keep: usize::MAX / 2,
    };
    Sample::new(source, destination, body)
}
