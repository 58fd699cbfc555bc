//! What every request that leaves has: a Via with a branch of its own, a hop to go to.

use std::hash::{DefaultHasher, Hasher as _};

use ::sip::proxy::{self, Leave};
use ::sip::ua::Dialog;
use ::sip::via::COOKIE;
use ::sip::{Address, Method, Name, Peer, Request, Transport};

use super::super::{CallId, Output, Switch, Time};
use super::{Sent, Sip};
use crate::registration::NoLeases;

/// What is understood of what is sent to a line of H.248.
pub(super) const ALLOWED: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO";

impl Sip {
    /// Letters that nothing else has had.
    pub(super) fn unique(&mut self) -> String {
        self.made += 1;
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.secret);
        hasher.write_u64(self.made);
        format!("{:x}{:016x}", self.made, hasher.finish())
    }

    /// How the switch calls itself to somebody.
    pub(super) fn sent_by(&self, to: Peer) -> String {
        let host = match to.local {
            Some(local) => local.to_string(),
            // There is no way to it so far.
            None => self.own.hosts.first().cloned().unwrap_or_default(),
        };
        let ports = &self.own.ports;
        let port = match to.transport {
            Transport::Tls => ports.last(),
            Transport::Udp | Transport::Tcp => ports.first(),
        };
        format!(
            "{host}:{}",
            port.copied().unwrap_or(to.transport.default_port())
        )
    }

    /// The Contact of a call's user agent.
    pub(super) fn contact(&self, call: CallId, to: Peer) -> String {
        let at = self.sent_by(to);
        match to.transport {
            Transport::Udp => format!("<sip:{}@{at}>", token(call)),
            other => format!("<sip:{}@{at};transport={}>", token(call), other.param()),
        }
    }

    /// What brings requests of a call's dialog here, as its ends see it; the called one's first.
    pub(super) fn record_routes(&self, call: CallId, caller: Peer, called: Peer) -> Vec<String> {
        let route = |peer: Peer| {
            let by = format!("{}@{}", token(call), self.sent_by(peer));
            proxy::record_route(&by, peer.transport)
        };
        let mut routes = vec![route(called), route(caller)];
        // One for both is enough if both see the same (RFC 5658).
        routes.dedup();
        routes
    }
}

/// A call, in URIs of ours.
fn token(call: CallId) -> String {
    format!("c{call}")
}

/// The call that a URI of ours names.
pub(super) fn call_of(uri: &str) -> Option<CallId> {
    let uri = ::sip::Uri::parse(uri)?.sip()?;
    uri.user?.strip_prefix('c')?.parse().ok()
}

/// Where a request of a dialog goes: to its first Route, if that is at the host that it is known by.
/// Who says so itself sends us nowhere else.
pub(super) fn hop(request: &Request, peer: Peer) -> Peer {
    let route = request.fields.first(Name::Route).and_then(Address::parse);
    let next = route.and_then(|route| Peer::of(route.uri.sip()?));
    let next = next
        .filter(|next| next.address.ip() == peer.address.ip() && next.transport == peer.transport);
    match next {
        Some(next) if !peer.transport.is_reliable() => next.with_local(peer.local),
        _ => peer,
    }
}

impl Switch {
    /// Sends a request of our own in a dialog.
    pub(super) fn sip_tell(
        &mut self,
        now: Time,
        peer: Peer,
        dialog: &mut Dialog,
        method: Method,
        what: Sent,
    ) {
        let request = dialog.request(method);
        self.sip_send(now, peer, request, what);
    }

    /// Sends a request of our own; whether it is sent.
    pub(super) fn sip_send(
        &mut self,
        now: Time,
        peer: Peer,
        mut request: Request,
        what: Sent,
    ) -> Option<::sip::transaction::ClientId> {
        let sip = self.sip.as_mut()?;
        let via = format!(
            "SIP/2.0/{} {};rport;branch={COOKIE}{}",
            peer.transport.as_str(),
            sip.sent_by(peer),
            sip.unique()
        );
        request.fields.push_front(Name::Via, via);
        let to = hop(&request, peer);
        if request.method == Method::Ack {
            let (bytes, client) = (request.encode().into(), None);
            self.outputs.push_back(Output::Sip { to, bytes, client });
            return None;
        }
        let (client, outputs) = sip.transactions.send(now, to, request).ok()?;
        sip.clients.insert(client, what);
        self.sip_outputs(now, &NoLeases, outputs);
        Some(client)
    }

    /// A request as it is sent on, and where. Who is not `trusted` says itself who calls.
    pub(super) fn sip_forward(
        &mut self,
        request: &Request,
        peer: Peer,
        target: &str,
        record_routes: &[String],
        trusted: bool,
    ) -> Option<(Peer, Request)> {
        let sip = self.sip.as_mut()?;
        let leave = Leave {
            transport: peer.transport,
            sent_by: &sip.sent_by(peer),
            unique: &sip.unique(),
            uri: Some(target),
            record_routes,
        };
        let mut out = proxy::forward(request, &leave).ok()?;
        // They were for us.
        out.fields.remove(Name::ProxyAuthorization);
        if !trusted {
            // Only a trunk's word counts (RFC 3325 section 5).
            out.fields.remove(Name::PAssertedIdentity);
            out.fields.remove_other("P-Preferred-Identity");
            out.fields.remove_other("Remote-Party-ID");
            out.fields.remove_other("Diversion");
        }
        Some((hop(&out, peer), out))
    }
}
