//! What becomes of what gateways were told.

use megaco::{
    ActionReply, Amm, AuditReply, ContextId, ErrorCode, ErrorDescriptor, Octets, Response,
    TerminationId,
};

use super::{Asked, Made, NoAnswer, Step, Switch, Ticket, Time};
use crate::h248::commands;
use crate::identity::GatewayId;
use crate::record::EndReason;

impl Switch {
    /// A gateway has answered a question, or never will.
    pub fn answered(
        &mut self,
        now: Time,
        ticket: Ticket,
        answer: Result<Vec<ActionReply>, NoAnswer>,
    ) {
        self.now = now;
        let Some(Asked {
            gateway,
            line,
            step,
            at,
        }) = self.asked.remove(&ticket)
        else {
            return;
        };
        if let Some(there) = self.gateways.get_mut(&gateway) {
            there.asked.remove(&ticket);
        }
        let answer = answer.and_then(|actions| {
            let mut actions = actions;
            match error_of(&mut actions) {
                Some(error) => Err(NoAnswer::Refused(error)),
                None => Ok(actions),
            }
        });
        if let Err(NoAnswer::Refused(error)) = &answer {
            self.counters.refused(error.code);
        }
        if let Some(call) = step.call() {
            let what = match &answer {
                Ok(actions) => super::ladder::replied(actions),
                Err(NoAnswer::Silent) => "no answer".to_owned(),
                Err(NoAnswer::Refused(error)) => {
                    format!("error {} {}", error.code.0, error.text.as_str())
                }
            };
            self.rung(&gateway, line.as_ref(), Some(call), false, what);
        }
        if let Some(there) = line.as_ref().and_then(|line| self.line(&gateway, line)) {
            there.asked = None;
        }
        match (&step, &answer) {
            (Step::Contexts, Ok(actions)) => self.has_contexts(now, &gateway, at, actions),
            (Step::Contexts, Err(NoAnswer::Refused(error))) if is_none(error.code) => {
                self.has_contexts(now, &gateway, at, &[]);
            }
            _ => self.take(now, &gateway, line.as_ref(), step, answer),
        }
        if let Some(line) = line {
            self.go_on(&gateway, &line);
        }
    }

    fn take(
        &mut self,
        now: Time,
        gateway: &GatewayId,
        line: Option<&TerminationId>,
        step: Step,
        answer: Result<Vec<ActionReply>, NoAnswer>,
    ) {
        match (step, answer) {
            (Step::Seize(call), Ok(actions)) => match made(&actions) {
                Some((_, made, local)) if self.calls.contains_key(&call) => {
                    self.seized(now, call, made, local);
                }
                Some((_, made, _)) => self.clear_late(gateway, line, made.context),
                None => self.release(now, call, EndReason::Refused, None),
            },
            (Step::Seize(call), Err(why)) => {
                let reason = match why {
                    NoAnswer::Refused(error) => reason_of(error.code),
                    NoAnswer::Silent => EndReason::GatewayLost,
                };
                self.release(now, call, reason, None);
            }
            (Step::Offer(call), Ok(actions)) => match made(&actions) {
                Some((line, made, local)) if self.is_offered(call, gateway) => {
                    self.offered(now, call, line, made, local);
                }
                Some((_, made, _)) => self.clear_late(gateway, line, made.context),
                None => self.not_offered(now, call, gateway, line, EndReason::Refused),
            },
            (Step::Offer(call), Err(why)) => {
                let reason = match why {
                    NoAnswer::Refused(error) => reason_of(error.code),
                    NoAnswer::Silent => EndReason::Unavailable,
                };
                self.not_offered(now, call, gateway, line, reason);
            }
            (Step::Connect(call), Ok(_)) => self.connected(now, call),
            (Step::Connect(call), Err(why)) => {
                let reason = match why {
                    NoAnswer::Refused(_) => EndReason::Refused,
                    NoAnswer::Silent => EndReason::GatewayLost,
                };
                self.release(now, call, reason, None);
            }
            (Step::Change(call), answer) => self.line_has_changed(now, call, answer.is_ok()),
            (Step::Clear(call, side), answer) => {
                let counted = answer.map(|actions| counted(&actions)).unwrap_or_default();
                self.cleared(call, side, counted);
            }
            (Step::Lines, Ok(actions)) => self.has_lines(now, gateway, &audited(&actions)),
            (Step::Armed(line, request), Ok(actions)) => {
                self.is_armed(gateway, &line, request, &actions);
            }
            (Step::Stray, _) => self.ask(gateway, commands::audit_lines(), Step::Lines),
            (Step::Tell | Step::Late | Step::Lines | Step::Contexts | Step::Armed(..), _) => {}
        }
    }

    /// Whether a call still waits for this gateway.
    fn is_offered(&self, call: super::CallId, gateway: &GatewayId) -> bool {
        let called = self.calls.get(&call).and_then(|call| call.called.as_ref());
        called.is_some_and(|called| called.is_on(gateway) && called.made.is_none())
    }

    fn not_offered(
        &mut self,
        now: Time,
        call: super::CallId,
        gateway: &GatewayId,
        line: Option<&TerminationId>,
        reason: EndReason,
    ) {
        if let Some(line) = line {
            self.make_idle(gateway, line);
        }
        if self.is_offered(call, gateway) {
            if let Some(call) = self.calls.get_mut(&call) {
                call.refused = reason;
            }
            self.offer(now, call);
        }
    }
}

/// How gateways say that they have no context.
fn is_none(code: ErrorCode) -> bool {
    matches!(code, ErrorCode(411 | 430 | 431))
}

/// What a call that a gateway refuses ends with.
fn reason_of(code: ErrorCode) -> EndReason {
    match code {
        // In a context already; off the hook already.
        ErrorCode::IN_A_CONTEXT | ErrorCode(540) => EndReason::Busy,
        // No contexts, no terminations, no resources.
        ErrorCode::NO_CONTEXTS
        | ErrorCode::NO_TERMINATIONS
        | ErrorCode::CONTEXT_FULL
        | ErrorCode(431 | 510 | 526 | 533) => EndReason::Congestion,
        ErrorCode::UNKNOWN_TERMINATION | ErrorCode(502 | 505) => EndReason::Unavailable,
        _ => EndReason::Refused,
    }
}

/// The first error of an answer, wherever it stands.
fn error_of(actions: &mut [ActionReply]) -> Option<ErrorDescriptor> {
    let of_response = |response: &Response| match response {
        Response::Add(amm)
        | Response::Move(amm)
        | Response::Modify(amm)
        | Response::Subtract(amm) => amm.descriptors.error().cloned(),
        Response::AuditValue(_) | Response::AuditCapability(_) => None,
        Response::Notify(notify) => notify.error.clone(),
        Response::ServiceChange(_) => None,
    };
    actions.iter().find_map(|action| {
        let own = action.error.clone();
        own.or_else(|| action.responses.iter().find_map(of_response))
    })
}

/// The context that was made: its line, its media, and what these offer.
fn made(actions: &[ActionReply]) -> Option<(TerminationId, Made, Octets)> {
    let action = actions.first()?;
    let ContextId::Id(context) = action.context else {
        return None;
    };
    let added = action
        .responses
        .iter()
        .filter_map(|response| match response {
            Response::Add(amm) => Some(amm),
            _ => None,
        });
    let local = |amm: &Amm| {
        let stream = amm.descriptors.media()?.streams.first()?;
        stream.local.clone()
    };
    let (mut line, mut media) = (None, None);
    for amm in added {
        match local(amm) {
            Some(local) => media = Some((amm.terminations.first().clone(), local)),
            None => line = Some(amm.terminations.first().clone()),
        }
    }
    let (media, local) = media?;
    Some((line?, Made { context, media }, local))
}

/// What the terminations of a context have counted.
fn counted(actions: &[ActionReply]) -> Vec<(String, String)> {
    let responses = actions.iter().flat_map(|action| &action.responses);
    let statistics = responses.filter_map(|response| match response {
        Response::Subtract(amm) => amm.descriptors.statistics(),
        _ => None,
    });
    let of = |statistic: &megaco::Statistic| {
        let value = statistic.value.as_ref().and_then(|value| value.value());
        let value = value.map(|value| value.as_str().to_owned());
        (
            statistic.name.as_str().to_owned(),
            value.unwrap_or_default(),
        )
    };
    statistics.flatten().map(of).collect()
}

/// The terminations of an audit.
fn audited(actions: &[ActionReply]) -> Vec<TerminationId> {
    let responses = actions.iter().flat_map(|action| &action.responses);
    let mut found = Vec::new();
    for response in responses {
        match response {
            Response::AuditValue(AuditReply::Terminations(amm)) => {
                found.extend(amm.terminations.iter().cloned());
            }
            Response::AuditValue(AuditReply::Context(terminations)) => {
                found.extend(terminations.iter().cloned());
            }
            _ => {}
        }
    }
    found
}
