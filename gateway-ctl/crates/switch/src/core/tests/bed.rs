//! Gateways in memory around a switch: each has lines, contexts and media, and does as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};

use megaco::{
    ActionReply, ActionRequest, Amm, AuditReply, Command, ContextId, Descriptor, ErrorCode, Method,
    Mid, Name, NotifyRequest, ObservedEvent, ObservedEvents, Octets, Parameter, PkgdName,
    RequestId, Response, ServiceChange, ServiceChangeRequest, SignalItem, Stream, TerminationId,
    Value,
};

use super::*;
use crate::address::{Share, Site, Sites};
use crate::dial_plan::Prefix;
use crate::registration::{NoLeases, Transport};
use crate::settings::{Admission, Line as LineRule, Trunk};

/// A termination of a fake gateway.
#[derive(Clone, Debug, Default)]
pub(super) struct Termination {
    pub(super) context: Option<u32>,
    pub(super) signals: Vec<String>,
    pub(super) events: Vec<String>,
    pub(super) request: u32,
    pub(super) remote: Option<String>,
    pub(super) local: Option<String>,
}

#[derive(Debug)]
pub(super) struct Fake {
    pub(super) mid: Mid,
    pub(super) peer: Peer,
    pub(super) terminations: BTreeMap<String, Termination>,
    pub(super) media: Ipv4Addr,
    next: u32,
    /// Refuses to add anything.
    pub(super) full: bool,
    /// Answers nothing.
    pub(super) dead: bool,
}

impl Fake {
    pub(super) fn id(&self) -> GatewayId {
        GatewayId::new(self.mid.clone(), *self.peer.address.ip())
    }

    pub(super) fn contexts(&self) -> usize {
        let all = self.terminations.values().filter_map(|one| one.context);
        all.collect::<BTreeSet<_>>().len()
    }

    fn apply(&mut self, action: &ActionRequest) -> ActionReply {
        let mut context = match action.context {
            ContextId::Id(context) => Some(context),
            ContextId::Choose => {
                self.next += 1;
                Some(self.next)
            }
            ContextId::Null => None,
            ContextId::All => return self.audit_all(),
        };
        let mut responses = Vec::new();
        for request in &action.commands {
            match self.command(&mut context, &request.command) {
                Ok(response) => responses.extend(response),
                Err(code) => return ActionReply::failed(action.context, code.into()),
            }
        }
        let context = context.map_or(ContextId::Null, ContextId::Id);
        ActionReply::new(context, responses)
    }

    fn audit_all(&self) -> ActionReply {
        // One context is enough for these tests.
        let used = self.terminations.iter().find_map(|(_, one)| one.context);
        let Some(context) = used else {
            return ActionReply::failed(ContextId::All, ErrorCode(431).into());
        };
        let audit = Response::AuditValue(AuditReply::Context(Vec::new()));
        ActionReply::new(ContextId::Id(context), vec![audit])
    }

    fn command(
        &mut self,
        context: &mut Option<u32>,
        command: &Command,
    ) -> Result<Vec<Response>, ErrorCode> {
        match command {
            Command::Add(_) if self.full => Err(ErrorCode::NO_TERMINATIONS),
            Command::Add(amm) => {
                let name = self.chosen(amm.terminations.first())?;
                self.told(&name, &amm.descriptors.0);
                let one = self.terminations.entry(name.clone()).or_default();
                if one.context.is_some() {
                    return Err(ErrorCode::IN_A_CONTEXT);
                }
                one.context = *context;
                let local = one.local.clone().map(|local| {
                    let media = megaco::Media {
                        state: None,
                        streams: vec![Stream {
                            id: Some(1),
                            local: Some(Octets::new(local)),
                            ..Stream::default()
                        }],
                    };
                    Descriptor::Media(media)
                });
                let id = TerminationId::new(&name).expect("a name");
                let local: Vec<Descriptor> = local.into_iter().collect();
                Ok(vec![Response::Add(Amm::new(id, local))])
            }
            Command::Modify(amm) => {
                let id = amm.terminations.first().clone();
                if id != TerminationId::Root {
                    let there = self.terminations.get(id.as_str());
                    let there = there.ok_or(ErrorCode::UNKNOWN_TERMINATION)?;
                    if there.context != *context {
                        return Err(ErrorCode(435));
                    }
                    self.told(id.as_str(), &amm.descriptors.0);
                }
                Ok(vec![Response::Modify(Amm::new(id, Vec::new()))])
            }
            Command::Subtract(audited) => {
                let all = *audited.terminations.first() == TerminationId::All;
                for id in audited.terminations.iter() {
                    let of = |name: &String, one: &Termination| {
                        one.context == *context && (all || name.as_str() == id.as_str())
                    };
                    for (name, one) in &mut self.terminations {
                        if of(name, one) {
                            one.context = None;
                        }
                    }
                }
                self.terminations
                    .retain(|name, one| !name.starts_with("rtp/") || one.context.is_some());
                let id = audited.terminations.first().clone();
                let statistic = megaco::Statistic {
                    name: PkgdName::literal("rtp/ps"),
                    value: Some(megaco::ParmValue::Is(Value::number(7))),
                };
                let counted = Descriptor::Statistics(vec![statistic]);
                Ok(vec![Response::Subtract(Amm::new(id, vec![counted]))])
            }
            Command::AuditValue(_) => {
                let lines = self
                    .terminations
                    .iter()
                    .filter(|(_, one)| one.context.is_none());
                let ids = lines.map(|(name, _)| TerminationId::new(name).expect("a name"));
                Ok(vec![Response::AuditValue(AuditReply::Context(
                    ids.collect(),
                ))])
            }
            _ => Err(ErrorCode(443)),
        }
    }

    fn chosen(&mut self, id: &TerminationId) -> Result<String, ErrorCode> {
        match id {
            TerminationId::Choose => {
                self.next += 1;
                let name = format!("rtp/{}", self.next);
                let port = 40_000 + 2 * self.next;
                let local = format!(
                    "v=0\r\nc=IN IP4 {}\r\nm=audio {port} RTP/AVP 0\r\n",
                    self.media
                );
                let one = Termination {
                    local: Some(local),
                    ..Termination::default()
                };
                self.terminations.insert(name.clone(), one);
                Ok(name)
            }
            id if id.as_str().ends_with("/$") => {
                let begin = id.as_str().trim_end_matches('$');
                let mut free = self.terminations.iter();
                let free =
                    free.find(|(name, one)| name.starts_with(begin) && one.context.is_none());
                free.map(|(name, _)| name.clone()).ok_or(ErrorCode(431))
            }
            id => {
                let there = self.terminations.contains_key(id.as_str());
                there
                    .then(|| id.as_str().to_owned())
                    .ok_or(ErrorCode::UNKNOWN_TERMINATION)
            }
        }
    }

    fn told(&mut self, name: &str, descriptors: &[Descriptor]) {
        let one = self.terminations.entry(name.to_owned()).or_default();
        for descriptor in descriptors {
            match descriptor {
                Descriptor::Signals(signals) => {
                    let names = |item: &SignalItem| match item {
                        SignalItem::Signal(signal) => vec![signal.name.to_string()],
                        SignalItem::List(list) => list
                            .signals
                            .iter()
                            .map(|signal| signal.name.to_string())
                            .collect(),
                    };
                    one.signals = signals.0.iter().flat_map(names).collect();
                }
                Descriptor::Events(events) => {
                    if let Some(RequestId::Id(request)) = events.request {
                        one.request = request;
                    }
                    let names = events.events.iter().map(|event| event.name.to_string());
                    one.events = names.collect();
                }
                Descriptor::Media(media) => {
                    let remote = media
                        .streams
                        .first()
                        .and_then(|stream| stream.remote.as_ref());
                    if let Some(remote) = remote {
                        one.remote = Some(String::from_utf8_lossy(remote.as_bytes()).into());
                    }
                }
                _ => {}
            }
        }
    }
}

/// A switch and its gateways.
pub(super) struct Bed {
    pub(super) switch: Switch,
    settings: Settings,
    pub(super) fakes: Vec<Fake>,
    pub(super) now: Time,
    /// What is on disk.
    pub(super) registrations: BTreeMap<GatewayId, Registration>,
    pub(super) kept: BTreeMap<CallId, KeptCall>,
    pub(super) records: Vec<CallRecord>,
    /// Questions that were not handed over yet, when they are held.
    pub(super) held: VecDeque<Output>,
    pub(super) hold: bool,
    next_request: u64,
}

pub(super) const HERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
pub(super) const THERE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
pub(super) const TRUNKS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 80);

/// Two phones of one site (5001, 5002), one of another (5003), two trunk gateways.
pub(super) fn bed() -> Bed {
    let phone = |private: u8, public: Ipv4Addr, port: u16| {
        let private = Ipv4Addr::new(10, 10, 1, private);
        fake(
            Mid::Address(private.into(), Some(2944)),
            public,
            port,
            private,
            "line1",
        )
    };
    let trunk = |last: u8| {
        let address = Ipv4Addr::from(u32::from(TRUNKS) + u32::from(last));
        fake(
            Mid::Address(address.into(), None),
            address,
            2944,
            address,
            "trunk/1",
        )
    };
    // The phone of the other site has the same private address as the first.
    let fakes = vec![
        phone(1, HERE, 40_000),
        phone(2, HERE, 40_064),
        phone(1, THERE, 40_000),
        trunk(0),
        trunk(1),
    ];
    let line = |number: &str, fake: &Fake| LineRule {
        number: number.parse().expect("a number"),
        owner: Owner::Gateway(fake.id()),
        termination: TerminationId::new("line1").expect("a name"),
    };
    let to = |name: &str, fake: &Fake| Trunk {
        name: name.to_owned(),
        gateway: fake.id(),
        termination: TerminationId::new("trunk/$").expect("a name"),
    };
    let settings = Settings {
        admission: Admission::Listed,
        lines: vec![
            line("5001", &fakes[0]),
            line("5002", &fakes[1]),
            line("5003", &fakes[2]),
        ],
        prefixes: vec![Prefix {
            digits: "0".parse().expect("a number"),
            strip: 1,
            trunks: vec!["first".to_owned(), "second".to_owned()],
            follow: (3, 15),
        }],
        trunks: vec![to("first", &fakes[3]), to("second", &fakes[4])],
        sites: Sites::new(vec![Site {
            name: "here".to_owned(),
            shares: vec![Share::whole(HERE)],
            reachable: true,
        }])
        .expect("one site"),
        ..Settings::default()
    };
    let mut bed = Bed {
        switch: Switch::new(settings.clone()),
        settings,
        fakes,
        now: Time::from_secs(1_000_000),
        registrations: BTreeMap::new(),
        kept: BTreeMap::new(),
        records: Vec::new(),
        held: VecDeque::new(),
        hold: false,
        next_request: 1,
    };
    for at in 0..bed.fakes.len() {
        bed.register(at, Method::Restart);
    }
    bed
}

fn fake(mid: Mid, public: Ipv4Addr, port: u16, media: Ipv4Addr, line: &str) -> Fake {
    Fake {
        mid,
        peer: Peer {
            address: SocketAddrV4::new(public, port),
            local: Ipv4Addr::LOCALHOST,
            transport: Transport::Udp,
        },
        terminations: [(line.to_owned(), Termination::default())].into(),
        media,
        next: 0,
        full: false,
        dead: false,
    }
}

impl Bed {
    pub(super) fn register(&mut self, at: usize, method: Method) {
        if method == Method::Restart {
            let fake = &mut self.fakes[at];
            fake.terminations
                .retain(|name, _| !name.starts_with("rtp/"));
            for one in fake.terminations.values_mut() {
                *one = Termination::default();
            }
        }
        let change = ServiceChange::new(method, 901);
        let command = Command::ServiceChange(ServiceChangeRequest {
            terminations: TerminationId::Root.into(),
            change,
        });
        let action = ActionRequest::new(ContextId::Null, vec![command.into()]);
        assert_eq!(self.request(at, action), Heard::Later);
        self.run();
    }

    pub(super) fn request(&mut self, at: usize, action: ActionRequest) -> Heard {
        let (peer, mid) = (self.fakes[at].peer, self.fakes[at].mid.clone());
        let key = RequestKey(self.next_request);
        self.next_request += 1;
        self.switch
            .asked(self.now, &NoLeases, peer, &mid, vec![action], key)
    }

    /// An event of a line, with the number of what was asked for.
    pub(super) fn event(&mut self, at: usize, line: &str, event: &str, digits: Option<&str>) {
        let one = &self.fakes[at].terminations[line];
        let mut observed = ObservedEvent::from(PkgdName::new(event).expect("an event"));
        if let Some(digits) = digits {
            let value = Value::quoted(digits).expect("digits");
            observed.parameters = vec![Parameter::new(Name::literal("ds"), value)];
        }
        let notify = Command::Notify(NotifyRequest {
            terminations: TerminationId::new(line).expect("a name").into(),
            observed: ObservedEvents {
                request: RequestId::Id(one.request),
                events: vec![observed],
            },
            error: None,
        });
        let context = one.context.map_or(ContextId::Null, ContextId::Id);
        let action = ActionRequest::new(context, vec![notify.into()]);
        assert!(matches!(self.request(at, action), Heard::Answer(_)));
        self.run();
    }

    pub(super) fn lift(&mut self, at: usize) {
        self.event(at, "line1", "al/of", None);
    }

    pub(super) fn hang_up(&mut self, at: usize) {
        self.event(at, "line1", "al/on", None);
    }

    pub(super) fn dial(&mut self, at: usize, digits: &str) {
        self.lift(at);
        self.event(at, "line1", "dd/ce", Some(digits));
    }

    /// What a line signals.
    pub(super) fn signal(&self, at: usize) -> &str {
        let line = &self.fakes[at].terminations["line1"];
        line.signals.first().map_or("", |signal| signal)
    }

    /// The address of the other end that a phone sends its media to.
    pub(super) fn sends_to(&self, at: usize) -> Option<String> {
        let mut all = self.fakes[at].terminations.iter();
        let (_, media) = all.find(|(name, _)| name.starts_with("rtp/"))?;
        let remote = media.remote.as_ref()?;
        let line = remote.lines().find(|line| line.starts_with("c="))?;
        Some(line.trim_start_matches("c=IN IP4 ").to_owned())
    }

    pub(super) fn pass(&mut self, time: Time) {
        self.now += time;
        self.switch.handle_timeout(self.now);
        self.run();
    }

    pub(super) fn kill(&mut self) {
        self.held.clear();
        self.switch = Switch::new(self.settings.clone());
        let registrations = self.registrations.values().cloned().collect::<Vec<_>>();
        let kept = self.kept.values().cloned().collect::<Vec<_>>();
        self.switch.restore(self.now, registrations, kept);
        self.pass(Time::from_secs(1));
    }

    /// Does all that is to be done.
    pub(super) fn run(&mut self) {
        while let Some(output) = self.switch.next_output() {
            match output {
                Output::Ask { .. } if self.hold => self.held.push_back(output),
                Output::Ask { .. } => self.ask(output),
                Output::Answer { .. } => {}
                Output::Commit { id, changes } => {
                    self.write(changes);
                    self.switch.committed(self.now, id);
                }
                Output::Ended(record) => self.records.push(*record),
            }
        }
    }

    pub(super) fn let_go(&mut self) {
        self.hold = false;
        while let Some(output) = self.held.pop_front() {
            self.ask(output);
        }
        self.run();
    }

    fn ask(&mut self, output: Output) {
        let Output::Ask {
            ticket,
            gateway,
            actions,
            ..
        } = output
        else {
            return;
        };
        let fake = self.fakes.iter_mut().find(|fake| fake.id() == gateway);
        let fake = fake.expect("a gateway");
        let answer = match fake.dead {
            true => Err(NoAnswer::Silent),
            false => Ok(actions.iter().map(|action| fake.apply(action)).collect()),
        };
        self.switch.answered(self.now, ticket, answer);
    }

    fn write(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Register(one) => drop(self.registrations.insert(one.id.clone(), *one)),
                Change::Forget(id) => drop(self.registrations.remove(&id)),
                Change::Keep(call) => drop(self.kept.insert(call.id, *call)),
                Change::Over(id) => drop(self.kept.remove(&id)),
            }
        }
    }

    /// Nobody has a call, and nothing is left of one.
    pub(super) fn check_quiet(&self) {
        for fake in self.fakes.iter().filter(|fake| !fake.dead) {
            assert_eq!(fake.contexts(), 0, "{}: {:?}", fake.id(), fake.terminations);
        }
        assert!(self.switch.calls.is_empty() && self.switch.endings.is_empty());
        assert!(self.kept.is_empty(), "{:?}", self.kept);
        assert!(self.switch.asked.is_empty(), "{:?}", self.switch.asked);
    }
}

impl Bed {
    /// A gateway says that it is there.
    pub(super) fn beat(&mut self, at: usize) {
        let (peer, mid) = (self.fakes[at].peer, self.fakes[at].mid.clone());
        self.switch.is_heard(self.now, &NoLeases, peer, &mid);
    }
}
