//! Everything that must survive, as JSON lines: out, and in again. Neither way is it in
//! memory as text: a backup is as long as its history.

use axum::Json;
use axum::body::{Body, BodyDataStream};
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use serde::Deserialize;

use super::bindings;
use super::leases::served;
use super::peer::Peer;
use super::server::Failure;
use super::types::{Imported, NewBinding};
use crate::config::Entry;
use crate::run::{Backup, ReadingBackup, Shared, backup_lines, import as take_in};

/// What to do about a file that cannot be taken in.
const NOTHING_CHANGED: &str =
    "give a file as `gateway-ctl export` has written it; nothing was changed";

pub(super) async fn export(
    ConnectInfo(peer): ConnectInfo<Peer>,
    State(shared): State<Shared>,
) -> Result<Response, Failure> {
    let store = {
        let mut gateway = shared.lock();
        served(&mut gateway)?.store()
    };
    let bindings = shared.lock().backup_of_bindings();
    let lines = backup_lines(store, bindings, peer);
    let kind = [(CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(lines)).into_response())
}

#[derive(Debug, Deserialize)]
pub(super) struct ImportQuery {
    #[serde(default)]
    replace: bool,
}

pub(super) async fn import(
    ConnectInfo(peer): ConnectInfo<Peer>,
    State(shared): State<Shared>,
    query: Result<Query<ImportQuery>, QueryRejection>,
    body: Body,
) -> Result<Json<Imported>, Failure> {
    let mut body = body.into_data_stream();
    let read = read(&shared, query, &mut body).await;
    if read.is_err() {
        // To its end: a connection that is closed before takes the answer with it.
        while let Some(Ok(_)) = body.next().await {}
    }
    let (mut backup, replace) = read?;
    let bindings = read_bindings(std::mem::take(&mut backup.bindings))?;
    let mut done = take_in(&shared, backup, replace)
        .await
        .map_err(Failure::conflict)?;
    (done.bindings, done.lost_bindings) = bindings::add_missing(&shared, bindings)?;
    tracing::info!(
        %peer,
        replace,
        leases = done.leases,
        reservations = done.reservations,
        history = done.history,
        bindings = done.bindings,
        lost_leases = done.lost,
        lost_reservations = done.lost_reservations,
        lost_bindings = done.lost_bindings.len(),
        "imported"
    );
    Ok(Json(done))
}

/// The backup, and whether it is to replace what is there.
async fn read(
    shared: &Shared,
    query: Result<Query<ImportQuery>, QueryRejection>,
    body: &mut BodyDataStream,
) -> Result<(Backup, bool), Failure> {
    let Query(query) = query
        .map_err(|error| Failure::bad_request(error.body_text(), "give replace=true or nothing"))?;
    served(&mut shared.lock())?;
    let wrong = |error: anyhow::Error| Failure::bad_request(error, NOTHING_CHANGED);
    let mut reading = ReadingBackup::default();
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|error| {
            Failure::bad_request(format!("it was broken off: {error}"), NOTHING_CHANGED)
        })?;
        reading.take(&bytes).map_err(wrong)?;
    }
    Ok((reading.finish().map_err(wrong)?, query.replace))
}

fn read_bindings(wanted: Vec<(u64, NewBinding)>) -> Result<Vec<Entry>, Failure> {
    let read = |(line, binding)| {
        bindings::read(binding).map_err(|wrong| {
            let error = format!("line {line}: {}", wrong.message);
            let fix = match wrong.fix.is_empty() {
                true => NOTHING_CHANGED.to_owned(),
                false => format!("{}; nothing was changed", wrong.fix),
            };
            Failure::bad_request(error, fix)
        })
    };
    wanted.into_iter().map(read).collect()
}
