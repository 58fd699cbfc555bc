//! Where a broken transaction ends: at the brace that closes its first one. Quoted text,
//! comments and what stands in Local and Remote do not count.

use super::lexer::Reader;
use crate::token::Token;

impl Reader<'_> {
    /// Where the next transaction could begin, or the end of the message.
    pub(super) fn end_of_transaction(&mut self, begin: usize) -> usize {
        self.at = begin;
        let (mut depth, mut named) = (0u32, false);
        while let Some(byte) = self.peek() {
            let before = self.at;
            match byte {
                b'"' if self.quoted().is_err() => self.at += 1,
                b'"' => {}
                b';' => self.skip(),
                b'=' => named = true,
                b'{' if !named && self.opens_octets(begin) => self.pass_octets(),
                b'{' => {
                    depth += 1;
                    named = false;
                }
                b'}' if depth <= 1 => {
                    self.at += 1;
                    self.skip();
                    return self.at;
                }
                b'}' => depth -= 1,
                b',' => named = false,
                _ => {}
            }
            if self.at == before {
                self.at += 1;
            }
        }
        self.at
    }

    /// Whether the word before this brace is Local or Remote.
    fn opens_octets(&self, begin: usize) -> bool {
        let before = self
            .bytes
            .get(begin..self.at)
            .unwrap_or_default()
            .trim_ascii_end();
        let letters = before
            .iter()
            .rev()
            .take(7)
            .take_while(|byte| byte.is_ascii_alphabetic());
        let word = &before[before.len() - letters.count()..];
        matches!(Token::of(word), Some(Token::Local | Token::Remote))
    }

    fn pass_octets(&mut self) {
        self.at += 1;
        self.octets_until_brace();
    }
}
