//! A packet in one line of a table.

use std::net::Ipv4Addr;

use super::{Body, Ethernet, Ip, Packet, flags};

/// TPID of a VLAN tag (802.1Q).
pub(super) const TPID_VLAN: u16 = 0x8100;
/// TPID of a service tag (802.1ad).
pub(super) const TPID_SERVICE: u16 = 0x88A8;

/// A UDP datagram without data, with checksum.
pub fn udp(
    source: impl Into<Ipv4Addr>,
    source_port: u16,
    destination: impl Into<Ipv4Addr>,
    destination_port: u16,
) -> Packet {
    let (from, to) = (source_port, destination_port);
    let body = Body::Udp {
        source: from,
        destination: to,
        checksum: true,
        payload: Vec::new(),
    };
    Packet::new(source, destination, body)
}

/// A TCP segment: an acknowledgement without data, unless changed.
pub fn tcp(
    source: impl Into<Ipv4Addr>,
    source_port: u16,
    destination: impl Into<Ipv4Addr>,
    destination_port: u16,
) -> Packet {
    let body = Body::Tcp {
        source: source_port,
        destination: destination_port,
        sequence: 1,
        acknowledgement: 1,
        flags: flags::ACK,
        window: 0xFFFF,
        options: Vec::new(),
        payload: Vec::new(),
    };
    Packet::new(source, destination, body)
}

/// An SCTP packet with verification tag 1 and no chunk.
pub fn sctp(
    source: impl Into<Ipv4Addr>,
    source_port: u16,
    destination: impl Into<Ipv4Addr>,
    destination_port: u16,
) -> Packet {
    let (from, to) = (source_port, destination_port);
    let body = Body::Sctp {
        source: from,
        destination: to,
        tag: 1,
        payload: Vec::new(),
    };
    Packet::new(source, destination, body)
}

impl Packet {
    /// A packet with TTL 64, id 1 and nothing else set, between made-up Ethernet addresses.
    pub fn new(source: impl Into<Ipv4Addr>, destination: impl Into<Ipv4Addr>, body: Body) -> Self {
        let ethernet = Ethernet {
            destination: [2, 0, 0, 0, 0, 1],
            source: [2, 0, 0, 0, 0, 2],
            tags: Vec::new(),
        };
        let ip = Ip {
            tos: 0,
            id: 1,
            dont_fragment: false,
            more_fragments: false,
            fragment_offset: 0,
            ttl: 64,
            source: source.into(),
            destination: destination.into(),
            options: Vec::new(),
        };
        Self {
            ethernet,
            ip,
            body,
            padding: Vec::new(),
        }
    }

    /// Any protocol the builder does not know, such as ESP.
    pub fn raw(
        source: impl Into<Ipv4Addr>,
        destination: impl Into<Ipv4Addr>,
        protocol: u8,
        payload: &[u8],
    ) -> Self {
        Self::new(
            source,
            destination,
            Body::Raw {
                protocol,
                payload: payload.to_vec(),
            },
        )
    }

    /// Sets the Ethernet addresses.
    #[must_use]
    pub fn macs(mut self, source: [u8; 6], destination: [u8; 6]) -> Self {
        (self.ethernet.source, self.ethernet.destination) = (source, destination);
        self
    }

    /// Puts a VLAN tag with this id (0 to 4095) in front of the tags that are there.
    #[must_use]
    pub fn vlan(self, id: u16) -> Self {
        self.tag(TPID_VLAN, id)
    }

    /// A service tag with `outer` and within it a VLAN tag with `inner`.
    #[must_use]
    pub fn qinq(self, outer: u16, inner: u16) -> Self {
        self.vlan(inner).tag(TPID_SERVICE, outer)
    }

    /// Puts any tag in front of the tags that are there; the TCI has the priority in its top bits.
    #[must_use]
    pub fn tag(mut self, tpid: u16, tci: u16) -> Self {
        self.ethernet.tags.insert(0, (tpid, tci));
        self
    }

    /// Sets the source address.
    #[must_use]
    pub fn source(mut self, address: impl Into<Ipv4Addr>) -> Self {
        self.ip.source = address.into();
        self
    }

    /// Sets the destination address.
    #[must_use]
    pub fn destination(mut self, address: impl Into<Ipv4Addr>) -> Self {
        self.ip.destination = address.into();
        self
    }

    /// Sets the time to live.
    #[must_use]
    pub fn ttl(mut self, ttl: u8) -> Self {
        self.ip.ttl = ttl;
        self
    }

    /// Sets DSCP and ECN.
    #[must_use]
    pub fn tos(mut self, tos: u8) -> Self {
        self.ip.tos = tos;
        self
    }

    /// Sets the identification.
    #[must_use]
    pub fn id(mut self, id: u16) -> Self {
        self.ip.id = id;
        self
    }

    /// Sets "don't fragment".
    #[must_use]
    pub fn df(mut self) -> Self {
        self.ip.dont_fragment = true;
        self
    }

    /// Sets IP options, padded to a multiple of 4 with the end-of-options byte.
    #[must_use]
    pub fn options(mut self, options: &[u8]) -> Self {
        self.ip.options = options.to_vec();
        self.ip.options.resize(options.len().next_multiple_of(4), 0);
        self
    }

    /// Sends a UDP datagram without checksum.
    ///
    /// # Panics
    /// When the packet is not UDP.
    #[must_use]
    pub fn no_checksum(mut self) -> Self {
        let Body::Udp { checksum, .. } = &mut self.body else {
            panic!("not UDP: {self:?}")
        };
        *checksum = false;
        self
    }

    /// Sets TCP flags, sequence and acknowledgement number.
    ///
    /// # Panics
    /// When the packet is not TCP.
    #[must_use]
    pub fn segment(mut self, set: u8, seq: u32, ack: u32) -> Self {
        let Body::Tcp {
            flags,
            sequence,
            acknowledgement,
            ..
        } = &mut self.body
        else {
            panic!("not TCP: {self:?}");
        };
        (*flags, *sequence, *acknowledgement) = (set, seq, ack);
        self
    }

    /// Sets the data, or the chunks of SCTP, or the quote of an ICMP error.
    #[must_use]
    pub fn payload(mut self, data: &[u8]) -> Self {
        let slot = match &mut self.body {
            Body::Udp { payload, .. }
            | Body::Tcp { payload, .. }
            | Body::Sctp { payload, .. }
            | Body::Echo { payload, .. }
            | Body::Raw { payload, .. }
            | Body::Icmp { quote: payload, .. } => payload,
        };
        *slot = data.to_vec();
        self
    }

    /// Sets data of `length` bytes that differ from one another.
    #[must_use]
    pub fn payload_of(self, length: usize) -> Self {
        let data: Vec<u8> = (0..length).map(|n| (n ^ (n >> 8)) as u8).collect();
        self.payload(&data)
    }

    /// Adds zero bytes behind the IP packet until the frame has `length` bytes (60 is Ethernet's
    /// least).
    #[must_use]
    pub fn pad_to(mut self, length: usize) -> Self {
        self.padding
            .resize(length.saturating_sub(self.bytes().len()), 0);
        self
    }
}
