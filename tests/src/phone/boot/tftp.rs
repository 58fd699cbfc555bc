//! A TFTP client that reads one file (RFC 1350; options of RFC 2347, 2348, 2349).
//!
//! ```text
//!   RRQ name octet blksize 1428 tsize 0 ---> port 69
//!   <--- OACK blksize, tsize                 from a port of the transfer's own
//!   ACK 0 --->                               or DATA 1 at once, if options are not known there
//!   <--- DATA 1, ACK 1 --->  ...             the last block is shorter than the others
//! ```

use std::net::SocketAddrV4;
use std::time::Duration;

/// The port that servers are asked at.
const PORT: u16 = 69;
/// Fits an Ethernet frame behind a tunnel.
const BLOCK: usize = 1428;
const USUAL_BLOCK: usize = 512;
const WAIT: Duration = Duration::from_secs(1);
/// How often the same is said before it is given up.
const TRIES: u32 = 8;
/// Largest file that is taken.
const MOST: usize = 64 << 20;

/// What came of a datagram or of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It goes on.
    More,
    /// All of it is here.
    Done(Vec<u8>),
    /// It will not come.
    Failed(String),
}

/// A file on its way.
#[derive(Clone, Debug)]
pub struct Fetch {
    name: String,
    server: SocketAddrV4,
    /// Where it really comes from, once that is known.
    peer: Option<SocketAddrV4>,
    block: usize,
    size: Option<usize>,
    bytes: Vec<u8>,
    /// Blocks that are here.
    taken: u64,
    last: Vec<u8>,
    tries: u32,
    next: Duration,
}

impl Fetch {
    /// Asks for a file.
    #[must_use]
    pub fn new(now: Duration, server: std::net::Ipv4Addr, name: &str) -> Self {
        let request = format!("\0\x01{name}\0octet\0blksize\0{BLOCK}\0tsize\00\0");
        Self {
            name: name.to_owned(),
            server: SocketAddrV4::new(server, PORT),
            peer: None,
            block: USUAL_BLOCK,
            size: None,
            bytes: Vec::new(),
            taken: 0,
            last: request.into_bytes(),
            tries: 0,
            next: now,
        }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When to say again what was said last; at first: at once.
    #[must_use]
    pub fn poll_timeout(&self) -> Duration {
        self.next
    }

    /// Says it again, if it is time.
    pub fn handle_timeout(
        &mut self,
        now: Duration,
        send: &mut Vec<(SocketAddrV4, Vec<u8>)>,
    ) -> Progress {
        if self.next > now {
            return Progress::More;
        }
        if self.tries == TRIES {
            return Progress::Failed(format!("{}: no answer from {}", self.name, self.server));
        }
        self.tries += 1;
        self.say(now, send);
        Progress::More
    }

    fn say(&mut self, now: Duration, send: &mut Vec<(SocketAddrV4, Vec<u8>)>) {
        self.next = now + WAIT;
        send.push((self.peer.unwrap_or(self.server), self.last.clone()));
    }

    /// A datagram that came from somewhere.
    pub fn handle(
        &mut self,
        now: Duration,
        from: SocketAddrV4,
        datagram: &[u8],
        send: &mut Vec<(SocketAddrV4, Vec<u8>)>,
    ) -> Progress {
        let stranger =
            *from.ip() != *self.server.ip() || self.peer.is_some_and(|peer| peer != from);
        if stranger {
            return Progress::More;
        }
        match datagram {
            [0, 6, options @ ..] if self.taken == 0 && self.bytes.is_empty() => {
                if let Err(why) = self.agree(options) {
                    return Progress::Failed(format!("{}: {why}", self.name));
                }
                self.peer = Some(from);
                self.acknowledge(now, send);
            }
            [0, 3, high, low, data @ ..] => {
                self.peer = Some(from);
                return self.data(now, u16::from_be_bytes([*high, *low]), data, send);
            }
            [0, 5, _, code, text @ ..] => {
                let text = String::from_utf8_lossy(text);
                let text = text.trim_end_matches('\0');
                return Progress::Failed(format!("{}: error {code}: {text}", self.name));
            }
            _ => {}
        }
        Progress::More
    }

    fn data(
        &mut self,
        now: Duration,
        number: u16,
        data: &[u8],
        send: &mut Vec<(SocketAddrV4, Vec<u8>)>,
    ) -> Progress {
        if number != ((self.taken + 1) & 0xffff) as u16 {
            // An old one: our acknowledgement was lost, and time will repeat it.
            return Progress::More;
        }
        if data.len() > self.block || self.bytes.len() + data.len() > MOST {
            return Progress::Failed(format!("{}: a block of {} bytes", self.name, data.len()));
        }
        self.bytes.extend(data);
        self.taken += 1;
        self.tries = 0;
        self.acknowledge(now, send);
        if data.len() == self.block {
            return Progress::More;
        }
        let bytes = std::mem::take(&mut self.bytes);
        match self.size {
            Some(size) if size != bytes.len() => {
                let got = bytes.len();
                Progress::Failed(format!("{}: got {got} bytes, expected {size}", self.name))
            }
            _ => Progress::Done(bytes),
        }
    }

    fn acknowledge(&mut self, now: Duration, send: &mut Vec<(SocketAddrV4, Vec<u8>)>) {
        let [high, low] = ((self.taken & 0xffff) as u16).to_be_bytes();
        self.last = vec![0, 4, high, low];
        self.say(now, send);
    }

    fn agree(&mut self, options: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(options).into_owned();
        let fields: Vec<&str> = text.split('\0').collect();
        for pair in fields.chunks_exact(2) {
            let value: usize = pair[1].parse().map_err(|_| format!("option {pair:?}"))?;
            match pair[0].to_ascii_lowercase().as_str() {
                "blksize" if (8..=BLOCK).contains(&value) => self.block = value,
                "tsize" => self.size = Some(value),
                _ => return Err(format!("option {pair:?} was not asked for")),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
    const PEER: SocketAddrV4 = SocketAddrV4::new(SERVER, 40_000);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// One that has asked.
    fn fetch() -> Fetch {
        let mut fetch = Fetch::new(at(0), SERVER, "a.json");
        let mut send = Vec::new();
        assert_eq!(fetch.handle_timeout(at(0), &mut send), Progress::More);
        let request = b"\0\x01a.json\0octet\0blksize\x001428\0tsize\x000\0".to_vec();
        assert_eq!(send, [(SocketAddrV4::new(SERVER, 69), request)]);
        fetch
    }

    fn data(number: u16, bytes: &[u8]) -> Vec<u8> {
        [&[0, 3], &number.to_be_bytes()[..], bytes].concat()
    }

    #[test]
    fn a_file_with_options() {
        let (mut fetch, mut send) = (fetch(), Vec::new());
        let oack = b"\0\x06blksize\x001428\0tsize\x001431\0";
        assert_eq!(fetch.handle(at(0), PEER, oack, &mut send), Progress::More);
        assert_eq!(
            fetch.handle(at(0), PEER, &data(1, &[1; 1428]), &mut send),
            Progress::More
        );
        let done = fetch.handle(at(0), PEER, &data(2, b"end"), &mut send);
        assert_eq!(done, Progress::Done([&[1; 1428][..], b"end"].concat()));
        let acks: Vec<_> = send.iter().map(|(to, bytes)| (*to, bytes[3])).collect();
        assert_eq!(acks, [(PEER, 0), (PEER, 1), (PEER, 2)]);
    }

    #[test]
    fn a_server_without_options_and_a_lost_block() {
        let (mut fetch, mut send) = (fetch(), Vec::new());
        assert_eq!(
            fetch.handle(at(0), PEER, &data(1, &[7; 512]), &mut send),
            Progress::More
        );
        // The acknowledgement is lost: the same again, and ours by time.
        assert_eq!(
            fetch.handle(at(0), PEER, &data(1, &[7; 512]), &mut send),
            Progress::More
        );
        assert_eq!(send.len(), 1);
        assert_eq!(fetch.handle_timeout(at(1), &mut send), Progress::More);
        assert_eq!(send[1], (PEER, vec![0, 4, 0, 1]));
        assert_eq!(
            fetch.handle(at(1), PEER, &data(2, &[]), &mut send),
            Progress::Done(vec![7; 512])
        );
    }

    #[test]
    fn what_goes_wrong_is_said() {
        let mut send = Vec::new();
        let failed = |progress| matches!(progress, Progress::Failed(_));
        assert!(failed(fetch().handle(
            at(0),
            PEER,
            b"\0\x05\0\x01not found\0",
            &mut send
        )));
        assert!(failed(fetch().handle(
            at(0),
            PEER,
            b"\0\x06windowsize\x004\0",
            &mut send
        )));
        let mut short = fetch();
        let _ = short.handle(at(0), PEER, b"\0\x06tsize\x009\0", &mut send);
        assert!(failed(short.handle(
            at(0),
            PEER,
            &data(1, b"abc"),
            &mut send
        )));
        let mut silent = fetch();
        let outcomes: Vec<Progress> = (1..=8)
            .map(|n| silent.handle_timeout(at(n), &mut send))
            .collect();
        assert!(failed(outcomes[7].clone()) && outcomes[6] == Progress::More);
        // A stranger's file is none.
        let stranger = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 69);
        assert_eq!(
            fetch().handle(at(0), stranger, &data(1, b"x"), &mut send),
            Progress::More
        );
    }
}
