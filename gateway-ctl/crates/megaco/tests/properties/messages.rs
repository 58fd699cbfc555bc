//! Any messages.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use megaco::{
    AckRange, ActionReply, ActionRequest, Amm, AuditReply, Audited, Auth, Body, ChangeAddress,
    Command, CommandRequest, ContextAudit, ContextId, ContextProperties, Direction, Message,
    Method, Mid, NotifyReply, NotifyRequest, Outcome, Profile, Reason, Response, SegmentInfo,
    SegmentReply, ServiceChange, ServiceChangeReply, ServiceChangeRequest, ServiceChangeResult,
    TerminationId, Topology, Transaction, TransactionReply, TransactionRequest,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::descriptors::{answers, audit, error, observed_events, requests};
use crate::words::{
    maybe, name, parameters, pkgd, property, termination, terminations, text, timestamp,
};

fn mid() -> BoxedStrategy<Mid> {
    let port = || maybe(any::<u16>());
    prop_oneof![
        (any::<u32>(), port()).prop_map(|(address, port)| {
            Mid::Address(IpAddr::V4(Ipv4Addr::from(address)), port)
        }),
        (any::<u128>(), port()).prop_map(|(address, port)| {
            Mid::Address(IpAddr::V6(Ipv6Addr::from(address)), port)
        }),
        (name(), port()).prop_map(|(name, port)| Mid::Domain(name, port)),
        name().prop_map(Mid::Device),
        vec(any::<u8>(), 2..5).prop_map(Mid::Mtp),
    ]
    .boxed()
}

fn context() -> BoxedStrategy<ContextId> {
    prop_oneof![
        Just(ContextId::Null),
        Just(ContextId::Choose),
        Just(ContextId::All),
        (1u32..0xffff_fffe).prop_map(ContextId::Id),
    ]
    .boxed()
}

fn properties() -> BoxedStrategy<ContextProperties> {
    let direction = select(vec![
        Direction::Bothway,
        Direction::Isolate,
        Direction::Oneway,
        Direction::OnewayExternal,
        Direction::OnewayBoth,
    ]);
    let topology = (termination(), termination(), direction, maybe(any::<u16>())).prop_map(
        |(from, to, direction, stream)| Topology {
            from,
            to,
            direction,
            stream,
        },
    );
    let flags = (
        maybe(any::<u16>()),
        maybe(any::<bool>()),
        maybe(any::<bool>()),
    );
    let some = (
        vec(topology, 0..3),
        flags,
        vec(property(), 0..2),
        vec(context(), 0..3),
    )
        .prop_map(
            |(topology, (priority, emergency, ieps), attributes, contexts)| ContextProperties {
                topology,
                priority,
                emergency,
                ieps,
                attributes,
                contexts,
            },
        );
    prop_oneof![3 => Just(ContextProperties::default()), 1 => some].boxed()
}

fn context_audit() -> BoxedStrategy<Vec<ContextAudit>> {
    let item = prop_oneof![
        Just(ContextAudit::Topology),
        Just(ContextAudit::Emergency),
        Just(ContextAudit::Priority),
        Just(ContextAudit::Ieps),
        Just(ContextAudit::And),
        Just(ContextAudit::Or),
        pkgd().prop_map(ContextAudit::Property),
        any::<u16>().prop_map(ContextAudit::WithPriority),
        any::<bool>().prop_map(ContextAudit::WithEmergency),
        any::<bool>().prop_map(ContextAudit::WithIeps),
        vec(property(), 1..3).prop_map(ContextAudit::WithAttributes),
        vec(context(), 1..3).prop_map(ContextAudit::WithContexts),
        vec(pkgd(), 1..3).prop_map(ContextAudit::Attributes),
    ];
    prop_oneof![3 => Just(Vec::new()), 1 => vec(item, 1..4)].boxed()
}

fn change_address() -> BoxedStrategy<ChangeAddress> {
    prop_oneof![
        any::<u16>().prop_map(ChangeAddress::Port),
        mid().prop_map(ChangeAddress::Mid)
    ]
    .boxed()
}

fn profile() -> BoxedStrategy<Profile> {
    (name(), 0u8..100)
        .prop_map(|(name, version)| Profile { name, version })
        .boxed()
}

/// Where to: not both.
fn where_to() -> BoxedStrategy<(Option<ChangeAddress>, Option<Mid>)> {
    prop_oneof![
        Just((None, None)),
        change_address().prop_map(|address| (Some(address), None)),
        mid().prop_map(|mid| (None, Some(mid))),
    ]
    .boxed()
}

fn change() -> BoxedStrategy<ServiceChange> {
    let method = prop_oneof![
        select(vec![
            Method::Graceful,
            Method::Forced,
            Method::Restart,
            Method::Disconnected,
            Method::HandOff,
            Method::Failover,
        ]),
        Just(Method::Other(megaco::Name::literal("X-abc"))),
    ];
    let reason = (any::<u16>(), text()).prop_map(|(code, text)| Reason { code, text });
    let extensions = parameters().prop_map(|mut all| {
        for (index, parameter) in all.iter_mut().enumerate() {
            parameter.name = megaco::Name::new(&format!("X-{index}")).expect("a name");
        }
        all
    });
    let first = (method, reason, maybe(any::<u32>()), where_to());
    let second = (maybe(profile()), maybe(0u8..100), maybe(timestamp()));
    (first, second, any::<bool>(), audit(), extensions)
        .prop_map(
            |(
                (method, reason, delay, (address, mgc)),
                (profile, version, timestamp),
                incomplete,
                audit,
                extensions,
            )| ServiceChange {
                method,
                reason,
                delay,
                address,
                mgc,
                profile,
                version,
                timestamp,
                incomplete,
                audit,
                extensions,
            },
        )
        .boxed()
}

fn command() -> BoxedStrategy<CommandRequest> {
    let amm = || {
        (terminations(), requests()).prop_map(|(terminations, descriptors)| Amm {
            terminations,
            descriptors,
        })
    };
    let audited = || {
        (terminations(), maybe(audit())).prop_map(|(terminations, audit)| Audited {
            terminations,
            audit,
        })
    };
    let notify = (terminations(), observed_events(), maybe(error())).prop_map(
        |(terminations, observed, error)| NotifyRequest {
            terminations,
            observed,
            error,
        },
    );
    let change =
        (terminations(), change()).prop_map(|(terminations, change)| ServiceChangeRequest {
            terminations,
            change,
        });
    let command = prop_oneof![
        amm().prop_map(Command::Add),
        amm().prop_map(Command::Move),
        amm().prop_map(Command::Modify),
        audited().prop_map(Command::Subtract),
        audited().prop_map(Command::AuditValue),
        audited().prop_map(Command::AuditCapability),
        notify.prop_map(Command::Notify),
        change.prop_map(Command::ServiceChange),
    ];
    (any::<bool>(), any::<bool>(), command)
        .prop_map(|(optional, wildcard, command)| CommandRequest {
            optional,
            wildcard,
            command,
        })
        .boxed()
}

fn action() -> BoxedStrategy<ActionRequest> {
    (
        context(),
        properties(),
        context_audit(),
        vec(command(), 1..3),
    )
        .prop_map(|(context, properties, audit, commands)| ActionRequest {
            context,
            properties,
            audit,
            commands,
        })
        .boxed()
}

fn response() -> BoxedStrategy<Response> {
    let amm = || {
        (terminations(), answers()).prop_map(|(terminations, descriptors)| Amm {
            terminations,
            descriptors,
        })
    };
    let named = "[d-z]{2,20}".prop_map(|name| TerminationId::new(&name).expect("a name"));
    let audit = || {
        prop_oneof![
            amm().prop_map(AuditReply::Terminations),
            vec(termination(), 1..3).prop_map(AuditReply::Context),
            vec(named.clone(), 1..3).prop_map(AuditReply::Context),
            error().prop_map(AuditReply::ContextError),
        ]
    };
    let notify = (terminations(), maybe(error())).prop_map(|(terminations, error)| NotifyReply {
        terminations,
        error,
    });
    let accepted = (
        where_to(),
        maybe(profile()),
        maybe(0u8..100),
        maybe(timestamp()),
    )
        .prop_map(|((address, mgc), profile, version, timestamp)| {
            ServiceChangeResult::Accepted {
                address,
                mgc,
                profile,
                version,
                timestamp,
            }
        });
    let result = prop_oneof![accepted, error().prop_map(ServiceChangeResult::Error)];
    let change = (terminations(), result).prop_map(|(terminations, result)| ServiceChangeReply {
        terminations,
        result,
    });
    prop_oneof![
        amm().prop_map(Response::Add),
        amm().prop_map(Response::Move),
        amm().prop_map(Response::Modify),
        amm().prop_map(Response::Subtract),
        audit().prop_map(Response::AuditValue),
        audit().prop_map(Response::AuditCapability),
        notify.prop_map(Response::Notify),
        change.prop_map(Response::ServiceChange),
    ]
    .boxed()
}

fn reply() -> BoxedStrategy<TransactionReply> {
    let action = (
        context(),
        properties(),
        vec(response(), 0..3),
        maybe(error()),
    )
        .prop_map(|(context, properties, responses, error)| ActionReply {
            context,
            properties,
            responses,
            error,
        });
    let outcome = prop_oneof![
        error().prop_map(Outcome::Error),
        vec(action, 1..3).prop_map(Outcome::Actions)
    ];
    (any::<u32>(), maybe(segment()), any::<bool>(), outcome)
        .prop_map(|(id, segment, immediate_ack, outcome)| TransactionReply {
            id,
            segment,
            immediate_ack,
            outcome,
        })
        .boxed()
}

fn segment() -> BoxedStrategy<SegmentInfo> {
    (any::<u16>(), any::<bool>())
        .prop_map(|(number, last)| SegmentInfo { number, last })
        .boxed()
}

fn transaction() -> BoxedStrategy<Transaction> {
    let request = (any::<u32>(), vec(action(), 1..3))
        .prop_map(|(id, actions)| Transaction::Request(TransactionRequest { id, actions }));
    let range = (any::<u32>(), any::<u32>()).prop_map(|(one, other)| AckRange {
        first: one.min(other),
        last: one.max(other),
    });
    prop_oneof![
        4 => request,
        4 => reply().prop_map(Transaction::Reply),
        1 => any::<u32>().prop_map(Transaction::Pending),
        1 => vec(range, 1..4).prop_map(Transaction::Ack),
        1 => (any::<u32>(), segment())
            .prop_map(|(id, segment)| Transaction::Segment(SegmentReply { id, segment })),
    ]
    .boxed()
}

pub(crate) fn message() -> BoxedStrategy<Message> {
    let auth = (any::<u32>(), any::<u32>(), vec(any::<u8>(), 12..=32)).prop_map(
        |(index, sequence, data)| Auth {
            index,
            sequence,
            data,
        },
    );
    let body = prop_oneof![
        1 => error().prop_map(Body::Error),
        9 => vec(transaction(), 1..3).prop_map(Body::Transactions),
    ];
    (maybe(auth), 1u8..100, mid(), body)
        .prop_map(|(auth, version, mid, body)| Message {
            auth,
            version,
            mid,
            body,
        })
        .boxed()
}
