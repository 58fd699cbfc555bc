//! UDP request and reply.

use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::socket::{udp, wait_readable};
use crate::netns::Namespace;
use crate::wait::Deadline;

const LARGEST_DATAGRAM: usize = 65_536;
/// How long the server waits for a datagram before it looks whether it should end.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// A server that sends every datagram back to where it came from and remembers the senders.
#[derive(Debug)]
pub struct UdpEcho {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<SocketAddr>>>,
    thread: Option<JoinHandle<()>>,
}

impl UdpEcho {
    /// Serves `address` in `ns` until dropped. On a host with several addresses bind one of
    /// them, or the replies may come from another.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn start(ns: &Namespace, address: SocketAddrV4) -> Result<Self> {
        let socket = udp(ns, address)?;
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let thread = std::thread::spawn({
            let (stop, seen) = (Arc::clone(&stop), Arc::clone(&seen));
            move || serve(&socket, &stop, &seen)
        });
        Ok(Self {
            stop,
            seen,
            thread: Some(thread),
        })
    }

    /// The senders of all datagrams so far, as the server saw them, in order of arrival.
    #[must_use]
    pub fn seen(&self) -> Vec<SocketAddr> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn serve(socket: &UdpSocket, stop: &AtomicBool, seen: &Mutex<Vec<SocketAddr>>) {
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    while !stop.load(Ordering::Relaxed) {
        if !wait_readable(socket, STOP_INTERVAL).unwrap_or(false) {
            continue;
        }
        // An error here is an ICMP error to an earlier reply: no reason to end.
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            seen.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(from);
            let _ = socket.send_to(&buffer[..length], from);
        }
    }
}

impl Drop for UdpEcho {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Sends one datagram from `local` in `ns` and waits for one in return: once, without a second
/// try, since no packet may be lost. Returns its payload and its sender.
///
/// # Errors
/// When `local` cannot be bound or nothing comes before the deadline.
pub fn exchange(
    ns: &Namespace,
    local: SocketAddrV4,
    remote: SocketAddrV4,
    payload: &[u8],
    deadline: impl Into<Deadline>,
) -> Result<(Vec<u8>, SocketAddr)> {
    let socket = udp(ns, local)?;
    socket
        .send_to(payload, remote)
        .with_context(|| format!("[{}] send from {local} to {remote}", ns.name()))?;
    let left = deadline.into().remaining().unwrap_or_default();
    if !wait_readable(&socket, left)? {
        bail!(
            "[{}] no answer to {local} from {remote} within {left:?}",
            ns.name()
        );
    }
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    let (length, from) = socket.recv_from(&mut buffer)?;
    buffer.truncate(length);
    Ok((buffer, from))
}
