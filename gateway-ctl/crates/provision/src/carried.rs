//! MAC addresses that a name carries, however they are written.
//!
//! ```text
//!   0004f2aabbcc.cfg          cfg00-04-f2-aa-bb-cc.xml        SEP0004.F2AA.BBCC.cnf.xml
//!   \__________/              \_/\_______________/            \_/\____________/
//!   twelve digits             a word, six pairs               a word, three fours
//! ```
//!
//! The digits are twelve, in one piece, in pairs or in fours, with the same `-`, `:`, `_` or `.`
//! between all of them. Other digits around them make them another number (a date, a hash), while
//! letters around them may be a word: the `a` of `spa0004f2aabbcc.cfg` is no digit. Where
//! a name can be read in several ways (`01-00-04-f2-aa-bb-cc`), each is an address.
//!
//! `00:00:00` is nobody's beginning (Xerox had it, for machines before the telephone):
//! `000000000000.cfg` of Polycom and `y000000000028.cfg` of Yealink are for all phones.

use crate::Name;

/// What may stand between the digits.
const SEPARATORS: [u8; 4] = [b'-', b':', b'_', b'.'];
/// How many digits stand together, and how often.
const FORMS: [(usize, usize); 3] = [(12, 1), (2, 6), (4, 3)];

/// Hexadecimal digits, as many as there are in a row.
#[derive(Clone, Copy, Debug)]
struct Run {
    begin: usize,
    end: usize,
}

/// Whether the name carries MAC addresses, and none of them is this one.
///
/// A name with several, one in a folder and one in the file, is for the phone only that has
/// them all.
pub(crate) fn is_anothers(name: &Name, asking: Option<[u8; 6]>) -> bool {
    let text = name.as_str().as_bytes();
    let runs = runs(text);
    // Readings of the same digits are one address: `01-00-04-..` begins at `01`, or at `00`.
    let (mut until, mut own) = (0, true);
    for first in 0..runs.len() {
        for (digits, groups) in FORMS {
            let found = read(text, &runs[first..], digits, groups);
            let mut found = found
                .into_iter()
                .filter(|address| address[..3] != [0; 3])
                .peekable();
            if found.peek().is_none() {
                continue;
            }
            if first >= until && !std::mem::take(&mut own) {
                return true;
            }
            until = first + groups;
            own |= found.any(|address| Some(address) == asking);
        }
    }
    !own
}

fn runs(text: &[u8]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        if !byte.is_ascii_hexdigit() {
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(Run {
                begin: at,
                end: at + 1,
            }),
        }
    }
    runs
}

/// Addresses of this form that begin in the first of these runs.
fn read(text: &[u8], runs: &[Run], digits: usize, groups: usize) -> Vec<[u8; 6]> {
    let Some(runs) = runs.get(..groups) else {
        return Vec::new();
    };
    if groups == 1 {
        let Run { begin, end } = runs[0];
        let begins = begin..(end + 1).saturating_sub(digits);
        let fits = |at: &usize| is_word(&text[begin..*at]) && is_word(&text[*at + digits..end]);
        let whole = begins
            .filter(fits)
            .filter_map(|at| address(&text[at..at + digits]));
        return whole.collect();
    }
    let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
        return Vec::new();
    };
    let between = |pair: &[Run]| match &text[pair[0].end..pair[1].begin] {
        [one] if SEPARATORS.contains(one) => Some(*one),
        _ => None,
    };
    let mut separators = runs.windows(2).map(between);
    let one = separators.next().flatten();
    let same = one.is_some() && separators.all(|other| other == one);
    let middle = &runs[1..groups - 1];
    let long = |run: &Run| run.end - run.begin >= digits;
    let even = middle.iter().all(|run| run.end - run.begin == digits);
    if !same || !even || !long(first) || !long(last) {
        return Vec::new();
    }
    let (begin, end) = (first.end - digits, last.begin + digits);
    if !is_word(&text[first.begin..begin]) || !is_word(&text[end..last.end]) {
        return Vec::new();
    }
    let parts = text[begin..end].iter().copied();
    let parts: Vec<u8> = parts.filter(u8::is_ascii_hexdigit).collect();
    address(&parts).into_iter().collect()
}

/// Letters alone, or nothing.
fn is_word(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_alphabetic)
}

fn address(digits: &[u8]) -> Option<[u8; 6]> {
    let mut address = [0; 6];
    for (byte, pair) in address.iter_mut().zip(digits.chunks_exact(2)) {
        let text = str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(text, 16).ok()?;
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OWN: [u8; 6] = [0x00, 0x04, 0xf2, 0xaa, 0xbb, 0xcc];
    const OTHER: [u8; 6] = [0x00, 0x04, 0xf2, 0xaa, 0xbb, 0xcd];

    fn anothers(name: &str, asking: Option<[u8; 6]>) -> bool {
        is_anothers(&Name::new(name).unwrap(), asking)
    }

    #[test]
    fn names_with_an_address_are_one_phones() {
        for name in [
            "0004f2aabbcc",
            "0004F2AABBCC.cfg",
            "cfg0004f2aabbcc.xml",
            "spa0004f2aabbcc.cfg",
            "ata0004f2aabbcc",
            "0004f2aabbccdirectory.xml",
            "0004f2aabbcc-phone.cfg",
            "00-04-f2-aa-bb-cc.cfg",
            "00:04:F2:aa:bb:cc",
            "phone_00_04_f2_aa_bb_cc_2.xml",
            "00.04.f2.aa.bb.cc.cfg",
            "spa00-04-f2-aa-bb-cc.cfg",
            "SEP0004.F2AA.BBCC.cnf.xml",
            "pxelinux.cfg/01-00-04-f2-aa-bb-cc",
            "phones/0004f2aabbcc/settings",
            "0004f2aabbcc/0004f2aabbcc.cfg",
        ] {
            assert!(!anothers(name, Some(OWN)), "{name}");
            assert!(anothers(name, Some(OTHER)), "{name}");
            assert!(anothers(name, None), "{name}");
        }
        // A folder of one, a file of the other: nobody's.
        for asking in [OWN, OTHER] {
            let name = "0004f2aabbcc/x/0004f2aabbcd.cfg";
            assert!(anothers(name, Some(asking)));
        }
    }

    #[test]
    fn other_names_are_for_all() {
        for name in [
            "firmware.bin",
            "000000000000.cfg",
            "y000000000028.cfg",
            "00-00-00-00-00-00",
            "sip-6.4.1.ld",
            "image-20260131123000.rom",
            "2026-01-31-12-30-00.txt",
            "1.2.3.4.5.6",
            "0004f2aabbc",
            "0004f2aabbcc0",
            "00-04-f2-aa-bb",
            "00-04:f2-aa-bb-cc",
            "00--04-f2-aa-bb-cc",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709.bin",
            "dead-beef",
        ] {
            assert!(!anothers(name, None), "{name}");
            assert!(!anothers(name, Some(OWN)), "{name}");
        }
    }

    proptest! {
        #[test]
        fn however_it_is_written(
            mac: [u8; 6],
            separator in "[-:_.]?",
            digits in prop::sample::select(vec![2_usize, 4]),
            before in "([a-zA-Z.]{0,3}|[a-z]{1,3}[-_])",
            after in "([.-][a-z]{0,3}|[g-z]{0,3})",
        ) {
            prop_assume!(mac[..3] != [0; 3]);
            let text: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
            let groups: Vec<&str> = (0..12 / digits).map(|at| &text[at * digits..][..digits]).collect();
            let name = format!("{before}{}{after}", groups.join(&separator));
            let mut other = mac;
            other[3] ^= 1;
            prop_assert!(anothers(&name, None), "{}", name);
            prop_assert!(anothers(&name, Some(other)), "{}", name);
            prop_assert!(!anothers(&name, Some(mac)), "{}", name);
        }

        #[test]
        fn nothing_panics(name in "[0-9a-fx.:_/-]{0,60}") {
            if let Ok(name) = Name::new(&name) {
                let _ = is_anothers(&name, Some(OWN));
            }
        }
    }
}
