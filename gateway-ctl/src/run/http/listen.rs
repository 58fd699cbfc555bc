//! Sockets; how many connections, and for how long.
//!
//! A connection ends when a request's head takes too long, when the phone takes nothing of
//! what is sent to it, when it stops in the middle of what it writes, or when its life is
//! over: nobody can hold the places of others for long.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::AsRawFd as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, listen, setsockopt, socket,
    sockopt,
};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::answer::Service;
use super::counters::Counters;
use crate::provision::Files;

/// What a connection may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections at a time.
    pub(super) connections: usize,
    /// Of one address.
    pub(super) for_each: usize,
    /// For the head of a request, and between two of them.
    pub(super) head: Duration,
    /// For bytes that were sent to be acknowledged (RFC 5482).
    pub(super) unread: Duration,
    /// For a connection as a whole: an image of 100 MB at 30 kB/s.
    pub(super) life: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            for_each: 8,
            head: Duration::from_secs(15),
            unread: Duration::from_secs(30),
            life: Duration::from_secs(3600),
        }
    }
}

/// Room for a request's head, and for what is read ahead, in bytes.
const BUFFER: usize = 64 << 10;
/// How long the next piece of what a phone writes may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait when the process has no descriptor left for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Listens until it is dropped. Connections that are there end by themselves.
#[derive(Debug)]
pub(crate) struct Handle(Vec<JoinHandle<()>>);

impl Drop for Handle {
    fn drop(&mut self) {
        for listener in &self.0 {
            listener.abort();
        }
    }
}

/// Serves files at an address, and of a device alone if one is named.
///
/// # Errors
/// When it cannot be had, with what to do about it.
pub(crate) fn start(
    address: SocketAddr,
    interface: Option<&str>,
    files: Arc<dyn Files>,
    counters: Arc<Counters>,
) -> Result<Handle> {
    let socket = bind(address, interface).with_context(|| {
        format!(
            "cannot serve files over HTTP at {address}: stop what listens there, or set \
             provision.http to another port, or \"off\""
        )
    })?;
    let service = Service {
        files,
        counters,
        patience: PATIENCE,
    };
    serve(vec![socket], service, Limits::default())
}

/// A host answers for its addresses on every device: without the device's name, files would
/// be served outside too.
fn bind(address: SocketAddr, interface: Option<&str>) -> std::io::Result<TcpListener> {
    let socket = socket(
        AddressFamily::Inet,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC,
        None,
    )?;
    if let Some(interface) = interface {
        setsockopt(&socket, sockopt::BindToDevice, &interface.into())?;
    }
    setsockopt(&socket, sockopt::ReuseAddr, &true)?;
    nix::sys::socket::bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    listen(&socket, Backlog::MAXCONN)?;
    Ok(TcpListener::from(socket))
}

pub(super) fn serve(sockets: Vec<TcpListener>, service: Service, limits: Limits) -> Result<Handle> {
    let places = Places::default();
    let mut tasks = Handle(Vec::with_capacity(sockets.len()));
    for socket in sockets {
        socket.set_nonblocking(true).context("HTTP for phones")?;
        let socket = tokio::net::TcpListener::from_std(socket).context("HTTP for phones")?;
        let (service, places) = (service.clone(), places.clone());
        tasks.0.push(tokio::spawn(async move {
            loop {
                match socket.accept().await {
                    Ok((stream, from)) => accepted(stream, from, &service, &places, limits),
                    Err(error) => {
                        tracing::debug!(%error, "a connection could not be accepted");
                        sleep(PAUSE).await;
                    }
                }
            }
        }));
    }
    Ok(tasks)
}

fn accepted(
    stream: TcpStream,
    from: SocketAddr,
    service: &Service,
    places: &Places,
    limits: Limits,
) {
    // Phones have IPv4 addresses; a socket for both protocols writes them as IPv6.
    let IpAddr::V4(from) = from.ip().to_canonical() else {
        service.counters.refused_connection();
        return;
    };
    let Some(place) = places.take(from, limits) else {
        service.counters.refused_connection();
        tracing::debug!(%from, "too many connections");
        return;
    };
    let service = service.clone();
    tokio::spawn(async move {
        let _place = place;
        let life = timeout(limits.life, connection(stream, from, service, limits));
        if life.await.is_err() {
            tracing::debug!(%from, "a connection took too long");
        }
    });
}

async fn connection(stream: TcpStream, from: Ipv4Addr, service: Service, limits: Limits) {
    let unread = u32::try_from(limits.unread.as_millis()).unwrap_or(u32::MAX);
    if let Err(error) = setsockopt(&stream, sockopt::TcpUserTimeout, &unread) {
        tracing::debug!(%error, "a connection without time-out for what is not read");
    }
    let answer = service_fn(move |request| {
        let answer = service.clone().answer(from, request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = served.await {
        tracing::debug!(%from, %error, "a connection ended early");
    }
}

/// Who has how many connections.
#[derive(Clone, Debug, Default)]
struct Places(Arc<Mutex<BTreeMap<Ipv4Addr, usize>>>);

/// One connection's place, free again when it is dropped.
#[derive(Debug)]
struct Place {
    places: Places,
    from: Ipv4Addr,
}

impl Places {
    fn take(&self, from: Ipv4Addr, limits: Limits) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let own = taken.get(&from).copied().unwrap_or(0);
        if all >= limits.connections || own >= limits.for_each {
            return None;
        }
        taken.insert(from, own + 1);
        let places = self.clone();
        Some(Place { places, from })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.from) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.from);
            }
        }
    }
}
