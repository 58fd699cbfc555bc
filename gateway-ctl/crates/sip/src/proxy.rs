//! What a record-routing proxy without forking does with messages (RFC 3261 section 16): pure
//! functions around [`Transactions`](crate::transaction::Transactions).
//!
//! ```text
//!   request --> check --> take_routes --> [where to: crate switch] --> forward --> send
//!   response (from a client transaction) --> back --> respond
//!   ACK for a 2xx --> take_routes --> forward --> as bytes        CANCEL --> Transactions::cancel
//! ```

use std::hash::{DefaultHasher, Hasher as _};

use crate::message::{Fault, Name, Request, Response, Status};
use crate::transport::{Peer, Transport};
use crate::uri::{SipUri, Uri};
use crate::via::{COOKIE, Via};

/// By which names and ports others know this element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// Names and addresses, IPv6 in brackets; compared in any case.
    pub hosts: Vec<String>,
    /// Ports it listens on.
    pub ports: Vec<u16>,
}

impl Own {
    /// Whether a URI names this element.
    #[must_use]
    pub fn is(&self, uri: SipUri<'_>) -> bool {
        let tls = uri.secure
            || uri
                .params
                .get("transport")
                .is_some_and(|name| name.eq_ignore_ascii_case("tls"));
        let default = if tls { Transport::Tls } else { Transport::Udp };
        let port = uri.port.unwrap_or(default.default_port());
        self.is_host(uri.host) && self.ports.contains(&port)
    }

    /// Whether a host is this element, whatever the port.
    #[must_use]
    pub fn is_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }

    fn sent(&self, via: &Via<'_>) -> bool {
        self.is_host(via.host) && self.ports.contains(&via.sent_port())
    }
}

/// Why a request is not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Rejected {
    /// Neither sip:, sips: nor tel:.
    #[error("scheme of the Request-URI is neither sip, sips nor tel")]
    Scheme,
    /// Max-Forwards is used up.
    #[error("too many hops")]
    TooManyHops,
    /// It was here before, and nothing has changed since.
    #[error("loop")]
    Loop,
    /// Proxy-Require asks for what this proxy does not know.
    #[error("Proxy-Require asks for an unknown extension")]
    Extension,
    /// Route or Request-URI can't be read.
    #[error("{0}")]
    Fault(#[from] Fault),
}

impl Rejected {
    /// What the sender is told.
    #[must_use]
    pub fn answer(self, request: &Request) -> Response {
        let status = match self {
            Self::Scheme => Status::UNSUPPORTED_SCHEME,
            Self::TooManyHops => Status::TOO_MANY_HOPS,
            Self::Loop => Status::LOOP,
            Self::Extension => Status::BAD_EXTENSION,
            Self::Fault(fault) => fault.status(),
        };
        let mut response = Response::answer(request, status);
        if self == Self::Extension {
            for value in request.fields.values(Name::ProxyRequire) {
                response.fields.push(Name::Unsupported, value);
            }
        }
        response
    }

    /// The word used in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Scheme => "scheme",
            Self::TooManyHops => "too-many-hops",
            Self::Loop => "loop",
            Self::Extension => "extension",
            Self::Fault(fault) => fault.label(),
        }
    }
}

/// Whether a request may be forwarded at all (section 16.3, but for credentials).
///
/// # Errors
/// Why not.
pub fn check(request: &Request, own: &Own) -> Result<(), Rejected> {
    if matches!(request.target()?, Uri::Other(_)) {
        return Err(Rejected::Scheme);
    }
    if request.fields.max_forwards()? == Some(0) {
        return Err(Rejected::TooManyHops);
    }
    let vias = request.fields.values(Name::Via).filter_map(Via::parse);
    let been_here = vias
        .filter(|via| own.sent(via))
        .filter_map(|via| via.unique_branch()?.rsplit_once('.'))
        .any(|(_, before)| before == mark(request));
    if been_here {
        return Err(Rejected::Loop);
    }
    if request.fields.value(Name::ProxyRequire).is_some() {
        return Err(Rejected::Extension);
    }
    Ok(())
}

/// What decides where a request goes: the same again is a loop (RFC 5393 section 4.2).
fn mark(request: &Request) -> String {
    let fields = &request.fields;
    let mut hasher = DefaultHasher::new();
    let mut write = |part: &[u8]| {
        hasher.write(part);
        hasher.write_u8(0);
    };
    write(request.uri().as_bytes());
    write(fields.from_tag().unwrap_or_default().as_bytes());
    write(fields.to_tag().unwrap_or_default().as_bytes());
    for name in [
        Name::CallId,
        Name::CSeq,
        Name::ProxyRequire,
        Name::ProxyAuthorization,
    ] {
        write(fields.value(name).unwrap_or_default());
    }
    for route in fields.values(Name::Route) {
        write(route);
    }
    format!("{:016x}", hasher.finish())
}

/// Takes this element's own entries off the route (section 16.4), and repairs what a strict
/// router before it has done. Returns the entry that was ours, if there was one: the request
/// belongs to a dialog that was record-routed here.
///
/// # Errors
/// A Route or Request-URI that can't be read.
pub fn take_routes(request: &mut Request, own: &Own) -> Result<Option<String>, Rejected> {
    let mut taken = None;
    // A strict router put our Record-Route into the Request-URI, and what was there at the end
    // of the route. Ours have lr; an address of record has none.
    let strict = request
        .target()?
        .sip()
        .is_some_and(|uri| own.is(uri) && uri.params.has("lr"));
    if strict {
        let routes: Vec<_> = request
            .fields
            .values(Name::Route)
            .map(<[u8]>::to_vec)
            .collect();
        if let Some((last, others)) = routes.split_last() {
            let address = crate::Address::of(last, Name::Route)?;
            taken = Some(request.uri().to_owned());
            request.set_uri(address.text);
            request.fields.remove(Name::Route);
            for route in others {
                request.fields.push(Name::Route, route);
            }
        }
    }
    // Two of ours in a row when the dialog changes its transport here (RFC 5658).
    while let Some(first) = request.fields.first(Name::Route) {
        let address = crate::Address::of(first, Name::Route)?;
        let ours = address.uri.sip().is_some_and(|uri| own.is(uri));
        if !ours {
            break;
        }
        taken.get_or_insert_with(|| address.text.to_owned());
        request.fields.pop_value(Name::Route);
    }
    Ok(taken)
}

/// How a request leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leave<'a> {
    /// Over what.
    pub transport: Transport,
    /// This element's name or address there, with its port: `192.0.2.1:5060`.
    pub sent_by: &'a str,
    /// What no other request ever had: letters and digits.
    pub unique: &'a str,
    /// Another Request-URI: the target that was chosen.
    pub uri: Option<&'a str>,
    /// Record-Route values, see [`record_route`], the one for the next element first; empty
    /// within a dialog.
    pub record_routes: &'a [String],
}

/// The request as it is sent on (section 16.6). To where: [`next_hop`]. Max-Forwards counts
/// down, Via and Record-Route go on top; a next hop that is a strict router is obliged.
///
/// # Errors
/// A first Route that can't be read.
pub fn forward(request: &Request, leave: &Leave<'_>) -> Result<Request, Fault> {
    let mark = mark(request);
    let mut out = request.clone();
    if let Some(uri) = leave.uri {
        out.set_uri(uri);
    }
    let hops = request
        .fields
        .max_forwards()?
        .map_or(70, |hops| hops.saturating_sub(1));
    out.fields.set(Name::MaxForwards, hops.to_string());
    for value in leave.record_routes.iter().rev() {
        out.fields.push_front(Name::RecordRoute, value);
    }
    oblige_strict(&mut out)?;
    let via = format!(
        "SIP/2.0/{} {};branch={COOKIE}{}.{mark}",
        leave.transport.as_str(),
        leave.sent_by,
        leave.unique
    );
    out.fields.push_front(Name::Via, via);
    Ok(out)
}

/// Section 16.6 step 6: a first Route without lr wants to be the Request-URI.
fn oblige_strict(request: &mut Request) -> Result<(), Fault> {
    let Some(first) = request.fields.first(Name::Route) else {
        return Ok(());
    };
    let address = crate::Address::of(first, Name::Route)?;
    let loose = address.uri.sip().is_some_and(|uri| uri.params.has("lr"));
    if loose {
        return Ok(());
    }
    let (next, target) = (address.text.to_owned(), format!("<{}>", request.uri()));
    request.fields.pop_value(Name::Route);
    request.fields.push(Name::Route, target);
    request.set_uri(&next);
    Ok(())
}

/// Where a request goes next (section 16.6 step 7), before it is forwarded: to its first
/// Route, else to the target that was chosen, else to its Request-URI. None for a name, which
/// would have to be looked up.
#[must_use]
pub fn next_hop(request: &Request, target: Option<&str>) -> Option<Peer> {
    let uri = match request.fields.first(Name::Route) {
        Some(route) => crate::Address::parse(route)?.uri,
        None => Uri::parse(target.unwrap_or(request.uri()))?,
    };
    Peer::of(uri.sip()?)
}

/// A response as it goes back (section 16.7): without this element's Via. None for a 100,
/// which is for this hop only, and for one to a request of this element's own. A 503 becomes
/// a 500: it is the next hop that is busy, not this one.
#[must_use]
pub fn back(mut response: Response) -> Option<Response> {
    if response.status == Status::TRYING {
        return None;
    }
    response.fields.pop_value(Name::Via);
    response.fields.value(Name::Via)?;
    if response.status == Status::SERVICE_UNAVAILABLE {
        let mut own = Response::new(Status::INTERNAL);
        std::mem::swap(&mut own.fields, &mut response.fields);
        return Some(own.with_phrase(b"Next hop is busy"));
    }
    Some(response)
}

/// A Record-Route or Path value that brings requests back here: `<sip:192.0.2.1:5060;lr>`.
#[must_use]
pub fn record_route(sent_by: &str, transport: Transport) -> String {
    match transport {
        Transport::Udp => format!("<sip:{sent_by};lr>"),
        _ => format!("<sip:{sent_by};transport={};lr>", transport.param()),
    }
}

#[cfg(test)]
mod tests;
