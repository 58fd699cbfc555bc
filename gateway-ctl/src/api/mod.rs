//! The API: HTTP and JSON over the Unix socket, what the CLI speaks.
//!
//! | file | what it does |
//! |---|---|
//! | `types.rs` | what goes over the wire; field names are stable |
//! | `server.rs` | the socket, the routes, errors as `{error, fix}` |
//! | `bindings.rs` | `/v1/bindings`, `/v1/who` |
//! | `reading.rs` | `/v1/status`, `/v1/counters`, `/v1/memory`, `/v1/reload` |
//! | `trace.rs` | `/v1/trace`: a line of JSON for each drop |
//! | `client.rs` | the other end of the socket |

pub(crate) mod client;
pub(crate) mod types;

mod bindings;
mod reading;
mod server;
mod trace;

pub(crate) use server::{bind, serve};
