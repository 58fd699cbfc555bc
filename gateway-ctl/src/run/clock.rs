//! The shell's clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// `CLOCK_MONOTONIC` in nanoseconds: what the programs stamp events with.
pub(crate) fn monotonic_ns() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map(Duration::from)
        .map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// Time since 1970.
pub(crate) fn since_epoch() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the shell reads the clock")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The last second that can be written: 9999-12-31T23:59:59Z.
pub(crate) const LAST_SECOND: u64 = 253_402_300_799;

/// A time since 1970 as RFC 3339, seconds; what comes after [`LAST_SECOND`] is written as that.
pub(crate) fn time_text(seconds: u64) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(seconds.min(LAST_SECOND));
    humantime::format_rfc3339_seconds(time).to_string()
}

/// The time of day, RFC 3339, seconds.
pub(crate) fn now_text() -> String {
    time_text(since_epoch().as_secs())
}

/// An event's monotonic time as time of day, RFC 3339, microseconds.
pub(crate) fn event_text(monotonic: u64) -> String {
    let ago = Duration::from_nanos(monotonic_ns().saturating_sub(monotonic));
    let then = UNIX_EPOCH + since_epoch().saturating_sub(ago);
    humantime::format_rfc3339_micros(then).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_can_be_written() {
        assert_eq!(time_text(0), "1970-01-01T00:00:00Z");
        for seconds in [LAST_SECOND, LAST_SECOND + 1, u64::MAX] {
            assert_eq!(time_text(seconds), "9999-12-31T23:59:59Z");
        }
    }
}
