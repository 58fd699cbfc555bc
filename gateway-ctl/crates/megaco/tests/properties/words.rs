//! Any names, values and numbers.

use megaco::{
    DialMap, Name, Parameter, ParmValue, PkgdName, Property, TerminationId, Terminations, Text,
    Timestamp, Value,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// A name; some of them are tokens elsewhere.
pub(crate) fn name() -> BoxedStrategy<Name> {
    prop_oneof![
        "[a-zA-Z][a-zA-Z0-9_]{0,30}",
        Just("Add".to_string()),
        Just("L".to_string()),
        Just("C1".to_string()),
        "[a-z]{64}",
    ]
    .prop_map(|name| Name::new(&name).expect("a name"))
    .boxed()
}

/// A parameter's name, which must be no token of its descriptor.
pub(crate) fn parameter_name() -> BoxedStrategy<Name> {
    "p[a-zA-Z0-9_]{2,20}q"
        .prop_map(|name| Name::new(&name).expect("a name"))
        .boxed()
}

pub(crate) fn pkgd() -> BoxedStrategy<PkgdName> {
    "[a-z]{1,6}/([a-zA-Z0-9_]{1,20}|\\*)"
        .prop_map(|name| PkgdName::new(&name).expect("two names"))
        .boxed()
}

pub(crate) fn text() -> BoxedStrategy<Text> {
    prop_oneof![Just(String::new()), "[ !#-~]{1,40}", "[é-ž{};,]{1,20}",]
        .prop_map(|text| Text::new(&text).expect("text"))
        .boxed()
}

pub(crate) fn value() -> BoxedStrategy<Value> {
    prop_oneof![
        "[a-zA-Z0-9+&!_/'?@^`~*$()%|.-]{1,30}".prop_map(|word| Value::word(&word).expect("a word")),
        "[ !#-~]{0,40}".prop_map(|text| Value::quoted(&text).expect("text")),
        any::<i64>().prop_map(Value::number),
    ]
    .boxed()
}

pub(crate) fn parm_value() -> BoxedStrategy<ParmValue> {
    prop_oneof![
        4 => value().prop_map(ParmValue::Is),
        1 => vec(value(), 1..4).prop_map(ParmValue::All),
        1 => vec(value(), 1..4).prop_map(ParmValue::OneOf),
        1 => (value(), value()).prop_map(|(low, high)| ParmValue::Range(low, high)),
        1 => value().prop_map(ParmValue::Not),
        1 => value().prop_map(ParmValue::Below),
        1 => value().prop_map(ParmValue::Above),
    ]
    .boxed()
}

pub(crate) fn property() -> BoxedStrategy<Property> {
    (pkgd(), parm_value())
        .prop_map(|(name, value)| Property { name, value })
        .boxed()
}

/// Parameters of different names.
pub(crate) fn parameters() -> BoxedStrategy<Vec<Parameter>> {
    vec((parameter_name(), parm_value()), 0..3)
        .prop_map(|all| {
            let mut parameters: Vec<Parameter> = Vec::new();
            for (name, value) in all {
                if parameters.iter().all(|known| known.name != name) {
                    parameters.push(Parameter { name, value });
                }
            }
            parameters
        })
        .boxed()
}

pub(crate) fn termination() -> BoxedStrategy<TerminationId> {
    prop_oneof![
        Just(TerminationId::Root),
        Just(TerminationId::Choose),
        Just(TerminationId::All),
        "[a-zA-Z][a-zA-Z0-9_/*$]{1,30}(@[a-z.-]{1,10})?"
            .prop_map(|name| TerminationId::new(&name).expect("a name")),
    ]
    .boxed()
}

pub(crate) fn terminations() -> BoxedStrategy<Terminations> {
    (termination(), vec(termination(), 0..2))
        .prop_map(|(first, more)| Terminations::new(first, more))
        .boxed()
}

pub(crate) fn timestamp() -> BoxedStrategy<Timestamp> {
    (0u32..100_000_000, 0u32..100_000_000)
        .prop_map(|(date, time)| Timestamp::new(date, time).expect("eight digits each"))
        .boxed()
}

pub(crate) fn dial_map() -> BoxedStrategy<DialMap> {
    "\\(?[0-9a-kxSL.|\\[\\]#*-]{1,40}\\)?"
        .prop_map(|map| DialMap::new(&map).expect("a map"))
        .boxed()
}

pub(crate) fn maybe<S: Strategy + 'static>(strategy: S) -> BoxedStrategy<Option<S::Value>> {
    option::of(strategy).boxed()
}
