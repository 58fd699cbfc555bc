//! The sockets of one inside interface, and the one for ICMP.
//!
//! ```text
//!   udp     port 67 of this device: requests; answers to relay agents and to clients
//!           that have their address
//!   frames  packet socket: answers to clients that have none yet; ARP probes
//!   arp     packet socket: answers to ARP probes
//! ```

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use dataplane::{Hears, InterfaceSpec, packet_socket};
use nix::cmsg_space;
use nix::libc::in_pktinfo;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType,
    SockaddrIn, bind, recvmsg, sendmsg, setsockopt, socket, sockopt,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::super::descriptor::readable;
use super::frame::{self, BROADCAST, Mac};

/// DHCP server and relay agent (RFC 2131 section 4.1).
pub(super) const SERVER_PORT: u16 = 67;
/// DHCP client.
pub(super) const CLIENT_PORT: u16 = 68;
/// Longest datagram read: DHCP messages are bound by an Ethernet frame, others by this.
const LONGEST: usize = 4096;

/// One inside interface.
#[derive(Debug)]
pub(super) struct Port {
    /// Its name.
    pub(super) name: String,
    /// The server's number of it, and its Ethernet address: both may change while it is
    /// listened on.
    now: Mutex<(usize, Mac)>,
    ifindex: u32,
    pub(super) udp: tokio::net::UdpSocket,
    pub(super) arp: AsyncFd<OwnedFd>,
    frames: OwnedFd,
}

/// A datagram, and where it was sent to.
#[derive(Debug)]
pub(super) struct Datagram {
    pub(super) source: SocketAddrV4,
    pub(super) destination: Ipv4Addr,
    pub(super) length: usize,
}

impl Port {
    /// Opens the sockets.
    ///
    /// # Errors
    /// When another server has the port, or the interface is not there.
    pub(super) fn open(number: usize, interface: &InterfaceSpec) -> Result<Self> {
        let name = &interface.name;
        let udp = listen(name).with_context(|| {
            format!(
                "cannot listen to DHCP on {name}: if another DHCP server runs here, stop it \
                 (see `ss -ulpn sport = :67`)"
            )
        })?;
        let frames = packet_socket(interface.ifindex, Hears::Nothing)
            .with_context(|| format!("cannot send frames on {name}"))?;
        let arp = packet_socket(interface.ifindex, Hears::Arp)
            .and_then(readable)
            .with_context(|| format!("cannot listen to ARP on {name}"))?;
        Ok(Self {
            name: name.clone(),
            now: Mutex::new((number, interface.mac)),
            ifindex: interface.ifindex,
            udp,
            arp,
            frames,
        })
    }

    /// The interface is known by another number now, or has another Ethernet address.
    pub(super) fn follow(&self, number: usize, mac: Mac) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = (number, mac);
    }

    fn now(&self) -> (usize, Mac) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's number of the interface.
    pub(super) fn number(&self) -> usize {
        self.now().0
    }

    /// Reads a request into `buffer`.
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<Datagram> {
        self.udp.try_io(Interest::READABLE, || {
            let mut space = cmsg_space!(in_pktinfo);
            let mut parts = [IoSliceMut::new(buffer)];
            let message = recvmsg::<SockaddrIn>(
                self.udp.as_raw_fd(),
                &mut parts,
                Some(&mut space),
                MsgFlags::empty(),
            )?;
            let mut destination = Ipv4Addr::UNSPECIFIED;
            for control in message.cmsgs()? {
                if let ControlMessageOwned::Ipv4PacketInfo(info) = control {
                    destination = Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr));
                }
            }
            Ok(Datagram {
                source: message.address.map_or(
                    SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
                    SocketAddrV4::from,
                ),
                destination,
                length: message.bytes,
            })
        })
    }

    /// Sends to somebody who has an address.
    pub(super) fn send(&self, from: Ipv4Addr, to: SocketAddrV4, payload: &[u8]) -> io::Result<()> {
        let info = in_pktinfo {
            ipi_ifindex: i32::try_from(self.ifindex).unwrap_or(0),
            ipi_spec_dst: nix::libc::in_addr {
                s_addr: u32::from(from).to_be(),
            },
            ipi_addr: nix::libc::in_addr { s_addr: 0 },
        };
        sendmsg(
            self.udp.as_raw_fd(),
            &[IoSlice::new(payload)],
            &[ControlMessage::Ipv4PacketInfo(&info)],
            MsgFlags::MSG_DONTWAIT,
            Some(&SockaddrIn::from(to)),
        )?;
        Ok(())
    }

    /// Sends to a client by its hardware address: it has no other yet.
    pub(super) fn send_to_hardware(
        &self,
        from: Ipv4Addr,
        mac: Mac,
        ip: Ipv4Addr,
        payload: &[u8],
    ) -> io::Result<()> {
        let macs = (self.now().1, mac);
        let ports = (SERVER_PORT, CLIENT_PORT);
        let frame =
            frame::udp(macs, (from, ip), ports, payload).ok_or(io::ErrorKind::InvalidInput)?;
        nix::unistd::write(&self.frames, &frame)?;
        Ok(())
    }

    /// Sends to all on this link.
    pub(super) fn broadcast(&self, from: Ipv4Addr, payload: &[u8]) -> io::Result<()> {
        self.send_to_hardware(from, BROADCAST, Ipv4Addr::BROADCAST, payload)
    }

    /// Asks by ARP who has an address.
    pub(super) fn probe(&self, address: Ipv4Addr) -> io::Result<()> {
        nix::unistd::write(&self.frames, &frame::arp_probe(self.now().1, address))?;
        Ok(())
    }

    /// Whose address is named by the next ARP frame.
    pub(super) fn arp_sender(&self) -> io::Result<Option<Ipv4Addr>> {
        let mut frame = [0; 64];
        let length = nix::unistd::read(self.arp.get_ref(), &mut frame)?;
        Ok(frame::arp_sender(&frame[..length]))
    }

    /// A buffer for requests.
    pub(super) fn buffer() -> Vec<u8> {
        vec![0; LONGEST]
    }
}

/// Port 67 of one device. Each device's socket is its own, so that a request is known by
/// where it came in; nothing else of the machine has the port there.
fn listen(interface: &str) -> io::Result<tokio::net::UdpSocket> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let udp = socket(AddressFamily::Inet, SockType::Datagram, flags, None)?;
    setsockopt(&udp, sockopt::BindToDevice, &interface.into())?;
    setsockopt(&udp, sockopt::Broadcast, &true)?;
    setsockopt(&udp, sockopt::Ipv4PacketInfo, &true)?;
    // What comes while the disk is waited for: some thousand requests.
    setsockopt(&udp, sockopt::RcvBuf, &(4 << 20))?;
    let any = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, SERVER_PORT);
    bind(udp.as_raw_fd(), &SockaddrIn::from(any))?;
    tokio::net::UdpSocket::from_std(UdpSocket::from(udp))
}

/// Echo requests to addresses that are to be leased through a relay agent, where ARP does
/// not reach.
#[derive(Debug)]
pub(super) struct Icmp {
    socket: AsyncFd<OwnedFd>,
    identifier: u16,
}

/// ICMP (RFC 792).
const ECHO_REQUEST: u8 = 8;
const ECHO_REPLY: u8 = 0;

impl Icmp {
    /// Opens the socket; `identifier` tells our echoes from others'.
    pub(super) fn open(identifier: u16) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let raw = socket(
            AddressFamily::Inet,
            SockType::Raw,
            flags,
            SockProtocol::Icmp,
        )?;
        Ok(Self {
            socket: readable(raw)?,
            identifier,
        })
    }

    /// Sends an echo request.
    pub(super) fn probe(&self, address: Ipv4Addr) -> io::Result<()> {
        let mut echo = [ECHO_REQUEST, 0, 0, 0, 0, 0, 0, 1];
        echo[4..6].copy_from_slice(&self.identifier.to_be_bytes());
        let checksum = !gateway_common::checksum::fold(frame::sum(&echo));
        echo[2..4].copy_from_slice(&checksum.to_be_bytes());
        let to = SockaddrIn::from(SocketAddrV4::new(address, 0));
        sendmsg(
            self.socket.as_raw_fd(),
            &[IoSlice::new(&echo)],
            &[],
            MsgFlags::MSG_DONTWAIT,
            Some(&to),
        )?;
        Ok(())
    }

    /// Waits for the next echo reply to us: whose it is.
    pub(super) async fn answered(&self) -> io::Result<Ipv4Addr> {
        let mut packet = [0; 128];
        loop {
            let length = self
                .socket
                .async_io(Interest::READABLE, |socket| {
                    Ok(nix::unistd::read(socket, &mut packet)?)
                })
                .await?;
            if let Some(sender) = echo_reply(&packet[..length], self.identifier) {
                return Ok(sender);
            }
        }
    }
}

/// Who sent this IPv4 packet, if it is an echo reply to our identifier.
fn echo_reply(packet: &[u8], identifier: u16) -> Option<Ipv4Addr> {
    use gateway_common::headers::ipv4;
    let header = usize::from(packet.first()? & 15) * 4;
    let icmp = packet.get(header..header + 8)?;
    let octets: [u8; 4] = packet
        .get(ipv4::SOURCE..ipv4::SOURCE + 4)?
        .try_into()
        .ok()?;
    let ours = icmp[0] == ECHO_REPLY && icmp[4..6] == identifier.to_be_bytes();
    ours.then(|| octets.into())
}
