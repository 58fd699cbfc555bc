//! What the user wants.

use std::time::Duration;

use super::dialog::Dialog;
use super::{Accepted, Agent, Call, CallNumber, Cause, Event, Purpose, State};
use crate::message::{Method, Name, Request, Response, Status};

impl Agent {
    /// Calls a URI with an offer, or without one if it is empty.
    pub fn call(&mut self, now: Duration, uri: &str, offer: &[u8]) -> (CallNumber, Vec<Event>) {
        let (call_id, tag) = (self.unique(), self.unique());
        let number = CallNumber(self.made);
        let mut dialog = Dialog::outgoing(call_id, self.address(), tag, uri);
        let mut request = dialog.request(Method::Invite);
        describe(&mut request, offer);
        self.login.use_again(&mut request);
        let call = Call {
            dialog,
            state: State::Calling,
            invite: None,
            asked: None,
            accepted: None,
            ack: None,
        };
        self.calls.insert(number, call);
        let mut events = Vec::new();
        self.send_invite(now, number, request, &mut events);
        (number, events)
    }

    pub(super) fn send_invite(
        &mut self,
        now: Duration,
        number: CallNumber,
        request: Request,
        events: &mut Vec<Event>,
    ) {
        let sent = self.send(now, request, Purpose::Invite(number), events);
        if let Some(call) = self.calls.get_mut(&number) {
            call.invite = sent;
        }
    }

    /// Tells the caller how it goes: 180 or 183, with or without a description.
    pub fn progress(
        &mut self,
        now: Duration,
        call: CallNumber,
        status: Status,
        body: &[u8],
    ) -> Vec<Event> {
        let Some((id, response)) = self.reply(call, status, body) else {
            return Vec::new();
        };
        let mut events = Vec::new();
        let outputs = self.transactions.respond(now, id, &response);
        self.outputs(now, outputs, &mut events);
        events
    }

    /// Takes a call, or a change of one. Nothing happens if nobody waits for an answer.
    pub fn answer(&mut self, now: Duration, call: CallNumber, body: &[u8]) -> Vec<Event> {
        let Some((id, response)) = self.reply(call, Status::OK, body) else {
            return Vec::new();
        };
        let t1 = self.settings.transactions.t1;
        let outputs = self.transactions.respond(now, id, &response);
        if let Some(call) = self.calls.get_mut(&call) {
            call.asked = None;
            call.state = State::Up;
            call.accepted = Some(Accepted {
                id,
                response,
                again: now + t1,
                interval: t1,
                ends: now + t1 * 64,
            });
        }
        let mut events = Vec::new();
        self.outputs(now, outputs, &mut events);
        events
    }

    /// Refuses a call, or a change of one.
    pub fn refuse(&mut self, now: Duration, call: CallNumber, status: Status) -> Vec<Event> {
        let Some((id, response)) = self.reply(call, status, b"") else {
            return Vec::new();
        };
        let mut events = Vec::new();
        let outputs = self.transactions.respond(now, id, &response);
        self.outputs(now, outputs, &mut events);
        let over = self.calls.get_mut(&call).is_some_and(|call| {
            call.asked = None;
            call.state == State::Called
        });
        if over {
            self.end(call, Cause::Local, &mut events);
        }
        events
    }

    /// The answer to the INVITE that waits for one.
    fn reply(
        &self,
        call: CallNumber,
        status: Status,
        body: &[u8],
    ) -> Option<(crate::transaction::ServerId, Response)> {
        let call = self.calls.get(&call)?;
        let (id, request) = call.asked.as_ref()?;
        let mut response = Response::new(status);
        let fields = &mut response.fields;
        for name in [Name::Via, Name::RecordRoute, Name::From] {
            fields.copy(&request.fields, name);
        }
        fields.push(Name::To, &call.dialog.local);
        for name in [Name::CallId, Name::CSeq] {
            fields.copy(&request.fields, name);
        }
        fields.push(Name::Contact, self.contact());
        if !body.is_empty() {
            fields.push(Name::ContentType, "application/sdp");
        }
        fields.set_body(body);
        Some((*id, response))
    }

    /// Offers another description within a call: hold, another address. False: not now, as the
    /// call is not up or another change is under way.
    pub fn reoffer(
        &mut self,
        now: Duration,
        number: CallNumber,
        offer: &[u8],
    ) -> Option<Vec<Event>> {
        let call = self.calls.get_mut(&number)?;
        let busy = call.invite.is_some() || call.asked.is_some() || call.accepted.is_some();
        if call.state != State::Up || busy {
            return None;
        }
        let mut request = call.dialog.request(Method::Invite);
        describe(&mut request, offer);
        self.login.use_again(&mut request);
        let mut events = Vec::new();
        self.send_invite(now, number, request, &mut events);
        Some(events)
    }

    /// Ends a call, in whatever state it is: CANCEL, 603 or BYE.
    pub fn hang_up(&mut self, now: Duration, number: CallNumber) -> Vec<Event> {
        let Some(call) = self.calls.get_mut(&number) else {
            return Vec::new();
        };
        let mut events = Vec::new();
        match call.state {
            State::Called => return self.refuse(now, number, Status::DECLINE),
            State::Calling => {
                call.state = State::Ending;
                if let Some((id, _)) = &call.invite {
                    let outputs = self.transactions.cancel(now, *id);
                    self.outputs(now, outputs, &mut events);
                } else {
                    self.end(number, Cause::Local, &mut events);
                }
            }
            // Section 15: the callee waits for the ACK.
            State::Up if call.accepted.is_some() => call.state = State::Ending,
            State::Up => self.bye(now, number, Cause::Local, &mut events),
            State::Ending => {}
        }
        events
    }

    pub(super) fn bye(
        &mut self,
        now: Duration,
        number: CallNumber,
        cause: Cause,
        events: &mut Vec<Event>,
    ) {
        if let Some(call) = self.calls.get_mut(&number) {
            let mut request = call.dialog.request(Method::Bye);
            self.login.use_again(&mut request);
            self.send(now, request, Purpose::Other, events);
        }
        self.end(number, cause, events);
    }

    pub(super) fn end(&mut self, call: CallNumber, cause: Cause, events: &mut Vec<Event>) {
        if self.calls.remove(&call).is_some() {
            events.push(Event::Ended { call, cause });
        }
    }
}

fn describe(request: &mut Request, body: &[u8]) {
    request.fields.push(Name::Allow, super::incoming::ALLOWED);
    if !body.is_empty() {
        request.fields.push(Name::ContentType, "application/sdp");
    }
    request.fields.set_body(body);
}
