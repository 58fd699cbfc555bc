//! A file as a stream of pieces: memory for one of them, however large the file is.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use futures_util::stream;
use hyper::body::Bytes;
use tokio::task::spawn_blocking;

use super::counters::Counters;
use crate::provision::{Content, Source};

/// Bytes of a piece.
const PIECE: usize = 64 << 10;

/// The bytes of a part of a file. The next piece is read when the last one has been sent.
pub(super) fn body(content: Content, part: Range<u64>, counters: &Arc<Counters>) -> Body {
    if let Source::Memory(bytes) = &content.bytes {
        // Within it: ranges are cut to the content.
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let part = bytes
            .get(place(part.start)..place(part.end))
            .unwrap_or_default();
        counters.sent(part.len());
        return Body::from(Bytes::copy_from_slice(part));
    }
    let (content, counters) = (Arc::new(content), Arc::clone(counters));
    Body::from_stream(stream::try_unfold(part, move |part| {
        let (content, counters) = (Arc::clone(&content), Arc::clone(&counters));
        async move {
            if part.is_empty() {
                return Ok(None);
            }
            let start = part.start;
            let piece = spawn_blocking(move || piece(&content, &part)).await;
            let (piece, end) = piece.map_err(io::Error::other)??;
            counters.sent(piece.len());
            let next = start + piece.len() as u64..end;
            Ok::<_, io::Error>(Some((piece, next)))
        }
    }))
}

/// The first piece of a part, and where the part ends.
fn piece(content: &Content, part: &Range<u64>) -> io::Result<(Bytes, u64)> {
    let left = part.end - part.start;
    let mut piece = vec![0; usize::try_from(left).map_or(PIECE, |left| left.min(PIECE))];
    let read = content.read_at(&mut piece, part.start)?;
    if read < piece.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((piece.into(), part.end))
}
