//! What lines are told, one by one.

use megaco::{ActionRequest, TerminationId};

use super::{Asked, Gateway, Line, LineState, Output, Step, Switch, Time};
use crate::h248::commands::{self, Digits};
use crate::identity::GatewayId;
use crate::registration::Service;

impl Line {
    pub(super) fn new(state: LineState) -> Self {
        Self {
            state,
            queue: Default::default(),
            asked: None,
            request: 0,
            next_request: 1,
        }
    }

    /// Numbers the events that are asked for next.
    pub(super) fn next_request(&mut self) -> u32 {
        self.request = self.next_request;
        self.next_request = self.next_request.wrapping_add(1).max(1);
        self.request
    }

    /// Begins with numbers that were not used a moment ago.
    pub(super) fn number_requests_from(&mut self, now: Time) {
        let seconds = u32::try_from(now.as_secs() & 0x003f_ffff).unwrap_or(0);
        self.next_request = (seconds << 8).max(1);
    }

    /// Whether an event is of a time that is over: its gateway was told since then to wait for
    /// others, and has said that it does, so it has told of the hook as it was then.
    pub(super) fn is_overtaken(&self, request: u32) -> bool {
        let told = self.asked.is_none() && self.queue.is_empty();
        told && self.request != 0 && request != 0 && self.request != request
    }

    /// Forgets what it was still to be told that nothing depends on: something newer is so.
    fn forget_what_is_old(&mut self) {
        self.queue.retain(|(_, step)| *step != Step::Tell);
    }

    /// Whether this is the number of the events that were asked for last.
    pub(super) fn is_current(&self, request: u32) -> bool {
        self.request == request
    }
}

impl Switch {
    pub(super) fn line(&mut self, gateway: &GatewayId, line: &TerminationId) -> Option<&mut Line> {
        self.gateways.get_mut(gateway)?.lines.get_mut(line)
    }

    /// Asks a gateway, beside all queues.
    pub(super) fn ask(&mut self, gateway: &GatewayId, action: ActionRequest, step: Step) {
        self.ask_for(gateway, None, action, step);
    }

    fn ask_for(
        &mut self,
        gateway: &GatewayId,
        line: Option<TerminationId>,
        action: ActionRequest,
        step: Step,
    ) {
        let Some(Gateway { registration, .. }) = self.gateways.get(gateway) else {
            return;
        };
        let (peer, version) = (registration.peer, registration.version);
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        if !matches!(step, Step::Lines | Step::Contexts | Step::Armed(..)) {
            let what = super::ladder::told(&action);
            self.rung(gateway, line.as_ref(), step.call(), true, what);
        }
        self.outputs.push_back(Output::Ask {
            ticket,
            gateway: gateway.clone(),
            peer,
            version,
            actions: vec![action],
        });
        if let Some(line) = line.as_ref().and_then(|line| self.line(gateway, line)) {
            line.asked = Some(ticket);
        }
        if let Some(there) = self.gateways.get_mut(gateway) {
            there.asked.insert(ticket);
        }
        let (gateway, at) = (gateway.clone(), self.now);
        let asked = Asked {
            gateway,
            line,
            step,
            at,
        };
        self.asked.insert(ticket, asked);
    }

    /// Tells a line, when it has answered what it was told before.
    pub(super) fn tell(
        &mut self,
        gateway: &GatewayId,
        line: &TerminationId,
        action: ActionRequest,
        step: Step,
    ) {
        if !self.is_reachable(gateway) {
            // It will be asked what it has when it is back.
            if let Step::Clear(call, side) = step {
                self.cleared(call, side, Vec::new());
            }
            return;
        }
        if let Some(there) = self.line(gateway, line) {
            there.queue.push_back((action, step));
            self.go_on(gateway, line);
        }
    }

    pub(super) fn is_reachable(&self, gateway: &GatewayId) -> bool {
        let there = self.gateways.get(gateway);
        there.is_some_and(|there| there.registration.service != Service::Down)
    }

    /// The next of what a line is to be told.
    pub(super) fn go_on(&mut self, gateway: &GatewayId, line: &TerminationId) {
        let Some(there) = self.line(gateway, line) else {
            return;
        };
        if there.asked.is_some() {
            return;
        }
        if let Some((action, step)) = there.queue.pop_front() {
            self.ask_for(gateway, Some(line.clone()), action, step);
        }
    }

    /// A line is hung up, and waits to be lifted.
    pub(super) fn make_idle(&mut self, gateway: &GatewayId, line: &TerminationId) {
        if let Some(there) = self.line(gateway, line) {
            there.state = LineState::Idle;
            there.forget_what_is_old();
            let action = commands::idle(line, there.next_request());
            self.tell(gateway, line, action, Step::Tell);
        }
    }

    /// A lifted line is asked for digits.
    pub(super) fn prompt(&mut self, now: Time, gateway: &GatewayId, line: &TerminationId) {
        let digits = match (&self.digit_map, self.settings.digit_maps) {
            (Some(map), true) => Digits::Map(map.clone()),
            _ => Digits::Single,
        };
        if let Some(there) = self.line(gateway, line) {
            there.state = LineState::Dialling {
                digits: String::new(),
                heard: now,
            };
            let action = commands::prompt(line, there.next_request(), &digits);
            self.tell(gateway, line, action, Step::Tell);
        }
    }

    /// A line is still lifted, and is told what became of its call.
    pub(super) fn notice(
        &mut self,
        gateway: &GatewayId,
        line: &TerminationId,
        tone: commands::Tone,
    ) {
        if let Some(there) = self.line(gateway, line) {
            there.state = LineState::Over;
            there.forget_what_is_old();
            let action = commands::notice(line, there.next_request(), tone);
            self.tell(gateway, line, action, Step::Tell);
        }
    }

    /// Whether a gateway takes calls.
    pub(super) fn is_up(&self, gateway: &GatewayId) -> bool {
        let there = self.gateways.get(gateway);
        there.is_some_and(|there| there.registration.service == Service::Up)
    }
}
