//! Frames as they are on an interface: captured and injected through AF_PACKET.
//!
//! The kernel takes the outermost VLAN tag out of a frame before a capture sees it and reports it
//! beside; it is put back here, so that a captured frame is what was on the wire.

use std::io;
use std::mem::{size_of, size_of_val, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::socket::{setsockopt, sockopt};

use super::socket::{RECEIVE_BUFFER, wait_readable};
use crate::link::Interface;
use crate::packet::hexdump;
use crate::wait::Deadline;

const LARGEST_FRAME: usize = 65_536 + 64;
/// Where a VLAN tag stands in an Ethernet frame: behind the two addresses.
const TAG_OFFSET: usize = 12;
/// Room for one control message with the auxiliary data, generously.
const CONTROL_BYTES: usize = 128;

/// A captured frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// From the Ethernet header on, or from the IP header on for a TUN device.
    pub bytes: Vec<u8>,
    /// Whether the interface's own namespace sent it, else it was received.
    pub outgoing: bool,
}

/// A capture that runs from its start; what arrives is kept by the kernel until it is asked for.
#[derive(Debug)]
pub struct Capture {
    socket: OwnedFd,
    name: String,
    frames: Vec<Frame>,
}

impl Capture {
    /// Starts to capture on `interface`, both directions, frames for other hosts too.
    ///
    /// # Errors
    /// When the interface is gone.
    pub fn start(interface: &Interface) -> Result<Self> {
        let name = format!("{}/{}", interface.ns.name(), interface.name);
        let index = interface.index()?;
        let socket = interface.ns.enter(|| packet_socket(index, libc::ETH_P_ALL));
        let socket = socket.with_context(|| format!("capture on {name}"))?;
        set_option(&socket, libc::PACKET_AUXDATA, &1_i32)?;
        let promiscuous = libc::packet_mreq {
            mr_ifindex: i32::try_from(index)?,
            mr_type: u16::try_from(libc::PACKET_MR_PROMISC)?,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        set_option(&socket, libc::PACKET_ADD_MEMBERSHIP, &promiscuous)?;
        setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).context("SO_RCVBUFFORCE")?;
        Ok(Self {
            socket,
            name,
            frames: Vec::new(),
        })
    }

    /// Waits until `done` holds of all frames captured so far, and returns them.
    ///
    /// To show that something was *not* sent, wait for a later packet that must come.
    ///
    /// # Errors
    /// When the deadline passes first: with the frames that were seen.
    pub fn until(
        &mut self,
        deadline: impl Into<Deadline>,
        mut done: impl FnMut(&[Frame]) -> bool,
    ) -> Result<Vec<Frame>> {
        let deadline = deadline.into();
        while !done(&self.frames) {
            let left = deadline.remaining().unwrap_or_default();
            if !wait_readable(&self.socket, left)? {
                bail!(
                    "{}: not what was waited for, but {}",
                    self.name,
                    self.summary()
                );
            }
            self.frames.push(receive(&self.socket)?);
        }
        Ok(self.frames.clone())
    }

    /// Waits for a received frame for which `wanted` holds, and returns its bytes.
    ///
    /// # Errors
    /// When the deadline passes first: with the frames that were seen.
    pub fn find(
        &mut self,
        deadline: impl Into<Deadline>,
        mut wanted: impl FnMut(&[u8]) -> bool,
    ) -> Result<Vec<u8>> {
        let mut matches = |frame: &Frame| !frame.outgoing && wanted(&frame.bytes);
        let frames = self.until(deadline, |frames| frames.iter().any(&mut matches))?;
        let found = frames.into_iter().find(matches);
        Ok(found
            .context("a frame matched, but did not match again")?
            .bytes)
    }

    /// Takes what has been captured since this was asked last, or since the start. What has been
    /// received elsewhere behind this interface is among it.
    ///
    /// # Errors
    /// When the interface is gone.
    pub fn take(&mut self) -> Result<Vec<Frame>> {
        while wait_readable(&self.socket, Duration::ZERO)? {
            self.frames.push(receive(&self.socket)?);
        }
        Ok(std::mem::take(&mut self.frames))
    }

    /// All frames that have been looked at so far; others may wait in the kernel.
    #[must_use]
    pub fn seen(&self) -> &[Frame] {
        &self.frames
    }

    fn summary(&self) -> String {
        let dumps = self.frames.iter().map(|frame| {
            let direction = if frame.outgoing { "out" } else { "in" };
            format!(
                "\n{direction}, {} bytes:\n{}",
                frame.bytes.len(),
                hexdump(&frame.bytes)
            )
        });
        format!("{} frames:{}", self.frames.len(), dumps.collect::<String>())
    }
}

/// Sends frames out by an interface, byte for byte.
#[derive(Debug)]
pub struct Injector(OwnedFd);

impl Injector {
    /// Opens `interface` for sending.
    ///
    /// # Errors
    /// When the interface is gone.
    pub fn new(interface: &Interface) -> Result<Self> {
        let index = interface.index()?;
        // Protocol 0: this socket receives nothing.
        let socket = interface.ns.enter(|| packet_socket(index, 0));
        Ok(Self(socket.with_context(|| {
            format!("inject into {}", interface.name)
        })?))
    }

    /// Sends one frame.
    ///
    /// # Errors
    /// When the interface is down or the frame longer than its MTU allows.
    pub fn send(&self, frame: &[u8]) -> Result<()> {
        let descriptor = self.0.as_raw_fd();
        // SAFETY: the kernel reads `frame.len()` bytes from a slice of that length.
        let sent = unsafe { libc::send(descriptor, frame.as_ptr().cast(), frame.len(), 0) };
        if usize::try_from(sent) != Ok(frame.len()) {
            return Err(io::Error::last_os_error())
                .with_context(|| format!("inject {} bytes", frame.len()));
        }
        Ok(())
    }
}

/// A raw packet socket bound to one interface of the calling thread's namespace.
pub(crate) fn packet_socket(index: u32, protocol: i32) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointer.
    let descriptor = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just returned this descriptor, so nothing else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
    // SAFETY: sockaddr_ll is plain old data for which all bits zero is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (protocol as u16).to_be();
    address.sll_ifindex = i32::try_from(index).map_err(io::Error::other)?;
    let length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the kernel reads `length` bytes, the size of the `sockaddr_ll` pointed to.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if bound < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(socket)
    }
}

fn set_option<T>(socket: &OwnedFd, option: i32, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as libc::socklen_t;
    let value: *const T = value;
    // SAFETY: the kernel reads `length` bytes, the size of the value behind the reference.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            value.cast(),
            length,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn receive(socket: &OwnedFd) -> Result<Frame> {
    let mut bytes = vec![0_u8; LARGEST_FRAME];
    // Eight-byte words, since control messages must be aligned.
    let mut control = [0_u64; CONTROL_BYTES / 8];
    // SAFETY: both are plain old data for which all bits zero is a valid value.
    let (mut from, mut message): (libc::sockaddr_ll, libc::msghdr) = unsafe { zeroed() };
    let mut part = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    };
    message.msg_name = (&raw mut from).cast();
    message.msg_namelen = size_of_val(&from) as libc::socklen_t;
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // SAFETY: every pointer in `message` is to a local that outlives the call, with the length
    // that stands beside it.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, 0) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    bytes.truncate(length);
    if let Some(tag) = vlan_tag(&message) {
        bytes.splice(TAG_OFFSET..TAG_OFFSET, tag);
    }
    Ok(Frame {
        bytes,
        outgoing: from.sll_pkttype == libc::PACKET_OUTGOING,
    })
}

/// The VLAN tag that the kernel took out of the received frame: TPID and TCI, network order.
fn vlan_tag(message: &libc::msghdr) -> Option<[u8; 4]> {
    // SAFETY: `message` was filled in by recvmsg and its control buffer is alive, aligned for
    // `cmsghdr` and `msg_controllen` bytes long.
    let header = unsafe { libc::CMSG_FIRSTHDR(message) };
    // SAFETY: CMSG_FIRSTHDR returns null or a pointer to a whole header inside that buffer.
    let found = unsafe { header.as_ref() }?;
    let wanted = size_of::<libc::tpacket_auxdata>();
    if found.cmsg_level != libc::SOL_PACKET
        || found.cmsg_type != libc::PACKET_AUXDATA
        || found.cmsg_len < wanted
    {
        return None;
    }
    // SAFETY: the message is of this type and at least as long, as has just been checked.
    let data = unsafe {
        libc::CMSG_DATA(header)
            .cast::<libc::tpacket_auxdata>()
            .read_unaligned()
    };
    if data.tp_status & libc::TP_STATUS_VLAN_VALID == 0 {
        return None;
    }
    let [[a, b], [c, d]] = [data.tp_vlan_tpid, data.tp_vlan_tci].map(u16::to_be_bytes);
    Some([a, b, c, d])
}
