//! Error codes, and what is said about a message that cannot be read.

use std::fmt;

use thiserror::Error;

use crate::message::{ContextId, Mid};

/// An error code of H.248.8 (in RFC 3525 times: of the IANA registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(pub u16);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $code:literal $text:literal,)*) => {
        impl ErrorCode {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// Its usual text; empty for codes that are not known here.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self.0 { $($code => $text,)* _ => "" }
            }
        }
    };
}

codes! {
    /// Not a message at all.
    SYNTAX_IN_MESSAGE 400 "Syntax error in message",
    /// Against the rules.
    PROTOCOL 401 "Protocol error",
    /// Not allowed to ask.
    UNAUTHORIZED 402 "Unauthorized",
    /// A transaction that cannot be read.
    SYNTAX_IN_TRANSACTION 403 "Syntax error in transaction",
    /// Another version of the protocol.
    VERSION 406 "Version not supported",
    /// No such name.
    INCORRECT_IDENTIFIER 410 "Incorrect identifier",
    /// No such context.
    UNKNOWN_CONTEXT 411 "The transaction refers to an unknown context",
    /// No more contexts.
    NO_CONTEXTS 412 "No context available",
    /// Too many in one message.
    TOO_MANY_TRANSACTIONS 413 "Number of transactions in message exceeds maximum",
    /// Actions that do not go together.
    ILLEGAL_ACTIONS 421 "Unknown action or illegal combination of actions",
    /// An action that cannot be read.
    SYNTAX_IN_ACTION 422 "Syntax error in action",
    /// No such termination.
    UNKNOWN_TERMINATION 430 "Unknown termination",
    /// No termination of this pattern.
    NO_MATCH 431 "No termination matched a wildcard",
    /// No more terminations.
    NO_TERMINATIONS 432 "Out of terminations or no termination available",
    /// In a context already.
    IN_A_CONTEXT 433 "Termination is already in a context",
    /// Too many for one context.
    CONTEXT_FULL 434 "Maximum number of terminations in a context exceeded",
    /// In another context.
    NOT_IN_CONTEXT 435 "Termination is not in specified context",
    /// No such package.
    UNKNOWN_PACKAGE 440 "Unsupported or unknown package",
    /// Local or Remote is needed.
    MISSING_REMOTE 441 "Missing Remote or Local descriptor",
    /// A command that cannot be read.
    SYNTAX_IN_COMMAND 442 "Syntax error in command",
    /// No such command.
    UNKNOWN_COMMAND 443 "Unsupported or unknown command",
    /// No such descriptor.
    UNKNOWN_DESCRIPTOR 444 "Unsupported or unknown descriptor",
    /// No such property.
    UNKNOWN_PROPERTY 445 "Unsupported or unknown property",
    /// No such parameter.
    UNKNOWN_PARAMETER 446 "Unsupported or unknown parameter",
    /// A descriptor that this command does not have.
    ILLEGAL_DESCRIPTOR 447 "Descriptor not legal in this command",
    /// A descriptor given twice.
    DESCRIPTOR_TWICE 448 "Descriptor appears twice in command",
    /// A value that this cannot have.
    UNKNOWN_VALUE 449 "Unsupported or unknown parameter or property value",
    /// A parameter or property given twice.
    PARAMETER_TWICE 456 "Parameter or property appears twice in this descriptor",
    /// An event that was not asked for.
    UNEXPECTED_EVENT 458 "Unexpected event or request id",
    /// No such profile.
    UNKNOWN_PROFILE 459 "Unsupported or unknown profile",
    /// A fault of this end's own.
    INTERNAL 500 "Internal software failure",
    /// Not done here.
    NOT_IMPLEMENTED 501 "Not implemented",
    /// Not yet.
    NOT_READY 502 "Not ready",
    /// Not now.
    UNAVAILABLE 503 "Service unavailable",
    /// From somebody who may not.
    UNAUTHORIZED_ENTITY 504 "Command received from unauthorized entity",
    /// Register first.
    NOT_REGISTERED 505 "Transaction request received before a service change reply has been received",
    /// It took too long.
    TOO_MANY_PENDINGS 506 "Number of transaction pendings exceeded",
    /// No room for it.
    NO_RESOURCES 510 "Insufficient resources",
    /// The answer is too long.
    REPLY_TOO_LONG 533 "Response exceeds maximum transport PDU size",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Which kind of transaction something belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TransactionKind {
    /// To be answered.
    Request,
    /// Never to be answered, as everything below.
    Reply,
    /// A request is being executed.
    Pending,
    /// Replies have arrived.
    Ack,
    /// A segment of a reply has arrived.
    Segment,
}

/// Why a message, or a transaction in it, cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("error {code} at byte {position}: got {got:?}, expected {expected}")]
pub struct ParseError {
    /// What to answer.
    pub code: ErrorCode,
    /// Where: bytes from the beginning of the message.
    pub position: usize,
    /// What was there: at most 24 bytes of it; empty at the end of the message.
    pub got: String,
    /// What should have been there.
    pub expected: &'static str,
    /// Who sent it and in which version, if that could be read.
    pub head: Option<Head>,
    /// Where it belongs: its kind and number. The number is 0 where none could be read, and a
    /// request is then answered as number 0 (RFC 3525 section 8.1.1).
    pub transaction: Option<(TransactionKind, u32)>,
    /// The context, if that could be read.
    pub context: Option<ContextId>,
}

/// What stands before the transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Version of the protocol, 1 to 99.
    pub version: u8,
    /// Who sends it.
    pub mid: Mid,
}
