//! A client of bare sockets: what it sends is what is written here.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use super::answer::Service;
use super::counters::Counters;
use super::listen::{Limits, serve};
use crate::provision::{Content, Files, Refused, Source, Upload};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

/// Files by name: what is stored, and why others are refused.
#[derive(Default)]
struct Fake {
    stored: Mutex<BTreeMap<String, Vec<u8>>>,
}

/// Larger than all buffers between the two ends.
fn image() -> Vec<u8> {
    (0..20_000_000_u32).map(|at| (at / 7) as u8).collect()
}

fn refused(name: &str) -> Refused {
    match name {
        "/anothers" => Refused::Anothers("a secret reason".into()),
        "/denied" => Refused::Denied("a secret reason".into()),
        "/busy" => Refused::Busy("a secret reason".into()),
        "/full" => Refused::QuotaExceeded("a secret reason".into()),
        "/template" => Refused::Template("a secret reason".into()),
        "/broken" => Refused::Io(std::io::Error::other("a secret reason")),
        _ => Refused::NotFound,
    }
}

impl Files for Arc<Fake> {
    fn open(&self, from: Ipv4Addr, name: &str) -> Result<Content, Refused> {
        assert_eq!(from, Ipv4Addr::LOCALHOST);
        match name {
            "/phone.xml" => Ok(Content::memory((*b"<phone/>").into())),
            "/image" => {
                let mut file = tempfile::tempfile()?;
                file.write_all(&image())?;
                let length = file.metadata()?.len();
                let bytes = Source::File(file);
                Ok(Content { bytes, length })
            }
            "/cut" => Ok(Content {
                bytes: Source::File(File::open("/dev/null")?),
                length: 1000,
            }),
            name => Err(refused(name)),
        }
    }

    fn create(
        &self,
        _: Ipv4Addr,
        name: &str,
        size: Option<u64>,
    ) -> Result<Box<dyn Upload>, Refused> {
        if size.is_some_and(|size| size > 1000) || !name.ends_with(".log") {
            return Err(refused(if name.ends_with(".log") {
                "/full"
            } else {
                name
            }));
        }
        let (name, fake, bytes) = (name.to_owned(), Arc::clone(self), Vec::new());
        Ok(Box::new(Writing { fake, name, bytes }))
    }
}

struct Writing {
    fake: Arc<Fake>,
    name: String,
    bytes: Vec<u8>,
}

impl Upload for Writing {
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.bytes.extend_from_slice(bytes);
        match self.bytes.len() {
            ..=1000 => Ok(()),
            _ => Err(refused("/full")),
        }
    }

    fn finish(self: Box<Self>) -> Result<(), Refused> {
        self.fake
            .stored
            .lock()
            .unwrap()
            .insert(self.name, self.bytes);
        Ok(())
    }
}

/// A server, in a thread and a runtime of its own.
struct Bed {
    address: SocketAddr,
    fake: Arc<Fake>,
    counters: Arc<Counters>,
    stop: mpsc::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Bed {
    fn drop(&mut self) {
        let _ = self.stop.send(());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Bed {
    fn new(limits: Limits, patience: Duration) -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let (fake, counters) = (Arc::new(Fake::default()), Arc::new(Counters::default()));
        let service = Service {
            files: Arc::new(Arc::clone(&fake)),
            counters: Arc::clone(&counters),
            patience,
        };
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            runtime.block_on(async {
                let _handle = serve(vec![socket], service, limits).unwrap();
                let wait = move || stopped.recv();
                let _ = tokio::task::spawn_blocking(wait).await.unwrap();
            });
        });
        let thread = Some(thread);
        Self {
            address,
            fake,
            counters,
            stop,
            thread,
        }
    }

    fn usual() -> Self {
        Self::new(Limits::default(), LONG)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    /// All that comes until the server closes.
    fn ask(&self, request: &str) -> (String, Vec<u8>) {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        split(&answer)
    }

    fn get(&self, path: &str, fields: &str) -> (String, Vec<u8>) {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: g\r\nConnection: close\r\n{fields}\r\n"
        ))
    }

    fn count(&self, label: &str) -> u64 {
        let mut all = self.counters.requests();
        all.find(|(found, _)| *found == label).unwrap().1
    }

    /// Waits until so many requests ended so.
    fn wait_for(&self, label: &str, count: u64) {
        wait(|| self.count(label) == count, label);
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's deadline")]
fn wait(mut condition: impl FnMut() -> bool, what: &str) {
    let deadline = std::time::Instant::now() + LONG;
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "waited for {what}");
        std::thread::yield_now();
    }
}

/// Head, in lower case, and body.
fn split(answer: &[u8]) -> (String, Vec<u8>) {
    let end = answer
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(answer[..end + 2].to_vec()).unwrap();
    (head.to_lowercase(), answer[end + 4..].to_vec())
}

#[track_caller]
fn assert_head(head: &str, status: u16, fields: &[&str]) {
    assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
    for field in fields {
        assert!(
            head.contains(&format!("\r\n{field}\r\n")),
            "{field} in {head}"
        );
    }
}

#[test]
fn files_are_sent_whole_and_in_part() {
    let bed = Bed::usual();
    let image = image();
    let (head, body) = bed.get("/image", "");
    assert_head(
        &head,
        200,
        &[
            "content-length: 20000000",
            "content-type: application/octet-stream",
            "accept-ranges: bytes",
        ],
    );
    assert!(body == image);
    let (head, body) = bed.get("/image", "Range: bytes=100000-299999\r\n");
    assert_head(&head, 206, &["content-range: bytes 100000-299999/20000000"]);
    assert!(body == image[100_000..300_000]);
    let (head, body) = bed.get("/phone%2exml?model=42", "Range: bytes=1-5\r\n");
    assert_head(&head, 206, &["content-length: 5", "content-type: text/xml"]);
    assert_eq!(body, b"phone");
    let (head, _) = bed.get("/phone.xml", "Range: bytes=8-\r\n");
    assert_head(&head, 416, &["content-range: bytes */8"]);
    let (head, _) = bed.get("/phone.xml", "Range: bytes=1-5\r\nIf-Range: \"x\"\r\n");
    assert_head(&head, 200, &["content-length: 8"]);
    let head = "HEAD /image HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n";
    let (head, body) = bed.ask(head);
    assert_head(&head, 200, &["content-length: 20000000"]);
    assert!(body.is_empty());
    assert_eq!((bed.count("sent"), bed.count("bad_request")), (5, 1));
    assert_eq!(bed.counters.sent_bytes(), 20_000_000 + 200_000 + 5 + 8);
}

#[test]
fn phones_are_told_no_reasons() {
    let bed = Bed::usual();
    for (path, status, label) in [
        ("/nothing", 404, "not_found"),
        ("/anothers", 404, "anothers"),
        ("/denied", 403, "denied"),
        ("/full", 507, "quota_exceeded"),
        ("/busy", 503, "busy"),
        ("/template", 500, "template"),
        ("/broken", 500, "io_error"),
        ("/%ff", 400, "bad_request"),
    ] {
        let (head, body) = bed.get(path, "");
        assert_head(&head, status, &[]);
        assert!(!String::from_utf8(body).unwrap().contains("secret"));
        assert_eq!(bed.count(label), 1, "{label}");
    }
    let (head, _) = bed.ask("POST /a HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n");
    assert_head(&head, 405, &["allow: get, head, put"]);
    let (head, _) = bed.ask("no request at all\r\n\r\n");
    assert_head(&head, 400, &[]);
}

#[test]
fn a_connection_serves_several_requests() {
    let bed = Bed::usual();
    let mut stream = bed.connect();
    let request = "GET /phone.xml HTTP/1.1\r\nHost: g\r\n\r\n";
    let mut answers = String::new();
    for count in 1..=3 {
        stream.write_all(request.as_bytes()).unwrap();
        while answers.matches("<phone/>").count() < count {
            let mut buffer = [0; 1000];
            let read = stream.read(&mut buffer).unwrap();
            assert!(read > 0, "closed after {answers}");
            answers.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        }
    }
    assert_eq!(bed.count("sent"), 3);
}

#[test]
fn a_file_that_ends_early_is_no_whole_file() {
    let bed = Bed::usual();
    let mut stream = bed.connect();
    stream
        .write_all(b"GET /cut HTTP/1.1\r\nHost: g\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    // Closed before all that was announced came.
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.len() < 1000);
}

#[test]
fn what_phones_write_is_stored_whole() {
    let bed = Bed::usual();
    let put = |head: &str, body: &str| {
        let request = format!("PUT {head}Host: g\r\nConnection: close\r\n\r\n{body}");
        bed.ask(&request).0
    };
    let stored = put("/a.log HTTP/1.1\r\nContent-Length: 4\r\n", "line");
    assert_head(&stored, 201, &[]);
    let chunked = "/b.log HTTP/1.1\r\nTransfer-Encoding: chunked\r\n";
    assert_head(&put(chunked, "2\r\nli\r\n2\r\nne\r\n0\r\n\r\n"), 201, &[]);
    let expected = BTreeMap::from(["/a.log", "/b.log"].map(|name| (name.into(), b"line".to_vec())));
    assert_eq!(*bed.fake.stored.lock().unwrap(), expected);
    // Refused before it is sent, and while it is.
    assert_head(
        &put("/c.log HTTP/1.1\r\nContent-Length: 1001\r\n", ""),
        507,
        &[],
    );
    let long = format!("3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    assert_head(
        &put("/c.log HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", &long),
        507,
        &[],
    );
    assert_head(
        &put("/denied HTTP/1.1\r\nContent-Length: 4\r\n", "line"),
        403,
        &[],
    );
    let part = "/a.log HTTP/1.1\r\nContent-Range: bytes 2-5/6\r\nContent-Length: 4\r\n";
    assert_head(&put(part, "line"), 400, &[]);
    assert_eq!(*bed.fake.stored.lock().unwrap(), expected);
    assert_eq!((bed.count("stored"), bed.count("quota_exceeded")), (2, 2));
}

#[test]
fn what_is_not_written_to_its_end_is_not_stored() {
    let bed = Bed::new(Limits::default(), SHORT);
    let half = b"PUT /a.log HTTP/1.1\r\nHost: g\r\nContent-Length: 4\r\n\r\nli";
    let mut stream = bed.connect();
    stream.write_all(half).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    bed.wait_for("given_up", 1);
    // One that just waits.
    let mut stream = bed.connect();
    stream.write_all(half).unwrap();
    bed.wait_for("given_up", 2);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_head(&split(&answer).0, 408, &[]);
    assert!(bed.fake.stored.lock().unwrap().is_empty());
}

#[test]
fn nobody_holds_a_place_for_long() {
    let limits = Limits {
        for_each: 1,
        head: SHORT,
        unread: SHORT,
        ..Limits::default()
    };
    let bed = Bed::new(limits, LONG);
    let closes = |stream: &mut TcpStream| {
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        String::from_utf8_lossy(&rest).into_owned()
    };
    // Half a head, nothing, and nothing after a request.
    for (begin, answered) in [
        ("GET /phone.xml HT", false),
        ("", false),
        ("GET /phone.xml HTTP/1.1\r\nHost: g\r\n\r\n", true),
    ] {
        let mut stream = bed.connect();
        stream.write_all(begin.as_bytes()).unwrap();
        let rest = closes(&mut stream);
        assert_eq!(rest.contains("<phone/>"), answered, "{rest}");
        let places_are_free = || bed.get("/phone.xml", "").0.starts_with("http/1.1 200");
        assert!(places_are_free());
    }
    // Nothing of a large file is read: its place is free again all the same.
    let mut idle = bed.connect();
    idle.write_all(b"GET /image HTTP/1.1\r\nHost: g\r\n\r\n")
        .unwrap();
    let refused = bed.counters.refused_connections();
    let has_place = || {
        let mut other = bed.connect();
        let request = b"GET /phone.xml HTTP/1.1\r\nHost: g\r\nConnection: close\r\n\r\n";
        let _ = other.write_all(request);
        closes(&mut other).contains("<phone/>")
    };
    wait(has_place, "a free place");
    assert!(
        bed.counters.refused_connections() > refused,
        "it never had the place"
    );
    drop(idle);
}

#[test]
fn addresses_that_are_taken_are_named() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let files = Arc::new(Arc::new(Fake::default()));
    let error = super::start(address, None, files, Arc::default()).unwrap_err();
    assert!(error.to_string().contains("set provision.http"), "{error}");
}
