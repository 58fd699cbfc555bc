//! A registrar and record-routing proxy of a few lines: what a switch does with this crate,
//! without dial plan, addresses to choose and records.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::{Algorithm, Denied, Ha1, Realm, RealmSettings};
use crate::message::{Limits, Message, Method, Request, Response, Status};
use crate::proxy::{self, Leave, Own};
use crate::registrar::{self, Binding};
use crate::transaction::{ClientId, Output, ServerId, Settings, Transactions};
use crate::transport::{Peer, Transport};
use crate::uri::Uri;

/// Its domain.
pub(super) const DOMAIN: &str = "pbx.example.net";
const SENT_BY: &str = "192.0.2.1:5060";

/// Everyone's password.
pub(super) const PASSWORD: &str = "secret";

/// The office.
#[derive(Debug)]
pub struct Office {
    transactions: Transactions,
    realm: Realm,
    own: Own,
    bindings: BTreeMap<String, Vec<Binding>>,
    /// Requests that were forwarded: whose answer goes where.
    back: BTreeMap<ClientId, (ServerId, Request)>,
    forth: BTreeMap<ServerId, ClientId>,
    unique: u64,
}

type Sent = Vec<(Peer, Arc<[u8]>)>;

impl Default for Office {
    fn default() -> Self {
        Self::new()
    }
}

impl Office {
    /// Where it is.
    #[must_use]
    pub fn peer() -> Peer {
        Peer::udp(([192, 0, 2, 1], 5060).into())
    }

    /// Nobody registered.
    #[must_use]
    pub fn new() -> Self {
        Self {
            transactions: Transactions::new(Settings::default()),
            realm: Realm::new(RealmSettings::new(DOMAIN), [1; 32]),
            own: Own {
                hosts: vec!["192.0.2.1".to_owned(), DOMAIN.to_owned()],
                ports: vec![5060],
            },
            bindings: BTreeMap::new(),
            back: BTreeMap::new(),
            forth: BTreeMap::new(),
            unique: 0,
        }
    }

    /// Nothing is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.transactions.is_empty() && self.back.is_empty() && self.forth.is_empty()
    }

    /// Transactions there are now.
    #[must_use]
    pub fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    /// A datagram.
    pub fn handle(&mut self, now: Duration, from: Peer, bytes: Vec<u8>) -> Sent {
        let mut sent = Sent::new();
        match Message::parse(bytes, &Limits::default()) {
            Ok(message) => {
                let outputs = self.transactions.handle(now, from, message);
                self.outputs(now, outputs, &mut sent);
            }
            Err(refusal) => {
                let answer = refusal.answer();
                sent.extend(answer.map(|answer| (from, answer.encode().into())));
            }
        }
        sent
    }

    /// When [`Office::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.transactions.poll_timeout()
    }

    /// Does what time has come for.
    pub fn handle_timeout(&mut self, now: Duration) -> Sent {
        let mut sent = Sent::new();
        let outputs = self.transactions.handle_timeout(now);
        self.outputs(now, outputs, &mut sent);
        sent
    }

    fn outputs(&mut self, now: Duration, outputs: Vec<Output>, sent: &mut Sent) {
        for output in outputs {
            match output {
                Output::Send { to, bytes, .. } => sent.push((to, bytes)),
                Output::Request { id, from, request } => {
                    if let Err(answer) = self.request(now, id, from, request, sent) {
                        self.respond(now, id, &answer, sent);
                    }
                }
                Output::Cancel { id, .. } => {
                    if let Some(client) = self.forth.get(&id) {
                        let outputs = self.transactions.cancel(now, *client);
                        self.outputs(now, outputs, sent);
                    }
                }
                Output::Ack { request, .. } => self.ack(request, sent),
                Output::Response { id, response, .. } => {
                    let server = self.back.get(&id).map(|(server, _)| *server);
                    if let (Some(server), Some(response)) = (server, proxy::back(response)) {
                        self.respond(now, server, &response, sent);
                    }
                }
                Output::NoAnswer { id } => {
                    let outputs = self.transactions.cancel(now, id);
                    self.outputs(now, outputs, sent);
                }
                Output::TimedOut { id } => self.fail(now, id, Status::REQUEST_TIMEOUT, sent),
                Output::Unreachable { id } => self.fail(now, id, Status::INTERNAL, sent),
                Output::ServerOver { id } => drop(self.forth.remove(&id)),
                Output::ClientOver { id } => drop(self.back.remove(&id)),
                Output::Stray { .. } | Output::Unacknowledged { .. } => {}
            }
        }
    }

    fn respond(&mut self, now: Duration, id: ServerId, response: &Response, sent: &mut Sent) {
        let outputs = self.transactions.respond(now, id, response);
        self.outputs(now, outputs, sent);
    }

    fn fail(&mut self, now: Duration, id: ClientId, status: Status, sent: &mut Sent) {
        if let Some((server, request)) = self.back.get(&id) {
            let (server, answer) = (*server, Response::answer(request, status));
            self.respond(now, server, &answer, sent);
        }
    }

    fn request(
        &mut self,
        now: Duration,
        id: ServerId,
        from: Peer,
        mut request: Request,
        sent: &mut Sent,
    ) -> Result<(), Response> {
        proxy::check(&request, &self.own).map_err(|why| why.answer(&request))?;
        let within = proxy::take_routes(&mut request, &self.own);
        let within = within.map_err(|why| why.answer(&request))?.is_some();
        if request.method == Method::Register {
            let answer = self.register(now, from, &request)?;
            self.respond(now, id, &answer, sent);
            return Ok(());
        }
        let mut target = None;
        if !within {
            self.authenticate(now, &request, true)?;
            let user = request
                .target()
                .ok()
                .and_then(Uri::number)
                .unwrap_or_default();
            let bindings = self.bindings.get(&*user);
            let binding = bindings.and_then(|list| list.iter().find(|one| one.expires > now));
            let unknown = || Response::answer(&request, Status::NOT_FOUND);
            target = Some(binding.ok_or_else(unknown)?.uri.clone());
        }
        let refuse = |status| Response::answer(&request, status);
        let (to, out) = self.leave(&request, target.as_deref()).map_err(refuse)?;
        let sent_on = self.transactions.send(now, to, out);
        let (client, outputs) = sent_on.map_err(|_| refuse(Status::SERVICE_UNAVAILABLE))?;
        self.back.insert(client, (id, request));
        self.forth.insert(id, client);
        self.outputs(now, outputs, sent);
        Ok(())
    }

    fn leave(
        &mut self,
        request: &Request,
        target: Option<&str>,
    ) -> Result<(Peer, Request), Status> {
        self.unique += 1;
        let routes = match target {
            Some(_) => vec![proxy::record_route(SENT_BY, Transport::Udp)],
            None => Vec::new(),
        };
        let leave = Leave {
            transport: Transport::Udp,
            sent_by: SENT_BY,
            unique: &format!("{:x}", self.unique),
            uri: target,
            record_routes: &routes,
        };
        let to = proxy::next_hop(request, target).ok_or(Status::BAD_GATEWAY)?;
        let out = proxy::forward(request, &leave).map_err(|fault| fault.status())?;
        Ok((to, out))
    }

    fn ack(&mut self, mut request: Request, sent: &mut Sent) {
        let within = proxy::take_routes(&mut request, &self.own);
        if matches!(within, Ok(Some(_)))
            && proxy::check(&request, &self.own).is_ok()
            && let Ok((to, out)) = self.leave(&request, None)
        {
            sent.push((to, out.encode().into()));
        }
    }

    fn register(
        &mut self,
        now: Duration,
        from: Peer,
        request: &Request,
    ) -> Result<Response, Response> {
        let name = self.authenticate(now, request, false)?;
        let settings = registrar::Settings::default();
        let refuse = |why: registrar::Refused| why.answer(request, &settings);
        let (user, _) = registrar::address_of_record(request).map_err(refuse)?;
        if user != name {
            return Err(Response::answer(request, Status::FORBIDDEN));
        }
        let stored = self.bindings.entry(user).or_default();
        let update = registrar::register(now, request, from, stored, &settings).map_err(refuse)?;
        *stored = update.bindings;
        Ok(registrar::accept(now, request, stored))
    }

    fn authenticate(
        &mut self,
        now: Duration,
        request: &Request,
        proxy: bool,
    ) -> Result<String, Response> {
        let known = |user: &str, algorithm: Algorithm| {
            let user_known = user.starts_with("20");
            user_known.then(|| Ha1::new(algorithm, user, DOMAIN, PASSWORD))
        };
        let checked = self.realm.check(now, request, proxy, known);
        checked.map_err(|denied: Denied| {
            self.unique += 1;
            self.realm
                .challenge(now, request, denied, proxy, self.unique)
        })
    }
}
