//! A link in memory: datagrams are lost, doubled and overtaken, the same for the same seed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::transport::Peer;

/// How bad the link is; the shares are of 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weather {
    /// Lost.
    pub loss: u64,
    /// Delivered twice.
    pub doubled: u64,
    /// The longest it may take; each takes a time of its own from one millisecond up.
    pub delay: Duration,
    /// Another one makes other things happen.
    pub seed: u64,
}

/// A datagram on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flying {
    /// Who sent it.
    pub from: Peer,
    /// Who gets it.
    pub to: Peer,
    /// What is in it.
    pub bytes: Arc<[u8]>,
}

/// The link.
#[derive(Debug)]
pub struct Link {
    weather: Weather,
    flying: BTreeMap<(Duration, u64), Flying>,
    sent: u64,
    state: u64,
}

impl Link {
    /// An empty one.
    #[must_use]
    pub const fn new(weather: Weather) -> Self {
        Self {
            weather,
            flying: BTreeMap::new(),
            sent: 0,
            state: weather.seed.wrapping_mul(2).wrapping_add(1),
        }
    }

    /// Takes a datagram.
    pub fn send(&mut self, now: Duration, from: Peer, to: Peer, bytes: &Arc<[u8]>) {
        let copies = u64::from(self.below(100) >= self.weather.loss);
        let copies = copies + u64::from(self.below(100) < self.weather.doubled);
        for _ in 0..copies {
            let longest = u64::try_from(self.weather.delay.as_micros()).unwrap_or(u64::MAX);
            let delay = Duration::from_micros(1000 + self.below(longest.max(1)));
            let bytes = Arc::clone(bytes);
            self.sent += 1;
            let flying = Flying { from, to, bytes };
            self.flying.insert((now + delay, self.sent), flying);
        }
    }

    /// When the next one arrives.
    #[must_use]
    pub fn next(&self) -> Option<Duration> {
        self.flying.first_key_value().map(|((at, _), _)| *at)
    }

    /// One that has arrived.
    pub fn receive(&mut self, now: Duration) -> Option<Flying> {
        let entry = self.flying.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// Datagrams that were delivered or will be.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// Xorshift: all the chance a test needs.
    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % end
    }
}
