//! Datagrams on their way, by the time they arrive.

use std::collections::BTreeMap;
use std::time::Duration;

/// What happens on the way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) seed: u64,
    /// Lost of a hundred.
    pub(crate) loss: u8,
    /// Doubled of a hundred.
    pub(crate) doubled: u8,
    pub(crate) latency_ms: u64,
    /// At most so much later: what was sent first may come last.
    pub(crate) jitter_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Client,
    Server,
}

#[derive(Debug)]
pub(crate) struct Wire {
    weather: Weather,
    random: u64,
    under_way: BTreeMap<(Duration, u64), (To, Vec<u8>)>,
    sent: u64,
}

impl Wire {
    pub(crate) fn new(weather: Weather) -> Self {
        Self {
            weather,
            random: weather.seed | 1,
            under_way: BTreeMap::new(),
            sent: 0,
        }
    }

    /// xorshift64: from 0 to below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % end.max(1)
    }

    pub(crate) fn send(&mut self, now: Duration, to: To, datagram: &[u8]) {
        if self.below(100) < u64::from(self.weather.loss) {
            return;
        }
        let copies = 1 + u64::from(self.below(100) < u64::from(self.weather.doubled));
        for _ in 0..copies {
            let jitter = self.below(self.weather.jitter_ms * 1000 + 1);
            let latency = Duration::from_millis(self.weather.latency_ms);
            let at = now + latency + Duration::from_micros(jitter);
            self.sent += 1;
            self.under_way
                .insert((at, self.sent), (to, datagram.to_vec()));
        }
    }

    pub(crate) fn next_at(&self) -> Option<Duration> {
        self.under_way.keys().next().map(|(at, _)| *at)
    }

    /// What has arrived by now, first come first.
    pub(crate) fn arrived(&mut self, now: Duration) -> Option<(To, Vec<u8>)> {
        let first = self.under_way.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}
