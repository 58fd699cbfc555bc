//! Values as the kinds of files can hold them. Text of the template itself is written as
//! it stands.
//!
//! | the template's name ends in | values are |
//! |---|---|
//! | `.xml`, `.htm`, `.html` | escaped, for elements and for attributes in quotes |
//! | `.json` | whole JSON values: strings come with their quotes |
//! | anything else | as they are |
//!
//! A phone chooses its host name and its vendor class. A line feed in one of them would begin
//! a line of its own in a file of lines, with whatever setting follows, so no value with a
//! control character is written: JSON alone has a form for them.

use minijinja::{AutoEscape, Error, ErrorKind, Output, State, Value, escape_formatter};

const XML: &str = "xml";
const PLAIN: &str = "plain";

/// The kind of file that a template makes, by its own name.
pub(crate) fn of(template: &str) -> AutoEscape {
    let ending = template.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        XML | "htm" | "html" => AutoEscape::Custom(XML.into()),
        "json" => AutoEscape::Json,
        // Not AutoEscape::None, with which what a macro wrote would count as a value.
        _ => AutoEscape::Custom(PLAIN.into()),
    }
}

/// Writes a value.
pub(crate) fn write(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    // What the template wrote itself: blocks, macros.
    if value.is_safe() {
        return write!(out, "{value}").map_err(Error::from);
    }
    let is_xml = match state.auto_escape() {
        AutoEscape::Json => return escape_formatter(out, state, value),
        AutoEscape::Custom(kind) => kind == XML,
        AutoEscape::Html => true,
        _ => false,
    };
    let text = value.to_string();
    if let Some(bad) = text.chars().find(|c| is_refused(*c)) {
        let bad = bad.escape_unicode();
        let message =
            format!("a value holds the character {bad}, which may begin a line or end the file");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    if is_xml {
        write_xml(out, &text).map_err(Error::from)
    } else {
        out.write_str(&text).map_err(Error::from)
    }
}

/// Control characters, line separators of Unicode, and what XML 1.0 has no form for
/// (section 2.2).
fn is_refused(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
}

fn write_xml(out: &mut Output<'_>, text: &str) -> std::fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        out.write_str(&rest[..at])?;
        // Numbers, where XML and HTML do not share a name.
        out.write_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        })?;
        rest = &rest[at + 1..];
    }
    out.write_str(rest)
}
