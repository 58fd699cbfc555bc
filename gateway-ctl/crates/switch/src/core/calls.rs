//! A call on its way up.
//!
//! ```text
//!   digits --> Seizing --> Offering --> Ringing --> Connecting --> Talking
//!              caller's    called one's  bell and    on disk, then
//!              context     context       tone        both ways
//! ```

use std::collections::VecDeque;

use megaco::{Octets, TerminationId};

use super::call::milliseconds;
use super::sip::for_line;
use super::{
    After, Call, Change, End, Line, LineRef, LineState, Made, Side, Step, Switch, Target, Time,
    Timer, Who,
};
use crate::address::select;
use crate::dial_plan::{Number, Route};
use crate::h248::{commands, sdp};
use crate::identity::GatewayId;
use crate::record::{CallId, EndReason, KeptCall, KeptEnd, KeptLine, KeptUser, Progress};
use crate::settings::{Line as RuledLine, Owner, Way};

/// Number of the events that are asked for of a trunk that has still to be chosen.
const TRUNK_EVENTS: u32 = 1;

/// Two phones that speak SIP may both be switched off while they talk, and register again: nobody
/// ever says that their call is over.
pub(super) const LONGEST_CALL: Time = Time::from_secs(86_400);

impl Switch {
    /// A line has dialled.
    pub(super) fn originate(
        &mut self,
        now: Time,
        gateway: &GatewayId,
        line: &TerminationId,
        digits: &str,
    ) {
        let Some(there) = self.gateways.get(gateway) else {
            return;
        };
        let caller = End {
            who: Who::Line(LineRef {
                gateway: gateway.clone(),
                line: line.clone(),
            }),
            place: there.registration.place,
            number: self.number(&there.registration, line).cloned(),
            local: None,
            made: None,
        };
        let targets = self.targets(digits);
        let found = !targets.is_empty();
        let id = self.begin(now, digits, caller, targets);
        self.joined(gateway, id);
        if let Some(there) = self.line(gateway, line) {
            there.state = LineState::Call(id, Side::Caller);
        }
        if !found {
            return self.release(now, id, EndReason::NoSuchNumber, None);
        }
        if let Some(there) = self.line(gateway, line) {
            let action = commands::seize(line, there.next_request());
            self.tell(gateway, line, action, Step::Seize(id));
        }
    }

    /// A call begins.
    pub(super) fn begin(
        &mut self,
        now: Time,
        dialled: &str,
        caller: End,
        targets: VecDeque<Target>,
    ) -> CallId {
        let id = self.next_call;
        self.next_call += 1;
        self.counters.calls += 1;
        let progress = match caller.is_sip() {
            true => Progress::Offering,
            false => Progress::Seizing,
        };
        let call = Call {
            dialled: dialled.to_owned(),
            progress,
            caller,
            called: None,
            choice: None,
            targets,
            refused: EndReason::NoSuchNumber,
            started: now,
            rang: None,
            answered: None,
            connecting: 0,
        };
        self.calls.insert(id, call);
        self.ladder.dialled(dialled, id);
        id
    }

    /// Whom these digits lead to, the first one first.
    pub(super) fn targets(&self, digits: &str) -> VecDeque<Target> {
        match self.plan.route(digits) {
            Some(Route::Line(line)) => [Target::Line(*line)].into(),
            Some(Route::Trunks(names, digits)) => {
                let trunks = self.settings.trunks.iter();
                let by_name = |name: &String| trunks.clone().position(|trunk| trunk.name == *name);
                let found = names.iter().filter_map(by_name);
                found
                    .map(|trunk| Target::Trunk(trunk, digits.clone()))
                    .collect()
            }
            // Users of SIP have names besides.
            None => {
                let user = Owner::User(digits.to_owned());
                let line = self.owners.get(&(user, RuledLine::OF_A_USER));
                line.map(|line| Target::Line(*line)).into_iter().collect()
            }
        }
    }

    /// The caller has its context.
    pub(super) fn seized(&mut self, now: Time, id: CallId, made: Made, local: Octets) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.caller.made = Some(made);
            call.caller.describes(local);
            call.progress = Progress::Offering;
            self.offer(now, id);
        }
    }

    /// Tells the next one who may have the call; who cannot is passed over.
    pub(super) fn offer(&mut self, now: Time, id: CallId) {
        while let Some(call) = self.calls.get_mut(&id) {
            if let Some(former) = call.called.take() {
                self.left(&former, id);
            }
            let Some(call) = self.calls.get_mut(&id) else {
                return;
            };
            call.answered = None;
            let Some(target) = call.targets.pop_front() else {
                let reason = call.refused;
                return self.release(now, id, reason, None);
            };
            let more = !call.targets.is_empty();
            if more && self.is_trunk_silent(now, &target) {
                continue;
            }
            match self.offer_to(now, id, target) {
                Ok(()) => return,
                Err(reason) => {
                    if let Some(call) = self.calls.get_mut(&id) {
                        call.refused = reason;
                    }
                }
            }
        }
    }

    fn offer_to(&mut self, now: Time, id: CallId, target: Target) -> Result<(), EndReason> {
        self.forget_refusal(id);
        if let Some(there) = self.sip_destination(now, &target)? {
            return self.sip_offer(now, id, there);
        }
        let (gateway, line, digits, number) = match target {
            Target::Line(at) => {
                let line = &self.settings.lines[at];
                let gateway = self.gateway_of(&line.owner).ok_or(EndReason::Unavailable)?;
                let number = Some(line.number.clone());
                (gateway, line.termination.clone(), None, number)
            }
            Target::Trunk(at, digits) => {
                let Way::Gateway(gateway, line) = self.settings.trunks[at].way.clone() else {
                    return Err(EndReason::Unavailable);
                };
                (gateway, line, Some(digits), None)
            }
        };
        if !self.is_up(&gateway) {
            return Err(EndReason::Unavailable);
        }
        if digits.is_none() {
            let untold = self.is_asked_for(&gateway, &Step::Lines);
            match self.line(&gateway, &line).map(|there| &there.state) {
                Some(LineState::Idle) => {}
                Some(_) => return Err(EndReason::Busy),
                // It has just registered, and what it answers was lost on its way: it may have it.
                None if untold => {
                    if let Some(there) = self.gateways.get_mut(&gateway) {
                        let new = Line::new(LineState::Idle);
                        there.lines.insert(line.clone(), new);
                    }
                }
                None => return Err(EndReason::Unavailable),
            }
        }
        self.offer_line(id, gateway, line, digits, number)
    }

    fn offer_line(
        &mut self,
        id: CallId,
        gateway: GatewayId,
        line: TerminationId,
        digits: Option<String>,
        number: Option<Number>,
    ) -> Result<(), EndReason> {
        let place = self.gateways[&gateway].registration.place;
        let call = self.calls.get_mut(&id).ok_or(EndReason::Refused)?;
        let choice = select(&self.settings.sites, call.caller.place, place);
        let local = call.caller.local.as_ref().ok_or(EndReason::Refused)?;
        let address = choice.of(call.caller.place);
        let remote = match call.caller.is_sip() {
            true => for_line(local.as_bytes(), call.caller.place, choice),
            false => Some(sdp::with_address(local.as_bytes(), address)),
        };
        let remote = remote.ok_or(EndReason::Refused)?;
        call.choice = Some(choice);
        call.called = Some(End {
            who: Who::Line(LineRef {
                gateway: gateway.clone(),
                line: line.clone(),
            }),
            place,
            number,
            local: None,
            made: None,
        });
        self.joined(&gateway, id);
        match digits {
            Some(digits) => {
                let action = commands::dial(&line, TRUNK_EVENTS, &remote, &digits);
                self.ask(&gateway, action, Step::Offer(id));
            }
            None => {
                let there = self.line(&gateway, &line).ok_or(EndReason::Unavailable)?;
                there.state = LineState::Call(id, Side::Called);
                let action = commands::offer(&line, there.next_request(), &remote);
                self.tell(&gateway, &line, action, Step::Offer(id));
            }
        }
        Ok(())
    }

    /// The gateway that has a line.
    fn gateway_of(&self, owner: &Owner) -> Option<GatewayId> {
        match owner {
            Owner::Mac(mac) => self.by_mac.get(mac).cloned(),
            Owner::Gateway(gateway) => Some(gateway.clone()),
            Owner::User(_) => None,
        }
    }

    /// The called one has its context, and rings. A trunk says which of its lines it took.
    pub(super) fn offered(
        &mut self,
        now: Time,
        id: CallId,
        line: TerminationId,
        made: Made,
        local: Octets,
    ) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let Some(called) = &mut call.called else {
            return;
        };
        let Who::Line(there) = &mut called.who else {
            return;
        };
        there.line = line.clone();
        let gateway = there.gateway.clone();
        called.made = Some(made);
        called.describes(local);
        let is_trunk = called.number.is_none();
        call.progress = Progress::Ringing;
        call.rang = Some(now);
        let lifted = call.answered.is_some();
        if let Some(there) = self.gateways.get_mut(&gateway) {
            let new = || Line::new(LineState::Idle);
            let line = there.lines.entry(line).or_insert_with(new);
            line.state = LineState::Call(id, Side::Called);
            if is_trunk {
                // Nothing was known of the line when its events were asked for.
                line.request = TRUNK_EVENTS;
            }
        }
        if lifted {
            return self.answered_at(now, id);
        }
        self.alert_caller(id);
        let until = now + self.settings.no_answer;
        self.timers.insert((until, Timer::Unanswered(id)));
    }

    /// It is answered: once that is on disk, both are connected.
    pub(super) fn answered_at(&mut self, now: Time, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.answered = Some(now);
        call.progress = Progress::Connecting;
        if let Some(kept) = self.kept(id) {
            let change = Change::Keep(Box::new(kept));
            self.commit(vec![change], After::Connect(id));
        }
    }

    /// Both talk from now on.
    pub(super) fn connect(&mut self, now: Time, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let (Some(called), Some(choice)) = (call.called.clone(), call.choice) else {
            return;
        };
        let caller = call.caller.clone();
        let lines = [&caller, &called].into_iter().filter(|end| !end.is_sip());
        call.connecting = lines.count() as u8;
        let local = called.local.as_ref();
        let remote = local.and_then(|local| match called.is_sip() {
            true => for_line(local.as_bytes(), called.place, choice),
            false => Some(sdp::with_address(local.as_bytes(), choice.of(called.place))),
        });
        if !caller.is_sip() && remote.is_none() {
            return self.release(now, id, EndReason::Refused, None);
        }
        for (end, remote) in [(&called, None), (&caller, remote.as_deref())] {
            let (Some(at), Some(made)) = (end.at(), &end.made) else {
                continue;
            };
            let Some(there) = self.line(&at.gateway, &at.line) else {
                continue;
            };
            let request = there.next_request();
            let action = commands::connect(made.context, &at.line, request, &made.media, remote);
            self.tell(&at.gateway, &at.line, action, Step::Connect(id));
        }
        match (caller.is_sip(), called.is_sip()) {
            (true, true) => {
                self.sip_join(now, id);
                self.talks(now, id);
            }
            (true, false) => self.leg_accept(now, id),
            (false, _) => {}
        }
    }

    /// One end has said that it is connected.
    pub(super) fn connected(&mut self, now: Time, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.connecting = call.connecting.saturating_sub(1);
            if call.connecting == 0 {
                self.talks(now, id);
            }
        }
    }

    fn talks(&mut self, now: Time, id: CallId) {
        let call = self.calls.get_mut(&id);
        if let Some(call) = call.filter(|call| call.progress == Progress::Connecting) {
            call.progress = Progress::Talking;
            if call.ends().all(|(_, end)| end.is_sip()) {
                self.timers.insert((now + LONGEST_CALL, Timer::Longest(id)));
            }
            self.counters.answered += 1;
            let since = call.answered.unwrap_or(now);
            self.counters.connecting.observe(now.saturating_sub(since));
        }
    }

    /// What the store keeps of a call; `None`: it is not as far as that.
    fn kept(&self, id: CallId) -> Option<KeptCall> {
        let call = self.calls.get(&id)?;
        Some(KeptCall {
            id,
            dialled: call.dialled.clone(),
            caller: self.kept_end(id, Side::Caller)?,
            called: self.kept_end(id, Side::Called)?,
            choice: call.choice?,
            started: milliseconds(call.started),
            answered: milliseconds(call.answered?),
        })
    }

    fn kept_end(&self, id: CallId, side: Side) -> Option<KeptEnd> {
        let end = self.calls.get(&id)?.end(side)?;
        let number = end.number.as_ref().map(ToString::to_string);
        match &end.who {
            Who::Line(at) => {
                let made = end.made.as_ref()?;
                Some(KeptEnd::Line(KeptLine {
                    gateway: at.gateway.clone(),
                    line: at.line.as_str().to_owned(),
                    context: made.context,
                    media: made.media.as_str().to_owned(),
                    local: self.kept_party(id, side.other()).and_then(|_| {
                        let local = end.local.as_ref()?;
                        Some(String::from_utf8_lossy(local.as_bytes()).into_owned())
                    }),
                    place: end.place,
                    number,
                }))
            }
            Who::Sip(name) => Some(KeptEnd::Sip(KeptUser {
                name: name.clone(),
                place: end.place,
                number,
                party: self.kept_party(id, side)?,
            })),
        }
    }
}
