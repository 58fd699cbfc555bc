//! Time: the one place of the benches that reads a clock or lets time pass.

use std::time::{Duration, Instant};

/// How long `work` takes.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = now();
    let value = work();
    (start.elapsed(), value)
}

/// What `count` grows by in a second, over `interval`.
pub(crate) fn rates<const N: usize, E>(
    interval: Duration,
    mut count: impl FnMut() -> Result<[u64; N], E>,
) -> Result<[f64; N], E> {
    let start = now();
    let before = count()?;
    pass(interval);
    let after = count()?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(std::array::from_fn(|index| {
        (after[index] - before[index]) as f64 / seconds
    }))
}

/// Lets time pass, so that what has been started runs in.
#[expect(
    clippy::disallowed_methods,
    reason = "an interval of measurement is time, not a condition"
)]
pub(crate) fn pass(interval: Duration) {
    std::thread::sleep(interval);
}

/// The time, for what measures many things at once.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
