//! Netlink: a request, its answer, and the attributes in it.
//!
//! ```text
//! | length 4 | type 2 | flags 2 | sequence 4 | port 4 | family header | attributes ... |
//!                                                      attribute: | length 2 | type 2 | value, padded to 4 |
//! ```

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send,
    setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;

const HEADER: usize = 16;
/// The kernel's answers come in pieces of at most this many bytes.
const BUFFER: usize = 64 * 1024;
/// The kernel answers at once; this is for the day it does not.
const PATIENCE: TimeVal = TimeVal::new(2, 0);

/// A message: its type and what follows the netlink header.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) kind: u16,
    pub(super) body: Vec<u8>,
}

/// A socket to the kernel.
#[derive(Debug)]
pub(super) struct Netlink {
    socket: OwnedFd,
    sequence: u32,
}

impl Netlink {
    /// Opens a socket that also hears these multicast groups (a bit mask).
    pub(super) fn open(protocol: SockProtocol, groups: u32) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &PATIENCE)?;
        Ok(Self {
            socket,
            sequence: 0,
        })
    }

    /// Asks for all objects of a kind.
    pub(super) fn dump(&mut self, kind: u16, body: &[u8]) -> io::Result<Vec<Message>> {
        self.request(
            kind,
            libc_flags(nix::libc::NLM_F_REQUEST | nix::libc::NLM_F_DUMP),
            body,
        )?;
        let mut messages = Vec::new();
        loop {
            for message in self.receive()? {
                match i32::from(message.kind) {
                    nix::libc::NLMSG_DONE => return Ok(messages),
                    nix::libc::NLMSG_ERROR => return Err(error(&message)),
                    _ => messages.push(message),
                }
            }
        }
    }

    /// Asks for one object.
    pub(super) fn ask(&mut self, kind: u16, body: &[u8]) -> io::Result<Message> {
        self.request(kind, libc_flags(nix::libc::NLM_F_REQUEST), body)?;
        let first = self.receive()?.into_iter().next();
        let message = first.ok_or_else(|| io::Error::other("empty answer from the kernel"))?;
        if i32::from(message.kind) == nix::libc::NLMSG_ERROR {
            return Err(error(&message));
        }
        Ok(message)
    }

    fn request(&mut self, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
        self.sequence += 1;
        let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend(length.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(self.sequence.to_ne_bytes());
        bytes.extend(0u32.to_ne_bytes());
        bytes.extend(body);
        send(self.socket.as_raw_fd(), &bytes, MsgFlags::empty())?;
        Ok(())
    }

    /// The messages of one datagram.
    pub(super) fn receive(&self) -> io::Result<Vec<Message>> {
        let mut buffer = vec![0; BUFFER];
        let length = recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        Ok(messages(&buffer[..length]))
    }

    /// Whether anything was waiting; it is thrown away.
    pub(super) fn drain(&self) -> bool {
        let mut buffer = vec![0; BUFFER];
        let mut any = false;
        // ENOBUFS also means that something has changed.
        loop {
            match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => any |= length > 0,
                Err(nix::Error::ENOBUFS) => any = true,
                Err(_) => return any,
            }
        }
    }
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn libc_flags(flags: i32) -> u16 {
    u16::try_from(flags).unwrap_or_default()
}

fn error(message: &Message) -> io::Error {
    let code = u32_at(&message.body, 0).unwrap_or_default().cast_signed();
    io::Error::from_raw_os_error(-code)
}

fn messages(mut bytes: &[u8]) -> Vec<Message> {
    let mut found = Vec::new();
    while let (Some(length), Some(kind)) = (u32_at(bytes, 0), u16_at(bytes, 4)) {
        let length = length as usize;
        let Some(body) = bytes.get(HEADER..length) else {
            break;
        };
        found.push(Message {
            kind,
            body: body.to_vec(),
        });
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// Goes through attributes: type (without its flags) and value.
pub(super) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        let kind = u16_at(bytes, 2)? & 0x3fff;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// Writes an attribute.
pub(super) fn put_attribute(to: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    to.extend(length.to_ne_bytes());
    to.extend(kind.to_ne_bytes());
    to.extend(value);
    to.resize(to.len().next_multiple_of(4), 0);
}

/// A number in the machine's byte order.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// A number in the machine's byte order.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A string that ends with a zero.
pub(super) fn text(value: &[u8]) -> String {
    let end = value
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}
