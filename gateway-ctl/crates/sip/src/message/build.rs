//! New messages, and messages to bytes.

use std::fmt;
use std::hash::{DefaultHasher, Hasher as _};
use std::io::Write as _;

use super::method::Method;
use super::name::Name;
use super::span::Span;
use super::status::Status;
use super::{Fields, Message, Request, Response};

/// What every answer has as it came.
const ANSWERED: [Name; 5] = [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq];

impl Request {
    /// A request without any header field. White space and controls in the URI are left out.
    #[must_use]
    pub fn new(method: Method, uri: &str) -> Self {
        let mut request = Self {
            method,
            uri: Span::default(),
            fields: Fields::default(),
        };
        request.set_uri(uri);
        request
    }

    /// The Request-URI as it stands.
    #[must_use]
    pub fn uri(&self) -> &str {
        std::str::from_utf8(self.uri.of(&self.fields.text)).unwrap_or_default()
    }

    /// Another Request-URI. White space, controls, quotes and angle brackets are left out: no
    /// URI has them.
    pub fn set_uri(&mut self, uri: &str) {
        let start = self.fields.text.len();
        let allowed = |byte: &u8| byte.is_ascii_graphic() && !b"<>\"".contains(byte);
        self.fields.text.extend(uri.bytes().filter(allowed));
        self.uri = Span::new(start, self.fields.text.len());
    }

    /// To the end of `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.method.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(self.uri.of(&self.fields.text));
        out.extend_from_slice(b" SIP/2.0\r\n");
        self.fields.encode(out);
    }

    /// As bytes for the wire.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.fields.text.len() + 64);
        self.encode_into(&mut out);
        out
    }
}

impl Response {
    /// A response without any header field, with the code's own phrase.
    #[must_use]
    pub fn new(status: Status) -> Self {
        let phrase = status.phrase().as_bytes();
        Self {
            status,
            phrase: Span::new(0, phrase.len()),
            fields: Fields {
                text: phrase.to_vec(),
                ..Fields::default()
            },
        }
    }

    /// An answer (section 8.2.6.2): Via, From, To, Call-ID and CSeq as they came, for what
    /// makes a dialog Record-Route too. A To without tag gets one that follows from the
    /// request, so an answer made twice is the same; who makes dialogs sets one of its own
    /// with [`Fields::set_to_tag`].
    #[must_use]
    pub fn answer(request: &Request, status: Status) -> Self {
        let mut response = Self::new(status);
        let fields = &mut response.fields;
        let asked = &request.fields;
        fields.text.reserve(asked.text.len() - asked.body().len());
        fields.lines.reserve(8);
        for name in ANSWERED {
            fields.copy(asked, name);
        }
        if status != Status::TRYING {
            if asked.to_tag().is_none() {
                fields.set_to_tag(&request.fingerprint());
            }
            let dialog = matches!(request.method, Method::Invite | Method::Subscribe);
            if dialog && (101..300).contains(&status.code()) {
                fields.copy(asked, Name::RecordRoute);
            }
        }
        response
    }

    /// A 100 as bytes for the wire: most are made and never sent.
    pub(crate) fn trying(request: &Request) -> Vec<u8> {
        let fields = &request.fields;
        let mut out = Vec::with_capacity(fields.text.len() - fields.body().len() + 64);
        out.extend_from_slice(b"SIP/2.0 100 Trying\r\n");
        for name in ANSWERED {
            let lines = fields.lines.iter().filter(|line| line.name == Some(name));
            lines.for_each(|line| out.extend_from_slice(line.whole.of(&fields.text)));
        }
        out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        out
    }

    /// The same with another phrase. Controls in it become spaces.
    #[must_use]
    pub fn with_phrase(mut self, phrase: &[u8]) -> Self {
        let text = &mut self.fields.text;
        let start = text.len();
        text.extend(
            phrase
                .iter()
                .map(|byte| if *byte < b' ' { b' ' } else { *byte }),
        );
        self.phrase = Span::new(start, text.len());
        self
    }

    /// The phrase as it stands.
    #[must_use]
    pub fn phrase(&self) -> &[u8] {
        self.phrase.of(&self.fields.text)
    }

    /// To the end of `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"SIP/2.0 ");
        // A vector takes everything.
        let _ = write!(out, "{} ", self.status.code());
        out.extend_from_slice(self.phrase());
        out.extend_from_slice(b"\r\n");
        self.fields.encode(out);
    }

    /// As bytes for the wire.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.fields.text.len() + 64);
        self.encode_into(&mut out);
        out
    }
}

impl Request {
    /// Sixteen letters that follow from what makes a request itself. Not a secret.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hasher = DefaultHasher::new();
        let names = [Name::CallId, Name::From, Name::CSeq, Name::Via];
        for name in names {
            hasher.write(self.fields.value(name).unwrap_or_default());
            hasher.write_u8(0);
        }
        format!("{:016x}", hasher.finish())
    }
}

impl Message {
    /// As bytes for the wire.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Request(request) => request.encode(),
            Self::Response(response) => response.encode(),
        }
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

/// Messages are the same when they are the same on the wire.
impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.encode() == other.encode()
    }
}

impl Eq for Request {}

impl PartialEq for Response {
    fn eq(&self, other: &Self) -> bool {
        self.encode() == other.encode()
    }
}

impl Eq for Response {}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.encode()))
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.encode()))
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        self.encode(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}
