//! H.248 over TCP (RFC 3525 annex D.2): messages in TPKT packets, each connection an other end of
//! its own.

use std::net::{SocketAddr, SocketAddrV4};
use std::time::Duration;

use megaco::tpkt;
use switch::registration::{Peer, Transport};
use tokio::net::{TcpListener, TcpStream};

use super::super::gateway::Shared;
use super::connections::{self, Heard, accept, carry};

/// Connections at once, of all and of one address.
const MOST: usize = 4096;
const MOST_OF_ONE: usize = 16;
/// A connection on which nothing was said for so long ends: phones have heartbeats.
const IDLE: Duration = Duration::from_secs(600);

/// Who is connected.
pub(super) type Connections = connections::Connections<Peer, Vec<u8>>;

pub(super) fn nobody() -> Connections {
    Connections::new(MOST, MOST_OF_ONE)
}

/// Sends a message. Nobody is there, or does not read: it is lost, and sent again.
pub(super) fn send(connections: &Connections, to: Peer, message: &[u8]) {
    if let Some(packet) = tpkt::packet(message) {
        let _ = connections.send(to, packet);
    }
}

/// Takes connections for as long as the service runs; they end with it.
pub(super) async fn serve(shared: Shared, listener: TcpListener) {
    accept(listener, |stream| connection(shared.clone(), stream)).await;
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

async fn connection(shared: Shared, stream: TcpStream) {
    let Some(peer) = peer_of(&stream) else {
        return;
    };
    let place = shared.lock().telephony.as_mut().and_then(|telephony| {
        let host = (*peer.address.ip()).into();
        telephony.tcp.enter(peer, host)
    });
    let Some(mut line) = place else {
        tracing::debug!(from = %peer.address, "too many connections");
        return;
    };
    let mut arrived = tpkt::Stream::default();
    let hear = |bytes: &[u8]| {
        arrived.push(bytes);
        while let Some(message) = arrived.next_message()? {
            shared.lock().telephony_turn(|telephony, now| {
                telephony.hear(now, peer, &message);
            });
        }
        Ok::<_, tpkt::BadPacket>(Heard {
            reply: Vec::new(),
            patience: IDLE,
        })
    };
    carry(stream, &mut line, IDLE, hear).await;
    if let Some(telephony) = &mut shared.lock().telephony {
        telephony.tcp.leave(line);
    }
}
