//! A client that reads a file as fast as it is sent, the same for all servers.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

/// How long it waits before it says again what it said.
const WAIT: Duration = Duration::from_secs(1);
/// How often it does.
const TRIES: u32 = 20;

/// What is read from where, and what it should be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) server: Ipv4Addr,
    pub(super) name: &'a str,
    pub(super) block_size: u16,
    pub(super) window: Option<u16>,
    pub(super) bytes: &'a [u8],
}

impl Wanted<'_> {
    fn request(&self) -> Vec<u8> {
        let mut text = format!("\0\x01{}\0octet\0blksize\0{}\0", self.name, self.block_size);
        if let Some(window) = self.window {
            text += &format!("windowsize\0{window}\0");
        }
        text.into_bytes()
    }
}

#[derive(Debug)]
pub(super) struct Client {
    socket: UdpSocket,
}

impl Client {
    /// Of the calling thread's namespace.
    pub(super) fn new(address: Ipv4Addr) -> Result<Self> {
        let socket = UdpSocket::bind((address, 0)).context("the client's socket")?;
        socket.set_read_timeout(Some(WAIT))?;
        Ok(Self { socket })
    }

    /// Reads the file and checks each byte of it.
    pub(super) fn read(self, wanted: Wanted<'_>) -> Result<()> {
        let mut buffer = [0; 2048];
        let length = self.ask(&wanted, &mut buffer)?;
        let window = agreed(&buffer[..length], &wanted)?;
        let size = usize::from(wanted.block_size);
        let (mut taken, mut unacked, mut silences) = (0_u64, 0_u64, 0);
        let mut left = wanted.bytes;
        self.ack(taken)?;
        loop {
            let length = match self.socket.recv(&mut buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    silences += 1;
                    ensure!(silences <= TRIES, "nothing came after block {taken}");
                    unacked = 0;
                    self.ack(taken)?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let block = data(&buffer[..length])?;
            // An OACK that is sent again asks for what was said last.
            let Some(block) = block else {
                self.ack(taken)?;
                continue;
            };
            if block != low(taken + 1) {
                if unacked > 0 {
                    unacked = 0;
                    self.ack(taken)?;
                }
                continue;
            }
            let bytes = &buffer[4..length];
            let (expected, rest) = left.split_at(left.len().min(size));
            ensure!(
                bytes == expected,
                "block {} is not what is in the file",
                taken + 1
            );
            (left, taken, unacked, silences) = (rest, taken + 1, unacked + 1, 0);
            let last = bytes.len() < size;
            if last || unacked == window {
                unacked = 0;
                self.ack(taken)?;
            }
            if last {
                return Ok(());
            }
        }
    }

    /// Asks until it is answered, and talks to whoever answered from then on.
    fn ask(&self, wanted: &Wanted<'_>, buffer: &mut [u8]) -> Result<usize> {
        let server = SocketAddr::from((wanted.server, 69));
        for _ in 0..TRIES {
            self.socket.send_to(&wanted.request(), server)?;
            if let Ok((length, from)) = self.socket.recv_from(buffer) {
                self.socket.connect(from)?;
                return Ok(length);
            }
        }
        bail!("no answer from {server}")
    }

    fn ack(&self, block: u64) -> Result<()> {
        let [high, low] = low(block).to_be_bytes();
        self.socket.send(&[0, 4, high, low])?;
        Ok(())
    }
}

/// A block's number on the wire.
fn low(block: u64) -> u16 {
    (block & 0xffff) as u16
}

/// A DATA's number; none of an OACK.
fn data(datagram: &[u8]) -> Result<Option<u16>> {
    match datagram {
        [0, 3, high, low, ..] => Ok(Some(u16::from_be_bytes([*high, *low]))),
        [0, 6, ..] => Ok(None),
        other => bail!("expected DATA, got {}", String::from_utf8_lossy(other)),
    }
}

/// The window of an OACK: 1 where the server knows none.
fn agreed(datagram: &[u8], wanted: &Wanted<'_>) -> Result<u64> {
    let text = String::from_utf8_lossy(datagram);
    let fields: Vec<&str> = text
        .strip_prefix("\0\x06")
        .unwrap_or("")
        .split('\0')
        .collect();
    let value = |name: &str| {
        let mut pairs = fields.chunks_exact(2);
        pairs
            .find(|pair| pair[0].eq_ignore_ascii_case(name))
            .map(|pair| pair[1])
    };
    let block_size = wanted.block_size.to_string();
    ensure!(
        value("blksize") == Some(&block_size),
        "expected an OACK, got {text:?}"
    );
    Ok(value("windowsize").map_or(Ok(1), str::parse)?)
}
