//! What listens, and how it follows a reload; the way of a message out.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Result;
use sip::message::is_keep_alive;
use sip::transaction::ClientId;
use sip::{Peer, Transport};
use switch::Time;
use tokio::sync::mpsc::{self, error::TrySendError};

use super::super::super::gateway::{Gateway, Shared};
use super::super::super::leases::{Task, task};
use super::super::connections;
use super::super::rate::Rates;
use super::super::service::Telephony;
use super::super::socket::{Ends, Socket, Spoken};
use super::connect::{self, Order, Trust};
use super::counters::Counters;
use super::stream::{self, Streams, Waiting};
use crate::config;

const SPOKEN: Spoken = Spoken {
    what: "SIP",
    key: "`port` in [sip]",
};
const SPOKEN_SECRETLY: Spoken = Spoken {
    what: "SIP over TLS",
    key: "`tls_port` in [sip]",
};
/// Connections that are being made, at once.
const ORDERS: usize = 256;

/// SIP, as long as it is spoken.
#[derive(Debug)]
pub(in crate::run::switch) struct Service {
    plain: Plain,
    secret: Option<Secret>,
    pub(super) streams: Streams,
    /// Takes what is to be connected to.
    connect: mpsc::Sender<Order>,
    /// How phones and trunks are spoken to over TLS.
    pub(super) trust: Trust,
    rates: Rates,
    pub(super) counters: Counters,
    /// How long a connection of a phone may be silent.
    pub(super) patience: std::time::Duration,
    _connector: Task,
}

/// UDP and TCP.
#[derive(Debug)]
struct Plain {
    port: u16,
    socket: Arc<Socket>,
    _tasks: [Task; 2],
}

/// TLS.
#[derive(Debug)]
struct Secret {
    port: u16,
    _task: Task,
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
enum Unsent {
    #[error("SIP is not spoken here")]
    Silent,
    #[error("there is no connection, and none can be made to there")]
    NoConnection,
    #[error("too many connections, or too much that waits for this one")]
    TooMuch,
    #[error("only IPv4 is spoken here")]
    NotIpv4,
    #[error(transparent)]
    Machine(#[from] std::io::Error),
}

impl Service {
    fn start(config: &config::Switch, port: u16, shared: &Shared) -> Result<Self> {
        let (connect, orders) = mpsc::channel(ORDERS);
        Ok(Self {
            plain: Plain::open(port, shared)?,
            secret: None,
            streams: stream::nobody(),
            connect,
            trust: Trust::default(),
            rates: Rates::new(config.messages_per_address),
            counters: Counters::default(),
            patience: stream::FIRST,
            _connector: task(connect::connector(shared.clone(), orders)),
        })
    }

    /// As configured from now on. What stays the same is not touched.
    fn follow(&mut self, config: &config::Switch, shared: &Shared) -> Result<()> {
        let Some(sip) = &config.settings.sip else {
            return Ok(());
        };
        self.rates.set(config.messages_per_address);
        // Phones over a stream are there for as long as their registrations.
        self.patience = sip.longest + stream::FIRST;
        // Connections that there are keep the certificate they were begun with.
        self.trust = Trust::of(config);
        if self.plain.port != sip.port {
            self.plain = Plain::open(sip.port, shared)?;
        }
        if self.secret.as_ref().map(|secret| secret.port) != sip.tls_port {
            self.secret = None;
            self.secret = sip
                .tls_port
                .map(|port| Secret::open(port, shared))
                .transpose()?;
        }
        Ok(())
    }

    /// Sends a message, or has a connection made that it waits for.
    fn send(&mut self, to: Peer, waiting: Waiting) -> Result<(), Unsent> {
        let SocketAddr::V4(address) = to.address else {
            return Err(Unsent::NotIpv4);
        };
        if to.transport == Transport::Udp {
            let local = match to.local {
                Some(IpAddr::V4(local)) => local,
                _ => Ipv4Addr::UNSPECIFIED,
            };
            let sent = self
                .plain
                .socket
                .send(Ends { address, local }, &waiting.bytes);
            return match sent {
                // The line is full: what is lost there is sent again.
                Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error.into()),
                _ => Ok(()),
            };
        }
        let key = (to.transport, to.address);
        let waiting = match self.streams.send(key, waiting) {
            Ok(()) => return Ok(()),
            Err(TrySendError::Full(_)) => return Err(Unsent::TooMuch),
            Err(TrySendError::Closed(waiting)) => waiting,
        };
        if !self.trust.may_connect(to) {
            return Err(Unsent::NoConnection);
        }
        let line = self.streams.enter(key, to.address.ip());
        let line = line.ok_or(Unsent::TooMuch)?;
        let first = self.streams.send(key, waiting);
        let order = Order { to, line };
        match (first, self.connect.try_send(order)) {
            (Ok(()), Ok(())) => Ok(()),
            (_, Err(TrySendError::Full(order) | TrySendError::Closed(order))) => {
                self.streams.leave(order.line);
                Err(Unsent::TooMuch)
            }
            (Err(_), Ok(())) => Err(Unsent::TooMuch),
        }
    }
}

impl Plain {
    fn open(port: u16, shared: &Shared) -> Result<Self> {
        let socket = Arc::new(Socket::open(port, SPOKEN)?);
        let listener = connections::open(port, SPOKEN)?;
        let tasks = [
            task(datagrams(shared.clone(), socket.clone())),
            task(stream::serve(shared.clone(), listener, Transport::Tcp)),
        ];
        tracing::info!(port, "SIP is spoken");
        Ok(Self {
            port,
            socket,
            _tasks: tasks,
        })
    }
}

impl Secret {
    fn open(port: u16, shared: &Shared) -> Result<Self> {
        let listener = connections::open(port, SPOKEN_SECRETLY)?;
        tracing::info!(port, "SIP is spoken over TLS");
        let serve = stream::serve(shared.clone(), listener, Transport::Tls);
        Ok(Self {
            port,
            _task: task(serve),
        })
    }
}

/// Messages that come in over UDP.
async fn datagrams(shared: Shared, socket: Arc<Socket>) {
    let hear = |ends: Ends, bytes: &[u8]| {
        if !is_keep_alive(bytes) {
            let from = Peer::udp(ends.address.into()).with_local(Some(ends.local.into()));
            shared.lock().sip_heard(from, bytes.to_vec());
        }
    };
    socket.receive(hear).await;
}

impl Gateway {
    /// Speaks SIP from now on, as configured.
    ///
    /// # Errors
    /// When a port is taken: what to do is in the error. What could be done is.
    pub(in crate::run::switch) fn serve_sip(
        &mut self,
        config: &config::Switch,
        shared: &Shared,
    ) -> Result<()> {
        let Some(telephony) = &mut self.telephony else {
            return Ok(());
        };
        let Some(wanted) = &config.settings.sip else {
            telephony.sip = None;
            return Ok(());
        };
        let service = match &mut telephony.sip {
            Some(service) => service,
            none => none.insert(Service::start(config, wanted.port, shared)?),
        };
        service.follow(config, shared)
    }

    /// A message of SIP came in.
    pub(super) fn sip_heard(&mut self, from: Peer, message: Vec<u8>) {
        self.telephony_turn_here(|telephony, now, here| {
            let Some(service) = &mut telephony.sip else {
                return;
            };
            service.counters.count_received(from.transport);
            let may = match from.address.ip() {
                IpAddr::V4(address) => service.rates.may_speak(now, address),
                IpAddr::V6(_) => false,
            };
            if may {
                telephony.switch.sip_message(now, here, from, message);
            }
        });
    }
}

impl Telephony {
    /// What the switch wants said by SIP.
    pub(in crate::run::switch) fn send_sip(
        &mut self,
        now: Time,
        to: Peer,
        bytes: Arc<[u8]>,
        client: Option<ClientId>,
    ) {
        let waiting = Waiting { bytes, client };
        let sent = match &mut self.sip {
            Some(service) => service.send(to, waiting),
            None => Err(Unsent::Silent),
        };
        let counters = self.sip.as_mut().map(|service| &mut service.counters);
        match (sent, counters) {
            (Ok(()), Some(counters)) => counters.count_sent(to.transport),
            (Ok(()), None) => {}
            (Err(error), counters) => {
                tracing::debug!(to = %to.address, %error, "cannot send");
                if let Some(counters) = counters {
                    counters.unsent += 1;
                }
                if let Some(client) = client {
                    self.switch.sip_unreachable(now, client);
                }
            }
        }
    }

    /// What went in and out by SIP; `None`: it is not spoken.
    pub(crate) fn sip_traffic(&self) -> Option<&Counters> {
        self.sip.as_ref().map(|service| &service.counters)
    }

    /// Messages of SIP that were not read, since their address speaks too fast.
    pub(crate) fn sip_too_fast(&self) -> u64 {
        self.sip
            .as_ref()
            .map_or(0, |service| service.rates.refused())
    }

    /// Connections of SIP.
    pub(crate) fn sip_connections(&self) -> usize {
        self.sip.as_ref().map_or(0, |service| service.streams.len())
    }
}
