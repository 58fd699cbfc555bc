//! Registration (RFC 3261 section 10.3; Path: RFC 3327): from the bindings that are stored and
//! a REGISTER to the bindings that are to be stored.
//!
//! ```text
//!   REGISTER --> address_of_record --> [caller: whose it is, Realm::check, what is stored]
//!            --> register --> Update: what to store --> [caller stores it] --> accept --> 200
//!                        `--> Refused: 400, 416, 420, 423, 500, 503
//! ```
//! Moments are durations since one that outlives a restart (1970), as bindings are kept.

use std::borrow::Borrow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Address;
use crate::message::{Contacts, Fault, Name, Request, Response, Status, typed};
use crate::params::quote;
use crate::transport::Peer;
use crate::uri::Uri;

/// Where somebody can be reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The Contact's URI as it came: what requests are sent to.
    pub uri: String,
    /// The Contact's display name as it came, if it is UTF-8.
    pub display: String,
    /// The Contact's parameters but for `expires`, each with its semicolon.
    pub params: String,
    /// When it ends.
    pub expires: Duration,
    /// Of the REGISTER that made or renewed it.
    pub call_id: String,
    /// The same one's number.
    pub cseq: u32,
    /// Route to the contact, as values for Route fields, the first hop first.
    pub path: Vec<String>,
    /// Where the REGISTER came from.
    pub source: Peer,
    /// The device's own name for itself: User-Agent.
    pub agent: Option<String>,
}

/// What is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Shorter ones are told 423.
    pub shortest: Duration,
    /// Longer ones get this one.
    pub longest: Duration,
    /// For who asks for none.
    pub usual: Duration,
    /// Bindings for one address of record.
    pub bindings: usize,
}

impl Default for Settings {
    /// From one minute to one hour; an hour if nothing is asked for; ten bindings.
    fn default() -> Self {
        Self {
            shortest: Duration::from_secs(60),
            longest: Duration::from_secs(3600),
            usual: Duration::from_secs(3600),
            bindings: 10,
        }
    }
}

/// Why a REGISTER is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refused {
    /// Something in it can't be read, or `*` without `Expires: 0`.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// To or a Contact is no sip: or sips: URI.
    #[error("To or Contact is no sip: or sips: URI with a user")]
    Scheme,
    /// Require asks for what this registrar does not know.
    #[error("Require asks for an unknown extension")]
    Extension,
    /// Shorter than allowed.
    #[error("expires too soon")]
    TooBrief,
    /// Older than what is stored: it was overtaken.
    #[error("CSeq is lower than that of a stored binding of the same Call-ID")]
    Overtaken,
    /// More than [`Settings::bindings`].
    #[error("too many bindings")]
    TooMany,
}

impl Refused {
    /// The word used in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.label(),
            Self::Scheme => "scheme",
            Self::Extension => "extension",
            Self::TooBrief => "too-brief",
            Self::Overtaken => "overtaken",
            Self::TooMany => "too-many-bindings",
        }
    }

    /// What the sender is told.
    #[must_use]
    pub fn answer(self, request: &Request, settings: &Settings) -> Response {
        let status = match self {
            Self::Fault(fault) => fault.status(),
            Self::Scheme => Status::UNSUPPORTED_SCHEME,
            Self::Extension => Status::BAD_EXTENSION,
            Self::TooBrief => Status::INTERVAL_TOO_BRIEF,
            Self::Overtaken => Status::INTERNAL,
            Self::TooMany => Status::SERVICE_UNAVAILABLE,
        };
        let mut response = Response::answer(request, status);
        match self {
            Self::TooBrief => {
                let shortest = settings.shortest.as_secs().to_string();
                response.fields.push(Name::MinExpires, shortest);
            }
            Self::Extension => {
                let unknown = unknown_extensions(request);
                response.fields.push(Name::Unsupported, unknown.join(", "));
            }
            _ => {}
        }
        response
    }
}

/// What is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// All bindings from now on; those that have ended are not among them.
    pub bindings: Vec<Binding>,
    /// Whether they differ from what was stored: else nothing need be written.
    pub changed: bool,
}

/// Whose bindings a REGISTER is about: user and host of To, the host in lower case. Whether the
/// host is one of ours is for the caller to say (404 if not).
///
/// # Errors
/// To can't be read or names nobody.
pub fn address_of_record(request: &Request) -> Result<(String, String), Refused> {
    let uri = request.fields.to()?.uri.sip().ok_or(Refused::Scheme)?;
    let user = uri.name().ok_or(Refused::Scheme)?;
    Ok((user.into_owned(), uri.host.to_ascii_lowercase()))
}

/// Applies a REGISTER to what is stored for its address of record.
///
/// # Errors
/// Why it is refused; nothing is to be stored then.
pub fn register(
    now: Duration,
    request: &Request,
    source: Peer,
    stored: &[impl Borrow<Binding>],
    settings: &Settings,
) -> Result<Update, Refused> {
    if !unknown_extensions(request).is_empty() {
        return Err(Refused::Extension);
    }
    let stored = stored.iter().map(Borrow::borrow);
    let live = stored.clone().filter(|binding| binding.expires > now);
    let mut bindings: Vec<Binding> = live.cloned().collect();
    let call_id = request.fields.call_id()?.to_owned();
    let cseq = request.fields.cseq()?.number;
    match request.fields.contacts()? {
        Contacts::None => {}
        Contacts::All => {
            if request.fields.seconds(Name::Expires) != Some(Duration::ZERO) {
                return Err(Refused::Fault(Fault::Syntax(Name::Contact)));
            }
            let overtaken = |binding: &Binding| binding.call_id == call_id && binding.cseq > cseq;
            if bindings.iter().any(overtaken) {
                return Err(Refused::Overtaken);
            }
            bindings.clear();
        }
        Contacts::List(contacts) => {
            let path = path(request)?;
            for contact in &contacts {
                let wanted = lifetime(request, contact, settings)?;
                let expires = now + wanted;
                let binding = Binding {
                    uri: contact.text.to_owned(),
                    display: String::from_utf8_lossy(contact.display).into_owned(),
                    params: params(contact),
                    expires,
                    call_id: call_id.clone(),
                    cseq,
                    path: path.clone(),
                    source,
                    agent: request.fields.text(Name::UserAgent).map(str::to_owned),
                };
                apply(&mut bindings, binding, contact, wanted.is_zero())?;
            }
        }
    }
    if bindings.len() > settings.bindings {
        return Err(Refused::TooMany);
    }
    let changed = !bindings.iter().eq(stored);
    Ok(Update { bindings, changed })
}

/// One contact: takes the place of the binding that is the same, if there is one.
fn apply(
    bindings: &mut Vec<Binding>,
    new: Binding,
    contact: &Address<'_>,
    gone: bool,
) -> Result<(), Refused> {
    let found = bindings.iter().position(|binding| same(binding, contact));
    let Some(place) = found.and_then(|at| bindings.get_mut(at)) else {
        if !gone {
            bindings.push(new);
        }
        return Ok(());
    };
    if place.call_id == new.call_id && place.cseq >= new.cseq {
        // The very same again is a repetition: it is answered as before.
        return if place.cseq == new.cseq {
            Ok(())
        } else {
            Err(Refused::Overtaken)
        };
    }
    if gone {
        bindings.retain(|binding| !same(binding, contact));
    } else {
        *place = new;
    }
    Ok(())
}

/// The same device (RFC 5626: instance and reg-id), or the same URI.
fn same(binding: &Binding, contact: &Address<'_>) -> bool {
    let other = crate::Params::parse(&binding.params).unwrap_or_default();
    let mine = contact.params;
    if let (Some(a), Some(b)) = (other.get("+sip.instance"), mine.get("+sip.instance")) {
        return a == b && other.get("reg-id") == mine.get("reg-id");
    }
    match (
        Uri::parse(&binding.uri).and_then(Uri::sip),
        contact.uri.sip(),
    ) {
        (Some(a), Some(b)) => a.same(b),
        _ => binding.uri == contact.text,
    }
}

fn params(contact: &Address<'_>) -> String {
    let mut text = String::new();
    for (name, value) in contact.params.iter() {
        if name.eq_ignore_ascii_case("expires") {
            continue;
        }
        text.push(';');
        text.push_str(name);
        if let Some(value) = value {
            text.push('=');
            text.push_str(value);
        }
    }
    text
}

/// How long a binding is to live: by its own parameter, the Expires field, or as usual.
fn lifetime(
    request: &Request,
    contact: &Address<'_>,
    settings: &Settings,
) -> Result<Duration, Refused> {
    if contact.uri.sip().is_none() {
        return Err(Refused::Scheme);
    }
    let own = contact
        .params
        .get("expires")
        .and_then(|value| typed::seconds(value.as_bytes()));
    let wanted = own
        .or_else(|| request.fields.seconds(Name::Expires))
        .unwrap_or(settings.usual);
    if !wanted.is_zero() && wanted < settings.shortest {
        return Err(Refused::TooBrief);
    }
    Ok(wanted.min(settings.longest))
}

/// Path, checked.
fn path(request: &Request) -> Result<Vec<String>, Refused> {
    request.fields.addresses(Name::Path)?;
    let values = request.fields.values(Name::Path);
    Ok(values
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect())
}

/// What Require asks for beyond Path.
fn unknown_extensions(request: &Request) -> Vec<String> {
    let known = |value: &&[u8]| value.eq_ignore_ascii_case(b"path");
    let values = request
        .fields
        .values(Name::Require)
        .filter(|value| !known(value));
    values
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect()
}

/// The 200 for a REGISTER: every binding with the seconds it has left, and the Path of a client
/// that understands it.
#[must_use]
pub fn accept(now: Duration, request: &Request, bindings: &[Binding]) -> Response {
    let mut response = Response::answer(request, Status::OK);
    for binding in bindings {
        let left = binding.expires.saturating_sub(now).as_secs();
        let display = match binding.display.as_str() {
            "" => String::new(),
            text if text.starts_with('"') => format!("{text} "),
            text => format!("{} ", quote(text)),
        };
        let (uri, params) = (&binding.uri, &binding.params);
        let value = format!("{display}<{uri}>{params};expires={left}");
        response.fields.push(Name::Contact, value);
    }
    if request.fields.has_token(Name::Supported, "path") {
        response.fields.copy(&request.fields, Name::Path);
    }
    response
}

#[cfg(test)]
mod tests;
