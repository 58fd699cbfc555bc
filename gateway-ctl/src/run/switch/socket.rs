//! The socket of H.248 over UDP (RFC 3525 annex D.1): one for all addresses, which knows for each
//! datagram which of them it was sent to, and answers from there.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, Result};
use nix::cmsg_space;
use nix::libc::{in_addr, in_pktinfo};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use switch::registration::{Peer, Transport};
use tokio::io::Interest;

/// Longest datagram there is.
pub(super) const LONGEST: usize = 65_536;
/// Room for thousands of phones that speak at once, in bytes.
const ROOM: usize = 8 << 20;

#[derive(Debug)]
pub(super) struct Socket {
    udp: tokio::net::UdpSocket,
}

impl Socket {
    /// Listens at this port of all addresses.
    ///
    /// # Errors
    /// When somebody else does.
    pub(super) fn open(port: u16) -> Result<Self> {
        let listen = || -> io::Result<UdpSocket> {
            let udp = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
            udp.set_nonblocking(true)?;
            setsockopt(&udp, sockopt::Ipv4PacketInfo, &true)?;
            // Less is enough on most days.
            let _ = setsockopt(&udp, sockopt::RcvBuf, &ROOM);
            Ok(udp)
        };
        let udp = listen().with_context(|| {
            format!(
                "cannot listen to H.248 at UDP port {port}: if another switch runs here, stop it \
                 (see `ss -ulpn sport = :{port}`), or write another `port` in [switch]"
            )
        })?;
        Ok(Self {
            udp: tokio::net::UdpSocket::from_std(udp)?,
        })
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        self.udp.readable().await
    }

    /// Reads a datagram: its length, and who sent it to which of our addresses. `None`: it is
    /// nobody's who could be answered.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<(usize, Peer)>> {
        self.udp.try_io(Interest::READABLE, || {
            let mut space = cmsg_space!(in_pktinfo);
            let mut parts = [IoSliceMut::new(buffer)];
            let (socket, flags) = (self.udp.as_raw_fd(), MsgFlags::empty());
            let message = recvmsg::<SockaddrIn>(socket, &mut parts, Some(&mut space), flags)?;
            let info = message.cmsgs()?.find_map(|message| match message {
                ControlMessageOwned::Ipv4PacketInfo(info) => Some(info),
                _ => None,
            });
            let (Some(info), Some(from)) = (info, message.address.map(SocketAddrV4::from)) else {
                return Ok(None);
            };
            let local = Ipv4Addr::from(info.ipi_spec_dst.s_addr.to_ne_bytes());
            let peer = Peer {
                address: from,
                local,
                transport: Transport::Udp,
            };
            Ok((from.port() != 0).then_some((message.bytes, peer)))
        })
    }

    /// Sends a message from the address that the other one speaks to.
    pub(super) fn send(&self, to: Peer, bytes: &[u8]) -> io::Result<()> {
        let info = in_pktinfo {
            ipi_ifindex: 0,
            ipi_spec_dst: in_addr {
                s_addr: u32::from_ne_bytes(to.local.octets()),
            },
            ipi_addr: in_addr { s_addr: 0 },
        };
        let address = SockaddrIn::from(to.address);
        let control = [ControlMessage::Ipv4PacketInfo(&info)];
        let (socket, flags) = (self.udp.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
        sendmsg(
            socket,
            &[IoSlice::new(bytes)],
            &control,
            flags,
            Some(&address),
        )?;
        Ok(())
    }
}
