//! Requests of the other end.

use std::time::Duration;

use super::dialog::Dialog;
use super::{Agent, Call, CallNumber, Cause, Event, State};
use crate::message::{Method, Name, Request, Response, Status};
use crate::transaction::ServerId;

/// What is understood.
pub(super) const ALLOWED: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY";

impl Agent {
    pub(super) fn request(
        &mut self,
        now: Duration,
        id: ServerId,
        request: Request,
        events: &mut Vec<Event>,
    ) {
        let status = match (&request.method, request.fields.to_tag().is_some()) {
            (Method::Invite, false) => return self.invited(now, id, request, events),
            (Method::Invite, true) => return self.invited_again(now, id, request, events),
            (Method::Bye, _) => return self.hung_up(now, id, &request, events),
            (Method::Options, _) => Status::OK,
            (Method::Info | Method::Notify, true) if self.of(&request).is_some() => Status::OK,
            (Method::Notify, false) => Status::OK,
            (Method::Info, _) => Status::NO_DIALOG,
            (Method::Notify, true) => Status::NO_DIALOG,
            _ => Status::METHOD_NOT_ALLOWED,
        };
        self.reply_to(now, id, &request, status, events);
    }

    /// The call a request belongs to.
    fn of(&self, request: &Request) -> Option<CallNumber> {
        self.calls
            .iter()
            .find(|(_, call)| call.dialog.is_of(request))
            .map(|(number, _)| *number)
    }

    fn reply_to(
        &mut self,
        now: Duration,
        id: ServerId,
        request: &Request,
        status: Status,
        events: &mut Vec<Event>,
    ) {
        let mut response = Response::answer(request, status);
        if matches!(status, Status::METHOD_NOT_ALLOWED) || request.method == Method::Options {
            response.fields.push(Name::Allow, ALLOWED);
        }
        if status == Status::BAD_EXTENSION {
            for value in request.fields.values(Name::Require) {
                response.fields.push(Name::Unsupported, value);
            }
        }
        let outputs = self.transactions.respond(now, id, &response);
        self.outputs(now, outputs, events);
    }

    fn invited(&mut self, now: Duration, id: ServerId, request: Request, events: &mut Vec<Event>) {
        let status = if request.fields.value(Name::Require).is_some() {
            Some(Status::BAD_EXTENSION)
        } else if request.fields.contact().is_none() {
            Some(Status::BAD_REQUEST)
        } else if !request.fields.body().is_empty() && !request.fields.is_type("application/sdp") {
            Some(Status::UNSUPPORTED_MEDIA)
        } else if self.calls.len() >= self.settings.lines {
            Some(Status::BUSY)
        } else {
            None
        };
        if let Some(status) = status {
            return self.reply_to(now, id, &request, status, events);
        }
        let dialog = Dialog::incoming(&request, self.unique());
        let call = CallNumber(self.made);
        let from = request
            .fields
            .from()
            .map(|from| (from.text.to_owned(), from.name()));
        let (from, name) = from.unwrap_or_default();
        let offer = request.fields.body().to_vec();
        let state = Call {
            dialog,
            state: State::Called,
            invite: None,
            asked: Some((id, request)),
            accepted: None,
            ack: None,
        };
        self.calls.insert(call, state);
        events.push(Event::Incoming {
            call,
            from,
            name,
            offer,
        });
    }

    /// A change of a session that is there (section 14.2).
    fn invited_again(
        &mut self,
        now: Duration,
        id: ServerId,
        request: Request,
        events: &mut Vec<Event>,
    ) {
        let number = self.of(&request);
        let call = number.and_then(|number| Some((number, self.calls.get_mut(&number)?)));
        let Some((number, call)) = call else {
            return self.reply_to(now, id, &request, Status::NO_DIALOG, events);
        };
        if !call.dialog.in_order(&request) {
            return self.reply_to(now, id, &request, Status::INTERNAL, events);
        }
        let status = match call.state {
            _ if call.invite.is_some() => Some(Status::PENDING),
            _ if call.asked.is_some() || call.accepted.is_some() => Some(Status::INTERNAL),
            State::Ending => Some(Status::NO_DIALOG),
            _ => None,
        };
        if let Some(status) = status {
            return self.reply_to(now, id, &request, status, events);
        }
        call.dialog.retarget(&request.fields);
        let offer = request.fields.body().to_vec();
        call.asked = Some((id, request));
        events.push(Event::Reoffer {
            call: number,
            offer,
        });
    }

    fn hung_up(&mut self, now: Duration, id: ServerId, request: &Request, events: &mut Vec<Event>) {
        let found = self.of(request);
        let status = if found.is_some() {
            Status::OK
        } else {
            Status::NO_DIALOG
        };
        self.reply_to(now, id, request, status, events);
        let Some(number) = found else {
            return;
        };
        let asked = self
            .calls
            .get_mut(&number)
            .and_then(|call| call.asked.take());
        if let Some((id, invite)) = asked {
            self.reply_to(now, id, &invite, Status::TERMINATED, events);
        }
        self.end(number, Cause::Remote, events);
    }

    pub(super) fn cancelled(&mut self, now: Duration, id: ServerId, events: &mut Vec<Event>) {
        let asked = |call: &Call| call.asked.as_ref().is_some_and(|(asked, _)| *asked == id);
        let found = self.calls.iter().find(|(_, call)| asked(call));
        let Some(number) = found.map(|(number, _)| *number) else {
            return;
        };
        let Some(call) = self.calls.get_mut(&number) else {
            return;
        };
        let (state, asked) = (call.state, call.asked.take());
        if let Some((id, invite)) = asked {
            let mut response = Response::answer(&invite, Status::TERMINATED);
            response.fields.set(Name::To, call.dialog.local.as_str());
            let outputs = self.transactions.respond(now, id, &response);
            self.outputs(now, outputs, events);
        }
        if state == State::Called {
            self.end(number, Cause::Cancelled, events);
        }
    }

    /// The ACK for a 2xx.
    pub(super) fn acknowledged(
        &mut self,
        now: Duration,
        request: &Request,
        events: &mut Vec<Event>,
    ) {
        let Some(number) = self.of(request) else {
            return;
        };
        let Some(call) = self.calls.get_mut(&number) else {
            return;
        };
        let sequence = |fields: &crate::Fields| fields.cseq().ok().map(|sequence| sequence.number);
        let waits = call
            .accepted
            .as_ref()
            .map(|accepted| sequence(&accepted.response.fields));
        if waits.is_none() || waits != Some(sequence(&request.fields)) {
            return;
        }
        call.accepted = None;
        if call.state == State::Ending {
            return self.bye(now, number, Cause::Local, events);
        }
        events.push(Event::Confirmed {
            call: number,
            body: request.fields.body().to_vec(),
        });
    }
}
