//! Where messages begin and end in a stream (RFC 3261 sections 7.5, 18.3), and the pings
//! between them (RFC 5626 section 3.5.1).
//!
//! ```text
//!   CRLF CRLF | INVITE .. CRLF CRLF body | CRLF | SIP/2.0 200 .. CRLF CRLF
//!     ping        Content-Length bytes     pong     Content-Length: 0
//! ```

use super::fault::Fault;
use super::lex;
use super::name::Name;
use super::parse::{Limits, end_of_line, field};

/// What stands next in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The bytes of one message, for [`Message::parse`](super::Message::parse).
    Message(Vec<u8>),
    /// Asks whether this end is alive: to be answered with one CRLF.
    Ping,
    /// Answers a ping.
    Pong,
}

/// The receiving side of a connection.
#[derive(Debug)]
pub struct Stream {
    limits: Limits,
    buffer: Vec<u8>,
    /// Bytes at the buffer's start that are done with.
    taken: usize,
    /// Bytes behind `taken` that are known to hold no end of the header fields.
    searched: usize,
    /// The last thing was one CRLF: a second one makes it a ping.
    half_ping: bool,
}

impl Stream {
    /// Nothing received yet.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            buffer: Vec::new(),
            taken: 0,
            searched: 0,
            half_ping: false,
        }
    }

    /// Adds what was received. Ask [`Stream::next`] until it has no more before the next
    /// read: so a peer can't have more stored than a message and a read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken.min(self.buffer.len()));
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Bytes that wait for more. A connection that leaves some for long should be closed.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.taken
    }

    /// The next frame, if all of it is here.
    ///
    /// # Errors
    /// A [`Fault`] after which nobody can tell where the next message begins: the connection
    /// is to be closed.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator would be thought to end where more may come"
    )]
    pub fn next(&mut self) -> Result<Option<Frame>, Fault> {
        let rest = self.buffer.get(self.taken..).unwrap_or_default();
        let (frame, length) = match rest {
            [b'\r', b'\n', b'\r', b'\n', ..] if !self.half_ping => (Frame::Ping, 4),
            [b'\r', b'\n', ..] if self.half_ping => (Frame::Ping, 2),
            [b'\r', b'\n', ..] => (Frame::Pong, 2),
            [] | [b'\r'] => return Ok(None),
            _ => match self.message(rest)? {
                Ok(length) => {
                    let message = rest.get(..length).unwrap_or_default();
                    (Frame::Message(message.to_vec()), length)
                }
                Err(searched) => {
                    self.searched = searched;
                    return Ok(None);
                }
            },
        };
        self.half_ping = frame == Frame::Pong;
        self.taken += length;
        self.searched = 0;
        Ok(Some(frame))
    }

    /// The length of the message that begins here, or how much of it needs no second look.
    fn message(&self, rest: &[u8]) -> Result<Result<usize, usize>, Fault> {
        let unseen = rest.get(self.searched..).unwrap_or_default();
        let Some(end) = memchr::memmem::find(unseen, b"\r\n\r\n") else {
            if rest.len() > self.limits.head {
                return Err(Fault::TooLong);
            }
            return Ok(Err(rest.len().saturating_sub(3)));
        };
        let head = self.searched + end + 4;
        let length = content_length(rest.get(..head).unwrap_or_default(), &self.limits)?;
        let whole = head + length;
        if whole > self.limits.message {
            return Err(Fault::TooLong);
        }
        Ok(if whole <= rest.len() {
            Ok(whole)
        } else {
            Err(head - 4)
        })
    }
}

/// What the one Content-Length field says.
fn content_length(head: &[u8], limits: &Limits) -> Result<usize, Fault> {
    let mut at = end_of_line(head, 0, limits)? + 2;
    let mut length = None;
    while head.get(at..at + 2) != Some(b"\r\n") {
        let line = field(head, at, limits)?;
        if line.name == Some(Name::ContentLength) {
            let value = lex::number(line.value.of(head)).ok_or(Fault::ContentLength)?;
            if length.replace(value).is_some() {
                return Err(Fault::ContentLength);
            }
        }
        at = line.whole.end as usize;
    }
    length
        .map(|length| length as usize)
        .ok_or(Fault::ContentLength)
}

/// Whether a datagram is no message but keeps a way through a NAT open (RFC 5626 section
/// 3.5.1; some phones send zeros or one letter).
#[must_use]
pub fn is_keep_alive(datagram: &[u8]) -> bool {
    datagram.len() <= 8 && datagram.iter().all(|byte| !byte.is_ascii_graphic())
        || datagram.len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabc";
    const TWO: &[u8] = b"SIP/2.0 200 OK\r\nX: y\r\n z\r\nContent-Length : 0\r\n\r\n";

    /// However the bytes are cut, the same frames come out.
    #[test]
    fn frames_do_not_depend_on_segments() {
        let all = [b"\r\n\r\n", ONE, TWO, b"\r\n", ONE, b"\r\n\r\n"].concat();
        let message = |bytes: &[u8]| Frame::Message(bytes.to_vec());
        for size in 1..all.len() {
            let mut stream = Stream::new(Limits::default());
            let mut frames = Vec::new();
            for segment in all.chunks(size) {
                stream.push(segment);
                while let Some(frame) = stream.next().unwrap() {
                    frames.push(frame);
                }
            }
            assert_eq!(stream.pending(), 0);
            // The first half of a ping that was cut is told as a pong.
            let pings = frames.iter().filter(|frame| **frame == Frame::Ping).count();
            assert_eq!(pings, 2, "{size}");
            frames.retain(|frame| matches!(frame, Frame::Message(_)));
            assert_eq!(frames, [message(ONE), message(TWO), message(ONE)], "{size}");
        }
    }

    #[test]
    fn what_has_no_end_closes_the_connection() {
        let limits = Limits {
            message: 200,
            head: 100,
            fields: 9,
        };
        let long = [b'x'; 101];
        for (bytes, fault) in [
            (
                &b"BYE sip:a SIP/2.0\r\nX: y\r\n\r\n"[..],
                Fault::ContentLength,
            ),
            (
                b"BYE sip:a SIP/2.0\r\nl: five\r\n\r\n",
                Fault::ContentLength,
            ),
            (b"BYE sip:a SIP/2.0\r\nl: -1\r\n\r\n", Fault::ContentLength),
            (
                b"BYE sip:a SIP/2.0\r\nl: 1\r\nl: 1\r\n\r\n",
                Fault::ContentLength,
            ),
            (b"BYE sip:a SIP/2.0\r\nl: 300\r\n\r\n", Fault::TooLong),
            (b"BYE sip:a SIP/2.0\r\nX\r\n\r\n", Fault::Nameless),
            (
                b"BYE sip:a SIP/2.0\r\nX: a\nl: 0\r\n\r\n",
                Fault::LoneLineEnd,
            ),
            (&long, Fault::TooLong),
        ] {
            let mut stream = Stream::new(limits);
            stream.push(bytes);
            assert_eq!(
                stream.next(),
                Err(fault),
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[test]
    fn keep_alives_are_told_from_messages() {
        for (datagram, alive) in [
            (&b"\r\n\r\n"[..], true),
            (b"\0\0\0\0", true),
            (b"", true),
            (b"x", true),
            (b"BYE", false),
            (TWO, false),
        ] {
            assert_eq!(is_keep_alive(datagram), alive, "{datagram:?}");
        }
    }
}
