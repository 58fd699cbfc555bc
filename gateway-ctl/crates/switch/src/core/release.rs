//! A call on its way down, from wherever it was.

use megaco::TerminationId;

use super::{
    After, Call, Change, Ending, LineRef, LineState, Made, Output, Side, Step, Switch, Time,
};
use crate::h248::commands;
use crate::identity::GatewayId;
use crate::record::{CallId, EndReason, Progress};

impl Switch {
    /// Ends a call. `hung_up` is the side that has hung up, if one has.
    pub(super) fn release(
        &mut self,
        now: Time,
        id: CallId,
        reason: EndReason,
        hung_up: Option<Side>,
    ) {
        let Some(call) = self.calls.remove(&id) else {
            return;
        };
        for end in std::iter::once(&call.caller).chain(&call.called) {
            self.left(end, id);
        }
        self.counters.ended(reason);
        if matches!(call.progress, Progress::Connecting | Progress::Talking) {
            self.commit(vec![Change::Over(id)], After::Nothing);
        }
        self.sip_release(now, id, &call, reason, hung_up);
        let record = call.record(id, now, reason);
        let talked = call.progress != Progress::Offering && call.progress != Progress::Ringing;
        let ends = call.ends().filter_map(|(side, end)| {
            let at = end.at()?;
            let there = self.gateways.contains_key(&at.gateway);
            there.then_some((side, at, end.made.as_ref()))
        });
        let ends: Vec<_> = ends.collect();
        let left = ends.iter().filter(|(.., made)| made.is_some()).count() as u8;
        match left {
            0 => self.outputs.push_back(Output::Ended(Box::new(record))),
            left => drop(self.endings.insert(id, Ending { record, left })),
        }
        for (side, at, made) in ends {
            if let Some(made) = made {
                self.clear(at, made, Step::Clear(id, side));
            }
            let lifted = match side {
                Side::Caller => true,
                Side::Called => talked,
            };
            if hung_up == Some(side) || !lifted {
                self.make_idle(&at.gateway, &at.line);
            } else {
                self.notice(&at.gateway, &at.line, Self::tone_for(reason));
            }
        }
    }

    /// Takes a context apart.
    fn clear(&mut self, at: &LineRef, made: &Made, step: Step) {
        let action = commands::clear(made.context, [&at.line, &made.media]);
        self.tell(&at.gateway, &at.line, action, step);
    }

    /// A context that a call got after it was over goes before anything else is told to its line.
    pub(super) fn clear_late(
        &mut self,
        gateway: &GatewayId,
        line: Option<&TerminationId>,
        context: u32,
    ) {
        let action = commands::clear_all(context);
        match line.and_then(|line| self.line(gateway, line)) {
            Some(there) => there.queue.push_front((action, Step::Late)),
            None => self.ask(gateway, action, Step::Late),
        }
    }

    /// A gateway has said what a termination of a call has counted, or never will.
    pub(super) fn cleared(&mut self, id: CallId, side: Side, counted: Vec<(String, String)>) {
        let Some(ending) = self.endings.get_mut(&id) else {
            return;
        };
        let end = match side {
            Side::Caller => Some(&mut ending.record.caller),
            Side::Called => ending.record.called.as_mut(),
        };
        if let Some(end) = end {
            end.statistics = counted;
        }
        ending.left -= 1;
        if ending.left == 0
            && let Some(ending) = self.endings.remove(&id)
        {
            self.outputs
                .push_back(Output::Ended(Box::new(ending.record)));
        }
    }

    /// Ends those calls of a gateway: what it had for them is gone.
    pub(super) fn lose_calls(
        &mut self,
        now: Time,
        gateway: &GatewayId,
        which: impl Fn(&Call) -> bool,
    ) {
        let theirs = self.calls_of(gateway);
        let theirs: Vec<CallId> = theirs
            .filter(|(_, call)| which(call))
            .map(|(id, _)| id)
            .collect();
        for id in theirs {
            self.lose_call(now, gateway, id, |_| true);
        }
    }

    /// Ends a call: those contexts that the gateway had for it are gone.
    pub(super) fn lose_call(
        &mut self,
        now: Time,
        gateway: &GatewayId,
        id: CallId,
        gone: impl Fn(u32) -> bool,
    ) {
        if let Some(call) = self.calls.get_mut(&id) {
            for end in std::iter::once(&mut call.caller).chain(&mut call.called) {
                if end.is_on(gateway) {
                    end.made = end.made.take().filter(|made| !gone(made.context));
                }
            }
        }
        self.release(now, id, EndReason::GatewayLost, None);
    }

    /// Ends a call because the operator says so; whether there is such a call.
    pub fn end_call(&mut self, now: Time, id: CallId) -> bool {
        let there = self.calls.contains_key(&id);
        self.release(now, id, EndReason::Operator, None);
        there
    }

    /// Lines of a gateway that wait for an answer which will not come, wait no more.
    pub(super) fn forget_questions(&mut self, gateway: &GatewayId) {
        for ticket in self.questions_to(gateway) {
            let step = self.asked.remove(&ticket).map(|asked| asked.step);
            self.unheard(step);
        }
        let queued: Vec<Step> = match self.gateways.get_mut(gateway) {
            Some(there) => there
                .lines
                .values_mut()
                .flat_map(|line| {
                    line.asked = None;
                    if !matches!(line.state, LineState::Call(..)) {
                        line.state = LineState::Idle;
                    }
                    line.queue
                        .drain(..)
                        .map(|(_, step)| step)
                        .collect::<Vec<_>>()
                })
                .collect(),
            None => Vec::new(),
        };
        for step in queued {
            self.unheard(Some(step));
        }
    }

    /// What waits for an answer that will not come, waits no more.
    fn unheard(&mut self, step: Option<Step>) {
        match step {
            Some(Step::Clear(id, side)) => self.cleared(id, side, Vec::new()),
            Some(Step::Change(id)) => self.line_has_changed(self.now, id, false),
            _ => {}
        }
    }
}
