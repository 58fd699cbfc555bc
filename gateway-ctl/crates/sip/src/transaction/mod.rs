//! Transactions (RFC 3261 section 17; RFC 4320, 6026): what is lost is sent again, what comes
//! twice is told once.
//!
//! ```text
//!   network                    Transactions                       user (proxy, user agent)
//!   request  --handle-->  server: new? ---- Request{id} ------>   decides
//!            <--Send----         <-- respond(id, response) ---
//!   response --handle-->  client: known? -- Response{id} ----->
//!            <--Send----         <-- send(to, request) -------
//!   ACK for 2xx ----------- Ack ------------------------------>   forwards it, as bytes
//!   CANCEL  <--200/481---       --- Cancel{id of the INVITE} ->   answers that 487
//! ```
//! Every id that was given out is told to be [`Output::ServerOver`] or [`Output::ClientOver`]
//! once, so nothing kept by it is kept for ever.
//!
//! | file | what it does |
//! |---|---|
//! | `incoming.rs` | messages to transactions |
//! | `outgoing.rs` | the user's requests and responses; deadlines |
//! | `client.rs` `server.rs` | the four state machines |
//! | `key.rs` | which transaction a message belongs to |
//! | `slab.rs` | transactions by number, deadlines in order |
//! | `settings.rs` | timers and limits |

mod client;
mod incoming;
mod key;
mod outgoing;
mod server;
mod settings;
mod slab;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::message::{Request, Response};
use crate::transport::Peer;

pub use outgoing::Unsent;
pub use settings::Settings;

use slab::{Id, Slab};

/// A request that was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(Id);

/// A request that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(Id);

/// What is to be done or known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what is not sent or heeded is lost"]
pub enum Output {
    /// Send these bytes. If that fails and there is a client, tell
    /// [`Transactions::unreachable`].
    Send {
        /// Where to.
        to: Peer,
        /// One whole message.
        bytes: Arc<[u8]>,
        /// The request that it is.
        client: Option<ClientId>,
    },
    /// A new request: to be answered with [`Transactions::respond`].
    Request {
        /// For the answer.
        id: ServerId,
        /// Where it came from.
        from: Peer,
        /// With `received` and `rport` in its top Via.
        request: Request,
    },
    /// An INVITE that has no final answer yet is cancelled: to be answered with 487 (or as it
    /// comes). The CANCEL is answered already.
    Cancel {
        /// The INVITE's.
        id: ServerId,
        /// The CANCEL, for its Reason field.
        request: Request,
    },
    /// An ACK for a 2xx, which has no transaction.
    Ack {
        /// Where it came from.
        from: Peer,
        /// With `received` and `rport` in its top Via.
        request: Request,
    },
    /// An answer: every provisional one, the first final one, for an INVITE each 2xx.
    Response {
        /// The request's.
        id: ClientId,
        /// Where it came from.
        from: Peer,
        /// With this element's Via on top.
        response: Response,
    },
    /// A response without transaction. A user agent acknowledges a 2xx to INVITE again, a
    /// proxy drops it (RFC 6026 section 7.3).
    Stray {
        /// Where it came from.
        from: Peer,
        /// As it came.
        response: Response,
    },
    /// No final answer came in time: as good as a 408.
    TimedOut {
        /// The request's.
        id: ClientId,
    },
    /// It rings, and has for too long: time for [`Transactions::cancel`].
    NoAnswer {
        /// The INVITE's.
        id: ClientId,
    },
    /// It could not be sent: as good as a 503.
    Unreachable {
        /// The request's.
        id: ClientId,
    },
    /// No ACK came for a final answer that is no success.
    Unacknowledged {
        /// The INVITE's.
        id: ServerId,
    },
    /// Nothing more will be said with this id.
    ServerOver {
        /// The request's.
        id: ServerId,
    },
    /// Nothing more will be said with this id.
    ClientOver {
        /// The request's.
        id: ClientId,
    },
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests that made a transaction.
    pub requests: u64,
    /// Requests and ACKs that came again.
    pub requests_repeated: u64,
    /// Responses that came again.
    pub responses_repeated: u64,
    /// Responses without transaction.
    pub strays: u64,
    /// Messages sent again by a timer.
    pub retransmissions: u64,
    /// Requests without a final answer in time.
    pub timeouts: u64,
    /// Requests told 503, for there were too many.
    pub overload: u64,
    /// Requests told 482, for they came two ways.
    pub merged: u64,
}

#[derive(Debug)]
enum Entry {
    Client(client::Client),
    Server(server::Server),
}

/// All transactions of an element.
#[derive(Debug)]
pub struct Transactions {
    settings: Settings,
    entries: Slab<Entry>,
    clients: HashMap<key::Key, Id>,
    servers: HashMap<key::Key, Id>,
    merged: HashMap<key::Key, Id>,
    /// Answered, and kept for what comes again only, the oldest first; some are gone already.
    absorbing: VecDeque<Id>,
    counters: Counters,
}

impl Transactions {
    /// None yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            entries: Slab::new(),
            clients: HashMap::new(),
            servers: HashMap::new(),
            merged: HashMap::new(),
            absorbing: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// How many there are now.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was counted since the start.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }
}
