//! After a start: what the store says, and what gateways still have.
//!
//! An established call is in the store. A context that is in no call is what a call left behind
//! that was on its way up when the switch was killed: it is taken apart when its gateway has told of
//! it.

use std::collections::{BTreeSet, VecDeque};

use megaco::{ActionReply, ContextId, Octets, TerminationId};

use super::{
    After, Call, Change, End, Line, LineRef, LineState, Made, Side, Step, Switch, Time, Who,
};
use crate::h248::commands;
use crate::identity::GatewayId;
use crate::record::{EndReason, KeptCall, KeptEnd, Progress};
use crate::registration::Registration;

/// Gateways that are asked at once after a start, and how long until the next ones are.
const AT_ONCE: usize = 1000;
/// After how long a gateway is asked again that was busy with calls.
const ASK_AGAIN: Time = Time::from_secs(1);

impl Switch {
    /// Goes on with what the store says. Gateways are asked which contexts they have, not all at
    /// once.
    pub fn restore(
        &mut self,
        now: Time,
        registrations: impl IntoIterator<Item = Registration>,
        calls: impl IntoIterator<Item = KeptCall>,
    ) {
        for registration in registrations {
            let lines = registration.lines.clone();
            let id = registration.id.clone();
            self.enter(now, registration);
            if let Some(there) = self.gateways.get_mut(&id) {
                for line in lines
                    .iter()
                    .filter_map(|line| TerminationId::new(line).ok())
                {
                    let mut new = Line::new(LineState::Idle);
                    // What was asked for in a former life must not look like what is now.
                    new.number_requests_from(now);
                    there.lines.insert(line, new);
                }
            }
        }
        let mut lost = Vec::new();
        for call in calls {
            self.next_call = self.next_call.max(call.id + 1);
            let id = call.id;
            if !self.resume(call) {
                lost.push(Change::Over(id));
            }
        }
        if !lost.is_empty() {
            self.commit(lost, After::Nothing);
        }
        let gateways: Vec<GatewayId> = self.gateways.keys().cloned().collect();
        for (at, gateway) in gateways.into_iter().enumerate() {
            let wait = Time::from_secs((at / AT_ONCE) as u64);
            self.timers
                .insert((now + wait, super::Timer::Greet(gateway)));
        }
    }

    /// A call of a former life was over, and had been told to be ([`super::Output::Ended`]), when
    /// that life ended: the store need not keep it.
    pub fn forget_call(&mut self, id: super::CallId) {
        self.commit(vec![Change::Over(id)], After::Nothing);
    }

    /// The number that the next call has at least.
    pub fn number_calls_from(&mut self, id: super::CallId) {
        self.next_call = self.next_call.max(id);
    }

    fn resume(&mut self, kept: KeptCall) -> bool {
        let id = kept.id;
        let KeptCall { caller, called, .. } = &kept;
        let (Some(caller_end), Some(called_end)) = (end(caller), end(called)) else {
            return false;
        };
        let is_there = |end: &End| {
            let at = end.at();
            at.is_none_or(|at| self.gateways.contains_key(&at.gateway))
        };
        if !is_there(&caller_end) || !is_there(&called_end) {
            return false;
        }
        if (caller_end.is_sip() || called_end.is_sip()) && self.sip.is_none() {
            // It is spoken no more.
            return false;
        }
        for (side, end) in [(Side::Caller, kept.caller), (Side::Called, kept.called)] {
            if let KeptEnd::Sip(user) = end
                && !self.resume_party(id, side, user.party)
            {
                return false;
            }
        }
        for (side, end) in [(Side::Caller, &caller_end), (Side::Called, &called_end)] {
            if let Some(there) = end.at().and_then(|at| self.gateways.get_mut(&at.gateway)) {
                let new = || Line::new(LineState::Idle);
                let line = end
                    .at()
                    .map(|at| at.line.clone())
                    .unwrap_or(TerminationId::Root);
                there.lines.entry(line).or_insert_with(new).state = LineState::Call(id, side);
                there.calls.insert(id);
            }
        }
        let (caller, called) = (caller_end, called_end);
        let call = Call {
            dialled: kept.dialled,
            progress: Progress::Talking,
            caller,
            called: Some(called),
            choice: Some(kept.choice),
            targets: VecDeque::new(),
            refused: EndReason::Refused,
            started: Time::from_millis(kept.started),
            rang: None,
            answered: Some(Time::from_millis(kept.answered)),
            connecting: 0,
        };
        if call.ends().all(|(_, end)| end.is_sip()) {
            let started = call.answered.unwrap_or_default();
            let timer = super::Timer::Longest(id);
            self.timers
                .insert((started + super::calls::LONGEST_CALL, timer));
        }
        self.ladder.dialled(&call.dialled, id);
        self.calls.insert(id, call);
        true
    }

    /// A gateway has told which contexts it has: those of no call are taken apart, and calls whose
    /// context is gone are over. It was asked at `asked`: of a context that was made later it says
    /// nothing, however late its answer is. Calls of another controller go on.
    pub(super) fn has_contexts(
        &mut self,
        now: Time,
        gateway: &GatewayId,
        asked: Time,
        actions: &[ActionReply],
    ) {
        let contexts = actions.iter().filter_map(|action| match action.context {
            ContextId::Id(context) => Some(context),
            ContextId::Null | ContextId::Choose | ContextId::All => None,
        });
        let there: BTreeSet<u32> = contexts.collect();
        let (mut known, mut gone) = (BTreeSet::new(), Vec::new());
        for (id, call) in self.calls_of(gateway) {
            let stood = match call.rang {
                Some(rang) => rang < asked,
                None => call.progress == Progress::Talking,
            };
            for (_, end) in call.ends() {
                if let (true, Some(made)) = (end.is_on(gateway), &end.made) {
                    known.insert(made.context);
                    if stood && !there.contains(&made.context) {
                        gone.push(id);
                    }
                }
            }
        }
        let unknown: Vec<u32> = there.difference(&known).copied().collect();
        if self.is_taken_over(gateway) {
            // Who talks goes on talking; it ends when somebody hangs up (hook.rs).
        } else if !unknown.is_empty() && self.is_told_of_calls(gateway) {
            // One may be of a call whose gateway's answer comes after this one.
            let timer = super::Timer::Greet(gateway.clone());
            self.timers.insert((now + ASK_AGAIN, timer));
        } else {
            for context in unknown {
                self.ask(gateway, commands::clear_all(context), Step::Stray);
            }
        }
        for id in gone {
            self.lose_call(now, gateway, id, |context| !there.contains(&context));
        }
    }
}

fn end(kept: &KeptEnd) -> Option<End> {
    let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
    match kept {
        KeptEnd::Line(kept) => Some(End {
            who: Who::Line(LineRef {
                gateway: kept.gateway.clone(),
                line: TerminationId::new(&kept.line).ok()?,
            }),
            place: kept.place,
            number: number(&kept.number),
            local: kept.local.as_deref().map(Octets::new),
            made: Some(Made {
                context: kept.context,
                media: TerminationId::new(&kept.media).ok()?,
            }),
        }),
        KeptEnd::Sip(kept) => Some(End {
            who: Who::Sip(kept.name.clone()),
            place: kept.place,
            number: number(&kept.number),
            local: None,
            made: None,
        }),
    }
}
