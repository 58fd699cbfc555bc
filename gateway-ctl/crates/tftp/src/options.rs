//! Options: what the client would like, what both agree on (RFC 2347, 2348, 2349, 7440).

use std::time::Duration;

use crate::packet::OACK;
use crate::request::Direction;

/// Bytes of a block when nobody says otherwise (RFC 1350).
const BLOCK: u16 = 512;
/// Largest block, in bytes (RFC 2348).
const LARGEST_BLOCK: u16 = 65464;
/// Smallest block, in bytes (RFC 2348).
const SMALLEST_BLOCK: u16 = 8;

/// Options of a request, as numbers. What is not a number of the option's range is left
/// out, as are options that nobody knows: the client then does without (RFC 2347).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// `blksize`, in bytes.
    pub block_size: Option<u16>,
    /// `timeout`, in seconds.
    pub timeout: Option<u8>,
    /// `tsize`, in bytes: of a write the file's size, of a read 0.
    pub size: Option<u64>,
    /// `windowsize`, in blocks.
    pub window: Option<u16>,
}

impl Offered {
    /// Takes an option; of two with the same name the first counts.
    pub(crate) fn take(&mut self, name: &[u8], value: &[u8]) {
        let Some(number) = number(value) else {
            return;
        };
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("blksize") && number >= u64::from(SMALLEST_BLOCK) {
            let size = u16::try_from(number).unwrap_or(u16::MAX).min(LARGEST_BLOCK);
            self.block_size.get_or_insert(size);
        } else if is("timeout") && number > 0 {
            if let Ok(seconds) = u8::try_from(number) {
                self.timeout.get_or_insert(seconds);
            }
        } else if is("tsize") {
            self.size.get_or_insert(number);
        } else if is("windowsize") && number > 0 {
            let blocks = u16::try_from(number).unwrap_or(u16::MAX);
            self.window.get_or_insert(blocks);
        }
    }
}

fn number(value: &[u8]) -> Option<u64> {
    let digits = value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| digits)?;
    text.parse().ok()
}

/// What this side allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest block in bytes, from 8 to 65464: what fits in a packet of the path's MTU.
    /// Blocks of 512 bytes, for clients without the option, are always allowed.
    pub block_size: u16,
    /// Most blocks in a row without an ACK.
    pub window: u16,
    /// Most bytes in a row without an ACK; one block is always allowed.
    pub window_bytes: u32,
    /// How long nothing comes of a transfer before it is given up.
    pub patience: Duration,
    /// How often something is sent again, at least, before that.
    pub tries: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // 1500 bytes without headers of IPv4, UDP and TFTP.
            block_size: 1468,
            window: 64,
            window_bytes: 1 << 17,
            patience: Duration::from_secs(30),
            tries: 3,
        }
    }
}

/// What both sides go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Bytes of a block that is not the last.
    pub block_size: u16,
    /// Blocks in a row without an ACK.
    pub window: u16,
    /// After what time something is sent again, if the client asked for one.
    pub timeout: Option<Duration>,
}

/// Agrees; with the OACK to send, if the client offered what can be agreed on.
///
/// `size` is what `tsize` is answered with: the size of the file that is read. A write is
/// answered with what the client said.
pub(crate) fn agree(
    offered: &Offered,
    direction: Direction,
    size: u64,
    limits: &Limits,
) -> (Agreed, Option<Vec<u8>>) {
    let mut oack = OACK.to_be_bytes().to_vec();
    let bare = oack.len();
    let mut say = |name: &str, value: u64| {
        oack.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
    };
    let block_size = offered.block_size.map_or(BLOCK, |wanted| {
        let size = wanted.min(limits.block_size.max(SMALLEST_BLOCK));
        say("blksize", u64::from(size));
        size
    });
    if let Some(seconds) = offered.timeout {
        say("timeout", u64::from(seconds));
    }
    if let Some(told) = offered.size {
        let size = match direction {
            Direction::Read => size,
            Direction::Write => told,
        };
        say("tsize", size);
    }
    let window = offered.window.map_or(1, |wanted| {
        let fit = limits.window_bytes / u32::from(block_size);
        let fit = u16::try_from(fit).unwrap_or(u16::MAX).min(limits.window);
        let window = wanted.min(fit.max(1));
        say("windowsize", u64::from(window));
        window
    });
    let agreed = Agreed {
        block_size,
        window,
        timeout: offered
            .timeout
            .map(|seconds| Duration::from_secs(u64::from(seconds))),
    };
    let said = oack.len() > bare;
    (agreed, said.then_some(oack))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(options: &[(&str, &str)]) -> Offered {
        let mut offered = Offered::default();
        for (name, value) in options {
            offered.take(name.as_bytes(), value.as_bytes());
        }
        offered
    }

    #[test]
    fn values_out_of_range_are_no_options() {
        for (name, value) in [
            ("blksize", "7"),
            ("blksize", "-9"),
            ("blksize", "abc"),
            ("blksize", "+512"),
            ("blksize", "99999999999999999999"),
            ("timeout", "0"),
            ("timeout", "256"),
            ("windowsize", "0"),
            ("tsize", "0x10"),
            ("colour", "1"),
        ] {
            assert_eq!(
                offered(&[(name, value)]),
                Offered::default(),
                "{name} {value}"
            );
        }
        let twice = offered(&[("blksize", "1024"), ("BLKSIZE", "8192")]);
        assert_eq!(twice.block_size, Some(1024));
        assert_eq!(offered(&[("blksize", "65535")]).block_size, Some(65464));
    }

    #[test]
    fn agrees_to_no_more_than_is_allowed() {
        let limits = Limits::default();
        let all = offered(&[
            ("blksize", "65464"),
            ("timeout", "2"),
            ("tsize", "0"),
            ("windowsize", "65535"),
        ]);
        let (agreed, oack) = agree(&all, Direction::Read, 123, &limits);
        assert_eq!((agreed.block_size, agreed.window), (1468, 64));
        assert_eq!(agreed.timeout, Some(Duration::from_secs(2)));
        let text = b"\0\x06blksize\x001468\0timeout\x002\0tsize\x00123\0windowsize\x0064\0";
        assert_eq!(oack.as_deref(), Some(&text[..]));

        let large = Limits {
            block_size: 65464,
            ..limits
        };
        assert_eq!(agree(&all, Direction::Read, 0, &large).0.window, 2);
        let upload = offered(&[("tsize", "77")]);
        let (agreed, oack) = agree(&upload, Direction::Write, 0, &limits);
        assert_eq!((agreed.block_size, agreed.window), (512, 1));
        assert_eq!(oack.as_deref(), Some(&b"\0\x06tsize\x0077\0"[..]));
        assert_eq!(
            agree(&Offered::default(), Direction::Read, 9, &limits).1,
            None
        );
    }
}
