//! A client as the RFCs want it.

use std::time::Duration;

use crate::pair::{START, Transfer};

/// How long it waits before it says again what it said.
const WAIT: Duration = Duration::from_millis(700);

/// A request as a client writes it.
pub(crate) fn request(opcode: u8, transfer: &Transfer) -> Vec<u8> {
    let mut bytes = vec![0, opcode];
    let mut field = |text: &str| bytes.extend([text.as_bytes(), &[0]].concat());
    field("file.bin");
    field("octet");
    let mut option = |name: &str, value: Option<usize>| {
        if let Some(value) = value {
            field(name);
            field(&value.to_string());
        }
    };
    option("blksize", transfer.block_size.map(usize::from));
    option("windowsize", transfer.window.map(usize::from));
    option("timeout", transfer.timeout.map(usize::from));
    option("tsize", transfer.tell_size.then_some(transfer.bytes.len()));
    bytes
}

/// Sizes agreed on, read from an OACK.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) block: usize,
    pub(crate) window: u64,
}

impl Sizes {
    const BARE: Self = Self {
        block: 512,
        window: 1,
    };

    fn from_oack(bytes: &[u8]) -> Self {
        let texts: Vec<_> = bytes[2..]
            .split(|byte| *byte == 0)
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .collect();
        let mut sizes = Self::BARE;
        for pair in texts.chunks_exact(2) {
            let number = || pair[1].parse().expect("a number");
            match pair[0].as_str() {
                "blksize" => sizes.block = number(),
                "windowsize" => sizes.window = number() as u64,
                _ => {}
            }
        }
        sizes
    }
}

fn number(datagram: &[u8]) -> u16 {
    u16::from_be_bytes([datagram[2], datagram[3]])
}

/// What a client does next: datagrams, and until when it waits.
pub(crate) trait Client {
    fn handle(&mut self, now: Duration, datagram: &[u8]) -> Vec<Vec<u8>>;
    fn timeout(&mut self, now: Duration) -> Vec<Vec<u8>>;
    fn deadline(&self) -> Option<Duration>;
    fn received(self: Box<Self>) -> Vec<u8>;
}

/// Reads a file: acknowledges each window, each gap, and what it has when nothing comes.
#[derive(Debug)]
pub(crate) struct Reader {
    request: Vec<u8>,
    sizes: Sizes,
    started: bool,
    bytes: Vec<u8>,
    taken: u64,
    unacked: u64,
    told: bool,
    done: bool,
    since: Duration,
}

impl Reader {
    pub(crate) fn new(transfer: &Transfer) -> Self {
        Self {
            request: request(1, transfer),
            sizes: Sizes::BARE,
            started: false,
            bytes: Vec::new(),
            taken: 0,
            unacked: 0,
            told: false,
            done: false,
            since: START,
        }
    }

    fn ack(&mut self) -> Vec<Vec<u8>> {
        self.unacked = 0;
        let [high, low] = (self.taken as u16).to_be_bytes();
        vec![vec![0, 4, high, low]]
    }

    fn data(&mut self, block: u16, bytes: &[u8]) -> Vec<Vec<u8>> {
        let next = (self.taken + 1) as u16;
        if block != next || self.done {
            let last_again = block == self.taken as u16 && self.unacked == 0;
            let gap = (1..self.sizes.window as u16).contains(&block.wrapping_sub(next));
            let tell = last_again || (gap && !self.told);
            self.told |= gap;
            return if tell { self.ack() } else { Vec::new() };
        }
        self.told = false;
        self.taken += 1;
        self.unacked += 1;
        self.bytes.extend_from_slice(bytes);
        self.done = bytes.len() < self.sizes.block;
        if self.done || self.unacked == self.sizes.window {
            self.ack()
        } else {
            Vec::new()
        }
    }
}

impl Client for Reader {
    fn handle(&mut self, now: Duration, datagram: &[u8]) -> Vec<Vec<u8>> {
        self.since = now;
        match datagram[1] {
            6 if self.taken == 0 => {
                self.started = true;
                self.sizes = Sizes::from_oack(datagram);
                self.ack()
            }
            3 => {
                self.started = true;
                self.data(number(datagram), &datagram[4..])
            }
            6 => Vec::new(),
            other => panic!("the server sent opcode {other}: {datagram:?}"),
        }
    }

    fn timeout(&mut self, now: Duration) -> Vec<Vec<u8>> {
        self.since = now;
        self.told = false;
        match self.started {
            false => vec![self.request.clone()],
            true => self.ack(),
        }
    }

    fn deadline(&self) -> Option<Duration> {
        // Once it has all it only answers (RFC 1350 section 6).
        (!self.done).then_some(self.since + WAIT)
    }

    fn received(self: Box<Self>) -> Vec<u8> {
        self.bytes
    }
}

/// Writes a file: sends a window, and goes on where the ACK says.
#[derive(Debug)]
pub(crate) struct Writer {
    request: Vec<u8>,
    bytes: Vec<u8>,
    sizes: Sizes,
    /// `None` until the request is answered.
    acked: Option<u64>,
    sent: u64,
    done: bool,
    since: Duration,
}

impl Writer {
    pub(crate) fn new(transfer: &Transfer) -> Self {
        Self {
            request: request(2, transfer),
            bytes: transfer.bytes.clone(),
            sizes: Sizes::BARE,
            acked: None,
            sent: 0,
            done: false,
            since: START,
        }
    }

    fn last(&self) -> u64 {
        (self.bytes.len() / self.sizes.block) as u64 + 1
    }

    fn window(&mut self) -> Vec<Vec<u8>> {
        let Some(acked) = self.acked else {
            return vec![self.request.clone()];
        };
        let until = (acked + self.sizes.window).min(self.last());
        self.sent = self.sent.max(until);
        let datagram = |block: u64| {
            let start = (block - 1) as usize * self.sizes.block;
            let end = (start + self.sizes.block).min(self.bytes.len());
            let [high, low] = (block as u16).to_be_bytes();
            [&[0, 3, high, low], &self.bytes[start..end]].concat()
        };
        (acked + 1..=until).map(datagram).collect()
    }
}

impl Client for Writer {
    fn handle(&mut self, now: Duration, datagram: &[u8]) -> Vec<Vec<u8>> {
        let acked = match (datagram[1], self.acked) {
            (6, None) => {
                self.sizes = Sizes::from_oack(datagram);
                0
            }
            (6, Some(_)) => return Vec::new(),
            (4, None) => 0,
            (4, Some(acked)) => {
                let ahead = u64::from(number(datagram).wrapping_sub(acked as u16));
                if ahead == 0 || ahead > self.sent - acked {
                    return Vec::new();
                }
                acked + ahead
            }
            (other, _) => panic!("the server sent opcode {other}: {datagram:?}"),
        };
        self.since = now;
        self.acked = Some(acked);
        self.done = acked == self.last();
        if self.done { Vec::new() } else { self.window() }
    }

    fn timeout(&mut self, now: Duration) -> Vec<Vec<u8>> {
        self.since = now;
        self.window()
    }

    fn deadline(&self) -> Option<Duration> {
        (!self.done).then_some(self.since + WAIT)
    }

    fn received(self: Box<Self>) -> Vec<u8> {
        Vec::new()
    }
}
