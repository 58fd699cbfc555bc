//! How fast one address may speak, before anything that it says is read.
//!
//! The limits of [`megaco::transactions::PeerLimits`] are a sender's own, and whoever invents senders has
//! as many as he wants. An address is harder to invent, since replies go there; and if it is invented
//! all the same, nothing grows here: addresses share a table of one size. Two that share a place
//! share its rate; nobody can choose with whom, since the key is by chance.

use std::hash::{BuildHasher as _, RandomState};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Places: so many that a hundred thousand phones find nothing of each other. 512 KiB.
const PLACES: usize = 1 << 16;
/// Seconds whose messages may come in a moment: phones that are switched on together.
const BURST: u32 = 2;

/// By address, until when its messages are paid for (GCRA).
#[derive(Debug)]
pub(super) struct Rates {
    keys: RandomState,
    paid_until: Vec<u64>,
    /// Nanoseconds of a message.
    each: u64,
    refused: u64,
}

impl Rates {
    /// So many messages of one address in a second.
    pub(super) fn new(rate: u32) -> Self {
        let mut new = Self {
            keys: RandomState::new(),
            paid_until: vec![0; PLACES],
            each: 0,
            refused: 0,
        };
        new.set(rate);
        new
    }

    /// So many from now on.
    pub(super) fn set(&mut self, rate: u32) {
        self.each = 1_000_000_000 / u64::from(rate.max(1));
    }

    /// Whether a message of this address is read.
    pub(super) fn may_speak(&mut self, now: Duration, address: Ipv4Addr) -> bool {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let place = self.keys.hash_one(address) as usize % PLACES;
        let Some(paid_until) = self.paid_until.get_mut(place) else {
            return true;
        };
        let until = (*paid_until).max(now) + self.each;
        let may = until <= now + u64::from(BURST) * 1_000_000_000;
        match may {
            true => *paid_until = until,
            false => self.refused += 1,
        }
        may
    }

    /// Messages that were not read.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_slowed_down_and_others_are_not() {
        let mut rates = Rates::new(100);
        let (fast, slow) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
        let begin = Duration::from_secs(1_700_000_000);
        let mut read = 0;
        for tenth in 0..50 {
            let now = begin + Duration::from_millis(100) * tenth;
            read += (0..1000).filter(|_| rates.may_speak(now, fast)).count();
        }
        // Two seconds' in the first moment, then the rate.
        assert_eq!(read, 200 + 490);
        assert_eq!(rates.refused(), 50_000 - 690);
        let now = begin + Duration::from_secs(5);
        let others = (0..=255).filter(|last| rates.may_speak(now, Ipv4Addr::new(10, 0, 0, *last)));
        assert!(others.count() >= 254 && rates.may_speak(now, slow));
        assert_eq!(rates.paid_until.len(), PLACES);
    }
}
