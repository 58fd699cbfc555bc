//! One socket for all phones: it knows for each datagram which of them it was sent to, and sends
//! from whichever is wanted.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::Duration;

use anyhow::{Context as _, Result};
use gateway_tests::netns::Namespace;
use gateway_tests::traffic::bind_udp;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{in_addr, in_pktinfo};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use nix::sys::time::TimeSpec;

/// Bytes of datagrams that wait to be read.
const ROOM: usize = 8 << 20;

#[derive(Debug)]
pub(super) struct Socket {
    udp: UdpSocket,
    switch: SockaddrIn,
    space: Vec<u8>,
}

impl Socket {
    /// At a port, of all addresses; the switch has the same.
    pub(super) fn open(namespace: &Namespace, switch: Ipv4Addr, port: u16) -> Result<Self> {
        let udp = bind_udp(namespace, SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))?;
        udp.set_nonblocking(true)?;
        setsockopt(&udp, sockopt::Ipv4PacketInfo, &true)?;
        setsockopt(&udp, sockopt::RcvBufForce, &ROOM)?;
        Ok(Self {
            udp,
            switch: SockaddrIn::from(SocketAddrV4::new(switch, port)),
            space: cmsg_space!(in_pktinfo),
        })
    }

    /// Sends from a phone's address. A full buffer is a packet lost, as it would be on the wire.
    pub(super) fn send(&self, phone: Ipv4Addr, bytes: &[u8]) -> Result<()> {
        let info = in_pktinfo {
            ipi_ifindex: 0,
            ipi_spec_dst: in_addr {
                s_addr: u32::from_ne_bytes(phone.octets()),
            },
            ipi_addr: in_addr { s_addr: 0 },
        };
        let sent = sendmsg(
            self.udp.as_raw_fd(),
            &[IoSlice::new(bytes)],
            &[ControlMessage::Ipv4PacketInfo(&info)],
            MsgFlags::MSG_DONTWAIT,
            Some(&self.switch),
        );
        match sent {
            Ok(_) | Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::ECONNREFUSED) => Ok(()),
            Err(why) => Err(why).context("send to the switch"),
        }
    }

    /// A datagram's length, and to whom it was sent; `None`: there is none.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, Ipv4Addr)>> {
        let mut parts = [IoSliceMut::new(buffer)];
        let (socket, flags) = (self.udp.as_raw_fd(), MsgFlags::empty());
        let received = recvmsg::<SockaddrIn>(socket, &mut parts, Some(&mut self.space), flags);
        let message = match received {
            Ok(message) => message,
            Err(Errno::EAGAIN) => return Ok(None),
            Err(why) => return Err(io::Error::from(why)).context("receive from the switch"),
        };
        let to = message.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::Ipv4PacketInfo(info) => Some(info.ipi_addr.s_addr),
            _ => None,
        });
        let to = to.context("a datagram for nobody")?;
        Ok(Some((message.bytes, Ipv4Addr::from(to.to_ne_bytes()))))
    }

    /// Until there is something to read, or the time is over.
    pub(super) fn wait(&self, most: Duration) -> Result<()> {
        let mut polled = [PollFd::new(self.udp.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut polled, Some(TimeSpec::from_duration(most)), None) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(why) => Err(why).context("ppoll"),
        }
    }
}
