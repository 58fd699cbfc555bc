//! What is counted; `gateway_tftp_*` in the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use tftp::{Direction, Malformed, Outcome};

use crate::provision::Refused;

/// Why a request became no transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is no request.
    Malformed(Malformed),
    /// It went to a broadcast or multicast address (RFC 1123 section 4.2.3.5).
    Broadcast,
    /// [`Refused::NotFound`].
    NotFound,
    /// [`Refused::Anothers`].
    Anothers,
    /// [`Refused::Denied`].
    Denied,
    /// [`Refused::QuotaExceeded`].
    QuotaExceeded,
    /// Too many transfers, of all or of this phone; or [`Refused::Busy`].
    Busy,
    /// [`Refused::Template`].
    Template,
    /// [`Refused::Io`].
    IoError,
}

impl From<&Refused> for Refusal {
    fn from(refused: &Refused) -> Self {
        match refused {
            Refused::NotFound => Self::NotFound,
            Refused::Anothers(_) => Self::Anothers,
            Refused::Denied(_) => Self::Denied,
            Refused::QuotaExceeded(_) => Self::QuotaExceeded,
            Refused::Busy(_) => Self::Busy,
            Refused::Template(_) => Self::Template,
            Refused::Io(_) => Self::IoError,
        }
    }
}

impl Refusal {
    /// Those that are not about the request's form.
    const OTHERS: [Self; 8] = [
        Self::Broadcast,
        Self::NotFound,
        Self::Anothers,
        Self::Denied,
        Self::QuotaExceeded,
        Self::Busy,
        Self::Template,
        Self::IoError,
    ];

    /// Every one, in the order of their counters.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let malformed = Malformed::ALL.iter().copied().map(Self::Malformed);
        malformed.chain(Self::OTHERS)
    }

    /// The metric's label value.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Malformed(malformed) => malformed.label(),
            Self::Broadcast => "broadcast",
            Self::NotFound => "not_found",
            Self::Anothers => "anothers",
            Self::Denied => "denied",
            Self::QuotaExceeded => "quota_exceeded",
            Self::Busy => "busy",
            Self::Template => "template",
            Self::IoError => "io_error",
        }
    }

    fn index(self) -> usize {
        Self::all().position(|one| one == self).unwrap_or(0)
    }
}

/// Counters of the server's whole life, and the transfers that run.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    ended: [[AtomicU64; Outcome::ALL.len()]; 2],
    bytes: [AtomicU64; 2],
    resent: [AtomicU64; 2],
    refused: [AtomicU64; Malformed::ALL.len() + Refusal::OTHERS.len()],
    strangers: AtomicU64,
    running: AtomicU64,
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

impl Counters {
    /// Transfers that have ended: `gateway_tftp_transfers_total`.
    pub(crate) fn ended(&self, direction: Direction, outcome: Outcome) -> u64 {
        get(&self.ended[direction as usize][outcome as usize])
    }

    /// Bytes of files, what was sent twice included: `gateway_tftp_bytes_total`.
    pub(crate) fn bytes(&self, direction: Direction) -> u64 {
        get(&self.bytes[direction as usize])
    }

    /// Datagrams that were sent once more: `gateway_tftp_resent_total`.
    pub(crate) fn resent(&self, direction: Direction) -> u64 {
        get(&self.resent[direction as usize])
    }

    /// Requests that became no transfer: `gateway_tftp_refused_total`.
    pub(crate) fn refused(&self, refusal: Refusal) -> u64 {
        get(&self.refused[refusal.index()])
    }

    /// Datagrams to a transfer's port from someone else, answered with error 5:
    /// `gateway_tftp_strangers_total`.
    pub(crate) fn strangers(&self) -> u64 {
        get(&self.strangers)
    }

    /// Transfers that run: `gateway_tftp_transfers`.
    pub(crate) fn running(&self) -> u64 {
        get(&self.running)
    }

    pub(super) fn count_bytes(&self, direction: Direction, bytes: usize) {
        add(&self.bytes[direction as usize], bytes as u64);
    }

    pub(super) fn count_end(&self, direction: Direction, outcome: Outcome, resent: u64) {
        add(&self.ended[direction as usize][outcome as usize], 1);
        add(&self.resent[direction as usize], resent);
    }

    pub(super) fn count_refused(&self, refusal: Refusal) {
        add(&self.refused[refusal.index()], 1);
    }

    pub(super) fn count_stranger(&self) {
        add(&self.strangers, 1);
    }

    pub(super) fn set_running(&self, transfers: usize) {
        self.running.store(transfers as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_counter_of_its_own() {
        let counters = Counters::default();
        for (index, refusal) in Refusal::all().enumerate() {
            assert_eq!(refusal.index(), index);
            counters.count_refused(refusal);
        }
        assert!(Refusal::all().all(|refusal| counters.refused(refusal) == 1));
        for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, index);
        }
        for (index, direction) in Direction::ALL.into_iter().enumerate() {
            assert_eq!(direction as usize, index);
        }
    }
}
