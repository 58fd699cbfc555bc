//! The server on the loopback device, asked by a client that writes its datagrams by hand.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tftp::{Direction, Malformed, Outcome};

use super::counters::Refusal;
use super::*;
use crate::provision::{Content, Refused, Upload};

const SOON: Duration = Duration::from_secs(10);

/// Files in memory. A name that begins with `no` is refused by what follows.
#[derive(Clone, Debug, Default)]
struct Shelf(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

struct OnItsWay {
    shelf: Shelf,
    name: String,
    bytes: Vec<u8>,
}

fn refusal(name: &str) -> Result<(), Refused> {
    Err(match name.strip_prefix("no-") {
        Some("lease") => Refused::Anothers("another phone's".to_owned()),
        Some("access") => Refused::Denied("a FIFO".to_owned()),
        Some("room") => Refused::QuotaExceeded("full".to_owned()),
        Some("time") => Refused::Busy("later".to_owned()),
        Some("variable") => Refused::Template("undefined".to_owned()),
        Some("disk") => Refused::Io(io::ErrorKind::BrokenPipe.into()),
        _ => return Ok(()),
    })
}

impl Shelf {
    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().unwrap()
    }
}

impl Files for Shelf {
    fn open(&self, from: Ipv4Addr, name: &str) -> Result<Content, Refused> {
        assert!(from.is_loopback());
        refusal(name)?;
        let files = self.files();
        let bytes = files.get(name).ok_or(Refused::NotFound)?;
        Ok(Content::memory(bytes.clone().into()))
    }

    fn create(&self, _: Ipv4Addr, name: &str, _: Option<u64>) -> Result<Box<dyn Upload>, Refused> {
        refusal(name)?;
        Ok(Box::new(OnItsWay {
            shelf: self.clone(),
            name: name.to_owned(),
            bytes: Vec::new(),
        }))
    }
}

impl Upload for OnItsWay {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Refused> {
        if self.bytes.len() > 100_000 {
            return Err(Refused::QuotaExceeded("too long".to_owned()));
        }
        self.shelf.files().insert(self.name, self.bytes);
        Ok(())
    }
}

struct Bed {
    shelf: Shelf,
    counters: Arc<Counters>,
    server: Handle,
}

impl Bed {
    fn new() -> Self {
        let (shelf, counters) = (Shelf::default(), Arc::<Counters>::default());
        let spec = ListenSpec {
            address: Ipv4Addr::UNSPECIFIED,
            port: 0,
            interface: None,
        };
        let server = start(vec![spec], Arc::new(shelf.clone()), Arc::clone(&counters)).unwrap();
        Self {
            shelf,
            counters,
            server,
        }
    }

    fn put(&self, name: &str, length: usize) -> Vec<u8> {
        let word = |index: usize| (index as u32).wrapping_mul(0x9E37_79B9).to_be_bytes();
        let bytes: Vec<u8> = (0..length.div_ceil(4))
            .flat_map(word)
            .take(length)
            .collect();
        self.shelf.files().insert(name.to_owned(), bytes.clone());
        bytes
    }

    /// Waits until what is counted is as it should be.
    fn until(&self, what: &str, holds: impl Fn(&Counters) -> bool) {
        #[expect(clippy::disallowed_methods, reason = "a deadline in real time")]
        let now = std::time::Instant::now;
        let end = now() + SOON;
        while !holds(&self.counters) {
            assert!(now() < end, "{what}: {:?}", self.counters);
            std::thread::yield_now();
        }
    }

    fn ends(&self, direction: Direction, outcome: Outcome, count: u64) {
        let label = outcome.label();
        self.until(label, |counters| {
            counters.ended(direction, outcome) == count && counters.running() == 0
        });
    }
}

/// A client's socket, and the server's port once it has answered.
struct Client {
    socket: UdpSocket,
    server: SocketAddr,
    port: Option<SocketAddr>,
}

/// How a block begins.
fn data(block: u64) -> [u8; 4] {
    let [.., high, low] = block.to_be_bytes();
    [0, 3, high, low]
}

impl Client {
    fn ask(bed: &Bed, host: u8, request: &[u8]) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        let server = SocketAddr::from(([127, 0, 0, host], bed.server.ports()[0]));
        socket.send_to(request, server).unwrap();
        Self {
            socket,
            server,
            port: None,
        }
    }

    fn hear(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 65_536];
        let (length, from) = self.socket.recv_from(&mut buffer).unwrap();
        assert_eq!(
            from.ip(),
            self.server.ip(),
            "from the address that was asked"
        );
        assert_ne!(from.port(), self.server.port(), "from a port of its own");
        assert_eq!(*self.port.get_or_insert(from), from);
        buffer.truncate(length);
        buffer
    }

    fn say(&self, datagram: &[u8]) {
        self.socket.send_to(datagram, self.port.unwrap()).unwrap();
    }

    fn ack(&self, block: u64) {
        let [.., high, low] = block.to_be_bytes();
        self.say(&[0, 4, high, low]);
    }

    /// Reads to the end, each window acknowledged.
    fn read(&mut self, block_size: usize, window: u64, mut datagram: Vec<u8>) -> Vec<u8> {
        let (mut bytes, mut block) = (Vec::new(), 0_u64);
        loop {
            let known = block.saturating_sub(window) + 1..=block;
            if known.into_iter().any(|block| datagram[..4] == data(block)) {
                // A busy machine: it was sent once more before our word of it arrived.
                datagram = self.hear();
                continue;
            }
            assert_eq!(datagram[..4], data(block + 1));
            bytes.extend_from_slice(&datagram[4..]);
            block += 1;
            let last = datagram.len() - 4 < block_size;
            if last || block.is_multiple_of(window) {
                self.ack(block);
            }
            if last {
                return bytes;
            }
            datagram = self.hear();
        }
    }
}

#[test]
fn a_file_is_read_from_the_address_that_was_asked() {
    let bed = Bed::new();
    let bytes = bed.put("boot.bin", 100_000);
    for host in [1, 2] {
        let mut client = Client::ask(&bed, host, b"\0\x01boot.bin\0octet\0");
        let first = client.hear();
        assert_eq!(client.read(512, 1, first), bytes);
    }
    bed.ends(Direction::Read, Outcome::Complete, 2);
    assert_eq!(bed.counters.bytes(Direction::Read), 200_000);
    assert_eq!(bed.counters.resent(Direction::Read), 0);
}

#[test]
fn windows_of_large_blocks_arrive_whole() {
    let bed = Bed::new();
    let bytes = bed.put("boot.bin", 3_000_000);
    for (size, window) in [(1428, 16), (8, 64), (65464, 2), (2000, 64), (512, 3)] {
        let request =
            format!("\0\x01boot.bin\0octet\0tsize\x000\0blksize\0{size}\0windowsize\0{window}\0");
        let mut client = Client::ask(&bed, 1, request.as_bytes());
        let oack = client.hear();
        let agreed = format!("\0\x06blksize\0{size}\0tsize\x003000000\0windowsize\0{window}\0");
        assert_eq!(String::from_utf8_lossy(&oack), agreed);
        client.ack(0);
        let first = client.hear();
        assert!(client.read(size, window, first) == bytes, "{size} {window}");
    }
    bed.ends(Direction::Read, Outcome::Complete, 5);
}

#[test]
fn text_goes_in_the_networks_form_both_ways() {
    let bed = Bed::new();
    let mut client = Client::ask(&bed, 1, b"\0\x02log.txt\0netascii\0");
    assert_eq!(client.hear(), b"\0\x04\0\0");
    client.say(b"\0\x03\0\x01one\r\ntwo\r\0three");
    assert_eq!(client.hear(), b"\0\x04\0\x01");
    assert_eq!(bed.shelf.files()["log.txt"], b"one\ntwo\rthree");
    let mut client = Client::ask(&bed, 1, b"\0\x01log.txt\0netascii\0tsize\x000\0");
    assert_eq!(client.hear(), b"\0\x06tsize\x0015\0");
    client.ack(0);
    assert_eq!(client.hear(), b"\0\x03\0\x01one\r\ntwo\r\0three");
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let bed = Bed::new();
    let bytes = bed.put("sample", 90_000);
    for (name, times, code) in [("log", 1, None), ("long", 2, Some(3))] {
        let request = format!("\0\x02{name}\0octet\0blksize\x001000\0");
        let mut client = Client::ask(&bed, 1, request.as_bytes());
        assert_eq!(client.hear(), b"\0\x06blksize\x001000\0");
        let whole = bytes.repeat(times);
        let mut block = 0_u16;
        let mut answer = Vec::new();
        let pieces = whole.chunks(1000).chain(std::iter::once(&[][..]));
        for piece in pieces {
            block += 1;
            let [high, low] = block.to_be_bytes();
            client.say(&[&[0, 3, high, low], piece].concat());
            answer = client.hear();
        }
        match code {
            None => assert_eq!(bed.shelf.files()[name], whole),
            Some(code) => {
                assert_eq!(answer[..4], [0, 5, 0, code]);
                assert!(!bed.shelf.files().contains_key(name));
            }
        }
    }
    bed.until("ends", |counters| {
        counters.ended(Direction::Write, Outcome::Failed) == 1
    });
    assert_eq!(bed.counters.bytes(Direction::Write), 270_000);
}

#[test]
fn what_is_refused_is_told_and_counted() {
    let bed = Bed::new();
    for (name, code, refusal) in [
        ("absent", 1, Refusal::NotFound),
        ("no-lease", 1, Refusal::Anothers),
        ("no-access", 2, Refusal::Denied),
        ("no-room", 3, Refusal::QuotaExceeded),
        ("no-time", 0, Refusal::Busy),
        ("no-variable", 0, Refusal::Template),
        ("no-disk", 0, Refusal::IoError),
    ] {
        let request = format!("\0\x01{name}\0octet\0");
        let mut client = Client::ask(&bed, 1, request.as_bytes());
        assert_eq!(client.hear()[..4], [0, 5, 0, code], "{name}");
        bed.until(name, |counters| counters.refused(refusal) == 1);
    }
    let mut client = Client::ask(&bed, 1, b"\0\x01name-without-end");
    assert_eq!(client.hear()[..4], [0, 5, 0, 4]);
    let refusal = Refusal::Malformed(Malformed::NoName);
    bed.until("no_name", |counters| counters.refused(refusal) == 1);
    let all: u64 = Refusal::all()
        .map(|refusal| bed.counters.refused(refusal))
        .sum();
    assert_eq!(all, 8);
}

#[test]
fn a_stranger_is_turned_away_and_the_transfer_goes_on() {
    let bed = Bed::new();
    let bytes = bed.put("boot.bin", 5000);
    let mut client = Client::ask(&bed, 1, b"\0\x01boot.bin\0octet\0");
    let first = client.hear();
    for _ in 0..3 {
        let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
        stranger.set_read_timeout(Some(SOON)).unwrap();
        stranger
            .send_to(&[0, 4, 0, 1], client.port.unwrap())
            .unwrap();
        let mut buffer = [0; 100];
        let (_, from) = stranger.recv_from(&mut buffer).unwrap();
        assert_eq!(Some(from), client.port);
        assert_eq!(buffer[..4], [0, 5, 0, 5]);
        // One that is gone when it is turned away: the ICMP error is not about the client.
        let gone = UdpSocket::bind("127.0.0.1:0").unwrap();
        gone.send_to(&[0, 4, 0, 1], client.port.unwrap()).unwrap();
    }
    assert_eq!(client.read(512, 1, first), bytes);
    bed.ends(Direction::Read, Outcome::Complete, 1);
    assert_eq!(bed.counters.strangers(), 6);
}

#[test]
fn a_repeated_request_makes_no_second_transfer() {
    let bed = Bed::new();
    bed.put("boot.bin", 5000);
    let request = b"\0\x01boot.bin\0octet\0";
    let mut client = Client::ask(&bed, 1, request);
    client.socket.send_to(request, client.server).unwrap();
    let first = client.hear();
    client.socket.send_to(request, client.server).unwrap();
    // Requests are looked at in order: once this one was refused, those were too.
    Client::ask(&bed, 1, b"\0\x01absent\0octet\0");
    bed.until("refused", |counters| {
        counters.refused(Refusal::NotFound) == 1
    });
    // `hear` sees to it that all comes from one port.
    client.read(512, 1, first);
    bed.ends(Direction::Read, Outcome::Complete, 1);
}

#[test]
fn a_client_that_is_gone_or_gives_up_ends_its_transfer() {
    let bed = Bed::new();
    bed.put("boot.bin", 5000);
    let mut client = Client::ask(&bed, 1, b"\0\x01boot.bin\0octet\0");
    client.hear();
    client.say(b"\0\x05\0\0enough\0");
    bed.ends(Direction::Read, Outcome::Aborted, 1);

    let mut client = Client::ask(&bed, 1, b"\0\x01boot.bin\0octet\0");
    client.hear();
    client.ack(1);
    client.hear();
    drop(client);
    bed.ends(Direction::Read, Outcome::Gone, 1);
}

#[test]
fn two_hundred_phones_at_once() {
    let bed = Bed::new();
    let bytes = bed.put("boot.bin", 200_000);
    std::thread::scope(|scope| {
        for phone in 0..200_u8 {
            let (bed, bytes) = (&bed, &bytes);
            scope.spawn(move || {
                let socket = UdpSocket::bind(SocketAddr::from(([127, 0, 1, phone], 0))).unwrap();
                socket.set_read_timeout(Some(SOON)).unwrap();
                let server = SocketAddr::from(([127, 0, 0, 1], bed.server.ports()[0]));
                let request = b"\0\x01boot.bin\0octet\0blksize\x001428\0";
                socket.send_to(request, server).unwrap();
                let mut client = Client {
                    socket,
                    server,
                    port: None,
                };
                client.hear();
                client.ack(0);
                let first = client.hear();
                assert!(client.read(1428, 1, first) == *bytes);
            });
        }
    });
    bed.ends(Direction::Read, Outcome::Complete, 200);
}

#[test]
fn the_port_is_free_when_the_handle_is_dropped() {
    let bed = Bed::new();
    let spec = ListenSpec {
        address: Ipv4Addr::UNSPECIFIED,
        port: bed.server.ports()[0],
        interface: None,
    };
    drop(bed.server);
    assert!(start(vec![spec], Arc::new(bed.shelf), bed.counters).is_ok());
}
