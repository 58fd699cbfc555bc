//! DHCP on a packet socket: a phone without an address speaks from 0.0.0.0.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd as _, OwnedFd};

use anyhow::Result;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};

use super::place::Place;
use crate::dhcp::message::Message;
use crate::dhcp::raw::{CLIENT_PORT, SERVER_PORT};
use crate::packet::{Body, check, udp};

const EVERYBODY: [u8; 6] = [0xff; 6];
const LONGEST_FRAME: usize = 2048;

/// A packet socket of an interface.
#[derive(Debug)]
pub(super) struct Frames {
    socket: OwnedFd,
    /// The phone's Ethernet address: the interface's, if nothing else is said.
    pub(super) mac: [u8; 6],
}

impl Frames {
    pub(super) fn open(place: &Place, interface: &str, mac: Option<[u8; 6]>) -> Result<Self> {
        let (socket, own) = place.packets(interface)?;
        let mac = mac.unwrap_or(own);
        Ok(Self { socket, mac })
    }

    pub(super) fn descriptor(&self) -> &OwnedFd {
        &self.socket
    }

    /// Sends a message to everybody: from nowhere, or from the phone's address.
    pub(super) fn broadcast(&self, from: Ipv4Addr, message: &Message) -> Result<()> {
        let (from, to) = (
            SocketAddrV4::new(from, CLIENT_PORT),
            SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT),
        );
        let packet = udp(*from.ip(), from.port(), *to.ip(), to.port());
        let frame = packet
            .macs(self.mac, EVERYBODY)
            .payload(&message.bytes())
            .bytes();
        send(self.socket.as_raw_fd(), &frame, MsgFlags::MSG_DONTWAIT)?;
        Ok(())
    }

    /// The next message from a server, if one has arrived.
    pub(super) fn next(&self) -> Result<Option<Message>> {
        let mut frame = [0; LONGEST_FRAME];
        loop {
            let length = match recv(self.socket.as_raw_fd(), &mut frame, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => length,
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => continue,
                Err(why) => return Err(why.into()),
            };
            if let Some(message) = from_server(&frame[..length]) {
                return Ok(Some(message));
            }
        }
    }
}

fn from_server(frame: &[u8]) -> Option<Message> {
    let packet = check(frame).ok()?;
    let Body::Udp {
        source: SERVER_PORT,
        destination: CLIENT_PORT,
        payload,
        ..
    } = packet.body
    else {
        return None;
    };
    Message::parse(&payload)
        .ok()
        .filter(|message| message.reply)
}
