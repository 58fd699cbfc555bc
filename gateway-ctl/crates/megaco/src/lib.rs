//! H.248.1 (Megaco), versions 1 to 3, text encoding: RFC 3525 and ITU-T H.248.1, without
//! sockets, clocks or random numbers.
//!
//! ```text
//!   octets --parse--> Message --encode--> octets
//!
//!   !/1 [192.168.1.10]:2944
//!   T=1{C=-{SC=root{SV{MT=RS,RE="901"}}}}
//!   |   |   |       `-- ServiceChange: restart, cold boot
//!   |   |   `---------- of the gateway itself
//!   |   `-------------- in no context
//!   `------------------ transaction 1
//! ```
//!
//! | folder, file | what it does |
//! |---|---|
//! | `message/` | what a message says |
//! | `parse/` | octets to messages, with the error code and the transaction of what is wrong |
//! | `encode/` | messages to octets, short or for people |
//! | `tpkt.rs` | messages over TCP |
//! | `sdp/` | addresses and ports in Local and Remote |
//! | `transactions/` | each request executed once, each answered, over a network that loses messages |
//! | `text.rs`, `name.rs` | text and names, checked when made |
//! | `token.rs` | the words of the grammar, long and short |
//! | `testing.rs` | what must hold whatever comes in |
//! | `error.rs` | error codes; what is wrong with a message |

#![forbid(unsafe_code)]

mod encode;
mod error;
mod message;
mod name;
mod parse;
pub mod sdp;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
mod token;
pub mod tpkt;
pub mod transactions;

pub use encode::{Style, encode, encode_into};
pub use error::{ErrorCode, Head, ParseError, TransactionKind};
pub use message::*;
pub use name::{DialMap, Name, PkgdName};
pub use parse::{Limits, Part, Parts, PartsBody, parse, parse_parts};
pub use text::{BadText, LONGEST_NAME, Text};
