//! The fields of challenges and credentials (RFC 7616 sections 3.3, 3.4).
//!
//! `Digest name=value, name="quoted value", ..`

use super::Algorithm;
use crate::message::lex;
use crate::params::{quote, unquote};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whose passwords count.
    pub realm: String,
    /// To be used in the answer.
    pub nonce: String,
    /// To be sent back as it is.
    pub opaque: Option<String>,
    /// None: one this crate does not know.
    pub algorithm: Option<Algorithm>,
    /// The password was right, only the nonce is too old: no need to ask the user again.
    pub stale: bool,
    /// Whether qop "auth" is offered.
    pub auth: bool,
}

/// What is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Who it is.
    pub user: String,
    /// As the challenge had it.
    pub realm: String,
    /// As the challenge had it.
    pub nonce: String,
    /// The Request-URI as the client sees it.
    pub uri: String,
    /// The proof, in hexadecimal.
    pub response: String,
    /// None: one this crate does not know.
    pub algorithm: Option<Algorithm>,
    /// The nonce's uses, eight hexadecimal digits as they came, and the client's own nonce: there
    /// with qop "auth" only.
    pub used: Option<(String, String)>,
    /// A qop other than "auth".
    pub other_qop: bool,
    /// As the challenge had it.
    pub opaque: Option<String>,
}

/// Names and values of a `Digest` field; none for another scheme or what can't be read.
fn fields(value: &[u8]) -> Option<Vec<(&str, String)>> {
    let text = std::str::from_utf8(value).ok()?;
    let text = lex::trim_str(text);
    let (scheme, rest) = text.split_at_checked("Digest".len())?;
    let spaced = rest.starts_with([' ', '\t', '\r', '\n']);
    if !scheme.eq_ignore_ascii_case("Digest") || !spaced {
        return None;
    }
    let mut fields: Vec<(&str, String)> = Vec::with_capacity(12);
    for part in lex::list(rest.as_bytes()) {
        let (name, value) = std::str::from_utf8(part).ok()?.split_once('=')?;
        let name = lex::trim_str(name);
        // Twice the same name: which one counts is anybody's guess.
        if fields
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
        {
            return None;
        }
        fields.push((name, unquote(lex::trim_str(value))));
    }
    Some(fields)
}

fn take(fields: &mut Vec<(&str, String)>, name: &str) -> Option<String> {
    let at = fields
        .iter()
        .position(|(other, _)| other.eq_ignore_ascii_case(name))?;
    Some(fields.swap_remove(at).1)
}

/// Without an algorithm it is MD5.
fn algorithm(fields: &mut Vec<(&str, String)>) -> Option<Algorithm> {
    match take(fields, "algorithm") {
        Some(text) => Algorithm::parse(&text),
        None => Some(Algorithm::Md5),
    }
}

impl Challenge {
    /// Reads a value of WWW-Authenticate or Proxy-Authenticate; none for another scheme.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut fields = fields(value)?;
        let qop = take(&mut fields, "qop").unwrap_or_default();
        let stale = take(&mut fields, "stale").unwrap_or_default();
        Some(Self {
            realm: take(&mut fields, "realm")?,
            nonce: take(&mut fields, "nonce")?,
            opaque: take(&mut fields, "opaque"),
            algorithm: algorithm(&mut fields),
            stale: stale.eq_ignore_ascii_case("true"),
            auth: qop
                .split(',')
                .any(|qop| qop.trim().eq_ignore_ascii_case("auth")),
        })
    }

    /// As a header field's value.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = format!(
            "Digest realm={}, nonce={}",
            quote(&self.realm),
            quote(&self.nonce)
        );
        if let Some(opaque) = &self.opaque {
            text.push_str(&format!(", opaque={}", quote(opaque)));
        }
        if self.stale {
            text.push_str(", stale=TRUE");
        }
        if let Some(algorithm) = self.algorithm {
            text.push_str(&format!(", algorithm={}", algorithm.as_str()));
        }
        if self.auth {
            text.push_str(", qop=\"auth\"");
        }
        text
    }
}

impl Credentials {
    /// Reads a value of Authorization or Proxy-Authorization; none for another scheme and
    /// when something is missing.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut fields = fields(value)?;
        let qop = take(&mut fields, "qop");
        let (count, cnonce) = (take(&mut fields, "nc"), take(&mut fields, "cnonce"));
        let auth = qop
            .as_ref()
            .is_some_and(|qop| qop.eq_ignore_ascii_case("auth"));
        Some(Self {
            user: take(&mut fields, "username")?,
            realm: take(&mut fields, "realm")?,
            nonce: take(&mut fields, "nonce")?,
            uri: take(&mut fields, "uri")?,
            response: take(&mut fields, "response")?,
            algorithm: algorithm(&mut fields),
            used: if auth { Some((count?, cnonce?)) } else { None },
            other_qop: qop.is_some() && !auth,
            opaque: take(&mut fields, "opaque"),
        })
    }

    /// As a header field's value.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response={}",
            quote(&self.user),
            quote(&self.realm),
            quote(&self.nonce),
            quote(&self.uri),
            quote(&self.response),
        );
        if let Some(algorithm) = self.algorithm {
            text.push_str(&format!(", algorithm={}", algorithm.as_str()));
        }
        if let Some((count, cnonce)) = &self.used {
            text.push_str(&format!(", qop=auth, nc={count}, cnonce={}", quote(cnonce)));
        }
        if let Some(opaque) = &self.opaque {
            text.push_str(&format!(", opaque={}", quote(opaque)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_are_written() {
        let challenge = Challenge {
            realm: "a \"b\"".to_owned(),
            nonce: "n,n".to_owned(),
            opaque: Some(String::new()),
            algorithm: Some(Algorithm::Sha256),
            stale: true,
            auth: true,
        };
        assert_eq!(
            Challenge::parse(challenge.encode().as_bytes()),
            Some(challenge)
        );
        let credentials = Credentials {
            user: "bob".to_owned(),
            realm: "r".to_owned(),
            nonce: "n".to_owned(),
            uri: "sip:x".to_owned(),
            response: "00".to_owned(),
            algorithm: Some(Algorithm::Md5),
            used: Some(("00000001".to_owned(), "c".to_owned())),
            other_qop: false,
            opaque: None,
        };
        assert_eq!(
            Credentials::parse(credentials.encode().as_bytes()),
            Some(credentials)
        );
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        for value in [
            "",
            "Digest",
            "Basic dXNlcjpwYXNz",
            "NoOneKnowsThisScheme opaque-data=here",
            "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\"",
            "Digest username=\"a\", username=\"b\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"0\"",
            "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"0\", qop=auth",
            "Digest username",
        ] {
            assert_eq!(Credentials::parse(value.as_bytes()), None, "{value}");
        }
        let odd = "digest\r\n username=bob , REALM=\"r\",nonce=\"n\",uri=\"u\",\r\n\tresponse=\"0\",algorithm=SHA-512";
        let read = Credentials::parse(odd.as_bytes()).unwrap();
        assert_eq!(
            (read.user.as_str(), read.algorithm, read.used),
            ("bob", None, None)
        );
    }
}
