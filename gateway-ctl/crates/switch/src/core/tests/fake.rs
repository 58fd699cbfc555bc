//! A media gateway in memory: it has lines, contexts and media, and does as it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};

use megaco::{
    ActionReply, ActionRequest, Amm, AuditItem, AuditReply, Command, ContextId, Descriptor,
    ErrorCode, Events, Mid, Octets, PkgdName, RequestId, Response, SignalItem, Stream,
    TerminationId, Value,
};

use crate::identity::GatewayId;
use crate::registration::{Peer, Transport};

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

    /// It forgets all that it was told.
    pub(super) fn reboot(&mut self) {
        self.terminations
            .retain(|name, _| !name.starts_with("rtp/"));
        for one in self.terminations.values_mut() {
            *one = Termination::default();
        }
    }

    pub(super) fn contexts(&self) -> usize {
        let all = self.terminations.values().filter_map(|one| one.context);
        all.collect::<BTreeSet<_>>().len()
    }

    pub(super) fn apply(&mut self, action: &ActionRequest) -> ActionReply {
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
            Command::AuditValue(audited)
                if audited.audit.as_deref() == Some(&[AuditItem::Events][..]) =>
            {
                let id = audited.terminations.first().clone();
                let one = self.terminations.get(id.as_str());
                let one = one.ok_or(ErrorCode::UNKNOWN_TERMINATION)?;
                let events = match one.events.is_empty() {
                    true => Events {
                        request: None,
                        events: Vec::new(),
                    },
                    false => Events::new(one.request, Vec::new()),
                };
                let told = Amm::new(id, vec![Descriptor::Events(events)]);
                let told = AuditReply::Terminations(told);
                Ok(vec![Response::AuditValue(told)])
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

pub(super) fn fake(mid: Mid, public: Ipv4Addr, port: u16, media: Ipv4Addr, line: &str) -> Fake {
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
