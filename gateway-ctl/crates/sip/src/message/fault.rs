//! What is wrong with a message, as one counted reason and one status code.

use super::name::Name;
use super::status::Status;

/// Why a message is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Fault {
    /// The header fields don't end with an empty line.
    #[error("no empty line behind the header fields")]
    Cut,
    /// Longer than [`Limits`](super::Limits) allow.
    #[error("message or header fields longer than the limit")]
    TooLong,
    /// More header fields than [`Limits`](super::Limits) allow.
    #[error("more header fields than the limit")]
    TooManyFields,
    /// Neither a request nor a status line.
    #[error("start line is neither `METHOD uri SIP/2.0` nor `SIP/2.0 code phrase`")]
    StartLine,
    /// Another version than SIP/2.0.
    #[error("version is not SIP/2.0")]
    Version,
    /// A carriage return or line feed alone, which others might take for a line's end.
    #[error("CR or LF alone among the header fields")]
    LoneLineEnd,
    /// A line without a name and colon.
    #[error("header field without a name and a colon")]
    Nameless,
    /// Content-Length is no number, stands twice, or (in a stream) not at all.
    #[error("Content-Length is missing, twice there or no number")]
    ContentLength,
    /// Fewer bytes than Content-Length says.
    #[error("body shorter than Content-Length says")]
    BodyCut,
    /// A field that every message needs.
    #[error("{} is missing", .0.text())]
    Missing(Name),
    /// A field that may stand once only.
    #[error("{} stands more than once", .0.text())]
    Repeated(Name),
    /// A field that can't be read.
    #[error("{} can't be read", .0.text())]
    Syntax(Name),
    /// CSeq names another method than the request line.
    #[error("CSeq has another method than the request line")]
    MethodMismatch,
    /// The Request-URI can't be read.
    #[error("Request-URI can't be read")]
    Uri,
}

impl Fault {
    /// Every kind, in the order of their counters. Those with a name are there once, as
    /// [`Fault::label`] does not tell names apart.
    pub const ALL: [Self; 14] = [
        Self::Cut,
        Self::TooLong,
        Self::TooManyFields,
        Self::StartLine,
        Self::Version,
        Self::LoneLineEnd,
        Self::Nameless,
        Self::ContentLength,
        Self::BodyCut,
        Self::Missing(Name::Via),
        Self::Repeated(Name::Via),
        Self::Syntax(Name::Via),
        Self::MethodMismatch,
        Self::Uri,
    ];

    /// The word used in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::TooLong => "too-long",
            Self::TooManyFields => "too-many-fields",
            Self::StartLine => "start-line",
            Self::Version => "version",
            Self::LoneLineEnd => "lone-line-end",
            Self::Nameless => "nameless-field",
            Self::ContentLength => "content-length",
            Self::BodyCut => "body-cut",
            Self::Missing(_) => "missing-field",
            Self::Repeated(_) => "repeated-field",
            Self::Syntax(_) => "unreadable-field",
            Self::MethodMismatch => "method-mismatch",
            Self::Uri => "uri",
        }
    }

    /// What the sender of a request is told.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Version => Status::VERSION,
            Self::TooLong | Self::TooManyFields => Status::MESSAGE_TOO_LARGE,
            _ => Status::BAD_REQUEST,
        }
    }
}
