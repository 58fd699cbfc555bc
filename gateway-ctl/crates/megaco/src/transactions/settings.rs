//! Times and limits.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::encode::Style;
use crate::message::Mid;
use crate::parse::Limits;

/// Octets that UDP carries.
const LONGEST_DATAGRAM: usize = 65_507;

/// How one end of transactions works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Our name.
    pub mid: Mid,
    /// How our messages look.
    pub style: Style,
    /// Versions of the protocol in which we listen.
    pub versions: RangeInclusive<u8>,
    /// Number of our first request, from 1. After a restart, one that was not used in the last
    /// 30 s: take it from a clock or from chance.
    pub first_id: u32,
    /// How our requests, and replies that want an acknowledgement, are sent again.
    pub resend: Resend,
    /// How long after a Pending the request is sent again.
    pub resend_pending: Duration,
    /// How long replies are kept, and repeated when the request comes again (LONG-TIMER).
    pub keep: Duration,
    /// How long a message can be under way: the same request so long after its sender said to have
    /// the reply is another one.
    pub duplicates: Duration,
    /// A request that is not answered for so long gets a Pending, and another every time it
    /// passes again.
    pub pending_every: Duration,
    /// After so many, sent or received, the request has failed (error 506).
    pub most_pendings: u32,
    /// How long acknowledgements that nobody waits for may wait for others; `None`: they are not
    /// sent.
    pub batch_acks: Option<Duration>,
    /// Replies of version 3 that are longer go in segments, octets.
    pub segment_size: usize,
    /// How long to wait for the next segment of a reply.
    pub segment_wait: Duration,
    /// How much of a message is read. Longer replies become error 533, longer requests fail.
    pub message: Limits,
    /// What one other may do.
    pub peer: PeerLimits,
    /// Of how many others anything is kept at a time.
    pub most_peers: usize,
}

impl Settings {
    /// The usual times and limits.
    #[must_use]
    pub fn new(mid: Mid, first_id: u32) -> Self {
        Self {
            mid,
            style: Style::Compact,
            versions: 1..=3,
            first_id,
            resend: Resend::default(),
            resend_pending: Duration::from_secs(10),
            keep: Duration::from_secs(30),
            duplicates: Duration::from_secs(5),
            pending_every: Duration::from_secs(2),
            most_pendings: 15,
            batch_acks: None,
            segment_size: 1400,
            segment_wait: Duration::from_secs(10),
            message: Limits {
                size: LONGEST_DATAGRAM,
                ..Limits::default()
            },
            peer: PeerLimits::default(),
            most_peers: 200_000,
        }
    }
}

/// How something is sent again: after twice the time each time (RFC 3525 annex D.1.3), less up to
/// a quarter, by which those who had the same reason to ask at the same time do not repeat at the
/// same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resend {
    /// After how long, the first time.
    pub first: Duration,
    /// After how long, at most.
    pub longest: Duration,
    /// Not any more so long after the first time (T-MAX).
    pub give_up: Duration,
}

impl Default for Resend {
    /// 500 ms, 4 s, 25 s: annex D.1.5's bounds.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(4),
            give_up: Duration::from_secs(25),
        }
    }
}

impl Resend {
    /// How long to wait after having sent it so many times.
    pub(super) fn wait(&self, sent: u32, salt: u64) -> Duration {
        let doubled = 2u32.saturating_pow(sent.saturating_sub(1));
        let wait = self.first.saturating_mul(doubled).min(self.longest);
        // Any spread will do, as long as it is another one for another request.
        let mixed = (salt ^ u64::from(sent) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let share = u32::try_from(mixed >> 56).unwrap_or(0);
        wait - wait * share / 1024
    }
}

/// What one other may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerLimits {
    /// Requests that are not answered yet.
    pub open: usize,
    /// Requests in a second, repeated ones included, from 1.
    pub rate: u32,
    /// Requests in a moment.
    pub burst: u32,
    /// Octets of replies that are kept; the oldest go first.
    pub kept: usize,
}

impl Default for PeerLimits {
    /// 64 open, 100 a second, 500 in a moment, 256 KiB.
    fn default() -> Self {
        Self {
            open: 64,
            rate: 100,
            burst: 500,
            kept: 262_144,
        }
    }
}
