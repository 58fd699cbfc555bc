//! Messages to transactions.

use std::sync::Arc;
use std::time::Duration;

use super::client::{Client, Heard};
use super::server::{Server, State};
use super::slab::Id;
use super::{ClientId, Entry, Output, ServerId, Transactions, key};
use crate::message::{Message, Method, Name, Request, Response, Status};
use crate::transport::Peer;
use crate::via;

impl Transactions {
    /// A message came in. A request without a readable Via is dropped:
    /// [`Message::parse`] lets none through.
    pub fn handle(&mut self, now: Duration, from: Peer, message: Message) -> Vec<Output> {
        let mut out = Vec::new();
        match message {
            Message::Request(request) => self.request(now, from, request, &mut out),
            Message::Response(response) => self.response(now, from, response, &mut out),
        }
        out
    }

    /// For a request that is answered without a transaction, each time that it comes (section
    /// 8.2.7): writes into its Via where it came from, and says where the answer goes. `None`: its
    /// Via can't be read.
    pub fn stateless(&self, from: Peer, request: &mut Request) -> Option<Peer> {
        via::stamp(&mut request.fields, from.address, self.settings.force_rport).ok()?;
        Some(reply_to(from, request))
    }

    fn request(&mut self, now: Duration, from: Peer, mut request: Request, out: &mut Vec<Output>) {
        // Matched as it came: what is written into its Via differs when a NAT's port does.
        let Ok(found) = key::server(&request, key::method_of(&request)) else {
            return;
        };
        let cancels = request.method == Method::Cancel;
        let invite = cancels.then(|| key::server(&request, Method::Invite.as_str()).ok());
        if via::stamp(&mut request.fields, from.address, self.settings.force_rport).is_err() {
            return;
        }
        if let Some(id) = self.servers.get(&found).copied() {
            return self.again(now, from, id, request, out);
        }
        match request.method {
            Method::Ack => out.push(Output::Ack { from, request }),
            Method::Cancel => {
                let invite = invite
                    .flatten()
                    .and_then(|key| self.servers.get(&key).copied());
                self.cancelled(now, from, (found, invite), request, out);
            }
            _ => self.new_request(now, from, found, request, out),
        }
    }

    /// A request of a known transaction, or its ACK.
    fn again(
        &mut self,
        now: Duration,
        from: Peer,
        id: Id,
        request: Request,
        out: &mut Vec<Output>,
    ) {
        let Some(Entry::Server(server)) = self.entries.get_mut(id) else {
            return;
        };
        if request.method == Method::Ack {
            if server.state == State::Proceeding {
                return;
            }
            if server.acknowledged(now, &self.settings) {
                out.push(Output::Ack { from, request });
            }
            return self.settle(now, id, out);
        }
        self.counters.requests_repeated += 1;
        let to = server.to;
        if let Some(bytes) = server.repeated() {
            out.push(send(to, bytes));
        }
        self.settle(now, id, out);
    }

    fn new_request(
        &mut self,
        now: Duration,
        from: Peer,
        found: key::Key,
        request: Request,
        out: &mut Vec<Output>,
    ) {
        let to = reply_to(from, &request);
        if self.entries.len() >= self.settings.limit {
            self.make_room(out);
        }
        if self.entries.len() >= self.settings.limit {
            self.counters.overload += 1;
            let mut response = Response::answer(&request, Status::SERVICE_UNAVAILABLE);
            response.fields.push(Name::RetryAfter, "30");
            return out.push(send(to, response.encode().into()));
        }
        let merged = self
            .settings
            .refuse_merged
            .then(|| key::merged(&request))
            .flatten();
        if merged
            .as_ref()
            .is_some_and(|key| self.merged.contains_key(key))
        {
            self.counters.merged += 1;
            let response = Response::answer(&request, Status::LOOP);
            self.answered(now, to, found, &request, &response, out);
            return;
        }
        self.counters.requests += 1;
        let mut server = Server::new(now, found.clone(), to, &request, &self.settings);
        server.merged.clone_from(&merged);
        let id = self.entries.insert(Entry::Server(server));
        self.servers.insert(found, id);
        if let Some(merged) = merged {
            self.merged.insert(merged, id);
        }
        self.settle(now, id, out);
        let id = ServerId(id);
        out.push(Output::Request { id, from, request });
    }

    /// A CANCEL: answered here, for what it says is about another transaction.
    fn cancelled(
        &mut self,
        now: Duration,
        from: Peer,
        (found, invite): (key::Key, Option<Id>),
        request: Request,
        out: &mut Vec<Output>,
    ) {
        let to = reply_to(from, &request);
        let status = if invite.is_some() {
            Status::OK
        } else {
            Status::NO_DIALOG
        };
        let response = Response::answer(&request, status);
        // One of nothing is told so each time, and leaves nothing.
        if invite.is_some() && self.entries.len() < self.settings.limit {
            self.answered(now, to, found, &request, &response, out);
        } else {
            out.push(send(to, response.encode().into()));
        }
        let open = |id: &Id| match self.entries.get(*id) {
            Some(Entry::Server(server)) => server.state == State::Proceeding,
            _ => false,
        };
        if let Some(id) = invite.filter(open) {
            let id = ServerId(id);
            out.push(Output::Cancel { id, request });
        }
    }

    /// A transaction that this crate answers itself: it absorbs what comes again.
    fn answered(
        &mut self,
        now: Duration,
        to: Peer,
        found: key::Key,
        request: &Request,
        response: &Response,
        out: &mut Vec<Output>,
    ) {
        let mut server = Server::new(now, found.clone(), to, request, &self.settings);
        server.own = true;
        if let Some(bytes) = server.answer(now, response, &self.settings) {
            out.push(send(to, bytes));
        }
        let id = self.entries.insert(Entry::Server(server));
        self.servers.insert(found, id);
        self.settle(now, id, out);
    }

    fn response(&mut self, now: Duration, from: Peer, response: Response, out: &mut Vec<Output>) {
        let found = key::client(&response.fields).ok();
        let found = found.and_then(|key| self.clients.get(&key).copied());
        let Some(id) = found else {
            self.counters.strays += 1;
            return out.push(Output::Stray { from, response });
        };
        let Some(Entry::Client(client)) = self.entries.get_mut(id) else {
            return;
        };
        let (to, own) = (client.to, client.own);
        let heard = client.hear(now, &response, &self.settings);
        let cancel = client.take_cancel(now, &self.settings);
        let ack = match &heard {
            Heard::PassAndAck(ack) | Heard::Ack(ack) => Some(Arc::clone(ack)),
            Heard::Pass | Heard::Absorb => None,
        };
        if let Some(ack) = ack {
            out.push(send(to, ack));
        }
        match heard {
            Heard::Pass | Heard::PassAndAck(_) if !own => {
                let id = ClientId(id);
                out.push(Output::Response { id, from, response });
            }
            Heard::Pass | Heard::PassAndAck(_) => {}
            Heard::Ack(_) | Heard::Absorb => self.counters.responses_repeated += 1,
        }
        if let Some(cancel) = cancel {
            self.send_cancel(now, to, cancel, out);
        }
        self.settle(now, id, out);
    }

    /// Sends the CANCEL of an INVITE that is no longer wanted.
    pub(super) fn send_cancel(
        &mut self,
        now: Duration,
        to: Peer,
        cancel: Request,
        out: &mut Vec<Output>,
    ) {
        let Ok(found) = key::client(&cancel.fields) else {
            return;
        };
        let mut client = Client::new(now, found.clone(), to, cancel, &self.settings);
        client.own = true;
        out.push(send(to, client.bytes()));
        let id = self.entries.insert(Entry::Client(client));
        self.clients.insert(found, id);
        self.settle(now, id, out);
    }
}

/// Where the answers of a request go (section 18.2.2): for a stream back where it came from,
/// else as its top Via says, now that it says where it came from.
fn reply_to(from: Peer, request: &Request) -> Peer {
    if from.transport.is_reliable() {
        return from;
    }
    let via = request.fields.top_via().ok();
    let said = via.and_then(|via| via.response_peer());
    // The transport is the one it came by, whatever the Via claims.
    said.map_or(from, |said| Peer {
        address: said.address,
        ..from
    })
}

fn send(to: Peer, bytes: Arc<[u8]>) -> Output {
    Output::Send {
        to,
        bytes,
        client: None,
    }
}
