//! Transactions over UDP, or anything that loses, doubles and reorders messages (RFC 3525
//! section 8 and annex D.1, H.248.1 version 3 sections 8.2 and D.1). The same for a controller
//! and a gateway.
//!
//! ```text
//!   asked                                     asking
//!   handle --> Request --> application        request --> Send, and again with back-off
//!     again: Pending, or the stored reply       Pending: less often
//!   reply  --> Send, kept for 30 s            handle --> Reply (segments: when all are there)
//!     with ImmAckRequired or segments:          acknowledged at once if that is wanted
//!     again with back-off, until acknowledged   nothing in 25 s --> Failed
//! ```
//!
//! A request is executed once: what comes again from the same host and sender with the same
//! number **and the same octets** within 30 s gets the stored reply. The octets count, so that a
//! phone that restarts and begins at number 1 again is served, and so does the host, since phones
//! of two sites can have the same private address for a name.
//!
//! Times are durations since any fixed moment of a clock that never goes back.
//!
//! | file | what it does |
//! |---|---|
//! | `settings.rs` | times and limits |
//! | `output.rs` | what is to be done, told and counted |
//! | `hear.rs` | which part of a message goes where |
//! | `asked.rs` | requests of others, and our replies |
//! | `asking.rs` | our requests, and replies of others |
//! | `acks.rs` | acknowledgements, in both directions |
//! | `segments.rs` | replies that are too long for one message |
//! | `peer.rs` | what is kept of those who ask; how fast they may |
//! | `timers.rs` | what is due next |

mod acks;
mod asked;
mod asking;
mod hear;
mod output;
mod peer;
mod segments;
mod settings;
mod timers;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::encode::{Style, encode_head, encode_transaction};
use crate::message::Transaction;
use asked::Asked;
use asking::Asking;
use peer::{Peer, PeerKey};
use timers::{Timer, Timers};

pub use output::{Counters, Dropped, Failure, Output, RequestKey};
pub use settings::{PeerLimits, Resend, Settings};

/// Where messages come from and go to.
pub trait Address: Copy + Ord + Debug {
    /// What of it stays when a phone's port changes.
    type Host: Copy + Ord + Debug;

    /// The host.
    fn host(&self) -> Self::Host;
}

impl Address for SocketAddr {
    type Host = IpAddr;

    fn host(&self) -> IpAddr {
        self.ip()
    }
}

/// One end of transactions with any number of others.
///
/// ```
/// # use std::net::SocketAddr;
/// # use std::time::Duration;
/// # use megaco::transactions::{Endpoint, Output, Settings};
/// # fn drive(settings: Settings, now: Duration, from: SocketAddr, datagram: &[u8]) {
/// let mut endpoint = Endpoint::new(settings);
/// endpoint.handle(now, from, datagram);
/// while let Some(output) = endpoint.next_output() {
///     // Send it, or execute it and say `reply`.
///     # drop(output);
/// }
/// // Not before this, say `handle_timeout`.
/// let deadline = endpoint.poll_timeout();
/// # drop(deadline);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Endpoint<A: Address = SocketAddr> {
    settings: Settings,
    outputs: VecDeque<Output<A>>,
    timers: Timers<Timer<A>>,
    peers: BTreeMap<PeerKey<A::Host>, Peer>,
    asked: BTreeMap<RequestKey, Asked<A>>,
    next_key: u64,
    asking: BTreeMap<u32, Asking<A>>,
    next_id: u32,
    acks: BTreeMap<A, acks::Batch>,
    counters: Counters,
}

impl<A: Address> Endpoint<A> {
    /// An end that has asked nothing and was not asked.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            next_id: settings.first_id.max(1),
            settings,
            outputs: VecDeque::new(),
            timers: Timers::default(),
            peers: BTreeMap::new(),
            asked: BTreeMap::new(),
            next_key: 0,
            asking: BTreeMap::new(),
            acks: BTreeMap::new(),
            counters: Counters::default(),
        }
    }

    /// What is to be done next.
    pub fn next_output(&mut self) -> Option<Output<A>> {
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.timers.first()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Duration) {
        while let Some(timer) = self.timers.pop(now) {
            match timer {
                Timer::Asked(key) => self.asked_timeout(now, key),
                Timer::Asking(id) => self.asking_timeout(now, id),
                Timer::Acks(to) => self.flush_acks(to),
            }
        }
    }

    /// Times and limits.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Counters since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many others there is anything kept of.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.peers.len()
    }

    fn send(&mut self, to: A, version: u8, transactions: &[Transaction]) {
        let bytes = self.encoded(version, transactions);
        self.send_bytes(to, bytes);
    }

    /// In one message with what goes to the same end in the same version, and was not taken yet.
    fn send_along(&mut self, to: A, bytes: Vec<u8>) {
        let room = self.settings.segment_size;
        if let Some(Output::Send {
            to: before,
            bytes: message,
        }) = self.outputs.back_mut()
            && *before == to
            && self.settings.style == Style::Compact
        {
            let more = more(message, &bytes);
            if let Some(more) = more.filter(|more| message.len() + more.len() <= room) {
                message.extend(more);
                return;
            }
        }
        self.send_bytes(to, bytes);
    }

    fn send_bytes(&mut self, to: A, bytes: Vec<u8>) {
        self.counters.messages_out += 1;
        self.outputs.push_back(Output::Send { to, bytes });
    }

    fn encoded(&self, version: u8, transactions: &[Transaction]) -> Vec<u8> {
        let (style, mut bytes) = (self.settings.style, Vec::with_capacity(256));
        encode_head(version, &self.settings.mid, style, &mut bytes);
        for transaction in transactions {
            encode_transaction(transaction, style, &mut bytes);
            if matches!(transaction, Transaction::Segment(_)) && transactions.len() > 1 {
                bytes.push(b'\n');
            }
        }
        bytes
    }
}

/// What the second of two messages adds to the first, without its head; `None`: they stand alone.
fn more<'b>(first: &[u8], second: &'b [u8]) -> Option<&'b [u8]> {
    let head = first.iter().position(|byte| *byte == b'\n')? + 1;
    let (line, transactions) = first.split_at_checked(head)?;
    let more = second.strip_prefix(line)?;
    // Nothing follows the error of a whole message; a segment's acknowledgement has no end.
    let alone = [transactions, more]
        .iter()
        .any(|body| body.starts_with(b"E"));
    (!alone && transactions.ends_with(b"}")).then_some(more)
}

#[cfg(test)]
mod tests;
