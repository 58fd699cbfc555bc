//! The switch: what gateways say comes in, what they are told comes out.
//!
//! ```text
//!   ServiceChange --> register.rs --commit--> reply, audit
//!   Notify ---------> hook.rs ------+
//!                                   v
//!      off-hook, digits --> calls.rs: seize --> offer --> ringing --> answered --commit--> talking
//!                                   |                                                        |
//!                                   +---------------------- release.rs <---------------------+
//!   replies --> replies.rs --> the step they belong to                 on-hook, failure, time
//! ```
//!
//! A line is told one thing at a time: what follows waits in its queue (lines.rs) for the reply.
//!
//! | file | what it does |
//! |---|---|
//! | `register.rs` | who may register; restarts, departures |
//! | `hook.rs` | events of lines |
//! | `lines.rs` | what lines are told, one by one |
//! | `replies.rs` | what becomes of it |
//! | `calls.rs` | a call on its way up |
//! | `release.rs` | a call on its way down |
//! | `again.rs` | a restart that comes again: a doubled message, or a phone that started twice |
//! | `theirs.rs` | what is a gateway's: calls, questions; gateways of one phone or address |
//! | `call.rs` | what is known of a call |
//! | `sip/` | the same with those who speak SIP |
//! | `restore.rs` | after a start: what the store says, and what gateways still have |
//! | `timeout.rs` | time passes |
//! | `ladder.rs` | what was said, for people |

mod again;
mod call;
mod calls;
mod hook;
mod ladder;
mod lines;
mod register;
mod release;
mod replies;
mod restore;
mod sip;
mod theirs;
mod timeout;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use megaco::{ActionReply, ActionRequest, ErrorDescriptor, TerminationId};

use crate::counters::Counters;
use crate::dial_plan::{DialPlan, Number};
use crate::identity::GatewayId;
use crate::record::{CallId, CallRecord, KeptCall, LiveCall, Side};
use crate::registration::{Origin, Peer, Registration};
use crate::settings::{Owner, Settings};
use crate::sip::Account;

use call::{Call, End, Ending, LineRef, Made, Target, Who};
pub use ladder::Rung;
pub use register::Heard;

/// Time since 1970, by a clock that never goes back.
pub type Time = Duration;

/// A question to a gateway, until it is answered.
pub type Ticket = u64;

/// What is to be on disk together; the caller says when it is ([`Switch::committed`]).
pub type CommitId = u64;

/// A request of a gateway's that is answered later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestKey(pub u64);

/// What the store is to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A registration, instead of the gateway's former one.
    Register(Box<Registration>),
    /// It is forgotten.
    Forget(GatewayId),
    /// An established call.
    Keep(Box<KeptCall>),
    /// It is over.
    Over(CallId),
    /// Where a user of SIP is, instead of what was kept of the user; with no device, it is forgotten.
    Account(Arc<Account>),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask a gateway; the answer goes to [`Switch::answered`].
    Ask {
        /// Which question.
        ticket: Ticket,
        /// Who.
        gateway: GatewayId,
        /// Where it is.
        peer: Peer,
        /// The version it speaks.
        version: u8,
        /// What is asked.
        actions: Vec<ActionRequest>,
    },
    /// Answer a gateway's request.
    Answer {
        /// Which request.
        request: RequestKey,
        /// The answer.
        actions: Vec<ActionReply>,
    },
    /// Write this.
    Commit {
        /// For [`Switch::committed`].
        id: CommitId,
        /// All or nothing.
        changes: Vec<Change>,
    },
    /// A call is over.
    Ended(Box<CallRecord>),
    /// Send a SIP message. If that fails and there is a client, tell [`Switch::sip_unreachable`].
    Sip {
        /// Where to, and from which of our addresses. For a stream: on the connection with this
        /// other end, or on a new one.
        to: ::sip::Peer,
        /// One whole message.
        bytes: Arc<[u8]>,
        /// The request that it is.
        client: Option<::sip::transaction::ClientId>,
    },
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The gateway has not answered in time.
    Silent,
    /// It has refused the transaction.
    Refused(ErrorDescriptor),
}

/// What a line is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LineState {
    /// It is hung up.
    Idle,
    /// It is lifted, and digits come.
    Dialling { digits: String, heard: Time },
    /// It has a call.
    Call(CallId, Side),
    /// Its call is over, and it is still lifted.
    Over,
}

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) state: LineState,
    /// What it is to be told when it has answered.
    queue: VecDeque<(ActionRequest, Step)>,
    asked: Option<Ticket>,
    /// Number of the last events asked for: others are old. 0: asked for before the switch was
    /// started.
    request: u32,
    /// The next one.
    next_request: u32,
}

#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) registration: Registration,
    pub(crate) lines: BTreeMap<TerminationId, Line>,
    /// When something came from it last.
    pub(crate) heard: Time,
    /// Calls that it has an end of, and questions that it has not answered.
    calls: BTreeSet<CallId>,
    asked: BTreeSet<Ticket>,
}

impl Step {
    /// The call it belongs to.
    const fn call(&self) -> Option<CallId> {
        match self {
            Self::Seize(call)
            | Self::Offer(call)
            | Self::Connect(call)
            | Self::Change(call)
            | Self::Clear(call, _) => Some(*call),
            Self::Tell
            | Self::Late
            | Self::Stray
            | Self::Lines
            | Self::Contexts
            | Self::Armed(..) => None,
        }
    }
}

/// What an answer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing depends on it; something newer takes its place.
    Tell,
    /// A context goes that a call got after it was over.
    Late,
    /// A context goes that is no call's: its line may do something again.
    Stray,
    Lines,
    Contexts,
    /// Whether a line still waits for the events of this number.
    Armed(TerminationId, u32),
    Seize(CallId),
    Offer(CallId),
    Connect(CallId),
    /// The other end wants other media.
    Change(CallId),
    Clear(CallId, Side),
}

#[derive(Debug)]
struct Asked {
    gateway: GatewayId,
    /// Whose queue waits for it.
    line: Option<TerminationId>,
    step: Step,
    at: Time,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Unanswered(CallId),
    NextDigit(GatewayId, TerminationId),
    Silent(GatewayId),
    /// After a start: what has it?
    Greet(GatewayId),
    /// An answer by SIP that nobody has acknowledged.
    Again(CallId),
    /// Registrations of a user of SIP.
    Account(String),
    /// A call between two who speak SIP, of which nothing is ever heard.
    Longest(CallId),
}

#[derive(Debug)]
enum After {
    Nothing,
    /// A registration is answered, and its gateway asked what it has.
    Registered(GatewayId, RequestKey, Vec<ActionReply>),
    /// Both ends of a call are connected.
    Connect(CallId),
    /// A request of SIP is answered.
    Answer(::sip::transaction::ServerId, Box<::sip::Response>),
}

/// A soft switch without sockets, clock, disk and chance.
#[derive(Debug)]
pub struct Switch {
    settings: Settings,
    plan: DialPlan<usize>,
    digit_map: Option<String>,
    /// Which number a line has.
    owners: BTreeMap<(Owner, TerminationId), usize>,
    gateways: BTreeMap<GatewayId, Gateway>,
    by_mac: BTreeMap<[u8; 6], GatewayId>,
    by_origin: BTreeMap<Origin, BTreeSet<GatewayId>>,
    calls: BTreeMap<CallId, Call>,
    endings: BTreeMap<CallId, Ending>,
    asked: BTreeMap<Ticket, Asked>,
    waiting: BTreeMap<CommitId, After>,
    timers: BTreeSet<(Time, Timer)>,
    outputs: VecDeque<Output>,
    sip: Option<Box<sip::Sip>>,
    secret: Option<[u8; 32]>,
    counters: Counters,
    ladder: ladder::Ladder,
    /// The time of the last call from outside.
    now: Time,
    /// When the next greeting is due, if all are to be.
    next_greeting: Time,
    next_call: CallId,
    next_ticket: Ticket,
    next_commit: CommitId,
}

impl Switch {
    /// A switch that nobody has registered with.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let lines = settings.lines.iter().enumerate();
        let plan = DialPlan::new(
            lines.map(|(at, line)| (line.number.clone(), at)),
            settings.prefixes.iter().cloned(),
        );
        let lines = settings.lines.iter().enumerate();
        let owners = lines.map(|(at, line)| ((line.owner.clone(), line.termination.clone()), at));
        Self {
            digit_map: plan.digit_map(),
            plan,
            owners: owners.collect(),
            settings,
            gateways: BTreeMap::new(),
            by_mac: BTreeMap::new(),
            by_origin: BTreeMap::new(),
            calls: BTreeMap::new(),
            endings: BTreeMap::new(),
            asked: BTreeMap::new(),
            waiting: BTreeMap::new(),
            timers: BTreeSet::new(),
            outputs: VecDeque::new(),
            sip: None,
            secret: None,
            counters: Counters::default(),
            ladder: ladder::Ladder::default(),
            now: Time::ZERO,
            next_greeting: Time::ZERO,
            next_call: 1,
            next_ticket: 1,
            next_commit: 1,
        }
    }

    /// Other settings from now on. Calls go on as they are; those on their way up have only the
    /// target that they are at.
    pub fn reconfigure(&mut self, settings: Settings) {
        let fresh = Self::new(settings);
        self.plan = fresh.plan;
        self.digit_map = fresh.digit_map;
        self.owners = fresh.owners;
        self.settings = fresh.settings;
        self.configure_sip();
        for call in self.calls.values_mut() {
            call.targets.clear();
        }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is to be done next.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Who is registered.
    pub fn registrations(&self) -> impl Iterator<Item = (&Registration, Time)> {
        let gateways = self.gateways.values();
        gateways.map(|gateway| (&gateway.registration, gateway.heard))
    }

    /// The lines of a gateway, and what each is doing.
    pub fn lines_of(&self, gateway: &GatewayId) -> impl Iterator<Item = (&TerminationId, &str)> {
        let lines = self.gateways.get(gateway).into_iter();
        let lines = lines.flat_map(|gateway| &gateway.lines);
        lines.map(|(line, there)| {
            let state = match there.state {
                LineState::Idle => "idle",
                LineState::Dialling { .. } => "dialling",
                LineState::Call(..) => "call",
                LineState::Over => "over",
            };
            (line, state)
        })
    }

    /// Calls that are under way.
    pub fn calls(&self) -> impl Iterator<Item = LiveCall> {
        self.calls.iter().map(|(id, call)| call.live(*id))
    }

    /// What was said in the last call of a number.
    #[must_use]
    pub fn trace(&self, number: &str) -> Vec<Rung> {
        self.ladder.last_call(number)
    }

    /// What was said in a call.
    #[must_use]
    pub fn trace_call(&self, call: CallId) -> Vec<Rung> {
        self.ladder.of_call(call)
    }

    /// Notes what was said to or by a line.
    fn rung(
        &mut self,
        gateway: &GatewayId,
        line: Option<&TerminationId>,
        call: Option<CallId>,
        sent: bool,
        what: String,
    ) {
        let there = self.gateways.get(gateway);
        let state = line.and_then(|line| Some(&there?.lines.get(line)?.state));
        let of_line = match state {
            Some(LineState::Call(call, _)) => Some(*call),
            _ => None,
        };
        let number = there.and_then(|there| self.number(&there.registration, line?));
        let rung = Rung {
            at: ladder::milliseconds(self.now),
            call: call.or(of_line),
            gateway: gateway.to_string(),
            line: line.map(|line| line.as_str().to_owned()),
            number: number.map(ToString::to_string),
            sent,
            what,
        };
        self.ladder.add(rung);
    }

    /// How many calls are under way.
    #[must_use]
    pub fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// The number that a line has.
    #[must_use]
    pub fn number(&self, registration: &Registration, line: &TerminationId) -> Option<&Number> {
        let by_name = Owner::Gateway(registration.id.clone());
        let by_mac = registration.mac.map(Owner::Mac);
        let mut owners = [Some(by_name), by_mac].into_iter().flatten();
        let line = owners.find_map(|owner| self.owners.get(&(owner, line.clone())))?;
        Some(&self.settings.lines[*line].number)
    }

    /// The number that a user of SIP has.
    fn number_of_user(&self, user: &str) -> Option<&Number> {
        let owner = (
            Owner::User(user.to_owned()),
            crate::settings::Line::OF_A_USER,
        );
        let line = self.owners.get(&owner)?;
        Some(&self.settings.lines[*line].number)
    }

    /// Counters since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What is to be on disk. Of very many changes each part is one by itself: a batch of the store has
    /// a limit.
    fn commit(&mut self, mut changes: Vec<Change>, after: After) {
        const MOST: usize = 64;
        while changes.len() > MOST {
            let rest = changes.split_off(MOST);
            self.commit(changes, After::Nothing);
            changes = rest;
        }
        let id = self.next_commit;
        self.next_commit += 1;
        self.waiting.insert(id, after);
        self.outputs.push_back(Output::Commit { id, changes });
    }

    /// Something is on disk now.
    pub fn committed(&mut self, now: Time, id: CommitId) {
        self.now = now;
        match self.waiting.remove(&id) {
            Some(After::Registered(gateway, request, actions)) => {
                self.outputs.push_back(Output::Answer { request, actions });
                self.greet_in_turn(now, gateway);
            }
            Some(After::Connect(call)) => self.connect(now, call),
            Some(After::Answer(request, answer)) => self.sip_respond(now, request, &answer),
            Some(After::Nothing) | None => {}
        }
    }
}

#[cfg(test)]
mod tests;
