//! Words, signs, numbers and lists.

use super::Style;
use crate::message::{Parameter, ParmValue, Property, Timestamp, Value};
use crate::token::Token;

/// Writes behind what is there.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pretty: bool,
    depth: usize,
}

/// Whether something of a list was written already.
pub(super) type First = bool;

impl<'a> Writer<'a> {
    pub(super) fn new(style: Style, out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            pretty: style == Style::Pretty,
            depth: 0,
        }
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn token(&mut self, token: Token) {
        let word = if self.pretty {
            token.long()
        } else {
            token.short()
        };
        self.raw(word.as_bytes());
    }

    pub(super) fn sign(&mut self, sign: u8) {
        if self.pretty {
            self.raw(&[b' ', sign, b' ']);
        } else {
            self.out.push(sign);
        }
    }

    pub(super) fn equals(&mut self) {
        self.sign(b'=');
    }

    /// `token=`
    pub(super) fn token_is(&mut self, token: Token) {
        self.token(token);
        self.equals();
    }

    pub(super) fn number(&mut self, number: impl Into<u64>) {
        let (mut number, mut digits, mut at) = (number.into(), [0u8; 20], 20);
        loop {
            at -= 1;
            let digit = (number % 10) as u8;
            if let Some(place) = digits.get_mut(at) {
                *place = b'0' + digit;
            }
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.raw(digits.get(at..).unwrap_or_default());
    }

    /// `token=number`
    pub(super) fn token_number(&mut self, token: Token, number: impl Into<u64>) {
        self.token_is(token);
        self.number(number);
    }

    pub(super) fn hex(&mut self, octets: &[u8]) {
        for octet in octets {
            for nibble in [octet >> 4, octet & 15] {
                self.out.push(b"0123456789ABCDEF"[usize::from(nibble)]);
            }
        }
    }

    pub(super) fn quoted(&mut self, text: &[u8]) {
        self.out.push(b'"');
        self.raw(text);
        self.out.push(b'"');
    }

    fn line(&mut self) {
        if self.pretty {
            self.out.push(b'\n');
            let tabs = self.out.len() + self.depth;
            self.out.resize(tabs, b'\t');
        }
    }

    pub(super) fn open(&mut self) {
        self.raw(if self.pretty { b" {" } else { b"{" });
        self.depth += 1;
    }

    pub(super) fn close(&mut self) {
        self.depth -= 1;
        self.line();
        self.out.push(b'}');
    }

    /// Before an item of a list in braces.
    pub(super) fn item(&mut self, first: &mut First) {
        if !std::mem::replace(first, false) {
            self.out.push(b',');
        }
        self.line();
    }

    /// `{item,item}`
    pub(super) fn braced<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.open();
        let mut first = true;
        for item in items {
            self.item(&mut first);
            write(self, item);
        }
        self.close();
    }

    /// Items with commas between them, in one line.
    pub(super) fn inline<T>(
        &mut self,
        open: u8,
        close: u8,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.out.push(open);
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.raw(if self.pretty { b", " } else { b"," });
            }
            write(self, item);
        }
        self.out.push(close);
    }

    pub(super) fn value(&mut self, value: &Value) {
        if value.is_quoted() {
            self.quoted(value.as_bytes());
        } else {
            self.raw(value.as_bytes());
        }
    }

    pub(super) fn parm_value(&mut self, value: &ParmValue) {
        match value {
            ParmValue::Is(value) => {
                self.equals();
                self.value(value);
            }
            ParmValue::All(values) => {
                self.equals();
                self.inline(b'[', b']', values, Self::value);
            }
            ParmValue::OneOf(values) => {
                self.equals();
                self.inline(b'{', b'}', values, Self::value);
            }
            ParmValue::Range(low, high) => {
                self.equals();
                self.out.push(b'[');
                self.value(low);
                self.out.push(b':');
                self.value(high);
                self.out.push(b']');
            }
            ParmValue::Not(value) => self.relation(b'#', value),
            ParmValue::Below(value) => self.relation(b'<', value),
            ParmValue::Above(value) => self.relation(b'>', value),
        }
    }

    fn relation(&mut self, sign: u8, value: &Value) {
        self.sign(sign);
        self.value(value);
    }

    pub(super) fn property(&mut self, property: &Property) {
        self.raw(property.name.as_bytes());
        self.parm_value(&property.value);
    }

    pub(super) fn parameter(&mut self, parameter: &Parameter) {
        self.raw(parameter.name.as_bytes());
        self.parm_value(&parameter.value);
    }

    /// `yyyymmddThhmmssss`
    pub(super) fn timestamp(&mut self, time: Timestamp) {
        self.eight_digits(time.date());
        self.out.push(b'T');
        self.eight_digits(time.time());
    }

    fn eight_digits(&mut self, number: u32) {
        let mut place = 10_000_000;
        while place > 0 {
            self.number(number / place % 10);
            place /= 10;
        }
    }
}
