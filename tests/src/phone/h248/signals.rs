//! What a termination is told to send to its user (RFC 3525 section 7.1.11).
//!
//! A Signals descriptor replaces all that plays. Each signal plays until it is replaced, until an
//! event interrupts it, or until its time is over; a list plays one signal after the other.

use std::collections::VecDeque;
use std::time::Duration;

use megaco::{
    Completion, ErrorCode, Name, Parameter, PkgdName, Signal, SignalItem, SignalKind, Signals,
    Value,
};

use crate::phone::line::Tone;

/// "No such signal in this package" (H.248.8).
const NO_SUCH_SIGNAL: ErrorCode = ErrorCode(452);
/// How long a brief signal takes.
const BRIEF: Duration = Duration::from_millis(300);
/// How long a DTMF digit takes, which is brief by nature (annex E.5.3).
const DIGIT: Duration = Duration::from_millis(50);

/// Signals by package; `*` takes any.
const KNOWN: &[(&str, &[&str])] = &[
    ("al", &["ri"]),
    ("alert", &["*"]),
    ("andisp", &["*"]),
    (
        "cg",
        &["dt", "rt", "bt", "ct", "sit", "wt", "prt", "cw", "cr"],
    ),
    ("xcg", &["*"]),
    ("srvtn", &["*"]),
    ("dg", &["*"]),
    ("tonegen", &["pt"]),
];

#[derive(Clone, Debug)]
struct Voice {
    signal: Signal,
    until: Option<Duration>,
    list: Option<u16>,
    /// What comes behind it in its list.
    rest: VecDeque<Signal>,
}

/// A signal that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    name: PkgdName,
    how: &'static str,
    list: Option<u16>,
    /// The controller wants to know.
    pub(super) wanted: bool,
}

impl Ended {
    /// Parameters of event `g/sc` (annex E.1.2).
    pub(super) fn parameters(&self) -> Vec<Parameter> {
        const ID: Name = Name::literal("SigID");
        const METHOD: Name = Name::literal("Meth");
        const LIST: Name = Name::literal("SLID");
        let name = Value::word(self.name.as_str()).ok();
        let mut all: Vec<Parameter> = name
            .map(|name| Parameter::new(ID, name))
            .into_iter()
            .collect();
        all.extend(Value::word(self.how).map(|how| Parameter::new(METHOD, how)));
        all.extend(
            self.list
                .map(|list| Parameter::new(LIST, Value::number(list.into()))),
        );
        all
    }
}

/// What plays.
#[derive(Clone, Debug, Default)]
pub(super) struct Playing {
    voices: Vec<Voice>,
    /// DTMF digits so far: what a trunk is to dial.
    dialled: String,
}

/// Whether all signals are known.
pub(super) fn check(signals: &Signals) -> Result<(), ErrorCode> {
    let mut all = signals.0.iter().flat_map(|item| match item {
        SignalItem::Signal(signal) => std::slice::from_ref(signal),
        SignalItem::List(list) => list.signals.as_slice(),
    });
    all.try_for_each(|signal| {
        let package = KNOWN
            .iter()
            .find(|(package, _)| signal.name.package().eq_ignore_ascii_case(package));
        let (_, known) = package.ok_or(ErrorCode::UNKNOWN_PACKAGE)?;
        let is = |name: &&str| *name == "*" || signal.name.item().eq_ignore_ascii_case(name);
        known.iter().any(is).then_some(()).ok_or(NO_SUCH_SIGNAL)
    })
}

impl Playing {
    /// Plays these instead.
    pub(super) fn play(&mut self, now: Duration, signals: &Signals) -> Vec<Ended> {
        let ended = self
            .voices
            .iter()
            .map(|voice| voice.ended("SD", Completion::BY_SIGNALS));
        let ended = ended.collect();
        self.voices = signals
            .0
            .iter()
            .filter_map(|item| Voice::new(now, item))
            .collect();
        let digits = self
            .voices
            .iter()
            .filter_map(|voice| digit_of(&voice.signal.name));
        self.dialled.extend(digits);
        ended
    }

    /// An event happened.
    pub(super) fn interrupt(&mut self) -> Vec<Ended> {
        let over = self
            .voices
            .extract_if(.., |voice| !voice.signal.keep_active);
        over.map(|voice| voice.ended("EV", Completion::BY_EVENT))
            .collect()
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.voices.iter().filter_map(|voice| voice.until).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Duration) -> Vec<Ended> {
        let mut ended = Vec::new();
        for voice in &mut self.voices {
            while let Some(until) = voice.until.filter(|until| *until <= now) {
                match voice.rest.pop_front() {
                    Some(next) => {
                        voice.until = end_of(until, &next);
                        self.dialled.extend(digit_of(&next.name));
                        voice.signal = next;
                    }
                    None => break,
                }
            }
        }
        let is_over = |voice: &mut Voice| voice.until.is_some_and(|until| until <= now);
        for voice in self.voices.extract_if(.., is_over) {
            ended.push(voice.ended("TO", Completion::TIME_OUT));
        }
        ended
    }

    /// What an audit is told.
    pub(super) fn descriptor(&self) -> Signals {
        let all = self
            .voices
            .iter()
            .map(|voice| SignalItem::Signal(voice.signal.clone()));
        Signals(all.collect())
    }

    /// Whether a phone that lies on its hook rings.
    pub(super) fn rings(&self) -> bool {
        self.voices
            .iter()
            .any(|voice| is_ringing(&voice.signal.name))
    }

    /// The number that was dialled by DTMF, when all of it was.
    pub(super) fn dialled(&self) -> Option<&str> {
        let dials = |voice: &Voice| digit_of(&voice.signal.name).is_some();
        let over = !self.dialled.is_empty() && !self.voices.iter().any(dials);
        over.then_some(self.dialled.as_str())
    }

    /// The next number begins anew.
    pub(super) fn forget_dialled(&mut self) {
        self.dialled.clear();
    }

    /// What is heard.
    pub(super) fn tone(&self) -> Option<Tone> {
        let heard = self
            .voices
            .iter()
            .find(|voice| !is_ringing(&voice.signal.name))?;
        let name = &heard.signal.name;
        Some(match name.as_str().to_ascii_lowercase().as_str() {
            "cg/dt" => Tone::Dial,
            "cg/rt" => Tone::RingBack,
            "cg/bt" => Tone::Busy,
            "cg/ct" => Tone::Congestion,
            other => Tone::Other(other.to_owned()),
        })
    }
}

/// The digit of a signal of package dg.
fn digit_of(name: &PkgdName) -> Option<char> {
    if !name.package().eq_ignore_ascii_case("dg") {
        return None;
    }
    let item = name.item().to_ascii_lowercase();
    match item.strip_prefix('d')?.chars().next()? {
        's' => Some('*'),
        'o' => Some('#'),
        digit => Some(digit.to_ascii_uppercase()),
    }
}

fn is_ringing(name: &PkgdName) -> bool {
    ["al/ri", "alert/ri", "andisp/dwa"]
        .iter()
        .any(|ring| *name == **ring)
}

impl Voice {
    fn new(now: Duration, item: &SignalItem) -> Option<Self> {
        let (mut rest, list): (VecDeque<Signal>, _) = match item {
            SignalItem::Signal(signal) => (VecDeque::from([signal.clone()]), None),
            SignalItem::List(list) => (list.signals.iter().cloned().collect(), Some(list.id)),
        };
        let signal = rest.pop_front()?;
        let until = end_of(now, &signal);
        Some(Self {
            signal,
            until,
            list,
            rest,
        })
    }

    fn ended(&self, how: &'static str, completion: Completion) -> Ended {
        Ended {
            name: self.signal.name.clone(),
            how,
            list: self.list,
            wanted: self.signal.completion.contains(completion),
        }
    }
}

/// Signals of these packages that name no time play on, as those of a line do for a person.
fn end_of(begin: Duration, signal: &Signal) -> Option<Duration> {
    match (signal.kind, signal.duration) {
        (Some(SignalKind::OnOff), _) => None,
        (_, Some(hundredths)) => Some(begin + Duration::from_millis(10) * u32::from(hundredths)),
        (_, None) if digit_of(&signal.name).is_some() => Some(begin + DIGIT),
        (Some(SignalKind::Brief), None) => Some(begin + BRIEF),
        (_, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use megaco::SignalList;

    use super::*;

    const DIAL: PkgdName = PkgdName::literal("cg/dt");
    const BUSY: PkgdName = PkgdName::literal("cg/bt");
    const RING: PkgdName = PkgdName::literal("al/ri");

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn timed(name: PkgdName, hundredths: u16) -> Signal {
        let (duration, completion) = (Some(hundredths), Completion::TIME_OUT);
        Signal {
            duration,
            completion,
            ..name.into()
        }
    }

    #[test]
    fn what_is_new_replaces_what_plays() {
        let mut playing = Playing::default();
        assert_eq!(playing.play(at(0), &Signals::one(DIAL)), []);
        assert_eq!(playing.tone(), Some(Tone::Dial));
        let ended = playing.play(at(1), &Signals::one(RING));
        assert_eq!(
            (ended.len(), ended[0].how, ended[0].wanted),
            (1, "SD", false)
        );
        assert!(playing.rings() && playing.tone().is_none());
        assert_eq!(playing.interrupt()[0].how, "EV");
        assert!(!playing.rings() && playing.descriptor() == Signals::STOP);
    }

    #[test]
    fn time_ends_a_signal_and_a_list_goes_on() {
        let mut playing = Playing::default();
        let list = SignalList {
            id: 4,
            signals: vec![timed(DIAL, 10), timed(BUSY, 20)],
        };
        let _ = playing.play(at(0), &Signals(vec![SignalItem::List(list)]));
        assert_eq!(playing.poll_timeout(), Some(at(100)));
        assert_eq!(playing.handle_timeout(at(100)), []);
        assert_eq!(
            (playing.tone(), playing.poll_timeout()),
            (Some(Tone::Busy), Some(at(300)))
        );
        let ended = playing.handle_timeout(at(300));
        let said = format!("{:?}", ended[0].parameters());
        assert!(
            ended[0].wanted && said.contains("cg/bt") && said.contains("TO"),
            "{said}"
        );
        assert!(said.contains("SLID"));
    }

    #[test]
    fn digits_are_dialled_one_after_the_other() {
        let mut playing = Playing::default();
        let digits = ["dg/d1", "dg/do", "dg/da"].map(|name| PkgdName::literal(name).into());
        let list = SignalList {
            id: 1,
            signals: digits.to_vec(),
        };
        let _ = playing.play(at(0), &Signals(vec![SignalItem::List(list)]));
        assert_eq!(playing.dialled(), None);
        let _ = playing.handle_timeout(at(149));
        assert_eq!(playing.dialled(), None);
        let _ = playing.handle_timeout(at(150));
        assert_eq!(playing.dialled(), Some("1#A"));
        playing.forget_dialled();
        assert_eq!(playing.dialled(), None);
    }

    #[test]
    fn one_that_keeps_active_is_not_interrupted() {
        let mut playing = Playing::default();
        let kept = Signal {
            keep_active: true,
            ..DIAL.into()
        };
        let _ = playing.play(at(0), &Signals(vec![SignalItem::Signal(kept)]));
        assert_eq!(playing.interrupt(), []);
        assert_eq!(playing.tone(), Some(Tone::Dial));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(check(&Signals::one(DIAL)), Ok(()));
        let unknown = |name| check(&Signals::one(PkgdName::literal(name))).map_err(|code| code.0);
        assert_eq!(unknown("cg/xx"), Err(452));
        assert_eq!(unknown("xx/dt"), Err(440));
    }
}
