//! Timers and limits (RFC 3261 section 17, table 4 of appendix A).

use std::time::Duration;

use crate::transport::Transport;

/// How transactions behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Round trip estimate; the first retransmission comes after it.
    pub t1: Duration,
    /// Longest interval between retransmissions.
    pub t2: Duration,
    /// How long a message may stay in the network.
    pub t4: Duration,
    /// How long a callee may ring since its last sign of life, before
    /// [`Output::NoAnswer`](super::Output::NoAnswer) is told (timer C of a proxy). None: for
    /// ever.
    pub ringing: Option<Duration>,
    /// Transactions there may be, both sides together. A request beyond takes the place of the
    /// oldest that is answered and no INVITE; if there is none it is told 503.
    pub limit: usize,
    /// A request that comes a second time by another way is told 482 (section 8.2.2.2). For
    /// user agents: a proxy may be passed twice.
    pub refuse_merged: bool,
    /// Answers always go to the port a request came from, as if it had asked for it by rport.
    pub force_rport: bool,
}

impl Default for Settings {
    /// RFC 3261's times: 500 ms, 4 s, 5 s, three minutes and a bit of ringing; 200,000
    /// transactions.
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            ringing: Some(Duration::from_secs(185)),
            limit: 200_000,
            refuse_merged: false,
            force_rport: false,
        }
    }
}

impl Settings {
    /// Timers B, F, H, L, M: nothing is hoped for after it.
    pub(super) fn patience(&self) -> Duration {
        self.t1 * 64
    }

    /// Timers D, I, J, K and so on: how long late messages are absorbed. Streams have none.
    pub(super) fn absorb(transport: Transport, time: Duration) -> Duration {
        if transport.is_reliable() {
            Duration::ZERO
        } else {
            time
        }
    }
}
