//! Everything that must survive, as JSON lines: out, and in again.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::bindings;
use super::leases::served;
use super::server::Failure;
use super::types::Imported;
use crate::run::{Backup, Shared, backup_lines, import as take_in};

pub(super) async fn export(State(shared): State<Shared>) -> Result<Response, Failure> {
    let store = {
        let mut gateway = shared.lock();
        served(&mut gateway)?.store()
    };
    let bindings = shared.lock().backup_of_bindings();
    let lines = backup_lines(store, bindings);
    let kind = [(CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(lines)).into_response())
}

#[derive(Debug, Deserialize)]
pub(super) struct ImportQuery {
    #[serde(default)]
    replace: bool,
}

pub(super) async fn import(
    State(shared): State<Shared>,
    query: Result<Query<ImportQuery>, QueryRejection>,
    body: Bytes,
) -> Result<Json<Imported>, Failure> {
    let Query(query) = query
        .map_err(|error| Failure::bad_request(error.body_text(), "give replace=true or nothing"))?;
    served(&mut shared.lock())?;
    let backup = Backup::read(&body).map_err(|error| {
        Failure::bad_request(
            error,
            "give what `gateway-ctl export` has written; nothing was changed",
        )
    })?;
    let mut backup = backup;
    let bindings = bindings::read_all(std::mem::take(&mut backup.bindings))?;
    let mut done = take_in(&shared, backup, query.replace)
        .await
        .map_err(Failure::conflict)?;
    done.bindings = bindings::add_missing(&shared, bindings)?;
    Ok(Json(done))
}
