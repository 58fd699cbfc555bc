//! Whatever wakes the server: requests, answers to probes, time, commits. Each ends in a
//! turn, in which the server's wishes are fulfilled.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use dhcp::Received;
use tokio::sync::{Notify, mpsc};

use super::super::gateway::Shared;
use super::service::{Committed, Leases};
use super::sockets::{Icmp, Port};

/// Requests that are handled before other tasks have their turn.
const AT_ONCE: usize = 64;
/// Commits that may wait for the disk before more are begun, and before requests are left
/// unread: clients ask again, and nothing grows. The store takes as many of the largest.
pub(super) const MOST_OUTSTANDING: usize = 1500;
/// How often the timer looks when nothing is due: the time of day may jump.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Requests that come in on an interface.
pub(super) async fn requests(shared: Shared, port: Arc<Port>) {
    let mut buffer = Port::buffer();
    while port.udp.readable().await.is_ok() {
        for _ in 0..AT_ONCE {
            let datagram = match port.receive(&mut buffer) {
                Ok(datagram) => datagram,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => {
                    tracing::debug!(interface = port.name, %error, "cannot receive");
                    break;
                }
            };
            let mut gateway = shared.lock();
            let Some(leases) = &mut gateway.leases else {
                return;
            };
            if leases.outstanding >= MOST_OUTSTANDING {
                leases.left_unread += 1;
                continue;
            }
            let received = Received {
                interface: port.number(),
                source: datagram.source,
                destination: datagram.destination,
                payload: &buffer[..datagram.length],
            };
            let now = leases.clock.now();
            if let Some(reason) = leases.server.handle(now, received) {
                let client = hardware(received.payload);
                let (interface, reason) = (&port.name, reason.label());
                tracing::debug!(interface, client, reason, "not answered");
            }
            gateway.lease_turn();
        }
        tokio::task::yield_now().await;
    }
}

/// Whose message it is, whatever it is worth: `chaddr` (RFC 2131 section 2).
fn hardware(message: &[u8]) -> String {
    let octets = message.get(28..34).unwrap_or_default();
    let octets: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    octets.join(":")
}

/// ARP on an interface: somebody has an address that is probed.
pub(super) async fn arp(shared: Shared, port: Arc<Port>) {
    while let Ok(mut ready) = port.arp.readable().await {
        for _ in 0..AT_ONCE {
            match port.arp_sender() {
                Ok(Some(address)) => in_use(&shared, address),
                Ok(None) => {}
                // Nothing more, or the device is down: it may come up again.
                Err(_) => {
                    ready.clear_ready();
                    break;
                }
            }
        }
        drop(ready);
        tokio::task::yield_now().await;
    }
}

/// Echo replies.
pub(super) async fn echoes(shared: Shared, icmp: Arc<Icmp>) {
    while let Ok(address) = icmp.answered().await {
        in_use(&shared, address);
    }
}

fn in_use(shared: &Shared, address: std::net::Ipv4Addr) {
    let mut gateway = shared.lock();
    if let Some(leases) = &mut gateway.leases {
        let now = leases.clock.now();
        leases.server.in_use(now, address);
        gateway.lease_turn();
    }
}

/// Time passes: probes are over, leases end.
pub(super) async fn time(shared: Shared, timer: Arc<Notify>) {
    loop {
        let Some(wait) = shared.lock().leases.as_mut().map(Leases::set_alarm) else {
            // The service is being made.
            timer.notified().await;
            continue;
        };
        tokio::select! {
            () = tokio::time::sleep(wait.min(LOOK_AGAIN)) => {}
            () = timer.notified() => continue,
        }
        let mut gateway = shared.lock();
        if let Some(leases) = &mut gateway.leases {
            let now = leases.clock.now();
            leases.server.handle_timeout(now);
            gateway.lease_turn();
        }
    }
}

impl Leases {
    /// How long the timer may sleep.
    fn set_alarm(&mut self) -> Duration {
        self.alarm = self.server.poll_timeout().unwrap_or(u64::MAX);
        Duration::from_millis(self.alarm.saturating_sub(self.clock.now()))
    }
}

/// What the store says: it is on disk. An error is the end of the daemon: what it has told
/// phones since would not be true.
pub(super) async fn commits(shared: Shared, mut answers: mpsc::UnboundedReceiver<Committed>) {
    let mut some = Vec::new();
    while answers.recv_many(&mut some, 1024).await > 0 {
        let mut gateway = shared.lock();
        for (id, result) in some.drain(..) {
            if let Err(error) = result {
                gateway.fail(anyhow::Error::new(error).context("cannot keep leases"));
                return;
            }
            let Some(leases) = &mut gateway.leases else {
                return;
            };
            leases.outstanding -= 1;
            let now = leases.clock.now();
            leases.server.committed(now, id);
            if let Some(waiting) = leases.waiting.remove(&id) {
                // Who asked may have gone.
                let _ = waiting.send(());
            }
        }
        gateway.lease_turn();
    }
}
