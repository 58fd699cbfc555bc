//! Requests to answers: refused, or a transfer.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg};
use tftp::{Request, error_datagram};

use crate::provision::Files;

use super::bind::Socket;
use super::counters::{Counters, Refusal};
use super::registry::{NoPlace, Registry};
use super::socket::TransferSocket;
use super::transfer::{self, Asked};

/// Requests of a socket that are answered before the others have their turn.
const AT_ONCE: usize = 64;

/// More than the longest request, so that a longer one is seen to be so.
const LONGEST: usize = 1024;
/// A transfer's stack, in bytes: templates are rendered on it.
const STACK: usize = 1 << 20;

pub(super) struct Listener {
    sockets: Vec<Socket>,
    files: Arc<dyn Files>,
    counters: Arc<Counters>,
    registry: Arc<Registry>,
}

/// A datagram to the server's port.
struct Arrival {
    length: usize,
    client: SocketAddrV4,
    /// The address that it was sent to.
    to: Ipv4Addr,
    /// The one of ours to answer from.
    local: Ipv4Addr,
}

impl Listener {
    pub(super) fn new(
        sockets: Vec<Socket>,
        files: Arc<dyn Files>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            sockets,
            files,
            registry: Registry::new(Arc::clone(&counters)),
            counters,
        }
    }

    /// Answers until the other end of `wake` is closed.
    pub(super) fn run(self, wake: &OwnedFd) {
        loop {
            let wanted = self.sockets.iter().map(|socket| socket.udp.as_fd());
            let mut wanted: Vec<PollFd<'_>> = std::iter::once(wake.as_fd())
                .chain(wanted)
                .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
                .collect();
            match poll(&mut wanted, PollTimeout::NONE) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => {
                    tracing::error!(%error, "tftp: cannot wait for requests; it ends");
                    return;
                }
            }
            let ready: Vec<bool> = wanted
                .iter()
                .map(|one| one.any().unwrap_or(false))
                .collect();
            if ready.first() == Some(&true) {
                return;
            }
            for (socket, _) in self
                .sockets
                .iter()
                .zip(&ready[1..])
                .filter(|(_, ready)| **ready)
            {
                self.drain(socket);
            }
        }
    }

    fn drain(&self, socket: &Socket) {
        let mut buffer = [0; LONGEST];
        for _ in 0..AT_ONCE {
            match receive(socket, &mut buffer) {
                Ok(Some(arrival)) => {
                    let datagram = &buffer[..arrival.length];
                    if let Err(refusal) = self.answer(socket, &arrival, datagram) {
                        self.counters.count_refused(refusal);
                        let (client, reason) = (arrival.client, refusal.label());
                        tracing::debug!(%client, reason, "tftp: refused");
                    }
                }
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    tracing::debug!(%error, "tftp: cannot receive");
                    return;
                }
            }
        }
    }

    fn answer(&self, socket: &Socket, arrival: &Arrival, datagram: &[u8]) -> Result<(), Refusal> {
        let (client, interface) = (arrival.client, &socket.interface);
        if arrival.to != arrival.local {
            return Err(Refusal::Broadcast);
        }
        if let Err(malformed) = Request::parse(datagram) {
            if let Some(code) = malformed.answer() {
                let error = error_datagram(code, &malformed.to_string());
                let socket = TransferSocket::open(arrival.local, interface.as_deref(), client);
                // Lost or not: it is an answer to nothing.
                let _ = socket.and_then(|socket| socket.send(&error));
            }
            return Err(Refusal::Malformed(malformed));
        }
        let place = match self.registry.enter(client, datagram) {
            Ok(place) => place,
            // Its first answer is on its way, or will be sent again.
            Err(NoPlace::Repeated) => return Ok(()),
            // The client asks again in a while; an error would have it give up.
            Err(NoPlace::Full) => return Err(Refusal::Busy),
        };
        let asked = Asked {
            datagram: datagram.into(),
            client,
            local: arrival.local,
            interface: interface.clone(),
        };
        let (files, counters) = (Arc::clone(&self.files), Arc::clone(&self.counters));
        let thread = std::thread::Builder::new()
            .name("tftp-transfer".to_owned())
            .stack_size(STACK)
            .spawn(move || transfer::run(&files, &counters, &place, &asked));
        thread.map(drop).map_err(|error| {
            tracing::warn!(%error, "tftp: cannot start a thread");
            Refusal::Busy
        })
    }
}

/// A datagram with the addresses it carries; none when they are not to be had.
fn receive(socket: &Socket, buffer: &mut [u8]) -> io::Result<Option<Arrival>> {
    let mut control = nix::cmsg_space!(libc::in_pktinfo);
    let mut parts = [IoSliceMut::new(buffer)];
    let (descriptor, flags) = (socket.udp.as_raw_fd(), MsgFlags::empty());
    let message = recvmsg::<SockaddrIn>(descriptor, &mut parts, Some(&mut control), flags)?;
    let info = message.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::Ipv4PacketInfo(info) => Some(info),
        _ => None,
    });
    let (Some(info), Some(client)) = (info, message.address.map(SocketAddrV4::from)) else {
        return Ok(None);
    };
    let address = |raw: libc::in_addr| Ipv4Addr::from(raw.s_addr.to_ne_bytes());
    // Nothing can be sent to port 0.
    Ok((client.port() != 0).then_some(Arrival {
        length: message.bytes,
        client,
        to: address(info.ipi_addr),
        local: address(info.ipi_spec_dst),
    }))
}
