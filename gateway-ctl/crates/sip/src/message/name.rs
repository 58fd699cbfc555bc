//! Names of header fields this crate looks at, and their one-letter forms (RFC 3261
//! section 7.3.3, RFC 6665, 3515, 3892, 4028).

/// Declares the names once: variant, name as written, compact form.
macro_rules! names {
    ($($variant:ident $text:literal $($short:literal)?;)*) => {
        /// A header field known by name. Others are kept and found by their text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is the header field of its name")]
        pub enum Name {
            $($variant,)*
        }

        impl Name {
            /// Every name, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As it is written by this crate: always the long form.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The one-letter form, if it has one.
            #[must_use]
            pub const fn short(self) -> Option<char> {
                match self {
                    $($(Self::$variant => Some($short),)?)*
                    _ => None,
                }
            }
        }
    };
}

names! {
    Accept "Accept";
    Allow "Allow";
    AllowEvents "Allow-Events" 'u';
    AuthenticationInfo "Authentication-Info";
    Authorization "Authorization";
    CallId "Call-ID" 'i';
    Contact "Contact" 'm';
    ContentEncoding "Content-Encoding" 'e';
    ContentLength "Content-Length" 'l';
    ContentType "Content-Type" 'c';
    CSeq "CSeq";
    Date "Date";
    Event "Event" 'o';
    Expires "Expires";
    From "From" 'f';
    MaxForwards "Max-Forwards";
    MinExpires "Min-Expires";
    MinSe "Min-SE";
    PAssertedIdentity "P-Asserted-Identity";
    Path "Path";
    ProxyAuthenticate "Proxy-Authenticate";
    ProxyAuthorization "Proxy-Authorization";
    ProxyRequire "Proxy-Require";
    RAck "RAck";
    Reason "Reason";
    RecordRoute "Record-Route";
    ReferTo "Refer-To" 'r';
    ReferredBy "Referred-By" 'b';
    Require "Require";
    RetryAfter "Retry-After";
    Route "Route";
    RSeq "RSeq";
    Server "Server";
    SessionExpires "Session-Expires" 'x';
    Subject "Subject" 's';
    Supported "Supported" 'k';
    To "To" 't';
    Unsupported "Unsupported";
    UserAgent "User-Agent";
    Via "Via" 'v';
    Warning "Warning";
    WwwAuthenticate "WWW-Authenticate";
}

impl Name {
    /// Which one it is, whatever its case.
    #[must_use]
    pub fn of(name: &[u8]) -> Option<Self> {
        let is = |known: Self| {
            name.eq_ignore_ascii_case(known.text().as_bytes())
                .then_some(known)
        };
        // Told apart by first letter and length first: one comparison for most names.
        match (name.first()?.to_ascii_lowercase(), name.len()) {
            (letter, 1) => Self::compact(letter),
            (b'v', 3) => is(Self::Via),
            (b'f', 4) => is(Self::From),
            (b't', 2) => is(Self::To),
            (b'c', 4) => is(Self::CSeq),
            (b'c', 7) => is(Self::CallId).or_else(|| is(Self::Contact)),
            (b'c', 12) => is(Self::ContentType),
            (b'c', 14) => is(Self::ContentLength),
            (b'm', 12) => is(Self::MaxForwards),
            (b'r', 5) => is(Self::Route),
            (b'r', 12) => is(Self::RecordRoute),
            (b'u', 10) => is(Self::UserAgent),
            (_, length) => Self::ALL
                .iter()
                .filter(|known| known.text().len() == length)
                .find_map(|known| is(*known)),
        }
    }

    fn compact(letter: u8) -> Option<Self> {
        Some(match letter {
            b'b' => Self::ReferredBy,
            b'c' => Self::ContentType,
            b'e' => Self::ContentEncoding,
            b'f' => Self::From,
            b'i' => Self::CallId,
            b'k' => Self::Supported,
            b'l' => Self::ContentLength,
            b'm' => Self::Contact,
            b'o' => Self::Event,
            b'r' => Self::ReferTo,
            b's' => Self::Subject,
            b't' => Self::To,
            b'u' => Self::AllowEvents,
            b'v' => Self::Via,
            b'x' => Self::SessionExpires,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case_and_form() {
        for name in Name::ALL {
            let text = name.text();
            assert_eq!(Name::of(text.as_bytes()), Some(*name));
            assert_eq!(Name::of(text.to_uppercase().as_bytes()), Some(*name));
            if let Some(short) = name.short() {
                let mut letter = [0; 4];
                assert_eq!(
                    Name::of(short.encode_utf8(&mut letter).as_bytes()),
                    Some(*name)
                );
            }
        }
        for unknown in ["", "z", "X-Via", "Vias", "Content-Lengths", "Vi\u{e4}"] {
            assert_eq!(Name::of(unknown.as_bytes()), None, "{unknown}");
        }
    }
}
