//! Whether what is expected is so.

use std::collections::BTreeMap;

use serde_json::Value;

use super::parse::{Expectation, Path, Switch};
use crate::phone::event::choice;
use crate::phone::line::{State, Talk};
use crate::phone::shell::{Engine, Happened};

/// Events that a phone told and nobody asked for yet; older ones are forgotten.
const MOST_EVENTS: usize = 256;

/// What phones told, for those who ask later.
#[derive(Debug, Default)]
pub(super) struct Memory(BTreeMap<usize, Vec<(Option<usize>, Value)>>);

impl Memory {
    pub(super) fn keep(&mut self, happened: &[Happened]) {
        for one in happened {
            let Ok(event) = serde_json::to_value(&one.event) else {
                continue;
            };
            let kept = self.0.entry(one.phone).or_default();
            if kept.len() == MOST_EVENTS {
                kept.remove(0);
            }
            kept.push((one.line, event));
        }
    }

    /// Finds an event, and forgets it and those before it.
    fn find(&mut self, phone: usize, line: usize, name: &str, fields: &[(String, String)]) -> bool {
        let Some(kept) = self.0.get_mut(&phone) else {
            return false;
        };
        let fits = |(of, event): &(Option<usize>, Value)| {
            let field = |(key, value): &(String, String)| match event.get(key) {
                Some(Value::String(found)) => found == value,
                Some(found) => {
                    let found = found.to_string();
                    found == *value
                }
                None => false,
            };
            of.is_none_or(|of| of == line) && event["event"] == name && fields.iter().all(field)
        };
        let found = kept.iter().position(fits);
        if let Some(at) = found {
            kept.drain(..=at);
        }
        found.is_some()
    }
}

impl Expectation {
    /// Whether it is so; else what is instead.
    pub(super) fn is_so(
        &self,
        engine: &Engine,
        memory: &mut Memory,
        phone: usize,
        line: usize,
    ) -> Result<(), String> {
        if let Self::Event(name, fields) = self {
            let found = memory.find(phone, line, name, fields);
            return found
                .then_some(())
                .ok_or_else(|| "no such event was told".to_owned());
        }
        let Some(device) = engine.device(phone) else {
            let off = engine.is_off(phone);
            let so = off && *self == Self::Unregistered;
            let why = if off {
                "it is switched off"
            } else {
                "it has not booted"
            };
            return so.then_some(()).ok_or_else(|| why.to_owned());
        };
        let registered = device.registered();
        match self {
            Self::Up => return Ok(()),
            Self::Registered(wanted) => {
                let at = registered.map(|at| *at.ip());
                let so = match wanted {
                    None => at.is_some(),
                    Some(Switch::At(address)) => at == Some(*address),
                    Some(which) => {
                        // As the phone knows them, from wherever.
                        device.is_primary() == Some(*which == Switch::Primary)
                    }
                };
                let why = || {
                    registered.map_or("no switch has it".to_owned(), |at| format!("{at} has it"))
                };
                return so.then_some(()).ok_or_else(why);
            }
            Self::Unregistered => {
                return registered.map_or(Ok(()), |at| Err(format!("{at} has it")));
            }
            _ => {}
        }
        let state = device
            .line(line)
            .ok_or_else(|| format!("it has no line {}", line + 1))?;
        if let Self::Media(checks) = self {
            let report = device.report(line).ok_or("there was no stream")?;
            let tone_of = |name: &str| {
                engine
                    .device(engine.find(name)?)
                    .map(|device| device.tone_hz())
            };
            let failed = checks.iter().find(|check| !check.holds(&report, tone_of));
            return failed.map_or(Ok(()), |check| Err(format!("not {check:?}: {report:?}")));
        }
        let so = self.of_line(state);
        so.then_some(()).ok_or_else(|| describe(state))
    }

    fn of_line(&self, state: &State) -> bool {
        let idle = !state.off_hook && !state.ringing;
        match self {
            Self::Tone(name) => state.tone.as_ref().is_some_and(|tone| tone.word() == name),
            Self::Silence => state.tone.is_none(),
            Self::Ringing(caller) => {
                let from = |caller: &String| {
                    state
                        .caller
                        .as_ref()
                        .is_some_and(|from| from.contains(caller))
                };
                state.ringing && caller.as_ref().is_none_or(from)
            }
            Self::Quiet => !state.ringing,
            Self::Talking(path) => match (path, state.talk) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(Path::Choice(choice)), Some(Talk::Internal)) => choice == "internal",
                (Some(Path::Choice(wanted)), Some(Talk::Stream { remote, .. })) => {
                    choice(*remote.ip()) == wanted
                }
                (Some(Path::At(address)), Some(Talk::Stream { remote, .. })) => {
                    remote.ip() == address
                }
                (Some(Path::At(_)), Some(Talk::Internal)) => false,
            },
            Self::Held => state.off_hook && state.in_call && state.talk.is_none() && !state.hung_up,
            Self::HungUp => state.hung_up,
            Self::Idle => idle && state.stream.is_none(),
            Self::OffHook => state.off_hook,
            Self::OnHook => !state.off_hook,
            _ => false,
        }
    }
}

/// As it is, for a person.
pub(super) fn describe(state: &State) -> String {
    let mut words = vec![if state.off_hook {
        "off hook".to_owned()
    } else {
        "on hook".to_owned()
    }];
    if state.ringing {
        words.push("ringing".to_owned());
    }
    words.extend(
        state
            .tone
            .as_ref()
            .map(|tone| format!("tone {}", tone.word())),
    );
    words.extend(match state.talk {
        Some(Talk::Stream { remote, .. }) => Some(format!("talking to {remote}")),
        Some(Talk::Internal) => Some("talking to another line".to_owned()),
        None => state.stream.map(|port| format!("a stream at port {port}")),
    });
    if state.hung_up {
        words.push("the other has hung up".to_owned());
    }
    words.join(", ")
}
