//! A stream of pieces as a file.

use std::time::Duration;

use axum::body::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::counters::Counters;
use crate::provision::{Refused, Upload};

/// Why a file was not stored.
#[derive(Debug)]
pub(super) enum Failed {
    Refused(Refused),
    /// The phone stopped, or what it sent makes no sense.
    GivenUp,
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Stores what a phone sends. A piece may take as long as `patience`.
pub(super) async fn store(
    upload: Box<dyn Upload>,
    mut body: Incoming,
    patience: Duration,
    counters: &Counters,
) -> Result<(), Failed> {
    let mut upload = upload;
    loop {
        let Ok(frame) = timeout(patience, body.frame()).await else {
            return Err(Failed::GivenUp);
        };
        let Some(frame) = frame else {
            break;
        };
        let frame = frame.map_err(|_| Failed::GivenUp)?;
        // Trailers are nobody's bytes.
        let Ok(bytes) = frame.into_data() else {
            continue;
        };
        counters.received(bytes.len());
        upload = blocking(move || write(upload, &bytes)).await?;
    }
    blocking(move || upload.finish()).await
}

fn write(mut upload: Box<dyn Upload>, bytes: &Bytes) -> Result<Box<dyn Upload>, Refused> {
    upload.write_all(bytes)?;
    Ok(upload)
}

/// Lets a thread wait for the disk.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Failed> {
    let done = spawn_blocking(work).await;
    Ok(done.map_err(|error| Refused::Io(std::io::Error::other(error)))??)
}
