//! Any descriptors.

use megaco::{
    AuditItem, BufferedPart, Completion, Descriptor, DescriptorKind, Descriptors, DigitMap,
    DigitMapValue, Embed, ErrorCode, ErrorDescriptor, EventBufferControl, EventDigitMap, Events,
    LocalControl, LocalControlItem, Media, MediaAudit, Modem, Mux, MuxKind, NotifyBehaviour,
    ObservedEvent, ObservedEvents, Octets, Package, ParmValue, Relation, RequestId, RequestedEvent,
    ServiceState, Signal, SignalAudit, SignalDirection, SignalItem, SignalKind, SignalList,
    Signals, StateItem, Statistic, Stream, StreamAudit, StreamMode, TerminationState,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::words::{
    dial_map, maybe, name, parameter_name, parameters, pkgd, property, termination, text,
    timestamp, value,
};

pub(crate) fn error() -> BoxedStrategy<ErrorDescriptor> {
    (0u16..9999, text())
        .prop_map(|(code, text)| ErrorDescriptor {
            code: ErrorCode(code),
            text,
        })
        .boxed()
}

fn octets() -> BoxedStrategy<Octets> {
    prop_oneof![
        Just("v=0\nc=IN IP4 $\nm=audio $ RTP/AVP 8\n".to_string()),
        "[ -~\r\n]{0,60}",
        "[{}\\\\\"a;\n]{0,12}",
    ]
    .prop_map(|text| Octets::from(text.as_str()))
    .boxed()
}

fn request_id() -> BoxedStrategy<RequestId> {
    prop_oneof![Just(RequestId::All), any::<u32>().prop_map(RequestId::Id)].boxed()
}

fn statistics() -> BoxedStrategy<Vec<Statistic>> {
    let value = prop_oneof![
        value().prop_map(ParmValue::Is),
        vec(value(), 1..3).prop_map(ParmValue::All)
    ];
    vec((pkgd(), maybe(value)), 0..3)
        .prop_map(|all| {
            let all = all
                .into_iter()
                .map(|(name, value)| Statistic { name, value });
            all.collect()
        })
        .boxed()
}

fn mode() -> BoxedStrategy<StreamMode> {
    select(vec![
        StreamMode::SendOnly,
        StreamMode::ReceiveOnly,
        StreamMode::SendReceive,
        StreamMode::Inactive,
        StreamMode::Loopback,
    ])
    .boxed()
}

fn service() -> BoxedStrategy<ServiceState> {
    select(vec![
        ServiceState::Test,
        ServiceState::OutOfService,
        ServiceState::InService,
    ])
    .boxed()
}

fn control() -> BoxedStrategy<LocalControl> {
    let flags = (maybe(any::<bool>()), maybe(any::<bool>()));
    (maybe(mode()), flags, vec(property(), 0..3))
        .prop_map(
            |(mode, (reserve_group, reserve_value), properties)| LocalControl {
                mode,
                reserve_group,
                reserve_value,
                properties,
            },
        )
        .boxed()
}

fn stream(id: Option<u16>) -> BoxedStrategy<Stream> {
    let octets = (maybe(octets()), maybe(octets()));
    (maybe(control()), octets, maybe(statistics()))
        .prop_map(move |(control, (local, remote), statistics)| Stream {
            id,
            control,
            local,
            remote,
            statistics,
        })
        .boxed()
}

fn media() -> BoxedStrategy<Media> {
    let buffer = select(vec![EventBufferControl::Off, EventBufferControl::LockStep]);
    let state = (maybe(service()), maybe(buffer), vec(property(), 0..2)).prop_map(
        |(service, buffer, properties)| TerminationState {
            service,
            buffer,
            properties,
        },
    );
    let streams = prop_oneof![
        Just(Vec::new()),
        stream(None)
            .prop_filter("something", |stream| *stream != Stream::default())
            .prop_map(|stream| vec![stream]),
        stream(Some(1)).prop_map(|stream| vec![stream]),
        (stream(Some(1)), stream(Some(65535))).prop_map(|(one, other)| vec![one, other]),
    ];
    (maybe(state), streams)
        .prop_map(|(state, streams)| Media { state, streams })
        .boxed()
}

fn digit_map_value() -> BoxedStrategy<DigitMapValue> {
    let timer = || maybe(0u8..100);
    (timer(), timer(), timer(), timer(), dial_map())
        .prop_map(|(start, short, long, duration, map)| DigitMapValue {
            start,
            short,
            long,
            duration,
            map,
        })
        .boxed()
}

fn signal() -> BoxedStrategy<Signal> {
    let kind = select(vec![
        SignalKind::OnOff,
        SignalKind::TimeOut,
        SignalKind::Brief,
    ]);
    let direction = select(vec![
        SignalDirection::External,
        SignalDirection::Internal,
        SignalDirection::Both,
    ]);
    let reasons = select(vec![
        Completion::NEVER,
        Completion::TIME_OUT,
        Completion::BY_EVENT.and(Completion::ITERATION),
        Completion::BY_SIGNALS.and(Completion::OTHER),
    ]);
    let first = (
        pkgd(),
        maybe(any::<u16>()),
        maybe(kind),
        maybe(any::<u16>()),
    );
    let second = (
        reasons,
        any::<bool>(),
        maybe(direction),
        maybe(request_id()),
    );
    (first, second, maybe(any::<u16>()), parameters())
        .prop_map(
            |(
                (name, stream, kind, duration),
                (completion, keep_active, direction, request),
                pause,
                parameters,
            )| {
                Signal {
                    name,
                    stream,
                    kind,
                    duration,
                    completion,
                    keep_active,
                    direction,
                    request,
                    pause,
                    parameters,
                }
            },
        )
        .boxed()
}

fn signals() -> BoxedStrategy<Signals> {
    let list = (any::<u16>(), vec(signal(), 1..3))
        .prop_map(|(id, signals)| SignalItem::List(SignalList { id, signals }));
    vec(
        prop_oneof![signal().prop_map(SignalItem::Signal), list],
        0..3,
    )
    .prop_map(Signals)
    .boxed()
}

fn requested(embed: BoxedStrategy<Option<Box<Embed>>>) -> BoxedStrategy<RequestedEvent> {
    let map = prop_oneof![
        name().prop_map(EventDigitMap::Named),
        digit_map_value().prop_map(EventDigitMap::Value)
    ];
    let notify = prop_oneof![
        Just(NotifyBehaviour::Immediate),
        Just(NotifyBehaviour::Never),
        embed.clone().prop_map(NotifyBehaviour::Regulated),
    ];
    let first = (pkgd(), maybe(any::<u16>()), any::<bool>(), maybe(map));
    (first, embed, maybe(notify), any::<bool>(), parameters())
        .prop_map(
            |((name, stream, keep_active, digit_map), embed, notify, reset, parameters)| {
                RequestedEvent {
                    name,
                    stream,
                    keep_active,
                    digit_map,
                    embed,
                    notify,
                    reset,
                    parameters,
                }
            },
        )
        .boxed()
}

fn events_with(embed: BoxedStrategy<Option<Box<Embed>>>) -> BoxedStrategy<Events> {
    let some = (request_id(), vec(requested(embed), 1..3)).prop_map(|(request, events)| Events {
        request: Some(request),
        events,
    });
    prop_oneof![1 => Just(Events::default()), 4 => some].boxed()
}

fn events() -> BoxedStrategy<Events> {
    let inner = maybe(signals().prop_map(|signals| {
        Box::new(Embed {
            signals: Some(signals),
            events: None,
        })
    }));
    let embed = (maybe(signals()), maybe(events_with(inner.boxed())))
        .prop_filter("something", |(signals, events)| {
            signals.is_some() || events.is_some()
        })
        .prop_map(|(signals, events)| Box::new(Embed { signals, events }));
    events_with(maybe(embed).boxed()).boxed()
}

fn observed() -> BoxedStrategy<ObservedEvent> {
    (
        maybe(timestamp()),
        pkgd(),
        maybe(any::<u16>()),
        parameters(),
    )
        .prop_map(|(time, name, stream, parameters)| ObservedEvent {
            time,
            name,
            stream,
            parameters,
        })
        .boxed()
}

pub(crate) fn observed_events() -> BoxedStrategy<ObservedEvents> {
    (request_id(), vec(observed(), 1..3))
        .prop_map(|(request, events)| ObservedEvents { request, events })
        .boxed()
}

fn package() -> BoxedStrategy<Package> {
    (name(), any::<u16>())
        .prop_map(|(name, version)| Package { name, version })
        .boxed()
}

fn media_audit() -> BoxedStrategy<MediaAudit> {
    let relation = || select(vec![Relation::Equal, Relation::Unequal]);
    let state = prop_oneof![
        maybe((relation(), service())).prop_map(StateItem::Service),
        Just(StateItem::Buffer),
        pkgd().prop_map(StateItem::Property),
        property().prop_map(StateItem::With),
    ];
    let control = prop_oneof![
        maybe((relation(), mode())).prop_map(LocalControlItem::Mode),
        Just(LocalControlItem::ReserveGroup),
        Just(LocalControlItem::ReserveValue),
        pkgd().prop_map(LocalControlItem::Property),
        property().prop_map(LocalControlItem::With),
    ];
    let stream = (
        vec(control, 0..3),
        any::<bool>(),
        any::<bool>(),
        maybe(pkgd()),
    )
        .prop_map(|(control, local, remote, statistic)| StreamAudit {
            id: Some(7),
            control,
            local,
            remote,
            statistic,
        });
    (vec(state, 0..3), vec(stream, 0..2))
        .prop_map(|(state, streams)| MediaAudit { state, streams })
        .boxed()
}

pub(crate) fn audit() -> BoxedStrategy<Vec<AuditItem>> {
    let part = prop_oneof![
        any::<u16>().prop_map(BufferedPart::Stream),
        parameter_name().prop_map(BufferedPart::Parameter)
    ];
    let signal_audit = prop_oneof![
        signal().prop_map(SignalAudit::Signal),
        (any::<u16>(), maybe(signal())).prop_map(|(id, signal)| SignalAudit::List(id, signal)),
    ];
    let whole = select(vec![
        AuditItem::Mux,
        AuditItem::Modem,
        AuditItem::Media,
        AuditItem::Signals,
        AuditItem::EventBuffer,
        AuditItem::DigitMap,
        AuditItem::Statistics,
        AuditItem::Events,
        AuditItem::ObservedEvents,
        AuditItem::Packages,
    ]);
    let item = prop_oneof![
        8 => whole,
        1 => media_audit().prop_map(AuditItem::PartOfMedia),
        1 => (maybe(request_id()), pkgd()).prop_map(|(id, name)| AuditItem::Event(id, name)),
        1 => maybe(signal_audit).prop_map(AuditItem::Signal),
        1 => name().prop_map(AuditItem::DigitMapNamed),
        1 => (pkgd(), maybe(part)).prop_map(|(name, part)| AuditItem::BufferedEvent(name, part)),
        1 => pkgd().prop_map(AuditItem::Statistic),
        1 => package().prop_map(AuditItem::Package),
    ];
    vec(item, 0..4).boxed()
}

/// What an answer can have, but a command cannot, comes last.
fn any_descriptors() -> BoxedStrategy<Vec<(bool, Descriptor)>> {
    let kinds = select(vec![
        MuxKind::H221,
        MuxKind::H223,
        MuxKind::H226,
        MuxKind::V76,
        MuxKind::Nx64k,
    ]);
    let modem = (vec(name(), 1..3), vec(property(), 0..2))
        .prop_map(|(kinds, properties)| Modem { kinds, properties });
    let mux = (kinds, vec(termination(), 1..3))
        .prop_map(|(kind, terminations)| Mux { kind, terminations });
    let map = prop_oneof![
        (name(), maybe(digit_map_value())).prop_map(|(name, value)| DigitMap::Named(name, value)),
        digit_map_value().prop_map(DigitMap::Value),
    ];
    let common = (
        maybe(media().prop_map(Descriptor::Media)),
        maybe(modem.prop_map(Descriptor::Modem)),
        maybe(mux.prop_map(Descriptor::Mux)),
        maybe(events().prop_map(Descriptor::Events)),
        maybe(signals().prop_map(Descriptor::Signals)),
        maybe(map.prop_map(Descriptor::DigitMap)),
        maybe(vec(observed(), 0..2).prop_map(Descriptor::EventBuffer)),
        maybe(statistics().prop_map(Descriptor::Statistics)),
    );
    let answers = (
        maybe(observed_events().prop_map(Descriptor::ObservedEvents)),
        maybe(vec(package(), 1..3).prop_map(Descriptor::Packages)),
        maybe(error().prop_map(Descriptor::Error)),
    );
    (common, answers)
        .prop_map(|((a, b, c, d, e, f, g, h), (i, j, k))| {
            let common = [a, b, c, d, e, f, g, h].into_iter().flatten();
            let answers = [i, j, k].into_iter().flatten();
            common
                .map(|descriptor| (false, descriptor))
                .chain(answers.map(|descriptor| (true, descriptor)))
                .collect()
        })
        .boxed()
}

/// For a command.
pub(crate) fn requests() -> BoxedStrategy<Descriptors> {
    (any_descriptors(), maybe(audit()))
        .prop_map(|(all, audit)| {
            let all = all.into_iter().filter(|(answer, _)| !answer);
            let all = all.map(|(_, descriptor)| descriptor);
            Descriptors(all.chain(audit.map(Descriptor::Audit)).collect())
        })
        .boxed()
}

/// For an answer.
pub(crate) fn answers() -> BoxedStrategy<Descriptors> {
    let kinds = select(vec![
        DescriptorKind::Media,
        DescriptorKind::Modem,
        DescriptorKind::Mux,
        DescriptorKind::DigitMap,
        DescriptorKind::ObservedEvents,
        DescriptorKind::Packages,
    ]);
    let some = any_descriptors().prop_map(|all| all.into_iter().map(|(_, one)| one).collect());
    prop_oneof![
        some.prop_map(Descriptors),
        kinds.prop_map(|kind| Descriptors(vec![Descriptor::Empty(kind)])),
    ]
    .boxed()
}
