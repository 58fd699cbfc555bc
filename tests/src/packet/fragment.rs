//! Fragments: a packet cut as a router cuts it (RFC 791, 3.2), and put together again so that
//! the segment's checksum can be verified.

use super::check::{body, check, check_ip};
use super::encode::IP_HEADER;
use super::{Body, Packet};

impl Packet {
    /// The fragments of this packet for a link with this MTU in bytes, in order; the packet itself
    /// if it fits. Options go into each of them (as if all had their copied flag set).
    ///
    /// # Panics
    /// When the MTU leaves no room for 8 bytes of data.
    #[must_use]
    pub fn fragments(&self, mtu: usize) -> Vec<Self> {
        let header = IP_HEADER + self.ip.options.len();
        let data = self.body_bytes();
        if header + data.len() <= mtu {
            return vec![self.clone()];
        }
        // Every fragment but the last carries a multiple of 8 bytes.
        let room = (mtu - header) / 8 * 8;
        assert!(room > 0, "an MTU of {mtu} has no room for fragments");
        let count = data.len().div_ceil(room);
        let cut = |(number, part): (usize, &[u8])| {
            let mut fragment = self.clone();
            fragment.ip.fragment_offset += (number * room) as u16;
            fragment.ip.more_fragments |= number + 1 < count;
            fragment.body = Body::Raw {
                protocol: self.body.protocol(),
                payload: part.to_vec(),
            };
            fragment
        };
        data.chunks(room).enumerate().map(cut).collect()
    }
}

/// Puts the fragments of one packet, Ethernet frames in any order, together and verifies the
/// whole. Its headers are the first fragment's.
///
/// # Errors
/// When a frame is wrong, belongs to another packet, or a part is missing or there twice.
pub fn reassemble(frames: &[impl AsRef<[u8]>]) -> Result<Packet, String> {
    join(
        frames
            .iter()
            .map(|frame| check(frame.as_ref()))
            .collect::<Result<_, _>>()?,
    )
}

/// As [`reassemble`], for packets without Ethernet header.
///
/// # Errors
/// As [`reassemble`].
pub fn reassemble_ip(packets: &[impl AsRef<[u8]>]) -> Result<Packet, String> {
    join(
        packets
            .iter()
            .map(|packet| check_ip(packet.as_ref()))
            .collect::<Result<_, _>>()?,
    )
}

fn join(mut parts: Vec<Packet>) -> Result<Packet, String> {
    parts.sort_by_key(|part| part.ip.fragment_offset);
    let identity = |part: &Packet| {
        (
            part.ip.source,
            part.ip.destination,
            part.ip.id,
            part.body.protocol(),
        )
    };
    let mut whole = parts.first().ok_or("no fragments")?.clone();
    let mut data = Vec::new();
    for part in &parts {
        if identity(part) != identity(&whole) {
            return Err(format!(
                "of another packet: {:?}, expected {:?}",
                part.ip, whole.ip
            ));
        }
        let offset = usize::from(part.ip.fragment_offset);
        if offset != data.len() {
            return Err(format!(
                "got a fragment at {offset}, expected one at {}",
                data.len()
            ));
        }
        data.extend_from_slice(&part.body_bytes());
    }
    if parts.last().is_some_and(|last| last.ip.more_fragments) {
        return Err(format!(
            "the last fragment is missing, after {} bytes",
            data.len()
        ));
    }
    whole.ip.more_fragments = false;
    whole.body = body(&whole.ip, whole.body.protocol(), &data)?;
    Ok(whole)
}
