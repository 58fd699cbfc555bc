//! Requests within a dialog: between two ends that speak SIP they are passed on.

use ::sip::transaction::ServerId;
use ::sip::{Method, Name, Peer, Request, Response, Status, proxy};

use super::super::{CallId, Output, Side, Switch, Time};
use super::Proxied;
use super::rewrite::retell;
use super::send::call_of;

impl Switch {
    pub(super) fn sip_within(
        &mut self,
        now: Time,
        id: ServerId,
        _from: Peer,
        route: Option<&str>,
        request: Request,
    ) -> Result<(), Response> {
        let unknown = || Response::answer(&request, Status::NO_DIALOG);
        let (call, side) = self.dialog_of(route, &request).ok_or_else(unknown)?;
        let known = self.sip.as_mut().and_then(|sip| sip.calls.get_mut(&call));
        let known = known.ok_or_else(unknown)?;
        if !known.is_through() {
            return self.leg_within(now, id, call, request);
        }
        let invited = matches!(request.method, Method::Invite | Method::Update);
        if let (true, Some(party)) = (invited, known.party(side)) {
            party.dialog.retarget(&request.fields);
        }
        let over = request.method == Method::Bye;
        known.goodbye |= over;
        let what = request.method.to_string();
        self.sip_rung(call, side, false, what);
        let (to, out) = self.pass_on(call, side, &request).ok_or_else(unknown)?;
        let back = Proxied {
            id,
            request,
            of: Some((call, side.other())),
        };
        self.sip_send_through(now, to, out, back);
        if over {
            self.release(now, call, super::end::hung_up(side), Some(side));
        }
        Ok(())
    }

    /// The ACK of an answer of 200.
    pub(super) fn sip_acknowledged(&mut self, _now: Time, _from: Peer, mut request: Request) {
        let Some(sip) = &self.sip else {
            return;
        };
        let sound = proxy::check(&request, &sip.own).is_ok();
        let Ok(route) = proxy::take_routes(&mut request, &sip.own) else {
            return;
        };
        request.fields.remove(Name::Route);
        let found = self.dialog_of(route.as_deref(), &request);
        let Some((call, side)) = found.filter(|_| sound) else {
            return;
        };
        self.sip_rung(call, side, false, "ACK".to_owned());
        let known = self.sip.as_ref().and_then(|sip| sip.calls.get(&call));
        if known.is_some_and(|known| !known.is_through()) {
            return self.leg_acknowledged(call, &request);
        }
        if let Some((to, out)) = self.pass_on(call, side, &request) {
            let (bytes, client) = (out.encode().into(), None);
            self.outputs.push_back(Output::Sip { to, bytes, client });
        }
    }

    /// A request of one side as the other one is sent it.
    fn pass_on(&mut self, call: CallId, side: Side, request: &Request) -> Option<(Peer, Request)> {
        let given = self.given_of(call, side);
        let sip = self.sip.as_mut()?;
        let party = sip.calls.get_mut(&call)?.party(side.other())?;
        let number = request.fields.cseq().map_or(0, |sequence| sequence.number);
        party.dialog.sequence = party.dialog.sequence.max(number);
        let (peer, dialog) = (party.peer, party.dialog.clone());
        let by = sip.calls.get_mut(&call)?.party(side)?.peer;
        let trusted = self.trunk_at(by).is_some();
        let mut request = request.clone();
        for route in &dialog.routes {
            request.fields.push(Name::Route, route);
        }
        let (to, mut out) = self.sip_forward(&request, peer, &dialog.target, &[], trusted)?;
        let has_contact = out.fields.count(Name::Contact) > 0;
        if let (Some((place, choice)), true) = (given, has_contact || !out.fields.body().is_empty())
        {
            // What cannot be read is passed on as it is: the other end says what it thinks of it.
            let _ = retell(&mut out.fields, place, choice);
        }
        Some((to, out))
    }

    /// Which call a request belongs to, and which side has sent it.
    fn dialog_of(&self, route: Option<&str>, request: &Request) -> Option<(CallId, Side)> {
        let ours = route.and_then(|route| {
            let text = route.trim().trim_start_matches('<');
            call_of(text.split('>').next()?)
        });
        let id = ours.or_else(|| call_of(request.uri()))?;
        let known = self.sip.as_ref()?.calls.get(&id)?;
        let fields = &request.fields;
        let (from, to) = (fields.from_tag()?, fields.to_tag()?);
        let of = |party: &crate::sip::Party| fields.call_id() == Ok(&party.dialog.call_id);
        match (&known.caller, &known.called) {
            (Some(caller), Some(_)) => {
                let tag = caller.dialog.remote_tag.as_deref();
                let side = match (tag == Some(from), tag == Some(to)) {
                    (true, _) => Side::Caller,
                    (_, true) => Side::Called,
                    _ => return None,
                };
                of(caller).then_some((id, side))
            }
            (Some(caller), None) => of(caller).then_some((id, Side::Caller)),
            (None, Some(called)) => of(called).then_some((id, Side::Called)),
            (None, None) => None,
        }
    }
}
