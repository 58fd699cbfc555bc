//! When to send again, and when to give up.
//!
//! The waiting time follows the round trips as TCP's does (RFC 6298), with its own bounds:
//! TFTP acknowledges at once, so that a loss on a fast network need not cost a second.

use std::time::Duration;

use crate::options::{Agreed, Limits};

/// Before the first round trip was measured (RFC 6298 section 2).
const FIRST: Duration = Duration::from_secs(1);
/// Never less for DATA: a phone that writes to its flash has lost nothing.
pub(crate) const SHORTEST_FOR_DATA: Duration = Duration::from_millis(40);
/// Never less for ACKs: DATA is sent again by the client; and some clients (tftp-hpa's) take
/// an ACK that they have for a wish to have DATA again.
pub(crate) const SHORTEST_FOR_ACK: Duration = Duration::from_millis(500);
/// Never more, however often it was doubled.
const LONGEST: Duration = Duration::from_secs(4);

/// The waiting time between two of the same.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// As the client asked (RFC 2349).
    Fixed(Duration),
    /// As the network is.
    Adaptive {
        round_trip: Option<RoundTrip>,
        now: Duration,
    },
}

#[derive(Clone, Copy, Debug)]
struct RoundTrip {
    smooth: Duration,
    variation: Duration,
}

impl RoundTrip {
    fn first(sample: Duration) -> Self {
        Self {
            smooth: sample,
            variation: sample / 2,
        }
    }

    fn next(self, sample: Duration) -> Self {
        Self {
            variation: (self.variation * 3 + self.smooth.abs_diff(sample)) / 4,
            smooth: (self.smooth * 7 + sample) / 8,
        }
    }

    fn wait(self, shortest: Duration) -> Duration {
        (self.smooth + self.variation * 4).clamp(shortest, LONGEST)
    }
}

/// What a timeout means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    /// It is not time yet.
    Early,
    /// Send it once more.
    Again,
    /// It was tried often and long enough.
    GiveUp,
}

/// The timer of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    wait: Wait,
    shortest: Duration,
    sent_at: Duration,
    /// Sent once only, so that the answer tells a round trip (Karn's rule).
    once: bool,
    progress_at: Duration,
    tries: u32,
    patience: Duration,
    least_tries: u32,
}

impl Pace {
    pub(crate) fn new(agreed: &Agreed, limits: &Limits, shortest: Duration, now: Duration) -> Self {
        let adaptive = Wait::Adaptive {
            round_trip: None,
            now: FIRST,
        };
        Self {
            wait: agreed.timeout.map_or(adaptive, Wait::Fixed),
            shortest,
            sent_at: now,
            once: true,
            progress_at: now,
            tries: 0,
            patience: limits.patience,
            least_tries: limits.tries,
        }
    }

    fn interval(&self) -> Duration {
        match self.wait {
            Wait::Fixed(interval) => interval,
            Wait::Adaptive { now, .. } => now,
        }
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.sent_at + self.interval()
    }

    /// How long the other side may take to send its last packet again.
    pub(crate) fn dally(&self) -> Duration {
        (self.interval() * 3).max(FIRST * 2)
    }

    /// Something new was sent.
    pub(crate) fn sent(&mut self, now: Duration, once: bool) {
        (self.sent_at, self.once) = (now, once);
    }

    /// What had been sent was answered.
    pub(crate) fn answered(&mut self, at: Duration) {
        (self.progress_at, self.tries) = (at, 0);
        let sample = at.saturating_sub(self.sent_at);
        if let Wait::Adaptive { round_trip, now } = &mut self.wait
            && self.once
        {
            let next = round_trip.map_or(RoundTrip::first(sample), |known| known.next(sample));
            (*round_trip, *now) = (Some(next), next.wait(self.shortest));
        }
    }

    /// The deadline may have passed.
    pub(crate) fn timeout(&mut self, now: Duration) -> Timeout {
        if now < self.deadline() {
            return Timeout::Early;
        }
        if self.tries >= self.least_tries && now.saturating_sub(self.progress_at) >= self.patience {
            return Timeout::GiveUp;
        }
        self.tries += 1;
        if let Wait::Adaptive { now, .. } = &mut self.wait {
            *now = (*now * 2).min(LONGEST);
        }
        self.sent(now, false);
        Timeout::Again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGREED: Agreed = Agreed {
        block_size: 512,
        window: 1,
        timeout: None,
    };

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn new(agreed: Agreed) -> Pace {
        Pace::new(&agreed, &Limits::default(), SHORTEST_FOR_DATA, ms(0))
    }

    #[test]
    fn follows_the_round_trips() {
        let mut pace = new(AGREED);
        assert_eq!(pace.deadline(), ms(1000));
        pace.answered(ms(100));
        // RFC 6298 (2.2): R + 4 * R / 2.
        assert_eq!(pace.interval(), ms(300));
        for round in 1..100 {
            pace.sent(ms(1000 * round), true);
            pace.answered(ms(1000 * round + 100));
        }
        assert!(pace.interval() < ms(101), "{:?}", pace.interval());
        for round in 1..100 {
            pace.sent(ms(200_000 + round), true);
            pace.answered(ms(200_000 + round));
        }
        assert_eq!(pace.interval(), SHORTEST_FOR_DATA);
    }

    #[test]
    fn doubles_and_learns_nothing_from_what_was_sent_twice() {
        let mut pace = new(AGREED);
        pace.answered(ms(20));
        pace.sent(ms(20), true);
        assert_eq!(pace.timeout(ms(79)), Timeout::Early);
        assert_eq!(pace.timeout(ms(80)), Timeout::Again);
        assert_eq!(pace.deadline(), ms(80 + 120));
        assert_eq!(pace.timeout(ms(200)), Timeout::Again);
        assert_eq!(pace.deadline(), ms(200 + 240));
        pace.answered(ms(210));
        assert_eq!(pace.interval(), ms(240));
    }

    #[test]
    fn gives_up_after_its_patience_and_its_tries() {
        let tries = |timeout: Option<u64>| {
            let agreed = Agreed {
                timeout: timeout.map(Duration::from_secs),
                ..AGREED
            };
            let mut pace = new(agreed);
            let mut tries = 0;
            while pace.timeout(pace.deadline()) == Timeout::Again {
                tries += 1;
            }
            (tries, pace.deadline().as_secs())
        };
        assert_eq!(tries(Some(1)), (29, 30));
        assert_eq!(tries(Some(255)), (3, 1020));
        assert_eq!(tries(None), (8, 31));
    }
}
