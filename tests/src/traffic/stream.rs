//! A UDP stream at a constant rate that accounts for every packet: what a call's media is, and
//! what shows whether a restart costs one.

use std::collections::BTreeSet;
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use super::socket::{udp, wait_readable};
use crate::netns::Namespace;
use crate::wait::{Deadline, eventually, now, pause};

/// Bytes of the sequence number at the start of each payload, network byte order.
const SEQUENCE: usize = 8;
/// How long the receiver waits for a packet before it looks whether it should end.
const STOP_INTERVAL: Duration = Duration::from_millis(20);

/// A stream to be sent.
#[derive(Clone, Copy, Debug)]
pub struct StreamSpec<'a> {
    /// Where the sender runs.
    pub sender: &'a Namespace,
    /// The sender's own address and port.
    pub local: SocketAddrV4,
    /// Where it sends to; another than `listen` when the address is translated on the way.
    pub remote: SocketAddrV4,
    /// Where the receiver runs.
    pub receiver: &'a Namespace,
    /// The receiver's own address and port.
    pub listen: SocketAddrV4,
    /// Packets per second; at least 1.
    pub rate: u32,
    /// Payload of each packet in bytes; at least 8.
    pub payload: usize,
}

/// What became of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamReport {
    /// Packets sent.
    pub sent: u64,
    /// Different packets received.
    pub received: u64,
    /// Packets sent and never received.
    pub lost: u64,
    /// Packets received after one that was sent later.
    pub reordered: u64,
    /// Packets received again.
    pub duplicates: u64,
    /// Sequence number of the first lost packet; packet n was sent n / rate seconds after the start.
    pub first_lost: Option<u64>,
    /// The longest time between two packets received.
    pub longest_gap: Duration,
    /// Senders as the receiver saw them.
    pub sources: BTreeSet<SocketAddr>,
    /// The last error of the sending socket, if any; its packet counts as sent.
    pub send_error: Option<String>,
}

/// A stream that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Stream {
    stop_sending: Arc<AtomicBool>,
    stop_receiving: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
    sender: Option<JoinHandle<Option<String>>>,
    receiver: Option<JoinHandle<Arrivals>>,
}

impl Stream {
    /// Starts to send.
    ///
    /// # Errors
    /// When an address cannot be bound or the payload is too small for its number.
    pub fn start(spec: &StreamSpec<'_>) -> Result<Self> {
        let StreamSpec {
            remote,
            rate,
            payload,
            ..
        } = *spec;
        ensure!(rate > 0, "a stream needs a rate of at least 1 packet/s");
        ensure!(
            payload >= SEQUENCE,
            "a stream's payload needs {SEQUENCE} bytes, got {payload}"
        );
        let listener = udp(spec.receiver, spec.listen)?;
        let speaker = udp(spec.sender, spec.local)?;
        let stop_sending = Arc::new(AtomicBool::new(false));
        let stop_receiving = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let received = Arc::new(AtomicU64::new(0));
        let receiver = std::thread::spawn({
            let (stop, received) = (Arc::clone(&stop_receiving), Arc::clone(&received));
            move || listen(&listener, &stop, &received)
        });
        let sender = std::thread::spawn({
            let (stop, sent) = (Arc::clone(&stop_sending), Arc::clone(&sent));
            move || speak(&speaker, remote, rate, payload, &stop, &sent)
        });
        let (sender, receiver) = (Some(sender), Some(receiver));
        Ok(Self {
            stop_sending,
            stop_receiving,
            sent,
            received,
            sender,
            receiver,
        })
    }

    /// Packets sent so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Different packets received so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Waits until `count` more packets have been sent.
    ///
    /// # Errors
    /// When they have not been at the deadline.
    pub fn wait_sent(&self, count: u64, deadline: impl Into<Deadline>) -> Result<()> {
        let goal = self.sent() + count;
        eventually(deadline, || {
            let sent = self.sent();
            if sent >= goal {
                Ok(())
            } else {
                Err(format!("sent {sent} of {goal} packets"))
            }
        })
        .map_err(|why| anyhow!(why))
    }

    /// Stops to send, gives the packets on their way up to `settle` to arrive, and reports.
    ///
    /// # Errors
    /// When a thread of the stream panicked.
    pub fn stop(mut self, settle: Duration) -> Result<StreamReport> {
        self.stop_sending.store(true, Ordering::Relaxed);
        let sender = self
            .sender
            .take()
            .context("the stream was stopped already")?;
        let send_error = sender
            .join()
            .map_err(|_| anyhow!("the stream's sender panicked"))?;
        let sent = self.sent();
        // What is missing after this is in the report: not an error here.
        let _ = eventually(settle, || {
            if self.received() >= sent {
                Ok(())
            } else {
                Err(String::new())
            }
        });
        self.stop_receiving.store(true, Ordering::Relaxed);
        let receiver = self
            .receiver
            .take()
            .context("the stream was stopped already")?;
        let arrivals = receiver
            .join()
            .map_err(|_| anyhow!("the stream's receiver panicked"))?;
        Ok(arrivals.report(sent, send_error))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.stop_sending.store(true, Ordering::Relaxed);
        self.stop_receiving.store(true, Ordering::Relaxed);
        if let Some(sender) = self.sender.take() {
            let _ = sender.join();
        }
        if let Some(receiver) = self.receiver.take() {
            let _ = receiver.join();
        }
    }
}

fn speak(
    socket: &UdpSocket,
    remote: SocketAddrV4,
    rate: u32,
    payload: usize,
    stop: &AtomicBool,
    sent: &AtomicU64,
) -> Option<String> {
    let mut packet = vec![0x55; payload];
    let mut error = None;
    let start = now();
    for number in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // Each packet has a moment of its own, so that a late one does not delay all that follow.
        let due = Duration::from_nanos(number.saturating_mul(1_000_000_000) / u64::from(rate));
        if let Some(early) = due.checked_sub(start.elapsed()) {
            pause(early);
        }
        packet[..SEQUENCE].copy_from_slice(&number.to_be_bytes());
        if let Err(why) = socket.send_to(&packet, remote) {
            error = Some(why.to_string());
        }
        sent.store(number + 1, Ordering::Relaxed);
    }
    error
}

/// What the receiver has seen.
#[derive(Debug, Default)]
struct Arrivals {
    /// Whether packet n has arrived.
    seen: Vec<bool>,
    received: u64,
    reordered: u64,
    duplicates: u64,
    last: Option<Instant>,
    longest_gap: Duration,
    sources: BTreeSet<SocketAddr>,
}

fn listen(socket: &UdpSocket, stop: &AtomicBool, received: &AtomicU64) -> Arrivals {
    let mut arrivals = Arrivals::default();
    let mut buffer = [0; 65_536];
    while !stop.load(Ordering::Relaxed) {
        if !wait_readable(socket, STOP_INTERVAL).unwrap_or(false) {
            continue;
        }
        let Ok((length, from)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        if let Some(number) = buffer[..length].first_chunk::<SEQUENCE>() {
            arrivals.note(u64::from_be_bytes(*number), from, now());
            received.store(arrivals.received, Ordering::Relaxed);
        }
    }
    arrivals
}

impl Arrivals {
    fn note(&mut self, number: u64, from: SocketAddr, now: Instant) {
        self.sources.insert(from);
        if let Some(last) = self.last.replace(now) {
            self.longest_gap = self.longest_gap.max(now - last);
        }
        let Ok(number) = usize::try_from(number) else {
            return;
        };
        if number >= self.seen.len() {
            self.seen.resize(number + 1, false);
        } else if self.seen[number] {
            self.duplicates += 1;
            return;
        } else {
            self.reordered += 1;
        }
        self.seen[number] = true;
        self.received += 1;
    }

    fn report(self, sent: u64, send_error: Option<String>) -> StreamReport {
        let first_missing = self
            .seen
            .iter()
            .position(|&seen| !seen)
            .unwrap_or(self.seen.len());
        let first_lost = Some(first_missing as u64).filter(|&number| number < sent);
        StreamReport {
            sent,
            received: self.received,
            lost: sent.saturating_sub(self.received),
            reordered: self.reordered,
            duplicates: self.duplicates,
            first_lost,
            longest_gap: self.longest_gap,
            sources: self.sources,
            send_error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_for_every_packet() {
        let from = SocketAddr::from(([10, 0, 0, 1], 5000));
        let mut arrivals = Arrivals::default();
        let now = now();
        for number in [0, 1, 3, 2, 2, 6] {
            arrivals.note(number, from, now);
        }
        let report = arrivals.report(8, None);
        assert_eq!((report.sent, report.received, report.lost), (8, 5, 3));
        assert_eq!((report.reordered, report.duplicates), (1, 1));
        assert_eq!(report.first_lost, Some(4));
    }
}
