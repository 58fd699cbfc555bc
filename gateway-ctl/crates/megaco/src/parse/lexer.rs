//! Words, signs, numbers and quoted text.
//!
//! The reader always stands behind the white space and comments that follow what it has read;
//! where the grammar allows none, the caller looks at bytes.

use crate::error::ErrorCode;
use crate::message::Value;
use crate::name::{Name, PkgdName};
use crate::text::{LONGEST_NAME, Text, is_safe};
use crate::token::Token;

/// What is wrong, before it is said whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) code: ErrorCode,
    pub(super) at: usize,
    pub(super) expected: &'static str,
}

pub(super) type Parsed<T> = Result<T, Fault>;

/// How deep we are: which code says that something cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Message,
    Transaction,
    Action,
    Command,
}

impl Level {
    fn code(self) -> ErrorCode {
        match self {
            Self::Message => ErrorCode::SYNTAX_IN_MESSAGE,
            Self::Transaction => ErrorCode::SYNTAX_IN_TRANSACTION,
            Self::Action => ErrorCode::SYNTAX_IN_ACTION,
            Self::Command => ErrorCode::SYNTAX_IN_COMMAND,
        }
    }
}

const SAFE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let safe = is_safe(byte as u8);
        table[byte] = safe;
        byte += 1;
    }
    table
};

/// Reads a message from its beginning to its end.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) level: Level,
    /// How many more items of lists are taken.
    pub(super) items: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], items: usize) -> Self {
        let mut reader = Self {
            bytes,
            at: 0,
            level: Level::Message,
            items,
        };
        reader.skip();
        reader
    }

    pub(super) fn fault(&self, expected: &'static str) -> Fault {
        self.fault_at(self.at, self.level.code(), expected)
    }

    pub(super) fn coded(&self, code: ErrorCode, expected: &'static str) -> Fault {
        self.fault_at(self.at, code, expected)
    }

    /// A fault at a word that has been read.
    pub(super) fn fault_of(&self, word: &[u8], code: ErrorCode, expected: &'static str) -> Fault {
        // The word is a part of the message; where it begins is the difference of addresses.
        let at = (word.as_ptr() as usize).wrapping_sub(self.bytes.as_ptr() as usize);
        self.fault_at(at.min(self.bytes.len()), code, expected)
    }

    /// A fault at a word that has been read, with the code of the level.
    pub(super) fn bad(&self, word: &[u8], expected: &'static str) -> Fault {
        self.fault_of(word, self.level.code(), expected)
    }

    fn fault_at(&self, at: usize, code: ErrorCode, expected: &'static str) -> Fault {
        Fault { code, at, expected }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// White space, line ends and comments.
    pub(super) fn skip(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b';' => {
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
                    self.at += end.unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    /// A sign, if it is there.
    pub(super) fn take(&mut self, sign: u8) -> bool {
        let there = self.peek() == Some(sign);
        if there {
            self.at += 1;
            self.skip();
        }
        there
    }

    pub(super) fn expect(&mut self, sign: u8, expected: &'static str) -> Parsed<()> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(self.fault(expected))
        }
    }

    pub(super) fn equals(&mut self) -> Parsed<()> {
        self.expect(b'=', "an equals sign")
    }

    /// The safe characters that follow, and nothing behind them; maybe none.
    pub(super) fn bare_word(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .take_while(|byte| SAFE[usize::from(**byte)])
            .count();
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    pub(super) fn word(&mut self, expected: &'static str) -> Parsed<&'a [u8]> {
        let word = self.bare_word();
        if word.is_empty() {
            return Err(self.fault(expected));
        }
        self.skip();
        Ok(word)
    }

    /// A word that must be a token: the word too, for faults.
    pub(super) fn token(&mut self, expected: &'static str) -> Parsed<(Option<Token>, &'a [u8])> {
        let word = self.word(expected)?;
        Ok((Token::of(word), word))
    }

    pub(super) fn number<T: TryFrom<u64>>(&mut self, expected: &'static str) -> Parsed<T> {
        let word = self.word(expected)?;
        number(word).ok_or_else(|| self.bad(word, expected))
    }

    /// `=` and a number.
    pub(super) fn equals_number<T: TryFrom<u64>>(&mut self, expected: &'static str) -> Parsed<T> {
        self.equals()?;
        self.number(expected)
    }

    pub(super) fn name(&mut self, expected: &'static str) -> Parsed<Name> {
        let word = self.word(expected)?;
        self.name_of(word, expected)
    }

    pub(super) fn name_of(&self, word: &[u8], expected: &'static str) -> Parsed<Name> {
        if word.len() > LONGEST_NAME {
            return Err(self.bad(word, expected));
        }
        Ok(Name::safe(word))
    }

    pub(super) fn pkgd_name(&mut self, expected: &'static str) -> Parsed<PkgdName> {
        let word = self.word(expected)?;
        self.pkgd_name_of(word, expected)
    }

    pub(super) fn pkgd_name_of(&self, word: &[u8], expected: &'static str) -> Parsed<PkgdName> {
        let (mut slash, mut slashes) = (0, 0);
        for (at, byte) in word.iter().enumerate() {
            if *byte == b'/' {
                (slash, slashes) = (at, slashes + 1);
            }
        }
        let item = word.len().saturating_sub(slash + 1);
        let lengths = 1..=LONGEST_NAME;
        if slashes != 1 || !lengths.contains(&slash) || !lengths.contains(&item) {
            return Err(self.bad(word, expected));
        }
        Ok(PkgdName::safe(word))
    }

    /// Text in quotes, without them.
    pub(super) fn quoted(&mut self) -> Parsed<Option<&'a str>> {
        if self.peek() != Some(b'"') {
            return Ok(None);
        }
        let begin = self.at + 1;
        let rest = self.bytes.get(begin..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'"');
        let Some(text) = length.and_then(|length| rest.get(..length)) else {
            return Err(self.fault("quoted text with an end"));
        };
        // Characters outside ASCII are UTF-8 (RFC 3525 annex B.2).
        let legal = |text: &str| Text::new(text).is_ok();
        match std::str::from_utf8(text) {
            Ok(text) if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || legal(text) => {
                self.at = begin + text.len() + 1;
                self.skip();
                Ok(Some(text))
            }
            _ => Err(self.fault("quoted text without control characters, in UTF-8")),
        }
    }

    pub(super) fn value(&mut self) -> Parsed<Value> {
        if let Some(text) = self.quoted()? {
            return Ok(Value::unchecked(text, true));
        }
        self.word("a value").map(Value::safe)
    }

    /// Counts an item of a list.
    pub(super) fn count(&mut self) -> Parsed<()> {
        let left = self.items.checked_sub(1);
        self.items =
            left.ok_or_else(|| self.coded(ErrorCode::NO_RESOURCES, "fewer items in one message"))?;
        Ok(())
    }

    /// `{item, item}`, maybe empty. A comma behind the last item is no fault: RFC 3525
    /// appendix I.1.1 step 3 has one.
    pub(super) fn braced(&mut self, item: impl FnMut(&mut Self) -> Parsed<()>) -> Parsed<()> {
        self.listed(b'{', b'}', item)
    }

    /// `{item, item}` with at least one.
    pub(super) fn some_braced(
        &mut self,
        expected: &'static str,
        mut item: impl FnMut(&mut Self) -> Parsed<()>,
    ) -> Parsed<()> {
        let mut any = false;
        self.braced(|reader| {
            any = true;
            item(reader)
        })?;
        if any {
            Ok(())
        } else {
            Err(self.fault(expected))
        }
    }

    /// A list between these signs.
    pub(super) fn listed(
        &mut self,
        open: u8,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Parsed<()>,
    ) -> Parsed<()> {
        let expected = if open == b'{' {
            "an opening brace"
        } else {
            "an opening bracket"
        };
        self.expect(open, expected)?;
        loop {
            if self.take(close) {
                return Ok(());
            }
            self.count()?;
            item(self)?;
            if !self.take(b',') {
                let closing = if close == b'}' {
                    "a comma or a closing brace"
                } else {
                    "a comma or a closing bracket"
                };
                return self.expect(close, closing);
            }
        }
    }
}

/// A decimal number of at most ten digits.
pub(super) fn number<T: TryFrom<u64>>(word: &[u8]) -> Option<T> {
    if word.is_empty() || word.len() > 10 {
        return None;
    }
    let mut number = 0u64;
    for digit in word {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    T::try_from(number).ok()
}

/// Hexadecimal digits as octets, two digits each.
pub(super) fn octets(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    let mut octets = Vec::with_capacity(digits.len() / 2);
    for pair in digits.chunks(2) {
        let &[high, low] = pair else { return None };
        octets.push(u8::try_from(nibble(high)? << 4 | nibble(low)?).ok()?);
    }
    Some(octets)
}
