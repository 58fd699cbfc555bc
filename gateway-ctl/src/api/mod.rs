//! The API: HTTP and JSON over the Unix socket, what the CLI speaks.
//!
//! | file | what it does |
//! |---|---|
//! | `types/` | what goes over the wire; field names are stable |
//! | `server.rs` | the socket, the routes, errors as `{error, fix}` |
//! | `bindings.rs` | `/v1/bindings` |
//! | `leases.rs` | `/v1/leases`, `/v1/reservations` |
//! | `phones.rs` | `/v1/phones` |
//! | `calls.rs` | `/v1/calls`, `/v1/phones/handoff` |
//! | `named.rs` | how an operator names a phone |
//! | `peer.rs` | who asks |
//! | `page.rs` | which part of a list is asked for |
//! | `who.rs` | `/v1/who`: whose a port is or was |
//! | `backup.rs` | `/v1/export`, `/v1/import` |
//! | `reading.rs` | `/v1/status`, `/v1/counters`, `/v1/memory`, `/v1/reload` |
//! | `trace.rs` | `/v1/trace`: a line of JSON for each drop |
//! | `client.rs` | the other end of the socket |

pub(crate) mod client;
pub(crate) mod types;

mod backup;
mod bindings;
mod calls;
mod leases;
mod named;
mod page;
mod peer;
mod phones;
mod reading;
mod server;
mod trace;
mod who;

pub(crate) use peer::Peer;
pub(crate) use server::{bind, serve};
