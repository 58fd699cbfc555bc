//! Messages over TCP (RFC 3525 annex D.2): each in a TPKT (RFC 1006 section 6).
//!
//! ```text
//!    0        1        2        3        4
//!   +--------+--------+--------+--------+---------
//!   |   3    |   0    | length, 4 included | message ..
//!   +--------+--------+--------+--------+---------
//! ```

use thiserror::Error;

const HEADER: usize = 4;
/// Longest message, octets.
pub const LONGEST: usize = u16::MAX as usize - HEADER;

/// Why a stream cannot be read any further: close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadPacket {
    /// Another protocol.
    #[error("got version {0}, expected 3: no TPKT")]
    Version(u8),
    /// Shorter than its header.
    #[error("got a length of {0}, expected at least 4")]
    Length(u16),
}

/// Puts a header before a message; `None` when it is too long.
#[must_use]
pub fn packet(message: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(message.len() + HEADER).ok()?;
    let [high, low] = length.to_be_bytes();
    Some([&[3, 0, high, low], message].concat())
}

/// Takes messages out of a stream.
#[derive(Clone, Debug, Default)]
pub struct Stream(Vec<u8>);

impl Stream {
    /// More of the stream. Ask for all messages before there is yet more, and there is never more
    /// than one packet kept.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next message, if all of it is there.
    ///
    /// # Errors
    /// When the stream is no stream of packets.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, BadPacket> {
        let [version, _, high, low] = match self.0.first_chunk() {
            Some(header) => *header,
            None => match self.0.first() {
                Some(version) if *version != 3 => return Err(BadPacket::Version(*version)),
                _ => return Ok(None),
            },
        };
        if version != 3 {
            return Err(BadPacket::Version(version));
        }
        let length = u16::from_be_bytes([high, low]);
        let Some(octets) = usize::from(length).checked_sub(HEADER) else {
            return Err(BadPacket::Length(length));
        };
        if self.0.len() < HEADER + octets {
            return Ok(None);
        }
        let rest = self.0.split_off(HEADER + octets);
        let mut packet = std::mem::replace(&mut self.0, rest);
        packet.drain(..HEADER);
        Ok(Some(packet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in() {
        let messages = [&b"one"[..], b"", &[7; LONGEST], b"four"];
        let stream: Vec<u8> = messages
            .iter()
            .flat_map(|message| packet(message).expect("short enough"))
            .collect();
        for step in [1, 3, 1000, stream.len()] {
            let (mut reader, mut found) = (Stream::default(), Vec::new());
            for piece in stream.chunks(step) {
                reader.push(piece);
                while let Some(message) = reader.next_message().expect("packets") {
                    found.push(message);
                }
            }
            assert_eq!(found, messages, "in steps of {step}");
        }
        assert_eq!(packet(&[0; LONGEST + 1]), None);
    }

    #[test]
    fn other_streams_are_refused() {
        for (bytes, error) in [
            (&b"!/1 a"[..], BadPacket::Version(b'!')),
            (b"G", BadPacket::Version(b'G')),
            (&[3, 0, 0, 3], BadPacket::Length(3)),
        ] {
            let mut stream = Stream::default();
            stream.push(bytes);
            assert_eq!(stream.next_message(), Err(error));
        }
    }
}
