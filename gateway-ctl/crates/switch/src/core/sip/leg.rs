//! The user agent of a line of H.248: it rings, answers and changes what media there are, towards
//! somebody who speaks SIP.

use std::time::Duration;

use ::sip::transaction::ServerId;
use ::sip::{Method, Name, Request, Response, Status};

use super::super::{CallId, LineRef, Side, Step, Switch, Time, Timer, Who};
use super::send::ALLOWED;
use super::{SipCall, rewrite};
use crate::h248::{commands, session};
use crate::record::{EndReason, Progress};

/// First and longest interval of repetitions, and when nothing is hoped for (RFC 3261 section
/// 13.3.1.4).
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_secs(32);

/// An answer that waits for its ACK.
#[derive(Debug)]
pub(super) struct Accepted {
    id: ServerId,
    response: Response,
    interval: Duration,
    ends: Time,
    /// The answer has made an offer: the ACK has its answer.
    offered: bool,
}

impl Switch {
    /// The SIP end of a call whose other end is a line, and that line's side.
    fn leg(&mut self, id: CallId) -> Option<(&mut SipCall, Side)> {
        let known = self.sip.as_mut()?.calls.get_mut(&id)?;
        let side = match (&known.caller, &known.called) {
            (Some(_), None) => Side::Caller,
            (None, Some(_)) => Side::Called,
            _ => return None,
        };
        Some((known, side))
    }

    /// An answer of the user agent, with its tag and Contact.
    fn leg_reply(&mut self, id: CallId, request: &Request, status: Status) -> Option<Response> {
        let (known, side) = self.leg(id)?;
        let party = known.party(side)?;
        let (peer, local) = (party.peer, party.dialog.local.clone());
        let contact = self.sip.as_ref()?.contact(id, peer);
        let mut response = Response::answer(request, status);
        response.fields.set(Name::To, local);
        if status.code() < 300 {
            response.fields.push(Name::Contact, contact);
            response.fields.push(Name::Allow, ALLOWED);
        }
        Some(response)
    }

    /// The caller hears that it rings, however it is told.
    pub(in crate::core) fn alert_caller(&mut self, id: CallId) {
        let Some(call) = self.calls.get(&id) else {
            return;
        };
        if let (Who::Line(line), Some(made)) = (&call.caller.who, &call.caller.made) {
            let (line, action) = (line.clone(), commands::alert(made.context, &line.line));
            return self.tell(&line.gateway, &line.line, action, Step::Tell);
        }
        let asked = self.leg(id).and_then(|(known, _)| known.asked.clone());
        if let Some((server, request)) = asked
            && let Some(response) = self.leg_reply(id, &request, Status::RINGING)
        {
            self.sip_rung(id, Side::Caller, true, "180 Ringing".to_owned());
            let now = self.now;
            self.sip_respond(now, server, &response);
        }
    }

    /// A call that came by SIP is answered by a line: with its description, or with an offer where
    /// there was none.
    pub(in crate::core) fn leg_accept(&mut self, now: Time, id: CallId) {
        let asked = self.leg(id).and_then(|(known, _)| known.asked.take());
        let Some((server, request)) = asked else {
            return;
        };
        let body = self.leg_description(id, &request);
        let response = self.leg_reply(id, &request, Status::OK);
        let (Some(body), Some(mut response)) = (body, response) else {
            let refused = Response::answer(&request, Status::NOT_ACCEPTABLE_HERE);
            self.sip_respond(now, server, &refused);
            if let Some((known, _)) = self.leg(id) {
                // There is no dialog to say good-bye in.
                known.caller = None;
            }
            return self.release(now, id, EndReason::Refused, None);
        };
        response.fields.push(Name::ContentType, "application/sdp");
        response.fields.set_body(&body);
        self.sip_rung(id, Side::Caller, true, "200 OK".to_owned());
        self.await_ack(now, id, server, response, request.fields.body().is_empty());
    }

    fn await_ack(
        &mut self,
        now: Time,
        id: CallId,
        server: ServerId,
        response: Response,
        offered: bool,
    ) {
        if let Some((known, _)) = self.leg(id) {
            known.accepted = Some(Accepted {
                id: server,
                response: response.clone(),
                interval: T1,
                ends: now + PATIENCE,
                offered,
            });
        }
        self.timers.insert((now + T1, Timer::Again(id)));
        self.sip_respond(now, server, &response);
    }

    /// What the line of a call offers or answers, for the other end.
    fn leg_description(&mut self, id: CallId, request: &Request) -> Option<Vec<u8>> {
        let (known, _) = self.leg(id)?;
        known.version += 1;
        let version = known.version;
        let offer = request.fields.body();
        let call = self.calls.get(&id)?;
        let line = [Some(&call.caller), call.called.as_ref()];
        let line = line
            .into_iter()
            .flatten()
            .find(|end| matches!(end.who, Who::Line(_)))?;
        let address = call.choice?.of(line.place);
        let local = line.local.as_ref()?;
        match offer.is_empty() {
            true => session::offer(local.as_bytes(), address, id, version),
            false => session::answer(local.as_bytes(), offer, address, id, version),
        }
    }

    /// An answer is sent again, as nobody has acknowledged it.
    pub(in crate::core) fn answer_due(&mut self, now: Time, id: CallId) {
        let Some((known, _)) = self.leg(id) else {
            return;
        };
        let Some(accepted) = &mut known.accepted else {
            return;
        };
        if accepted.ends <= now {
            return self.release(now, id, EndReason::GatewayLost, None);
        }
        accepted.interval = (accepted.interval * 2).min(T2);
        let (interval, server) = (accepted.interval, accepted.id);
        let response = accepted.response.clone();
        self.timers.insert((now + interval, Timer::Again(id)));
        self.sip_respond(now, server, &response);
    }

    /// The ACK of an answer.
    pub(super) fn leg_acknowledged(&mut self, id: CallId, request: &Request) {
        let Some((known, side)) = self.leg(id) else {
            return;
        };
        let Some(accepted) = &known.accepted else {
            return;
        };
        let number = |fields: &::sip::Fields| fields.cseq().ok().map(|sequence| sequence.number);
        if number(&accepted.response.fields) != number(&request.fields) {
            return;
        }
        let offered = accepted.offered;
        known.accepted = None;
        if offered && !request.fields.body().is_empty() {
            self.change_line(id, side, request.fields.body(), Step::Tell);
        }
    }

    /// The line of a call is given other media of the SIP end; whether it could be told.
    fn change_line(&mut self, id: CallId, sip: Side, description: &[u8], step: Step) -> bool {
        let Some((place, choice)) = self.given_of(id, sip) else {
            return false;
        };
        let Some(change) = rewrite::change_of(description, place, choice) else {
            return false;
        };
        let Some((line, made)) = self.line_of(id, sip.other()) else {
            return false;
        };
        if !self.is_reachable(&line.gateway) {
            return false;
        }
        let action = commands::change(
            made.context,
            &made.media,
            change.mode,
            change.text.as_deref(),
        );
        self.tell(&line.gateway, &line.line, action, step);
        true
    }

    /// The line that is an end of a call, with its context.
    fn line_of(&self, id: CallId, side: Side) -> Option<(LineRef, super::super::Made)> {
        let call = self.calls.get(&id)?;
        let end = match side {
            Side::Caller => &call.caller,
            Side::Called => call.called.as_ref()?,
        };
        match (&end.who, &end.made) {
            (Who::Line(line), Some(made)) => Some((line.clone(), made.clone())),
            _ => None,
        }
    }

    /// A request within the dialog of a line's user agent.
    pub(super) fn leg_within(
        &mut self,
        now: Time,
        server: ServerId,
        id: CallId,
        request: Request,
    ) -> Result<(), Response> {
        let refuse = |status| Response::answer(&request, status);
        let (known, side) = self.leg(id).ok_or_else(|| refuse(Status::NO_DIALOG))?;
        let busy = known.accepted.is_some() || known.asked.is_some();
        let changing = known.change.is_some();
        let party = known.party(side).ok_or_else(|| refuse(Status::NO_DIALOG))?;
        if !party.dialog.is_of(&request) {
            return Err(refuse(Status::NO_DIALOG));
        }
        if !party.dialog.in_order(&request) {
            return Err(refuse(Status::INTERNAL));
        }
        let what = request.method.to_string();
        self.sip_rung(id, side, false, what);
        match request.method {
            Method::Bye => {
                self.sip_respond(now, server, &Response::answer(&request, Status::OK));
                let reason = super::end::hung_up(side);
                self.release(now, id, reason, Some(side));
                Ok(())
            }
            Method::Invite | Method::Update if busy || changing => Err(refuse(Status::PENDING)),
            Method::Invite | Method::Update => self.leg_change(now, server, id, side, request),
            Method::Info | Method::Options => {
                let mut answer = Response::answer(&request, Status::OK);
                answer.fields.push(Name::Allow, ALLOWED);
                self.sip_respond(now, server, &answer);
                Ok(())
            }
            _ => {
                let mut answer = refuse(Status::METHOD_NOT_ALLOWED);
                answer.fields.push(Name::Allow, ALLOWED);
                Err(answer)
            }
        }
    }

    /// Hold, other media, or a sign of life.
    fn leg_change(
        &mut self,
        now: Time,
        server: ServerId,
        id: CallId,
        side: Side,
        request: Request,
    ) -> Result<(), Response> {
        let refuse = |status| Response::answer(&request, status);
        let talking = self
            .calls
            .get(&id)
            .is_some_and(|call| call.progress == Progress::Talking);
        let offer = request.fields.body().to_vec();
        let usable = talking && request.fields.is_type("application/sdp");
        if !usable && !offer.is_empty() {
            return Err(refuse(Status::NOT_ACCEPTABLE_HERE));
        }
        if let Some((known, side)) = self.leg(id)
            && let Some(party) = known.party(side)
        {
            party.dialog.retarget(&request.fields);
        }
        if offer.is_empty() {
            self.leg_changed(now, id, Some((server, request)), true);
            return Ok(());
        }
        let told = self.change_line(id, side, &offer, Step::Change(id));
        if !told {
            return Err(refuse(Status::NOT_ACCEPTABLE_HERE));
        }
        if let Some((known, _)) = self.leg(id) {
            known.change = Some((server, request));
        }
        Ok(())
    }

    /// The line has changed its media, or has not: the other end is told.
    pub(in crate::core) fn line_has_changed(&mut self, now: Time, id: CallId, done: bool) {
        let change = self.leg(id).and_then(|(known, _)| known.change.take());
        self.leg_changed(now, id, change, done);
    }

    fn leg_changed(
        &mut self,
        now: Time,
        id: CallId,
        change: Option<(ServerId, Request)>,
        done: bool,
    ) {
        let Some((server, request)) = change else {
            return;
        };
        let offer = request.fields.body();
        let quiet = offer.is_empty() && request.method == Method::Update;
        let body = match quiet {
            true => Some(Vec::new()),
            false => self.leg_description(id, &request),
        };
        let response = self.leg_reply(id, &request, Status::OK);
        let (true, Some(body), Some(mut response)) = (done, body, response) else {
            let refused = Response::answer(&request, Status::NOT_ACCEPTABLE_HERE);
            return self.sip_respond(now, server, &refused);
        };
        if !body.is_empty() {
            response.fields.push(Name::ContentType, "application/sdp");
            response.fields.set_body(&body);
        }
        match request.method == Method::Invite {
            true => self.await_ack(now, id, server, response, offer.is_empty()),
            false => self.sip_respond(now, server, &response),
        }
    }
}
