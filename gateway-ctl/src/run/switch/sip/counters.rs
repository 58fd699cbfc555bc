//! What went in and out.

use sip::Transport;

/// As metrics call them.
pub(crate) const TRANSPORTS: [(&str, Transport); 3] = [
    ("udp", Transport::Udp),
    ("tcp", Transport::Tcp),
    ("tls", Transport::Tls),
];

/// Since the daemon started to speak SIP.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    received: [u64; 3],
    sent: [u64; 3],
    /// Connections on which something came that is no SIP.
    pub(crate) broken: u64,
    /// Messages that could not be sent.
    pub(crate) unsent: u64,
    /// Connections that were one too many.
    pub(crate) refused: u64,
}

impl Counters {
    /// Messages that came in this way.
    pub(crate) fn received(&self, transport: Transport) -> u64 {
        self.received[transport as usize]
    }

    /// Messages that went out this way.
    pub(crate) fn sent(&self, transport: Transport) -> u64 {
        self.sent[transport as usize]
    }

    pub(super) fn count_received(&mut self, transport: Transport) {
        self.received[transport as usize] += 1;
    }

    pub(super) fn count_sent(&mut self, transport: Transport) {
        self.sent[transport as usize] += 1;
    }
}
