//! A table of the document: each key typed, asked for once, unknown ones named.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::{Place, Report};
use super::suggest::closest;
use super::values::Wrong;

/// Where lines begin, to turn offsets into line numbers.
#[derive(Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(
            std::iter::once(0)
                .chain(newlines.map(|(at, _)| at + 1))
                .collect(),
        )
    }

    /// Line of the main file in which this offset lies.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        let line = self.0.partition_point(|start| *start <= span.start);
        Place {
            source: 0,
            line: u32::try_from(line).unwrap_or(u32::MAX),
        }
    }
}

/// What every section is read with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub(super) lines: &'a Lines,
    pub(super) report: &'a Report,
}

/// A table and what it is called in messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section<'a> {
    pub(super) reader: Reader<'a>,
    /// `[api]` or `[[inside]]`.
    name: &'static str,
    table: &'a DeTable<'a>,
    /// Its header.
    pub(super) at: Place,
}

/// A value and the line it is on.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) at: Place,
}

impl<'a> Section<'a> {
    /// Takes up a table and names the keys in it that are none of `keys`.
    pub(super) fn new(
        reader: Reader<'a>,
        name: &'static str,
        table: &'a DeTable<'a>,
        span: &Range<usize>,
        keys: &[&'static str],
    ) -> Self {
        let section = Self {
            reader,
            name,
            table,
            at: reader.lines.place(span),
        };
        for key in table.keys() {
            if !keys.contains(&key.get_ref().as_ref()) {
                section.unknown_key(key.get_ref(), reader.lines.place(&key.span()), keys);
            }
        }
        section
    }

    fn unknown_key(&self, key: &str, at: Place, keys: &[&'static str]) {
        let fix = match closest(key, keys.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known keys: {}", keys.join(", ")),
        };
        self.reader
            .report
            .problem(at, format!("unknown key `{key}` in {}", self.name), fix);
    }

    /// Notes a problem in this section.
    pub(super) fn problem(&self, at: Place, message: impl Into<String>, fix: impl Into<String>) {
        self.reader.report.problem(at, message, fix);
    }

    /// Whether the key is there, of whatever type.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A value of any type, if there.
    pub(super) fn value(&self, key: &str) -> Option<(&'a DeValue<'a>, Place)> {
        let value: &Spanned<DeValue<'a>> = self.table.get(key)?;
        Some((value.get_ref(), self.reader.lines.place(&value.span())))
    }

    /// Notes a value of the wrong type.
    pub(super) fn wrong_type(
        &self,
        key: &str,
        at: Place,
        got: &DeValue<'_>,
        expected: &str,
        example: &str,
    ) {
        self.problem(
            at,
            format!(
                "`{key}` in {} is {}, expected {expected}",
                self.name,
                kind(got)
            ),
            format!("write {key} = {example}"),
        );
    }

    /// A string, if there.
    pub(super) fn string(&self, key: &str, example: &str) -> Option<At<&'a str>> {
        let (value, at) = self.value(key)?;
        if let DeValue::String(text) = value {
            return Some(At {
                value: text.as_ref(),
                at,
            });
        }
        self.wrong_type(key, at, value, "a string", example);
        None
    }

    /// A string that must be there.
    pub(super) fn required_string(&self, key: &str, example: &str) -> Option<At<&'a str>> {
        self.require(key, example);
        self.string(key, example)
    }

    /// A non-empty array of strings that must be there.
    pub(super) fn required_strings(&self, key: &str, example: &str) -> Vec<At<&'a str>> {
        self.require(key, example);
        let strings = self.strings(key, example);
        if let (Some(found), Some((DeValue::Array(all), at))) = (&strings, self.value(key))
            && found.is_empty()
            && all.is_empty()
        {
            let message = format!("`{key}` in {} is empty", self.name);
            self.problem(at, message, format!("write {key} = {example}"));
        }
        strings.unwrap_or_default()
    }

    /// An array of strings, if there.
    pub(super) fn strings(&self, key: &str, example: &str) -> Option<Vec<At<&'a str>>> {
        let (value, at) = self.value(key)?;
        let DeValue::Array(array) = value else {
            self.wrong_type(key, at, value, "an array of strings", example);
            return None;
        };
        let mut strings = Vec::with_capacity(array.len());
        for element in array {
            let at = self.reader.lines.place(&element.span());
            match element.get_ref() {
                DeValue::String(text) => strings.push(At {
                    value: text.as_ref(),
                    at,
                }),
                other => {
                    let message = format!(
                        "`{key}` in {} holds {}, expected strings",
                        self.name,
                        kind(other)
                    );
                    self.problem(at, message, format!("write {key} = {example}"));
                }
            }
        }
        Some(strings)
    }

    /// A whole number within bounds, if there.
    pub(super) fn integer(&self, key: &str, bounds: RangeInclusive<u32>) -> Option<At<u32>> {
        let expected = format!("a number from {} to {}", bounds.start(), bounds.end());
        self.number(key, bounds, &expected)
    }

    /// As [`Self::integer`], with words for what is expected.
    pub(super) fn number(
        &self,
        key: &str,
        bounds: RangeInclusive<u32>,
        expected: &str,
    ) -> Option<At<u32>> {
        let (value, at) = self.value(key)?;
        let DeValue::Integer(number) = value else {
            self.wrong_type(key, at, value, expected, &bounds.start().to_string());
            return None;
        };
        let parsed = i128::from_str_radix(number.as_str(), number.radix()).ok();
        let fitting = parsed.and_then(|number| u32::try_from(number).ok());
        if let Some(value) = fitting.filter(|number| bounds.contains(number)) {
            return Some(At { value, at });
        }
        let message = format!("`{key}` in {} is {number}, expected {expected}", self.name);
        let nearest = if parsed.is_some_and(|number| number > i128::from(*bounds.end())) {
            bounds.end()
        } else {
            bounds.start()
        };
        self.problem(at, message, format!("the nearest is {nearest}"));
        None
    }

    /// true or false, if there.
    pub(super) fn boolean(&self, key: &str) -> Option<At<bool>> {
        let (value, at) = self.value(key)?;
        if let DeValue::Boolean(value) = value {
            return Some(At { value: *value, at });
        }
        self.wrong_type(key, at, value, "true or false", "true");
        None
    }

    /// One of a few words, if there.
    pub(super) fn choice<T: Copy>(&self, key: &str, words: &[(&'static str, T)]) -> Option<At<T>> {
        let example = format!("\"{}\"", words[0].0);
        let text = self.string(key, &example)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(At {
                value: *value,
                at: text.at,
            });
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{key}` in {} is \"{}\"", self.name, text.value);
        self.problem(
            text.at,
            message,
            format!("write one of: {}", all.join(", ")),
        );
        None
    }

    /// What a text stands for; what is wrong with it is noted.
    pub(super) fn checked<'b, T>(
        &self,
        text: Option<At<&'b str>>,
        parse: impl Fn(&'b str) -> Result<T, Wrong>,
    ) -> Option<At<T>> {
        let At { value, at } = text?;
        match parse(value) {
            Ok(value) => Some(At { value, at }),
            Err(wrong) => {
                self.problem(at, wrong.message, wrong.fix);
                None
            }
        }
    }

    /// What all texts of an array stand for.
    pub(super) fn all_checked<T>(
        &self,
        key: &str,
        example: &str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Vec<T> {
        let texts = self.strings(key, example).unwrap_or_default();
        let parsed = texts
            .into_iter()
            .filter_map(|text| self.checked(Some(text), &parse));
        parsed.map(|found| found.value).collect()
    }

    /// Notes when a key is missing.
    pub(super) fn require(&self, key: &str, example: &str) {
        if !self.has(key) {
            let message = format!("`{key}` is missing in {}", self.name);
            self.reader
                .report
                .missing(self.at, message, format!("add {key} = {example}"));
        }
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
