//! What is to be done, told and counted.

use std::time::Duration;

use crate::error::ParseError;
use crate::message::{ActionRequest, ErrorDescriptor, Mid, Outcome};

/// By which a request of another is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestKey(pub(super) u64);

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output<A> {
    /// Send this message.
    Send {
        /// Where to.
        to: A,
        /// What.
        bytes: Vec<u8>,
    },
    /// Somebody asks: execute it, then say [`super::Endpoint::reply`].
    Request {
        /// For the reply.
        request: RequestKey,
        /// Where the message came from.
        from: A,
        /// Who says to have sent it.
        mid: Mid,
        /// In which version; the reply is written in it.
        version: u8,
        /// The sender's number.
        transaction: u32,
        /// What to do.
        actions: Vec<ActionRequest>,
    },
    /// A request that was answered came again, and so did the answer. Nothing is to be executed;
    /// but a phone that restarts faster than replies are forgotten looks like this too.
    Repeated {
        /// Which.
        request: RequestKey,
        /// Where it came from.
        from: A,
        /// Who says to have sent it.
        mid: Mid,
        /// Whether it was the restart of a whole gateway.
        restart: bool,
        /// How long ago it was answered.
        after: Duration,
    },
    /// A request was not answered until its sender had to be told so (error 506).
    Expired {
        /// Which.
        request: RequestKey,
    },
    /// Our request was answered.
    Reply {
        /// Which.
        id: u32,
        /// Where the answer came from.
        from: A,
        /// Who says to have sent it.
        mid: Mid,
        /// In which version.
        version: u8,
        /// What came of it.
        outcome: Outcome,
    },
    /// Our request was not answered. Whether it was executed is not known.
    Failed {
        /// Which.
        id: u32,
        /// Why.
        why: Failure,
    },
    /// Somebody could not read a message of ours, or a transaction's number in it.
    MessageError {
        /// Where it came from.
        from: A,
        /// Who says to have sent it.
        mid: Mid,
        /// What is wrong.
        error: ErrorDescriptor,
    },
    /// A message, or a transaction in it, that cannot be read. It was answered, if it was to be.
    Malformed {
        /// Where it came from.
        from: A,
        /// What is wrong.
        error: ParseError,
    },
}

/// Why a request of ours was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There was no answer to any repetition.
    Timeout,
    /// It is executed for ever.
    TooManyPendings,
    /// Not all segments of the answer arrived.
    SegmentsLost,
    /// The answer could not be read.
    Unreadable,
    /// The request is longer than a message may be.
    TooLong,
}

/// Why something that came in was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dropped {
    /// Longer than a message may be.
    TooLong,
    /// Faster than one may ask.
    TooFast,
    /// Too many requests of one are not answered yet.
    TooManyOpen,
    /// Too many others ask.
    TooManyPeers,
    /// An answer to nothing that was asked there.
    Unasked,
    /// No message of this protocol.
    NotMegaco,
}

impl Dropped {
    /// All of them, in the order of their counters.
    pub const ALL: [Self; 6] = [
        Self::TooLong,
        Self::TooFast,
        Self::TooManyOpen,
        Self::TooManyPeers,
        Self::Unasked,
        Self::NotMegaco,
    ];

    /// The word used in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::TooFast => "too_fast",
            Self::TooManyOpen => "too_many_open",
            Self::TooManyPeers => "too_many_peers",
            Self::Unasked => "unasked",
            Self::NotMegaco => "not_megaco",
        }
    }
}

/// What was done, since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages that came in.
    pub messages_in: u64,
    /// Messages that were sent.
    pub messages_out: u64,
    /// Requests of others, each once.
    pub requests_in: u64,
    /// Requests of others that came again.
    pub repeated_in: u64,
    /// Requests of ours, each once.
    pub requests_out: u64,
    /// Requests and replies of ours that were sent again.
    pub resent: u64,
    /// Requests of ours that were answered.
    pub replies_in: u64,
    /// Replies of ours, each once.
    pub replies_out: u64,
    /// Pendings of others.
    pub pendings_in: u64,
    /// Pendings of ours.
    pub pendings_out: u64,
    /// Segments of replies that came in.
    pub segments_in: u64,
    /// Requests of ours that failed.
    pub failed: u64,
    /// Requests of others that were not answered in time.
    pub expired: u64,
    /// Messages and transactions that could not be read.
    pub malformed: u64,
    dropped: [u64; Dropped::ALL.len()],
}

impl Counters {
    /// What was not used.
    #[must_use]
    pub fn dropped(&self, why: Dropped) -> u64 {
        self.dropped.get(why as usize).copied().unwrap_or(0)
    }

    pub(super) fn count(&mut self, why: Dropped) {
        if let Some(count) = self.dropped.get_mut(why as usize) {
            *count += 1;
        }
    }
}
