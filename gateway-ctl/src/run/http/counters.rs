//! What happened, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A file, or a part of one, was sent as far as the phone read it.
    Sent,
    /// A file was stored.
    Stored,
    NotFound,
    /// The file is another phone's.
    Anothers,
    Denied,
    QuotaExceeded,
    Busy,
    /// A template could not be rendered for the phone.
    Template,
    IoError,
    /// No request that could be answered: method, path or range.
    BadRequest,
    /// The phone stopped in the middle of what it wrote.
    GivenUp,
}

impl Outcome {
    const ALL: [Self; 11] = [
        Self::Sent,
        Self::Stored,
        Self::NotFound,
        Self::Anothers,
        Self::Denied,
        Self::QuotaExceeded,
        Self::Busy,
        Self::Template,
        Self::IoError,
        Self::BadRequest,
        Self::GivenUp,
    ];

    fn label(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Stored => "stored",
            Self::NotFound => "not_found",
            Self::Anothers => "anothers",
            Self::Denied => "denied",
            Self::QuotaExceeded => "quota_exceeded",
            Self::Busy => "busy",
            Self::Template => "template",
            Self::IoError => "io_error",
            Self::BadRequest => "bad_request",
            Self::GivenUp => "given_up",
        }
    }
}

/// Counts since the daemon started.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    requests: [AtomicU64; Outcome::ALL.len()],
    sent_bytes: AtomicU64,
    received_bytes: AtomicU64,
    refused_connections: AtomicU64,
}

impl Counters {
    /// Requests by how they ended: `gateway_http_requests_total{result}`.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let count = |outcome: Outcome| self.requests[outcome as usize].load(Ordering::Relaxed);
        Outcome::ALL
            .map(|outcome| (outcome.label(), count(outcome)))
            .into_iter()
    }

    /// Bytes of files on their way out: `gateway_http_sent_bytes_total`.
    pub(crate) fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of files on their way in: `gateway_http_received_bytes_total`.
    pub(crate) fn received_bytes(&self) -> u64 {
        self.received_bytes.load(Ordering::Relaxed)
    }

    /// Connections closed at once because there were too many:
    /// `gateway_http_connections_refused_total`.
    pub(crate) fn refused_connections(&self) -> u64 {
        self.refused_connections.load(Ordering::Relaxed)
    }

    pub(super) fn ended(&self, outcome: Outcome) {
        self.requests[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn received(&self, bytes: usize) {
        self.received_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn refused_connection(&self) {
        self.refused_connections.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_its_place() {
        let counters = Counters::default();
        for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, place);
            counters.ended(outcome);
        }
        assert!(counters.requests().all(|(_, count)| count == 1));
    }
}
