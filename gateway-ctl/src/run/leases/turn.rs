//! What the server wants done, in its order.

use dhcp::{Change, CommitId, Destination, Output, ProbeHow};
use std::net::{Ipv4Addr, SocketAddrV4};
use store::Store as _;

use super::super::gateway::Gateway;
use super::bind::Unbound;
use super::receive::MOST_OUTSTANDING;
use super::records;
use super::service::Leases;
use super::sockets::{CLIENT_PORT, SERVER_PORT};

impl Gateway {
    /// Does what the server wants done.
    pub(crate) fn lease_turn(&mut self) {
        let mut unbound = Unbound::default();
        while let Some(output) = self.leases.as_mut().and_then(Leases::next_output) {
            match output {
                Output::Bind(lease) => {
                    // Its address may have been another's a moment ago.
                    self.unbind(&mut unbound);
                    self.bind(&lease);
                }
                Output::Unbind(lease) => unbound.add(&lease),
                other => {
                    if let Some(leases) = &mut self.leases
                        && let Err(error) = leases.fulfil(other)
                    {
                        self.fail(error);
                    }
                }
            }
        }
        self.unbind(&mut unbound);
        if let Some(leases) = &self.leases
            && leases
                .server
                .poll_timeout()
                .is_some_and(|due| due < leases.alarm)
        {
            leases.timer.notify_one();
        }
    }
}

impl Leases {
    /// What is to be done next; nothing while too many commits wait for the disk.
    fn next_output(&mut self) -> Option<Output> {
        match self.outstanding < MOST_OUTSTANDING {
            true => self.server.next_output(),
            false => None,
        }
    }

    /// Sends, probes, commits.
    fn fulfil(&mut self, output: Output) -> anyhow::Result<()> {
        match output {
            Output::Reply {
                interface,
                from,
                to,
                payload,
            } => self.reply(interface, from, to, &payload),
            Output::Probe {
                interface,
                address,
                how,
            } => {
                let asked = match (how, self.port(interface)) {
                    (ProbeHow::Icmp, _) => self.icmp.probe(address),
                    (ProbeHow::Arp, Some(port)) => port.probe(address),
                    (ProbeHow::Arp, None) => Ok(()),
                };
                if let Err(error) = asked {
                    tracing::debug!(%address, %error, "cannot probe");
                }
            }
            Output::Commit { id, changes } => self.commit(id, &changes)?,
            Output::Bind(_) | Output::Unbind(_) => {}
        }
        Ok(())
    }

    fn reply(&self, interface: usize, from: Ipv4Addr, to: Destination, payload: &[u8]) {
        let Some(port) = self.port(interface) else {
            return;
        };
        let sent = match to {
            Destination::Relay(relay) => {
                port.send(from, SocketAddrV4::new(relay, SERVER_PORT), payload)
            }
            Destination::Unicast(client) => {
                port.send(from, SocketAddrV4::new(client, CLIENT_PORT), payload)
            }
            Destination::Hardware { mac, ip } => port.send_to_hardware(from, mac.0, ip, payload),
            Destination::Broadcast => port.broadcast(from, payload),
        };
        if let Err(error) = sent {
            // The client asks again.
            tracing::debug!(interface = port.name, ?to, %error, "cannot send");
        }
    }

    fn commit(&mut self, id: CommitId, changes: &[Change]) -> anyhow::Result<()> {
        let batch = records::batch(changes, self.clock.now())?;
        self.outstanding += 1;
        let committed = self.committed.clone();
        let answer = move |result| {
            // Nobody listens: the service has ended.
            let _ = committed.send((id, result));
        };
        self.store.submit(batch, Box::new(answer));
        Ok(())
    }
}
