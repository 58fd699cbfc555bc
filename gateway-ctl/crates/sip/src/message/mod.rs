//! Messages (RFC 3261 section 7): read, changed, written.
//!
//! | file | what it does |
//! |---|---|
//! | `parse.rs` | bytes to a message; what is refused |
//! | `stream.rs` | where messages begin and end in a stream |
//! | `fields.rs` | header fields and body over one piece of text |
//! | `build.rs` | new requests and responses; a message to bytes |
//! | `typed.rs` | values every element needs: CSeq, Call-ID, tags, Via, Contact .. |
//! | `name.rs` `method.rs` `status.rs` | the words of the protocol |
//! | `fault.rs` | what is wrong with a message |
//! | `lex.rs` `span.rs` | characters and offsets |

mod build;
mod fault;
mod fields;
pub(crate) mod lex;
mod method;
mod name;
mod parse;
mod span;
mod status;
mod stream;
#[cfg(test)]
mod tests;
pub(crate) mod typed;

pub use fault::Fault;
pub use fields::Fields;
pub use method::Method;
pub use name::Name;
pub use parse::{Limits, Refusal};
pub use status::Status;
pub use stream::{Frame, Stream, is_keep_alive};
pub use typed::{Contacts, Sequence};

use span::Span;

/// A request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Asks for something.
    Request(Request),
    /// Answers a request.
    Response(Response),
}

/// A request.
#[derive(Clone)]
pub struct Request {
    /// What it asks for.
    pub method: Method,
    uri: Span,
    /// Header fields and body.
    pub fields: Fields,
}

/// A response.
#[derive(Clone)]
pub struct Response {
    /// What became of the request.
    pub status: Status,
    phrase: Span,
    /// Header fields and body.
    pub fields: Fields,
}

impl Message {
    /// Header fields and body.
    #[must_use]
    pub const fn fields(&self) -> &Fields {
        match self {
            Self::Request(request) => &request.fields,
            Self::Response(response) => &response.fields,
        }
    }
}
