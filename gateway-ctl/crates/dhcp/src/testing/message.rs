//! Clients' messages, and the server's as clients read them.

use std::net::Ipv4Addr;

use dhcproto::{Decodable as _, Decoder};
use ports::Grant;

use super::site::{DESK, mac};
use crate::mac::Hardware;
use crate::wire::options::Options;
use crate::wire::vendor::read_grant;

/// Types of DHCP messages (RFC 2132 section 9.6).
pub mod kind {
    /// DHCPDISCOVER.
    pub const DISCOVER: u8 = 1;
    /// DHCPOFFER.
    pub const OFFER: u8 = 2;
    /// DHCPREQUEST.
    pub const REQUEST: u8 = 3;
    /// DHCPDECLINE.
    pub const DECLINE: u8 = 4;
    /// DHCPACK.
    pub const ACK: u8 = 5;
    /// DHCPNAK.
    pub const NAK: u8 = 6;
    /// DHCPRELEASE.
    pub const RELEASE: u8 = 7;
    /// DHCPINFORM.
    pub const INFORM: u8 = 8;
}

/// A client's message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Hardware type and address.
    pub hardware: Hardware,
    /// Transaction.
    pub xid: u32,
    /// `flags`.
    pub flags: u16,
    /// `hops`.
    pub hops: u8,
    /// `ciaddr`.
    pub ciaddr: Ipv4Addr,
    /// `giaddr`.
    pub giaddr: Ipv4Addr,
    /// In this order.
    pub options: Vec<(u8, Vec<u8>)>,
    /// Whether there is the magic cookie and an end.
    pub cookie: bool,
}

impl Message {
    /// A message of this type; 0: of none, as BOOTP clients send.
    #[must_use]
    pub fn new(kind: u8, number: u32) -> Self {
        let options = match kind {
            0 => Vec::new(),
            kind => vec![(53, vec![kind])],
        };
        Self {
            hardware: mac(number).into(),
            xid: number ^ 0x5a5a_0000,
            flags: 0,
            hops: 0,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            giaddr: Ipv4Addr::UNSPECIFIED,
            options,
            cookie: true,
        }
    }

    /// A desk phone's message.
    #[must_use]
    pub fn desk(kind: u8, number: u32) -> Self {
        Self::new(kind, number).with(60, DESK)
    }

    /// A desk phone looks for a server.
    #[must_use]
    pub fn discover(number: u32) -> Self {
        Self::desk(kind::DISCOVER, number).with(55, &[1, 3, 6, 43])
    }

    /// A desk phone asks.
    #[must_use]
    pub fn request(number: u32) -> Self {
        Self::desk(kind::REQUEST, number).with(55, &[1, 3, 6, 43])
    }

    /// With an option.
    #[must_use]
    pub fn with(mut self, code: u8, value: &[u8]) -> Self {
        self.options.push((code, value.to_vec()));
        self
    }

    /// Without an option.
    #[must_use]
    pub fn without(mut self, code: u8) -> Self {
        self.options.retain(|(found, _)| *found != code);
        self
    }

    /// Asks for an address (option 50).
    #[must_use]
    pub fn asking(self, address: Ipv4Addr) -> Self {
        self.with(50, &address.octets())
    }

    /// To this server (option 54).
    #[must_use]
    pub fn to_server(self, address: Ipv4Addr) -> Self {
        self.with(54, &address.octets())
    }

    /// From a client that has an address.
    #[must_use]
    pub fn from(mut self, ciaddr: Ipv4Addr) -> Self {
        self.ciaddr = ciaddr;
        self
    }

    /// Through a relay.
    #[must_use]
    pub fn via(mut self, giaddr: Ipv4Addr) -> Self {
        self.giaddr = giaddr;
        self.hops = 1;
        self
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = u8::try_from(self.hardware.address().len()).unwrap_or(0);
        let mut bytes = vec![1, self.hardware.kind(), length, self.hops];
        bytes.extend(self.xid.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(self.flags.to_be_bytes());
        bytes.extend(self.ciaddr.octets());
        bytes.extend([0; 8]);
        bytes.extend(self.giaddr.octets());
        bytes.extend(self.hardware.address());
        bytes.resize(236, 0);
        if self.cookie {
            bytes.extend(dhcproto::v4::MAGIC);
        }
        for (code, value) in &self.options {
            for part in value.chunks(255) {
                bytes.push(*code);
                bytes.push(u8::try_from(part.len()).unwrap_or(0));
                bytes.extend(part);
            }
            if value.is_empty() {
                bytes.extend([*code, 0]);
            }
        }
        if self.cookie {
            bytes.push(255);
        }
        bytes.resize(bytes.len().max(300), 0);
        bytes
    }
}

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Type of the message; 0: BOOTP.
    pub kind: u8,
    /// Transaction.
    pub xid: u32,
    /// `flags`.
    pub flags: u16,
    /// `yiaddr`.
    pub yiaddr: Ipv4Addr,
    /// `ciaddr`.
    pub ciaddr: Ipv4Addr,
    /// `siaddr`.
    pub siaddr: Ipv4Addr,
    /// `giaddr`.
    pub giaddr: Ipv4Addr,
    /// `file`, up to its end.
    pub file: Vec<u8>,
    /// Options in the order they are sent; parts are joined.
    pub options: Vec<(u8, Vec<u8>)>,
    /// Size of the message, bytes.
    pub size: usize,
}

impl Told {
    /// Reads a reply as strictly as can be.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn read(payload: &[u8]) -> Self {
        assert!(payload.len() >= 300, "a reply of {} bytes", payload.len());
        let message = dhcproto::v4::Message::decode(&mut Decoder::new(payload));
        let message = message.expect("dhcproto reads it");
        assert_eq!(payload[0], 2, "a reply");
        assert_eq!(payload[236..240], dhcproto::v4::MAGIC);
        let (file, sname) = (&payload[108..236], &payload[44..108]);
        let options = Options::read(&payload[240..], file, sname).expect("whole options");
        let overload = options.get(52).is_some();
        let file = file.split(|byte| *byte == 0).next().unwrap_or_default();
        let kind = options.get(53).map_or(0, |value| value[0]);
        Self {
            kind,
            xid: message.xid(),
            flags: message.flags().into(),
            yiaddr: message.yiaddr(),
            ciaddr: message.ciaddr(),
            siaddr: message.siaddr(),
            giaddr: message.giaddr(),
            file: if overload { Vec::new() } else { file.to_vec() },
            options: options
                .iter()
                .map(|(code, value)| (code, value.to_vec()))
                .collect(),
            size: payload.len(),
        }
    }

    /// An option's value.
    #[must_use]
    pub fn option(&self, code: u8) -> Option<&[u8]> {
        let found = self.options.iter().find(|(found, _)| *found == code);
        found.map(|(_, value)| value.as_slice())
    }

    /// An option of four bytes.
    #[must_use]
    pub fn number(&self, code: u8) -> Option<u32> {
        self.option(code)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// The range in option 43.
    #[must_use]
    pub fn grant(&self) -> Option<Grant> {
        let (address, ports) = read_grant(self.option(43)?)?;
        Some(Grant { address, ports })
    }

    /// Codes of the options, in the order they are sent.
    #[must_use]
    pub fn codes(&self) -> Vec<u8> {
        self.options.iter().map(|(code, _)| *code).collect()
    }
}
