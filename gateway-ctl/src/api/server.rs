//! The socket, the routes, and errors as `{error, fix}`.

use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use nix::sys::stat::{Mode, umask};
use tokio::net::UnixListener;

use super::peer::Peer;
use super::types::ApiError;
use super::{backup, bindings, calls, leases, phones, reading, trace, who};
use crate::run::Shared;

/// A million bindings in one request. A backup is read as it comes, and has no limit.
const MOST_BYTES: usize = 256 << 20;

/// Makes the socket, for its owner only. Whoever else had it is gone: the state
/// directory is locked. Called while the process has one thread: the umask is its own.
///
/// # Errors
/// When the path cannot be made a socket, or something else is there.
pub(crate) fn bind(path: &Path) -> Result<UnixListener> {
    let context = || {
        format!(
            "cannot make the API's socket {}: set api.socket",
            path.display()
        )
    };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).with_context(context)?;
    }
    match std::fs::symlink_metadata(path) {
        Ok(there) if there.file_type().is_socket() => {
            std::fs::remove_file(path).with_context(context)?;
        }
        Ok(_) => bail!(
            "{} is there and is no socket: set api.socket to another path, or remove it",
            path.display()
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(context),
    }
    // Never wider than 0600, not even between making it and narrowing it.
    let former = umask(Mode::from_bits_truncate(0o177));
    let listener = UnixListener::bind(path);
    umask(former);
    listener.with_context(context)
}

/// Answers requests for as long as the daemon runs.
pub(crate) fn serve(listener: UnixListener, shared: Shared) {
    let router = Router::new()
        .route("/v1/status", get(reading::status))
        .route("/v1/counters", get(reading::counters))
        .route("/v1/memory", get(reading::memory))
        .route("/v1/reload", post(reading::reload))
        .route("/v1/bindings", get(bindings::list).post(bindings::add))
        .route("/v1/bindings/{private}", delete(bindings::remove))
        .route("/v1/leases", get(leases::list))
        .route(
            "/v1/leases/{who}",
            get(leases::show).delete(leases::release),
        )
        .route(
            "/v1/reservations",
            get(leases::reservations).post(leases::reserve),
        )
        .route("/v1/reservations/{who}", delete(leases::unreserve))
        .route("/v1/export", get(backup::export))
        .route("/v1/import", post(backup::import))
        .route("/v1/who", get(who::who))
        .route("/v1/trace", get(trace::trace))
        .route("/v1/phones", get(phones::phones))
        .route("/v1/phones/handoff", post(calls::hand_off))
        .route("/v1/calls", get(calls::live))
        .route("/v1/calls/history", get(calls::history))
        .route("/v1/calls/trace/{number}", get(calls::trace))
        .route("/v1/calls/{id}", delete(calls::end))
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .with_state(shared);
    let service = router.into_make_service_with_connect_info::<Peer>();
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, service).await {
            tracing::error!(%error, "the API ended");
        }
    });
}

/// What went wrong with a request.
#[derive(Debug)]
pub(super) struct Failure(pub(super) StatusCode, pub(super) ApiError);

impl Failure {
    pub(super) fn new(status: StatusCode, error: impl ToString, fix: impl Into<String>) -> Self {
        let error = ApiError {
            error: error.to_string(),
            fix: fix.into(),
            problems: Vec::new(),
        };
        Self(status, error)
    }

    pub(super) fn bad_request(error: impl ToString, fix: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, fix)
    }

    pub(super) fn conflict(error: impl ToString) -> Self {
        Self::new(StatusCode::CONFLICT, error, "")
    }

    pub(super) fn machine(error: impl std::fmt::Display) -> Self {
        let fix = "see `gateway-ctl status` and the daemon's log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"), fix)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

async fn unknown() -> Failure {
    Failure::new(
        StatusCode::NOT_FOUND,
        "no such path or method",
        "daemon and gateway-ctl may be of different versions: restart the daemon",
    )
}

#[cfg(test)]
mod tests {
    use super::bind;

    #[test]
    fn what_is_no_socket_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gateway.toml");
        std::fs::write(&path, "text").unwrap();
        let error = bind(&path).unwrap_err().to_string();
        assert!(error.contains("is no socket"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "text");
    }
}
