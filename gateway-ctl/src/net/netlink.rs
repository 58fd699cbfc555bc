//! A connection to the kernel lives for one question: driven by whoever asks, no task of its own.

use std::io;
use std::time::Duration;

/// The kernel answers at once; this is for the day it does not.
const PATIENCE: Duration = Duration::from_secs(2);

/// Drives `connection` until the question asked through it is answered.
///
/// # Errors
/// Those of the answer, and when there is none.
pub(super) async fn answered<T>(
    connection: impl Future<Output = ()>,
    answer: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    tokio::select! {
        // The connection first: once it has ended, an answer cut short looks like a whole one.
        biased;
        () = connection => Err(closed()),
        answer = answer => answer,
        () = tokio::time::sleep(PATIENCE) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// The connection has ended by itself.
pub(super) fn closed() -> io::Error {
    io::Error::other("the netlink socket has closed")
}
