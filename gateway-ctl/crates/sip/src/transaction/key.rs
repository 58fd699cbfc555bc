//! Which transaction a message belongs to (RFC 3261 sections 17.1.3, 17.2.3).
//!
//! | side | RFC 3261 | without its branch (RFC 2543) |
//! |---|---|---|
//! | server | branch, sent-by, method | Request-URI, From's tag, Call-ID, CSeq, top Via, method |
//! | client | branch, CSeq's method | never: the branch is ours |
//!
//! An ACK has the key of its INVITE; a CANCEL one of its own, and asks for that of the INVITE.

use crate::message::{Fault, Fields, Method, Name, Request};

/// Parts, each with its length before it, so that no two lists look the same.
pub(super) type Key = Box<[u8]>;

fn join(parts: &[&[u8]]) -> Key {
    let mut key = Vec::with_capacity(parts.iter().map(|part| part.len() + 2).sum());
    for part in parts {
        // A message is limited to far less than 2^32 bytes.
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        key.extend_from_slice(&length.to_be_bytes());
        key.extend_from_slice(part);
    }
    key.into_boxed_slice()
}

/// The key of a received request, as if it had that method.
pub(super) fn server(request: &Request, method: &str) -> Result<Key, Fault> {
    let fields = &request.fields;
    let via = fields.top_via()?;
    let method = method.as_bytes();
    if let Some(branch) = via.unique_branch() {
        let host = via.host.to_ascii_lowercase();
        let port = via.sent_port().to_be_bytes();
        return Ok(join(&[branch.as_bytes(), host.as_bytes(), &port, method]));
    }
    let number = fields.cseq()?.number.to_be_bytes();
    let top = fields.first(Name::Via).unwrap_or_default();
    Ok(join(&[
        request.uri().as_bytes(),
        fields.from_tag().unwrap_or_default().as_bytes(),
        fields.call_id()?.as_bytes(),
        &number,
        top,
        method,
        b"RFC 2543",
    ]))
}

/// The method a request is looked up by.
pub(super) fn method_of(request: &Request) -> &str {
    match &request.method {
        Method::Ack => Method::Invite.as_str(),
        method => method.as_str(),
    }
}

/// What tells a request from another that came a second way (section 8.2.2.2); none for one
/// within a dialog.
pub(super) fn merged(request: &Request) -> Option<Key> {
    let fields = &request.fields;
    if fields.to_tag().is_some() || request.method == Method::Ack {
        return None;
    }
    let sequence = fields.cseq().ok()?;
    Some(join(&[
        fields.from_tag().unwrap_or_default().as_bytes(),
        fields.call_id().ok()?.as_bytes(),
        &sequence.number.to_be_bytes(),
        sequence.method.as_bytes(),
    ]))
}

/// The key of a request that is sent, or of a response to one.
pub(super) fn client(fields: &Fields) -> Result<Key, Fault> {
    let via = fields.top_via()?;
    let branch = via.unique_branch().ok_or(Fault::Syntax(Name::Via))?;
    let method = fields.cseq()?.method;
    Ok(join(&[branch.as_bytes(), method.as_bytes()]))
}
