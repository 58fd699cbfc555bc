//! SIP without sockets, clocks or random numbers: RFC 3261 with 3263 (addresses only), 3264
//! (addresses only), 3327, 3581, 4320, 6026, 7616 and 8760.
//!
//! ```text
//!   bytes --> stream / Message::parse --> Transactions --> proxy, registrar, auth, sdp, ua
//!                      |                       |                        |
//!                      `-- Refusal: one        `-- bytes to send,       `-- messages, values
//!                          counted Fault           events, deadlines
//! ```
//! Times are durations since any fixed moment of a clock that never goes back.
//!
//! | file | what it does |
//! |---|---|
//! | `message/` | messages: read, changed, written |
//! | `uri.rs` `address.rs` `via.rs` `params.rs` | their values |
//! | `transport.rs` | UDP, TCP, TLS; the other end |
//! | `transaction/` | what is lost is sent again, what comes twice is told once |
//! | `auth/` | digest: who asks, who is asked |
//! | `proxy.rs` | steps of a record-routing proxy |
//! | `registrar.rs` | a REGISTER and stored bindings to bindings |
//! | `sdp/` | addresses and ports of descriptions |
//! | `ua/` | a small user agent, for simulated phones |
//! | `testing/` | a network in memory; what must hold whatever comes in |
//!
//! `cargo run --release -p sip --example messages` prints how fast it is.
//!
//! # Why not a crate
//! Looked at in November 2026, with the 49 messages of RFC 4475 and an INVITE of 0.7 kB on one core:
//! - `rsip` 0.4 (last release April 2022) refuses 15 of them, seven of these sound (escapes,
//!   folds, unusual methods), and takes messages with two lengths.
//! - `rsipstack` 0.7 and `ezk-sip-core` 0.9 are stacks on tokio, of 133 and 125 crates.
//! - `sipx-sip` 1.0.1 reads all of them as it should, keeps bytes as they came and forwards 270,000
//!   messages a second. But its twelve releases are of eleven days of August 2026 and there was
//!   none since; and what a switch lacks then is still most of the work: limits on transactions,
//!   deadlines, merged requests, checking of digests, registrar, proxy, SDP.
//!
//! The reader of messages here is a quarter of this crate, and has its limits, reasons and fuzz
//! target in our hands.

#![forbid(unsafe_code)]

pub mod address;
pub mod auth;
pub mod message;
pub mod params;
pub mod proxy;
pub mod registrar;
pub mod sdp;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transaction;
pub mod transport;
pub mod ua;
pub mod uri;
pub mod via;

pub use address::Address;
pub use message::{
    Contacts, Fault, Fields, Frame, Limits, Message, Method, Name, Refusal, Request, Response,
    Sequence, Status, Stream,
};
pub use params::Params;
pub use transport::{Peer, Transport};
pub use uri::{SipUri, Uri};
pub use via::Via;
