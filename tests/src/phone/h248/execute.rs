//! Commands of the controller (RFC 3525 sections 6, 7.2, 8): action by action, command by command,
//! until one fails that is not optional.

use std::time::Duration;

use megaco::{
    ActionReply, ActionRequest, Amm, AuditReply, Command, CommandRequest, ContextAudit, ContextId,
    ContextProperties, Descriptor, Descriptors, ErrorCode, ErrorDescriptor, Name, NotifyReply,
    Outcome, Response, ServiceChangeReply, ServiceChangeResult, TerminationId, TransactionRequest,
};

use super::gateway::Gateway;
use super::termination::{Kind, Termination};
use crate::phone::streams::Output;

/// Where a command looks for terminations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In no context.
    Null,
    /// In this one.
    Id(u32),
}

impl Place {
    pub(super) fn context(self) -> Option<u32> {
        match self {
            Self::Null => None,
            Self::Id(id) => Some(id),
        }
    }
}

/// Responses of an action, and whether the transaction ends with it.
type Done = (ActionReply, bool);

impl Gateway {
    pub(super) fn execute(
        &mut self,
        now: Duration,
        request: TransactionRequest,
        out: &mut Vec<Output>,
    ) -> Outcome {
        let mut replies = Vec::new();
        for action in request.actions {
            let done = match action.context {
                ContextId::All => self.in_all_contexts(now, &action, out),
                _ => vec![self.action(now, &action, out)],
            };
            let failed = done.iter().any(|(_, failed)| *failed);
            replies.extend(done.into_iter().map(|(reply, _)| reply));
            if failed {
                break;
            }
        }
        Outcome::Actions(replies)
    }

    /// The same in each context that has what the commands are about.
    fn in_all_contexts(
        &mut self,
        now: Duration,
        action: &ActionRequest,
        out: &mut Vec<Output>,
    ) -> Vec<Done> {
        let all: Vec<u32> = self.contexts.keys().copied().collect();
        let mut done = Vec::new();
        for id in all {
            let place = Place::Id(id);
            let here = |request: &CommandRequest| {
                let mut ids = request.command.terminations().iter();
                ids.any(|one| *one == TerminationId::Root || self.find(Some(place), one).is_ok())
            };
            if action.commands.iter().any(here) || action.commands.is_empty() {
                let context = ContextId::Id(id);
                done.push(self.action(
                    now,
                    &ActionRequest {
                        context,
                        ..action.clone()
                    },
                    out,
                ));
            }
        }
        if done.is_empty() {
            let failures = action
                .commands
                .iter()
                .map(|request| failure(&request.command, ErrorCode::NO_MATCH));
            let reply = ActionReply::new(ContextId::All, failures.collect());
            done.push((reply, !action.commands.is_empty()));
        }
        done
    }

    fn action(&mut self, now: Duration, action: &ActionRequest, out: &mut Vec<Output>) -> Done {
        let place = match action.context {
            ContextId::Null => Place::Null,
            ContextId::Id(id) if self.contexts.contains_key(&id) => Place::Id(id),
            ContextId::Id(_) | ContextId::All => {
                let error = ErrorCode::UNKNOWN_CONTEXT.into();
                return (ActionReply::failed(action.context, error), true);
            }
            ContextId::Choose => {
                self.last_context += 1;
                self.contexts
                    .insert(self.last_context, ContextProperties::default());
                Place::Id(self.last_context)
            }
        };
        let context = place.context().map_or(ContextId::Null, ContextId::Id);
        if !action.properties.topology.is_empty() {
            let error = ErrorDescriptor::new(ErrorCode::UNKNOWN_DESCRIPTOR, "Topology");
            return (ActionReply::failed(context, error), true);
        }
        if let Some(known) = place.context().and_then(|id| self.contexts.get_mut(&id)) {
            let new = &action.properties;
            known.priority = new.priority.or(known.priority);
            known.emergency = new.emergency.or(known.emergency);
            known.ieps = new.ieps.or(known.ieps);
        }
        let mut reply = ActionReply::new(context, Vec::new());
        let mut failed = false;
        for request in &action.commands {
            let (responses, ok) = self.command(now, place, request, out);
            reply.responses.extend(responses);
            if !ok && !request.optional {
                failed = true;
                break;
            }
        }
        reply.properties = self.audited_properties(place, &action.audit);
        // A new one in which nothing came to be is none.
        if let Some(id) = place.context()
            && !self
                .terminations
                .values()
                .any(|one| one.context == Some(id))
        {
            self.contexts.remove(&id);
        }
        (reply, failed)
    }

    fn audited_properties(&self, place: Place, asked: &[ContextAudit]) -> ContextProperties {
        let known = place.context().and_then(|id| self.contexts.get(&id));
        let mut told = ContextProperties::default();
        let Some(known) = known else { return told };
        for item in asked {
            match item {
                ContextAudit::Priority => told.priority = Some(known.priority.unwrap_or(0)),
                ContextAudit::Emergency => told.emergency = Some(known.emergency.unwrap_or(false)),
                ContextAudit::Ieps => told.ieps = Some(known.ieps.unwrap_or(false)),
                _ => {}
            }
        }
        told
    }

    /// One command on one termination or more: its responses, and whether all went well.
    fn command(
        &mut self,
        now: Duration,
        place: Place,
        request: &CommandRequest,
        out: &mut Vec<Output>,
    ) -> (Vec<Response>, bool) {
        let (mut responses, mut ok) = (Vec::new(), true);
        for id in request.command.terminations().iter() {
            let done = self.on_termination(now, place, id, request, out);
            match done {
                Ok(some) => responses.extend(some),
                Err(code) => {
                    responses.push(failure_on(&request.command, id, code));
                    ok = false;
                }
            }
        }
        (responses, ok)
    }

    fn on_termination(
        &mut self,
        now: Duration,
        place: Place,
        id: &TerminationId,
        request: &CommandRequest,
        out: &mut Vec<Output>,
    ) -> Result<Vec<Response>, ErrorCode> {
        let wildcard = request.wildcard;
        match &request.command {
            Command::Add(amm) => {
                let context = place.context().ok_or(ErrorCode::ILLEGAL_ACTIONS)?;
                let done = self.add(now, context, id, &amm.descriptors, out)?;
                Ok(answers(id, vec![done], wildcard, Response::Add))
            }
            Command::Move(amm) => {
                let context = place.context().ok_or(ErrorCode::ILLEGAL_ACTIONS)?;
                let done = self.move_to(now, context, id, &amm.descriptors, out)?;
                Ok(answers(id, done, wildcard, Response::Move))
            }
            Command::Modify(amm) => {
                let done = self.modify(now, place, id, &amm.descriptors, out)?;
                Ok(answers(id, done, wildcard, Response::Modify))
            }
            Command::Subtract(audited) => {
                let done = self.subtract(now, place, id, audited.audit.as_deref(), out)?;
                Ok(answers(id, done, wildcard, Response::Subtract))
            }
            Command::AuditValue(audited) => {
                let done = self.audit(now, place, id, audited.audit.as_deref(), false)?;
                let answer = |amm| Response::AuditValue(AuditReply::Terminations(amm));
                Ok(answers(id, done, wildcard, answer))
            }
            Command::AuditCapability(audited) => {
                let done = self.audit(now, place, id, audited.audit.as_deref(), true)?;
                let answer = |amm| Response::AuditCapability(AuditReply::Terminations(amm));
                Ok(answers(id, done, wildcard, answer))
            }
            // Only gateways tell what happened.
            Command::Notify(_) => Err(ErrorCode::UNKNOWN_COMMAND),
            Command::ServiceChange(change) => Ok(vec![self.changed_by_controller(change)]),
        }
    }

    /// Terminations by name or pattern; at least one.
    pub(super) fn find(
        &self,
        place: Option<Place>,
        id: &TerminationId,
    ) -> Result<Vec<Name>, ErrorCode> {
        let here = |one: &Termination| place.is_none_or(|place| one.context == place.context());
        let pattern = match id {
            TerminationId::Root => return Ok(Vec::new()),
            TerminationId::Choose => return Err(ErrorCode::INCORRECT_IDENTIFIER),
            TerminationId::All => "*",
            TerminationId::Name(name) if name.as_str().contains('*') => name.as_str(),
            TerminationId::Name(name) => {
                let one = self
                    .terminations
                    .get(name)
                    .ok_or(ErrorCode::UNKNOWN_TERMINATION)?;
                let found = here(one).then(|| vec![name.clone()]);
                return found.ok_or(ErrorCode::NOT_IN_CONTEXT);
            }
        };
        let all = self.terminations.iter();
        let fitting = all.filter(|(name, one)| fits(pattern, name.as_str()) && here(one));
        let names: Vec<Name> = fitting.map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            Err(ErrorCode::NO_MATCH)
        } else {
            Ok(names)
        }
    }

    /// A line that is free and whose name begins so.
    pub(super) fn free_line(&self, prefix: &str) -> Option<Name> {
        let free = |one: &Termination| matches!(one.kind, Kind::Line(_)) && one.context.is_none();
        let mut all = self.terminations.iter();
        let found = all.find(|(name, one)| fits(&format!("{prefix}*"), name.as_str()) && free(one));
        found.map(|(name, _)| name.clone())
    }
}

/// One response for each termination, or one for all.
fn answers(
    asked: &TerminationId,
    done: Vec<(TerminationId, Descriptors)>,
    wildcard: bool,
    answer: impl Fn(Amm) -> Response,
) -> Vec<Response> {
    if !wildcard {
        return done
            .into_iter()
            .map(|(id, told)| answer(Amm::new(id, told)))
            .collect();
    }
    let mut union: Vec<Descriptor> = Vec::new();
    for descriptor in done.into_iter().flat_map(|(_, told)| told.0) {
        if !union.contains(&descriptor) {
            union.push(descriptor);
        }
    }
    vec![answer(Amm::new(asked.clone(), union))]
}

fn failure(command: &Command, code: ErrorCode) -> Response {
    failure_on(command, command.terminations().first(), code)
}

fn failure_on(command: &Command, id: &TerminationId, code: ErrorCode) -> Response {
    let error = ErrorDescriptor::from(code);
    let amm = || Amm::new(id.clone(), [Descriptor::Error(error.clone())]);
    let terminations = id.clone().into();
    match command {
        Command::Add(_) => Response::Add(amm()),
        Command::Move(_) => Response::Move(amm()),
        Command::Modify(_) => Response::Modify(amm()),
        Command::Subtract(_) => Response::Subtract(amm()),
        Command::AuditValue(_) => Response::AuditValue(AuditReply::Terminations(amm())),
        Command::AuditCapability(_) => Response::AuditCapability(AuditReply::Terminations(amm())),
        Command::Notify(_) => Response::Notify(NotifyReply {
            terminations,
            error: Some(error),
        }),
        Command::ServiceChange(_) => {
            let result = ServiceChangeResult::Error(error);
            Response::ServiceChange(ServiceChangeReply {
                terminations,
                result,
            })
        }
    }
}

/// Whether a name fits a pattern, in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        // What stands before the next star is found as early as it can be.
        if let Some(before) = last.replace(part) {
            match rest.find(before) {
                Some(at) => rest = &rest[at + before.len()..],
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

#[cfg(test)]
mod unit {
    use super::fits;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "line1", true),
            ("line*", "LINE1", true),
            ("line*", "rtp/1", false),
            ("*/1", "rtp/1", true),
            ("*/1", "rtp/11", false),
            ("a*c*e", "abcde", true),
            ("a*c*e", "ace", true),
            ("a*c*e", "aec", false),
            ("line1", "line1", true),
            ("line1", "line11", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
