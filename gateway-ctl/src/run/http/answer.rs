//! A request to an answer.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName,
    HeaderValue, IF_RANGE, RANGE, RETRY_AFTER,
};
use hyper::{Method, Request, Response, StatusCode};

use super::counters::{Counters, Outcome};
use super::range::{Wanted, wanted};
use super::upload::{Failed, blocking, store};
use super::{download, path};
use crate::provision::{Content, Files, Refused};

/// What every request is answered with.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) files: Arc<dyn Files>,
    pub(super) counters: Arc<Counters>,
    /// How long the next piece of what a phone writes may take.
    pub(super) patience: Duration,
}

impl Service {
    /// Answers a request of the phone at `from`.
    pub(super) async fn answer(self, from: Ipv4Addr, request: Request<Incoming>) -> Response<Body> {
        let (outcome, response) = match *request.method() {
            Method::GET | Method::HEAD => self.read(from, &request).await,
            Method::PUT => self.write(from, request).await,
            _ => {
                let mut response = short(StatusCode::METHOD_NOT_ALLOWED);
                insert(&mut response, ALLOW, "GET, HEAD, PUT");
                (Outcome::BadRequest, response)
            }
        };
        self.counters.ended(outcome);
        response
    }

    async fn read(&self, from: Ipv4Addr, request: &Request<Incoming>) -> (Outcome, Response<Body>) {
        let Some(name) = path::name(request.uri().path()) else {
            return (Outcome::BadRequest, short(StatusCode::BAD_REQUEST));
        };
        let kind = content_type(&name);
        let files = Arc::clone(&self.files);
        match blocking(move || files.open(from, &name)).await {
            Ok(content) => self.send(request, content, kind),
            Err(failed) => not_done(failed),
        }
    }

    /// A file, or the part of it that is asked for.
    fn send(
        &self,
        request: &Request<Incoming>,
        content: Content,
        kind: &'static str,
    ) -> (Outcome, Response<Body>) {
        let length = content.length;
        let part = match wanted(range(request.headers()), length) {
            Wanted::Nothing => {
                let mut response = short(StatusCode::RANGE_NOT_SATISFIABLE);
                insert(&mut response, CONTENT_RANGE, format!("bytes */{length}"));
                return (Outcome::BadRequest, response);
            }
            Wanted::Whole => 0..length,
            Wanted::Part(part) => part,
        };
        let bytes = part.end - part.start;
        let mut response = Response::new(Body::empty());
        if bytes < length {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            insert(&mut response, CONTENT_RANGE, range);
        }
        insert(&mut response, CONTENT_LENGTH, bytes.to_string());
        insert(&mut response, CONTENT_TYPE, kind);
        insert(&mut response, ACCEPT_RANGES, "bytes");
        if request.method() == Method::GET {
            *response.body_mut() = download::body(content, part, &self.counters);
        }
        (Outcome::Sent, response)
    }

    async fn write(&self, from: Ipv4Addr, request: Request<Incoming>) -> (Outcome, Response<Body>) {
        let Some(name) = path::name(request.uri().path()) else {
            return (Outcome::BadRequest, short(StatusCode::BAD_REQUEST));
        };
        // A part of a file cannot be stored (RFC 9110 section 14.4).
        if request.headers().contains_key(CONTENT_RANGE) {
            return (Outcome::BadRequest, short(StatusCode::BAD_REQUEST));
        }
        let size = request.headers().get(CONTENT_LENGTH);
        let size = size.and_then(|size| size.to_str().ok()?.parse().ok());
        let files = Arc::clone(&self.files);
        let stored = match blocking(move || files.create(from, &name, size)).await {
            Ok(upload) => store(upload, request.into_body(), self.patience, &self.counters).await,
            Err(failed) => Err(failed),
        };
        match stored {
            Ok(()) => (Outcome::Stored, short(StatusCode::CREATED)),
            Err(failed) => not_done(failed),
        }
    }
}

/// The Range field, unless it is for another version of the file: files have no validators,
/// so it always is (RFC 9110 section 13.1.5).
fn range(headers: &HeaderMap) -> Option<&str> {
    let range = headers
        .get(RANGE)
        .filter(|_| !headers.contains_key(IF_RANGE))?;
    range.to_str().ok()
}

/// The phone is told the kind of trouble; why is in the log.
fn not_done(failed: Failed) -> (Outcome, Response<Body>) {
    let (outcome, status) = match failed {
        Failed::Refused(Refused::NotFound) => (Outcome::NotFound, StatusCode::NOT_FOUND),
        Failed::Refused(Refused::Anothers(_)) => (Outcome::Anothers, StatusCode::NOT_FOUND),
        Failed::Refused(Refused::Denied(_)) => (Outcome::Denied, StatusCode::FORBIDDEN),
        Failed::Refused(Refused::QuotaExceeded(_)) => {
            (Outcome::QuotaExceeded, StatusCode::INSUFFICIENT_STORAGE)
        }
        Failed::Refused(Refused::Busy(_)) => (Outcome::Busy, StatusCode::SERVICE_UNAVAILABLE),
        Failed::Refused(Refused::Template(_)) => {
            (Outcome::Template, StatusCode::INTERNAL_SERVER_ERROR)
        }
        Failed::Refused(Refused::Io(error)) => {
            tracing::warn!(%error, "a file could not be served over HTTP");
            (Outcome::IoError, StatusCode::INTERNAL_SERVER_ERROR)
        }
        Failed::GivenUp => (Outcome::GivenUp, StatusCode::REQUEST_TIMEOUT),
    };
    let mut response = short(status);
    if outcome == Outcome::Busy {
        insert(&mut response, RETRY_AFTER, "10");
    }
    (outcome, response)
}

/// An answer that says no more than its status.
fn short(status: StatusCode) -> Response<Body> {
    let text = format!("{}\n", status.canonical_reason().unwrap_or_default());
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    insert(&mut response, CONTENT_TYPE, "text/plain");
    response
}

fn insert(response: &mut Response<Body>, name: HeaderName, value: impl TryInto<HeaderValue>) {
    // Only texts of ours get here: they can all be said.
    if let Ok(value) = value.try_into() {
        response.headers_mut().insert(name, value);
    }
}

/// What phones want to hear of a file with such an ending.
fn content_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "xml" => "text/xml",
        "htm" | "html" => "text/html",
        "json" => "application/json",
        "cfg" | "conf" | "ini" | "txt" => "text/plain",
        _ => "application/octet-stream",
    }
}
