//! What a media gateway is told, as actions of a transaction.
//!
//! ```text
//!   idle       C=-{MF=line{E{al/of}, SG{}}}
//!   prompt     C=-{MF=line{E{al/on, dd/ce{DM}}, SG{cg/dt}}}
//!   seize      C=${A=line{..}, A=${M{O{MO=RC}, L{v=0 c=IN IP4 $ m=audio $ ..}}}}   the caller's
//!   offer      C=${A=line{SG{al/ri}, E{al/of}}, A=${M{O{MO=SR}, L{..}, R{..}}}}   the called one's
//!   alert      C=c{MF=line{SG{cg/rt}}}
//!   connect    C=c{MF=line{SG{}}, MF=rtp{M{O{MO=SR}, R{..}}}}
//!   clear      C=c{S=line, S=rtp}
//! ```
//! Packages: al (analog line), cg (call progress tones), dd (DTMF detection), dg (DTMF generation), it
//! (inactivity): H.248.1 annex E and H.248.14.

use megaco::{
    ActionRequest, Amm, AuditItem, Audited, Command, CommandRequest, ContextId, Descriptor,
    Descriptors, DialMap, DigitMapValue, EventDigitMap, Events, LocalControl, Media, Name, Octets,
    Parameter, PkgdName, RequestedEvent, SignalItem, SignalList, Signals, Stream, StreamMode,
    TerminationId, Value,
};

/// Events of lines.
pub(crate) mod event {
    use megaco::PkgdName;

    pub(crate) const OFF_HOOK: PkgdName = PkgdName::literal("al/of");
    pub(crate) const ON_HOOK: PkgdName = PkgdName::literal("al/on");
    pub(crate) const DIGITS: PkgdName = PkgdName::literal("dd/ce");
    pub(crate) const ANY_DIGIT: PkgdName = PkgdName::literal("dd/*");
    pub(crate) const INACTIVE: PkgdName = PkgdName::literal("it/ito");
}

/// Tones, and the bell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Dial,
    Ringing,
    Busy,
    Congestion,
}

impl Tone {
    const fn signal(self) -> PkgdName {
        match self {
            Self::Dial => PkgdName::literal("cg/dt"),
            Self::Ringing => PkgdName::literal("cg/rt"),
            Self::Busy => PkgdName::literal("cg/bt"),
            Self::Congestion => PkgdName::literal("cg/ct"),
        }
    }
}

/// The bell of a line.
const RING: PkgdName = PkgdName::literal("al/ri");

/// How digits are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Digits {
    /// All at once, by this map.
    Map(String),
    /// One by one.
    Single,
}

/// The media a gateway is asked to offer: PCMU, PCMA and DTMF as events (RFC 3551, RFC 4733), at an
/// address and port of its own.
const ANY_MEDIA: &str = "v=0\r\nc=IN IP4 $\r\nm=audio $ RTP/AVP 0 8 101\r\n\
                         a=rtpmap:101 telephone-event/8000\r\n";

fn modify(termination: &TerminationId, descriptors: Vec<Descriptor>) -> CommandRequest {
    Command::Modify(Amm::new(termination.clone(), descriptors)).into()
}

fn add(termination: TerminationId, descriptors: Vec<Descriptor>) -> CommandRequest {
    Command::Add(Amm::new(termination, descriptors)).into()
}

fn events(request: u32, names: impl IntoIterator<Item = PkgdName>) -> Descriptor {
    let names = names.into_iter().map(RequestedEvent::from);
    Descriptor::Events(Events::new(request, names.collect()))
}

/// The hook, told also if it is so already (H.248.1 annex E.9.2.1: `strict`): somebody was faster
/// than the command.
fn hook(event: PkgdName) -> RequestedEvent {
    let already = Parameter::new(Name::literal("strict"), Value::literal("state"));
    RequestedEvent {
        parameters: vec![already],
        ..RequestedEvent::from(event)
    }
}

fn hook_alone(request: u32, event: PkgdName) -> Descriptor {
    Descriptor::Events(Events::new(request, vec![hook(event)]))
}

fn silence() -> Descriptor {
    Descriptor::Signals(Signals::STOP)
}

fn tone(tone: Tone) -> Descriptor {
    Descriptor::Signals(Signals::one(tone.signal()))
}

fn stream(mode: StreamMode, local: Option<&str>, remote: Option<&[u8]>) -> Descriptor {
    let control = LocalControl {
        mode: Some(mode),
        ..LocalControl::default()
    };
    Descriptor::Media(Media {
        state: None,
        streams: vec![Stream {
            id: Some(1),
            control: Some(control),
            local: local.map(Octets::from),
            remote: remote.map(Octets::new),
            statistics: None,
        }],
    })
}

/// A line that waits for its phone to be lifted.
pub(crate) fn idle(line: &TerminationId, request: u32) -> ActionRequest {
    let told = vec![hook_alone(request, event::OFF_HOOK), silence()];
    ActionRequest::new(ContextId::Null, vec![modify(line, told)])
}

/// A lifted phone is asked for digits.
pub(crate) fn prompt(line: &TerminationId, request: u32, digits: &Digits) -> ActionRequest {
    let asked = match digits {
        Digits::Map(map) => RequestedEvent {
            digit_map: DialMap::new(map)
                .ok()
                .map(|map| EventDigitMap::Value(DigitMapValue::from(map))),
            ..RequestedEvent::from(event::DIGITS)
        },
        Digits::Single => event::ANY_DIGIT.into(),
    };
    let events = Events::new(request, vec![hook(event::ON_HOOK), asked]);
    let told = vec![Descriptor::Events(events), tone(Tone::Dial)];
    ActionRequest::new(ContextId::Null, vec![modify(line, told)])
}

/// More digits, without a tone.
pub(crate) fn more_digits(line: &TerminationId, request: u32) -> ActionRequest {
    let asked = vec![hook(event::ON_HOOK), event::ANY_DIGIT.into()];
    let told = vec![Descriptor::Events(Events::new(request, asked)), silence()];
    ActionRequest::new(ContextId::Null, vec![modify(line, told)])
}

/// The caller's line gets media, of which it receives only.
pub(crate) fn seize(line: &TerminationId, request: u32) -> ActionRequest {
    let told = vec![hook_alone(request, event::ON_HOOK), silence()];
    let commands = vec![
        add(line.clone(), told),
        add(
            TerminationId::Choose,
            vec![stream(StreamMode::ReceiveOnly, Some(ANY_MEDIA), None)],
        ),
    ];
    ActionRequest::new(ContextId::Choose, commands)
}

/// The called line rings, and gets media towards the caller's.
pub(crate) fn offer(line: &TerminationId, request: u32, remote: &[u8]) -> ActionRequest {
    let bell = Descriptor::Signals(Signals::one(RING));
    let told = vec![bell, events(request, [event::OFF_HOOK])];
    towards(add(line.clone(), told), remote)
}

/// A trunk is seized, and dials.
pub(crate) fn dial(
    trunk: &TerminationId,
    request: u32,
    remote: &[u8],
    number: &str,
) -> ActionRequest {
    let digits = number.bytes().filter_map(tone_of).map(Into::into).collect();
    let list = SignalList {
        id: 1,
        signals: digits,
    };
    let dialling = Descriptor::Signals(Signals(vec![SignalItem::List(list)]));
    let told = vec![dialling, events(request, [event::OFF_HOOK, event::ON_HOOK])];
    towards(add(trunk.clone(), told), remote)
}

/// The DTMF signal of a digit (H.248.1 annex E.5).
fn tone_of(digit: u8) -> Option<PkgdName> {
    let item = match digit.to_ascii_lowercase() {
        b'*' => 's',
        b'#' => 'o',
        digit @ (b'0'..=b'9' | b'a'..=b'd') => char::from(digit),
        _ => return None,
    };
    PkgdName::new(&format!("dg/d{item}")).ok()
}

/// Without a remote end so far, it only receives.
fn towards(line: CommandRequest, remote: &[u8]) -> ActionRequest {
    let media = match remote.is_empty() {
        true => stream(StreamMode::ReceiveOnly, Some(ANY_MEDIA), None),
        false => stream(StreamMode::SendReceive, Some(ANY_MEDIA), Some(remote)),
    };
    let commands = vec![line, add(TerminationId::Choose, vec![media])];
    ActionRequest::new(ContextId::Choose, commands)
}

/// The caller hears that it rings.
pub(crate) fn alert(context: u32, line: &TerminationId) -> ActionRequest {
    let told = vec![tone(Tone::Ringing)];
    ActionRequest::new(ContextId::Id(context), vec![modify(line, told)])
}

/// Both ways from now on; nothing rings any more.
pub(crate) fn connect(
    context: u32,
    line: &TerminationId,
    request: u32,
    rtp: &TerminationId,
    remote: Option<&[u8]>,
) -> ActionRequest {
    let told = vec![silence(), hook_alone(request, event::ON_HOOK)];
    let commands = vec![
        modify(line, told),
        modify(rtp, vec![stream(StreamMode::SendReceive, None, remote)]),
    ];
    ActionRequest::new(ContextId::Id(context), commands)
}

/// The other end wants media another way, or elsewhere.
pub(crate) fn change(
    context: u32,
    rtp: &TerminationId,
    mode: StreamMode,
    remote: Option<&[u8]>,
) -> ActionRequest {
    let told = modify(rtp, vec![stream(mode, None, remote)]);
    ActionRequest::new(ContextId::Id(context), vec![told])
}

/// The context is taken apart; what it has counted is in the reply.
pub(crate) fn clear<'t>(
    context: u32,
    terminations: impl IntoIterator<Item = &'t TerminationId>,
) -> ActionRequest {
    let subtract = |termination: &TerminationId| {
        Command::Subtract(Audited::new(termination.clone(), None)).into()
    };
    let commands = terminations.into_iter().map(subtract).collect();
    ActionRequest::new(ContextId::Id(context), commands)
}

/// All that is in a context, whatever it is.
pub(crate) fn clear_all(context: u32) -> ActionRequest {
    let everything = Command::Subtract(Audited::new(TerminationId::All, Some(Vec::new())));
    let request = CommandRequest {
        optional: false,
        wildcard: true,
        command: everything,
    };
    ActionRequest::new(ContextId::Id(context), vec![request])
}

/// The line tells its phone what became of the call, until it is hung up.
pub(crate) fn notice(line: &TerminationId, request: u32, what: Tone) -> ActionRequest {
    let told = vec![hook_alone(request, event::ON_HOOK), tone(what)];
    ActionRequest::new(ContextId::Null, vec![modify(line, told)])
}

/// Which lines a gateway has.
pub(crate) fn audit_lines() -> ActionRequest {
    let audit = Command::AuditValue(Audited::new(TerminationId::All, Some(Vec::new())));
    ActionRequest::new(ContextId::Null, vec![audit.into()])
}

/// Which events a line waits for.
pub(crate) fn audit_events(line: &TerminationId) -> ActionRequest {
    let events = Some(vec![AuditItem::Events]);
    let audit = Command::AuditValue(Audited::new(line.clone(), events));
    ActionRequest::new(ContextId::Null, vec![audit.into()])
}

/// Which contexts a gateway has.
pub(crate) fn audit_contexts() -> ActionRequest {
    let audit = Command::AuditValue(Audited::new(TerminationId::All, Some(Vec::new())));
    ActionRequest::new(ContextId::All, vec![audit.into()])
}

/// The gateway says that it is there when it has heard nothing for so long (H.248.14).
pub(crate) fn heartbeat(request: u32, milliseconds: u32) -> ActionRequest {
    let longest = Parameter::new(
        Name::literal("mit"),
        Value::number(i64::from(milliseconds / 10)),
    );
    let event = RequestedEvent {
        parameters: vec![longest],
        ..RequestedEvent::from(event::INACTIVE)
    };
    let events = Events::new(request, vec![event]);
    let told = Descriptors(vec![Descriptor::Events(events)]);
    let command = Command::Modify(Amm::new(TerminationId::Root, told));
    ActionRequest::new(ContextId::Null, vec![command.into()])
}
