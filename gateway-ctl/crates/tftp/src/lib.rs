//! A TFTP server without sockets, files or clocks: RFC 1350 with the options of RFC 2347
//! (OACK), 2348 (blksize), 2349 (timeout, tsize) and 7440 (windowsize).
//!
//! ```text
//!             port 69                        a port of the transfer's own
//!   request ----------> Request::parse --+--> ReadSession   OACK, DATA -->   <-- ACK
//!                          |             `--> WriteSession  OACK, ACK  -->   <-- DATA
//!                          `--> Malformed: one counted reason, error 4 or silence
//! ```
//!
//! A session is told what comes in (`handle`) and what time it is (`handle_timeout`, not
//! before `poll_timeout`), and says what to send. It never touches the file: a reading
//! session names the part of it that goes into the next blocks ([`Blocks`]), a writing one
//! hands out the bytes that came ([`Received`]).
//!
//! Times are durations since any fixed moment of a clock that never goes back.
//!
//! | file | what it does |
//! |---|---|
//! | `request.rs` | a request's name, mode and options, or what is wrong with it |
//! | `options.rs` | what both sides agree on; the OACK |
//! | `packet.rs` | DATA, ACK, ERROR on the wire |
//! | `blocks.rs` | DATA to be sent: headers, and where in the file their bytes are |
//! | `read.rs` | the file goes to the client |
//! | `write.rs` | the file comes from the client |
//! | `pace.rs` | when to send again, when to give up |
//! | `netascii.rs` | text in the network's form, both ways |
//! | `testing.rs` | what must hold whatever comes in |

#![forbid(unsafe_code)]

mod blocks;
mod netascii;
mod options;
mod pace;
mod packet;
mod read;
mod request;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod write;

pub use blocks::Blocks;
pub use netascii::{FromNetascii, ToNetascii};
pub use options::{Agreed, Limits, Offered};
pub use packet::{ErrorCode, error_datagram};
pub use read::ReadSession;
pub use request::{Direction, Malformed, Mode, Request};
pub use write::{Received, WriteSession};

/// What a session wants sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what is not sent is as good as lost"]
pub enum Step {
    /// Nothing for now.
    Wait,
    /// This datagram: OACK, ACK or ERROR.
    Send(Vec<u8>),
    /// DATA with these parts of the file.
    Data(Blocks),
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// All of it arrived, and both know.
    Complete,
    /// All of it was sent, but the last acknowledgement did not arrive.
    Unconfirmed,
    /// The client sent an ERROR.
    Aborted,
    /// The client's port is closed.
    Gone,
    /// Nothing more was heard of the client.
    Silent,
    /// The file could not be read or written on this side, or the client broke the protocol.
    Failed,
}

impl Outcome {
    /// Every outcome, in the order of their counters.
    pub const ALL: [Self; 6] = [
        Self::Complete,
        Self::Unconfirmed,
        Self::Aborted,
        Self::Gone,
        Self::Silent,
        Self::Failed,
    ];

    /// The word used in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Unconfirmed => "unconfirmed",
            Self::Aborted => "aborted",
            Self::Gone => "gone",
            Self::Silent => "silent",
            Self::Failed => "failed",
        }
    }
}
