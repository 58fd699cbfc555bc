//! DHCPv4 (RFC 2131, 2132): leases of addresses and of ranges of public ports.
//!
//! ```text
//!   Received --> Server::handle --> Output::Probe   --> in_use, or handle_timeout
//!                                   Output::Commit  --> committed --> Output::Bind, Output::Reply
//!                                   Output::Reply
//! ```
//!
//! No socket, no clock, no disk, no random numbers: messages and the time come in, what is to be
//! done comes out. A lease is on disk before its client or the dataplane hears of it, so what
//! follows from a commit comes out only when it is said to be written.
//!
//! | file | what it does |
//! |---|---|
//! | `settings.rs`, `reservation.rs` | what the operator wants |
//! | `lease.rs` | what is remembered of a client |
//! | `output.rs` | what comes in and what is to be done |
//! | `client.rs`, `mac.rs` | who a client is |
//! | `server/` | what is done |
//! | `book/` | what is whose: leases, offers, free addresses, ranges |
//! | `site.rs`, `reservations.rs` | settings and reservations, arranged for look-ups |
//! | `wire/` | messages as bytes |
//! | `counters.rs`, `ignored.rs`, `error.rs` | what is counted and said |
//! | `text.rs` | values as text |
//! | `testing/` | a network in memory, for tests |
#![forbid(unsafe_code)]

mod book;
mod client;
mod counters;
mod error;
mod ignored;
mod labels;
mod lease;
mod mac;
mod output;
mod reservation;
mod reservations;
mod server;
mod settings;
mod site;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
mod wire;

pub use client::{ClientKey, Name, NoClient, Pattern};
pub use counters::{Answer, Counters, Event, Kind};
pub use error::{Error, Lost};
pub use ignored::Ignored;
pub use lease::{HistoryRecord, Lease, Relay, Rest, State};
pub use mac::{Hardware, MacAddr, MacRange, NoHardware};
pub use output::{Change, CommitId, Destination, MOST_CHANGES, Output, ProbeHow, Received, Time};
pub use reservation::{NoReservedClient, Reservation, ReservedClient};
pub use server::{PoolUsage, ScopeUsage, Server};
pub use settings::{Class, Interface, LeaseTime, Scope, Settings};
pub use wire::encode::{addresses, classless_routes, domain_search};
pub use wire::vendor::{PhonePorts, read_grant};
