//! Dropped packets, to whoever listens; without a listener the programs write none.

use tokio::sync::mpsc;

use gateway_common::Reason;
use gateway_common::abi::{Hook, TraceEvent};

use crate::api::types::TraceLine;

use super::clock::event_text;
use super::gateway::{Gateway, Shared};

mod describe;

/// Lines that wait for a slow listener; beyond, they are counted as missed.
const WAITING: usize = 1024;

/// Everybody who listens.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    listeners: Vec<Registered>,
    next: u64,
}

#[derive(Debug)]
struct Registered {
    number: u64,
    reason: Option<Reason>,
    rate: u32,
    missed: u64,
    lines: mpsc::Sender<TraceLine>,
}

impl Hub {
    /// Events a second and CPU that the greediest listener wants.
    fn rate(&self) -> u32 {
        self.listeners
            .iter()
            .map(|listener| listener.rate)
            .max()
            .unwrap_or(0)
    }
}

/// One who listens; when it is dropped and was the last, tracing ends.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) lines: mpsc::Receiver<TraceLine>,
    number: u64,
    shared: Shared,
}

impl Listener {
    /// Starts to listen, to all drops or those for one reason.
    pub(crate) fn start(shared: &Shared, reason: Option<Reason>, rate: u32) -> Self {
        let (sender, lines) = mpsc::channel(WAITING);
        let mut gateway = shared.lock();
        let number = gateway.hub.next;
        gateway.hub.next += 1;
        gateway.hub.listeners.push(Registered {
            number,
            reason,
            rate,
            missed: 0,
            lines: sender,
        });
        gateway.set_trace_rate();
        Self {
            lines,
            number,
            shared: shared.clone(),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut gateway = self.shared.lock();
        gateway
            .hub
            .listeners
            .retain(|listener| listener.number != self.number);
        gateway.set_trace_rate();
    }
}

impl Gateway {
    /// Tells the programs how many events are wanted.
    pub(super) fn set_trace_rate(&self) {
        self.dataplane.set_trace_rate(self.hub.rate());
    }

    /// Hands a traced drop to those who want it.
    pub(super) fn traced(&mut self, event: &TraceEvent) {
        let Some(reason) = Reason::from_index(event.reason) else {
            return;
        };
        let wants = |listener: &Registered| listener.reason.is_none_or(|wanted| wanted == reason);
        if !self.hub.listeners.iter().any(wants) {
            return;
        }
        let device = self.device_names.get(&event.ifindex).cloned();
        let line = line(event, reason, device);
        for listener in self
            .hub
            .listeners
            .iter_mut()
            .filter(|listener| wants(listener))
        {
            let missed = listener.missed;
            match listener.lines.try_send(TraceLine {
                missed,
                ..line.clone()
            }) {
                Ok(()) => listener.missed = 0,
                Err(_) => listener.missed += 1,
            }
        }
    }
}

fn line(event: &TraceEvent, reason: Reason, device: Option<String>) -> TraceLine {
    let captured = usize::from(event.captured).min(event.bytes.len());
    let mut line = TraceLine {
        time: event_text(event.time_ns),
        interface: device.unwrap_or_else(|| format!("ifindex {}", event.ifindex)),
        hook: hook(event.hook).to_owned(),
        reason: reason.label().to_owned(),
        length: event.frame_length,
        vlans: Vec::new(),
        protocol: None,
        source: None,
        source_port: None,
        destination: None,
        destination_port: None,
        detail: None,
        missed: 0,
    };
    describe::headers(
        &event.bytes[..captured],
        usize::from(event.ip_offset),
        &mut line,
    );
    line
}

fn hook(number: u8) -> &'static str {
    let found = Hook::ALL.iter().find(|hook| **hook as u8 == number);
    found.map_or("unknown", |hook| hook.label())
}
