//! Frames to and from one device, past the kernel's IP: for a DHCP client that has no
//! address yet, and for ARP probes (packet(7)).
//!
//! Only binding needs the address of a device, which safe interfaces do not make; what is
//! bound is sent to and read from as any descriptor.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

/// What a packet socket hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hears {
    /// Nothing: it only sends.
    Nothing,
    /// ARP (RFC 826).
    Arp,
}

/// Opens a packet socket on a device, non-blocking: each write is one frame with its
/// Ethernet header, each read one too.
///
/// # Errors
/// The kernel's: without CAP_NET_RAW, or when the device is not there.
pub fn packet_socket(ifindex: u32, hears: Hears) -> io::Result<OwnedFd> {
    let protocol: u16 = match hears {
        // No protocol: the kernel hands it nothing, and takes each frame's own.
        Hears::Nothing => 0,
        Hears::Arp => libc::ETH_P_ARP.try_into().map_err(io::Error::other)?,
    };
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: socket(2) takes no pointers.
    let raw = unsafe { libc::socket(libc::AF_PACKET, kind, protocol.to_be().into()) };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `raw` was opened just above and has no other owner.
    let socket = unsafe { OwnedFd::from_raw_fd(raw) };
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET.try_into().map_err(io::Error::other)?,
        sll_protocol: protocol.to_be(),
        sll_ifindex: ifindex.try_into().map_err(io::Error::other)?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let length = libc::socklen_t::try_from(size_of_val(&address)).map_err(io::Error::other)?;
    // SAFETY: `address` is a whole sockaddr_ll that lives through the call, `length` its
    // size, and sockaddr_ll begins as sockaddr does.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if bound < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_there_is_an_error() {
        let error = packet_socket(0x7fff_0000, Hears::Arp).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
    }
}
