//! Connections that the switch begins: over TCP to whomever, over TLS to trunks alone. A phone's
//! certificate says nothing that could be checked, so that over TLS it is spoken to on the
//! connection that it has made itself (RFC 3261 section 26.3.2.1, RFC 5626).

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use sip::{Peer, Transport};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::super::super::gateway::Shared;
use super::stream::{Line, run};
use crate::config;

/// How long somebody may take to be connected to, TLS and all.
const ANSWERS: Duration = Duration::from_secs(5);

/// How phones and trunks are spoken to over TLS.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    server: Option<Arc<ServerConfig>>,
    client: Option<Arc<ClientConfig>>,
    /// Trunks, and the names in their certificates.
    trunks: BTreeMap<SocketAddr, ServerName<'static>>,
}

/// A connection that is wanted, with what waits for it.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) to: Peer,
    pub(super) line: Line,
}

impl Trust {
    pub(super) fn of(config: &config::Switch) -> Self {
        Self {
            server: config.tls.server.clone(),
            client: config.tls.client.clone(),
            trunks: config.tls_trunks.clone(),
        }
    }

    /// For who connects.
    pub(super) fn acceptor(&self) -> Option<TlsAcceptor> {
        self.server.clone().map(TlsAcceptor::from)
    }

    /// Whether a connection may be begun.
    pub(super) fn may_connect(&self, to: Peer) -> bool {
        match to.transport {
            Transport::Udp => false,
            Transport::Tcp => true,
            Transport::Tls => self.client.is_some() && self.trunks.contains_key(&to.address),
        }
    }

    fn connector(&self, to: SocketAddr) -> Option<(TlsConnector, ServerName<'static>)> {
        let name = self.trunks.get(&to)?.clone();
        Some((TlsConnector::from(self.client.clone()?), name))
    }
}

/// Connects for as long as the service runs; connections end with it.
pub(super) async fn connector(shared: Shared, mut orders: mpsc::Receiver<Order>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => {
                    connections.spawn(connection(shared.clone(), order));
                }
                None => break,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(shared: Shared, order: Order) {
    let Order { to, line } = order;
    let secret = {
        let gateway = shared.lock();
        let calls = gateway.telephony.as_ref();
        let service = calls.and_then(|calls| calls.sip.as_ref());
        service.and_then(|service| service.trust.connector(to.address))
    };
    let connecting = async {
        let stream = connect(to).await?;
        let local = stream.local_addr().ok().map(|local| local.ip());
        let secret = match (to.transport, secret) {
            (Transport::Tls, None) => return Err(io::ErrorKind::Unsupported.into()),
            (Transport::Tls, Some((connector, name))) => {
                Either::Tls(Box::new(connector.connect(name, stream).await?))
            }
            _ => Either::Tcp(stream),
        };
        Ok::<_, io::Error>((secret, local))
    };
    let connected = tokio::time::timeout(ANSWERS, connecting).await;
    match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok((Either::Tcp(stream), local)) => run(&shared, stream, line, local).await,
        Ok((Either::Tls(stream), local)) => run(&shared, stream, line, local).await,
        Err(error) => {
            tracing::debug!(to = %to.address, %error, "cannot connect");
            shared.lock().sip_disconnected(line, None, false);
        }
    }
}

enum Either {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// From the address that the other one knows us by.
async fn connect(to: Peer) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(local @ IpAddr::V4(_)) = to.local {
        socket.bind((local, 0).into())?;
    }
    socket.connect(to.connects_at()).await
}
