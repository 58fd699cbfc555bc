//! The user's requests and responses, and deadlines.

use std::time::Duration;

use super::client::{self, Cancel, Client};
use super::slab::Id;
use super::{ClientId, Entry, Output, ServerId, Transactions, key, server};
use crate::message::{Fault, Method, Request, Response};
use crate::transport::Peer;

/// Why a request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// As many transactions as [`Settings::limit`](super::Settings::limit) allows.
    #[error("too many transactions, expected fewer than the limit")]
    Full,
    /// An ACK is sent as bytes, a CANCEL by [`Transactions::cancel`].
    #[error("{0} has no transaction of its own: send an ACK as bytes, a CANCEL by cancel()")]
    Method(&'static str),
    /// Its top Via has no branch of its own, or its CSeq can't be read.
    #[error("request has no key: {0}")]
    Key(#[from] Fault),
    /// Its branch is in use.
    #[error("branch of the top Via is in use, expected one that never was")]
    Branch,
}

impl Transactions {
    /// Sends a request, which has this element's Via with a branch of its own on top.
    ///
    /// # Errors
    /// Nothing is sent then.
    pub fn send(
        &mut self,
        now: Duration,
        to: Peer,
        request: Request,
    ) -> Result<(ClientId, Vec<Output>), Unsent> {
        match request.method {
            Method::Ack => return Err(Unsent::Method("ACK")),
            Method::Cancel => return Err(Unsent::Method("CANCEL")),
            _ => {}
        }
        let found = key::client(&request.fields)?;
        if self.clients.contains_key(&found) {
            return Err(Unsent::Branch);
        }
        let mut over = Vec::new();
        if self.entries.len() >= self.settings.limit {
            self.make_room(&mut over);
        }
        if self.entries.len() >= self.settings.limit {
            return Err(Unsent::Full);
        }
        let client = Client::new(now, found.clone(), to, request, &self.settings);
        let bytes = client.bytes();
        let id = self.entries.insert(Entry::Client(client));
        self.clients.insert(found, id);
        let mut out = vec![Output::Send {
            to,
            bytes,
            client: Some(ClientId(id)),
        }];
        self.settle(now, id, &mut out);
        out.append(&mut over);
        Ok((ClientId(id), out))
    }

    /// Answers a request. What comes too late (after a final answer) is dropped, except for
    /// more 2xx to an INVITE; provisional answers to other requests are not sent (RFC 4320).
    pub fn respond(&mut self, now: Duration, id: ServerId, response: &Response) -> Vec<Output> {
        let mut out = Vec::new();
        if let Some(Entry::Server(server)) = self.entries.get_mut(id.0) {
            let to = server.to;
            if let Some(bytes) = server.answer(now, response, &self.settings) {
                let client = None;
                out.push(Output::Send { to, bytes, client });
                if server.state == server::State::Completed && !server.invite {
                    self.absorb(id.0);
                }
            }
            self.settle(now, id.0, &mut out);
        }
        out
    }

    /// Answers a request and forgets it (section 8.2.7): if it comes again it is a new one, and
    /// whoever is not let in takes no room. For final answers that are no success.
    pub fn refuse(&mut self, id: ServerId, response: &Response) -> Vec<Output> {
        let mut out = Vec::new();
        if let Some(Entry::Server(server)) = self.entries.get(id.0)
            && server.state == server::State::Proceeding
        {
            let (to, bytes, client) = (server.to, response.encode().into(), None);
            out.push(Output::Send { to, bytes, client });
            self.remove(id.0, &mut out);
        }
        out
    }

    /// Notes that only repetitions are waited for.
    fn absorb(&mut self, id: Id) {
        while let Some(oldest) = self.absorbing.front()
            && self.entries.get(*oldest).is_none()
        {
            self.absorbing.pop_front();
        }
        self.absorbing.push_back(id);
    }

    /// Forgets the oldest request that is answered: a repetition that was under way for so long is
    /// rarer than a request that need not be refused. A mass of REGISTERs would fill the table for 32
    /// seconds.
    pub(super) fn make_room(&mut self, out: &mut Vec<Output>) {
        while let Some(oldest) = self.absorbing.pop_front() {
            if self.entries.get(oldest).is_some() {
                return self.remove(oldest, out);
            }
        }
    }

    /// An INVITE is no longer wanted. The CANCEL is sent as soon as the other end has said
    /// anything (section 9.1); the INVITE's final answer, most likely 487, comes as usual. Does
    /// nothing once that is there.
    pub fn cancel(&mut self, now: Duration, id: ClientId) -> Vec<Output> {
        let mut out = Vec::new();
        if let Some(Entry::Client(client)) = self.entries.get_mut(id.0) {
            if client.is_invite() && client.cancel == Cancel::No {
                client.cancel = Cancel::Wanted;
            }
            let (to, cancel) = (client.to, client.take_cancel(now, &self.settings));
            if let Some(cancel) = cancel {
                self.send_cancel(now, to, cancel, &mut out);
            }
            self.settle(now, id.0, &mut out);
        }
        out
    }

    /// A request could not be sent: nobody listens there, the connection failed.
    pub fn unreachable(&mut self, now: Duration, id: ClientId) -> Vec<Output> {
        let mut out = Vec::new();
        if let Some(Entry::Client(client)) = self.entries.get(id.0)
            && matches!(
                client.state,
                client::State::Calling | client::State::Proceeding
            )
        {
            out.push(Output::Unreachable { id });
            self.remove(id.0, &mut out);
        }
        self.settle(now, id.0, &mut out);
        out
    }

    /// When [`Transactions::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.entries.next()
    }

    /// Does what time has come for.
    pub fn handle_timeout(&mut self, now: Duration) -> Vec<Output> {
        let mut out = Vec::new();
        while let Some(id) = self.entries.due(now) {
            match self.entries.get_mut(id) {
                Some(Entry::Client(client)) => {
                    let due = client.due(now, &self.settings);
                    self.client_due(id, due, &mut out);
                }
                Some(Entry::Server(server)) => {
                    let due = server.due(now, &self.settings);
                    self.server_due(id, due, &mut out);
                }
                None => self.entries.schedule(id, None),
            }
            self.settle(now, id, &mut out);
        }
        out
    }

    fn client_due(&mut self, id: Id, due: client::Due, out: &mut Vec<Output>) {
        let Some(Entry::Client(client)) = self.entries.get(id) else {
            return;
        };
        let (to, own) = (client.to, client.own);
        match due {
            client::Due::Nothing => {}
            client::Due::Again(bytes) => {
                self.counters.retransmissions += 1;
                let client = (!own).then_some(ClientId(id));
                out.push(Output::Send { to, bytes, client });
            }
            client::Due::NoAnswer => out.push(Output::NoAnswer { id: ClientId(id) }),
            client::Due::TimedOut => {
                self.counters.timeouts += 1;
                if !own {
                    out.push(Output::TimedOut { id: ClientId(id) });
                }
                self.remove(id, out);
            }
            client::Due::Over => self.remove(id, out),
        }
    }

    fn server_due(&mut self, id: Id, due: server::Due, out: &mut Vec<Output>) {
        let Some(Entry::Server(server)) = self.entries.get(id) else {
            return;
        };
        let (to, own, client) = (server.to, server.own, None);
        match due {
            server::Due::Nothing => {}
            server::Due::Send(bytes) => out.push(Output::Send { to, bytes, client }),
            server::Due::Again(bytes) => {
                self.counters.retransmissions += 1;
                out.push(Output::Send { to, bytes, client });
            }
            server::Due::Unacknowledged => {
                if !own {
                    out.push(Output::Unacknowledged { id: ServerId(id) });
                }
                self.remove(id, out);
            }
            server::Due::Over => self.remove(id, out),
        }
    }

    /// Sets the next deadline; over is what has none to wait for.
    pub(super) fn settle(&mut self, now: Duration, id: Id, out: &mut Vec<Output>) {
        let (deadline, over) = match self.entries.get(id) {
            Some(Entry::Client(client)) => {
                let done = matches!(
                    client.state,
                    client::State::Accepted | client::State::Completed
                );
                (client.deadline(), done)
            }
            Some(Entry::Server(server)) => {
                // One that still waits for its ACK is told of by its deadline.
                let waits = server.invite && server.state == server::State::Completed;
                (
                    server.deadline(),
                    server.state != server::State::Proceeding && !waits,
                )
            }
            None => return,
        };
        if over && deadline.is_some_and(|deadline| deadline <= now) {
            return self.remove(id, out);
        }
        self.entries.schedule(id, deadline);
    }

    fn remove(&mut self, id: Id, out: &mut Vec<Output>) {
        match self.entries.remove(id) {
            Some(Entry::Client(client)) => {
                self.clients.remove(&client.key);
                if !client.own {
                    out.push(Output::ClientOver { id: ClientId(id) });
                }
            }
            Some(Entry::Server(server)) => {
                self.servers.remove(&server.key);
                if let Some(merged) = &server.merged {
                    self.merged.remove(merged);
                }
                if !server.own {
                    out.push(Output::ServerOver { id: ServerId(id) });
                }
            }
            None => {}
        }
    }
}
