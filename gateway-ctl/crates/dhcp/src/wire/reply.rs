//! Our message, no larger than the client takes.
//!
//! dhcproto's encoder is not used: it sorts options by their codes, does not split long ones,
//! takes hardware type 37 for 23, and draws a random number for every message.
//!
//! ```text
//!   | op .. chaddr | sname 64 | file 128 | cookie | options .. 82, 255 | padding to 300 |
//!                    ^          ^
//!                    options as well, when they do not fit behind (option 52)
//! ```

use std::borrow::Cow;
use std::net::Ipv4Addr;

use dhcproto::v4::{MAGIC, MIN_PACKET_SIZE};

use super::code;
use crate::mac::Hardware;

/// `op` of a reply.
const REPLY: u8 = 2;
const SNAME: usize = 64;
const FILE: usize = 128;
/// Bytes before the options.
const HEADER: usize = 240;
/// IP and UDP headers.
const LOWER_HEADERS: usize = 28;
/// What Ethernet takes.
const MOST_DATAGRAM: usize = 1500;
/// Code, length and value of option 52.
const OVERLOAD_BYTES: usize = 3;

/// What the header says, and which options.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    pub(crate) hops: u8,
    pub(crate) xid: u32,
    pub(crate) flags: u16,
    pub(crate) ciaddr: Ipv4Addr,
    pub(crate) yiaddr: Ipv4Addr,
    pub(crate) siaddr: Ipv4Addr,
    pub(crate) giaddr: Ipv4Addr,
    pub(crate) hardware: Hardware,
    /// Boot file; at most 127 bytes, else it is only in option 67.
    pub(crate) file: &'a [u8],
    /// In the order the client wants them.
    pub(crate) options: Vec<Opt<'a>>,
    pub(crate) room: Room,
}

/// An option.
#[derive(Clone, Debug)]
pub(crate) struct Opt<'a> {
    pub(crate) code: u8,
    pub(crate) value: Cow<'a, [u8]>,
}

/// How much the client takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Room {
    /// A DHCP client: a datagram of so many bytes.
    Datagram(usize),
    /// A BOOTP client: 64 bytes of options (RFC 1497), 300 in all.
    Bootp,
}

/// Without these the message would be useless: they are sent whatever the client takes.
const ESSENTIAL: &[u8] = &[
    code::MESSAGE_TYPE,
    code::SERVER_IDENTIFIER,
    code::LEASE_TIME,
    code::SUBNET_MASK,
    code::ROUTER,
    code::VENDOR_SPECIFIC,
    code::CLIENT_IDENTIFIER,
    code::RELAY_INFORMATION,
];

impl<'a> Opt<'a> {
    pub(crate) fn new(code: u8, value: impl Into<Cow<'a, [u8]>>) -> Self {
        let value = value.into();
        Self { code, value }
    }

    /// Bytes it takes; more than 255 are sent in parts (RFC 3396).
    fn size(&self) -> usize {
        let parts = self.value.len().div_ceil(255).max(1);
        self.value.len() + 2 * parts
    }

    fn write(&self, to: &mut Vec<u8>) {
        if self.value.is_empty() {
            to.extend_from_slice(&[self.code, 0]);
        }
        for part in self.value.chunks(255) {
            let length = u8::try_from(part.len()).unwrap_or(u8::MAX);
            to.extend_from_slice(&[self.code, length]);
            to.extend_from_slice(part);
        }
    }

    fn is_essential(&self) -> bool {
        ESSENTIAL.contains(&self.code)
    }
}

/// Options in their places.
#[derive(Debug, Default)]
struct Layout {
    main: Vec<u8>,
    file: Vec<u8>,
    sname: Vec<u8>,
    dropped: bool,
}

impl Reply<'_> {
    /// The bytes, and whether options had to be left out.
    pub(crate) fn encode(&self) -> (Vec<u8>, bool) {
        let layout = self.lay_out();
        let mut bytes = Vec::with_capacity((HEADER + layout.main.len() + 1).max(MIN_PACKET_SIZE));
        let length = u8::try_from(self.hardware.address().len()).unwrap_or(0);
        bytes.extend_from_slice(&[REPLY, self.hardware.kind(), length, self.hops]);
        bytes.extend_from_slice(&self.xid.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&self.flags.to_be_bytes());
        for address in [self.ciaddr, self.yiaddr, self.siaddr, self.giaddr] {
            bytes.extend_from_slice(&address.octets());
        }
        field(&mut bytes, self.hardware.address(), Hardware::MOST);
        field(&mut bytes, &layout.sname, SNAME);
        match self.file_is_free() {
            true => field(&mut bytes, &layout.file, FILE),
            false => field(&mut bytes, self.file, FILE),
        }
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&layout.main);
        bytes.push(code::END);
        bytes.resize(bytes.len().max(MIN_PACKET_SIZE), 0);
        (bytes, layout.dropped)
    }

    /// Whether the header's `file` is not the boot file; one of 128 bytes would have no end.
    fn file_is_free(&self) -> bool {
        self.file.is_empty() || self.file.len() >= FILE
    }

    fn lay_out(&self) -> Layout {
        let (last, others): (Vec<_>, Vec<_>) = self
            .options
            .iter()
            .partition(|option| option.code == code::RELAY_INFORMATION);
        let mut layout = Layout::default();
        let size = |options: &[&Opt<'_>]| options.iter().map(|o| o.size()).sum::<usize>();
        let (room, overload) = match self.room {
            Room::Datagram(bytes) => (bytes.min(MOST_DATAGRAM) - LOWER_HEADERS, true),
            Room::Bootp => (MIN_PACKET_SIZE, false),
        };
        // The end takes a byte.
        let room = room.saturating_sub(HEADER + 1 + size(&last));
        if size(&others) <= room {
            others
                .iter()
                .for_each(|option| option.write(&mut layout.main));
        } else {
            self.squeeze(&others, room, overload, &mut layout);
        }
        // RFC 3046 section 2.1: the last one.
        last.iter()
            .for_each(|option| option.write(&mut layout.main));
        layout
    }

    /// The essential options first, then whatever fits, each where there is room for it.
    fn squeeze(&self, options: &[&Opt<'_>], room: usize, overload: bool, layout: &mut Layout) {
        let room = if overload {
            room.saturating_sub(OVERLOAD_BYTES)
        } else {
            room
        };
        // With their ends.
        let file_room = if overload && self.file_is_free() {
            FILE - 1
        } else {
            0
        };
        let sname_room = if overload { SNAME - 1 } else { 0 };
        let (essential, others): (Vec<&Opt<'_>>, Vec<&Opt<'_>>) = options
            .iter()
            .copied()
            .partition(|option| option.is_essential());
        for option in essential.into_iter().chain(others) {
            let areas = [
                (&mut layout.main, room),
                // The smaller one first, for the sake of what is still to come.
                (&mut layout.sname, sname_room),
                (&mut layout.file, file_room),
            ];
            let fitting = areas
                .into_iter()
                .find(|(area, room)| area.len() + option.size() <= *room);
            if let Some((area, _)) = fitting {
                option.write(area);
            } else if option.is_essential() {
                option.write(&mut layout.main);
            } else {
                layout.dropped = true;
            }
        }
        let overloaded =
            u8::from(!layout.file.is_empty()) | u8::from(!layout.sname.is_empty()) << 1;
        if overloaded != 0 {
            Opt::new(code::OVERLOAD, vec![overloaded]).write(&mut layout.main);
        }
        for area in [&mut layout.file, &mut layout.sname] {
            if !area.is_empty() {
                area.push(code::END);
            }
        }
    }
}

/// A field of the header, padded.
fn field(bytes: &mut Vec<u8>, value: &[u8], size: usize) {
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len() + size.saturating_sub(value.len()), 0);
}

#[cfg(test)]
mod tests;
