//! What called ones answer.

use ::sip::proxy::Own;
use ::sip::transaction::ClientId;
use ::sip::{Method, Name, Peer, Request, Response, Status, proxy};

use super::super::{CallId, Side, Switch, Target, Time, Timer};
use super::rewrite::retell;
use super::{Gone, Sent, SipCall};
use crate::address::{Choice, Place};
use crate::record::{EndReason, Progress};
use crate::registration::NoLeases;

/// How long a trunk that has not answered comes after others.
const SILENT: Time = Time::from_secs(60);

impl Switch {
    /// An answer to something that was sent.
    pub(super) fn sip_answer(&mut self, now: Time, id: ClientId, response: Response) {
        let Some(sip) = &mut self.sip else {
            return;
        };
        match sip.clients.get(&id) {
            Some(Sent::Invite(call)) => {
                let call = *call;
                self.called_answers(now, id, call, response);
            }
            Some(Sent::Through(back)) => {
                let (server, call) = (back.id, back.of);
                self.through_answers(now, server, call, response);
            }
            Some(Sent::Gone(there)) if response.status.is_success() => {
                let Gone {
                    peer,
                    mut dialog,
                    is_through,
                } = (**there).clone();
                dialog.establish(&response);
                if is_through {
                    dialog.routes.clear();
                }
                self.sip_take_back(now, peer, dialog);
            }
            Some(Sent::Gone(_) | Sent::Own) | None => {}
        }
    }

    /// A call was answered that is over already: both know then.
    fn sip_take_back(&mut self, now: Time, peer: Peer, mut dialog: ::sip::ua::Dialog) {
        self.sip_tell(now, peer, &mut dialog, Method::Ack, Sent::Own);
        self.sip_tell(now, peer, &mut dialog, Method::Bye, Sent::Own);
    }

    /// The answer to a proxied request, back to who asked.
    fn through_answers(
        &mut self,
        now: Time,
        server: ::sip::transaction::ServerId,
        of: Option<(CallId, Side)>,
        response: Response,
    ) {
        let Some(mut response) = proxy::back(response) else {
            return;
        };
        if let Some((call, side)) = of {
            self.retell_answer(call, side, &mut response);
            let known = self.sip.as_mut().and_then(|sip| sip.calls.get_mut(&call));
            let invited = response.fields.cseq().is_ok_and(|sequence| {
                sequence.method == Method::Invite.as_str()
                    || sequence.method == Method::Update.as_str()
            });
            if let (Some(known), true) = (known, response.status.is_success() && invited)
                && let Some(party) = known.party(side)
            {
                party.dialog.retarget(&response.fields);
            }
        }
        self.sip_respond(now, server, &response);
    }

    /// Puts the addresses into an answer of one side that the other one is given.
    fn retell_answer(&self, call: CallId, side: Side, response: &mut Response) {
        if let Some((place, choice)) = self.given_of(call, side) {
            // What cannot be read is passed on as it is: the other end says what it thinks of it.
            let _ = retell(&mut response.fields, place, choice);
        }
    }

    /// Where a side of a call is, and which of its addresses is given.
    pub(super) fn given_of(&self, call: CallId, side: Side) -> Option<(Place, Choice)> {
        let call = self.calls.get(&call)?;
        let end = match side {
            Side::Caller => Some(&call.caller),
            Side::Called => call.called.as_ref(),
        };
        Some((end?.place, call.choice?))
    }

    fn called_answers(&mut self, now: Time, client: ClientId, id: CallId, response: Response) {
        let status = response.status;
        if status == Status::TRYING {
            return;
        }
        let what = format!("{} {}", status.code(), status.phrase());
        self.sip_rung(id, Side::Called, false, what);
        self.is_heard_of(id);
        match status.code() {
            101..200 => self.called_rings(now, id, response),
            200..300 => self.called_accepts(now, client, id, response),
            _ => self.called_refuses(now, id, response),
        }
    }

    fn called_rings(&mut self, now: Time, id: CallId, response: Response) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        let first = call.progress == Progress::Offering;
        if first {
            call.progress = Progress::Ringing;
            call.rang = Some(now);
            let until = now + self.settings.no_answer;
            self.timers.insert((until, Timer::Unanswered(id)));
        }
        let known = self.sip.as_mut().and_then(|sip| sip.calls.get_mut(&id));
        let Some(known) = known else {
            return;
        };
        if let (true, Some(called)) = (response.fields.to_tag().is_some(), &mut known.called) {
            called.dialog.retarget(&response.fields);
        }
        let asked = known.asked.as_ref().map(|(server, _)| *server);
        match (known.is_through(), asked) {
            (true, Some(server)) => {
                if let Some(mut response) = proxy::back(response) {
                    self.retell_answer(id, Side::Called, &mut response);
                    self.sip_respond(now, server, &response);
                }
            }
            _ if first => self.alert_caller(id),
            _ => {}
        }
    }

    fn called_accepts(&mut self, now: Time, client: ClientId, id: CallId, response: Response) {
        let own = self.sip.as_ref().map(|sip| sip.own.clone());
        let known = self.sip.as_mut().and_then(|sip| sip.calls.get_mut(&id));
        let Some(known) = known else {
            return;
        };
        let Some(called) = &mut known.called else {
            return;
        };
        let through = known.caller.is_some();
        if known.sent != Some(client) {
            // The answer again: so is what became of it.
            if let (false, Some(ack)) = (through, &known.ack) {
                let (ack, peer) = (ack.clone(), called.peer);
                self.sip_send(now, peer, ack, Sent::Own);
            } else if let (Some(server), Some(mut answer)) = (known.answered, proxy::back(response))
            {
                self.retell_answer(id, Side::Called, &mut answer);
                self.sip_respond(now, server, &answer);
            }
            return;
        }
        known.sent = None;
        let own = own.unwrap_or_default();
        match through {
            true => {
                join(known, &response, &own);
                let mut answer = proxy::back(response);
                if let Some(answer) = &mut answer {
                    self.retell_answer(id, Side::Called, answer);
                }
                let known = self.sip.as_mut().and_then(|sip| sip.calls.get_mut(&id));
                if let Some(known) = known {
                    known.held = answer;
                }
            }
            false => {
                called.dialog.establish(&response);
                let ack = called.dialog.request(Method::Ack);
                let peer = called.peer;
                known.ack = Some(ack.clone());
                self.sip_send(now, peer, ack, Sent::Own);
                if let Some(called) = self
                    .calls
                    .get_mut(&id)
                    .and_then(|call| call.called.as_mut())
                {
                    called.local = Some(megaco::Octets::new(response.fields.body()));
                }
            }
        }
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        call.rang = call.rang.or(Some(now));
        self.answered_at(now, id);
    }

    fn called_refuses(&mut self, now: Time, id: CallId, response: Response) {
        let status = response.status;
        let known = self.sip.as_mut().and_then(|sip| sip.calls.get_mut(&id));
        let Some(known) = known else {
            return;
        };
        known.sent = None;
        let through = known.is_through();
        known.called = None;
        known.refusal = match through {
            true => proxy::back(response),
            false => None,
        };
        let cancelled = known.cancelled;
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if cancelled {
            return self.release(now, id, EndReason::CallerHungUp, Some(Side::Caller));
        }
        // Nobody has answered for too long: it was cancelled by us.
        let given_up = call.refused == EndReason::NoAnswer && status == Status::TERMINATED;
        if given_up {
            if let Some(known) = self.sip.as_mut().and_then(|sip| sip.calls.get_mut(&id)) {
                known.refusal = None;
            }
            return self.release(now, id, EndReason::NoAnswer, None);
        }
        call.refused = reason_of(status);
        if !is_worth_another(status) {
            // Whoever was called has said no: the next trunk would ring there again.
            call.targets.clear();
        }
        self.offer(now, id);
    }

    /// No answer came, or the request could not be sent.
    pub(super) fn sip_failed(&mut self, now: Time, client: ClientId, status: Status) {
        let Some(sip) = &mut self.sip else {
            return;
        };
        match sip.clients.remove(&client) {
            Some(Sent::Invite(call)) => {
                let request = sip.calls.get(&call).and_then(|known| known.asked.clone());
                self.sip_rung(call, Side::Called, false, "no answer".to_owned());
                self.is_silent(now, call);
                let answer = match &request {
                    Some((_, request)) => Response::answer(request, status),
                    None => Response::new(status),
                };
                self.called_lost(now, call, answer, request.is_some());
            }
            Some(Sent::Through(back)) => {
                let answer = Response::answer(&back.request, status);
                self.sip_respond(now, back.id, &answer);
            }
            Some(Sent::Gone(_) | Sent::Own) | None => {}
        }
    }

    /// Who is called has said nothing: for a while others have its calls.
    fn is_silent(&mut self, now: Time, id: CallId) {
        let name = self.called_name(id);
        if let (Some(sip), Some(name)) = (&mut self.sip, name) {
            sip.silent.insert(name, now + SILENT);
        }
    }

    fn is_heard_of(&mut self, id: CallId) {
        let name = self.called_name(id);
        if let (Some(sip), Some(name)) = (&mut self.sip, name) {
            sip.silent.remove(&name);
        }
    }

    fn called_name(&self, id: CallId) -> Option<String> {
        Some(self.calls.get(&id)?.called.as_ref()?.peer())
    }

    /// Whether a trunk has not answered lately.
    pub(in crate::core) fn is_trunk_silent(&self, now: Time, target: &Target) -> bool {
        let Target::Trunk(at, _) = target else {
            return false;
        };
        let name = &self.settings.trunks[*at].name;
        let silent = self.sip.as_ref().and_then(|sip| sip.silent.get(name));
        silent.is_some_and(|until| *until > now)
    }

    fn called_lost(&mut self, now: Time, id: CallId, answer: Response, tell: bool) {
        let Some(known) = self.sip.as_mut().and_then(|sip| sip.calls.get_mut(&id)) else {
            return;
        };
        known.sent = None;
        known.called = None;
        known.refusal = tell.then_some(answer);
        let cancelled = known.cancelled;
        if cancelled {
            return self.release(now, id, EndReason::CallerHungUp, Some(Side::Caller));
        }
        if let Some(call) = self.calls.get_mut(&id) {
            call.refused = EndReason::Unavailable;
            self.offer(now, id);
        }
    }

    /// The other end says that it rings, and has for too long.
    pub(super) fn sip_rings_for_ever(&mut self, now: Time, client: ClientId) {
        let of = self.sip.as_ref().and_then(|sip| sip.clients.get(&client));
        match of {
            Some(Sent::Invite(call)) => drop(self.sip_unanswered(now, *call)),
            _ => self.sip_give_up(now, client),
        }
    }

    /// It has rung for too long: the called one is told so, and its answer is waited for.
    pub(super) fn sip_give_up(&mut self, now: Time, client: ClientId) {
        if let Some(sip) = &mut self.sip {
            let outputs = sip.transactions.cancel(now, client);
            self.sip_outputs(now, &NoLeases, outputs);
        }
    }

    /// A call is not answered; whether it is one that waits for an answer by SIP.
    pub(in crate::core) fn sip_unanswered(&mut self, now: Time, id: CallId) -> bool {
        let known = self.sip.as_ref().and_then(|sip| sip.calls.get(&id));
        let Some(client) = known.and_then(|known| known.sent) else {
            return false;
        };
        if let Some(call) = self.calls.get_mut(&id) {
            call.refused = EndReason::NoAnswer;
        }
        self.sip_give_up(now, client);
        true
    }

    /// The caller no longer wants an answer.
    pub(super) fn sip_cancelled(&mut self, now: Time, id: ::sip::transaction::ServerId) {
        let Some(sip) = &mut self.sip else {
            return;
        };
        match sip.servers.get(&id) {
            Some(super::Asked::Invite(call)) => {
                let call = *call;
                self.sip_rung(call, Side::Caller, false, "CANCEL".to_owned());
                let Some(known) = self.sip.as_mut().and_then(|sip| sip.calls.get_mut(&call)) else {
                    return;
                };
                if known.asked.as_ref().is_none_or(|(asked, _)| *asked != id) {
                    return;
                }
                known.cancelled = true;
                match known.sent {
                    // Its answer says which came first.
                    Some(client) => self.sip_give_up(now, client),
                    None if known.held.is_some() => {}
                    None => self.release(now, call, EndReason::CallerHungUp, Some(Side::Caller)),
                }
            }
            Some(super::Asked::Through(client)) => {
                let client = *client;
                self.sip_give_up(now, client);
            }
            None => {}
        }
    }
}

/// Both ends of a proxied call know each other from now on.
fn join(known: &mut SipCall, response: &Response, own: &Own) {
    let (Some(caller), Some(called)) = (&mut known.caller, &mut known.called) else {
        return;
    };
    let text = |name| response.fields.text(name).unwrap_or_default().to_owned();
    let tag = response.fields.to_tag().map(str::to_owned);
    called.dialog.remote = text(Name::To);
    called.dialog.remote_tag.clone_from(&tag);
    called.dialog.retarget(&response.fields);
    called.dialog.routes = beyond(response, &known.asked, own);
    caller.dialog.local = text(Name::To);
    caller.dialog.local_tag = tag.unwrap_or_default();
}

/// The route from here to the called one: what stands in its answer before what it was sent with.
fn beyond(
    response: &Response,
    asked: &Option<(::sip::transaction::ServerId, Request)>,
    own: &Own,
) -> Vec<String> {
    let of = |fields: &::sip::Fields| -> Vec<String> {
        let values = fields.values(Name::RecordRoute);
        values
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect()
    };
    let all = of(&response.fields);
    let behind = asked
        .as_ref()
        .map_or(0, |(_, request)| of(&request.fields).len());
    let ours = |route: &String| {
        let address = ::sip::Address::parse(route.as_bytes());
        let uri = address.and_then(|address| address.uri.sip());
        uri.is_some_and(|uri| own.is(uri))
    };
    let before = all.len().saturating_sub(behind);
    let mut routes: Vec<String> = all[..before]
        .iter()
        .filter(|route| !ours(route))
        .cloned()
        .collect();
    routes.reverse();
    routes
}

/// Whether somebody else may do better: this one is full, or down.
fn is_worth_another(status: Status) -> bool {
    matches!(status.code(), 408 | 430 | 500..600)
}

/// What a call that is refused ends with.
fn reason_of(status: Status) -> EndReason {
    match status.code() {
        486 | 600 | 603 => EndReason::Busy,
        404 | 484 | 604 => EndReason::NoSuchNumber,
        408 | 480 | 410 => EndReason::Unavailable,
        487 => EndReason::CallerHungUp,
        500..600 => EndReason::Congestion,
        _ => EndReason::Refused,
    }
}
