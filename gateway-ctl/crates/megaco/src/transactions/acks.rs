//! Acknowledgements: the third way of the handshake (RFC 3525 annex D.1.2.2).

use std::time::Duration;

use super::hear::Sender;
use super::timers::Timer;
use super::{Address, Endpoint};
use crate::message::{AckRange, Transaction};

/// Acknowledgements that wait for others.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    ids: Vec<u32>,
    version: u8,
    deadline: Duration,
}

/// Most in one message.
const FULL: usize = 64;

impl<A: Address> Endpoint<A> {
    /// Replies of ours have arrived.
    pub(super) fn hear_acks(&mut self, now: Duration, sender: &Sender<'_, A>, ranges: &[AckRange]) {
        for range in ranges {
            for key in self.keys(sender, range.first, range.last) {
                self.confirmed(now, key, None);
            }
        }
    }

    pub(super) fn ack_now(&mut self, sender: &Sender<'_, A>, id: u32) {
        let range = AckRange {
            first: id,
            last: id,
        };
        let ack = Transaction::Ack(vec![range]);
        self.send(sender.from, sender.head.version, &[ack]);
    }

    pub(super) fn ack_later(&mut self, now: Duration, sender: &Sender<'_, A>, id: u32) {
        let Some(wait) = self.settings.batch_acks else {
            return;
        };
        let (to, version, timers) = (sender.from, sender.head.version, &mut self.timers);
        let batch = self.acks.entry(to).or_insert_with(|| {
            let deadline = now + wait;
            timers.set(Timer::Acks(to), deadline);
            Batch {
                ids: Vec::new(),
                version,
                deadline,
            }
        });
        batch.ids.push(id);
        if batch.ids.len() >= FULL {
            self.timers.unset(Timer::Acks(to), batch.deadline);
            self.flush_acks(to);
        }
    }

    /// What can go with another message.
    pub(super) fn take_acks(&mut self, to: A) -> Option<Vec<AckRange>> {
        let batch = self.acks.remove(&to)?;
        self.timers.unset(Timer::Acks(to), batch.deadline);
        Some(ranges(batch.ids))
    }

    pub(super) fn flush_acks(&mut self, to: A) {
        if let Some(batch) = self.acks.remove(&to) {
            let acks = Transaction::Ack(ranges(batch.ids));
            self.send(to, batch.version, &[acks]);
        }
    }
}

/// As few ranges as there can be.
fn ranges(mut ids: Vec<u32>) -> Vec<AckRange> {
    ids.sort_unstable();
    let mut ranges: Vec<AckRange> = Vec::new();
    for id in ids {
        match ranges.last_mut() {
            Some(range) if id == range.last || id == range.last.wrapping_add(1) => range.last = id,
            _ => ranges.push(AckRange {
                first: id,
                last: id,
            }),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_one_range() {
        let ranges = ranges(vec![9, 1, 3, 2, 7, 2, u32::MAX]);
        let pairs: Vec<_> = ranges
            .iter()
            .map(|range| (range.first, range.last))
            .collect();
        assert_eq!(pairs, [(1, 3), (7, 7), (9, 9), (u32::MAX, u32::MAX)]);
    }
}
