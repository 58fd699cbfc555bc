//! The clock of leases: time since 1970 that never goes back, not even over a restart.

use std::time::Duration;

use super::super::clock::{monotonic_ns, since_epoch};

/// Follows the time of day, but for its steps back.
///
/// A router without a battery boots in the past until somebody tells it the time; one whose
/// time was wrong is set back. Leases must neither live longer for that nor end at once, and
/// a range that rests must rest on. So this clock begins where the store's last one stood, or
/// at the time of day if that is later; it goes on by the monotonic clock, and jumps forward
/// when the time of day is ahead of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoreClock {
    /// Milliseconds of this clock ..
    base: u64,
    /// .. at this monotonic time.
    at_ns: u64,
}

/// Less is how two clocks differ that are read one after the other.
const AHEAD: u64 = 1000;

impl StoreClock {
    /// Goes on from what the store's last writer saw.
    pub(crate) fn resume(last: u64) -> Self {
        Self::after(last, since_epoch(), monotonic_ns())
    }

    fn after(last: u64, time_of_day: Duration, monotonic: u64) -> Self {
        Self {
            base: last.max(millis(time_of_day)),
            at_ns: monotonic,
        }
    }

    /// Milliseconds since 1970.
    pub(crate) fn now(&mut self) -> u64 {
        self.at(since_epoch(), monotonic_ns())
    }

    fn at(&mut self, time_of_day: Duration, monotonic: u64) -> u64 {
        let now = self.base + monotonic.saturating_sub(self.at_ns) / 1_000_000;
        let wall = millis(time_of_day);
        if wall > now + AHEAD {
            *self = Self::after(wall, time_of_day, monotonic);
            return wall;
        }
        now
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn never_goes_back() {
        let day = Duration::from_secs(86_400);
        // The time of day is a day behind what the store has seen.
        let mut clock = StoreClock::after(millis(2 * day), day, 5 * SECOND);
        assert_eq!(clock.at(day, 6 * SECOND), millis(2 * day) + 1000);
        // Somebody sets the time: three days later.
        assert_eq!(clock.at(5 * day, 7 * SECOND), millis(5 * day));
        assert_eq!(clock.at(5 * day, 8 * SECOND), millis(5 * day) + 1000);
        // And back.
        assert_eq!(clock.at(day, 9 * SECOND), millis(5 * day) + 2000);
    }

    #[test]
    fn small_differences_of_two_clocks_are_none() {
        let mut clock = StoreClock::after(0, Duration::from_secs(10), 0);
        assert_eq!(clock.at(Duration::from_millis(10_900), SECOND / 2), 10_500);
        assert_eq!(clock.at(Duration::from_millis(12_000), SECOND / 2), 12_000);
    }
}
