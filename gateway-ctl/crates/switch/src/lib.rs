//! The soft switch: who is registered, where a number leads, which addresses the ends of a call are
//! given, and the calls themselves.
//!
//! Nothing here has a socket, a clock, a disk or chance of its own.
//!
//! | file | what it does |
//! |---|---|
//! | `address.rs` | the choice of addresses: private at one site, else public |
//! | `dial_plan.rs` | where a number leads; the plan as a digit map |
//! | `identity.rs`, `registration.rs` | who a gateway is, and what is kept of it |
//! | `core/` | registrations and calls: what comes in, what is to be done |
//! | `sip/` | phones that speak SIP: who is where, what the store keeps |
//! | `h248/` | what gateways are told |
//! | `record.rs` | calls as they are kept, and as they are logged |
//! | `settings.rs`, `counters.rs` | what is wanted, what is counted |

#![forbid(unsafe_code)]

pub mod address;
mod core;
mod counters;
pub mod dial_plan;
mod h248;
pub mod identity;
pub mod record;
pub mod registration;
pub mod settings;
pub mod sip;

pub use core::{Change, CommitId, Heard, NoAnswer, Output, RequestKey, Rung, Switch, Ticket, Time};
pub use counters::{BOUNDS, Counters, Histogram};
