//! A client on a packet socket: it sends any bytes from any Ethernet address and sees every answer,
//! also those that a real client would not take.

use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Context, Result, ensure};

use super::message::{Message, kind};
use crate::link::Interface;
use crate::packet::{Body, check, udp};
use crate::traffic::{Capture, Frame, Injector};
use crate::wait::Deadline;

/// Ports of DHCP (RFC 2131, 4.1).
pub const SERVER_PORT: u16 = 67;
/// The client's.
pub const CLIENT_PORT: u16 = 68;
const EVERYBODY: [u8; 6] = [0xFF; 6];

/// An answer, with what carried it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Ethernet source and destination.
    pub macs: ([u8; 6], [u8; 6]),
    /// IP source and destination.
    pub addresses: (Ipv4Addr, Ipv4Addr),
    /// Destination port: 68, or 67 towards a relay agent.
    pub port: u16,
    /// The UDP payload.
    pub payload: Vec<u8>,
    /// The payload, read.
    pub message: Message,
}

/// A client that sees all that comes in on its interface.
#[derive(Debug)]
pub struct RawClient {
    /// The Ethernet address that it sends from, unless told otherwise.
    pub mac: [u8; 6],
    capture: Capture,
    injector: Injector,
}

impl RawClient {
    /// Listens on an interface, for frames to other Ethernet addresses too.
    ///
    /// # Errors
    /// When the interface is gone.
    pub fn new(interface: &Interface) -> Result<Self> {
        Ok(Self {
            mac: interface.mac,
            capture: Capture::start(interface)?,
            injector: Injector::new(interface)?,
        })
    }

    /// Broadcasts a payload as a client without an address: from 0.0.0.0:68 to 255.255.255.255:67.
    ///
    /// # Errors
    /// When the interface is down.
    pub fn broadcast(&self, payload: &[u8]) -> Result<()> {
        let from = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT);
        let to = SocketAddrV4::new(Ipv4Addr::BROADCAST, SERVER_PORT);
        self.datagram((self.mac, from), (EVERYBODY, to), payload)
    }

    /// Sends a payload from an Ethernet and IP address to another.
    ///
    /// # Errors
    /// When the interface is down.
    pub fn datagram(
        &self,
        (mac, from): ([u8; 6], SocketAddrV4),
        (to_mac, to): ([u8; 6], SocketAddrV4),
        payload: &[u8],
    ) -> Result<()> {
        let packet = udp(*from.ip(), from.port(), *to.ip(), to.port());
        self.frame(&packet.macs(mac, to_mac).payload(payload).bytes())
    }

    /// Sends a frame, however wrong.
    ///
    /// # Errors
    /// When the interface is down.
    pub fn frame(&self, frame: &[u8]) -> Result<()> {
        self.injector.send(frame)
    }

    /// Waits for an answer for which `wanted` holds. Answers of the past count too.
    ///
    /// # Errors
    /// When the deadline passes first: with the frames that were seen.
    pub fn answer(
        &mut self,
        deadline: impl Into<Deadline>,
        mut wanted: impl FnMut(&Message) -> bool,
    ) -> Result<Answer> {
        let answers = self.answers_until(deadline, &mut wanted)?;
        let found = answers.into_iter().find(|answer| wanted(&answer.message));
        found.context("an answer matched, but did not match again")
    }

    /// Waits for an answer for which `wanted` holds, and returns all answers so far.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub fn answers_until(
        &mut self,
        deadline: impl Into<Deadline>,
        mut wanted: impl FnMut(&Message) -> bool,
    ) -> Result<Vec<Answer>> {
        let frames = self.capture.until(deadline, |frames| {
            let mut answers = frames.iter().filter_map(answer);
            answers.any(|answer| wanted(&answer.message))
        })?;
        Ok(frames.iter().filter_map(answer).collect())
    }

    /// Has a DHCPDISCOVER answered and takes the offer: offer and DHCPACK.
    ///
    /// # Errors
    /// When an answer does not come in time, or is a DHCPNAK.
    pub fn lease(
        &mut self,
        discover: &Message,
        deadline: impl Into<Deadline>,
    ) -> Result<(Answer, Answer)> {
        let deadline = deadline.into();
        let of = |message: &Message, kinds: &[u8]| {
            message.xid == discover.xid && message.kind().is_some_and(|kind| kinds.contains(&kind))
        };
        self.broadcast(&discover.bytes())?;
        let offer = self.answer(deadline, |message| of(message, &[kind::OFFER]))?;
        self.broadcast(&discover.request(&offer.message).bytes())?;
        let ack = self.answer(deadline, |message| of(message, &[kind::ACK, kind::NAK]))?;
        ensure!(
            ack.message.kind() == Some(kind::ACK),
            "the offer was taken, but: {ack:?}"
        );
        Ok((offer, ack))
    }

    /// Sends a payload that should not be answered, then `good`, a message that must be, by a
    /// server that answers in order: the answers to anything but `good`.
    ///
    /// # Errors
    /// When `good` is not answered in time.
    pub fn answers_beside(
        &mut self,
        payload: &[u8],
        good: &Message,
        deadline: impl Into<Deadline>,
    ) -> Result<Vec<Answer>> {
        let before = self.seen();
        self.broadcast(payload)?;
        self.broadcast(&good.bytes())?;
        let all = self.answers_until(deadline, |message| message.xid == good.xid)?;
        let new = all.into_iter().skip(before);
        Ok(new
            .filter(|answer| answer.message.xid != good.xid)
            .collect())
    }

    /// How many answers have been looked at.
    fn seen(&self) -> usize {
        self.capture.seen().iter().filter_map(answer).count()
    }
}

/// The DHCP answer in a received frame.
fn answer(frame: &Frame) -> Option<Answer> {
    if frame.outgoing {
        return None;
    }
    let packet = check(&frame.bytes).ok()?;
    let Body::Udp {
        source: SERVER_PORT,
        destination,
        payload,
        ..
    } = packet.body
    else {
        return None;
    };
    let message = Message::parse(&payload).ok().filter(|read| read.reply)?;
    Some(Answer {
        macs: (packet.ethernet.source, packet.ethernet.destination),
        addresses: (packet.ip.source, packet.ip.destination),
        port: destination,
        payload,
        message,
    })
}
