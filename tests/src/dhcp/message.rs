//! DHCP messages (RFC 2131, section 2) from and to bytes, sharing nothing with the code under test.
//!
//! ```text
//!   0        1        2        3
//!   op       htype    hlen     hops
//!   xid
//!   secs              flags
//!   ciaddr   yiaddr   siaddr   giaddr      4 bytes each
//!   chaddr                                 16
//!   sname                                  64
//!   file                                   128
//!   63 82 53 63, options: code, length, bytes ... 255
//! ```

use std::net::Ipv4Addr;

/// Values of option 53 (RFC 2132, 9.6).
pub mod kind {
    /// The client looks for servers.
    pub const DISCOVER: u8 = 1;
    /// A server offers an address.
    pub const OFFER: u8 = 2;
    /// The client takes it, renews it, or asks whether it is still its own.
    pub const REQUEST: u8 = 3;
    /// The client found the address taken.
    pub const DECLINE: u8 = 4;
    /// The lease is granted.
    pub const ACK: u8 = 5;
    /// The address is not the client's.
    pub const NAK: u8 = 6;
    /// The client gives the lease back.
    pub const RELEASE: u8 = 7;
    /// The client has an address and asks for the rest.
    pub const INFORM: u8 = 8;
}

/// Option codes that messages are made with.
pub mod code {
    /// The address that the client asks for.
    pub const REQUESTED_ADDRESS: u8 = 50;
    /// In seconds.
    pub const LEASE_TIME: u8 = 51;
    /// See [`super::kind`].
    pub const MESSAGE_TYPE: u8 = 53;
    /// The server's address.
    pub const SERVER: u8 = 54;
    /// The codes that the client wants.
    pub const REQUEST_LIST: u8 = 55;
    /// What the client is.
    pub const VENDOR_CLASS: u8 = 60;
    /// Who the client is.
    pub const CLIENT_ID: u8 = 61;
    /// What the relay agent knows of the client (RFC 3046).
    pub const RELAY_AGENT: u8 = 82;
}

const COOKIE: [u8; 4] = [99, 130, 83, 99];
const BOOT_REQUEST: u8 = 1;
const BOOT_REPLY: u8 = 2;
const SERVER_NAME_BYTES: usize = 64;
const BOOT_FILE_BYTES: usize = 128;
/// Where the options start, behind the cookie.
const OPTIONS: usize = 240;
/// BOOTP's least (RFC 951): what is shorter is padded.
const LEAST: usize = 300;

/// A message. Fields are as on the wire; addresses that are not set are 0.0.0.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// From a server, else from a client.
    pub reply: bool,
    /// Relay agents that it has passed.
    pub hops: u8,
    /// The transaction.
    pub xid: u32,
    /// Seconds since the client began.
    pub secs: u16,
    /// Whether the client wants to be answered by broadcast.
    pub broadcast: bool,
    /// The client's address, if it has one.
    pub ciaddr: Ipv4Addr,
    /// "Your" address, in an answer.
    pub yiaddr: Ipv4Addr,
    /// The server to boot from.
    pub siaddr: Ipv4Addr,
    /// The relay agent.
    pub giaddr: Ipv4Addr,
    /// The client's Ethernet address.
    pub mac: [u8; 6],
    /// At most 64 bytes; without the zeros behind.
    pub server_name: Vec<u8>,
    /// At most 128 bytes; without the zeros behind.
    pub boot_file: Vec<u8>,
    /// In the order of the wire, one entry for each occurrence.
    pub options: Vec<(u8, Vec<u8>)>,
}

impl Message {
    /// A client's message without options: plain BOOTP.
    #[must_use]
    pub fn new(mac: [u8; 6], xid: u32) -> Self {
        Self {
            reply: false,
            hops: 0,
            xid,
            secs: 0,
            broadcast: false,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            yiaddr: Ipv4Addr::UNSPECIFIED,
            siaddr: Ipv4Addr::UNSPECIFIED,
            giaddr: Ipv4Addr::UNSPECIFIED,
            mac,
            server_name: Vec::new(),
            boot_file: Vec::new(),
            options: Vec::new(),
        }
    }

    /// A message of a [`kind`].
    #[must_use]
    pub fn of(kind: u8, mac: [u8; 6], xid: u32) -> Self {
        Self::new(mac, xid).option(code::MESSAGE_TYPE, &[kind])
    }

    /// DHCPDISCOVER.
    #[must_use]
    pub fn discover(mac: [u8; 6], xid: u32) -> Self {
        Self::of(kind::DISCOVER, mac, xid)
    }

    /// The DHCPREQUEST that takes `offer` in answer to this DHCPDISCOVER: with the same options,
    /// and the offer's server and address.
    #[must_use]
    pub fn request(&self, offer: &Self) -> Self {
        let mut request = self.clone();
        let kept = |(code, _): &(u8, Vec<u8>)| {
            ![code::MESSAGE_TYPE, code::REQUESTED_ADDRESS, code::SERVER].contains(code)
        };
        let rest: Vec<_> = self.options.iter().filter(|o| kept(o)).cloned().collect();
        request.options = vec![(code::MESSAGE_TYPE, vec![kind::REQUEST])];
        let server = offer.find(code::SERVER).unwrap_or_default().to_vec();
        let address = offer.yiaddr.octets().to_vec();
        request.options.push((code::SERVER, server));
        request.options.push((code::REQUESTED_ADDRESS, address));
        request.options.extend(rest);
        request
    }

    /// Adds an option behind the others.
    ///
    /// # Panics
    /// When it is longer than 255 bytes.
    #[must_use]
    pub fn option(mut self, code: u8, bytes: &[u8]) -> Self {
        assert!(bytes.len() <= 255, "option {code}: {} bytes", bytes.len());
        self.options.push((code, bytes.to_vec()));
        self
    }

    /// Sends it as a relay agent with this address would.
    #[must_use]
    pub fn relayed(mut self, giaddr: Ipv4Addr) -> Self {
        (self.giaddr, self.hops) = (giaddr, self.hops + 1);
        self
    }

    /// The first occurrence of an option.
    #[must_use]
    pub fn find(&self, code: u8) -> Option<&[u8]> {
        let found = self.options.iter().find(|(found, _)| *found == code);
        found.map(|(_, bytes)| bytes.as_slice())
    }

    /// Its [`kind`]; `None` for BOOTP.
    #[must_use]
    pub fn kind(&self) -> Option<u8> {
        self.find(code::MESSAGE_TYPE)?.first().copied()
    }

    /// The lease time (option 51), in seconds.
    #[must_use]
    pub fn lease_time(&self) -> Option<u32> {
        let bytes = self.find(code::LEASE_TIME)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    }

    /// The server's identifier (option 54).
    #[must_use]
    pub fn server(&self) -> Option<Ipv4Addr> {
        let bytes: [u8; 4] = self.find(code::SERVER)?.try_into().ok()?;
        Some(bytes.into())
    }

    /// The UDP payload, padded to 300 bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let op = if self.reply { BOOT_REPLY } else { BOOT_REQUEST };
        let mut bytes = vec![op, 1, 6, self.hops];
        bytes.extend(self.xid.to_be_bytes());
        bytes.extend(self.secs.to_be_bytes());
        bytes.extend([u8::from(self.broadcast) << 7, 0]);
        for address in [self.ciaddr, self.yiaddr, self.siaddr, self.giaddr] {
            bytes.extend(address.octets());
        }
        bytes.extend(self.mac);
        bytes.extend([0; 10]);
        bytes.extend(filled::<SERVER_NAME_BYTES>(&self.server_name));
        bytes.extend(filled::<BOOT_FILE_BYTES>(&self.boot_file));
        bytes.extend(COOKIE);
        for (code, value) in &self.options {
            bytes.extend([*code, value.len() as u8]);
            bytes.extend(value);
        }
        bytes.push(255);
        bytes.resize(bytes.len().max(LEAST), 0);
        bytes
    }

    /// Reads a UDP payload; an end option is required, as RFC 2131 does.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() < OPTIONS {
            let length = bytes.len();
            return Err(format!("got {length} bytes, expected {OPTIONS} or more"));
        }
        let (fixed, options) = bytes.split_at(OPTIONS);
        let four = |at: usize| [fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]];
        if fixed[0] != BOOT_REPLY && fixed[0] != BOOT_REQUEST {
            return Err(format!("op: got {}, expected 1 or 2", fixed[0]));
        }
        if fixed[1..3] != [1, 6] {
            return Err(format!("not Ethernet: {:?}", &fixed[1..3]));
        }
        if fixed[236..] != COOKIE {
            return Err(format!("cookie: got {:?}", &fixed[236..]));
        }
        let mut mac = [0; 6];
        mac.copy_from_slice(&fixed[28..34]);
        Ok(Self {
            reply: fixed[0] == BOOT_REPLY,
            hops: fixed[3],
            xid: u32::from_be_bytes(four(4)),
            secs: u16::from_be_bytes([fixed[8], fixed[9]]),
            broadcast: fixed[10] & 0x80 != 0,
            ciaddr: four(12).into(),
            yiaddr: four(16).into(),
            siaddr: four(20).into(),
            giaddr: four(24).into(),
            mac,
            server_name: until_zeros(&fixed[44..108]),
            boot_file: until_zeros(&fixed[108..236]),
            options: parse_options(options)?,
        })
    }
}

fn parse_options(mut bytes: &[u8]) -> Result<Vec<(u8, Vec<u8>)>, String> {
    let mut options = Vec::new();
    loop {
        bytes = match bytes {
            [0, rest @ ..] => rest,
            [255, rest @ ..] if rest.iter().all(|byte| *byte == 0) => return Ok(options),
            [255, rest @ ..] => return Err(format!("behind the end: {rest:?}")),
            [code, length, rest @ ..] => match rest.split_at_checked(usize::from(*length)) {
                Some((value, rest)) => {
                    options.push((*code, value.to_vec()));
                    rest
                }
                None => return Err(format!("option {code} of {length} in {}", rest.len())),
            },
            _ => return Err("the options have no end".to_owned()),
        };
    }
}

fn filled<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut field = [0; N];
    field[..text.len()].copy_from_slice(text);
    field
}

fn until_zeros(field: &[u8]) -> Vec<u8> {
    let length = field.iter().rposition(|byte| *byte != 0);
    field[..length.map_or(0, |last| last + 1)].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

    #[test]
    fn bytes_and_parse_are_inverse() {
        let mut message = Message::discover(MAC, 0x0102_0304)
            .option(code::VENDOR_CLASS, b"MyPhone")
            .option(200, &[])
            .relayed(Ipv4Addr::new(10, 0, 0, 2));
        (message.broadcast, message.secs) = (true, 7);
        message.boot_file = b"phone.cfg".to_vec();
        let bytes = message.bytes();
        assert_eq!(bytes.len(), LEAST);
        assert_eq!(bytes[..12], [1, 1, 6, 1, 1, 2, 3, 4, 0, 7, 0x80, 0]);
        assert_eq!(bytes[24..34], [10, 0, 0, 2, 2, 0, 0, 0, 0, 1]);
        assert_eq!(bytes[236..243], [99, 130, 83, 99, 53, 1, 1]);
        assert_eq!(Message::parse(&bytes), Ok(message));
    }

    #[test]
    fn a_request_takes_the_offer() {
        let discover = Message::discover(MAC, 1).option(code::VENDOR_CLASS, b"MyPhone");
        let mut offer = Message::of(kind::OFFER, MAC, 1).option(code::SERVER, &[10, 0, 0, 1]);
        (offer.reply, offer.yiaddr) = (true, Ipv4Addr::new(10, 0, 0, 9));
        let request = discover.request(&offer);
        assert_eq!(request.kind(), Some(kind::REQUEST));
        assert_eq!(request.server(), Some(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(
            request.find(code::REQUESTED_ADDRESS),
            Some(&[10, 0, 0, 9][..])
        );
        assert_eq!(request.find(code::VENDOR_CLASS), Some(&b"MyPhone"[..]));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = Message::discover(MAC, 1).bytes();
        let spoilt = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            Message::parse(&bytes).unwrap_err()
        };
        assert!(spoilt(0, 3).starts_with("op"));
        assert!(spoilt(2, 17).starts_with("not Ethernet"));
        assert!(spoilt(237, 0).starts_with("cookie"));
        assert!(spoilt(241, 200).starts_with("option 53 of 200"));
        assert!(spoilt(299, 1).starts_with("behind the end"));
        assert!(Message::parse(&good[..239]).is_err());
        assert!(Message::parse(&good[..243]).unwrap_err().contains("no end"));
    }
}
