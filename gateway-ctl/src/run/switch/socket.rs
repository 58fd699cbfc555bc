//! A socket of UDP for all addresses, which knows for each datagram which of them it was sent to,
//! and answers from there. H.248 (RFC 3525 annex D.1) and SIP (RFC 3261 section 18) have one each.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, Result};
use nix::cmsg_space;
use nix::libc::{in_addr, in_pktinfo};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use tokio::io::Interest;

/// Longest datagram there is.
const LONGEST: usize = 65_536;
/// Room for thousands of phones that speak at once, in bytes.
const ROOM: usize = 8 << 20;
/// Datagrams that are handled before other tasks have their turn.
const AT_ONCE: usize = 64;

/// What is spoken at a port, for errors.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken {
    /// `SIP`.
    pub(super) what: &'static str,
    /// Which key says the port.
    pub(super) key: &'static str,
}

/// The two ends of a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    /// The other one.
    pub(super) address: SocketAddrV4,
    /// Which of our addresses.
    pub(super) local: Ipv4Addr,
}

#[derive(Debug)]
pub(super) struct Socket {
    udp: tokio::net::UdpSocket,
}

impl Socket {
    /// Listens at this port of all addresses.
    ///
    /// # Errors
    /// When somebody else does.
    pub(super) fn open(port: u16, spoken: Spoken) -> Result<Self> {
        let listen = || -> io::Result<UdpSocket> {
            let udp = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
            udp.set_nonblocking(true)?;
            setsockopt(&udp, sockopt::Ipv4PacketInfo, &true)?;
            // Less is enough on most days.
            let _ = setsockopt(&udp, sockopt::RcvBuf, &ROOM);
            Ok(udp)
        };
        let Spoken { what, key } = spoken;
        let udp = listen().with_context(|| {
            format!(
                "cannot listen to {what} at UDP port {port}: if another switch runs here, stop it \
                 (see `ss -ulpn sport = :{port}`), or write another {key}"
            )
        })?;
        Ok(Self {
            udp: tokio::net::UdpSocket::from_std(udp)?,
        })
    }

    /// Reads datagrams for as long as there is a socket.
    pub(super) async fn receive(&self, mut hear: impl FnMut(Ends, &[u8])) {
        let mut buffer = vec![0; LONGEST];
        while self.udp.readable().await.is_ok() {
            for _ in 0..AT_ONCE {
                match self.next(&mut buffer) {
                    Ok(Some((length, ends))) => hear(ends, &buffer[..length]),
                    Ok(None) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => {
                        // Somebody's port was closed: the next datagram is another's.
                        tracing::debug!(%error, "cannot receive");
                        break;
                    }
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// A datagram's length and ends. `None`: it is nobody's who could be answered.
    fn next(&self, buffer: &mut [u8]) -> io::Result<Option<(usize, Ends)>> {
        self.udp.try_io(Interest::READABLE, || {
            let mut space = cmsg_space!(in_pktinfo);
            let mut parts = [IoSliceMut::new(buffer)];
            let (socket, flags) = (self.udp.as_raw_fd(), MsgFlags::empty());
            let message = recvmsg::<SockaddrIn>(socket, &mut parts, Some(&mut space), flags)?;
            let info = message.cmsgs()?.find_map(|message| match message {
                ControlMessageOwned::Ipv4PacketInfo(info) => Some(info),
                _ => None,
            });
            let (Some(info), Some(address)) = (info, message.address.map(SocketAddrV4::from))
            else {
                return Ok(None);
            };
            let local = Ipv4Addr::from(info.ipi_spec_dst.s_addr.to_ne_bytes());
            let ends = Ends { address, local };
            Ok((address.port() != 0).then_some((message.bytes, ends)))
        })
    }

    /// Sends a datagram from the address that the other one speaks to; unspecified: from whichever
    /// the routes say.
    pub(super) fn send(&self, ends: Ends, bytes: &[u8]) -> io::Result<()> {
        let info = in_pktinfo {
            ipi_ifindex: 0,
            ipi_spec_dst: in_addr {
                s_addr: u32::from_ne_bytes(ends.local.octets()),
            },
            ipi_addr: in_addr { s_addr: 0 },
        };
        let address = SockaddrIn::from(ends.address);
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
