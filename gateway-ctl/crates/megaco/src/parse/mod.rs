//! Octets to messages (RFC 3525 annex B.2, H.248.1 version 3 annex B.2).
//!
//! By hand, along the grammar: one function per rule, one look at each octet. Recursion is as
//! deep as the grammar's, which has no loops (an embedded Events descriptor embeds no third).
//!
//! | file | what it reads |
//! |---|---|
//! | `lexer.rs` | words, signs, numbers, quoted text; lists |
//! | `message.rs` | the head, and transaction after transaction |
//! | `recover.rs` | where a broken transaction ends |
//! | `action.rs` | contexts and their properties |
//! | `command.rs`, `response.rs` | commands and answers |
//! | `descriptor.rs` | which descriptor; the short ones |
//! | `media.rs`, `event.rs`, `signal.rs`, `audit.rs`, `service_change.rs` | the others |

mod action;
mod audit;
mod command;
mod descriptor;
mod event;
mod lexer;
mod media;
mod message;
mod recover;
mod response;
mod service_change;
mod signal;
mod value;

use std::ops::Range;

use crate::error::{Head, ParseError};
use crate::message::{Auth, ErrorDescriptor, Message, Transaction};

/// How much of a message is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets.
    pub size: usize,
    /// Transactions.
    pub transactions: usize,
    /// Items of all lists together.
    pub items: usize,
}

impl Default for Limits {
    /// 64 KiB, 256 transactions, 16,384 items.
    fn default() -> Self {
        Self {
            size: 65_536,
            transactions: 256,
            items: 16_384,
        }
    }
}

/// Reads a message.
///
/// # Errors
/// The first thing that is wrong, with the transaction it belongs to.
pub fn parse(bytes: &[u8]) -> Result<Message, ParseError> {
    message::whole(bytes, &Limits::default())
}

/// A message, each transaction read or broken for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The interim authentication header.
    pub auth: Option<Auth>,
    /// Version and sender.
    pub head: Head,
    /// What it says.
    pub body: PartsBody,
}

/// What a message says, as far as it can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartsBody {
    /// The last message could not be read at all.
    Error(ErrorDescriptor),
    /// At least one.
    Transactions(Vec<Part>),
}

/// A transaction, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its octets in the message.
    pub range: Range<usize>,
    /// What it says, or what is wrong with it.
    pub transaction: Result<Transaction, ParseError>,
}

/// Reads a message whose transactions stand for themselves (RFC 3525 section 8.3): one that is
/// broken does not spoil those behind it, if its end can be found.
///
/// # Errors
/// When its head cannot be read, or it is too long.
pub fn parse_parts(bytes: &[u8], limits: &Limits) -> Result<Parts, ParseError> {
    message::parts(bytes, limits)
}
