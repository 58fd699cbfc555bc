//! What the traffic helpers need of sockets and the standard library does not offer.

use std::io;
use std::net::{SocketAddrV4, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

use crate::netns::Namespace;
use crate::wait::{Deadline, pause};

/// Receive buffer in bytes: what arrives while the reader waits for a core must not be lost, or
/// a test would count it against the gateway.
pub(crate) const RECEIVE_BUFFER: usize = 16 << 20;

/// Waits until `descriptor` can be read; `false` when `within` passes first.
pub(crate) fn wait_readable(descriptor: &impl AsFd, within: Duration) -> Result<bool> {
    let deadline = Deadline::after(within);
    loop {
        // Rounded up, so that a wait of less than a millisecond is not a busy loop.
        let left = deadline.remaining().unwrap_or_default() + Duration::from_micros(999);
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut polled = [PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
        match poll(&mut polled, timeout) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::EINTR) => {}
            Err(why) => return Err(why).context("poll"),
        }
    }
}

/// How long an address that has just been given up may stay taken: a child that another test
/// forks at that moment holds a copy of the socket until its exec.
const FORK_TIME: Duration = Duration::from_secs(5);

/// Binds a socket in `ns`.
pub(crate) fn bound<T: Send>(
    ns: &Namespace,
    bind: impl Fn() -> io::Result<T> + Send + Sync,
) -> io::Result<T> {
    let deadline = Deadline::after(FORK_TIME);
    ns.enter(|| {
        loop {
            match bind() {
                Err(why) if why.kind() == io::ErrorKind::AddrInUse => match deadline.remaining() {
                    Some(_) => pause(Duration::from_millis(1)),
                    None => return Err(why),
                },
                result => return result,
            }
        }
    })
}

/// A UDP socket of `ns` with a large receive buffer.
///
/// # Errors
/// When the address is not the namespace's, or taken.
pub fn udp(ns: &Namespace, address: SocketAddrV4) -> Result<UdpSocket> {
    let udp = bound(ns, || UdpSocket::bind(address))
        .with_context(|| format!("[{}] bind UDP {address}", ns.name()))?;
    setsockopt(&udp, sockopt::RcvBufForce, &RECEIVE_BUFFER).context("SO_RCVBUFFORCE")?;
    Ok(udp)
}

/// Connects over TCP from a local address and port that the caller chooses.
pub(crate) fn connect_from(
    ns: &Namespace,
    local: SocketAddrV4,
    remote: SocketAddrV4,
    within: Duration,
) -> Result<TcpStream> {
    let tcp = ns.enter(|| {
        socket(
            AddressFamily::Inet,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC,
            None,
        )
    })?;
    setsockopt(&tcp, sockopt::ReuseAddr, &true)?;
    // Bounds the connect as well as the writes.
    let timeout = TimeVal::milliseconds(i64::try_from(within.as_millis())?);
    setsockopt(&tcp, sockopt::SendTimeout, &timeout)?;
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&tcp);
    bind(descriptor, &SockaddrIn::from(local))
        .with_context(|| format!("[{}] bind TCP {local}", ns.name()))?;
    let connected = connect(descriptor, &SockaddrIn::from(remote)).map_err(|why| match why {
        // What Linux says when the send timeout ends a connect.
        Errno::EINPROGRESS => anyhow!("no answer within {within:.1?}"),
        why => anyhow!(why),
    });
    connected.with_context(|| format!("[{}] connect {local} to {remote}", ns.name()))?;
    Ok(TcpStream::from(tcp))
}
