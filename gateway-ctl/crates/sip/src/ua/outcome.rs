//! Answers of the other end, and timers.

use std::sync::Arc;
use std::time::Duration;

use super::{Agent, CallNumber, Cause, Event, Purpose, State};
use crate::message::{Method, Name, Response, Status};
use crate::transaction::ClientId;

impl Agent {
    pub(super) fn response(
        &mut self,
        now: Duration,
        id: ClientId,
        response: &Response,
        events: &mut Vec<Event>,
    ) {
        match self.purposes.get(&id) {
            Some(Purpose::Register) => self.registered(now, response, events),
            Some(Purpose::Invite(call)) => self.invite_answered(now, *call, response, events),
            Some(Purpose::Other) | None => {}
        }
    }

    fn invite_answered(
        &mut self,
        now: Duration,
        number: CallNumber,
        response: &Response,
        events: &mut Vec<Event>,
    ) {
        let status = response.status;
        if status.is_success() {
            return self.accepted(now, number, response, events);
        }
        let Some(call) = self.calls.get_mut(&number) else {
            return;
        };
        if status.is_provisional() {
            if status != Status::TRYING && call.state == State::Calling {
                events.push(Event::Progress {
                    call: number,
                    status,
                    body: response.fields.body().to_vec(),
                });
            }
            return;
        }
        let Some((_, mut request)) = call.invite.take() else {
            return;
        };
        let asked = matches!(status, Status::UNAUTHORIZED | Status::PROXY_UNAUTHORIZED);
        if asked && call.state != State::Ending && self.login.answer(response, &mut request) {
            call.dialog.sequence += 1;
            let sequence = format!("{} INVITE", call.dialog.sequence);
            request.fields.set(Name::CSeq, sequence);
            return self.send_invite(now, number, request, events);
        }
        match call.state {
            State::Ending => self.end(number, Cause::Local, events),
            // A change is refused; the call goes on, unless there is none (section 14.1).
            State::Up if !matches!(status, Status::NO_DIALOG | Status::REQUEST_TIMEOUT) => {
                events.push(Event::ReofferRefused {
                    call: number,
                    status,
                });
            }
            State::Up => self.bye(now, number, Cause::Refused(status), events),
            _ => self.end(number, Cause::Refused(status), events),
        }
    }

    /// A 2xx, each time it comes.
    fn accepted(
        &mut self,
        now: Duration,
        number: CallNumber,
        response: &Response,
        events: &mut Vec<Event>,
    ) {
        let Some(call) = self.calls.get_mut(&number) else {
            return self.stray(response, events);
        };
        let mut dialog = call.dialog.clone();
        let first = call.invite.take().is_some();
        let tag = response.fields.to_tag().map(str::to_owned);
        if !first {
            // Repeated; or of another callee that a fork reached, who is not wanted.
            return if dialog.remote_tag == tag {
                self.acknowledge_again(number, events)
            } else {
                self.stray(response, events)
            };
        }
        if call.state == State::Up {
            dialog.retarget(&response.fields);
        } else {
            dialog.establish(response);
        }
        let mut ack = dialog.request(Method::Ack);
        let ending = call.state == State::Ending;
        call.dialog = dialog;
        call.state = State::Up;
        self.complete(&mut ack);
        let to = self.hop(&ack);
        let bytes: Arc<[u8]> = ack.encode().into();
        if let Some(call) = self.calls.get_mut(&number) {
            call.ack = Some((to, Arc::clone(&bytes)));
        }
        let client = None;
        events.push(Event::Send { to, bytes, client });
        if ending {
            return self.bye(now, number, Cause::Local, events);
        }
        events.push(Event::Answered {
            call: number,
            body: response.fields.body().to_vec(),
        });
    }

    fn acknowledge_again(&self, number: CallNumber, events: &mut Vec<Event>) {
        let ack = self.calls.get(&number).and_then(|call| call.ack.as_ref());
        if let Some((to, bytes)) = ack {
            let (to, bytes, client) = (*to, Arc::clone(bytes), None);
            events.push(Event::Send { to, bytes, client });
        }
    }

    /// A 2xx to an INVITE whose call is over: acknowledged, so that its sender stops. Its BYE
    /// went out with the end of the call.
    pub(super) fn stray(&mut self, response: &Response, events: &mut Vec<Event>) {
        let Ok(sequence) = response.fields.cseq() else {
            return;
        };
        if !response.status.is_success() || sequence.method != Method::Invite.as_str() {
            return;
        }
        let (Ok(from), Ok(call_id)) = (response.fields.from(), response.fields.call_id()) else {
            return;
        };
        let Some(tag) = from.tag() else {
            return;
        };
        let tag = tag.to_owned();
        let mut dialog = super::Dialog::outgoing(call_id.to_owned(), String::new(), tag, "");
        dialog.local =
            String::from_utf8_lossy(response.fields.value(Name::From).unwrap_or_default())
                .into_owned();
        dialog.establish(response);
        dialog.sequence = sequence.number;
        let mut ack = dialog.request(Method::Ack);
        self.complete(&mut ack);
        let (to, bytes, client) = (self.hop(&ack), ack.encode().into(), None);
        events.push(Event::Send { to, bytes, client });
    }

    pub(super) fn failed(
        &mut self,
        now: Duration,
        id: ClientId,
        cause: Cause,
        events: &mut Vec<Event>,
    ) {
        match self.purposes.get(&id).copied() {
            Some(Purpose::Register) => self.register_failed(now, None, events),
            Some(Purpose::Invite(number)) => {
                let state = self.calls.get(&number).map(|call| call.state);
                match state {
                    Some(State::Up) => self.bye(now, number, cause, events),
                    Some(State::Ending) => self.end(number, Cause::Local, events),
                    _ => self.end(number, cause, events),
                }
            }
            Some(Purpose::Other) | None => {}
        }
    }

    /// When [`Agent::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let calls = self
            .calls
            .values()
            .filter_map(|call| call.accepted.as_ref());
        let answers = calls.map(|accepted| accepted.again.min(accepted.ends));
        answers
            .chain(self.transactions.poll_timeout())
            .chain(self.registration.again)
            .min()
    }

    /// Does what time has come for.
    pub fn handle_timeout(&mut self, now: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        let outputs = self.transactions.handle_timeout(now);
        self.outputs(now, outputs, &mut events);
        if self.registration.again.is_some_and(|at| at <= now) {
            events.extend(self.send_register(now));
        }
        let longest = self.settings.transactions.t2;
        let (mut again, mut over) = (Vec::new(), Vec::new());
        for (number, call) in &mut self.calls {
            let Some(accepted) = &mut call.accepted else {
                continue;
            };
            if accepted.ends <= now {
                over.push(*number);
            } else if accepted.again <= now {
                accepted.interval = (accepted.interval * 2).min(longest);
                accepted.again = now + accepted.interval;
                again.push((accepted.id, accepted.response.clone()));
            }
        }
        for (id, response) in again {
            let outputs = self.transactions.respond(now, id, &response);
            self.outputs(now, outputs, &mut events);
        }
        // Nobody acknowledged (section 13.3.1.4).
        for number in over {
            self.bye(now, number, Cause::TimedOut, &mut events);
        }
        events
    }
}
