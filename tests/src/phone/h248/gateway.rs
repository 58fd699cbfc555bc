//! Messages in, messages out, timers.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddrV4};
use std::time::Duration;

use megaco::{
    AckRange, ActionRequest, Body, CommandRequest, ContextProperties, ErrorDescriptor, Limits,
    Message, Mid, Name, ObservedEvents, Outcome, PartsBody, ServiceState, Style, TerminationId,
    Transaction, TransactionKind, TransactionReply, TransactionRequest, encode, parse_parts,
};

use super::association::{Association, Restart};
use super::termination::{Kind, Termination};
use super::transactions::{Due, Transactions};
use crate::phone::event::Event;
use crate::phone::line::{Act, State};
use crate::phone::media::Datagram;
use crate::phone::random::Random;
use crate::phone::streams::{Output, Streams};

/// What a gateway is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Controllers, the primary first.
    pub switches: Vec<SocketAddrV4>,
    /// Names of the lines' terminations.
    pub lines: Vec<Name>,
    /// What it calls itself; its address and port, if nothing is said.
    pub mid: Option<Mid>,
    /// Highest version of the protocol that it speaks.
    pub version: u8,
    /// How long a controller may be silent when it is asked.
    pub patience: Duration,
    /// From one pressed digit to the next.
    pub digit_time: Duration,
    /// Tells all messages.
    pub trace: bool,
}

/// Why a request was sent.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// To be registered, begun at this time.
    Register(Duration),
    /// Something happened.
    Notify(Notice),
    /// To say that the gateway, or a line, is gone.
    Farewell,
}

/// Something that a controller is to be told.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) termination: TerminationId,
    pub(super) observed: ObservedEvents,
}

/// A line's user.
#[derive(Debug)]
pub(super) struct User {
    pub(super) termination: Name,
    pub(super) off_hook: bool,
    /// There was somebody to talk to since the handset was lifted.
    pub(super) talked: bool,
    pub(super) digits: VecDeque<char>,
    pub(super) number: String,
    pub(super) next_press: Option<Duration>,
    pub(super) state: State,
}

/// A media gateway.
#[derive(Debug)]
pub struct Gateway {
    pub(super) settings: Settings,
    pub(super) mid: Mid,
    pub(super) version: u8,
    pub(super) association: Association,
    pub(super) transactions: Transactions<Purpose>,
    pub(super) streams: Streams,
    pub(super) root: Termination,
    pub(super) terminations: BTreeMap<Name, Termination>,
    pub(super) contexts: BTreeMap<u32, ContextProperties>,
    pub(super) last_context: u32,
    pub(super) last_stream: u32,
    pub(super) users: Vec<User>,
    /// To be told to the next controller.
    pub(super) unsent: VecDeque<Notice>,
    /// When the controller was heard last.
    pub(super) heard: Duration,
    /// What the controller wants once its request has been answered.
    pub(super) afterwards: Option<Afterwards>,
}

/// What is done when a reply has been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Afterwards {
    HandOff(SocketAddrV4),
    Restart,
}

impl Gateway {
    /// Not registered yet.
    #[must_use]
    pub fn new(settings: Settings, streams: Streams, mut random: Random) -> Self {
        let common = streams.common();
        let own = Mid::Address(IpAddr::V4(common.address), Some(common.ports.signalling()));
        let line =
            |(number, name): (usize, &Name)| (name.clone(), Termination::new(Kind::Line(number)));
        let user = |name: &Name| User {
            termination: name.clone(),
            off_hook: false,
            talked: false,
            digits: VecDeque::new(),
            number: String::new(),
            next_press: None,
            state: State::default(),
        };
        let first = random.word() >> 1;
        Self {
            mid: settings.mid.clone().unwrap_or(own),
            version: 1,
            association: Association::new(settings.switches.clone(), random),
            transactions: Transactions::new(first, settings.patience),
            streams,
            root: Termination::new(Kind::Root),
            terminations: settings.lines.iter().enumerate().map(line).collect(),
            contexts: BTreeMap::new(),
            last_context: 0,
            last_stream: 0,
            users: settings.lines.iter().map(user).collect(),
            unsent: VecDeque::new(),
            heard: Duration::ZERO,
            afterwards: None,
            settings,
        }
    }

    /// Registers.
    pub fn start(&mut self, now: Duration, restart: Restart, out: &mut Vec<Output>) {
        self.reset(now, out);
        let ask = self.association.begin(now, restart);
        self.register(now, ask, out);
        self.settle(out);
    }

    /// The controller that it belongs to.
    #[must_use]
    pub fn registered(&self) -> Option<SocketAddrV4> {
        self.association.up()
    }

    /// Whether that one is the first of its list.
    #[must_use]
    pub fn is_primary(&self) -> Option<bool> {
        let up = self.association.up()?;
        Some(self.association.is_primary(up))
    }

    /// How each line is.
    #[must_use]
    pub fn line(&self, line: usize) -> Option<&State> {
        self.users.get(line).map(|user| &user.state)
    }

    /// Its streams.
    #[must_use]
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// A user does something.
    pub fn act(&mut self, now: Duration, line: usize, act: &Act, out: &mut Vec<Output>) {
        self.user_acts(now, line, act, out);
        self.settle(out);
    }

    /// A datagram that arrived at one of its ports.
    pub fn handle(
        &mut self,
        now: Duration,
        port: u16,
        from: SocketAddrV4,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        if port != self.streams.common().ports.signalling() {
            self.streams.handle(now, port, from, bytes);
            return;
        }
        self.trace("received", from, bytes, out);
        if self.association.up() == Some(from) {
            self.heard = now;
        }
        self.message(now, from, bytes, out);
        match self.afterwards.take() {
            Some(Afterwards::HandOff(to)) => {
                let ask = self.association.hand_off(to);
                self.register(now, Some(ask), out);
            }
            Some(Afterwards::Restart) => self.start(now, Restart::Warm, out),
            None => {}
        }
        self.connect(now);
        self.settle(out);
    }

    fn message(&mut self, now: Duration, from: SocketAddrV4, bytes: &[u8], out: &mut Vec<Output>) {
        let parts = match parse_parts(bytes, &Limits::default()) {
            Ok(parts) => parts,
            Err(why) => return self.error(&why.to_string(), Some(why.code.0), out),
        };
        let transactions = match parts.body {
            PartsBody::Error(error) => {
                return self.error(error.text.as_str(), Some(error.code.0), out);
            }
            PartsBody::Transactions(transactions) => transactions,
        };
        for part in transactions {
            match part.transaction {
                Ok(Transaction::Request(request)) => {
                    let octets = bytes.get(part.range).unwrap_or_default();
                    self.request(now, from, request, octets, out);
                }
                Ok(Transaction::Reply(reply)) => self.reply(now, from, reply, out),
                Ok(Transaction::Pending(id)) => self.transactions.pending(now, id),
                Ok(Transaction::Ack(_) | Transaction::Segment(_)) => {}
                Err(why) => {
                    self.error(&why.to_string(), Some(why.code.0), out);
                    if let Some((TransactionKind::Request, id)) = why.transaction {
                        let error = ErrorDescriptor::new(why.code, why.expected);
                        let reply = self.encode_reply(id, Outcome::Error(error));
                        self.send(from, reply, out);
                    }
                }
            }
        }
    }

    /// Does what the controller wants, once.
    fn request(
        &mut self,
        now: Duration,
        from: SocketAddrV4,
        request: TransactionRequest,
        octets: &[u8],
        out: &mut Vec<Output>,
    ) {
        if let Some(kept) = self.transactions.kept(from, request.id, octets) {
            let kept = kept.to_vec();
            return self.send(from, kept, out);
        }
        let id = request.id;
        let mut done = Vec::new();
        let outcome = if self.association.obeys(from) {
            self.execute(now, request, &mut done)
        } else {
            Outcome::Error(megaco::ErrorCode::UNAUTHORIZED_ENTITY.into())
        };
        let reply = self.encode_reply(id, outcome);
        self.transactions.keep(now, from, id, octets, reply.clone());
        // Ports are open before anybody hears of them; what happens by the request is told behind
        // its reply.
        let (after, before): (Vec<_>, Vec<_>) = done
            .into_iter()
            .partition(|output| matches!(output, Output::Send(_)));
        out.extend(before);
        self.send(from, reply, out);
        out.extend(after);
    }

    /// A controller's answer.
    fn reply(
        &mut self,
        now: Duration,
        from: SocketAddrV4,
        reply: TransactionReply,
        out: &mut Vec<Output>,
    ) {
        if reply.immediate_ack {
            let range = AckRange {
                first: reply.id,
                last: reply.id,
            };
            let bytes = self.encode(Transaction::Ack(vec![range]));
            self.send(from, bytes, out);
        }
        match self.transactions.replied(reply.id) {
            Some(Purpose::Register(began)) => {
                self.registration_answered(now, began, &reply.outcome, out)
            }
            Some(Purpose::Notify(_)) => self.notify_answered(now, &reply.outcome, out),
            Some(Purpose::Farewell) | None => {}
        }
    }

    /// Sends a request to a controller.
    pub(super) fn ask(
        &mut self,
        now: Duration,
        to: SocketAddrV4,
        context: megaco::ContextId,
        command: CommandRequest,
        what: Purpose,
        out: &mut Vec<Output>,
    ) {
        let id = self.transactions.number();
        let actions = vec![ActionRequest::new(context, vec![command])];
        let bytes = self.encode(Transaction::Request(TransactionRequest { id, actions }));
        self.transactions.sent(now, id, to, bytes.clone(), what);
        self.send(to, bytes, out);
    }

    fn encode_reply(&self, id: u32, outcome: Outcome) -> Vec<u8> {
        self.encode(Transaction::Reply(TransactionReply {
            id,
            segment: None,
            immediate_ack: false,
            outcome,
        }))
    }

    fn encode(&self, transaction: Transaction) -> Vec<u8> {
        let message = Message {
            auth: None,
            version: self.version,
            mid: self.mid.clone(),
            body: Body::Transactions(vec![transaction]),
        };
        encode(&message, Style::Compact)
    }

    fn send(&self, to: SocketAddrV4, bytes: Vec<u8>, out: &mut Vec<Output>) {
        self.trace("sent", to, &bytes, out);
        let port = self.streams.common().ports.signalling();
        out.push(Output::Send(Datagram { port, to, bytes }));
    }

    fn trace(
        &self,
        direction: &'static str,
        peer: SocketAddrV4,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        if self.settings.trace {
            let text = String::from_utf8_lossy(bytes).into_owned();
            out.push(Output::Tell(
                None,
                Event::Trace {
                    direction,
                    peer,
                    text,
                },
            ));
        }
    }

    pub(super) fn error(&self, what: &str, code: Option<u16>, out: &mut Vec<Output>) {
        let what = what.to_owned();
        out.push(Output::Tell(None, Event::Error { what, code }));
    }

    /// When there is something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let terminations = self
            .terminations
            .values()
            .filter_map(Termination::poll_timeout);
        let presses = self.users.iter().filter_map(|user| user.next_press);
        let others = [
            self.transactions.poll_timeout(),
            self.association.poll_timeout(),
            self.streams.poll_timeout(),
            self.inactive_at(),
        ];
        terminations
            .chain(presses)
            .chain(others.into_iter().flatten())
            .min()
    }

    /// What is due by now.
    pub fn handle_timeout(&mut self, now: Duration, out: &mut Vec<Output>) {
        self.streams.handle_timeout(now, out);
        for due in self.transactions.handle_timeout(now) {
            match due {
                Due::Again(to, bytes) => self.send(to, bytes, out),
                Due::GaveUp(to, what) => self.gave_up(now, to, what, out),
            }
        }
        let ask = self.association.handle_timeout(now);
        self.register(now, ask, out);
        self.happen_by_time(now, out);
        self.settle(out);
    }

    /// As it was when it was switched on; users' hands stay where they are.
    fn reset(&mut self, now: Duration, out: &mut Vec<Output>) {
        self.transactions.drain();
        self.unsent.clear();
        let all: Vec<Name> = self.terminations.keys().cloned().collect();
        for name in all {
            self.leave(now, &name, out);
        }
        self.contexts.clear();
        self.root = Termination::new(Kind::Root);
        for termination in self.terminations.values_mut() {
            *termination = Termination::new(termination.kind);
            termination.service = ServiceState::InService;
        }
        self.version = 1;
    }
}
