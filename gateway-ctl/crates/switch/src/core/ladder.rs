//! What was said, for people: the rungs of calls' ladders.

use std::collections::VecDeque;
use std::fmt::Write as _;

use megaco::{
    ActionReply, ActionRequest, Amm, Command, ContextId, Descriptor, Response, SignalItem,
    StreamMode,
};
use serde::{Deserialize, Serialize};

use super::{CallId, Time};

/// Rungs that are kept, of all calls together.
const MOST: usize = 20_000;
/// Calls that are known by what was dialled.
const MOST_CALLS: usize = 4000;

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// When, milliseconds since 1970.
    pub at: u64,
    /// In which call; none before there was one.
    pub call: Option<CallId>,
    /// To whom or from whom.
    pub gateway: String,
    /// Which of its lines.
    pub line: Option<String>,
    /// The number of that line.
    pub number: Option<String>,
    /// Whether the switch said it.
    pub sent: bool,
    /// What.
    pub what: String,
}

/// The last rungs of all calls.
#[derive(Debug, Default)]
pub(super) struct Ladder {
    rungs: VecDeque<Rung>,
    /// Numbers that were dialled, and the calls.
    dialled: VecDeque<(String, CallId)>,
}

impl Ladder {
    pub(super) fn add(&mut self, rung: Rung) {
        if self.rungs.len() == MOST {
            self.rungs.pop_front();
        }
        self.rungs.push_back(rung);
    }

    /// A call was dialled.
    pub(super) fn dialled(&mut self, number: &str, call: CallId) {
        if self.dialled.len() == MOST_CALLS {
            self.dialled.pop_front();
        }
        self.dialled.push_back((number.to_owned(), call));
    }

    /// The last call of a number, or to it, from its first sign on; everything that is known of it.
    pub(super) fn last_call(&self, number: &str) -> Vec<Rung> {
        let mut to_it = self.dialled.iter().rev();
        let to_it = to_it.find(|(dialled, _)| dialled == number);
        let of_it = self.rungs.iter().rev();
        let of_it = of_it.filter(|rung| rung.number.as_deref() == Some(number));
        let of_it = of_it.filter_map(|rung| rung.call).next();
        if let Some(call) = of_it.max(to_it.map(|(_, call)| *call)) {
            return self.of_call(call);
        }
        let of_number = |rung: &&Rung| rung.number.as_deref() == Some(number);
        // It has dialled nothing yet, or only lifted.
        self.rungs.iter().filter(of_number).cloned().collect()
    }

    /// A call, with what its caller's line said and heard right before it.
    pub(super) fn of_call(&self, call: CallId) -> Vec<Rung> {
        let first = self.rungs.iter().position(|rung| rung.call == Some(call));
        let Some(first) = first else {
            return Vec::new();
        };
        let same_line = |rung: &Rung| {
            let of = &self.rungs[first];
            rung.gateway == of.gateway && rung.line == of.line
        };
        let before = self
            .rungs
            .range(..first)
            .rev()
            .filter(|rung| same_line(rung));
        let mut before: Vec<Rung> = before
            .take_while(|rung| rung.call.is_none())
            .take(6)
            .cloned()
            .collect();
        before.reverse();
        let of_call = self
            .rungs
            .range(first..)
            .filter(|rung| rung.call == Some(call));
        before.extend(of_call.cloned());
        before
    }
}

pub(super) fn milliseconds(now: Time) -> u64 {
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Actions in a line.
pub(super) fn told(action: &ActionRequest) -> String {
    let mut text = context(action.context);
    for request in &action.commands {
        let (verb, amm) = match &request.command {
            Command::Add(amm) => ("Add", Some(amm)),
            Command::Move(amm) => ("Move", Some(amm)),
            Command::Modify(amm) => ("Modify", Some(amm)),
            Command::Subtract(_) => ("Subtract", None),
            Command::AuditValue(_) => ("AuditValue", None),
            Command::AuditCapability(_) => ("AuditCapability", None),
            Command::Notify(_) => ("Notify", None),
            Command::ServiceChange(_) => ("ServiceChange", None),
        };
        let termination = request.command.terminations().first().as_str();
        let _ = write!(text, " {verb} {termination}");
        if let Some(amm) = amm {
            text += &descriptors(amm);
        }
    }
    text
}

/// Answers in a line.
pub(super) fn replied(actions: &[ActionReply]) -> String {
    let mut text = String::from("ok");
    for action in actions {
        text += " ";
        text += &context(action.context);
        for response in &action.responses {
            if let Response::Add(amm) = response {
                let _ = write!(text, " {}", amm.terminations.first().as_str());
                text += &descriptors(amm);
            }
        }
    }
    text
}

fn context(context: ContextId) -> String {
    match context {
        ContextId::Null => "C=-".to_owned(),
        ContextId::Choose => "C=$".to_owned(),
        ContextId::All => "C=*".to_owned(),
        ContextId::Id(id) => format!("C={id}"),
    }
}

/// Signals, events, mode and where media go.
fn descriptors(amm: &Amm) -> String {
    let mut parts: Vec<String> = Vec::new();
    for descriptor in &amm.descriptors.0 {
        match descriptor {
            Descriptor::Signals(signals) if signals.0.is_empty() => {
                parts.push("silence".to_owned())
            }
            Descriptor::Signals(signals) => {
                parts.extend(signals.0.iter().flat_map(|item| {
                    match item {
                        SignalItem::Signal(signal) => vec![signal.name.to_string()],
                        SignalItem::List(list) => list
                            .signals
                            .iter()
                            .map(|signal| signal.name.to_string())
                            .collect(),
                    }
                }));
            }
            Descriptor::Events(events) => {
                let names = events.events.iter().map(|event| event.name.to_string());
                parts.push(format!("E={}", names.collect::<Vec<_>>().join("+")));
            }
            Descriptor::Media(media) => {
                for stream in &media.streams {
                    let mode = stream.control.as_ref().and_then(|control| control.mode);
                    parts.extend(mode.map(|mode| mode_name(mode).to_owned()));
                    let shown = |octets: &megaco::Octets| place(octets.as_bytes());
                    let local = stream.local.as_ref().and_then(shown);
                    parts.extend(local.map(|place| format!("L={place}")));
                    let remote = stream.remote.as_ref().and_then(shown);
                    parts.extend(remote.map(|place| format!("R={place}")));
                }
            }
            _ => {}
        }
    }
    match parts.is_empty() {
        true => String::new(),
        false => format!(" {{{}}}", parts.join(" ")),
    }
}

const fn mode_name(mode: StreamMode) -> &'static str {
    match mode {
        StreamMode::SendOnly => "SO",
        StreamMode::ReceiveOnly => "RC",
        StreamMode::SendReceive => "SR",
        StreamMode::Inactive => "IN",
        StreamMode::Loopback => "LB",
    }
}

/// The address and the first port of a description.
fn place(description: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(description);
    let word = |begin: &str, at: usize| {
        let line = text.lines().find(|line| line.starts_with(begin))?;
        line.split_whitespace().nth(at).map(str::to_owned)
    };
    Some(format!("{}:{}", word("c=", 2)?, word("m=", 1)?))
}
