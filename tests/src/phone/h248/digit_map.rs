//! Digit maps: which numbers are whole (RFC 3525 section 7.1.14).
//!
//! ```text
//!   (0|00|[1-7]xxx|9011x.)     alternatives; x any digit, [..] a set, . any number of the last
//!    each alternative is a small automaton; all of them run side by side:
//!
//!   digits so far   candidates           waits           at its end
//!   none            all                  T, start        partial match
//!   "0"             0 (whole), 00        S, short        full match
//!   "90"            9011x.               L, long         partial match
//!   "1234"          [1-7]xxx, and no more digit could match: unambiguous match at once
//! ```

use std::time::Duration;

use megaco::DigitMapValue;

/// When the map says nothing, in seconds.
const START: u8 = 16;
const SHORT: u8 = 4;
const LONG: u8 = 16;
/// Positions of an alternative that fit into a set.
const MOST_POSITIONS: usize = 63;

/// How a digit map completed; the words are those of package dd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// No further digit could have changed anything.
    Unambiguous,
    /// Not whole when the time was over, or a digit came that fits nowhere.
    Partial,
    /// Whole when the time was over, or when a digit came that fits nowhere.
    Full,
}

impl Method {
    /// As parameter `Meth` says it.
    #[must_use]
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Unambiguous => "UM",
            Self::Partial => "PM",
            Self::Full => "FM",
        }
    }
}

/// What came of a digit or of a time that was over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// More are waited for.
    More,
    /// It has completed. The last digit is no part of it if it is not `taken`.
    Complete {
        /// How.
        method: Method,
        /// The digits.
        digits: String,
        /// Whether the digit that was pressed is one of them.
        taken: bool,
    },
}

#[derive(Clone, Debug)]
struct Element {
    /// Bit n: symbol n, 0 to 9, then A to K.
    symbols: u32,
    repeats: bool,
    long: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    Short,
    Long,
}

#[derive(Clone, Debug)]
struct Alternative {
    elements: Vec<Element>,
    /// Which timer holds when this many elements are behind, if one is named.
    timers: Vec<Option<Timer>>,
    /// Bit n: n elements may be behind; 0 when it is no candidate any more.
    places: u64,
}

/// A digit map at work.
#[derive(Clone, Debug)]
pub(super) struct Collector {
    alternatives: Vec<Alternative>,
    digits: String,
    waits: [Option<Duration>; 3],
    /// When the wait for the next digit is over.
    pub(super) until: Option<Duration>,
}

impl Collector {
    /// Begins to wait for the first digit; none when the map cannot be understood.
    #[must_use]
    pub(super) fn start(now: Duration, map: &DigitMapValue) -> Option<Self> {
        let text = map.map.as_str();
        let inner = text
            .strip_prefix('(')
            .map_or(Some(text), |text| text.strip_suffix(')'))?;
        let alternatives: Option<Vec<_>> = inner.split('|').map(Alternative::parse).collect();
        let seconds = |value: Option<u8>, usual| Duration::from_secs(value.unwrap_or(usual).into());
        let start = Some(seconds(map.start, START)).filter(|wait| !wait.is_zero());
        let waits = [
            start,
            Some(seconds(map.short, SHORT)),
            Some(seconds(map.long, LONG)),
        ];
        Some(Self {
            alternatives: alternatives?,
            digits: String::new(),
            waits,
            until: start.map(|wait| now + wait),
        })
    }

    /// The next digit: 0 to 9, A to K.
    pub(super) fn press(&mut self, now: Duration, symbol: char, long: bool) -> Step {
        let whole = self.is_whole();
        let Some(bit) = symbol_bit(symbol) else {
            return Step::More;
        };
        let asked_long = |one: &Alternative| long && one.step(bit, true) != 0;
        let only_long = self.alternatives.iter().any(asked_long);
        for one in &mut self.alternatives {
            one.places = match only_long {
                true => one.step(bit, true),
                false => one.step(bit, false),
            };
        }
        if self.alternatives.iter().all(|one| one.places == 0) {
            let method = if whole { Method::Full } else { Method::Partial };
            return self.complete(method, false);
        }
        if only_long {
            self.digits.push('Z');
        }
        self.digits.push(symbol.to_ascii_uppercase());
        if self.is_whole() && !self.alternatives.iter().any(Alternative::wants_more) {
            return self.complete(Method::Unambiguous, true);
        }
        self.until = self.wait().map(|wait| now + wait);
        Step::More
    }

    /// The time is over, if it is.
    pub(super) fn handle_timeout(&mut self, now: Duration) -> Step {
        if self.until.is_none_or(|until| until > now) {
            return Step::More;
        }
        let method = if self.is_whole() {
            Method::Full
        } else {
            Method::Partial
        };
        self.complete(method, true)
    }

    fn complete(&mut self, method: Method, taken: bool) -> Step {
        self.until = None;
        let digits = std::mem::take(&mut self.digits);
        Step::Complete {
            method,
            digits,
            taken,
        }
    }

    fn is_whole(&self) -> bool {
        self.alternatives.iter().any(Alternative::is_whole)
    }

    /// For the digit behind the first.
    fn wait(&self) -> Option<Duration> {
        let candidates = self.alternatives.iter().filter(|one| one.places != 0);
        let named: Vec<Timer> = candidates.flat_map(Alternative::named_timers).collect();
        let [_, short, long] = self.waits;
        match (named.contains(&Timer::Long), named.contains(&Timer::Short)) {
            (true, _) => long,
            (false, true) => short,
            (false, false) if self.is_whole() => short,
            (false, false) => long,
        }
    }
}

impl Alternative {
    fn parse(text: &str) -> Option<Self> {
        let (mut elements, mut timers) = (Vec::<Element>::new(), vec![None]);
        let (mut timer, mut long) = (None, false);
        let mut rest = text.chars();
        while let Some(next) = rest.next() {
            let symbols = match next.to_ascii_uppercase() {
                'S' => {
                    timer = Some(Timer::Short);
                    *timers.last_mut()? = timer;
                    continue;
                }
                'L' => {
                    timer = Some(Timer::Long);
                    *timers.last_mut()? = timer;
                    continue;
                }
                'Z' => {
                    long = true;
                    continue;
                }
                '.' => {
                    elements.last_mut()?.repeats = true;
                    continue;
                }
                'X' => 0x3ff,
                '[' => set(rest.by_ref().take_while(|c| *c != ']').collect())?,
                symbol => symbol_bit(symbol)?,
            };
            elements.push(Element {
                symbols,
                repeats: false,
                long,
            });
            timers.push(timer);
            long = false;
        }
        let enough = !elements.is_empty() && elements.len() <= MOST_POSITIONS;
        let mut alternative = Self {
            elements,
            timers,
            places: 0,
        };
        alternative.places = alternative.skipping(1);
        enough.then_some(alternative)
    }

    /// What may be reached without a digit: repetitions may be none.
    fn skipping(&self, mut places: u64) -> u64 {
        for (at, element) in self.elements.iter().enumerate() {
            if element.repeats && places >> at & 1 == 1 {
                places |= 1 << (at + 1);
            }
        }
        places
    }

    /// Where a digit leads; with `long`, by long elements alone, else by the others.
    fn step(&self, symbol: u32, long: bool) -> u64 {
        let mut places = 0;
        for (at, element) in self.elements.iter().enumerate() {
            let here = self.places >> at & 1 == 1;
            if here && element.symbols & symbol != 0 && element.long == long {
                places |= 1 << if element.repeats { at } else { at + 1 };
            }
        }
        self.skipping(places)
    }

    fn is_whole(&self) -> bool {
        self.places >> self.elements.len() & 1 == 1
    }

    fn wants_more(&self) -> bool {
        self.places & ((1 << self.elements.len()) - 1) != 0
    }

    fn named_timers(&self) -> impl Iterator<Item = Timer> {
        let here = (0..self.timers.len()).filter(|at| self.places >> at & 1 == 1);
        here.filter_map(|at| self.timers[at])
    }
}

/// `1-7A`
fn set(text: String) -> Option<u32> {
    let symbols: Vec<char> = text.chars().collect();
    let mut bits = 0;
    let mut rest = symbols.as_slice();
    while let [first, behind @ ..] = rest {
        match behind {
            ['-', last, behind @ ..] => {
                let (first, last) = (symbol_bit(*first)?, symbol_bit(*last)?);
                if last < first {
                    return None;
                }
                bits |= (last << 1) - first;
                rest = behind;
            }
            _ => {
                bits |= match first {
                    'x' | 'X' => 0x3ff,
                    symbol => symbol_bit(*symbol)?,
                };
                rest = behind;
            }
        }
    }
    Some(bits).filter(|bits| *bits != 0)
}

fn symbol_bit(symbol: char) -> Option<u32> {
    let number = match symbol.to_ascii_uppercase() {
        digit @ '0'..='9' => u32::from(digit) - u32::from('0'),
        letter @ 'A'..='K' => u32::from(letter) - u32::from('A') + 10,
        _ => return None,
    };
    Some(1 << number)
}

#[cfg(test)]
mod tests {
    use megaco::DialMap;

    use super::*;

    /// The example of section 7.1.14.9.
    const EXAMPLE: &str = "(0|00|[1-7]xxx|8xxxxxxx|Fxxxxxxx|Exx|91xxxxxxxxxx|9011x.)";

    fn collector(map: &str) -> Collector {
        let map = DialMap::new(map).unwrap().into();
        Collector::start(Duration::ZERO, &map).unwrap()
    }

    /// Presses all, one each second; then waits. What completed it, and after how many seconds.
    fn dial(map: &str, digits: &str) -> (String, Method, bool, u64) {
        let mut collector = collector(map);
        let mut now = 0;
        let complete = |step, now| match step {
            Step::Complete {
                method,
                digits,
                taken,
            } => Some((digits, method, taken, now)),
            Step::More => None,
        };
        for digit in digits.chars() {
            now += 1;
            let step = collector.press(Duration::from_secs(now), digit, false);
            if let Some(done) = complete(step, now) {
                return done;
            }
        }
        let until = collector.until.unwrap();
        let step = collector.handle_timeout(until);
        complete(step, until.as_secs()).unwrap()
    }

    #[test]
    fn the_example_of_the_standard() {
        for (digits, expected, method, taken, at) in [
            ("1234", "1234", Method::Unambiguous, true, 4),
            ("00", "00", Method::Unambiguous, true, 2),
            ("0", "0", Method::Full, true, 1 + 4),
            ("05", "0", Method::Full, false, 2),
            ("E12", "E12", Method::Unambiguous, true, 3),
            ("123", "123", Method::Partial, true, 3 + 16),
            ("92", "9", Method::Partial, false, 2),
            ("901149", "901149", Method::Full, true, 6 + 4),
            ("9011", "9011", Method::Full, true, 4 + 4),
            ("", "", Method::Partial, true, 16),
        ] {
            let found = dial(EXAMPLE, digits);
            assert_eq!(found, (expected.to_owned(), method, taken, at), "{digits}");
        }
    }

    #[test]
    fn timers_in_a_map_hold_for_what_follows() {
        // Short although more is needed, until the alternative is out.
        assert_eq!(dial("(1S23|4xx)", "1").3, 1 + 4);
        assert_eq!(dial("(1S23|4xx)", "4").3, 1 + 16);
        // Long wins where both are named.
        assert_eq!(dial("(1S23|1L45)", "1").3, 1 + 16);
        assert_eq!(dial("xx.L", "12").3, 2 + 16);
    }

    #[test]
    fn sets_repetitions_and_one_string_alone() {
        assert_eq!(dial("[2-3B]x", "b7").0, "B7");
        assert_eq!(dial("1x.2", "12").1, Method::Full);
        assert_eq!(dial("x.F", "123F").1, Method::Unambiguous);
        assert_eq!(dial("x.F", "F").0, "F");
    }

    #[test]
    fn a_long_digit_is_another() {
        let mut collector = collector("(Z1x|1xx)");
        let at = Duration::from_secs(1);
        assert_eq!(collector.press(at, '1', true), Step::More);
        let done = collector.press(at, '2', false);
        let digits = "Z12".to_owned();
        assert_eq!(
            done,
            Step::Complete {
                method: Method::Unambiguous,
                digits,
                taken: true
            }
        );
        let mut collector = self::collector("(Z1x|1xx)");
        assert_eq!(collector.press(at, '1', false), Step::More);
        assert_eq!(collector.press(at, '2', false), Step::More);
    }

    #[test]
    fn timers_are_those_of_the_map() {
        let mut map = DigitMapValue::from(DialMap::new("xx").unwrap());
        (map.start, map.long) = (Some(0), Some(7));
        let mut collector = Collector::start(Duration::ZERO, &map).unwrap();
        assert_eq!(collector.until, None);
        assert_eq!(
            collector.press(Duration::from_secs(1), '1', false),
            Step::More
        );
        assert_eq!(collector.until, Some(Duration::from_secs(8)));
    }

    #[test]
    fn what_cannot_be_understood_is_refused() {
        for wrong in ["(1", "()", "1|", "[]", "[5-1]", ".1"] {
            let map = DialMap::new(wrong).unwrap().into();
            assert!(Collector::start(Duration::ZERO, &map).is_none(), "{wrong}");
        }
    }
}
