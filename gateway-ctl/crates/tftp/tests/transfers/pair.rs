//! A session, a client, and the wire between them.

use std::time::Duration;

use tftp::{Direction, Limits, Outcome, ReadSession, Request, Step, WriteSession};

use crate::client::{Client, Reader, Writer, request};
use crate::wire::{To, Weather, Wire};

/// When a transfer begins.
pub(crate) const START: Duration = Duration::from_secs(1);

/// What is transferred and how.
#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) block_size: Option<u16>,
    pub(crate) window: Option<u16>,
    pub(crate) timeout: Option<u8>,
    pub(crate) tell_size: bool,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    pub(crate) received: Vec<u8>,
    pub(crate) from_server: u64,
    pub(crate) from_client: u64,
    pub(crate) resent: u64,
    pub(crate) seconds: f64,
}

/// Patience without end: what is tested is that it arrives in the end.
const LIMITS: Limits = Limits {
    block_size: 1468,
    window: 64,
    window_bytes: 1 << 17,
    patience: Duration::from_secs(1_000_000),
    tries: 3,
};

/// Either session, with the file beside it.
enum Server {
    Read(ReadSession),
    Write(WriteSession),
}

pub(crate) struct Pair {
    now: Duration,
    wire: Wire,
    client: Box<dyn Client>,
    server: Option<Server>,
    /// The file that is read, or what was written of it.
    file: Vec<u8>,
    from_server: u64,
    from_client: u64,
}

impl Pair {
    pub(crate) fn read(transfer: &Transfer, weather: Weather) -> End {
        let client = Box::new(Reader::new(transfer));
        let file = transfer.bytes.clone();
        Self::new(client, file, weather).run(&request(1, transfer))
    }

    pub(crate) fn write(transfer: &Transfer, weather: Weather) -> End {
        let client = Box::new(Writer::new(transfer));
        Self::new(client, Vec::new(), weather).run(&request(2, transfer))
    }

    fn new(client: Box<dyn Client>, file: Vec<u8>, weather: Weather) -> Self {
        Self {
            now: START,
            wire: Wire::new(weather),
            client,
            server: None,
            file,
            from_server: 0,
            from_client: 0,
        }
    }

    fn run(mut self, request: &[u8]) -> End {
        self.client_sends(vec![request.to_vec()]);
        loop {
            if let Some(outcome) = self.outcome() {
                return self.end(outcome);
            }
            while let Some((to, datagram)) = self.wire.arrived(self.now) {
                match to {
                    To::Client => {
                        let answers = self.client.handle(self.now, &datagram);
                        self.client_sends(answers);
                    }
                    To::Server => self.serve(&datagram),
                }
            }
            if self.client.deadline().is_some_and(|at| at <= self.now) {
                let again = self.client.timeout(self.now);
                self.client_sends(again);
            }
            if self.server_deadline().is_some_and(|at| at <= self.now) {
                self.serve_timeout();
            }
            let next = [
                self.wire.next_at(),
                self.client.deadline(),
                self.server_deadline(),
            ];
            let next = next.into_iter().flatten().min();
            self.now = next.unwrap_or(self.now).max(self.now);
            assert!(self.now.as_secs() < 900_000, "it does not end");
        }
    }

    fn client_sends(&mut self, datagrams: Vec<Vec<u8>>) {
        for datagram in datagrams {
            self.from_client += 1;
            self.wire.send(self.now, To::Server, &datagram);
        }
    }

    fn send(&mut self, step: Step) {
        let datagrams: Vec<Vec<u8>> = match step {
            Step::Wait => Vec::new(),
            Step::Send(datagram) => vec![datagram],
            Step::Data(blocks) => {
                let offset = usize::try_from(blocks.offset).expect("small");
                let pieces = blocks.datagrams(&self.file[offset..]);
                pieces
                    .map(|(header, bytes)| [&header, bytes].concat())
                    .collect()
            }
        };
        for datagram in datagrams {
            self.from_server += 1;
            self.wire.send(self.now, To::Client, &datagram);
        }
    }

    fn serve(&mut self, datagram: &[u8]) {
        let step = match &mut self.server {
            Some(Server::Read(session)) => session.handle(self.now, datagram),
            Some(Server::Write(session)) => {
                let received = session.handle(self.now, datagram);
                self.file.extend_from_slice(received.bytes);
                received.step
            }
            None => self.open(datagram),
        };
        self.send(step);
    }

    fn open(&mut self, datagram: &[u8]) -> Step {
        let Ok(request) = Request::parse(datagram) else {
            return Step::Wait;
        };
        let (server, step) = match request.direction {
            Direction::Read => {
                let length = self.file.len() as u64;
                let (session, step) = ReadSession::new(&request, length, &LIMITS, self.now);
                (Server::Read(session), step)
            }
            Direction::Write => {
                let (session, step) = WriteSession::new(&request, &LIMITS, self.now);
                (Server::Write(session), step)
            }
        };
        self.server = Some(server);
        step
    }

    fn serve_timeout(&mut self) {
        let step = match &mut self.server {
            Some(Server::Read(session)) => session.handle_timeout(self.now),
            Some(Server::Write(session)) => session.handle_timeout(self.now),
            None => Step::Wait,
        };
        self.send(step);
    }

    fn server_deadline(&self) -> Option<Duration> {
        match self.server.as_ref()? {
            Server::Read(session) => session.poll_timeout(),
            Server::Write(session) => session.poll_timeout(),
        }
    }

    fn outcome(&self) -> Option<Outcome> {
        match self.server.as_ref()? {
            Server::Read(session) => session.outcome(),
            Server::Write(session) => session.outcome(),
        }
    }

    fn end(self, outcome: Outcome) -> End {
        let (received, resent) = match &self.server {
            Some(Server::Read(session)) => (self.client.received(), session.resent()),
            Some(Server::Write(session)) => (self.file, session.resent()),
            None => (Vec::new(), 0),
        };
        End {
            outcome,
            received,
            from_server: self.from_server,
            from_client: self.from_client,
            resent,
            seconds: (self.now - START).as_secs_f64(),
        }
    }
}
