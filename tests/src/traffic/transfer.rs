//! Megabytes over TCP in both directions, compared by SHA-256.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use super::socket::{bound, connect_from, wait_readable};
use crate::netns::Namespace;
use crate::wait::{Deadline, now};

const CHUNK: usize = 64 * 1024;
const UPLOAD_SEED: u64 = 0x0123_4567_89AB_CDEF;
const DOWNLOAD_SEED: u64 = 0xFEDC_BA98_7654_3210;

/// A transfer to be made: the client sends `bytes`, then the server sends as many back.
#[derive(Clone, Copy, Debug)]
pub struct Transfer<'a> {
    /// Where the client runs.
    pub client: &'a Namespace,
    /// The client's own address and port.
    pub local: SocketAddrV4,
    /// Where it connects to; another than `listen` when the address is translated on the way.
    pub remote: SocketAddrV4,
    /// Where the server runs.
    pub server: &'a Namespace,
    /// The server's own address and port.
    pub listen: SocketAddrV4,
    /// How much is sent each way.
    pub bytes: usize,
}

/// A transfer that arrived unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferReport {
    /// The client's address as the server saw it.
    pub client_seen_as: SocketAddr,
    /// From the connection's start to the last byte.
    pub elapsed: Duration,
}

impl Transfer<'_> {
    /// Makes the transfer.
    ///
    /// # Errors
    /// When it is not complete at the deadline, or what arrived is not what was sent.
    pub fn run(&self, deadline: impl Into<Deadline>) -> Result<TransferReport> {
        let deadline = deadline.into();
        let listener = bound(self.server, || TcpListener::bind(self.listen))
            .with_context(|| format!("[{}] listen on {}", self.server.name(), self.listen))?;
        std::thread::scope(|scope| {
            let server = scope.spawn(|| serve(&listener, self.bytes, deadline));
            let start = now();
            let client = self.call(deadline).context("client");
            let server = server
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // The client's error first: it is nearer to the cause.
            client?;
            let client_seen_as = server.context("server")?;
            Ok(TransferReport {
                client_seen_as,
                elapsed: start.elapsed(),
            })
        })
    }

    fn call(&self, deadline: Deadline) -> Result<()> {
        let left = deadline.remaining().context("no time left to connect")?;
        let stream = connect_from(self.client, self.local, self.remote, left)?;
        send(&stream, UPLOAD_SEED, self.bytes, deadline).context("upload")?;
        receive(&stream, DOWNLOAD_SEED, self.bytes, deadline).context("download")
    }
}

fn serve(listener: &TcpListener, bytes: usize, deadline: Deadline) -> Result<SocketAddr> {
    let left = deadline.remaining().unwrap_or_default();
    ensure!(
        wait_readable(listener, left)?,
        "no connection before the deadline"
    );
    let (stream, from) = listener.accept()?;
    receive(&stream, UPLOAD_SEED, bytes, deadline).context("upload")?;
    send(&stream, DOWNLOAD_SEED, bytes, deadline).context("download")?;
    Ok(from)
}

fn send(mut stream: &TcpStream, seed: u64, bytes: usize, deadline: Deadline) -> Result<()> {
    let mut source = Pattern(seed);
    let mut chunk = [0; CHUNK];
    let mut left = bytes;
    while left > 0 {
        let now = left.min(CHUNK);
        source.fill(&mut chunk[..now]);
        stream.set_write_timeout(deadline.remaining())?;
        ensure!(
            deadline.remaining().is_some(),
            "{left} of {bytes} bytes unsent at the deadline"
        );
        stream
            .write_all(&chunk[..now])
            .with_context(|| format!("{left} bytes left to send"))?;
        left -= now;
    }
    Ok(stream.shutdown(Shutdown::Write)?)
}

fn receive(mut stream: &TcpStream, seed: u64, bytes: usize, deadline: Deadline) -> Result<()> {
    let mut hash = Sha256::new();
    let mut chunk = [0; CHUNK];
    let mut received = 0;
    loop {
        ensure!(
            deadline.remaining().is_some(),
            "{received} of {bytes} bytes at the deadline"
        );
        stream.set_read_timeout(deadline.remaining())?;
        let length = stream
            .read(&mut chunk)
            .with_context(|| format!("after {received} of {bytes} bytes"))?;
        if length == 0 {
            break;
        }
        hash.update(&chunk[..length]);
        received += length;
    }
    ensure!(received == bytes, "got {received} bytes, expected {bytes}");
    if hash.finalize() != digest_of(seed, bytes) {
        bail!("{bytes} bytes arrived, but their SHA-256 is not that of what was sent");
    }
    Ok(())
}

fn digest_of(seed: u64, bytes: usize) -> sha2::digest::Output<Sha256> {
    let mut source = Pattern(seed);
    let mut hash = Sha256::new();
    let mut chunk = [0; CHUNK];
    let mut left = bytes;
    while left > 0 {
        let now = left.min(CHUNK);
        source.fill(&mut chunk[..now]);
        hash.update(&chunk[..now]);
        left -= now;
    }
    hash.finalize()
}

/// Bytes without a visible period (xorshift), so that a segment in the wrong place shows.
struct Pattern(u64);

impl Pattern {
    fn fill(&mut self, buffer: &mut [u8]) {
        for word in buffer.chunks_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            word.copy_from_slice(&self.0.to_le_bytes()[..word.len()]);
        }
    }
}
