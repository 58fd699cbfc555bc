//! The TFTP server's sockets and threads around the crate `tftp`.
//!
//! ```text
//!   port 69 --> listen.rs --one thread each, at most 512--> transfer.rs <--> socket.rs
//!                  |                                           |    a port of its own
//!             registry.rs: who is served already             files.rs, Files
//! ```
//!
//! A transfer has a thread that blocks: two system calls for a block, receive and send.
//! A task would need four, since each wait goes through epoll.
//!
//! | file | what it does |
//! |---|---|
//! | `listen.rs` | requests to answers: refused, or a transfer |
//! | `bind.rs` | the sockets at port 69, and who has them if we cannot |
//! | `registry.rs` | how many transfers there are, and whose |
//! | `transfer.rs` | one transfer from its request to its end |
//! | `socket.rs` | its socket: waits with a deadline, sends windows at once, turns strangers away |
//! | `eager.rs` | how an answer is waited for: watching, as long as that pays |
//! | `sliding.rs` | the part of a file that is under way |
//! | `counters.rs` | what is counted |

mod bind;
pub(crate) mod counters;
mod eager;
mod listen;
mod registry;
mod sliding;
mod socket;
#[cfg(test)]
mod tests;
mod transfer;

use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};

use crate::provision::Files;

pub(crate) use counters::Counters;

/// Where requests are heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListenSpec {
    /// One of this machine's addresses, or 0.0.0.0 for all.
    pub(crate) address: Ipv4Addr,
    /// 69 (RFC 1350), but in tests. 0 takes any.
    pub(crate) port: u16,
    /// Only what comes in there; answers leave there too.
    pub(crate) interface: Option<String>,
}

/// The server; when it is dropped no more requests are taken, and transfers that run go on
/// to their end.
#[derive(Debug)]
pub(crate) struct Handle {
    /// Its end wakes the listener.
    alive: Option<OwnedFd>,
    listener: Option<JoinHandle<()>>,
    #[cfg(test)]
    ports: Vec<u16>,
}

/// Starts to serve.
///
/// # Errors
/// When a socket cannot be had: what to do about it.
pub(crate) fn start(
    listen: Vec<ListenSpec>,
    files: Arc<dyn Files>,
    counters: Arc<Counters>,
) -> Result<Handle> {
    let sockets: Vec<_> = listen.iter().map(bind::bind).collect::<Result<_>>()?;
    #[cfg(test)]
    let ports = {
        let ports = sockets.iter().map(bind::Socket::port);
        ports.collect::<std::io::Result<_>>().context("tftp")?
    };
    let (wake, alive) = nix::unistd::pipe().context("tftp: cannot make a pipe")?;
    let listener = listen::Listener::new(sockets, files, counters);
    let thread = std::thread::Builder::new().name("tftp".to_owned());
    let thread = thread.spawn(move || listener.run(&wake));
    Ok(Handle {
        alive: Some(alive),
        listener: Some(thread.context("tftp: cannot start a thread")?),
        #[cfg(test)]
        ports,
    })
}

impl Handle {
    #[cfg(test)]
    /// The ports that were taken, in the order in which they were asked for.
    pub(crate) fn ports(&self) -> &[u16] {
        &self.ports
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        drop(self.alive.take());
        // Once it has ended its ports are free for the next.
        if let Some(listener) = self.listener.take()
            && listener.join().is_err()
        {
            tracing::error!("the TFTP listener had panicked");
        }
    }
}
