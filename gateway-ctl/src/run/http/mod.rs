//! Files for phones over HTTP/1.1 (RFC 9110, RFC 9112), without TLS: what TFTP serves too.
//!
//! GET, HEAD and one range of bytes; PUT into the phone's upload folder. A path is a name,
//! a query is not looked at, and there are no listings.
//!
//! | file | what it does |
//! |---|---|
//! | `listen.rs` | sockets; how many connections, and for how long |
//! | `answer.rs` | a request to an answer |
//! | `download.rs` | a file as a stream of pieces |
//! | `upload.rs` | a stream of pieces as a file |
//! | `range.rs` | which bytes of a file |
//! | `path.rs` | a path as the name of a file |
//! | `counters.rs` | what happened, for metrics |

mod answer;
mod counters;
mod download;
mod listen;
mod path;
mod range;
mod upload;

pub(crate) use counters::Counters;
pub(crate) use listen::{Handle, start};

#[cfg(test)]
mod tests;
