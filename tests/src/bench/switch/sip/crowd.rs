//! Many SIP phones on one thread, each with an address and a user of its own.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use gateway_tests::netns::Namespace;
use sip::auth::Login;
use sip::message::{Limits, Method, Name};
use sip::{Message, Request, Response};

use super::super::super::interval::now;
use super::super::codec::processor_time;
use super::super::place::{SWITCH, phone_address, phone_line, phone_number};
use super::super::socket::Socket;
use super::servers::PASSWORD;

const PORT: u16 = 5060;
/// After so long a request is sent again.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often it is sent in all.
const TRIES: u32 = 8;
const LARGEST: usize = 65_536;

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// Of each that is complete, the shortest first.
    pub(super) times: Vec<Duration>,
    pub(super) failed: u64,
    /// The first that failed.
    pub(super) why: Option<String>,
    pub(super) took: Duration,
    /// What the phones themselves have cost.
    pub(super) cost: Duration,
}

/// A phone.
#[derive(Debug)]
pub(super) struct Phone {
    /// Its request that is not answered yet.
    pub(super) request: Option<Request>,
    pub(super) login: Login,
    pub(super) sequence: u32,
    /// Makes branches differ.
    pub(super) branch: u64,
    pub(super) begun: Instant,
}

#[derive(Debug)]
struct Open {
    at: Instant,
    phone: u32,
    branch: u64,
    tries: u32,
    bytes: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Crowd {
    socket: Socket,
    pub(super) phones: Vec<Phone>,
    open: VecDeque<Open>,
    /// Phones that do nothing, the longest first.
    pub(super) idle: VecDeque<u32>,
    pub(super) outcome: Outcome,
    /// Registrations and calls that are over, either way.
    pub(super) over: u64,
    buffer: Vec<u8>,
    limits: Limits,
}

impl Crowd {
    pub(super) fn new(namespace: &Namespace, phones: u32) -> Result<Self> {
        let phone = |number: u32| Phone {
            request: None,
            login: login(number),
            sequence: 1,
            branch: 0,
            begun: now(),
        };
        Ok(Self {
            socket: Socket::open(namespace, SWITCH, PORT)?,
            phones: (0..phones).map(phone).collect(),
            open: VecDeque::new(),
            idle: VecDeque::new(),
            outcome: Outcome::default(),
            over: 0,
            buffer: vec![0; LARGEST],
            limits: Limits::default(),
        })
    }

    pub(super) fn phone(&mut self, phone: u32) -> &mut Phone {
        &mut self.phones[phone as usize]
    }

    /// Sends a request of a phone's, with a branch of its own, and again until it is answered.
    pub(super) fn ask(&mut self, phone: u32, mut request: Request) -> Result<()> {
        let address = phone_address(phone);
        let one = self.phone(phone);
        one.branch += 1;
        let branch = one.branch;
        request.fields.remove(Name::Via);
        let via = format!("SIP/2.0/UDP {address}:{PORT};branch=z9hG4bK{phone}x{branch}");
        request.fields.push_front(Name::Via, via);
        let bytes = request.encode();
        let again = request.method != Method::Ack;
        if again {
            one.request = Some(request);
        }
        self.socket.send(address, &bytes)?;
        if again {
            self.open.push_back(Open {
                at: now(),
                phone,
                branch,
                tries: 1,
                bytes,
            });
        }
        Ok(())
    }

    pub(super) fn send_as_it_is(&self, phone: u32, request: &Request) -> Result<()> {
        self.socket.send(phone_address(phone), &request.encode())
    }

    pub(super) fn answer(&self, phone: u32, response: &Response) -> Result<()> {
        self.socket.send(phone_address(phone), &response.encode())
    }

    /// Reads and answers what is there, waits for more, sends again.
    pub(super) fn step(&mut self) -> Result<()> {
        if !self.read()? {
            self.socket.wait(Duration::from_millis(1))?;
            self.read()?;
        }
        while let Some(open) = self.open.front() {
            if open.at.elapsed() < PATIENCE {
                break;
            }
            self.repeat()?;
        }
        Ok(())
    }

    fn repeat(&mut self) -> Result<()> {
        let Some(mut open) = self.open.pop_front() else {
            return Ok(());
        };
        let one = self.phone(open.phone);
        if one.request.is_none() || one.branch != open.branch {
            return Ok(());
        }
        if open.tries == TRIES {
            one.request = None;
            return self.fail(open.phone, "no answer".to_owned());
        }
        open.tries += 1;
        open.at = now();
        self.socket.send(phone_address(open.phone), &open.bytes)?;
        self.open.push_back(open);
        Ok(())
    }

    fn read(&mut self) -> Result<bool> {
        let mut any = false;
        for _ in 0..256 {
            let mut buffer = std::mem::take(&mut self.buffer);
            let received = self.socket.receive(&mut buffer)?;
            let datagram = received.map(|(length, to)| (buffer[..length].to_vec(), to));
            self.buffer = buffer;
            let Some((datagram, to)) = datagram else {
                break;
            };
            any = true;
            let known = phone_number(to).filter(|phone| (*phone as usize) < self.phones.len());
            if let Some(phone) = known {
                self.hear(phone, datagram)?;
            }
        }
        Ok(any)
    }

    fn hear(&mut self, phone: u32, datagram: Vec<u8>) -> Result<()> {
        let message = Message::parse(datagram, &self.limits);
        match message.map_err(|refusal| anyhow!("{refusal:?}"))? {
            Message::Request(request) => self.asked(phone, &request),
            Message::Response(response) => self.answered(phone, &response),
        }
    }

    fn answered(&mut self, phone: u32, response: &Response) -> Result<()> {
        let code = response.status.code();
        let Some(mut request) = self.phone(phone).request.take() else {
            return Ok(());
        };
        let ours = response
            .fields
            .cseq()
            .is_ok_and(|sequence| request.fields.cseq().is_ok_and(|asked| asked == sequence));
        if code < 200 || !ours {
            self.phone(phone).request = Some(request);
            return Ok(());
        }
        if request.method == Method::Invite && code >= 300 {
            self.acknowledge(phone, &request, response)?;
        }
        if matches!(code, 401 | 407) {
            let one = self.phone(phone);
            one.sequence += 1;
            let sequence = format!("{} {}", one.sequence, request.method.as_str());
            if one.login.answer(response, &mut request) {
                request.fields.set(Name::CSeq, sequence);
                return self.ask(phone, request);
            }
        }
        match (request.method.clone(), code) {
            (Method::Register | Method::Bye, 200) => self.complete(phone),
            (Method::Invite, 200) => return self.connected(phone, &request, response),
            (method, code) => self.fail(phone, format!("{} {code}", method.as_str()))?,
        }
        Ok(())
    }

    pub(super) fn complete(&mut self, phone: u32) {
        let took = self.phone(phone).begun.elapsed();
        self.outcome.times.push(took);
        self.idle.push_back(phone);
        self.over += 1;
    }

    pub(super) fn fail(&mut self, phone: u32, why: String) -> Result<()> {
        self.outcome.failed += 1;
        self.over += 1;
        self.outcome.why.get_or_insert(why);
        self.idle.push_back(phone);
        Ok(())
    }

    /// Begins a run; `finish` ends it.
    pub(super) fn begin(&mut self) -> Result<(Instant, Duration)> {
        self.outcome = Outcome::default();
        self.over = 0;
        Ok((now(), processor_time()?))
    }

    pub(super) fn finish(&mut self, took: Duration, cost: Duration) -> Result<Outcome> {
        let mut outcome = std::mem::take(&mut self.outcome);
        outcome.times.sort_unstable();
        (outcome.took, outcome.cost) = (took, processor_time()? - cost);
        Ok(outcome)
    }
}

pub(super) fn login(phone: u32) -> Login {
    Login::new(&phone_line(phone).to_string(), PASSWORD, phone.into())
}

/// A phone's address of record.
pub(super) fn record(phone: u32) -> String {
    format!("sip:{}@{SWITCH}", phone_line(phone))
}

/// Where a phone is.
pub(super) fn contact(phone: u32) -> String {
    let address: Ipv4Addr = phone_address(phone);
    format!("<sip:{}@{address}:{PORT}>", phone_line(phone))
}
