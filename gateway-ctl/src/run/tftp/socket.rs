//! A transfer's socket, at a port of its own (RFC 1350 section 4).
//!
//! It is not connected: the kernel would answer strangers with an ICMP error, and the RFC
//! wants error 5.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessage, MsgFlags, SockaddrIn, getsockopt, recvmsg, sendmsg, setsockopt, sockopt,
};
use tftp::{Blocks, ErrorCode, error_datagram};

use super::bind;
use super::eager::Eager;

/// Headers of IPv4 without options, UDP and TFTP, in bytes.
const HEADERS: i32 = 20 + 8 + 4;
/// Datagrams that the kernel cuts out of one message at most (UDP_MAX_SEGMENTS).
const MOST_SEGMENTS: usize = 64;
/// Bytes of a message at most.
const MOST_BYTES: usize = 65_000;

/// What a wait brought.
#[derive(Debug)]
pub(super) enum Heard<'b> {
    /// A datagram of the client's.
    Datagram(&'b [u8]),
    /// Nothing in time.
    Nothing,
    /// A datagram of someone else's. It was answered.
    Stranger,
    /// Nobody listens at the client's port.
    Gone,
}

#[derive(Debug)]
pub(super) struct TransferSocket {
    socket: UdpSocket,
    client: SocketAddrV4,
    to: SockaddrIn,
    /// The largest block that goes into one packet.
    largest_block: u16,
    /// How long a receive waits as it is set now.
    waits: Duration,
    /// Whether the kernel cuts messages into datagrams; not on every way.
    segments: bool,
    eager: Eager,
}

impl TransferSocket {
    /// Answers from `local`, and by `interface` if it is named.
    ///
    /// # Errors
    /// As the kernel says.
    pub(super) fn open(
        local: Ipv4Addr,
        interface: Option<&str>,
        client: SocketAddrV4,
    ) -> io::Result<Self> {
        let largest_block = largest_block(local, interface, client)?;
        let socket = bind::open(local, 0, interface)?;
        // The only way for a socket that is not connected to learn of a closed port.
        setsockopt(&socket, sockopt::Ipv4RecvErr, &true)?;
        Ok(Self {
            socket,
            client,
            to: client.into(),
            largest_block,
            waits: Duration::ZERO,
            segments: true,
            eager: Eager::default(),
        })
    }

    pub(super) fn largest_block(&self) -> u16 {
        self.largest_block
    }

    /// Waits for a datagram; who has a core to spare may watch for it.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub(super) fn receive<'b>(
        &mut self,
        within: Duration,
        to_spare: bool,
        buffer: &'b mut [u8],
    ) -> io::Result<Heard<'b>> {
        if to_spare {
            self.eager.watch(&self.socket);
        }
        self.set_wait(within)?;
        match self.socket.recv_from(buffer) {
            Ok((length, from)) if from == SocketAddr::V4(self.client) => {
                Ok(Heard::Datagram(&buffer[..length]))
            }
            Ok((_, from)) => {
                let error = error_datagram(ErrorCode::UnknownTransfer, "no transfer of yours");
                // Lost or not: nothing of ours depends on it.
                let _ = self.socket.send_to(&error, from);
                Ok(Heard::Stranger)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::TimedOut
                | io::ErrorKind::Interrupted => Ok(Heard::Nothing),
                _ if self.client_refused() => Ok(Heard::Gone),
                _ if passing(&error) => Ok(Heard::Nothing),
                _ => Err(error),
            },
        }
    }

    /// A system call only when the time has changed by more than a quarter.
    fn set_wait(&mut self, within: Duration) -> io::Result<()> {
        let within = within.max(Duration::from_millis(1));
        if self.waits < within || self.waits > within + within / 4 {
            self.socket.set_read_timeout(Some(within))?;
            self.waits = within;
        }
        Ok(())
    }

    /// Sends one datagram. If it cannot be sent now it is lost, as it could be on its way.
    pub(super) fn send(&self, datagram: &[u8]) -> io::Result<()> {
        self.send_parts(&[IoSlice::new(datagram)], &[])
    }

    /// Sends blocks with these bytes.
    pub(super) fn send_blocks(&mut self, blocks: &Blocks, bytes: &[u8]) -> io::Result<()> {
        let size = blocks.datagram_size();
        let at_once = MOST_SEGMENTS.min(MOST_BYTES / size);
        if blocks.count > 1 && at_once > 1 && self.segments {
            let datagrams: Vec<_> = blocks.datagrams(bytes).collect();
            for some in datagrams.chunks(at_once) {
                match self.send_segments(some, size) {
                    Ok(()) => {}
                    // No checksums of the device's, a tunnel, an MTU that has changed: the
                    // kernel says no in several ways. From here on one by one.
                    Err(error) if !passing(&error) => {
                        self.segments = false;
                        return self.send_blocks(blocks, bytes);
                    }
                    Err(error) => return Err(error),
                }
            }
            return Ok(());
        }
        for (header, part) in blocks.datagrams(bytes) {
            self.send_parts(&[IoSlice::new(&header), IoSlice::new(part)], &[])?;
        }
        Ok(())
    }

    fn send_segments(&self, datagrams: &[([u8; 4], &[u8])], size: usize) -> io::Result<()> {
        let parts: Vec<IoSlice<'_>> = datagrams
            .iter()
            .flat_map(|(header, part)| [IoSlice::new(header), IoSlice::new(part)])
            .collect();
        let size = u16::try_from(size).unwrap_or(u16::MAX);
        self.send_parts(&parts, &[ControlMessage::UdpGsoSegments(&size)])
    }

    fn send_parts(&self, parts: &[IoSlice<'_>], control: &[ControlMessage<'_>]) -> io::Result<()> {
        let descriptor = self.socket.as_raw_fd();
        match sendmsg(
            descriptor,
            parts,
            control,
            MsgFlags::empty(),
            Some(&self.to),
        ) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether an ICMP error says that the client's port is closed. Others' are forgotten:
    /// who turned a stranger away may hear that it is gone.
    fn client_refused(&self) -> bool {
        let mut gone = false;
        let (mut bytes, mut control) = ([0; 4], nix::cmsg_space!([u8; 64]));
        loop {
            let mut parts = [IoSliceMut::new(&mut bytes)];
            let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
            let descriptor = self.socket.as_raw_fd();
            match recvmsg::<SockaddrIn>(descriptor, &mut parts, Some(&mut control), flags) {
                // The address of an error is where the datagram went that it is about.
                Ok(message) => {
                    let about = message.address.map(SocketAddrV4::from);
                    let refused = message.cmsgs().into_iter().flatten().any(|message| {
                        matches!(message,
                            nix::sys::socket::ControlMessageOwned::Ipv4RecvErr(error, _)
                                if error.ee_errno == Errno::ECONNREFUSED as u32)
                    });
                    gone |= refused && about == Some(self.client);
                }
                Err(_) => return gone,
            }
        }
    }
}

/// What the timer makes good: errors of the way or of the moment.
pub(super) fn passing(error: &io::Error) -> bool {
    let number = Errno::from_raw(error.raw_os_error().unwrap_or(0));
    matches!(
        number,
        Errno::EAGAIN
            | Errno::EINTR
            | Errno::ENOBUFS
            | Errno::ENOMEM
            | Errno::EPERM
            | Errno::ECONNREFUSED
            | Errno::EHOSTUNREACH
            | Errno::ENETUNREACH
            | Errno::EHOSTDOWN
            | Errno::ENETDOWN
            | Errno::EPROTO
            | Errno::ENOPROTOOPT
    )
}

/// What fits into a packet on the way to the client; only a connected socket knows the way.
fn largest_block(
    local: Ipv4Addr,
    interface: Option<&str>,
    client: SocketAddrV4,
) -> io::Result<u16> {
    let probe = bind::open(local, 0, interface)?;
    probe.connect(client)?;
    let mtu = getsockopt(&probe, sockopt::IpMtu)?;
    let most = mtu.saturating_sub(HEADERS).clamp(8, 65464);
    Ok(u16::try_from(most).unwrap_or(512))
}
