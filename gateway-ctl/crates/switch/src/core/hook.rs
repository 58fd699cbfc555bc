//! Events of lines: lifted, dialled, hung up.

use megaco::{
    ActionReply, ActionRequest, Command, ContextId, ErrorCode, ErrorDescriptor, NotifyReply,
    NotifyRequest, ObservedEvent, RequestId, Response, TerminationId,
};

use super::{LineState, Side, Switch, Time, Timer};
use crate::dial_plan::Dialled;
use crate::h248::commands::{self, Tone, event};
use crate::identity::GatewayId;
use crate::record::{EndReason, Progress};

impl Switch {
    /// Answers what a registered gateway asks, action by action.
    pub(super) fn requested(
        &mut self,
        now: Time,
        gateway: &GatewayId,
        actions: Vec<ActionRequest>,
    ) -> Vec<ActionReply> {
        let mut replies = Vec::with_capacity(actions.len());
        for action in actions {
            let mut responses = Vec::with_capacity(action.commands.len());
            let mut error = None;
            for request in action.commands {
                match request.command {
                    Command::Notify(notify) => {
                        self.notified(now, gateway, action.context, &notify);
                        responses.push(Response::Notify(NotifyReply {
                            terminations: notify.terminations,
                            error: None,
                        }));
                    }
                    Command::ServiceChange(change) => {
                        responses.push(self.line_changed(now, gateway, &change));
                    }
                    // All others are a controller's to give.
                    _ => {
                        error = Some(ErrorDescriptor::new(
                            ErrorCode(441),
                            "a gateway sends Notify and ServiceChange",
                        ));
                        break;
                    }
                }
            }
            let mut reply = ActionReply::new(action.context, responses);
            reply.error = error;
            replies.push(reply);
        }
        replies
    }

    fn notified(
        &mut self,
        now: Time,
        gateway: &GatewayId,
        context: ContextId,
        notify: &NotifyRequest,
    ) {
        let request = match notify.observed.request {
            RequestId::Id(request) => request,
            RequestId::All => 0,
        };
        let line = notify.terminations.first().clone();
        if let ContextId::Id(context) = context
            && self.is_of_another(gateway, &line)
            && notify.observed.events.iter().any(is_hook)
        {
            // Its line is asked what it does when the context has gone.
            return self.ask(gateway, commands::clear_all(context), super::Step::Stray);
        }
        for observed in &notify.observed.events {
            self.counters.events += 1;
            self.observed(now, gateway, &line, request, observed);
        }
    }

    /// Whether a gateway may have calls of the controller that had it before.
    pub(super) fn is_taken_over(&self, gateway: &GatewayId) -> bool {
        let there = self.gateways.get(gateway);
        there.is_some_and(|there| there.registration.taken_over)
    }

    /// Whether a line that is in a context has it from another controller.
    fn is_of_another(&mut self, gateway: &GatewayId, line: &TerminationId) -> bool {
        let there = self.line(gateway, line);
        let ours = there.is_some_and(|line| {
            matches!(line.state, LineState::Call(..)) || !line.queue.is_empty()
        });
        !ours && self.is_taken_over(gateway)
    }

    fn observed(
        &mut self,
        now: Time,
        gateway: &GatewayId,
        line: &TerminationId,
        request: u32,
        observed: &ObservedEvent,
    ) {
        let digits = observed.parameter("ds").map(|value| value.as_str());
        let digits = digits
            .map(|digits| format!(" {digits}"))
            .unwrap_or_default();
        // Heartbeats belong to no call.
        if observed.name != event::INACTIVE {
            let what = format!("Notify {}{digits}", observed.name);
            self.rung(gateway, Some(line), None, false, what);
        }
        if observed.name == event::OFF_HOOK {
            return self.lifted(now, gateway, line);
        }
        let Some(there) = self.line(gateway, line) else {
            return;
        };
        if observed.name == event::ON_HOOK {
            // Sent again and again while nobody was there to hear it, perhaps: the phone may have
            // been lifted since.
            if !there.is_overtaken(request) {
                self.hung_up(now, gateway, line);
            }
            return;
        }
        // Digits that were asked for before are of a call that is over.
        if !there.is_current(request) || observed.name.package() != "dd" {
            return;
        }
        if observed.name == event::DIGITS {
            let digits = observed
                .parameter("ds")
                .map(|value| value.as_str().to_owned());
            self.dialled(now, gateway, line, &digits.unwrap_or_default());
        } else if let Some(digit) = digit_of(observed.name.item()) {
            self.digit(now, gateway, line, digit);
        }
    }

    fn lifted(&mut self, now: Time, gateway: &GatewayId, line: &TerminationId) {
        let Some(there) = self.line(gateway, line) else {
            return;
        };
        match there.state {
            LineState::Idle => self.prompt(now, gateway, line),
            LineState::Call(call, Side::Called) => self.answer(now, call),
            LineState::Call(_, Side::Caller) | LineState::Dialling { .. } | LineState::Over => {}
        }
    }

    fn hung_up(&mut self, now: Time, gateway: &GatewayId, line: &TerminationId) {
        let Some(there) = self.line(gateway, line) else {
            return;
        };
        match there.state {
            LineState::Call(call, side) => {
                let reason = match side {
                    Side::Caller => EndReason::CallerHungUp,
                    Side::Called => EndReason::CalledHungUp,
                };
                self.release(now, call, reason, Some(side));
            }
            LineState::Idle | LineState::Dialling { .. } | LineState::Over => {
                self.make_idle(gateway, line);
            }
        }
    }

    /// A digit that came alone.
    fn digit(&mut self, now: Time, gateway: &GatewayId, line: &TerminationId, digit: char) {
        let Some(there) = self.line(gateway, line) else {
            return;
        };
        let LineState::Dialling { digits, heard } = &mut there.state else {
            return;
        };
        digits.push(digit);
        *heard = now;
        let (digits, first) = (digits.clone(), digits.len() == 1);
        match self.plan.dialled(&digits) {
            Dialled::Complete(_) | Dialled::Nowhere => self.dialled(now, gateway, line, &digits),
            Dialled::Enough(_) | Dialled::Incomplete => {
                if first && let Some(there) = self.line(gateway, line) {
                    // The dial tone ends; events go on.
                    let action = commands::more_digits(line, there.next_request());
                    self.tell(gateway, line, action, super::Step::Tell);
                }
                let timer = Timer::NextDigit(gateway.clone(), line.clone());
                self.timers.insert((now + self.settings.next_digit, timer));
            }
        }
    }

    /// All digits are there.
    pub(super) fn dialled(
        &mut self,
        now: Time,
        gateway: &GatewayId,
        line: &TerminationId,
        digits: &str,
    ) {
        let dialling = |line: &super::Line| matches!(line.state, LineState::Dialling { .. });
        if self.line(gateway, line).is_some_and(|line| dialling(line)) {
            // A digit map writes * as E and # as F.
            let digits = digits.replace(['E', 'e'], "*").replace(['F', 'f'], "#");
            self.originate(now, gateway, line, &digits);
        }
    }

    /// Somebody has lifted a phone that rings.
    fn answer(&mut self, now: Time, call: super::CallId) {
        let Some(there) = self.calls.get_mut(&call) else {
            return;
        };
        match there.progress {
            Progress::Ringing => self.answered_at(now, call),
            // Lifted before its gateway has said that it rings: taken up when it has.
            Progress::Offering => there.answered = Some(now),
            Progress::Seizing | Progress::Connecting | Progress::Talking => {}
        }
    }

    /// What a lifted line hears of a call that failed.
    pub(super) const fn tone_for(reason: EndReason) -> Tone {
        match reason {
            EndReason::Congestion
            | EndReason::NoSuchNumber
            | EndReason::Unavailable
            | EndReason::Refused
            | EndReason::GatewayLost => Tone::Congestion,
            EndReason::Busy
            | EndReason::NoAnswer
            | EndReason::CallerHungUp
            | EndReason::CalledHungUp
            | EndReason::Operator => Tone::Busy,
        }
    }
}

fn is_hook(observed: &ObservedEvent) -> bool {
    observed.name == event::OFF_HOOK || observed.name == event::ON_HOOK
}

/// The digit of an event of package dd (H.248.1 annex E.6).
fn digit_of(item: &str) -> Option<char> {
    let digit = item.strip_prefix(['d', 'D'])?;
    match digit {
        "s" | "S" => Some('*'),
        "o" | "O" => Some('#'),
        _ => digit.chars().next().filter(|_| digit.len() == 1),
    }
}
