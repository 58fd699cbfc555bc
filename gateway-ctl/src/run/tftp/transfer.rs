//! One transfer, from its request to its end.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use tftp::{
    Direction, ErrorCode, FromNetascii, Limits, Mode, Outcome, ReadSession, Request, Step,
    WriteSession, error_datagram,
};

use crate::provision::{Content, Files, Refused, Upload};
use crate::run::clock::monotonic_ns;

use super::counters::{Counters, Refusal};
use super::registry::Place;
use super::sliding::Sliding;
use super::socket::{Heard, TransferSocket, passing};

/// Bytes of an upload that are collected before they are written.
const COLLECT: usize = 1 << 16;

/// What a transfer needs to know of its request.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) datagram: Box<[u8]>,
    pub(super) client: SocketAddrV4,
    /// The address that was asked, from which answers go.
    pub(super) local: Ipv4Addr,
    pub(super) interface: Option<String>,
}

pub(super) struct Transfer<'t> {
    pub(super) files: &'t dyn Files,
    pub(super) counters: &'t Counters,
    pub(super) place: &'t Place,
    /// Of this machine.
    pub(super) cores: u64,
}

fn now() -> Duration {
    Duration::from_nanos(monotonic_ns())
}

impl Transfer<'_> {
    /// Answers a request until nothing is left to answer.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub(super) fn run(&self, asked: &Asked) -> io::Result<()> {
        let Ok(request) = Request::parse(&asked.datagram) else {
            return Ok(());
        };
        let interface = asked.interface.as_deref();
        let mut socket = TransferSocket::open(asked.local, interface, asked.client)?;
        let client = *asked.client.ip();
        let (name, direction) = (request.name, request.direction.label());
        let done = match request.direction {
            Direction::Read => {
                let content = self.files.open(client, name);
                content.and_then(|content| self.read(&mut socket, &request, content))
            }
            Direction::Write => {
                let upload = self.files.create(client, name, request.offered.size);
                upload.and_then(|upload| Ok(self.write(&mut socket, &request, upload)?))
            }
        };
        match done {
            Ok(outcome) => {
                let outcome = outcome.label();
                tracing::debug!(%client, name, direction, outcome, "tftp: transfer ended");
            }
            Err(refused) => {
                tracing::debug!(%client, name, direction, why = %refused, "tftp: refused");
                self.counters.count_refused(Refusal::from(&refused));
                let (code, message) = told(&refused);
                socket.send(&error_datagram(code, message))?;
            }
        }
        Ok(())
    }

    /// Whether there are so few transfers that each may keep a core busy.
    fn has_a_core(&self) -> bool {
        self.counters.running() * 2 <= self.cores
    }

    fn limits(socket: &TransferSocket) -> Limits {
        Limits {
            block_size: socket.largest_block(),
            ..Limits::default()
        }
    }

    fn read(
        &self,
        socket: &mut TransferSocket,
        request: &Request<'_>,
        content: Content,
    ) -> Result<Outcome, Refused> {
        let mut file = Sliding::new(content, request.mode)?;
        let limits = Self::limits(socket);
        let (mut session, mut step) = ReadSession::new(request, file.length(), &limits, now());
        // More than any ACK: what an ERROR says beyond does not matter.
        let mut buffer = [0; 64];
        loop {
            if let Step::Data(blocks) = &step {
                match file.at(blocks.offset, blocks.length) {
                    Ok(bytes) => {
                        let sent = socket.send_blocks(blocks, bytes);
                        sent.or_else(lost)?;
                        self.counters.count_bytes(Direction::Read, blocks.length);
                    }
                    Err(error) => {
                        tracing::warn!(name = request.name, %error, "tftp: cannot read a file");
                        step = session.fail(ErrorCode::NotDefined, "cannot read the file");
                    }
                }
            }
            if let Step::Send(datagram) = &step {
                socket.send(datagram).or_else(lost)?;
            }
            let Some(deadline) = session.poll_timeout() else {
                break;
            };
            let wait = deadline.saturating_sub(now());
            step = match socket.receive(wait, self.has_a_core(), &mut buffer)? {
                Heard::Datagram(datagram) => session.handle(now(), datagram),
                Heard::Nothing => session.handle_timeout(now()),
                other => {
                    self.otherwise(&other, || session.gone());
                    Step::Wait
                }
            };
            if session.heard() {
                self.place.heard();
            }
        }
        let outcome = session.outcome().unwrap_or(Outcome::Failed);
        self.counters
            .count_end(Direction::Read, outcome, session.resent());
        Ok(outcome)
    }

    fn write(
        &self,
        socket: &mut TransferSocket,
        request: &Request<'_>,
        upload: Box<dyn Upload>,
    ) -> io::Result<Outcome> {
        let limits = Self::limits(socket);
        let (mut session, mut step) = WriteSession::new(request, &limits, now());
        let mut keeper = Some(Keeper::new(upload, request.mode));
        // A block that is too long is seen to be so.
        let mut buffer = vec![0; usize::from(session.agreed().block_size) + 4 + 1];
        loop {
            if let Step::Send(datagram) = &step {
                socket.send(datagram).or_else(lost)?;
            }
            let Some(deadline) = session.poll_timeout() else {
                break;
            };
            let wait = deadline.saturating_sub(now());
            step = match socket.receive(wait, self.has_a_core(), &mut buffer)? {
                Heard::Datagram(datagram) => {
                    let received = session.handle(now(), datagram);
                    self.counters
                        .count_bytes(Direction::Write, received.bytes.len());
                    match keep(&mut keeper, received.bytes, received.last) {
                        Ok(()) => received.step,
                        Err(refused) => {
                            self.counters.count_refused(Refusal::from(&refused));
                            let (code, message) = told(&refused);
                            session.fail(code, message)
                        }
                    }
                }
                Heard::Nothing => session.handle_timeout(now()),
                other => {
                    self.otherwise(&other, || session.gone());
                    Step::Wait
                }
            };
            if session.heard() {
                self.place.heard();
            }
        }
        let outcome = session.outcome().unwrap_or(Outcome::Failed);
        self.counters
            .count_end(Direction::Write, outcome, session.resent());
        Ok(outcome)
    }

    fn otherwise(&self, heard: &Heard<'_>, gone: impl FnOnce()) {
        match heard {
            Heard::Gone => gone(),
            Heard::Stranger => self.counters.count_stranger(),
            Heard::Datagram(_) | Heard::Nothing => {}
        }
    }
}

/// What could not be sent for now is lost, and sent again.
fn lost(error: io::Error) -> io::Result<()> {
    if passing(&error) { Ok(()) } else { Err(error) }
}

/// What the client is told: the kind, and no more.
fn told(refused: &Refused) -> (ErrorCode, &'static str) {
    match refused {
        Refused::NotFound | Refused::Anothers(_) => (ErrorCode::NotFound, "file not found"),
        Refused::Denied(_) => (ErrorCode::AccessViolation, "access denied"),
        Refused::QuotaExceeded(_) => (ErrorCode::DiskFull, "too much: quota exceeded"),
        Refused::Busy(_) => (ErrorCode::NotDefined, "busy: try again later"),
        Refused::Template(_) | Refused::Io(_) => {
            (ErrorCode::NotDefined, "the server cannot do that now")
        }
    }
}

/// An upload, with what is not written yet.
struct Keeper {
    upload: Box<dyn Upload>,
    text: Option<FromNetascii>,
    collected: Vec<u8>,
}

/// Keeps bytes; the last ones put the file in its place.
fn keep(keeper: &mut Option<Keeper>, bytes: &[u8], last: bool) -> Result<(), Refused> {
    let Some(open) = keeper else {
        return Ok(());
    };
    open.take(bytes)?;
    match keeper.take_if(|_| last) {
        Some(whole) => whole.finish(),
        None => Ok(()),
    }
}

impl Keeper {
    fn new(upload: Box<dyn Upload>, mode: Mode) -> Self {
        Self {
            upload,
            text: (mode == Mode::Netascii).then(FromNetascii::default),
            collected: Vec::new(),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        match &mut self.text {
            Some(text) => text.append(bytes, &mut self.collected),
            None => self.collected.extend_from_slice(bytes),
        }
        if self.collected.len() >= COLLECT {
            self.upload.write_all(&self.collected)?;
            self.collected.clear();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), Refused> {
        if let Some(text) = self.text.take() {
            text.finish(&mut self.collected);
        }
        self.upload.write_all(&self.collected)?;
        self.upload.finish()
    }
}

/// Runs a transfer to its end.
pub(super) fn run(files: &Arc<dyn Files>, counters: &Counters, place: &Place, asked: &Asked) {
    let files = files.as_ref();
    let transfer = Transfer {
        files,
        counters,
        place,
        cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
    };
    if let Err(error) = transfer.run(asked) {
        tracing::debug!(client = %asked.client, %error, "tftp: a socket failed");
    }
}
