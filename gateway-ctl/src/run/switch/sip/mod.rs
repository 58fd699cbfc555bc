//! SIP's sockets: from a phone's messages to the switch, and back.
//!
//! ```text
//!   phone --UDP--------------> service.rs ----+--> switch::Switch --> turn.rs
//!   phone --TCP, TLS--> stream.rs: frames ----+                          |
//!   trunk <--TCP, TLS-- connect.rs: none yet <-- service.rs: which way? <+
//!   phone <--UDP, TCP, TLS--------------------------'
//! ```
//!
//! Transactions, which send again what is lost, are the switch's; here a message is sent or it
//! is not, and the switch is told.
//!
//! | file | what it does |
//! |---|---|
//! | `service.rs` | what listens, and how it follows a reload; the way of a message out |
//! | `stream.rs` | connections: who may have one, messages in their bytes |
//! | `connect.rs` | connections that the switch begins |
//! | `counters.rs` | what went in and out |

mod connect;
mod counters;
mod service;
mod stream;

pub(crate) use counters::TRANSPORTS;
pub(super) use service::Service;
