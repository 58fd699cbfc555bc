//! Packets of a transfer (RFC 1350 section 5). Numbers are in network byte order.
//!
//! ```text
//!   DATA   | 3 | block | 0 .. blksize bytes
//!   ACK    | 4 | block |
//!   ERROR  | 5 | code  | message | 0 |
//!   OACK   | 6 | option | 0 | value | 0 | ..      (RFC 2347)
//! ```

/// Bytes of a header: opcode and block number or error code.
pub(crate) const HEADER: usize = 4;

pub(crate) const RRQ: u16 = 1;
pub(crate) const WRQ: u16 = 2;
const DATA: u16 = 3;
const ACK: u16 = 4;
const ERROR: u16 = 5;
pub(crate) const OACK: u16 = 6;

/// Codes of the ERROR packet (RFC 1350 section 5, RFC 2347).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// See the message.
    NotDefined = 0,
    /// File not found.
    NotFound = 1,
    /// Access violation.
    AccessViolation = 2,
    /// Disk full or allocation exceeded.
    DiskFull = 3,
    /// Illegal TFTP operation.
    Illegal = 4,
    /// Unknown transfer identifier: the datagram is of no transfer of that port.
    UnknownTransfer = 5,
    /// File already exists.
    Exists = 6,
}

/// An ERROR datagram. The message is for people; what does not fit in 100 bytes is cut off.
#[must_use]
pub fn error_datagram(code: ErrorCode, message: &str) -> Vec<u8> {
    let mut bytes = header(ERROR, code as u16).to_vec();
    // A NUL ends the message, so it can't hold one.
    bytes.extend(message.bytes().filter(|byte| *byte != 0).take(100));
    bytes.push(0);
    bytes
}

/// A packet that a client may send once its request was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    Data { block: u16, bytes: &'a [u8] },
    Ack { block: u16 },
    Error,
}

impl<'a> Packet<'a> {
    /// Reads it; anything else is none. Bytes after an ACK's number are left alone: boot
    /// loaders pad.
    pub(crate) fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (opcode, rest) = datagram.split_first_chunk()?;
        let number = rest
            .split_first_chunk()
            .map(|(number, bytes)| (u16::from_be_bytes(*number), bytes));
        match (u16::from_be_bytes(*opcode), number) {
            (DATA, Some((block, bytes))) => Some(Self::Data { block, bytes }),
            (ACK, Some((block, _))) => Some(Self::Ack { block }),
            // Whatever its code is, and even without one: the client has given up.
            (ERROR, _) => Some(Self::Error),
            _ => None,
        }
    }
}

pub(crate) fn data_header(block: u16) -> [u8; HEADER] {
    header(DATA, block)
}

pub(crate) fn ack(block: u16) -> Vec<u8> {
    header(ACK, block).to_vec()
}

fn header(opcode: u16, number: u16) -> [u8; HEADER] {
    let ([a, b], [c, d]) = (opcode.to_be_bytes(), number.to_be_bytes());
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_clients_send() {
        for (bytes, packet) in [
            (
                &b"\0\x03\0\x01abc"[..],
                Some(Packet::Data {
                    block: 1,
                    bytes: b"abc",
                }),
            ),
            (
                b"\0\x03\xff\xff",
                Some(Packet::Data {
                    block: 0xffff,
                    bytes: b"",
                }),
            ),
            (b"\0\x04\x01\x02", Some(Packet::Ack { block: 0x102 })),
            (
                b"\0\x04\x01\x02\0\0\0\0",
                Some(Packet::Ack { block: 0x102 }),
            ),
            (b"\0\x05\0\x08no\0", Some(Packet::Error)),
            (b"\0\x05", Some(Packet::Error)),
            (b"\0\x04\x01", None),
            (b"\0\x03\x01", None),
            (b"\0\x06a\0b\0", None),
            (b"\0\x01a\0octet\0", None),
            (b"\x03", None),
            (b"", None),
        ] {
            assert_eq!(Packet::parse(bytes), packet, "{bytes:?}");
        }
    }

    #[test]
    fn an_error_is_text_and_one_nul() {
        let bytes = error_datagram(ErrorCode::NotFound, "no\0ne");
        assert_eq!(bytes, b"\0\x05\0\x01none\0");
        assert_eq!(
            error_datagram(ErrorCode::Illegal, &"x".repeat(999)).len(),
            105
        );
    }
}
