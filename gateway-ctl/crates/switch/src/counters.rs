//! What is counted.

use std::collections::BTreeMap;
use std::time::Duration;

use megaco::ErrorCode;

use crate::record::EndReason;

/// Bounds of [`Histogram`], in milliseconds.
pub const BOUNDS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/// How long something took, by bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many took no longer than each of [`BOUNDS`]; the last one counts those that took longer.
    pub buckets: [u64; BOUNDS.len() + 1],
    /// All of them together.
    pub sum: Duration,
}

impl Histogram {
    pub(crate) fn observe(&mut self, time: Duration) {
        let bucket = BOUNDS.partition_point(|bound| Duration::from_millis(*bound) < time);
        self.buckets[bucket] += 1;
        self.sum += time;
    }
}

/// Since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// ServiceChange of gateways.
    pub service_changes: u64,
    /// Of those that were refused because nobody knows them.
    pub unknown: u64,
    /// Of those that were refused because too many have registered from there.
    pub too_many: u64,
    /// Requests of a registered gateway's name from somewhere else.
    pub strangers: u64,
    /// Gateways that were heard of no more.
    pub lost: u64,
    /// Events of lines.
    pub events: u64,
    /// Calls that were dialled.
    pub calls: u64,
    /// Of those, answered.
    pub answered: u64,
    /// From lifting to both ends connected.
    pub connecting: Histogram,
    ended: BTreeMap<EndReason, u64>,
    refused: BTreeMap<u16, u64>,
}

impl Counters {
    pub(crate) fn ended(&mut self, reason: EndReason) {
        *self.ended.entry(reason).or_default() += 1;
    }

    pub(crate) fn refused(&mut self, code: ErrorCode) {
        *self.refused.entry(code.0).or_default() += 1;
    }

    /// Calls that ended so.
    #[must_use]
    pub fn calls_ended(&self, reason: EndReason) -> u64 {
        self.ended.get(&reason).copied().unwrap_or(0)
    }

    /// Commands that gateways have refused, by error code.
    pub fn errors(&self) -> impl Iterator<Item = (u16, u64)> {
        self.refused.iter().map(|(code, count)| (*code, *count))
    }
}
