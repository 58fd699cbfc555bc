//! Registrations, as many under way as wanted.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::super::super::interval::now;
use super::Crowd;

/// How long all may take.
const WITHIN: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Clone, Debug)]
pub(in super::super) struct Registered {
    /// From the request to its answer, the shortest first.
    pub(in super::super) times: Vec<Duration>,
    pub(in super::super) took: Duration,
    /// What the phones themselves have cost.
    pub(in super::super) cost: Duration,
}

impl Registered {
    pub(in super::super) fn rate(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }
}

impl Crowd {
    /// Registers phones, so many at a time.
    pub(in super::super) fn register(
        &mut self,
        who: Range<u32>,
        under_way: usize,
    ) -> Result<Registered> {
        let (begin, cost) = (now(), Self::cost()?);
        let first = who.start as usize;
        let mut begun: Vec<Instant> = Vec::with_capacity(who.len());
        let mut times = Vec::with_capacity(who.len());
        self.answered.clear();
        let mut next = who.clone();
        while times.len() < who.len() {
            while begun.len() - times.len() < under_way
                && let Some(phone) = next.next()
            {
                self.phones[phone as usize].registered = false;
                begun.push(now());
                self.ask(phone, "SC=root{SV{MT=RS,RE=\"901\"}}")?;
            }
            self.step(Duration::from_millis(1))?;
            for phone in std::mem::take(&mut self.answered) {
                if let Some(begun) = begun.get((phone as usize).wrapping_sub(first)) {
                    times.push(begun.elapsed());
                }
            }
            ensure!(
                begin.elapsed() < WITHIN,
                "{} of {} registrations after {WITHIN:?}",
                times.len(),
                who.len()
            );
        }
        let took = begin.elapsed();
        times.sort_unstable();
        Ok(Registered {
            times,
            took,
            cost: Self::cost()? - cost,
        })
    }
}
