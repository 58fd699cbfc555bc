//! Options of a message, read from all the places they may be in.
//!
//! ```text
//!   code | length | value ...      0: padding, 255: the end
//! ```
//!
//! dhcproto's iterator cannot tell options that are cut short from options that end, loses an
//! option whose continuation is cut short, joins only neighbours and knows nothing of option 52.
//! So this walks for itself, and nothing of a value is interpreted here.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::code;
use crate::ignored::Ignored;

/// The options, as they were sent. Several of one code are one (RFC 3396).
#[derive(Debug, Default)]
pub(crate) struct Options<'a>(Vec<(u8, Cow<'a, [u8]>)>);

impl<'a> Options<'a> {
    /// Reads the options of a message and, where option 52 says so, those in `file` and `sname`,
    /// in the order of RFC 3396 section 5.
    pub(crate) fn read(area: &'a [u8], file: &'a [u8], sname: &'a [u8]) -> Result<Self, Ignored> {
        let mut options = Self(Vec::with_capacity(16));
        options.walk(area)?;
        let overload = match options.get(code::OVERLOAD) {
            None => 0,
            Some([overload @ 1..=3]) => *overload,
            Some(_) => return Err(Ignored::BadOptions),
        };
        if overload & 1 != 0 {
            options.walk(file)?;
        }
        if overload & 2 != 0 {
            options.walk(sname)?;
        }
        Ok(options)
    }

    fn walk(&mut self, mut area: &'a [u8]) -> Result<(), Ignored> {
        loop {
            area = match area {
                [] | [code::END, ..] => return Ok(()),
                [code::PAD, rest @ ..] => rest,
                [code, length, rest @ ..] => {
                    let value = rest.split_at_checked(usize::from(*length));
                    let (value, rest) = value.ok_or(Ignored::BadOptions)?;
                    self.add(*code, value);
                    rest
                }
                [_] => return Err(Ignored::BadOptions),
            };
        }
    }

    fn add(&mut self, code: u8, value: &'a [u8]) {
        match self.0.iter_mut().find(|(found, _)| *found == code) {
            Some((_, first)) => first.to_mut().extend_from_slice(value),
            None => self.0.push((code, Cow::Borrowed(value))),
        }
    }

    /// An option's value.
    pub(crate) fn get(&self, code: u8) -> Option<&[u8]> {
        let found = self.0.iter().find(|(found, _)| *found == code);
        found.map(|(_, value)| value.as_ref())
    }

    /// All of them, by where they were first.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.0.iter().map(|(code, value)| (*code, value.as_ref()))
    }

    /// A value of exactly so many bytes.
    pub(crate) fn exactly<const N: usize>(&self, code: u8) -> Result<Option<[u8; N]>, Ignored> {
        let value = self.get(code).map(<[u8; N]>::try_from);
        value.transpose().map_err(|_| Ignored::BadOptions)
    }

    /// An address.
    pub(crate) fn address(&self, code: u8) -> Result<Option<Ipv4Addr>, Ignored> {
        Ok(self.exactly::<4>(code)?.map(Ipv4Addr::from))
    }
}

/// An address among the sub-options of option 82 (RFC 3046 section 2.0).
pub(crate) fn relay_address(information: &[u8], wanted: u8) -> Option<Ipv4Addr> {
    let mut area = information;
    while let [code, length, rest @ ..] = area {
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        if *code == wanted {
            return <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from);
        }
        area = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_wherever_they_are() {
        let area = [
            52, 1, 3, 43, 1, b'a', 12, 1, b'h', 43, 1, b'b', 255, 43, 1, b'x',
        ];
        let options = Options::read(&area, &[0, 43, 1, b'c'], &[43, 1, b'd', 255, 9]);
        let options = options.expect("they are whole");
        assert_eq!(options.get(43), Some(&b"abcd"[..]));
        assert_eq!(options.get(12), Some(&b"h"[..]));
        assert_eq!(options.get(55), None);
        // Not said, not read.
        let options = Options::read(&area[3..], &[43, 9], &[43]).expect("they are whole");
        assert_eq!(options.get(43), Some(&b"ab"[..]));
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        for area in [&[53][..], &[53, 1], &[12, 4, b'a', b'b', b'c'], &[52, 1, 4]] {
            assert_eq!(
                Options::read(area, &[], &[]).err(),
                Some(Ignored::BadOptions)
            );
        }
        let options = Options::read(&[50, 3, 10, 0, 0], &[], &[]).expect("they are whole");
        assert_eq!(options.address(50), Err(Ignored::BadOptions));
    }

    #[test]
    fn sub_options_of_relays() {
        let information = [1, 2, 0, 7, 5, 4, 10, 20, 0, 0, 11, 3, 1, 2, 3];
        assert_eq!(
            relay_address(&information, 5),
            Some(Ipv4Addr::new(10, 20, 0, 0))
        );
        assert_eq!(relay_address(&information, 11), None);
        assert_eq!(relay_address(&[5, 200, 1], 5), None);
        assert_eq!(relay_address(&[5], 5), None);
    }
}
