//! Messages to octets (RFC 3525 annex B.2, H.248.1 version 3 annex B.2).
//!
//! | file | what it writes |
//! |---|---|
//! | `writer.rs` | words, signs, numbers, lists; line ends and tabs of the pretty style |
//! | `message.rs` | the head and transactions |
//! | `action.rs` | contexts and their properties |
//! | `command.rs` | commands and answers |
//! | `descriptor.rs`, `media.rs`, `event.rs`, `signal.rs`, `audit.rs`, `service_change.rs` | descriptors |

mod action;
mod audit;
mod command;
mod descriptor;
mod event;
mod media;
mod message;
mod service_change;
mod signal;
mod writer;

use crate::message::{Message, Mid, Transaction};
use writer::Writer;

/// How a message looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Short words, no spaces: for machines.
    Compact,
    /// Long words, a line for each thing: for people.
    Pretty,
}

/// Writes a message.
#[must_use]
pub fn encode(message: &Message, style: Style) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    encode_into(message, style, &mut bytes);
    bytes
}

/// Writes a message behind what is there.
pub fn encode_into(message: &Message, style: Style, bytes: &mut Vec<u8>) {
    Writer::new(style, bytes).message(message);
}

/// Writes the head of a message; transactions follow by [`encode_transaction`].
pub(crate) fn encode_head(version: u8, mid: &Mid, style: Style, bytes: &mut Vec<u8>) {
    Writer::new(style, bytes).head(version, mid);
}

/// Writes one transaction of a message.
pub(crate) fn encode_transaction(transaction: &Transaction, style: Style, bytes: &mut Vec<u8>) {
    Writer::new(style, bytes).transaction(transaction);
}
