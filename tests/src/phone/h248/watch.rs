//! What a termination watches for (RFC 3525 sections 7.1.9, 7.1.10, 7.1.14).
//!
//! ```text
//!   happens --> is it in the Events descriptor? --yes--> stop signals, tell, embedded descriptors
//!                     |      ^                            in lock-step: then wait for new Events,
//!   digit --> digit map      |                            and keep what happens meanwhile
//!               `-- complete: dd/ce
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use megaco::{
    DigitMapValue, Embed, ErrorCode, EventDigitMap, Events, Name, ObservedEvent, ObservedEvents,
    Parameter, PkgdName, RequestedEvent, Value,
};

use super::digit_map::{Collector, Method, Step};
use super::signals;

/// "No such event in this package", "missing parameter in signal or event", "unexpected initial
/// hook state" (H.248.8).
const NO_SUCH_EVENT: ErrorCode = ErrorCode(451);
const MISSING_PARAMETER: ErrorCode = ErrorCode(457);
const UNEXPECTED_HOOK_STATE: ErrorCode = ErrorCode(540);

/// Off-hook, on-hook, hook flash.
pub(super) const OFF_HOOK: PkgdName = PkgdName::literal("al/of");
/// On-hook.
pub(super) const ON_HOOK: PkgdName = PkgdName::literal("al/on");
/// Hook flash.
pub(super) const FLASH: PkgdName = PkgdName::literal("al/fl");
/// A signal has ended.
pub(super) const SIGNAL_ENDED: PkgdName = PkgdName::literal("g/sc");
/// Nothing was heard of the controller (H.248.14).
pub(super) const INACTIVE: PkgdName = PkgdName::literal("it/ito");
const DIGITS_COMPLETE: PkgdName = PkgdName::literal("dd/ce");

/// Events by package.
const KNOWN: &[(&str, &[&str])] = &[
    ("al", &["of", "on", "fl"]),
    (
        "dd",
        &[
            "ce", "std", "etd", "ltd", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9",
            "da", "db", "dc", "dd", "ds", "do",
        ],
    ),
    ("g", &["sc", "cause"]),
    ("it", &["ito"]),
    ("nt", &["netfail", "qualert"]),
    ("rtp", &["pltrans"]),
];

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Happening(pub(super) ObservedEvent);

impl Happening {
    pub(super) fn new(name: PkgdName, parameters: Vec<Parameter>) -> Self {
        Self(ObservedEvent {
            parameters,
            ..name.into()
        })
    }
}

/// What follows from something that happened and was watched for.
#[derive(Clone, Debug)]
pub(super) struct Recognized {
    pub(super) keep_active: bool,
    pub(super) observed: ObservedEvents,
    pub(super) embed: Option<Embed>,
}

/// What follows from a digit.
#[derive(Clone, Debug, Default)]
pub(super) struct Pressed {
    /// Signals stop.
    pub(super) stop: bool,
    /// These happen, one after the other.
    pub(super) happenings: Vec<Happening>,
    /// The digit is still to be dealt with, when they have happened.
    pub(super) again: bool,
}

/// What is watched for, and what waits.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    pub(super) events: Events,
    collector: Option<Collector>,
    collector_keeps_active: bool,
    lock_step: bool,
    suspended: bool,
    /// Events that are kept in lock-step.
    pub(super) buffered: Vec<ObservedEvent>,
    waiting: VecDeque<Happening>,
}

/// Digit maps by name: of the termination, then of the whole gateway.
pub(super) type FindMap<'a> = &'a dyn Fn(&Name) -> Option<DigitMapValue>;

/// Whether these can be watched for on a line whose handset is lifted or not.
pub(super) fn check(
    events: &Events,
    off_hook: Option<bool>,
    find: FindMap<'_>,
) -> Result<(), ErrorCode> {
    for event in &events.events {
        let package = event.name.package();
        let known = KNOWN
            .iter()
            .find(|(name, _)| package.eq_ignore_ascii_case(name));
        let (_, items) = known.ok_or(ErrorCode::UNKNOWN_PACKAGE)?;
        let item = event.name.item();
        if item != "*" && !items.iter().any(|name| item.eq_ignore_ascii_case(name)) {
            return Err(NO_SUCH_EVENT);
        }
        if completes_digits(event) {
            let map = map_of(event, find).ok_or(MISSING_PARAMETER)?;
            Collector::start(Duration::ZERO, &map).ok_or(ErrorCode::UNKNOWN_VALUE)?;
        }
        let already =
            off_hook.is_some_and(|off| event.name == if off { OFF_HOOK } else { ON_HOOK });
        if already && strict(event).eq_ignore_ascii_case("failWrong") {
            return Err(UNEXPECTED_HOOK_STATE);
        }
        if let Some(embed) = &event.embed {
            embed.signals.as_ref().map_or(Ok(()), signals::check)?;
            embed
                .events
                .as_ref()
                .map_or(Ok(()), |events| check(events, None, find))?;
        }
    }
    Ok(())
}

/// `dd/ce`, or `dd/*` with a digit map.
fn completes_digits(event: &RequestedEvent) -> bool {
    event.name == DIGITS_COMPLETE || event.name == "dd/*" && event.digit_map.is_some()
}

fn map_of(event: &RequestedEvent, find: FindMap<'_>) -> Option<DigitMapValue> {
    match event.digit_map.as_ref()? {
        EventDigitMap::Named(name) => find(name),
        EventDigitMap::Value(value) => Some(value.clone()),
    }
}

fn strict(event: &RequestedEvent) -> &str {
    let strict = event
        .parameters
        .iter()
        .find(|parameter| parameter.name == "strict");
    strict
        .and_then(|strict| strict.value.value())
        .map_or("exact", Value::as_str)
}

impl Watch {
    /// Watches for these instead. What happens by that alone: the hook is as it is asked for, or
    /// something was kept.
    pub(super) fn activate(
        &mut self,
        now: Duration,
        events: Events,
        off_hook: Option<bool>,
        find: FindMap<'_>,
    ) -> Vec<Happening> {
        self.suspended = false;
        self.collector = None;
        let mut happenings = Vec::new();
        for event in &events.events {
            if completes_digits(event)
                && let Some(map) = map_of(event, find)
            {
                self.collector = Collector::start(now, &map);
                self.collector_keeps_active = event.keep_active;
            }
            let hook = off_hook.map(|off| if off { OFF_HOOK } else { ON_HOOK });
            if hook.as_ref() == Some(&event.name) && strict(event).eq_ignore_ascii_case("state") {
                const INIT: Name = Name::literal("init");
                let already = Parameter::new(INIT, Value::literal("True"));
                happenings.push(Happening::new(event.name.clone(), vec![already]));
            }
        }
        if events.events.is_empty() {
            self.waiting.clear();
        }
        self.events = events;
        happenings
    }

    /// One at a time, or not.
    pub(super) fn set_lock_step(&mut self, on: bool) {
        self.lock_step = on;
        if !on {
            self.waiting.clear();
            self.suspended = false;
        }
    }

    pub(super) fn lock_step(&self) -> bool {
        self.lock_step
    }

    /// The next one that was kept, if it may happen now.
    pub(super) fn next_waiting(&mut self) -> Option<Happening> {
        if self.suspended {
            None
        } else {
            self.waiting.pop_front()
        }
    }

    /// What was kept.
    pub(super) fn waiting(&self) -> Vec<ObservedEvent> {
        self.waiting
            .iter()
            .map(|happening| happening.0.clone())
            .collect()
    }

    /// Something happens: what follows, if it is watched for.
    pub(super) fn happen(&mut self, happening: &Happening) -> Option<Recognized> {
        let name = &happening.0.name;
        if self.suspended {
            if self.buffered.iter().any(|one| matches(&one.name, name)) {
                self.waiting.push_back(happening.clone());
            }
            return None;
        }
        let event = self
            .events
            .events
            .iter()
            .find(|event| matches(&event.name, name))?;
        let recognized = Recognized {
            keep_active: event.keep_active,
            observed: ObservedEvents {
                request: self.events.request?,
                events: vec![happening.0.clone()],
            },
            embed: event.embed.as_deref().cloned(),
        };
        self.suspended = self.lock_step;
        Some(recognized)
    }

    /// A digit is pressed: 0 to 9, A to D, E for `*`, F for `#`.
    pub(super) fn press(&mut self, now: Duration, symbol: char) -> Pressed {
        let digit = digit_event(symbol);
        let Some(collector) = &mut self.collector else {
            return Pressed {
                happenings: digit.into_iter().collect(),
                ..Pressed::default()
            };
        };
        let step = collector.press(now, symbol, false);
        let named = |event: &Happening| {
            self.events
                .events
                .iter()
                .any(|one| matches(&one.name, &event.0.name))
        };
        let alone: Vec<Happening> = digit.into_iter().filter(named).collect();
        let stop = !self.collector_keeps_active;
        match step {
            Step::More => Pressed {
                stop,
                happenings: alone,
                again: false,
            },
            Step::Complete {
                method,
                digits,
                taken,
            } => {
                self.collector = None;
                let mut happenings = if taken { alone } else { Vec::new() };
                happenings.push(complete(method, &digits));
                Pressed {
                    stop: stop && taken,
                    happenings,
                    again: !taken,
                }
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.collector.as_ref()?.until
    }

    /// No further digit came.
    pub(super) fn handle_timeout(&mut self, now: Duration) -> Option<Happening> {
        match self.collector.as_mut()?.handle_timeout(now) {
            Step::More => None,
            Step::Complete { method, digits, .. } => {
                self.collector = None;
                Some(complete(method, &digits))
            }
        }
    }
}

fn matches(asked: &PkgdName, name: &PkgdName) -> bool {
    let package = asked.package();
    let same = package == "*" || package.eq_ignore_ascii_case(name.package());
    same && (asked.item() == "*" || asked.item().eq_ignore_ascii_case(name.item()))
}

fn complete(method: Method, digits: &str) -> Happening {
    const DIGITS: Name = Name::literal("ds");
    const METHOD: Name = Name::literal("Meth");
    let digits = Value::quoted(digits)
        .ok()
        .map(|digits| Parameter::new(DIGITS, digits));
    let method = Value::word(method.word())
        .ok()
        .map(|method| Parameter::new(METHOD, method));
    Happening::new(DIGITS_COMPLETE, digits.into_iter().chain(method).collect())
}

fn digit_event(symbol: char) -> Option<Happening> {
    let item = match symbol.to_ascii_lowercase() {
        'e' => 's',
        'f' => 'o',
        other @ ('0'..='9' | 'a'..='d') => other,
        _ => return None,
    };
    let name = PkgdName::new(&format!("dd/d{item}")).ok()?;
    Some(Happening::new(name, Vec::new()))
}
