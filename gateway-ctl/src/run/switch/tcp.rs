//! H.248 over TCP (RFC 3525 annex D.2): messages in TPKT packets, each connection an other end of
//! its own.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use anyhow::{Context as _, Result};
use megaco::tpkt;
use switch::registration::{Peer, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::super::gateway::Shared;

/// Connections at once, of all and of one address.
const MOST: usize = 4096;
const MOST_OF_ONE: usize = 16;
/// Messages that wait for a connection that does not read.
const WAITING: usize = 64;
/// A connection on which nothing was said for so long ends: phones have heartbeats.
const IDLE: Duration = Duration::from_secs(600);

/// Who is connected.
#[derive(Debug, Default)]
pub(super) struct Connections(BTreeMap<Peer, mpsc::Sender<Vec<u8>>>);

impl Connections {
    /// Sends a message. Nobody is there, or does not read: it is lost, and sent again.
    pub(super) fn send(&self, to: Peer, message: &[u8]) {
        if let (Some(connection), Some(packet)) = (self.0.get(&to), tpkt::packet(message)) {
            let _ = connection.try_send(packet);
        }
    }

    /// A place for one more; `None`: there are too many.
    fn enter(&mut self, peer: Peer) -> Option<mpsc::Receiver<Vec<u8>>> {
        let host = peer.address.ip();
        let same = self.0.keys().filter(|other| other.address.ip() == host);
        if self.0.len() >= MOST || same.count() >= MOST_OF_ONE {
            return None;
        }
        let (sender, receiver) = mpsc::channel(WAITING);
        self.0.insert(peer, sender);
        Some(receiver)
    }
}

/// Listens at this port of all addresses.
///
/// # Errors
/// When somebody else does.
pub(super) fn open(port: u16) -> Result<TcpListener> {
    let listen = || -> std::io::Result<TcpListener> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    };
    listen().with_context(|| {
        format!(
            "cannot listen to H.248 at TCP port {port}: if another switch runs here, stop it (see \
             `ss -tlpn sport = :{port}`), or write another `port` in [switch]"
        )
    })
}

/// Takes connections for as long as the service runs; they end with it.
pub(super) async fn accept(shared: Shared, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    if let Some(peer) = peer_of(&stream) {
                        connections.spawn(connection(shared.clone(), stream, peer));
                    }
                }
                Err(error) => {
                    // No more descriptors, for instance: others may end.
                    tracing::debug!(%error, "cannot take a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

fn peer_of(stream: &TcpStream) -> Option<Peer> {
    let v4 = |address: SocketAddr| match address {
        SocketAddr::V4(address) => Some(address),
        SocketAddr::V6(_) => None,
    };
    let address: SocketAddrV4 = v4(stream.peer_addr().ok()?)?;
    Some(Peer {
        address,
        local: *v4(stream.local_addr().ok()?)?.ip(),
        transport: Transport::Tcp,
    })
}

async fn connection(shared: Shared, stream: TcpStream, peer: Peer) {
    let place = shared
        .lock()
        .telephony
        .as_mut()
        .and_then(|telephony| telephony.tcp.enter(peer));
    let Some(mut waiting) = place else {
        tracing::debug!(from = %peer.address, "too many connections");
        return;
    };
    let (mut read, mut write) = stream.into_split();
    let mut arrived = tpkt::Stream::default();
    let mut buffer = vec![0; 4096];
    loop {
        tokio::select! {
            message = waiting.recv() => match message {
                Some(message) if write.write_all(&message).await.is_ok() => {}
                _ => break,
            },
            length = tokio::time::timeout(IDLE, read.read(&mut buffer)) => {
                let Ok(Ok(length @ 1..)) = length else {
                    break;
                };
                arrived.push(&buffer[..length]);
                if let Err(bad) = hear(&shared, &mut arrived, peer) {
                    tracing::debug!(from = %peer.address, %bad, "no H.248 over TCP");
                    break;
                }
            }
        }
    }
    if let Some(telephony) = &mut shared.lock().telephony {
        telephony.tcp.0.remove(&peer);
    }
}

/// Takes whole messages out of what has arrived.
fn hear(shared: &Shared, arrived: &mut tpkt::Stream, peer: Peer) -> Result<(), tpkt::BadPacket> {
    while let Some(message) = arrived.next_message()? {
        shared.lock().telephony_turn(|telephony, now| {
            telephony.hear(now, peer, &message);
        });
    }
    Ok(())
}
