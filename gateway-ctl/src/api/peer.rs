//! Who is at the other end of the socket, for the log.

use std::fmt;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::UnixListener;
use tokio::net::unix::UCred;

/// A process that asks, as the kernel knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(Option<UCred>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(peer) = self.0 else {
            return f.write_str("unknown");
        };
        write!(f, "uid {}", peer.uid())?;
        match peer.pid() {
            Some(pid) => write!(f, ", pid {pid}"),
            None => Ok(()),
        }
    }
}
