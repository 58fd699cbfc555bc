//! Waiting for a condition, with a deadline: the one place of this crate that polls.
//!
//! A sleep is either too short (the test fails on a busy machine) or too long (the suite takes
//! minutes); a condition with a deadline is neither.

use std::time::{Duration, Instant};

/// How often [`eventually`] looks: short against a test, long against a probe that forks a program.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A moment by which something must have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline `within` from now.
    #[must_use]
    pub fn after(within: Duration) -> Self {
        Self(now() + within)
    }

    /// The deadline `seconds` from now.
    #[must_use]
    pub fn seconds(seconds: u64) -> Self {
        Self::after(Duration::from_secs(seconds))
    }

    /// The time left; `None` once the deadline has passed.
    #[must_use]
    pub fn remaining(self) -> Option<Duration> {
        self.0
            .checked_duration_since(now())
            .filter(|left| !left.is_zero())
    }
}

impl From<Duration> for Deadline {
    fn from(within: Duration) -> Self {
        Self::after(within)
    }
}

/// Calls `probe` until it succeeds and returns its value.
///
/// `deadline` is a [`Deadline`] or a [`Duration`] from now. The probe runs at least once.
///
/// # Errors
/// The probe's last error, with the time that was waited, when the deadline passes first.
pub fn eventually<T>(
    deadline: impl Into<Deadline>,
    mut probe: impl FnMut() -> Result<T, String>,
) -> Result<T, String> {
    let deadline = deadline.into();
    let start = now();
    loop {
        match probe() {
            Ok(value) => return Ok(value),
            Err(why) => match deadline.remaining() {
                Some(left) => pause(POLL_INTERVAL.min(left)),
                None => return Err(format!("still after {:.1?}: {why}", start.elapsed())),
            },
        }
    }
}

/// The time, for what measures it.
#[expect(clippy::disallowed_methods, reason = "labs live in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Lets `duration` pass, for what is done at a fixed pace.
#[expect(
    clippy::disallowed_methods,
    reason = "a pace is kept by sleeping; nothing is awaited"
)]
pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_the_first_success() {
        let mut calls = 0;
        let result = eventually(Deadline::seconds(5), || {
            calls += 1;
            if calls == 3 {
                Ok(calls)
            } else {
                Err("not yet".to_owned())
            }
        });
        assert_eq!(result, Ok(3));
    }

    #[test]
    fn reports_the_last_error() {
        let result = eventually(Duration::ZERO, || Err::<(), _>("link is down".to_owned()));
        assert!(result.is_err_and(|why| why.ends_with("link is down")));
    }
}
