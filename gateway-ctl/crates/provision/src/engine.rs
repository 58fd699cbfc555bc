//! What a template can do: little, in so many steps, with so much output.
//!
//! Only filters that can neither fail to end nor panic are there, none that escapes by
//! itself or marks a value as escaped, and nothing that reads a file.

use std::collections::BTreeMap;
use std::io::{self, Write};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, filters, functions, tests};

use crate::escape;

/// Steps that a rendering may take; the templates shipped here take some hundred.
const FUEL: u64 = 50_000;
/// How deep macros and includes may nest. Each level takes some hundred bytes of a stack.
const DEPTH: usize = 50;
/// Bytes of a template's text at most.
pub(crate) const MOST_TEXT: usize = 1 << 20;

/// Functions that templates may call.
pub(crate) const FUNCTIONS: &[&str] = &["range"];

/// An engine without templates.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A line with a tag alone makes no line, and a file ends as its template ends.
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    // Delimiters alone could be wrong, and they are the usual ones.
    environment.set_syntax(syntax.unwrap_or_default());
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEPTH);
    environment.set_auto_escape_callback(escape::of);
    environment.set_formatter(escape::write);
    // Errors carry file and line without it; with it, they would carry values too.
    environment.set_debug(false);
    environment.add_filter("default", filters::default);
    environment.add_filter("first", filters::first);
    environment.add_filter("int", int);
    environment.add_filter("items", filters::items);
    environment.add_filter("join", filters::join);
    environment.add_filter("last", filters::last);
    environment.add_filter("length", filters::length);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("replace", filters::replace);
    environment.add_filter("split", filters::split);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("upper", filters::upper);
    environment.add_function("range", functions::range);
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
    environment.add_test("none", tests::is_none);
    environment.add_test("in", tests::is_in);
    environment.add_test("eq", tests::is_eq);
    environment.add_test("ne", tests::is_ne);
    environment.add_test("startingwith", tests::is_startingwith);
    environment.add_test("endingwith", tests::is_endingwith);
    environment
}

/// A decimal number from a text: the engine's own takes any base, and panics for some.
fn int(value: &Value) -> Result<i64, Error> {
    if let Some(number) = value.as_i64() {
        return Ok(number);
    }
    let text = value.as_str().unwrap_or_default().trim();
    text.parse().map_err(|_| {
        let message = format!("\"{value}\" is no whole number");
        Error::new(ErrorKind::InvalidOperation, message)
    })
}

/// Renders a template that is there.
pub(crate) fn render(
    environment: &Environment<'_>,
    file: &str,
    values: BTreeMap<&'static str, Value>,
    most: usize,
) -> Result<Vec<u8>, Error> {
    let mut output = Limited {
        bytes: Vec::new(),
        most,
    };
    let template = environment.get_template(file)?;
    template.render_captured_to(Value::from_pairs(values), &mut output)?;
    Ok(output.bytes)
}

/// Output that ends somewhere: a loop writes much in few steps.
struct Limited {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.most - self.bytes.len() {
            let message = format!("expected at most {} bytes of output", self.most);
            return Err(io::Error::other(message));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
