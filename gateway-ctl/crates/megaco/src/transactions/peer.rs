//! What is kept of those who ask; how fast they may.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{PeerLimits, RequestKey};
use crate::message::Mid;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PeerKey<H> {
    pub(super) host: H,
    pub(super) mid: Mid,
}

/// What is kept while anything they asked is remembered; nothing after that.
#[derive(Clone, Debug, Default)]
pub(super) struct Peer {
    /// By number and hash of the octets.
    pub(super) requests: BTreeMap<(u32, u64), RequestKey>,
    pub(super) open: usize,
    /// Octets of replies.
    pub(super) kept: usize,
    /// When they would have asked all they did, had they kept to the rate (GCRA).
    paid_until: Duration,
}

impl Peer {
    /// Whether they may ask now; then it is counted.
    pub(super) fn may_ask(&mut self, now: Duration, limits: &PeerLimits) -> bool {
        let each = Duration::from_secs(1) / limits.rate.max(1);
        let from = self.paid_until.max(now);
        if from + each > now + each * limits.burst.max(1) {
            return false;
        }
        self.paid_until = from + each;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let limits = PeerLimits {
            rate: 10,
            burst: 3,
            ..PeerLimits::default()
        };
        let (mut peer, mut taken) = (Peer::default(), 0);
        let begin = Duration::from_secs(5);
        for tenth in 0..20 {
            for _ in 0..5 {
                let now = begin + Duration::from_millis(100) * tenth;
                taken += u32::from(peer.may_ask(now, &limits));
            }
        }
        assert_eq!(taken, 3 + 19);
    }
}
