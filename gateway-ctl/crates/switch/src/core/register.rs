//! Who may register; restarts, departures.

use std::net::{Ipv4Addr, SocketAddrV4};

use megaco::{
    ActionReply, ActionRequest, ChangeAddress, Command, ContextId, ErrorCode, ErrorDescriptor,
    Method, Mid, Response, ServiceChange, ServiceChangeReply, ServiceChangeRequest,
    ServiceChangeResult, TerminationId,
};

use super::{After, Change, Gateway, Line, LineState, RequestKey, Step, Switch, Time, Timer};
use crate::address::Place;
use crate::h248::commands;
use crate::identity::GatewayId;
use crate::registration::{Leased, Leases, Origin, Peer, Registration, Service};
use crate::settings::{Admission, Owner};

/// The highest version that is spoken here.
const VERSION: u8 = 3;
/// Gateways are greeted so far apart, when many register: 4,000 in a second.
const GREETING: Time = Time::from_micros(250);
/// So many may be greeted in a moment.
const AT_ONCE: u32 = 64;

/// What a gateway's request is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// These actions.
    Answer(Vec<ActionReply>),
    /// The answer comes with [`super::Output::Answer`].
    Later,
    /// An error instead of all actions.
    Refuse(ErrorDescriptor),
}

/// Who asks, and where it is.
pub(super) struct Asker {
    pub(super) id: GatewayId,
    pub(super) peer: Peer,
    place: Place,
    leased: Option<Leased>,
}

impl Switch {
    /// A request of a gateway's. `request` names it, should it be answered later.
    pub fn asked(
        &mut self,
        now: Time,
        leases: &dyn Leases,
        peer: Peer,
        mid: &Mid,
        actions: Vec<ActionRequest>,
        request: RequestKey,
    ) -> Heard {
        self.now = now;
        let asker = asker(leases, peer, mid);
        if let Some(change) = root_change(&actions) {
            let change = change.clone();
            return self.service_change(now, asker, &change, request);
        }
        let Some(there) = self.gateways.get_mut(&asker.id) else {
            return Heard::Refuse(ErrorDescriptor::new(
                ErrorCode(505),
                "register first: ServiceChange on ROOT",
            ));
        };
        if there.registration.peer.address.ip() != peer.address.ip() {
            self.counters.strangers += 1;
            let text = "registered from another address: register again";
            return Heard::Refuse(ErrorDescriptor::new(ErrorCode(505), text));
        }
        // Its port may have changed on the way, and answers go where it speaks from.
        there.registration.peer = peer;
        there.heard = now;
        Heard::Answer(self.requested(now, &asker.id, actions))
    }

    /// Something came from a gateway: it is there.
    pub fn is_heard(&mut self, now: Time, leases: &dyn Leases, peer: Peer, mid: &Mid) {
        let asker = asker(leases, peer, mid);
        if let Some(there) = self.gateways.get_mut(&asker.id)
            && there.registration.peer == peer
        {
            there.heard = now;
        }
    }

    fn service_change(
        &mut self,
        now: Time,
        asker: Asker,
        change: &ServiceChange,
        request: RequestKey,
    ) -> Heard {
        self.counters.service_changes += 1;
        if !self.admits(&asker) {
            self.counters.unknown += 1;
            let error = ErrorDescriptor::from(ErrorCode::UNAUTHORIZED);
            return Heard::Refuse(error);
        }
        if !self.has_room(&asker) {
            self.counters.too_many += 1;
            let text = "too many registrations from one phone or address";
            return Heard::Refuse(ErrorDescriptor::new(ErrorCode(510), text));
        }
        let wanted = change.version.unwrap_or(1);
        if wanted == 0 {
            return Heard::Refuse(ErrorCode::VERSION.into());
        }
        let version = wanted.min(VERSION);
        let service = match change.method {
            Method::Graceful => Service::Leaving,
            Method::Forced => Service::Down,
            _ => Service::Up,
        };
        // Whoever restarts has lost its contexts; whoever was only disconnected has not.
        let lost = matches!(change.method, Method::Restart | Method::Forced);
        if lost && self.gateways.contains_key(&asker.id) {
            self.forget_questions(&asker.id);
            self.lose_calls(now, &asker.id, |_| true);
        }
        let id = asker.id.clone();
        let mut registration = registration(asker, change, version, service, now);
        if let Some(there) = self.gateways.get_mut(&id) {
            // Most have the same ones again; it is asked.
            registration.lines = std::mem::take(&mut there.registration.lines);
        }
        self.enter(now, registration.clone());
        let accepted = ServiceChangeResult::Accepted {
            address: None,
            mgc: None,
            profile: None,
            version: change.version.map(|_| version),
            timestamp: None,
        };
        let response = Response::ServiceChange(ServiceChangeReply {
            terminations: TerminationId::Root.into(),
            result: accepted,
        });
        let reply = vec![ActionReply::new(ContextId::Null, vec![response])];
        let change = Change::Register(Box::new(registration));
        self.commit(vec![change], After::Registered(id, request, reply));
        Heard::Later
    }

    fn admits(&self, asker: &Asker) -> bool {
        match self.settings.admission {
            Admission::Anybody => true,
            Admission::Leased => asker.leased.is_some() || self.lists(asker),
            Admission::Listed => self.lists(asker),
        }
    }

    /// Whether it has a line or a trunk here.
    fn lists(&self, asker: &Asker) -> bool {
        let has_line = |owner: Owner| {
            let from = (owner.clone(), TerminationId::Root);
            let next = self.owners.range(from..).next();
            next.is_some_and(|((other, _), _)| *other == owner)
        };
        let mac = asker.leased.and_then(|leased| leased.mac);
        let mut trunks = self.settings.trunks.iter();
        has_line(Owner::Gateway(asker.id.clone()))
            || mac.is_some_and(|mac| has_line(Owner::Mac(mac)))
            || trunks.any(|trunk| trunk.way.is(&asker.id))
    }

    /// Whether there is room for one more of this phone or address. Who has a line or a trunk has
    /// a place of its own.
    fn has_room(&mut self, asker: &Asker) -> bool {
        if self.gateways.contains_key(&asker.id) || self.lists(asker) {
            return true;
        }
        let origin = asker.origin();
        let most = match origin.private {
            Some(_) => self.settings.registrations_per_phone,
            None => self.settings.registrations_per_address,
        };
        self.count_of(&origin) < most || self.forget_one(&origin)
    }

    /// A registration in place of the gateway's former one.
    pub(super) fn enter(&mut self, now: Time, registration: Registration) {
        let id = registration.id.clone();
        if let Some(mac) = registration.mac {
            self.by_mac.insert(mac, id.clone());
        }
        self.moved(&id, registration.origin());
        match self.gateways.get_mut(&id) {
            Some(there) => {
                there.registration = registration;
                there.heard = now;
            }
            None => {
                let timer = Timer::Silent(id.clone());
                self.timers.insert((now + self.patience(), timer));
                let gateway = Gateway {
                    registration,
                    lines: Default::default(),
                    heard: now,
                    calls: Default::default(),
                    asked: Default::default(),
                };
                self.gateways.insert(id, gateway);
            }
        }
    }

    /// Greets a gateway, at once or when it is its turn: after a power failure all phones register at
    /// the same time, and every one is answered before all are asked.
    pub(super) fn greet_in_turn(&mut self, now: Time, gateway: GatewayId) {
        let at = self.next_greeting.max(now);
        self.next_greeting = at + GREETING;
        if at <= now + GREETING * AT_ONCE {
            self.greet(now, &gateway);
        } else {
            self.timers.insert((at, Timer::Greet(gateway)));
        }
    }

    /// A gateway that has registered is asked what it has, and told to say that it is there.
    pub(super) fn greet(&mut self, _now: Time, gateway: &GatewayId) {
        if !self.is_up(gateway) {
            return;
        }
        let interval = u32::try_from(self.settings.heartbeat.as_millis()).unwrap_or(u32::MAX);
        self.ask(gateway, commands::heartbeat(1, interval), Step::Tell);
        self.ask(gateway, commands::audit_contexts(), Step::Contexts);
        self.ask(gateway, commands::audit_lines(), Step::Lines);
    }

    /// A gateway has told which lines it has.
    pub(super) fn has_lines(&mut self, _now: Time, gateway: &GatewayId, found: &[TerminationId]) {
        let lines = found.iter();
        let lines: Vec<_> = lines.filter(|line| is_line(line)).cloned().collect();
        let Some(there) = self.gateways.get_mut(gateway) else {
            return;
        };
        for line in &lines {
            let new = || Line::new(LineState::Idle);
            there.lines.entry(line.clone()).or_insert_with(new);
        }
        // An audit tells of no line that has a call.
        let known = there.lines.iter();
        let known = known.filter(|(id, line)| line.state != LineState::Idle || lines.contains(id));
        let names: Vec<String> = known.map(|(id, _)| id.as_str().to_owned()).collect();
        if there.registration.lines != names {
            there.registration.lines = names;
            let registration = Box::new(there.registration.clone());
            self.commit(vec![Change::Register(registration)], After::Nothing);
        }
        for line in lines {
            let idle = self
                .line(gateway, &line)
                .is_some_and(|there| there.state == LineState::Idle);
            if idle {
                self.make_idle(gateway, &line);
            }
        }
    }

    /// A line comes into service, or leaves it.
    pub(super) fn line_changed(
        &mut self,
        now: Time,
        gateway: &GatewayId,
        request: &ServiceChangeRequest,
    ) -> Response {
        for line in request.terminations.iter() {
            match request.change.method {
                Method::Restart => self.has_lines(now, gateway, std::slice::from_ref(line)),
                Method::Forced => {
                    let there = self.line(gateway, line);
                    let state =
                        there.map(|line| std::mem::replace(&mut line.state, LineState::Over));
                    if let Some(LineState::Call(call, side)) = state {
                        self.release(now, call, crate::record::EndReason::GatewayLost, Some(side));
                    }
                    if let Some(there) = self.gateways.get_mut(gateway) {
                        there.lines.remove(line);
                    }
                }
                _ => {}
            }
        }
        Response::ServiceChange(ServiceChangeReply {
            terminations: request.terminations.clone(),
            result: ServiceChangeResult::ACCEPTED,
        })
    }

    /// Sends a gateway to another controller; whether there is such a gateway.
    pub fn hand_off(&mut self, gateway: &GatewayId, to: Mid) -> bool {
        /// Reason of a hand-off (H.248.8: directed by the controller).
        const DIRECTED: u16 = 903;
        if !self.gateways.contains_key(gateway) {
            return false;
        }
        let mut change = ServiceChange::new(Method::HandOff, DIRECTED);
        change.mgc = Some(to);
        let command = Command::ServiceChange(ServiceChangeRequest {
            terminations: TerminationId::Root.into(),
            change,
        });
        let action = ActionRequest::new(ContextId::Null, vec![command.into()]);
        self.ask(gateway, action, Step::Tell);
        true
    }

    /// A gateway is forgotten, with all that it had.
    pub(super) fn forget(&mut self, gateway: &GatewayId) {
        if let Some(gone) = self.gateways.remove(gateway) {
            self.gone_from(gateway, &gone.registration.origin());
            if let Some(mac) = gone.registration.mac
                && self.by_mac.get(&mac) == Some(gateway)
            {
                self.by_mac.remove(&mac);
            }
            self.commit(vec![Change::Forget(gateway.clone())], After::Nothing);
        }
    }
}

/// Whether calls can be made on a termination: not the gateway itself, and no media.
fn is_line(termination: &TerminationId) -> bool {
    match termination {
        TerminationId::Name(name) => {
            let name = name.as_str();
            !name
                .get(..4)
                .is_some_and(|begin| begin.eq_ignore_ascii_case("rtp/"))
        }
        TerminationId::Root | TerminationId::Choose | TerminationId::All => false,
    }
}

/// The ServiceChange of the gateway itself, if a request is one.
fn root_change(actions: &[ActionRequest]) -> Option<&ServiceChange> {
    let command = &actions.first()?.commands.first()?.command;
    match command {
        Command::ServiceChange(request) if *request.terminations.first() == TerminationId::Root => {
            Some(&request.change)
        }
        _ => None,
    }
}

impl Asker {
    fn origin(&self) -> Origin {
        Origin {
            public: self.place.public,
            private: self.leased.map(|leased| leased.private),
        }
    }
}

/// Where somebody is who sends from there and calls itself by this address, and its lease if it has
/// one here.
pub(super) fn located(
    leases: &dyn Leases,
    from: SocketAddrV4,
    claimed: Option<Ipv4Addr>,
) -> (Place, Option<Leased>) {
    let address = *from.ip();
    let leased = leases
        .by_private(address)
        .or_else(|| leases.by_public(from));
    let (public, port) = match leased.and_then(|leased| leased.public) {
        Some(public) => (*public.ip(), public.port()),
        None => (address, from.port()),
    };
    let private = match leased {
        Some(leased) => leased.private,
        None => claimed.unwrap_or(address),
    };
    let place = Place {
        public,
        port,
        private,
    };
    (place, leased)
}

pub(super) fn asker(leases: &dyn Leases, peer: Peer, mid: &Mid) -> Asker {
    let claimed = match mid {
        Mid::Address(std::net::IpAddr::V4(address), _) => Some(*address),
        _ => None,
    };
    let (place, leased) = located(leases, peer.address, claimed);
    let id = GatewayId::new(mid.clone(), place.public);
    Asker {
        id,
        peer,
        place,
        leased,
    }
}

fn registration(
    asker: Asker,
    change: &ServiceChange,
    version: u8,
    service: Service,
    now: Time,
) -> Registration {
    let mut peer = asker.peer;
    if let Some(ChangeAddress::Port(port)) = change.address {
        peer.address.set_port(port);
    }
    let profile = change.profile.as_ref();
    Registration {
        id: asker.id,
        peer,
        place: asker.place,
        leased: asker.leased.is_some(),
        mac: asker.leased.and_then(|leased| leased.mac),
        version,
        profile: profile.map(|profile| format!("{}/{}", profile.name, profile.version)),
        service,
        taken_over: matches!(change.method, Method::Failover | Method::HandOff),
        lines: Vec::new(),
        since: now.as_secs(),
    }
}
