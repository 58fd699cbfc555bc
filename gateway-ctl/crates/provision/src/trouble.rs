//! What is wrong with a template, in words: the engine says where, and of an undefined value
//! not even which.

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind};

use crate::{Phone, TemplateError};

/// An error of a rendering for a phone: names what the phone has not got.
pub(crate) fn for_phone(
    environment: &Environment<'_>,
    file: &str,
    error: &Error,
    phone: &Phone,
) -> TemplateError {
    let described = described(file, error);
    if innermost(error).kind() != ErrorKind::UndefinedError {
        return described;
    }
    let missing = missing(environment, &described, phone);
    let Some(first) = missing.first() else {
        return described;
    };
    let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
    let (verb, fix) = match first.strip_prefix("variables.") {
        Some(name) => (
            "set for the phone",
            format!(
                "add \"{name}=..\" to `variables` of its [[phone]], or write {{{{ {first} | \
                 default('') }}}}"
            ),
        ),
        None => (
            "known of the phone",
            format!(
                "{}, or write {{% if {first} is defined %}}",
                source_of(first)
            ),
        ),
    };
    TemplateError {
        message: format!("{} is not {verb}", names.join(", ")),
        fix,
        ..described
    }
}

/// Names on the error's line that stand for nothing this phone has.
fn missing(environment: &Environment<'_>, error: &TemplateError, phone: &Phone) -> Vec<String> {
    let Ok(template) = environment.get_template(&error.file) else {
        return Vec::new();
    };
    let line = usize::try_from(error.line).unwrap_or(0);
    let lines = template.source().lines();
    let Some(line) = line.checked_sub(1).and_then(|at| lines.into_iter().nth(at)) else {
        return Vec::new();
    };
    let values = phone.values(Value::UNDEFINED);
    let has = |name: &str| match name.strip_prefix("variables.") {
        Some(own) => own
            .split('.')
            .next()
            .is_some_and(|own| phone.variables.contains_key(own)),
        None => name
            .split('.')
            .next()
            .is_some_and(|name| values.contains_key(name)),
    };
    let names = template.undeclared_variables(true).into_iter();
    let mut names: Vec<String> = names
        .filter(|name| !has(name) && line_of(line, name) > 0)
        .collect();
    names.sort_unstable();
    names
}

/// Where a phone has a value from.
fn source_of(name: &str) -> &'static str {
    match name {
        "public_address" | "first_port" | "last_port" | "signalling_port" | "rtp_first"
        | "rtp_last" => "give its [[class]] `ports`",
        "switch" | "switch_port" => "write primary_switch in its [[class]]",
        "backup_switch" | "backup_switch_port" => "write backup_switch in its [[class]]",
        _ => "see to it that the phone has it",
    }
}

/// The line that a word is first on.
pub(crate) fn line_of(text: &str, word: &str) -> u32 {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    let at = text.match_indices(word).find(|(at, _)| {
        let after = &text[at + word.len()..];
        !text[..*at].ends_with(inside) && !after.starts_with(inside)
    });
    at.map_or(0, |(at, _)| {
        let lines = text[..at].matches('\n').count() + 1;
        u32::try_from(lines).unwrap_or(u32::MAX)
    })
}

/// An error of the engine, by where it is.
pub(crate) fn described(file: &str, error: &Error) -> TemplateError {
    let error = innermost(error);
    let mut message = error.kind().to_string();
    if let Some(detail) = error.detail() {
        message = format!("{message}: {detail}");
    }
    if let Some(source) = std::error::Error::source(error) {
        message = format!("{message}: {source}");
    }
    let fix = match error.kind() {
        ErrorKind::UndefinedError => {
            "guard it with {% if .. is defined %}, or see to it that the phone has it"
        }
        ErrorKind::OutOfFuel => "make its loops shorter",
        ErrorKind::TemplateNotFound => "put the file into the directory of templates",
        _ => "",
    };
    TemplateError {
        file: error.name().unwrap_or(file).to_owned(),
        line: error
            .line()
            .and_then(|line| u32::try_from(line).ok())
            .unwrap_or(0),
        message,
        fix: fix.to_owned(),
    }
}

/// The error in an included file rather than that of its `include`.
pub(crate) fn innermost(error: &Error) -> &Error {
    let mut error = error;
    while let Some(source) = std::error::Error::source(error)
        && let Some(inner) = source.downcast_ref::<Error>()
    {
        error = inner;
    }
    error
}
