//! Where a number leads: to a line of ours, or by its prefix to trunk gateways.
//!
//! ```text
//!   5001          a line                       the whole number, before any prefix
//!   0  441632...  trunks "carrier", "backup"   the longest prefix; the next trunk when one fails
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Most digits of a number (ITU-T E.164 has 15; prefixes and short codes come on top).
pub const MOST_DIGITS: usize = 32;

/// Digits as they are dialled: 0 to 9, `*`, `#`, A to D, and a leading `+`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(String);

/// Text that is no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is no number: expected 1 to {MOST_DIGITS} digits 0-9, *, #, A-D, with or without + \
     before them"
)]
pub struct NoNumber {
    text: String,
}

impl Number {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Number {
    type Err = NoNumber;

    fn from_str(text: &str) -> Result<Self, NoNumber> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let right = (1..=MOST_DIGITS).contains(&digits.len()) && digits.bytes().all(is_digit);
        match right {
            true => Ok(Self(text.to_ascii_uppercase())),
            false => Err(NoNumber {
                text: text.chars().take(2 * MOST_DIGITS).collect(),
            }),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'*' | b'#' | b'A'..=b'D' | b'a'..=b'd')
}

/// Numbers that begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// How they begin.
    pub digits: Number,
    /// How many of the first digits are taken off before the trunk is given the rest.
    pub strip: usize,
    /// Trunks, the first one first: the next one has the call when one is out of order or full.
    pub trunks: Vec<String>,
    /// How many digits follow the prefix at least, and at most.
    pub follow: (usize, usize),
}

/// Where a number leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route<'p, Line> {
    /// To a line.
    Line(&'p Line),
    /// To one of these trunks, which are given these digits.
    Trunks(&'p [String], String),
}

/// What is known of digits that may not be all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialled<'p, Line> {
    /// They lead there, and more digits would change nothing.
    Complete(Route<'p, Line>),
    /// They lead there, if no more come.
    Enough(Route<'p, Line>),
    /// More must come.
    Incomplete,
    /// Nothing begins so.
    Nowhere,
}

/// All numbers. `Line` is how the caller knows a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialPlan<Line> {
    lines: BTreeMap<Number, Line>,
    prefixes: BTreeMap<Number, Prefix>,
}

impl<Line> Default for DialPlan<Line> {
    fn default() -> Self {
        Self {
            lines: BTreeMap::new(),
            prefixes: BTreeMap::new(),
        }
    }
}

impl<Line> DialPlan<Line> {
    /// Numbers and prefixes; of two lines or prefixes with the same digits the last one counts.
    pub fn new(
        lines: impl IntoIterator<Item = (Number, Line)>,
        prefixes: impl IntoIterator<Item = Prefix>,
    ) -> Self {
        let prefixes = prefixes.into_iter();
        Self {
            lines: lines.into_iter().collect(),
            prefixes: prefixes
                .map(|prefix| (prefix.digits.clone(), prefix))
                .collect(),
        }
    }

    /// Where a whole number leads; `None`: nowhere.
    #[must_use]
    pub fn route(&self, digits: &str) -> Option<Route<'_, Line>> {
        let number: Number = digits.parse().ok()?;
        if let Some(line) = self.lines.get(&number) {
            return Some(Route::Line(line));
        }
        let prefix = self.prefix_of(number.as_str())?;
        let (least, most) = prefix.follow;
        let follows = number.as_str().len() - prefix.digits.as_str().len();
        if !(least..=most).contains(&follows) {
            return None;
        }
        let left = number.as_str().get(prefix.strip..).unwrap_or_default();
        Some(Route::Trunks(&prefix.trunks, left.to_owned()))
    }

    /// The longest prefix of these digits.
    fn prefix_of(&self, digits: &str) -> Option<&Prefix> {
        (1..=digits.len()).rev().find_map(|length| {
            let begin = Number(digits.get(..length)?.to_owned());
            self.prefixes.get(&begin)
        })
    }

    /// What digits lead to that come one by one.
    #[must_use]
    pub fn dialled(&self, digits: &str) -> Dialled<'_, Line> {
        if digits.is_empty() {
            return Dialled::Incomplete;
        }
        let digits = digits.to_ascii_uppercase();
        match (self.route(&digits), self.may_go_on(&digits)) {
            (Some(route), false) => Dialled::Complete(route),
            (Some(route), true) => Dialled::Enough(route),
            (None, true) => Dialled::Incomplete,
            (None, false) => Dialled::Nowhere,
        }
    }

    /// Whether there is a longer number that begins with these digits.
    fn may_go_on(&self, digits: &str) -> bool {
        let begins = |other: &Number| {
            let other = other.as_str();
            other.len() > digits.len() && other.starts_with(digits)
        };
        // What begins so comes right behind it in the order of texts.
        let from = || Number(digits.to_owned())..;
        let after = |other: &&Number| other.as_str() != digits;
        let line = self
            .lines
            .range(from())
            .map(|(number, _)| number)
            .find(after);
        let prefix = self
            .prefixes
            .range(from())
            .map(|(number, _)| number)
            .find(after);
        let within = self
            .prefix_of(digits)
            .is_some_and(|prefix| digits.len() - prefix.digits.as_str().len() < prefix.follow.1);
        within || line.is_some_and(begins) || prefix.is_some_and(begins)
    }

    /// The plan as a digit map (H.248.1 section 7.1.14): alternatives in which `x` is any digit and
    /// `.` repeats what is before it any number of times. Lines of one length that begin with the same
    /// digit are one alternative: what of it is nobody's number is refused when it has been dialled.
    ///
    /// `None`: there are no numbers.
    #[must_use]
    pub fn digit_map(&self) -> Option<String> {
        let lines = self.lines.keys().map(|number| {
            let digits = number.as_str().trim_start_matches('+');
            let (first, rest) = digits.split_at(1);
            format!("{}{}", event(first), "x".repeat(rest.len()))
        });
        let prefixes = self.prefixes.values().map(|prefix| {
            let digits = prefix.digits.as_str().trim_start_matches('+');
            let (least, most) = prefix.follow;
            let fixed = "x".repeat(least);
            // Up to a limit cannot be said: as many as come, and the timer ends it.
            let open = if most > least { "x." } else { "" };
            format!("{}{fixed}{open}", event(digits))
        });
        let alternatives: std::collections::BTreeSet<String> = lines.chain(prefixes).collect();
        let alternatives: Vec<String> = alternatives.into_iter().collect();
        match alternatives.is_empty() {
            true => None,
            false => Some(format!("({})", alternatives.join("|"))),
        }
    }
}

/// Digits as a digit map writes them: `*` is E and `#` is F there (H.248.1 annex E.6, package dd).
fn event(digits: &str) -> String {
    let letters = digits.chars().map(|digit| match digit {
        '*' => 'E',
        '#' => 'F',
        other => other,
    });
    letters.collect()
}

#[cfg(test)]
mod tests;
