//! Drops as they happen: a line of JSON for each, until the client goes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use gateway_common::{Outcome, Reason};
use hyper::body::Frame;
use serde::Deserialize;

use super::server::Failure;
use crate::config::closest;
use crate::run::{Listener, Shared};

/// Events for each second and CPU when nothing else is asked for.
const RATE: u32 = 100;
/// More would cost the router more than the look is worth.
const MOST: u32 = 100_000;

#[derive(Debug, Deserialize)]
pub(super) struct TraceQuery {
    reason: Option<String>,
    rate: Option<u32>,
}

pub(super) async fn trace(
    State(shared): State<Shared>,
    query: Result<Query<TraceQuery>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(query) = query.map_err(|error| {
        Failure::bad_request(error.body_text(), "give reason=WORD and rate=NUMBER")
    })?;
    let reason = query.reason.as_deref().map(reason).transpose()?;
    let rate = query.rate.unwrap_or(RATE).clamp(1, MOST);
    let lines = Lines(Listener::start(&shared, reason, rate));
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::new(lines)).into_response())
}

fn reason(word: &str) -> Result<Reason, Failure> {
    let drops = || {
        Reason::ALL
            .iter()
            .filter(|reason| reason.outcome() == Outcome::Dropped)
    };
    if let Some(reason) = drops().find(|reason| reason.label() == word) {
        return Ok(*reason);
    }
    let fix = match closest(word, drops().map(|reason| reason.label())) {
        Some(meant) => format!("did you mean {meant}?"),
        None => {
            let all: Vec<&str> = drops().map(|reason| reason.label()).collect();
            format!("reasons of drops: {}", all.join(", "))
        }
    };
    Err(Failure::bad_request(
        format!("{word} is no reason of a drop"),
        fix,
    ))
}

/// A body that ends when the client does.
struct Lines(Listener);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.lines.poll_recv(context).map(|line| {
            let mut text = serde_json::to_vec(&line?).ok()?;
            text.push(b'\n');
            Some(Ok(Frame::data(text.into())))
        })
    }
}
