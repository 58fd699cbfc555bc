//! Messages in and out, and requests until they are answered.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use gateway_tests::netns::Namespace;
use megaco::{
    AckRange, Body, Message, Mid, Outcome, Style, Transaction, TransactionReply,
    TransactionRequest, encode_into,
};

use super::super::super::interval::now;
use super::super::codec::processor_time;
use super::super::place::{SWITCH, phone_address, phone_number};
use super::super::socket::Socket;
use super::calls::Calls;

/// Of H.248, at both ends.
const PORT: u16 = 2944;
/// After so long a request is sent again.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is sent in all.
const TRIES: u32 = 10;
/// Longest message that is read, in bytes.
const LARGEST: usize = 65_536;
/// Answers of a phone that are kept, should the question come again.
const KEPT: usize = 4;

/// A phone with one line.
#[derive(Clone, Debug, Default)]
pub(super) struct Phone {
    /// Number of its last request.
    pub(super) transaction: u32,
    pub(super) registered: bool,
    /// Events it was last asked for.
    pub(super) events: u32,
    /// Its last context, termination and port.
    pub(super) made: u32,
    answers: VecDeque<(u32, TransactionReply)>,
}

/// A request that may have to be sent again.
#[derive(Debug)]
struct Open {
    at: Instant,
    phone: u32,
    transaction: u32,
    tries: u32,
    bytes: Vec<u8>,
}

/// Phones, of which there is anything to be known from the first message on.
#[derive(Debug)]
pub(in super::super) struct Crowd {
    socket: Socket,
    pub(super) phones: Vec<Phone>,
    open: VecDeque<Open>,
    /// The one request of each phone that is not answered yet; 0: none.
    waits_for: Vec<u32>,
    pub(super) calls: Calls,
    /// Phones whose registration was answered since somebody looked.
    pub(super) answered: Vec<u32>,
    /// Requests that nobody answered.
    pub(super) lost: u64,
    buffer: Vec<u8>,
    bytes: Vec<u8>,
}

impl Crowd {
    /// Phones that have said nothing yet.
    pub(in super::super) fn new(namespace: &Namespace, phones: u32) -> Result<Self> {
        Ok(Self {
            socket: Socket::open(namespace, SWITCH, PORT)?,
            phones: vec![Phone::default(); phones as usize],
            open: VecDeque::new(),
            waits_for: vec![0; phones as usize],
            calls: Calls::default(),
            answered: Vec::new(),
            lost: 0,
            buffer: vec![0; LARGEST],
            bytes: Vec::new(),
        })
    }

    /// Sends a request of a phone's, and again until it is answered.
    pub(super) fn ask(&mut self, phone: u32, request: &str) -> Result<()> {
        let one = &mut self.phones[phone as usize];
        one.transaction += 1;
        let transaction = one.transaction;
        let address = phone_address(phone);
        let text = format!("!/1 [{address}]:2944\nT={transaction}{{C=-{{{request}}}}}");
        let bytes = text.into_bytes();
        self.socket.send(address, &bytes)?;
        self.waits_for[phone as usize] = transaction;
        self.open.push_back(Open {
            at: now(),
            phone,
            transaction,
            tries: 1,
            bytes,
        });
        Ok(())
    }

    /// Reads and answers all that is there, waits at most so long for more, and sends again what
    /// was not answered.
    pub(super) fn step(&mut self, wait: Duration) -> Result<()> {
        if !self.read()? && !wait.is_zero() {
            self.socket.wait(wait)?;
            self.read()?;
        }
        self.repeat()
    }

    /// Whether there was anything.
    fn read(&mut self) -> Result<bool> {
        let mut any = false;
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..256 {
            let Some((length, to)) = self.socket.receive(&mut buffer)? else {
                break;
            };
            any = true;
            let known = phone_number(to).filter(|phone| (*phone as usize) < self.phones.len());
            if let Some(phone) = known {
                self.hear(phone, &buffer[..length])?;
            }
        }
        self.buffer = buffer;
        Ok(any)
    }

    fn hear(&mut self, phone: u32, bytes: &[u8]) -> Result<()> {
        let message = megaco::parse(bytes)
            .with_context(|| format!("got {}", String::from_utf8_lossy(bytes)))?;
        let Body::Transactions(transactions) = message.body else {
            return Ok(());
        };
        let (mut answers, mut then) = (Vec::new(), Vec::new());
        for transaction in transactions {
            match transaction {
                Transaction::Request(request) => {
                    let reply = self.reply(phone, request, &mut then);
                    answers.push(Transaction::Reply(reply));
                }
                Transaction::Reply(reply) => {
                    if reply.immediate_ack {
                        let (first, last) = (reply.id, reply.id);
                        answers.push(Transaction::Ack(vec![AckRange { first, last }]));
                    }
                    self.replied(phone, &reply);
                }
                Transaction::Pending(_) | Transaction::Ack(_) | Transaction::Segment(_) => {}
            }
        }
        if !answers.is_empty() {
            self.send(phone, message.version, answers)?;
        }
        for event in then {
            self.happens(phone, event)?;
        }
        Ok(())
    }

    fn send(&mut self, phone: u32, version: u8, transactions: Vec<Transaction>) -> Result<()> {
        let address = phone_address(phone);
        let message = Message {
            auth: None,
            version,
            mid: Mid::Address(address.into(), Some(2944)),
            body: Body::Transactions(transactions),
        };
        self.bytes.clear();
        encode_into(&message, Style::Compact, &mut self.bytes);
        self.socket.send(address, &self.bytes)
    }

    /// Executes a request, unless it was there before.
    fn reply(
        &mut self,
        phone: u32,
        request: TransactionRequest,
        then: &mut Vec<super::calls::Event>,
    ) -> TransactionReply {
        let known = &self.phones[phone as usize].answers;
        if let Some((_, reply)) = known.iter().find(|(id, _)| *id == request.id) {
            return reply.clone();
        }
        let actions = request.actions.iter();
        let actions = actions.map(|action| self.execute(phone, action, then));
        let reply = TransactionReply {
            id: request.id,
            segment: None,
            immediate_ack: false,
            outcome: Outcome::Actions(actions.collect()),
        };
        let answers = &mut self.phones[phone as usize].answers;
        if answers.len() == KEPT {
            answers.pop_front();
        }
        answers.push_back((request.id, reply.clone()));
        reply
    }

    fn replied(&mut self, phone: u32, reply: &TransactionReply) {
        let waits = &mut self.waits_for[phone as usize];
        if *waits != reply.id {
            return;
        }
        *waits = 0;
        let accepted = matches!(&reply.outcome, Outcome::Actions(actions)
            if actions.iter().all(|action| action.error.is_none()));
        let one = &mut self.phones[phone as usize];
        if accepted && !one.registered {
            one.registered = true;
            self.answered.push(phone);
        }
    }

    fn repeat(&mut self) -> Result<()> {
        while self
            .open
            .front()
            .is_some_and(|open| open.at.elapsed() >= PATIENCE)
        {
            let Some(mut open) = self.open.pop_front() else {
                break;
            };
            if self.waits_for[open.phone as usize] != open.transaction {
                continue;
            }
            if open.tries == TRIES {
                self.lost += 1;
                continue;
            }
            open.tries += 1;
            open.at = now();
            self.socket.send(phone_address(open.phone), &open.bytes)?;
            self.open.push_back(open);
        }
        Ok(())
    }

    /// Answers until nothing has come for so long; how long ago the last thing came.
    pub(in super::super) fn settle(&mut self, quiet: Duration, within: Duration) -> Result<()> {
        let (begin, mut last) = (now(), now());
        while last.elapsed() < quiet && begin.elapsed() < within {
            if self.read()? {
                last = now();
            } else {
                self.socket.wait(Duration::from_millis(10))?;
            }
            self.repeat()?;
        }
        Ok(())
    }

    /// What the calling thread, which is the phones', has had of the processor.
    pub(super) fn cost() -> Result<Duration> {
        processor_time()
    }
}
