//! SIP over TCP and TLS (RFC 3261 section 18): each connection an other end of its own, messages
//! with their length in them, and between them CRLF CRLF, to which CRLF is the answer (RFC 5626
//! section 4.4.1).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sip::message::Limits;
use sip::transaction::ClientId;
use sip::{Fault, Frame, Peer, Stream, Transport};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

use super::super::super::gateway::{Gateway, Shared};
use super::super::connections::{self, Connections, Heard, accept, carry};

/// Connections at once, of all and of one address: a gateway's phones share one.
const MOST: usize = 4096;
const MOST_OF_ONE: usize = 1024;
/// For who has said nothing yet, or half a message; and for a handshake of TLS.
pub(super) const FIRST: Duration = Duration::from_secs(30);
/// The answer to a ping.
const PONG: &[u8] = b"\r\n";

/// The way and the other end: whoever knows both finds the connection.
pub(super) type Key = (Transport, SocketAddr);
pub(super) type Streams = Connections<Key, Waiting>;
pub(super) type Line = connections::Line<Key, Waiting>;

/// A message that is to be sent.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) bytes: Arc<[u8]>,
    /// The request that it is.
    pub(super) client: Option<ClientId>,
}

impl AsRef<[u8]> for Waiting {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

pub(super) fn nobody() -> Streams {
    Streams::new(MOST, MOST_OF_ONE)
}

/// Takes connections for as long as the service runs; they end with it.
pub(super) async fn serve(shared: Shared, listener: TcpListener, transport: Transport) {
    accept(listener, |stream| {
        accepted(shared.clone(), stream, transport)
    })
    .await;
}

async fn accepted(shared: Shared, stream: TcpStream, transport: Transport) {
    let Ok(address) = stream.peer_addr() else {
        return;
    };
    let Some((line, acceptor)) = shared.lock().sip_connected((transport, address)) else {
        tracing::debug!(from = %address, "too many connections");
        return;
    };
    let local = stream.local_addr().ok().map(|local| local.ip());
    match (transport, acceptor) {
        (Transport::Tls, Some(acceptor)) => {
            let secret = tokio::time::timeout(FIRST, acceptor.accept(stream)).await;
            match secret {
                Ok(Ok(stream)) => run(&shared, stream, line, local).await,
                Ok(Err(error)) => {
                    tracing::debug!(from = %address, %error, "no TLS");
                    shared.lock().sip_disconnected(line, None, false);
                }
                Err(_) => shared.lock().sip_disconnected(line, None, false),
            }
        }
        (Transport::Tls, None) => shared.lock().sip_disconnected(line, None, false),
        _ => run(&shared, stream, line, local).await,
    }
}

/// A connection from its first byte to its end.
pub(super) async fn run(
    shared: &Shared,
    stream: impl AsyncRead + AsyncWrite,
    mut line: Line,
    local: Option<std::net::IpAddr>,
) {
    let (transport, address) = line.key;
    let from = Peer {
        transport,
        address,
        local,
        listens: None,
    };
    let mut frames = Stream::new(Limits::default());
    let mut broken = false;
    let hear = |bytes: &[u8]| {
        frames.push(bytes);
        let reply = messages(shared, &mut frames, from).inspect_err(|_| broken = true)?;
        let patience = match frames.pending() {
            0 => shared.lock().sip_patience(),
            _ => FIRST,
        };
        Ok::<_, Fault>(Heard { reply, patience })
    };
    let unsent = carry(stream, &mut line, FIRST, hear).await;
    shared.lock().sip_disconnected(line, unsent, broken);
}

/// Takes whole messages out of what has arrived; gives the answers to pings.
fn messages(shared: &Shared, frames: &mut Stream, from: Peer) -> Result<Vec<u8>, Fault> {
    let mut pongs = Vec::new();
    while let Some(frame) = frames.next()? {
        match frame {
            Frame::Message(message) => shared.lock().sip_heard(from, message),
            Frame::Ping => pongs.extend_from_slice(PONG),
            Frame::Pong => {}
        }
    }
    Ok(pongs)
}

impl Gateway {
    /// Somebody has connected: a place, and how TLS is spoken; `None`: there are too many.
    fn sip_connected(&mut self, key: Key) -> Option<(Line, Option<tokio_rustls::TlsAcceptor>)> {
        let service = self.telephony.as_mut()?.sip.as_mut()?;
        let line = service.streams.enter(key, key.1.ip());
        if line.is_none() {
            service.counters.refused += 1;
        }
        Some((line?, service.trust.acceptor()))
    }

    /// A connection is over; requests that waited for it have failed.
    pub(super) fn sip_disconnected(&mut self, line: Line, unsent: Option<Waiting>, broken: bool) {
        self.telephony_turn(|telephony, now| {
            let Some(service) = &mut telephony.sip else {
                return;
            };
            let rest = service.streams.leave(line);
            let lost: Vec<Waiting> = unsent.into_iter().chain(rest).collect();
            service.counters.broken += u64::from(broken);
            service.counters.unsent += lost.len() as u64;
            for client in lost.iter().filter_map(|waiting| waiting.client) {
                telephony.switch.sip_unreachable(now, client);
            }
        });
    }

    /// How long a connection may be silent.
    fn sip_patience(&self) -> Duration {
        let service = self.telephony.as_ref().and_then(|calls| calls.sip.as_ref());
        service.map_or(FIRST, |service| service.patience)
    }
}
