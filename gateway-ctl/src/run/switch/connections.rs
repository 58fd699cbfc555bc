//! Connections of TCP, whatever is spoken on them: how many there may be, what waits for each, and
//! the loop that carries bytes both ways.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::JoinSet;

use super::socket::Spoken;

/// Messages that wait for a connection that does not read.
const WAITING: usize = 64;
/// Who takes nothing for so long is gone.
const TAKES: Duration = Duration::from_secs(10);

/// Who is connected, and what waits to be sent there.
#[derive(Debug)]
pub(super) struct Connections<Key, Message> {
    open: BTreeMap<Key, Open<Message>>,
    /// At once, of all and of one address.
    most: usize,
    most_of_one: usize,
    next: u64,
}

#[derive(Debug)]
struct Open<Message> {
    number: u64,
    host: IpAddr,
    sender: mpsc::Sender<Message>,
}

/// One of them, for whoever carries it.
#[derive(Debug)]
pub(super) struct Line<Key, Message> {
    pub(super) key: Key,
    number: u64,
    waiting: mpsc::Receiver<Message>,
}

impl<Key: Copy + Ord, Message> Connections<Key, Message> {
    pub(super) fn new(most: usize, most_of_one: usize) -> Self {
        Self {
            open: BTreeMap::new(),
            most,
            most_of_one,
            next: 0,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Gives a message to a connection.
    ///
    /// # Errors
    /// With the message: nobody is there (`Closed`), or does not read (`Full`).
    pub(super) fn send(&self, to: Key, message: Message) -> Result<(), TrySendError<Message>> {
        match self.open.get(&to) {
            Some(open) => open.sender.try_send(message),
            None => Err(TrySendError::Closed(message)),
        }
    }

    /// A place for one more, instead of a former one with the same key; `None`: there are too many.
    pub(super) fn enter(&mut self, key: Key, host: IpAddr) -> Option<Line<Key, Message>> {
        let same = self.open.values().filter(|open| open.host == host);
        if self.open.len() >= self.most || same.count() >= self.most_of_one {
            return None;
        }
        let (sender, waiting) = mpsc::channel(WAITING);
        self.next += 1;
        let number = self.next;
        let open = Open {
            number,
            host,
            sender,
        };
        self.open.insert(key, open);
        Some(Line {
            key,
            number,
            waiting,
        })
    }

    /// It has ended. What has waited comes back.
    pub(super) fn leave(&mut self, mut line: Line<Key, Message>) -> Vec<Message> {
        let own = |open: &Open<Message>| open.number == line.number;
        if self.open.get(&line.key).is_some_and(own) {
            self.open.remove(&line.key);
        }
        line.waiting.close();
        std::iter::from_fn(|| line.waiting.try_recv().ok()).collect()
    }
}

/// Listens at this port of all addresses.
///
/// # Errors
/// When somebody else does.
pub(super) fn open(port: u16, spoken: Spoken) -> Result<TcpListener> {
    let listen = || -> io::Result<TcpListener> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    };
    let Spoken { what, key } = spoken;
    listen().with_context(|| {
        format!(
            "cannot listen to {what} at TCP port {port}: if another switch runs here, stop it (see \
             `ss -tlpn sport = :{port}`), or write another {key}"
        )
    })
}

/// Takes connections for as long as the service runs; they end with it.
pub(super) async fn accept<Each>(listener: TcpListener, each: impl Fn(TcpStream) -> Each)
where
    Each: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(each(stream));
                }
                Err(error) => {
                    // No more descriptors, for instance: others may end.
                    tracing::debug!(%error, "cannot take a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// What has been made of bytes that came.
#[derive(Debug)]
pub(super) struct Heard {
    /// To be sent back at once.
    pub(super) reply: Vec<u8>,
    /// How long the next bytes may take.
    pub(super) patience: Duration,
}

/// Carries bytes both ways until one side has enough; gives back the message that was not sent.
pub(super) async fn carry<Key, Message: AsRef<[u8]>, Bad: std::fmt::Display>(
    stream: impl AsyncRead + AsyncWrite,
    line: &mut Line<Key, Message>,
    mut patience: Duration,
    mut hear: impl FnMut(&[u8]) -> Result<Heard, Bad>,
) -> Option<Message> {
    let (mut read, mut write) = tokio::io::split(stream);
    let mut buffer = vec![0; 4096];
    loop {
        tokio::select! {
            message = line.waiting.recv() => {
                // Another connection has its place.
                let message = message?;
                if !put(&mut write, message.as_ref()).await {
                    return Some(message);
                }
            }
            length = tokio::time::timeout(patience, read.read(&mut buffer)) => {
                let Ok(Ok(length @ 1..)) = length else {
                    return None;
                };
                match hear(&buffer[..length]) {
                    Ok(heard) if put(&mut write, &heard.reply).await => patience = heard.patience,
                    Ok(_) => return None,
                    Err(bad) => {
                        tracing::debug!(%bad, "a connection says what cannot be read");
                        return None;
                    }
                }
            }
        }
    }
}

/// Whether the other end has taken it.
async fn put(write: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> bool {
    let all = async {
        write.write_all(bytes).await?;
        write.flush().await
    };
    bytes.is_empty() || matches!(tokio::time::timeout(TAKES, all).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests;
