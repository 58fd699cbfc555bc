//! Nonces that need no memory until they are used, and the memory of those that were.
//!
//! ```text
//!   | milliseconds, 8 bytes | salt, 8 bytes | keyed hash of both, 16 bytes |  in hexadecimal
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use super::hash::{hex, keyed, same};

/// Bytes of a nonce before its hash.
const STAMP: usize = 16;
/// All its bytes.
const WHOLE: usize = 32;

/// When it was made, and what tells it from others of that moment.
pub(super) type Stamp = (u64, u64);

pub(super) fn make(secret: &[u8; 32], now: Duration, salt: u64) -> String {
    let time = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let stamp = [time.to_be_bytes(), salt.to_be_bytes()].concat();
    let hash = keyed(secret, &stamp);
    let mut text = hex(&stamp);
    text.push_str(&hex(hash.get(..WHOLE - STAMP).unwrap_or_default()));
    text
}

/// When it was made, if it was made with that secret.
pub(super) fn check(secret: &[u8; 32], nonce: &str) -> Option<Stamp> {
    let mut bytes = [0; WHOLE];
    if nonce.len() != WHOLE * 2 || !nonce.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(nonce.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    let (stamp, hash) = bytes.split_at(STAMP);
    let expected = keyed(secret, stamp);
    same(hash, expected.get(..WHOLE - STAMP)?).then_some(())?;
    let (time, salt) = stamp.split_first_chunk()?;
    let time = u64::from_be_bytes(*time);
    Some((time, u64::from_be_bytes(salt.try_into().ok()?)))
}

/// How often each nonce was used. A count is never taken twice, but smaller ones that come
/// late are: datagrams overtake each other.
#[derive(Debug)]
pub(super) struct Uses {
    used: BTreeMap<Stamp, Window>,
    limit: usize,
    /// Nonces made before this moment are no longer known, so they are refused.
    forgotten: u64,
}

/// The largest count, and a bit for each of the 64 up to it.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    largest: u32,
    seen: u64,
}

impl Window {
    fn take(&mut self, count: u32) -> bool {
        if count > self.largest {
            let ahead = count - self.largest;
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.largest = count;
            return true;
        }
        let bit = 1_u64.checked_shl(self.largest - count).unwrap_or(0);
        let fresh = bit != 0 && self.seen & bit == 0 && count > 0;
        self.seen |= bit;
        fresh
    }
}

impl Uses {
    /// Remembers so many nonces.
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            used: BTreeMap::new(),
            limit,
            forgotten: 0,
        }
    }

    /// Whether a nonce made then is old, or might have been forgotten.
    pub(super) const fn is_old(&self, stamp: Stamp, oldest: u64) -> bool {
        stamp.0 < oldest || stamp.0 < self.forgotten
    }

    /// Uses it once more; false if it was used with that count already. Without a count
    /// (RFC 2069) it can be used once.
    pub(super) fn take(&mut self, stamp: Stamp, count: u32, oldest: u64) -> bool {
        while let Some(first) = self.used.first_entry() {
            if first.key().0 >= oldest && self.used.len() < self.limit {
                break;
            }
            let (time, _) = self
                .used
                .pop_first()
                .map(|(stamp, _)| stamp)
                .unwrap_or_default();
            // Others of that moment may be forgotten next.
            self.forgotten = self.forgotten.max(time.saturating_add(1));
        }
        if stamp.0 < self.forgotten {
            return false;
        }
        self.used.entry(stamp).or_default().take(count)
    }

    pub(super) fn len(&self) -> usize {
        self.used.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_known_by_its_secret() {
        let nonce = make(&[7; 32], Duration::from_millis(1234), 5);
        assert_eq!(nonce.len(), 64);
        assert_eq!(check(&[7; 32], &nonce), Some((1234, 5)));
        assert_eq!(check(&[8; 32], &nonce), None);
        for at in 0..nonce.len() {
            let mut changed = nonce.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(check(&[7; 32], &String::from_utf8(changed).unwrap()), None);
        }
        assert_eq!(check(&[7; 32], ""), None);
        assert_eq!(check(&[7; 32], &"\u{e4}".repeat(32)), None);
    }

    #[test]
    fn counts_are_taken_once_in_any_order() {
        let mut uses = Uses::new(3);
        let nonce = (100, 1);
        for (count, taken) in [
            (1, true),
            (1, false),
            (3, true),
            (2, true),
            (2, false),
            (0, false),
            (70, true),
            (6, false),
            (7, true),
            (69, true),
            (u32::MAX, true),
            (70, false),
        ] {
            assert_eq!(uses.take(nonce, count, 0), taken, "{count}");
        }
    }

    #[test]
    fn what_is_forgotten_is_old() {
        let mut uses = Uses::new(2);
        assert!(uses.take((100, 1), 1, 0) && uses.take((101, 1), 1, 0));
        assert!(uses.take((102, 1), 1, 0));
        assert_eq!(uses.len(), 2);
        assert!(uses.is_old((100, 1), 0) && !uses.is_old((101, 1), 0));
        assert!(!uses.take((100, 1), 2, 0));
        // Time goes by: what is past its time goes too.
        assert!(uses.take((500, 1), 1, 400));
        assert_eq!(uses.len(), 1);
    }
}
