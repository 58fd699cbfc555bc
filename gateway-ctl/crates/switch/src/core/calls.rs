//! A call on its way up.
//!
//! ```text
//!   digits --> Seizing --> Offering --> Ringing --> Connecting --> Talking
//!              caller's    called one's  bell and    on disk, then
//!              context     context       tone        both ways
//! ```

use std::collections::VecDeque;

use megaco::TerminationId;

use super::{
    After, Call, Change, End, Line, LineState, Made, Side, Step, Switch, Target, Time, Timer,
};
use crate::address::select;
use crate::dial_plan::{Number, Route};
use crate::h248::{commands, sdp};
use crate::identity::GatewayId;
use crate::record::{CallId, EndReason, KeptCall, KeptEnd, Progress};
use crate::settings::{Owner, Way};

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
            gateway: gateway.clone(),
            line: line.clone(),
            place: there.registration.place,
            number: self.number(&there.registration, line).cloned(),
            made: None,
        };
        let targets = self.targets(digits);
        let id = self.next_call;
        self.next_call += 1;
        self.counters.calls += 1;
        let found = !targets.is_empty();
        let call = Call {
            dialled: digits.to_owned(),
            progress: Progress::Seizing,
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

    /// Whom these digits lead to, the first one first.
    fn targets(&self, digits: &str) -> VecDeque<Target> {
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
            None => VecDeque::new(),
        }
    }

    /// The caller has its context.
    pub(super) fn seized(&mut self, now: Time, id: CallId, made: Made) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.caller.made = Some(made);
            call.progress = Progress::Offering;
            self.offer(now, id);
        }
    }

    /// Tells the next one who may have the call; who cannot is passed over.
    pub(super) fn offer(&mut self, now: Time, id: CallId) {
        while let Some(call) = self.calls.get_mut(&id) {
            if let Some(former) = call.called.take() {
                self.left(&former.gateway, id);
            }
            let Some(call) = self.calls.get_mut(&id) else {
                return;
            };
            call.answered = None;
            let Some(target) = call.targets.pop_front() else {
                let reason = call.refused;
                return self.release(now, id, reason, None);
            };
            match self.offer_to(id, target) {
                Ok(()) => return,
                Err(reason) => {
                    if let Some(call) = self.calls.get_mut(&id) {
                        call.refused = reason;
                    }
                }
            }
        }
    }

    fn offer_to(&mut self, id: CallId, target: Target) -> Result<(), EndReason> {
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
            match self.line(&gateway, &line).map(|there| &there.state) {
                Some(LineState::Idle) => {}
                Some(_) => return Err(EndReason::Busy),
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
        let made = call.caller.made.as_ref().ok_or(EndReason::Refused)?;
        let address = choice.of(call.caller.place);
        let remote = sdp::with_address(made.local.as_bytes(), address);
        call.choice = Some(choice);
        call.called = Some(End {
            gateway: gateway.clone(),
            line: line.clone(),
            place,
            number,
            made: None,
        });
        self.joined(&gateway, id);
        match digits {
            Some(digits) => {
                let action = commands::dial(&line, 1, &remote, &digits);
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
    pub(super) fn offered(&mut self, now: Time, id: CallId, line: TerminationId, made: Made) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let Some(called) = &mut call.called else {
            return;
        };
        called.made = Some(made);
        called.line = line.clone();
        call.progress = Progress::Ringing;
        call.rang = Some(now);
        let gateway = called.gateway.clone();
        let (lifted, caller) = (call.answered.is_some(), call.caller.clone());
        if let Some(there) = self.gateways.get_mut(&gateway) {
            let new = || Line::new(LineState::Idle);
            let line = there.lines.entry(line).or_insert_with(new);
            line.state = LineState::Call(id, Side::Called);
        }
        if lifted {
            return self.answered_at(now, id);
        }
        if let Some(made) = &caller.made {
            let action = commands::alert(made.context, &caller.line);
            self.tell(&caller.gateway, &caller.line, action, Step::Tell);
        }
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
        if let Some(kept) = call.kept(id) {
            let change = Change::Keep(Box::new(kept));
            self.commit(vec![change], After::Connect(id));
        }
    }

    /// Both talk from now on.
    pub(super) fn connect(&mut self, _now: Time, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let (Some(called), Some(choice)) = (call.called.clone(), call.choice) else {
            return;
        };
        let caller = call.caller.clone();
        let (Some(a), Some(b)) = (&caller.made, &called.made) else {
            return;
        };
        call.connecting = 2;
        let remote = sdp::with_address(b.local.as_bytes(), choice.of(called.place));
        for (end, made, remote) in [(&called, b, None), (&caller, a, Some(&*remote))] {
            let Some(there) = self.line(&end.gateway, &end.line) else {
                continue;
            };
            let request = there.next_request();
            let action = commands::connect(made.context, &end.line, request, &made.media, remote);
            self.tell(&end.gateway, &end.line, action, Step::Connect(id));
        }
    }

    /// One end has said that it is connected.
    pub(super) fn connected(&mut self, now: Time, id: CallId) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.connecting = call.connecting.saturating_sub(1);
            if call.connecting == 0 && call.progress == Progress::Connecting {
                call.progress = Progress::Talking;
                self.counters.answered += 1;
                let since = call.answered.unwrap_or(now);
                self.counters.connecting.observe(now.saturating_sub(since));
            }
        }
    }
}

impl Call {
    /// What the store keeps of it; `None`: it is not as far as that.
    pub(super) fn kept(&self, id: CallId) -> Option<KeptCall> {
        let milliseconds = |time: Time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Some(KeptCall {
            id,
            dialled: self.dialled.clone(),
            caller: self.caller.kept()?,
            called: self.called.as_ref()?.kept()?,
            choice: self.choice?,
            started: milliseconds(self.started),
            answered: milliseconds(self.answered?),
        })
    }
}

impl End {
    fn kept(&self) -> Option<KeptEnd> {
        let made = self.made.as_ref()?;
        Some(KeptEnd {
            gateway: self.gateway.clone(),
            line: self.line.as_str().to_owned(),
            context: made.context,
            media: made.media.as_str().to_owned(),
            place: self.place,
            number: self.number.as_ref().map(ToString::to_string),
        })
    }
}
