//! Names that a template stands for.
//!
//! A pattern is a path in which `{mac}` stands for twelve hexadecimal digits, `{mac:-}` and
//! `{mac::}` for six pairs of them with `-` or `:` between, and `*` for any characters but
//! `/`. Upper and lower case are the same everywhere: phones and manuals do not agree. Twelve
//! zeros are nobody's address: Polycom phones ask for `000000000000.cfg` when there is no file
//! of their own.

use std::fmt;

use crate::{Name, PatternError};

/// A pattern, and what it looks like.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// What lies between the stars: one part more than there are stars.
    parts: Vec<Vec<Piece>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// In lower case.
    Literal(Vec<u8>),
    /// With this between the pairs.
    Mac(Option<u8>),
}

/// How a pattern and a name go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// Not at all.
    No,
    /// The name is for the phone that asks.
    Own,
    /// The name holds another phone's MAC address.
    Others,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When it could match no file's name, or braces hold something else.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let pattern = || text.to_owned();
        let name = Name::new(text).map_err(|error| PatternError::Name {
            pattern: pattern(),
            error,
        })?;
        let mut parts = Vec::new();
        for part in name.as_str().split('*') {
            let mut pieces = Vec::new();
            let mut rest = part;
            while let Some(at) = rest.find(['{', '}']) {
                push_literal(&mut pieces, &rest[..at]);
                let inside = rest[at..].strip_prefix('{');
                let (inside, after) = inside
                    .and_then(|inside| inside.split_once('}'))
                    .ok_or_else(|| PatternError::Brace { pattern: pattern() })?;
                let piece = mac(inside).ok_or_else(|| PatternError::Unknown {
                    pattern: pattern(),
                    got: inside.to_owned(),
                })?;
                pieces.push(piece);
                rest = after;
            }
            push_literal(&mut pieces, rest);
            parts.push(pieces);
        }
        Ok(Self {
            text: pattern(),
            parts,
        })
    }

    /// Whether it has a MAC address in it: such a file is one phone's.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        let mut pieces = self.parts.iter().flatten();
        pieces.any(|piece| matches!(piece, Piece::Mac(_)))
    }

    /// A name that it stands for, asked for by the phone with this MAC address: an invented one.
    #[must_use]
    pub fn example(&self) -> Option<(Name, [u8; 6])> {
        const MAC: [u8; 6] = [0x02, 0x5e, 0x2a, 0x13, 0x6b, 0xd7];
        let mut text = String::new();
        for (at, part) in self.parts.iter().enumerate() {
            if at > 0 {
                // Unlikely elsewhere: who has this name has it for its stars.
                text.push_str("~any~");
            }
            for piece in part {
                match piece {
                    Piece::Literal(literal) => text.push_str(std::str::from_utf8(literal).ok()?),
                    Piece::Mac(separator) => {
                        let separator = separator.map(|byte| char::from(byte).to_string());
                        let pairs = MAC.map(|byte| format!("{byte:02x}"));
                        text.push_str(&pairs.join(separator.as_deref().unwrap_or_default()));
                    }
                }
            }
        }
        Some((Name::new(&text).ok()?, MAC))
    }

    /// Whether, with its stars, it stands for files that are called as phones call their own:
    /// by a MAC address in any notation, and what follows a dot, a dash or an underscore. Folders
    /// that are named do not matter.
    #[must_use]
    pub fn takes_bare_macs(&self) -> bool {
        let (folders, file) = match self.text.rsplit_once('/') {
            Some((folders, file)) => (folders, file),
            None => ("", self.text.as_str()),
        };
        let anywhere = folders.trim_matches('/').is_empty() || folders.contains('*');
        let notations = [&b""[..], b"-", b":"];
        let mut bare = notations.iter().map(|separator| bare(file, separator));
        anywhere && file.contains('*') && bare.any(|bare| bare)
    }

    /// Whether it stands for this name, asked for by the phone with this MAC address.
    #[must_use]
    pub fn matches(&self, name: &Name, asking: Option<[u8; 6]>) -> Match {
        let name = name.as_str().to_ascii_lowercase();
        if asking.is_some() && self.fits(name.as_bytes(), asking) {
            Match::Own
        } else if !self.fits(name.as_bytes(), None) {
            Match::No
        } else if self.is_personal() {
            Match::Others
        } else {
            Match::Own
        }
    }

    /// Whether the name fits, with this MAC address, or with any.
    fn fits(&self, name: &[u8], only: Option<[u8; 6]>) -> bool {
        let length = |part: &[Piece]| part.iter().map(Piece::length).sum::<usize>();
        let begins = |part: &[Piece], name: &[u8]| {
            let mut rest = name;
            part.iter().all(|piece| match piece.after(rest, only) {
                Some(after) => {
                    rest = after;
                    true
                }
                None => false,
            })
        };
        let Some((first, others)) = self.parts.split_first() else {
            return false;
        };
        if !begins(first, name) {
            return false;
        }
        let mut rest = &name[length(first)..];
        let Some((last, middle)) = others.split_last() else {
            return rest.is_empty();
        };
        // The leftmost place is as good as any: what follows has the more room.
        for part in middle {
            let Some(at) = (0..=reach(rest)).find(|at| begins(part, &rest[*at..])) else {
                return false;
            };
            rest = &rest[at + length(part)..];
        }
        let Some(at) = rest.len().checked_sub(length(last)) else {
            return false;
        };
        at <= reach(rest) && begins(last, &rest[at..])
    }
}

/// How many bytes a star may stand for.
fn reach(rest: &[u8]) -> usize {
    let end = rest.iter().position(|byte| *byte == b'/');
    end.unwrap_or(rest.len())
}

fn push_literal(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Literal(text.to_ascii_lowercase().into_bytes()));
    }
}

/// Whether the text, with its stars, can be a MAC address in this notation and what follows one.
fn bare(text: &str, separator: &[u8]) -> bool {
    let text = text.as_bytes();
    // Places in the text where a beginning of the address may end.
    let mut places = vec![false; text.len() + 1];
    places[0] = true;
    for pair in 0..6 {
        let separator = if pair > 0 { separator } else { b"" };
        for wanted in separator.iter().map(Some).chain([None, None]) {
            places = after(text, &places, |byte| match wanted {
                Some(wanted) => byte == *wanted,
                None => byte.is_ascii_hexdigit(),
            });
        }
    }
    let mut ends = (0..=text.len()).filter(|at| places[*at]);
    ends.any(|at| matches!(text.get(at), None | Some(b'*' | b'.' | b'-' | b'_')))
}

/// Where one more character leads to from these places; a star stays where it is.
fn after(text: &[u8], places: &[bool], fits: impl Fn(u8) -> bool) -> Vec<bool> {
    let mut next = vec![false; places.len()];
    let mut here = false;
    for (at, byte) in text.iter().enumerate() {
        // A star may stand for nothing.
        here = places[at] || (here && at > 0 && text[at - 1] == b'*');
        if here && *byte == b'*' {
            next[at] = true;
        } else if here && fits(*byte) {
            next[at + 1] = true;
        }
    }
    next
}

/// What braces stand for.
fn mac(inside: &str) -> Option<Piece> {
    match inside.to_ascii_lowercase().as_str() {
        "mac" => Some(Piece::Mac(None)),
        "mac:-" => Some(Piece::Mac(Some(b'-'))),
        "mac::" => Some(Piece::Mac(Some(b':'))),
        _ => None,
    }
}

impl Piece {
    /// Bytes it takes in every name.
    fn length(&self) -> usize {
        match self {
            Self::Literal(text) => text.len(),
            Self::Mac(None) => 12,
            Self::Mac(Some(_)) => 17,
        }
    }

    /// What follows it in a name that begins with it.
    fn after<'n>(&self, name: &'n [u8], only: Option<[u8; 6]>) -> Option<&'n [u8]> {
        let separator = match self {
            Self::Literal(text) => return name.strip_prefix(text.as_slice()),
            Self::Mac(separator) => *separator,
        };
        let (mut rest, mut is_somebody) = (name, false);
        for pair in 0..6 {
            if let Some(separator) = separator.filter(|_| pair > 0) {
                rest = rest.strip_prefix(&[separator])?;
            }
            let ([high, low], after) = rest.split_first_chunk()?;
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let byte = digit(*high)? << 4 | digit(*low)?;
            if only.is_some_and(|only| u32::from(only[pair]) != byte) {
                return None;
            }
            is_somebody |= byte != 0;
            rest = after;
        }
        is_somebody.then_some(rest)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
mod tests;
