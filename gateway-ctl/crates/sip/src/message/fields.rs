//! Header fields and body over one piece of text.
//!
//! ```text
//!   text   | message as it came in ............................ | what was added since .. |
//!   lines    [Via: ..] [Via: ..] [From: ..] [X-Any: ..] ..         [Via: ..]
//!   body                                          [v=0 ..]
//! ```
//! A line that nobody touched is sent byte for byte as it came, folds and odd spaces included;
//! one that is added or changed is new text behind the old, and its place in `lines` says where
//! it is sent. So a message costs two allocations, however many fields it has.

use super::lex;
use super::name::Name;
use super::span::Span;

/// One header field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// None: not one of ours, see its text.
    pub(crate) name: Option<Name>,
    /// The name as written.
    pub(crate) label: Span,
    /// The value without white space around it.
    pub(crate) value: Span,
    /// All of it, with its CRLF.
    pub(crate) whole: Span,
}

/// The header fields and the body of a message.
#[derive(Clone, Default)]
pub struct Fields {
    pub(crate) text: Vec<u8>,
    pub(crate) lines: Vec<Line>,
    pub(crate) body: Span,
}

impl Fields {
    /// The value of the first field of that name, without white space around it; folds inside
    /// are left as they came.
    #[must_use]
    pub fn value(&self, name: Name) -> Option<&[u8]> {
        self.lines_of(name).next()
    }

    /// The value as text, if it is UTF-8.
    #[must_use]
    pub fn text(&self, name: Name) -> Option<&str> {
        self.value(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The values of every field of that name, one for each line.
    pub fn lines_of(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        self.lines
            .iter()
            .filter(move |line| line.name == Some(name))
            .map(|line| line.value.of(&self.text))
    }

    /// The values of every field of that name, split at their commas. Only for fields that
    /// are lists (Via, Contact, Route, Supported ..), not for credentials or dates.
    pub fn values(&self, name: Name) -> impl Iterator<Item = &[u8]> {
        self.lines_of(name).flat_map(lex::list)
    }

    /// The first value of a list field.
    #[must_use]
    pub fn first(&self, name: Name) -> Option<&[u8]> {
        self.values(name).next()
    }

    /// The first value of a field by the text of its name, in any case. For fields that
    /// [`Name`] lists, ask by [`Fields::value`]: that knows the compact form.
    #[must_use]
    pub fn other(&self, label: &str) -> Option<&[u8]> {
        self.all()
            .find(|(name, _)| name.eq_ignore_ascii_case(label.as_bytes()))
            .map(|(_, value)| value)
    }

    /// Names and values as they stand, in order.
    pub fn all(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines
            .iter()
            .map(|line| (line.label.of(&self.text), line.value.of(&self.text)))
    }

    /// Lines with that name.
    #[must_use]
    pub fn count(&self, name: Name) -> usize {
        self.lines_of(name).count()
    }

    /// Whether a list field has that token, in any case: `Supported: path`.
    #[must_use]
    pub fn has_token(&self, name: Name, token: &str) -> bool {
        self.values(name)
            .any(|value| value.eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Adds a field behind all others. CR, LF and NUL in a value become spaces: text from
    /// elsewhere can't make lines of its own.
    pub fn push(&mut self, name: Name, value: impl AsRef<[u8]>) {
        let line = self.write(Some(name), name.text(), value.as_ref());
        self.lines.push(line);
    }

    /// Adds a field that [`Name`] does not list. Characters that no name may have are left
    /// out of it.
    pub fn push_other(&mut self, label: &str, value: impl AsRef<[u8]>) {
        let label: String = label
            .chars()
            .filter(|letter| letter.is_ascii() && lex::is_token(*letter as u8))
            .collect();
        let line = self.write(Name::of(label.as_bytes()), &label, value.as_ref());
        self.lines.push(line);
    }

    /// Adds a field before the first of that name, or before all others.
    pub fn push_front(&mut self, name: Name, value: impl AsRef<[u8]>) {
        let at = self.position(name).unwrap_or(0);
        let line = self.write(Some(name), name.text(), value.as_ref());
        self.lines.insert(at, line);
    }

    /// Makes it the only field of that name, where the first one was, else behind all others.
    pub fn set(&mut self, name: Name, value: impl AsRef<[u8]>) {
        let line = self.write(Some(name), name.text(), value.as_ref());
        match self.position(name) {
            Some(at) => {
                self.replace_line(at, line);
                let mut seen = 0;
                self.lines.retain(|line| {
                    seen += usize::from(line.name == Some(name));
                    line.name != Some(name) || seen == 1
                });
            }
            None => self.lines.push(line),
        }
    }

    /// Takes out every field of that name; whether there was one.
    pub fn remove(&mut self, name: Name) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| line.name != Some(name));
        self.lines.len() != before
    }

    /// Takes out every field of a name that [`Name`] does not list; whether there was one.
    pub fn remove_other(&mut self, label: &str) -> bool {
        let (before, text) = (self.lines.len(), &self.text);
        self.lines
            .retain(|line| !line.label.of(text).eq_ignore_ascii_case(label.as_bytes()));
        self.lines.len() != before
    }

    /// Takes out the first value of a list field; whether there was one. What follows it on
    /// its line stays.
    pub fn pop_value(&mut self, name: Name) -> bool {
        self.replace_value(name, b"")
    }

    /// Puts another value in the place of the first one of a list field; whether there was
    /// one. An empty value takes it out.
    pub fn replace_value(&mut self, name: Name, value: &[u8]) -> bool {
        // Lines without any value in them are passed by, as `values` does.
        let found = self.lines.iter().position(|line| {
            line.name == Some(name) && lex::list(line.value.of(&self.text)).next().is_some()
        });
        let Some(at) = found else {
            return false;
        };
        let line = self
            .lines
            .get(at)
            .map(|line| line.value)
            .unwrap_or_default();
        let mut rest = line.of(&self.text);
        // Commas without a value before them go with it.
        while let [b',' | b' ' | b'\t' | b'\r' | b'\n', after @ ..] = rest {
            rest = after;
        }
        let rest = match lex::find_outside(rest, b',') {
            Some(comma) => rest.get(comma + 1..).map(lex::trim).unwrap_or_default(),
            None => b"",
        };
        let parts = match (value, rest) {
            (b"", b"") => {
                self.lines.remove(at);
                return true;
            }
            (b"", rest) => rest.to_vec(),
            (value, b"") => value.to_vec(),
            (value, rest) => [value, b", ", rest].concat(),
        };
        let line = self.write_folded(Some(name), name.text(), &parts);
        self.replace_line(at, line);
        true
    }

    /// Copies every field of that name from another message, as it stands there.
    pub fn copy(&mut self, from: &Self, name: Name) {
        for line in from.lines.iter().filter(|line| line.name == Some(name)) {
            let start = self.text.len();
            self.text.extend_from_slice(line.whole.of(&from.text));
            let moved = |span: Span| {
                let offset = start + (span.start - line.whole.start) as usize;
                Span::new(offset, offset + span.len())
            };
            self.lines.push(Line {
                name: line.name,
                label: moved(line.label),
                value: moved(line.value),
                whole: moved(line.whole),
            });
        }
    }

    /// The body; empty if there is none.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.of(&self.text)
    }

    /// Another body of the same kind; Content-Length follows.
    pub fn set_body(&mut self, body: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(body);
        self.body = Span::new(start, self.text.len());
        self.set(Name::ContentLength, body.len().to_string());
    }

    /// Header fields, the empty line and the body, to the end of `out`. Content-Length is
    /// added when it is missing.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut counted = false;
        // Lines that stand side by side in the text go out in one piece.
        let mut run = Span::default();
        for line in &self.lines {
            counted |= line.name == Some(Name::ContentLength);
            if run.end == line.whole.start {
                run.end = line.whole.end;
            } else {
                out.extend_from_slice(run.of(&self.text));
                run = line.whole;
            }
        }
        out.extend_from_slice(run.of(&self.text));
        if !counted {
            let length = self.body.len().to_string();
            out.extend_from_slice(b"Content-Length: ");
            out.extend_from_slice(length.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(self.body());
    }

    fn position(&self, name: Name) -> Option<usize> {
        self.lines.iter().position(|line| line.name == Some(name))
    }

    fn replace_line(&mut self, at: usize, line: Line) {
        if let Some(place) = self.lines.get_mut(at) {
            *place = line;
        }
    }

    fn write(&mut self, name: Option<Name>, label: &str, value: &[u8]) -> Line {
        let line = self.write_folded(name, label, lex::trim(value));
        let Span { start, end } = line.value;
        for byte in self
            .text
            .get_mut(start as usize..end as usize)
            .unwrap_or_default()
        {
            if matches!(byte, b'\r' | b'\n' | 0) {
                *byte = b' ';
            }
        }
        line
    }

    /// For values that were part of a message, so their folds are sound.
    fn write_folded(&mut self, name: Option<Name>, label: &str, value: &[u8]) -> Line {
        let start = self.text.len();
        self.text.extend_from_slice(label.as_bytes());
        let colon = self.text.len();
        self.text.extend_from_slice(b": ");
        let value_start = self.text.len();
        self.text.extend_from_slice(value);
        let value_end = self.text.len();
        self.text.extend_from_slice(b"\r\n");
        Line {
            name,
            label: Span::new(start, colon),
            value: Span::new(value_start, value_end),
            whole: Span::new(start, self.text.len()),
        }
    }
}
