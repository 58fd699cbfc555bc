//! The highest rate at which few enough exchanges are lost.
//!
//! The rate is doubled until too many are, then halved in between. Every further round starts near
//! what the one before has found, so that the servers' rounds can take turns.

use anyhow::{Context, Result};

use super::perfdhcp::{self, Sample};
use super::place::Place;
use super::server::Kind;

/// Exchanges that may be lost.
const MOST_LOST: f64 = 0.025;
/// perfdhcp sends no more than this on the machines that we know.
const MOST: f64 = 60_000.0;
/// Steps of halving: the rate is found to 9 % after a doubling, to 3 % in the rounds that follow.
const STEPS: u32 = 3;
/// Below this a run takes longer, to count something.
const SLOW: f64 = 100.0;

/// A server's search, over its rounds.
#[derive(Debug)]
pub(super) struct Search {
    /// Where the next round starts, exchanges a second.
    start: f64,
    /// By what the rate grows until too many are lost.
    growth: f64,
    /// Runs so far, by which perfdhcp's clients differ: their Ethernet addresses begin with it.
    runs: u8,
}

impl Search {
    pub(super) fn new(kind: Kind) -> Self {
        let start = match kind {
            Kind::Dnsmasq => 30.0,
            Kind::Gateway | Kind::Kea | Kind::KeaPackaged => 1000.0,
        };
        Self {
            start,
            growth: 2.0,
            runs: 0,
        }
    }

    /// The most complete exchanges a second of any run that lost few enough. `settle` waits until
    /// the server has dealt with what the run before has sent.
    pub(super) fn round(
        &mut self,
        quick: bool,
        place: &Place,
        mut settle: impl FnMut() -> Result<()>,
    ) -> Result<f64> {
        let runs = &mut self.runs;
        let found = highest(self.start, self.growth, |rate| {
            let seconds = match (rate < SLOW, quick) {
                (true, true) => 4,
                (true, false) => 5,
                (false, true) => 2,
                (false, false) => 3,
            };
            settle()?;
            *runs = runs.checked_add(1).context("too many runs of perfdhcp")?;
            perfdhcp::run(place, *runs, rate.round() as u32, seconds)
        })?;
        self.start = (found * 0.8).max(1.0);
        self.growth = 1.3;
        Ok(found)
    }
}

/// Searches from `start` on, a factor of `growth` up or down at a time, then in between.
fn highest(start: f64, growth: f64, mut run: impl FnMut(f64) -> Result<Sample>) -> Result<f64> {
    let mut best = 0.0_f64;
    let mut passes = |rate: f64| -> Result<bool> {
        let sample = run(rate)?;
        let passed = sample.lost() <= MOST_LOST;
        if passed {
            best = best.max(sample.rate());
        }
        Ok(passed)
    };
    let (mut low, mut high) = (start, start);
    if passes(start)? {
        while high <= MOST {
            high *= growth;
            if !passes(high)? {
                break;
            }
            low = high;
        }
    } else {
        loop {
            low /= growth;
            if low < 1.0 {
                return Ok(0.0);
            }
            if passes(low)? {
                break;
            }
            high = low;
        }
    }
    for _ in 0..STEPS {
        let middle = (low * high).sqrt();
        if passes(middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that completes at most so many a second.
    fn server(capacity: f64) -> impl FnMut(f64) -> Result<Sample> {
        move |rate| {
            Ok(Sample {
                begun: rate as u64 * 10,
                complete: rate.min(capacity) as u64 * 10,
                seconds: 10,
            })
        }
    }

    #[test]
    fn the_limit_is_found_from_below_and_above() {
        for (capacity, start, growth) in [
            (3000.0, 500.0, 2.0),
            (3000.0, 2400.0, 1.3),
            (3000.0, 20_000.0, 2.0),
            (100.0, 130.0, 1.3),
        ] {
            let found = highest(start, growth, server(capacity)).unwrap();
            assert!(
                (0.9..=1.0).contains(&(found / capacity)),
                "{found} of {capacity}"
            );
        }
    }

    #[test]
    fn a_server_that_never_answers_ends_it() {
        assert!(highest(1000.0, 2.0, server(0.0)).unwrap() < 1e-9);
        assert!(highest(1000.0, 2.0, server(1e9)).unwrap() > MOST);
    }
}
