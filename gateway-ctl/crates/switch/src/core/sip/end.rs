//! Calls that end: what ends that speak SIP are told; what is left after a start.

use ::sip::{Method, Response, Status};

use super::super::{Call, CallId, Rung, Side, Switch, Time, ladder};
use super::{Gone, Sent, SipCall};
use crate::record::{EndReason, Progress};
use crate::registration::NoLeases;
use crate::sip::Party;

/// Why a call ends that this side ends.
pub(super) const fn hung_up(side: Side) -> EndReason {
    match side {
        Side::Caller => EndReason::CallerHungUp,
        Side::Called => EndReason::CalledHungUp,
    }
}

impl Switch {
    /// A call is over: its ends that speak SIP are told, but for the one that has ended it.
    pub(in crate::core) fn sip_release(
        &mut self,
        now: Time,
        id: CallId,
        call: &Call,
        reason: EndReason,
        by: Option<Side>,
    ) {
        let Some(sip) = &mut self.sip else {
            return;
        };
        let Some(mut known) = sip.calls.remove(&id) else {
            return;
        };
        if let Some(client) = known.sent.take()
            && let Some(called) = known.called.take()
        {
            // Should it answer all the same, that is taken back.
            let gone = Gone {
                peer: called.peer,
                dialog: called.dialog,
                is_through: known.caller.is_some(),
            };
            let gone = Sent::Gone(Box::new(gone));
            sip.clients.insert(client, gone);
            let outputs = sip.transactions.cancel(now, client);
            self.sip_outputs(now, &NoLeases, outputs);
        }
        if let Some((server, request)) = known.change.take() {
            let answer = Response::answer(&request, Status::TERMINATED);
            self.sip_respond(now, server, &answer);
        }
        let unanswered = known.asked.take();
        let answered = matches!(call.progress, Progress::Connecting | Progress::Talking);
        if let Some((server, request)) = unanswered {
            let status = if known.cancelled {
                Status::TERMINATED
            } else {
                status_of(reason)
            };
            let refusal = known.refusal.take().filter(|_| !known.cancelled);
            let mut answer = refusal.unwrap_or_else(|| Response::answer(&request, status));
            if let (true, Some(caller)) = (known.called.is_none(), &known.caller)
                && answer.fields.to_tag().is_none()
            {
                answer.fields.set_to_tag(&caller.dialog.local_tag);
            }
            known.caller = None;
            let what = format!("{} {}", answer.status.code(), answer.status.phrase());
            self.sip_rung_of(id, call, Side::Caller, true, what);
            self.sip_respond(now, server, &answer);
        }
        if !answered || known.goodbye {
            return;
        }
        for side in [Side::Caller, Side::Called] {
            let party = known.party(side).filter(|_| by != Some(side)).cloned();
            if let Some(Party { peer, mut dialog }) = party {
                self.sip_rung_of(id, call, side, true, "BYE".to_owned());
                self.sip_tell(now, peer, &mut dialog, Method::Bye, Sent::Own);
            }
        }
    }

    /// Somebody else is tried: what the last one said is not what the caller is told.
    pub(in crate::core) fn forget_refusal(&mut self, id: CallId) {
        if let Some(known) = self.sip.as_mut().and_then(|sip| sip.calls.get_mut(&id)) {
            known.refusal = None;
        }
    }

    /// The caller has the answer of the called one: it is on disk.
    pub(in crate::core) fn sip_join(&mut self, now: Time, id: CallId) {
        let known = self.sip.as_mut().and_then(|sip| sip.calls.get_mut(&id));
        let Some(known) = known else {
            return;
        };
        if let (Some(answer), Some((server, _))) = (known.held.take(), known.asked.take()) {
            known.answered = Some(server);
            self.sip_rung(id, Side::Caller, true, "200 OK".to_owned());
            self.sip_respond(now, server, &answer);
        }
    }

    /// What the store keeps of an end that speaks SIP.
    pub(in crate::core) fn kept_party(&self, id: CallId, side: Side) -> Option<Party> {
        let known = self.sip.as_ref()?.calls.get(&id)?;
        match side {
            Side::Caller => known.caller.clone(),
            Side::Called => known.called.clone(),
        }
    }

    /// Goes on with an end of a call that the store has kept; whether SIP is still spoken.
    pub(in crate::core) fn resume_party(&mut self, id: CallId, side: Side, party: Party) -> bool {
        let Some(sip) = &mut self.sip else {
            return false;
        };
        sip.learn(party.peer);
        // Requests that passed since it was kept have counted on.
        let mut party = party;
        party.dialog.sequence = party.dialog.sequence.saturating_add(1 << 16);
        let known = sip.calls.entry(id).or_insert_with(SipCall::default);
        known.version = 1 << 16;
        match side {
            Side::Caller => known.caller = Some(party),
            Side::Called => known.called = Some(party),
        }
        true
    }

    /// Notes what was said to or by an end of a call.
    pub(super) fn sip_rung(&mut self, id: CallId, side: Side, sent: bool, what: String) {
        let Some(call) = self.calls.get(&id) else {
            return;
        };
        let end = match side {
            Side::Caller => Some(&call.caller),
            Side::Called => call.called.as_ref(),
        };
        let Some((name, number)) = end.map(|end| (end.peer(), end.number.clone())) else {
            return;
        };
        self.ladder.add(Rung {
            at: ladder::milliseconds(self.now),
            call: Some(id),
            gateway: name,
            line: None,
            number: number.map(|number| number.to_string()),
            sent,
            what,
        });
    }

    /// The same of a call that is over.
    fn sip_rung_of(&mut self, id: CallId, call: &Call, side: Side, sent: bool, what: String) {
        let end = match side {
            Side::Caller => Some(&call.caller),
            Side::Called => call.called.as_ref(),
        };
        if let Some(end) = end {
            self.ladder.add(Rung {
                at: ladder::milliseconds(self.now),
                call: Some(id),
                gateway: end.peer(),
                line: None,
                number: end.number.as_ref().map(ToString::to_string),
                sent,
                what,
            });
        }
    }
}

/// What a caller is told of a call that failed.
const fn status_of(reason: EndReason) -> Status {
    match reason {
        EndReason::Busy => Status::BUSY,
        EndReason::NoSuchNumber => Status::NOT_FOUND,
        EndReason::NoAnswer | EndReason::Unavailable => Status::UNAVAILABLE,
        EndReason::Congestion | EndReason::GatewayLost => Status::SERVICE_UNAVAILABLE,
        EndReason::Refused => Status::NOT_ACCEPTABLE_HERE,
        EndReason::Operator => Status::DECLINE,
        EndReason::CallerHungUp | EndReason::CalledHungUp => Status::TERMINATED,
    }
}
