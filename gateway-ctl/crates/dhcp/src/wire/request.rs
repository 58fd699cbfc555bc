//! A client's message, with everything checked that can be without knowing the client.

use std::net::Ipv4Addr;

use dhcproto::v4::borrowed::Message;
use dhcproto::v4::{MAGIC, MessageType, Opcode};

use super::code;
use super::options::{Options, relay_address};
use crate::client::ClientKey;
use crate::counters::Kind;
use crate::ignored::Ignored;
use crate::mac::Hardware;

/// Most bytes of a message: more than an Ethernet frame, less than what an attacker might wish.
pub(crate) const MOST_BYTES: usize = 2048;
/// Smallest datagram that every client takes (RFC 2131 section 2).
const LEAST_DATAGRAM: u16 = 576;
/// Bytes of `flags` that mean: do not send to my address (RFC 2131 section 2).
pub(crate) const BROADCAST: u16 = 0x8000;
/// The sub-options of option 82 that say where the client is (RFC 3527) and who we are (RFC 5107).
const LINK_SELECTION: u8 = 5;
const SERVER_OVERRIDE: u8 = 11;

/// A client's message.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    header: Message<'a>,
    options: Options<'a>,
    /// Whether there are options at all: BOOTP clients may know none.
    pub(crate) has_options: bool,
    pub(crate) kind: Kind,
    pub(crate) hardware: Hardware,
    pub(crate) key: ClientKey,
    /// Option 50.
    pub(crate) requested: Option<Ipv4Addr>,
    /// Option 54.
    pub(crate) server: Option<Ipv4Addr>,
}

impl<'a> Request<'a> {
    pub(crate) fn parse(payload: &'a [u8]) -> Result<Self, Ignored> {
        if payload.len() > MOST_BYTES {
            return Err(Ignored::TooLong);
        }
        let header = Message::new(payload).map_err(|_| Ignored::TooShort)?;
        if header.opcode() != Opcode::BootRequest {
            return Err(Ignored::NotARequest);
        }
        // dhcproto would panic in chaddr().
        if usize::from(header.hlen()) > Hardware::MOST {
            return Err(Ignored::BadHardware);
        }
        // Its type is read from the bytes: dhcproto takes 37 for 23.
        let hardware = Hardware::new(payload[1], header.chaddr()).ok_or(Ignored::BadHardware)?;
        // A BOOTP client may have something of its own instead of options.
        let has_options = payload[236..240] == MAGIC;
        let options = match has_options {
            true => Options::read(&payload[240..], &payload[108..236], &payload[44..108])?,
            false => Options::default(),
        };
        let kind = kind(&options)?;
        let identifier = options.get(code::CLIENT_IDENTIFIER);
        let key = identifier.and_then(ClientKey::from_identifier);
        let key = key.or_else(|| ClientKey::from_hardware(&hardware));
        Ok(Self {
            kind,
            hardware,
            key: key.ok_or(Ignored::NoIdentity)?,
            requested: options.address(code::REQUESTED_ADDRESS)?,
            server: options.address(code::SERVER_IDENTIFIER)?,
            header,
            options,
            has_options,
        })
    }

    pub(crate) fn xid(&self) -> u32 {
        self.header.xid()
    }

    pub(crate) fn hops(&self) -> u8 {
        self.header.hops()
    }

    pub(crate) fn flags(&self) -> u16 {
        self.header.flags().into()
    }

    pub(crate) fn ciaddr(&self) -> Ipv4Addr {
        self.header.ciaddr()
    }

    pub(crate) fn giaddr(&self) -> Ipv4Addr {
        self.header.giaddr()
    }

    /// Whether a relay agent sent it.
    pub(crate) fn is_relayed(&self) -> bool {
        !self.giaddr().is_unspecified()
    }

    pub(crate) fn option(&self, code: u8) -> Option<&[u8]> {
        self.options.get(code)
    }

    /// Where a relay says the client is: link selection, subnet selection, or its own address.
    ///
    /// Only a relay's word counts: a client could name any network.
    pub(crate) fn link_address(&self) -> Option<Ipv4Addr> {
        if !self.is_relayed() {
            return None;
        }
        let selected = self.relay_address(LINK_SELECTION);
        let subnet = || self.options.address(code::SUBNET_SELECTION).ok()?;
        selected.or_else(subnet).or(Some(self.giaddr()))
    }

    /// The server identifier that a relay wants (RFC 5107).
    pub(crate) fn server_override(&self) -> Option<Ipv4Addr> {
        self.is_relayed()
            .then(|| self.relay_address(SERVER_OVERRIDE))?
    }

    fn relay_address(&self, wanted: u8) -> Option<Ipv4Addr> {
        relay_address(self.option(code::RELAY_INFORMATION)?, wanted)
    }

    /// Codes that the client asks for, in its order; `None`: it does not say.
    pub(crate) fn parameters(&self) -> Option<&[u8]> {
        self.option(code::PARAMETER_LIST)
    }

    pub(crate) fn asks_for(&self, code: u8) -> bool {
        self.parameters().is_some_and(|list| list.contains(&code))
    }

    /// Largest datagram that the client takes, IP and UDP headers included (RFC 2132 section 9.10).
    pub(crate) fn datagram(&self) -> usize {
        let said = self
            .option(code::MESSAGE_SIZE)
            .and_then(|value| value.try_into().ok());
        said.map_or(LEAST_DATAGRAM, u16::from_be_bytes)
            .max(LEAST_DATAGRAM)
            .into()
    }

    /// The lease time that the client wishes, seconds.
    pub(crate) fn lease_time(&self) -> Option<u32> {
        let value = self.option(code::LEASE_TIME)?.try_into().ok()?;
        Some(u32::from_be_bytes(value))
    }
}

fn kind(options: &Options<'_>) -> Result<Kind, Ignored> {
    let Some([kind]) = options.exactly::<1>(code::MESSAGE_TYPE)? else {
        return Ok(Kind::Bootp);
    };
    match MessageType::from(kind) {
        MessageType::Discover => Ok(Kind::Discover),
        MessageType::Request => Ok(Kind::Request),
        MessageType::Decline => Ok(Kind::Decline),
        MessageType::Release => Ok(Kind::Release),
        MessageType::Inform => Ok(Kind::Inform),
        _ => Err(Ignored::UnexpectedType),
    }
}
