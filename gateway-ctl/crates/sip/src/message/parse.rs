//! From bytes to a message (RFC 3261 sections 7, 18.3).
//!
//! ```text
//!   INVITE sip:bob@example.net SIP/2.0 CRLF      or   SIP/2.0 200 OK CRLF
//!   Via: SIP/2.0/UDP 192.0.2.1:5060 CRLF
//!    ;branch=z9hG4bK77 CRLF                      a fold: belongs to the line before
//!   CRLF
//!   body ..
//! ```
//! Reading finds the lines and nothing else; values are read when somebody asks. Refused is
//! what one element might understand differently from the next: lone CR or LF, two lengths,
//! fields twice that may be there once.

use super::fault::Fault;
use super::fields::{Fields, Line};
use super::lex;
use super::method::Method;
use super::name::Name;
use super::span::Span;
use super::status::Status;
use super::{Message, Request, Response};
use crate::uri::Uri;
use crate::via::Via;

/// What is taken at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a whole message.
    pub message: usize,
    /// Bytes of start line and header fields.
    pub head: usize,
    /// Header fields (lines).
    pub fields: usize,
}

impl Default for Limits {
    /// A datagram's 65,535 bytes, 16 KiB of them header fields, 128 of these.
    fn default() -> Self {
        Self {
            message: 65_535,
            head: 16 * 1024,
            fields: 128,
        }
    }
}

/// A message that is not taken, and as much of it as could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct Refusal {
    /// Why.
    pub fault: Fault,
    /// The message, if its lines were found: enough to answer a request.
    pub message: Option<Box<Message>>,
}

impl Refusal {
    /// The answer to a request that is refused, if it says what is answered. It goes back to
    /// where the request came from: its Via may be what can't be read. ACK is never answered.
    #[must_use]
    pub fn answer(&self) -> Option<Response> {
        let Some(Message::Request(request)) = self.message.as_deref() else {
            return None;
        };
        let needed = [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq];
        let known = needed.iter().all(|name| {
            request
                .fields
                .value(*name)
                .is_some_and(|value| !value.is_empty())
        });
        (known && request.method != Method::Ack)
            .then(|| Response::answer(request, self.fault.status()))
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            message: None,
        }
    }
}

/// What stands in the first line.
enum Start {
    /// What is wrong behind the method still leaves a request that can be answered.
    Request(Method, Span, Result<(), Fault>),
    Response(Status, Span),
}

impl Message {
    /// Reads a datagram, and checks that it has what every message needs. Bytes behind the
    /// body are left out.
    ///
    /// # Errors
    /// A [`Refusal`], which may hold the message for an answer.
    pub fn parse(datagram: Vec<u8>, limits: &Limits) -> Result<Self, Refusal> {
        let (message, checked) = Self::read(datagram, limits)?;
        match checked.and_then(|()| message.check()) {
            Ok(()) => Ok(message),
            Err(fault) => Err(Refusal {
                fault,
                message: Some(Box::new(message)),
            }),
        }
    }

    /// Finds the lines and the body. The inner result is about those faults that leave the
    /// lines readable.
    fn read(text: Vec<u8>, limits: &Limits) -> Result<(Self, Result<(), Fault>), Fault> {
        if text.len() > limits.message {
            return Err(Fault::TooLong);
        }
        // Keep-alives before a message, and what old stacks put there.
        let mut at = text
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let line_end = end_of_line(&text, at, limits)?;
        let start = start_line(&text, at, line_end)?;
        at = line_end + 2;
        let mut lines = Vec::with_capacity(16);
        while text.get(at..at + 2) != Some(b"\r\n") {
            if lines.len() == limits.fields {
                return Err(Fault::TooManyFields);
            }
            let line = field(&text, at, limits)?;
            at = line.whole.end as usize;
            lines.push(line);
        }
        let mut fields = Fields {
            text,
            lines,
            body: Span::default(),
        };
        let checked = fields.measure(at + 2);
        let (message, started) = match start {
            Start::Request(method, uri, started) => {
                let request = Request {
                    method,
                    uri,
                    fields,
                };
                (Self::Request(request), started)
            }
            Start::Response(status, phrase) => {
                let response = Response {
                    status,
                    phrase,
                    fields,
                };
                (Self::Response(response), Ok(()))
            }
        };
        Ok((message, started.and(checked)))
    }

    /// What every message must have (RFC 3261 sections 8.1.1, 16.3), each readable.
    fn check(&self) -> Result<(), Fault> {
        let fields = self.fields();
        fields.check_counts()?;
        // Every one: an answer goes its way by them, and loops are found in them.
        if !fields
            .values(Name::Via)
            .all(|via| Via::parse(via).is_some())
        {
            return Err(Fault::Syntax(Name::Via));
        }
        fields.from()?;
        fields.to()?;
        fields.call_id()?;
        fields.max_forwards()?;
        let sequence = fields.cseq()?;
        let Self::Request(request) = self else {
            return Ok(());
        };
        if request.method.as_str() != sequence.method {
            return Err(Fault::MethodMismatch);
        }
        match request.target()? {
            // Section 19.1.1: no header fields in a Request-URI. Who forwards them lets a
            // stranger write header fields.
            Uri::Sip(uri) if uri.headers.is_some() => Err(Fault::Uri),
            _ => Ok(()),
        }
    }
}

impl Fields {
    /// Fields that must be there, and those that may be there once.
    fn check_counts(&self) -> Result<(), Fault> {
        const COUNTED: [Name; 6] = [
            Name::Via,
            Name::From,
            Name::To,
            Name::CallId,
            Name::CSeq,
            Name::MaxForwards,
        ];
        let mut counts = [0_usize; COUNTED.len()];
        for line in &self.lines {
            let place = COUNTED.iter().position(|name| line.name == Some(*name));
            // An empty one is as good as none.
            if let Some(count) = place.and_then(|at| counts.get_mut(at)) {
                *count += usize::from(line.value.len() > 0);
            }
        }
        for (name, count) in COUNTED.into_iter().zip(counts) {
            match (name, count) {
                (Name::MaxForwards, 0) => {}
                (_, 0) => return Err(Fault::Missing(name)),
                (Name::Via, _) | (_, 1) => {}
                _ => return Err(Fault::Repeated(name)),
            }
        }
        Ok(())
    }

    /// Finds the body's end.
    fn measure(&mut self, start: usize) -> Result<(), Fault> {
        let there = self.text.len().saturating_sub(start);
        let mut lengths = self.lines_of(Name::ContentLength);
        let length = match (lengths.next(), lengths.next()) {
            (None, _) => Ok(there),
            (Some(value), None) => match lex::number(value) {
                Some(length) if length as usize <= there => Ok(length as usize),
                Some(_) => Err(Fault::BodyCut),
                None => Err(Fault::ContentLength),
            },
            (Some(_), Some(_)) => Err(Fault::ContentLength),
        };
        drop(lengths);
        self.body = Span::new(start, start + length.unwrap_or(0));
        length.map(drop)
    }
}

/// The offset of the CRLF that ends the line at `from`.
pub(super) fn end_of_line(text: &[u8], from: usize, limits: &Limits) -> Result<usize, Fault> {
    let rest = text.get(from..).unwrap_or_default();
    let Some(length) = memchr::memchr2(b'\r', b'\n', rest) else {
        return Err(if text.len() > limits.head {
            Fault::TooLong
        } else {
            Fault::Cut
        });
    };
    let end = from + length;
    if end + 2 > limits.head {
        return Err(Fault::TooLong);
    }
    match text.get(end..end + 2) {
        Some(b"\r\n") => Ok(end),
        None if text.get(end) == Some(&b'\r') => Err(Fault::Cut),
        _ => Err(Fault::LoneLineEnd),
    }
}

/// The header field at `from`, with the lines folded into it.
pub(super) fn field(text: &[u8], from: usize, limits: &Limits) -> Result<Line, Fault> {
    let mut end = end_of_line(text, from, limits)?;
    let first = text.get(from..end).unwrap_or_default();
    while matches!(text.get(end + 2), Some(b' ' | b'\t')) {
        end = end_of_line(text, end + 2, limits)?;
    }
    let length = first
        .iter()
        .take_while(|byte| lex::is_token(**byte))
        .count();
    let after = first.get(length..).unwrap_or_default();
    let spaces = after
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    if length == 0 || after.get(spaces) != Some(&b':') {
        return Err(Fault::Nameless);
    }
    let name = first.get(..length).unwrap_or_default();
    let colon = from + length + spaces + 1;
    let value = text.get(colon..end).unwrap_or_default();
    let trimmed = lex::trim(value);
    let leading = value
        .iter()
        .take_while(|byte| lex::is_space(**byte))
        .count();
    let start = if trimmed.is_empty() {
        colon
    } else {
        colon + leading
    };
    Ok(Line {
        name: Name::of(name),
        label: Span::new(from, from + length),
        value: Span::new(start, start + trimmed.len()),
        whole: Span::new(from, end + 2),
    })
}

/// Exactly one space between the three parts, as section 7.1 demands: what is lenient here
/// finds another URI than the next element does.
fn start_line(text: &[u8], from: usize, end: usize) -> Result<Start, Fault> {
    let line = text.get(from..end).unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(|_| Fault::StartLine)?;
    let (first, rest) = line.split_once(' ').ok_or(Fault::StartLine)?;
    if first.eq_ignore_ascii_case("SIP/2.0") {
        return status_line(rest, end);
    }
    let method = Method::parse(first).ok_or(Fault::StartLine)?;
    let (uri, version) = rest.split_once(' ').unwrap_or_default();
    let span = Span::new(from + first.len() + 1, from + first.len() + 1 + uri.len());
    let kind = version.get(..4).unwrap_or_default();
    let started = if !lex::is_uri(uri.as_bytes())
        || !kind.eq_ignore_ascii_case("SIP/")
        || version.contains(' ')
    {
        Err(Fault::StartLine)
    } else if version.eq_ignore_ascii_case("SIP/2.0") {
        Ok(())
    } else {
        Err(Fault::Version)
    };
    Ok(Start::Request(method, span, started))
}

/// The phrase may be empty; the space before it too, which old stacks leave out with it.
fn status_line(rest: &str, end: usize) -> Result<Start, Fault> {
    let (code, phrase) = rest.split_once(' ').unwrap_or((rest, ""));
    let code = (code.len() == 3)
        .then(|| lex::port(code.as_bytes()))
        .flatten();
    let status = code.and_then(Status::new).ok_or(Fault::StartLine)?;
    Ok(Start::Response(status, Span::new(end - phrase.len(), end)))
}
