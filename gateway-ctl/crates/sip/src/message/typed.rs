//! Values that every element needs.

use std::time::Duration;

use crate::address::Address;
use crate::message::{Fault, Fields, Name, Request, lex};
use crate::uri::Uri;
use crate::via::Via;

/// CSeq: a number and a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence<'a> {
    /// Less than 2^31.
    pub number: u32,
    /// As it stands.
    pub method: &'a str,
}

/// What a REGISTER's Contact fields say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts<'a> {
    /// There are none: a question.
    None,
    /// `*`: all of them.
    All,
    /// These.
    List(Vec<Address<'a>>),
}

impl Fields {
    /// The topmost Via.
    ///
    /// # Errors
    /// [`Fault::Missing`] or [`Fault::Syntax`].
    pub fn top_via(&self) -> Result<Via<'_>, Fault> {
        let value = self.first(Name::Via).ok_or(Fault::Missing(Name::Via))?;
        Via::parse(value).ok_or(Fault::Syntax(Name::Via))
    }

    /// From.
    ///
    /// # Errors
    /// [`Fault::Missing`] or [`Fault::Syntax`].
    pub fn from(&self) -> Result<Address<'_>, Fault> {
        self.address(Name::From)
    }

    /// To.
    ///
    /// # Errors
    /// [`Fault::Missing`] or [`Fault::Syntax`].
    pub fn to(&self) -> Result<Address<'_>, Fault> {
        self.address(Name::To)
    }

    fn address(&self, name: Name) -> Result<Address<'_>, Fault> {
        let value = self.value(name).ok_or(Fault::Missing(name))?;
        Address::of(value, name)
    }

    /// From's tag.
    #[must_use]
    pub fn from_tag(&self) -> Option<&str> {
        self.from().ok().and_then(|from| from.tag())
    }

    /// To's tag.
    #[must_use]
    pub fn to_tag(&self) -> Option<&str> {
        self.to().ok().and_then(|to| to.tag())
    }

    /// Gives To a tag if it has none.
    pub fn set_to_tag(&mut self, tag: &str) {
        if self.to_tag().is_none() {
            let to = self.value(Name::To).unwrap_or_default();
            let value = [to, b";tag=", tag.as_bytes()].concat();
            self.set(Name::To, value);
        }
    }

    /// Call-ID.
    ///
    /// # Errors
    /// [`Fault::Missing`] or [`Fault::Syntax`].
    pub fn call_id(&self) -> Result<&str, Fault> {
        let value = self
            .value(Name::CallId)
            .ok_or(Fault::Missing(Name::CallId))?;
        let sound = !value.is_empty() && value.iter().all(|byte| byte.is_ascii_graphic());
        std::str::from_utf8(value)
            .ok()
            .filter(|_| sound)
            .ok_or(Fault::Syntax(Name::CallId))
    }

    /// CSeq.
    ///
    /// # Errors
    /// [`Fault::Missing`] or [`Fault::Syntax`].
    pub fn cseq(&self) -> Result<Sequence<'_>, Fault> {
        let value = self.value(Name::CSeq).ok_or(Fault::Missing(Name::CSeq))?;
        let digits = value
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let read = value.split_at_checked(digits).and_then(|(number, rest)| {
            let number = lex::number(number).filter(|number| *number < 1 << 31)?;
            let method = lex::trim(rest);
            let spaced = method.len() < rest.len();
            let token = !method.is_empty() && method.iter().all(|byte| lex::is_token(*byte));
            let method = std::str::from_utf8(method).ok()?;
            (spaced && token).then_some(Sequence { number, method })
        });
        read.ok_or(Fault::Syntax(Name::CSeq))
    }

    /// Max-Forwards, if it is there.
    ///
    /// # Errors
    /// [`Fault::Syntax`]: no number from 0 to 255.
    pub fn max_forwards(&self) -> Result<Option<u8>, Fault> {
        let Some(value) = self.value(Name::MaxForwards) else {
            return Ok(None);
        };
        lex::number(value)
            .and_then(|hops| u8::try_from(hops).ok())
            .map(Some)
            .ok_or(Fault::Syntax(Name::MaxForwards))
    }

    /// A number of seconds: Expires, Min-Expires, Retry-After. None if it is not there or
    /// can't be read, which for Expires means as much (RFC 3261 section 20.19); a number too
    /// large counts as the largest.
    #[must_use]
    pub fn seconds(&self, name: Name) -> Option<Duration> {
        seconds(self.value(name)?)
    }

    /// Contact.
    ///
    /// # Errors
    /// [`Fault::Syntax`]: one that can't be read, or `*` together with others.
    pub fn contacts(&self) -> Result<Contacts<'_>, Fault> {
        let fault = Fault::Syntax(Name::Contact);
        let values: Vec<_> = self.values(Name::Contact).collect();
        match values.as_slice() {
            [] if self.count(Name::Contact) > 0 => Err(fault),
            [] => Ok(Contacts::None),
            [b"*"] => Ok(Contacts::All),
            values => values
                .iter()
                .map(|value| Address::of(value, Name::Contact))
                .collect::<Result<_, _>>()
                .map(Contacts::List),
        }
    }

    /// The first Contact as an address, if there is one that can be read.
    #[must_use]
    pub fn contact(&self) -> Option<Address<'_>> {
        self.first(Name::Contact).and_then(Address::parse)
    }

    /// The addresses of a list field, such as Route or Record-Route.
    ///
    /// # Errors
    /// [`Fault::Syntax`] for the first that can't be read.
    pub fn addresses(&self, name: Name) -> Result<Vec<Address<'_>>, Fault> {
        self.values(name)
            .map(|value| Address::of(value, name))
            .collect()
    }

    /// Content-Type without its parameters, compared in any case.
    #[must_use]
    pub fn is_type(&self, kind: &str) -> bool {
        let value = self.value(Name::ContentType).unwrap_or_default();
        let end = value
            .iter()
            .position(|byte| *byte == b';')
            .unwrap_or(value.len());
        lex::trim(value.get(..end).unwrap_or_default()).eq_ignore_ascii_case(kind.as_bytes())
    }
}

/// Digits as seconds; what is too large is the largest, as a timer that long never runs out.
pub(crate) fn seconds(value: &[u8]) -> Option<Duration> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    digits.then(|| Duration::from_secs(lex::number(value).unwrap_or(u32::MAX).into()))
}

impl Request {
    /// The Request-URI's parts.
    ///
    /// # Errors
    /// [`Fault::Uri`].
    pub fn target(&self) -> Result<Uri<'_>, Fault> {
        Uri::parse(self.uri()).ok_or(Fault::Uri)
    }
}
