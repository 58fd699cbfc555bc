//! Read and write requests (RFC 1350 section 5, RFC 2347).
//!
//! ```text
//!   | 1 or 2 | name | 0 | mode | 0 | option | 0 | value | 0 | ..
//! ```

use crate::options::Offered;
use crate::packet::{ErrorCode, RRQ, WRQ};

/// Longest request, in bytes of UDP payload (RFC 2347).
const LONGEST: usize = 512;

/// Which way the file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the client (RRQ).
    Read,
    /// From the client (WRQ).
    Write,
}

impl Direction {
    /// Both, in the order of their counters.
    pub const ALL: [Self; 2] = [Self::Read, Self::Write];

    /// The word used in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// What form the bytes have on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As they are in the file.
    Octet,
    /// Text in the network's form: see [`crate::ToNetascii`].
    Netascii,
}

/// A request that can be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Which way the file goes.
    pub direction: Direction,
    /// The name as the client wrote it: neither empty nor with control characters, but
    /// not checked in any other way.
    pub name: &'a str,
    /// Form of the bytes.
    pub mode: Mode,
    /// Options the client would like.
    pub offered: Offered,
}

macro_rules! malformed {
    ($( $(#[$doc:meta])* $name:ident, $label:literal, $message:literal; )*) => {
        /// Why a datagram to the server's port is no request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
        pub enum Malformed { $( $(#[$doc])* #[error($message)] $name, )* }

        impl Malformed {
            /// Every reason, in the order of their counters.
            pub const ALL: &'static [Self] = &[ $( Self::$name, )* ];

            /// The metric's label value.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $( Self::$name => $label, )* }
            }
        }
    };
}

malformed! {
    /// Not even an opcode.
    TooShort, "too_short", "got less than an opcode";
    /// An opcode that is not RRQ or WRQ.
    NotARequest, "not_a_request", "expected a read or write request";
    /// More than 512 bytes.
    TooLong, "too_long", "expected a request of at most 512 bytes";
    /// No NUL ends the name, or there is no name.
    NoName, "no_name", "expected a file name that ends with a NUL";
    /// The name is not UTF-8, or has control characters in it.
    BadName, "bad_name", "expected a file name in UTF-8 without control characters";
    /// No NUL ends the mode, or there is no mode.
    NoMode, "no_mode", "expected a mode that ends with a NUL";
    /// A mode that is neither octet nor netascii.
    UnknownMode, "unknown_mode", "expected mode octet or netascii";
    /// An option without a value, or without the NUL at its end.
    BadOption, "bad_option", "expected each option with a value, both ending with a NUL";
}

impl Malformed {
    /// The error to answer with; none where an answer could itself be answered, or where
    /// nobody asked for anything.
    #[must_use]
    pub const fn answer(self) -> Option<ErrorCode> {
        match self {
            Self::TooShort | Self::NotARequest => None,
            _ => Some(ErrorCode::Illegal),
        }
    }
}

impl<'a> Request<'a> {
    /// Reads what came to the server's port.
    ///
    /// Nothing but NULs after the last option is taken for padding.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let (opcode, rest) = datagram.split_first_chunk().ok_or(Malformed::TooShort)?;
        let direction = match u16::from_be_bytes(*opcode) {
            RRQ => Direction::Read,
            WRQ => Direction::Write,
            _ => return Err(Malformed::NotARequest),
        };
        if datagram.len() > LONGEST {
            return Err(Malformed::TooLong);
        }
        let (name, rest) = field(rest).ok_or(Malformed::NoName)?;
        let name = std::str::from_utf8(name).map_err(|_| Malformed::BadName)?;
        if name.chars().any(char::is_control) {
            return Err(Malformed::BadName);
        }
        let (mode, rest) = field(rest).ok_or(Malformed::NoMode)?;
        let mode = if mode.eq_ignore_ascii_case(b"octet") {
            Mode::Octet
        } else if mode.eq_ignore_ascii_case(b"netascii") {
            Mode::Netascii
        } else {
            return Err(Malformed::UnknownMode);
        };
        Ok(Self {
            direction,
            name,
            mode,
            offered: offered(rest)?,
        })
    }
}

fn offered(mut rest: &[u8]) -> Result<Offered, Malformed> {
    let mut offered = Offered::default();
    while rest.iter().any(|byte| *byte != 0) {
        let (name, after) = field(rest).ok_or(Malformed::BadOption)?;
        let (value, after) = field(after).ok_or(Malformed::BadOption)?;
        offered.take(name, value);
        rest = after;
    }
    Ok(offered)
}

/// Splits off a text that is not empty, and its NUL.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    (end > 0).then(|| (&bytes[..end], &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(direction: Direction, name: &str, mode: Mode) -> Request<'_> {
        Request {
            direction,
            name,
            mode,
            offered: Offered::default(),
        }
    }

    #[test]
    fn reads_requests() {
        let read = plain(Direction::Read, "a/b.bin", Mode::Octet);
        let write = plain(Direction::Write, "log", Mode::Netascii);
        for (bytes, request) in [
            (&b"\0\x01a/b.bin\0octet\0"[..], &read),
            (b"\0\x01a/b.bin\0OcTeT\0", &read),
            (b"\0\x01a/b.bin\0octet\0\0\0\0", &read),
            (b"\0\x01a/b.bin\0octet\0multicast\0\x31\0", &read),
            (b"\0\x02log\0NETASCII\0", &write),
        ] {
            assert_eq!(Request::parse(bytes).as_ref(), Ok(request), "{bytes:?}");
        }
        let all = b"\0\x01x\0octet\0TSIZE\x000\0blksize\x001428\0Timeout\x003\0windowsize\x0016\0";
        let offered = Request::parse(all).map(|request| request.offered);
        assert_eq!(
            offered,
            Ok(Offered {
                block_size: Some(1428),
                timeout: Some(3),
                size: Some(0),
                window: Some(16),
            })
        );
    }

    #[test]
    fn says_what_is_wrong_with_others() {
        let long = [&b"\0\x01"[..], &[b'a'; 600], b"\0octet\0"].concat();
        for (bytes, reason) in [
            (&b""[..], Malformed::TooShort),
            (b"\0", Malformed::TooShort),
            (b"\0\x03\0\x01data", Malformed::NotARequest),
            (b"\0\x05\0\x01sorry\0", Malformed::NotARequest),
            (b"\0\0x\0octet\0", Malformed::NotARequest),
            (&long, Malformed::TooLong),
            (b"\0\x01", Malformed::NoName),
            (b"\0\x01\0octet\0", Malformed::NoName),
            // CVE-2009-2957 and 2958: a name that does not end, options without values.
            (b"\0\x01aaaaaaaaaaaaaaaaaaaaaaaaaaaa", Malformed::NoName),
            (b"\0\x01\xff\xfe\0octet\0", Malformed::BadName),
            (b"\0\x01a\nb\0octet\0", Malformed::BadName),
            (b"\0\x01x\0", Malformed::NoMode),
            (b"\0\x01x\0\0", Malformed::NoMode),
            (b"\0\x01x\0octet", Malformed::NoMode),
            (b"\0\x01x\0mail\0", Malformed::UnknownMode),
            (b"\0\x01x\0octet\0blksize\0", Malformed::BadOption),
            (b"\0\x01x\0octet\0blksize", Malformed::BadOption),
            (b"\0\x01x\0octet\0blksize\x00512", Malformed::BadOption),
            (b"\0\x01x\0octet\0blksize\0\0\x31\0", Malformed::BadOption),
            (b"\0\x01x\0octet\0\0\x31\0", Malformed::BadOption),
        ] {
            assert_eq!(Request::parse(bytes), Err(reason), "{bytes:?}");
        }
    }

    #[test]
    fn labels_are_distinct_and_strays_get_no_answer() {
        let mut labels: Vec<_> = Malformed::ALL.iter().map(|reason| reason.label()).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), Malformed::ALL.len());
        assert_eq!(Malformed::NotARequest.answer(), None);
        assert_eq!(Malformed::NoMode.answer(), Some(ErrorCode::Illegal));
    }
}
