//! What was seen where the uplinks end, at the provider: who spoke with whom, and how much.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Result, anyhow};

use super::TwoSites;
use super::files::H248;
use crate::packet::{Body, check, hexdump};
use crate::traffic::{Capture, Frame};

/// Who sends to whom.
pub type Flow = (SocketAddrV4, SocketAddrV4);

/// Captures at both uplinks.
#[derive(Debug)]
pub struct Uplinks([Capture; 2]);

/// What an uplink has seen in a while, both ways.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// UDP that is no H.248, by who sent it to whom: packets.
    pub media: BTreeMap<Flow, u64>,
    /// Packets of H.248.
    pub signalling: u64,
    /// Packets from or to a private address: always 0, or the gateway is wrong.
    pub private: u64,
}

impl Uplinks {
    /// Captures from now on.
    ///
    /// # Errors
    /// When an interface is gone.
    pub fn start(sites: &TwoSites) -> Result<Self> {
        let capture = |site: &crate::site::Site| Capture::start(&site.upstream);
        Ok(Self([capture(&sites.a)?, capture(&sites.b)?]))
    }

    /// What was seen at A's and B's since this was asked last.
    ///
    /// # Errors
    /// When a packet has a wrong checksum or length.
    pub fn take(&mut self) -> Result<[Seen; 2]> {
        let [a, b] = &mut self.0;
        Ok([look(&a.take()?)?, look(&b.take()?)?])
    }
}

fn look(frames: &[Frame]) -> Result<Seen> {
    /// EtherType of IPv4, and where an EtherType is.
    const IPV4: ([u8; 2], std::ops::Range<usize>) = ([0x08, 0x00], 12..14);
    let mut seen = Seen::default();
    for Frame { bytes, .. } in frames {
        if bytes.get(IPV4.1) != Some(&IPV4.0) {
            continue;
        }
        let packet = check(bytes);
        let packet = packet.map_err(|why| anyhow!("at an uplink: {why}\n{}", hexdump(bytes)))?;
        let (from, to) = (packet.ip.source, packet.ip.destination);
        let (from, to): (Ipv4Addr, Ipv4Addr) = (from, to);
        seen.private += u64::from(from.is_private() || to.is_private());
        match packet.body {
            Body::Udp {
                source,
                destination,
                ..
            } if source == H248 || destination == H248 => seen.signalling += 1,
            Body::Udp {
                source,
                destination,
                ..
            } => {
                let flow = (
                    SocketAddrV4::new(from, source),
                    SocketAddrV4::new(to, destination),
                );
                *seen.media.entry(flow).or_default() += 1;
            }
            _ => {}
        }
    }
    Ok(seen)
}

impl Seen {
    /// Packets of a flow.
    #[must_use]
    pub fn packets(&self, from: SocketAddrV4, to: SocketAddrV4) -> u64 {
        self.media.get(&(from, to)).copied().unwrap_or(0)
    }
}
