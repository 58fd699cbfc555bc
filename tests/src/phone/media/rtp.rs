//! RTP packets (RFC 3550 section 5.1).
//!
//! ```text
//!   V=2 P X CC | M PT | sequence number
//!   timestamp
//!   SSRC
//!   CSRC, 4 bytes each; extension: 2 bytes, length in words, words
//!   payload; with P its last byte counts the padding
//! ```

/// A packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The first of a talkspurt (RFC 3551 section 4.1).
    pub marker: bool,
    /// What is in it: 0 to 127.
    pub payload_type: u8,
    /// One more with each packet.
    pub sequence: u16,
    /// Of the first sample, in samples.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
    /// Without padding.
    pub payload: &'a [u8],
}

/// What is wrong with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

const HEADER: usize = 12;

impl<'a> Packet<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// When it is no RTP of version 2, or shorter than it says.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (head, rest) = bytes.split_at_checked(HEADER).ok_or(Malformed)?;
        if head[0] >> 6 != 2 {
            return Err(Malformed);
        }
        let sources = usize::from(head[0] & 0x0f) * 4;
        let mut payload = rest.get(sources..).ok_or(Malformed)?;
        if head[0] & 0x10 != 0 {
            let extension = payload.get(..4).ok_or(Malformed)?;
            let words = usize::from(u16::from_be_bytes([extension[2], extension[3]]));
            payload = payload.get(4 + words * 4..).ok_or(Malformed)?;
        }
        if head[0] & 0x20 != 0 {
            let padding = usize::from(*payload.last().ok_or(Malformed)?);
            let length = payload.len().checked_sub(padding).ok_or(Malformed)?;
            payload = payload
                .get(..length)
                .filter(|_| padding > 0)
                .ok_or(Malformed)?;
        }
        let word =
            |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        Ok(Self {
            marker: head[1] & 0x80 != 0,
            payload_type: head[1] & 0x7f,
            sequence: u16::from_be_bytes([head[2], head[3]]),
            timestamp: word(4),
            ssrc: word(8),
            payload,
        })
    }

    /// As a datagram.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.payload.len());
        bytes.extend([0x80, u8::from(self.marker) << 7 | self.payload_type & 0x7f]);
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.timestamp.to_be_bytes());
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend(self.payload);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: Packet<'static> = Packet {
        marker: true,
        payload_type: 8,
        sequence: 0x0102,
        timestamp: 0x0304_0506,
        ssrc: 0x0708_090a,
        payload: b"hi",
    };

    #[test]
    fn bytes_and_parse_are_inverse() {
        let bytes = PACKET.bytes();
        let expected = [0x80, 0x88, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, b'h', b'i'];
        assert_eq!(bytes, expected);
        assert_eq!(Packet::parse(&bytes), Ok(PACKET));
    }

    #[test]
    fn sources_extension_and_padding_are_left_out() {
        let mut bytes = PACKET.bytes();
        bytes[0] = 0xb1;
        let more = [9, 9, 9, 9, 0xbe, 0xde, 0, 1, 7, 7, 7, 7];
        bytes.splice(12..12, more);
        bytes.extend([0, 0, 3]);
        assert_eq!(Packet::parse(&bytes), Ok(PACKET));
        for end in 0..28 {
            // Cut anywhere it is no packet, but for ends that count no padding too much.
            let cut = Packet::parse(&bytes[..end]);
            assert!(cut.is_err() || end > 24, "{end}: {cut:?}");
        }
    }

    #[test]
    fn other_versions_are_refused() {
        let mut bytes = PACKET.bytes();
        bytes[0] = 0x40;
        assert_eq!(Packet::parse(&bytes), Err(Malformed));
    }
}
