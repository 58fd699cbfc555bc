//! A small user agent: registers, calls and is called. For simulated phones.
//!
//! ```text
//!   register --> REGISTER, 401, REGISTER --> Registered .. again before it ends
//!   call     --> INVITE --> Progress .. Answered (ACK) --> hang_up: BYE --> Ended
//!                        `--> hang_up: CANCEL --> Ended
//!   INVITE   --> Incoming --> ring, answer (200 until ACK) --> Confirmed --> BYE --> Ended
//!                         `--> refuse --> Ended
//! ```
//! Descriptions (SDP) are bytes for the caller to make and read. Every call that was begun or
//! told of is [`Event::Ended`] once.
//!
//! | file | what it does |
//! |---|---|
//! | `dialog.rs` | what both ends remember of each other |
//! | `register.rs` | registration |
//! | `outgoing.rs` | what the user wants |
//! | `incoming.rs` | requests of the other end |
//! | `outcome.rs` | answers of the other end, timers |

mod dialog;
mod incoming;
mod outcome;
mod outgoing;
mod register;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use crate::auth::Login;
use crate::message::{Limits, Message, Method, Name, Request, Response, Status, is_keep_alive};
use crate::transaction::{self, ClientId, Output, ServerId, Transactions};
use crate::transport::Peer;
use crate::via::COOKIE;
pub use dialog::Dialog;

/// Who it is.
#[derive(Clone, Debug)]
pub struct AgentSettings {
    /// User of its address of record.
    pub user: String,
    /// Host of its address of record.
    pub domain: String,
    /// For digest authentication, with `user` as its name.
    pub password: String,
    /// Registrar and outbound proxy.
    pub server: Peer,
    /// Where it listens; stands in Via and Contact.
    pub local: Peer,
    /// How long registrations last, if the registrar agrees.
    pub expires: Duration,
    /// Calls at a time; one more is told 486.
    pub lines: usize,
    /// User-Agent.
    pub agent: String,
    /// Makes tags, branches and Call-IDs differ: another one for each phone and start.
    pub seed: u64,
    /// Timers.
    pub transactions: transaction::Settings,
}

/// A call, of either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallNumber(u64);

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// This end hung up, cancelled or refused.
    Local,
    /// The other end hung up.
    Remote,
    /// The caller gave up before there was an answer.
    Cancelled,
    /// The call was refused with this code.
    Refused(Status),
    /// Nothing was heard in time.
    TimedOut,
    /// It could not be sent.
    Unreachable,
}

/// What is to be done or known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what is not sent or heeded is lost"]
pub enum Event {
    /// Send these bytes; if that fails and there is a client, tell [`Agent::unreachable`].
    Send {
        /// Where to.
        to: Peer,
        /// One whole message.
        bytes: Arc<[u8]>,
        /// The request that it is.
        client: Option<ClientId>,
    },
    /// Registered, for so long.
    Registered {
        /// What the registrar granted.
        expires: Duration,
    },
    /// No longer registered, as wanted.
    Unregistered,
    /// Not registered. Tried again after a while.
    RegisterFailed {
        /// The registrar's answer, if there was one.
        status: Option<Status>,
    },
    /// Somebody calls.
    Incoming {
        /// The call.
        call: CallNumber,
        /// The caller's URI.
        from: String,
        /// The caller's display name.
        name: String,
        /// The offer; empty if there is none.
        offer: Vec<u8>,
    },
    /// A provisional answer but 100.
    Progress {
        /// The call.
        call: CallNumber,
        /// 180, 183 ..
        status: Status,
        /// A description, mostly empty.
        body: Vec<u8>,
    },
    /// The other end has answered, to the call or to [`Agent::reoffer`].
    Answered {
        /// The call.
        call: CallNumber,
        /// Its description.
        body: Vec<u8>,
    },
    /// The caller knows that this end has answered.
    Confirmed {
        /// The call.
        call: CallNumber,
        /// A description, if this end made the offer.
        body: Vec<u8>,
    },
    /// The other end wants to change the session: to be answered with [`Agent::answer`] or
    /// [`Agent::refuse`].
    Reoffer {
        /// The call.
        call: CallNumber,
        /// The offer; empty if this end is to make one.
        offer: Vec<u8>,
    },
    /// The other end refused to change the session; it goes on as it was.
    ReofferRefused {
        /// The call.
        call: CallNumber,
        /// Why.
        status: Status,
    },
    /// The call is over.
    Ended {
        /// The call.
        call: CallNumber,
        /// Why.
        cause: Cause,
    },
}

/// What a request that was sent is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Register,
    Invite(CallNumber),
    /// A request whose answer changes nothing.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// This end calls.
    Calling,
    /// The other end calls.
    Called,
    /// Answered.
    Up,
    /// To end as soon as it may.
    Ending,
}

#[derive(Debug)]
struct Call {
    dialog: Dialog,
    state: State,
    /// The INVITE under way, for a second try with credentials.
    invite: Option<(ClientId, Request)>,
    /// The other end's INVITE that waits for an answer.
    asked: Option<(ServerId, Request)>,
    /// A 2xx that waits for its ACK.
    accepted: Option<Accepted>,
    /// The ACK for the last 2xx: sent again with each repetition.
    ack: Option<(Peer, Arc<[u8]>)>,
}

#[derive(Debug)]
struct Accepted {
    id: ServerId,
    response: Response,
    again: Duration,
    interval: Duration,
    ends: Duration,
}

/// A user agent.
#[derive(Debug)]
pub struct Agent {
    settings: AgentSettings,
    transactions: Transactions,
    registration: register::Registration,
    /// For calls; a proxy may have another realm than the registrar.
    login: Login,
    calls: BTreeMap<CallNumber, Call>,
    purposes: BTreeMap<ClientId, Purpose>,
    /// Calls and identifiers made so far.
    made: u64,
}

impl Agent {
    /// Not registered, no calls.
    #[must_use]
    pub fn new(settings: AgentSettings) -> Self {
        let login = || Login::new(&settings.user, &settings.password, settings.seed);
        let timers = transaction::Settings {
            refuse_merged: true,
            ringing: None,
            ..settings.transactions
        };
        Self {
            transactions: Transactions::new(timers),
            registration: register::Registration::new(login(), settings.seed),
            login: login(),
            calls: BTreeMap::new(),
            purposes: BTreeMap::new(),
            made: 0,
            settings,
        }
    }

    /// A datagram, or a message of a stream.
    pub fn handle(&mut self, now: Duration, from: Peer, bytes: Vec<u8>) -> Vec<Event> {
        let mut events = Vec::new();
        if is_keep_alive(&bytes) {
            return events;
        }
        match Message::parse(bytes, &Limits::default()) {
            Ok(message) => {
                let outputs = self.transactions.handle(now, from, message);
                self.outputs(now, outputs, &mut events);
            }
            Err(refusal) => {
                if let Some(answer) = refusal.answer() {
                    let bytes = answer.encode().into();
                    events.push(Event::Send {
                        to: from,
                        bytes,
                        client: None,
                    });
                }
            }
        }
        events
    }

    /// A request could not be sent.
    pub fn unreachable(&mut self, now: Duration, client: ClientId) -> Vec<Event> {
        let mut events = Vec::new();
        let outputs = self.transactions.unreachable(now, client);
        self.outputs(now, outputs, &mut events);
        events
    }

    /// Calls there are now.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Calls and transactions are all over.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty() && self.transactions.is_empty()
    }

    /// Heeds what the transactions say.
    fn outputs(&mut self, now: Duration, outputs: Vec<Output>, events: &mut Vec<Event>) {
        for output in outputs {
            match output {
                Output::Send { to, bytes, client } => {
                    events.push(Event::Send { to, bytes, client })
                }
                Output::Request { id, request, .. } => self.request(now, id, request, events),
                Output::Cancel { id, .. } => self.cancelled(now, id, events),
                Output::Ack { request, .. } => self.acknowledged(now, &request, events),
                Output::Response { id, response, .. } => self.response(now, id, &response, events),
                Output::Stray { response, .. } => self.stray(&response, events),
                Output::TimedOut { id } => self.failed(now, id, Cause::TimedOut, events),
                Output::Unreachable { id } => self.failed(now, id, Cause::Unreachable, events),
                Output::ClientOver { id } => drop(self.purposes.remove(&id)),
                Output::NoAnswer { .. }
                | Output::Unacknowledged { .. }
                | Output::ServerOver { .. } => {}
            }
        }
    }

    /// Sends a request within or without a dialog, with Via and Contact.
    fn send(
        &mut self,
        now: Duration,
        mut request: Request,
        purpose: Purpose,
        events: &mut Vec<Event>,
    ) -> Option<(ClientId, Request)> {
        self.complete(&mut request);
        let to = self.hop(&request);
        let kept = request.clone();
        // Neither limit nor branch can be in the way of a phone.
        let (id, outputs) = self.transactions.send(now, to, request).ok()?;
        self.purposes.insert(id, purpose);
        self.outputs(now, outputs, events);
        Some((id, kept))
    }

    /// Where a request goes: by its route, else through the outbound proxy.
    fn hop(&self, request: &Request) -> Peer {
        let routed = request.fields.value(Name::Route).is_some();
        let hop = routed
            .then(|| crate::proxy::next_hop(request, None))
            .flatten();
        hop.unwrap_or(self.settings.server)
    }

    /// Adds what each request of this end has.
    fn complete(&mut self, request: &mut Request) {
        let branch = self.unique();
        let local = self.settings.local;
        let via = format!(
            "SIP/2.0/{} {};rport;branch={COOKIE}{branch}",
            local.transport.as_str(),
            local.address
        );
        request.fields.remove(Name::Via);
        request.fields.push_front(Name::Via, via);
        if !matches!(request.method, Method::Ack | Method::Bye | Method::Register) {
            request.fields.set(Name::Contact, self.contact());
        }
        if !matches!(request.method, Method::Ack) {
            request.fields.set(Name::UserAgent, &self.settings.agent);
        }
    }

    fn contact(&self) -> String {
        let (user, local) = (&self.settings.user, self.settings.local);
        let transport = match local.transport {
            crate::Transport::Udp => String::new(),
            other => format!(";transport={}", other.param()),
        };
        format!("<sip:{user}@{}{transport}>", local.address)
    }

    fn address(&self) -> String {
        format!("<sip:{}@{}>", self.settings.user, self.settings.domain)
    }

    /// Letters that no other call of this crate's user has.
    fn unique(&mut self) -> String {
        self.made += 1;
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.settings.seed);
        hasher.write_u64(self.made);
        hasher.write(self.settings.user.as_bytes());
        format!("{:016x}", hasher.finish())
    }
}
