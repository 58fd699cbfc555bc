//! The server: a message or the time comes in, outputs come out.
//!
//! ```text
//!   DISCOVER -> gate -> address and range -> probe -> OFFER                        discover.rs
//!   REQUEST  -> gate -> whose is it? -> commit -> Bind, ACK        NAK, silence    request.rs, grant.rs
//!   RELEASE, DECLINE, in_use, expiry -> commit -> Unbind                           leave.rs, timeout.rs
//!   INFORM, BOOTP                                                                  inform.rs
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `hear.rs` | which message goes where, and who may be heard (the gate) |
//! | `select.rs` | which address and which range |
//! | `answer.rs` | what a reply says and where it goes |
//! | `commit.rs` | what waits for the disk |
//! | `operator.rs` | release, reserve, unreserve |
//! | `bindings.rs` | bindings that are no leases come and go |
//! | `rebuild.rs` | start and reload: what still fits |
//! | `usage.rs` | figures |

mod answer;
mod bindings;
#[cfg(any(test, feature = "testing"))]
mod check;
mod commit;
mod discover;
mod grant;
mod hear;
mod inform;
mod leave;
mod operator;
mod rebuild;
mod request;
mod select;
mod timeout;
mod usage;

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use crate::book::Book;
use crate::client::ClientKey;
use crate::counters::Counters;
use crate::ignored::Ignored;
use crate::lease::Lease;
use crate::output::{Output, Received, Time};
use crate::reservation::Reservation;
use crate::reservations::Reservations;
use crate::settings::Settings;
use crate::site::Site;
use commit::Commits;

pub use usage::{PoolUsage, ScopeUsage};

/// A DHCPv4 server without sockets, clock and disk.
///
/// ```
/// # use dhcp::{Server, Settings};
/// # fn drive(settings: Settings, received: dhcp::Received<'_>) {
/// let mut server = Server::new(settings);
/// let _ignored = server.handle(1_000, received);
/// while let Some(output) = server.next_output() {
///     // Send it, write it, ask around; say `committed` when it is written.
///     # drop(output);
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    site: Site,
    book: Book,
    reservations: Reservations,
    commits: Commits,
    outputs: VecDeque<Output>,
    counters: Counters,
    /// Refusals for want of an address, by scope, with the last one's text.
    full: Vec<(u64, Option<String>)>,
}

impl Server {
    /// A server that knows of no leases. [`Self::restore`] tells it.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let site = Site::new(settings);
        let mut server = Self {
            book: Book::new(&site),
            full: vec![(0, None); site.settings.scopes.len()],
            site,
            reservations: Reservations::default(),
            commits: Commits::default(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
        };
        // Reservations of the configuration; the loader has checked that they fit.
        server.rebuild(0, Vec::new(), Vec::new());
        server
    }

    /// What is to be done next.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Handles one message. What is to be done comes out of [`Self::next_output`]; a message
    /// that is not answered is counted by its reason, which is returned for the log.
    pub fn handle(&mut self, now: Time, received: Received<'_>) -> Option<Ignored> {
        let reason = self.hear(now, received).err()?;
        self.counters.count_ignored(reason);
        Some(reason)
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.site.settings
    }

    /// Leases of all states by address, from this one on.
    pub fn leases(&self, from: Ipv4Addr) -> impl Iterator<Item = &Lease> {
        self.book.leases(from)
    }

    /// How many leases there are, of all states.
    #[must_use]
    pub fn lease_count(&self) -> usize {
        self.book.len()
    }

    /// The lease of an address, of any state.
    #[must_use]
    pub fn lease(&self, address: Ipv4Addr) -> Option<&Lease> {
        self.book.lease(address)
    }

    /// The active lease that a port of a public address belongs to.
    #[must_use]
    pub fn lease_of_port(&self, public: Ipv4Addr, port: u16) -> Option<&Lease> {
        self.book.holder_of(public, port)
    }

    /// What a client has and had; at most one of them is active.
    pub fn leases_of(&self, client: &ClientKey) -> impl Iterator<Item = &Lease> {
        self.book.leases_of(client)
    }

    /// Reservations of the configuration (`true`) and of operators.
    pub fn reservations(&self) -> impl Iterator<Item = (&Reservation, bool)> {
        let entries = self.reservations.iter();
        entries.map(|(_, entry)| (&entry.reservation, entry.configured))
    }

    /// Counters since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

#[cfg(test)]
mod tests;
