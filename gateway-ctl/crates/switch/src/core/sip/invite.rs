//! Calls that begin by SIP, and those that are offered to whom speaks it.

use ::sip::sdp::Sdp;
use ::sip::transaction::ServerId;
use ::sip::ua::Dialog;
use ::sip::uri::escape_user;
use ::sip::{Method, Name, Peer, Request, Response, Status, Transport, Uri, proxy};

use super::super::{CallId, End, Switch, Target, Time, Who};
use super::reach::{connectable, reached_at};
use super::register::{contact_of, placed};
use super::rewrite::retell;
use super::send::ALLOWED;
use super::{Asked, Proxied, Sent, SipCall};
use crate::address::{Place, select};
use crate::dial_plan::Number;
use crate::h248::session;
use crate::record::EndReason;
use crate::registration::Leases;
use crate::settings::Way;
use crate::sip::Party;

/// Somebody who speaks SIP, to be called.
#[derive(Debug)]
pub(in crate::core) struct Destination {
    /// User or trunk.
    pub(in crate::core) name: String,
    pub(in crate::core) number: Option<Number>,
    pub(in crate::core) place: Place,
    peer: Peer,
    /// The Request-URI.
    target: String,
    /// Route values, the first hop first.
    path: Vec<String>,
}

/// Longer than any number or user, in octets.
const LONGEST_NAME: usize = 64;

/// Who calls.
pub(super) struct Caller {
    name: String,
    number: Option<Number>,
    is_trunk: bool,
}

impl Switch {
    /// What came in, but for CANCEL and ACK.
    pub(super) fn sip_request(
        &mut self,
        now: Time,
        leases: &dyn Leases,
        id: ServerId,
        from: Peer,
        mut request: Request,
    ) -> Result<(), Response> {
        let route = self.sip_arrived(&mut request)?;
        if request.fields.to_tag().is_some() {
            return self.sip_within(now, id, from, route.as_deref(), request);
        }
        match request.method {
            Method::Register => self.sip_register(now, leases, id, from, &request),
            Method::Invite => self.sip_invite(now, leases, id, from, request),
            Method::Message => self.sip_pass(now, id, from, request),
            Method::Options => {
                self.sip_is_ours(&request)?;
                let mut answer = Response::answer(&request, Status::OK);
                answer.fields.push(Name::Allow, ALLOWED);
                answer.fields.push(Name::Accept, "application/sdp");
                self.sip_respond(now, id, &answer);
                Ok(())
            }
            _ => {
                let mut answer = Response::answer(&request, Status::METHOD_NOT_ALLOWED);
                let allowed = format!("REGISTER, MESSAGE, {ALLOWED}");
                answer.fields.push(Name::Allow, allowed);
                Err(answer)
            }
        }
    }

    /// What every request is checked for; its route that was ours.
    pub(super) fn sip_arrived(&self, request: &mut Request) -> Result<Option<String>, Response> {
        let Some(sip) = &self.sip else {
            return Err(Response::answer(request, Status::SERVICE_UNAVAILABLE));
        };
        proxy::check(request, &sip.own).map_err(|why| why.answer(request))?;
        let route = proxy::take_routes(request, &sip.own);
        let route = route.map_err(|why| why.answer(request))?;
        // The way behind this switch is ours to choose: a sender's own Route would lead past the dial
        // plan, and to any address.
        request.fields.remove(Name::Route);
        Ok(route)
    }

    /// A request of no call, for a user.
    fn sip_pass(
        &mut self,
        now: Time,
        id: ServerId,
        from: Peer,
        request: Request,
    ) -> Result<(), Response> {
        let refuse = |status| Response::answer(&request, status);
        self.sip_is_ours(&request)?;
        let trusted = self.sip_caller(now, from, &request)?.is_trunk;
        let number = request.target().ok().and_then(Uri::number);
        let mut targets = self.targets(&number.unwrap_or_default());
        let Some(target @ Target::Line(_)) = targets.pop_front() else {
            return Err(refuse(Status::NOT_FOUND));
        };
        let there = self.sip_destination(now, &target).ok().flatten();
        let there = there.ok_or_else(|| refuse(Status::UNAVAILABLE))?;
        let sent_on = self.sip_forward(&request, there.peer, &there.target, &[], trusted);
        let (to, mut out) = sent_on.ok_or_else(|| refuse(Status::BAD_REQUEST))?;
        add_path(&mut out, &there.path);
        let back = Proxied {
            id,
            request,
            of: None,
        };
        self.sip_send_through(now, to, out, back);
        Ok(())
    }

    /// Sends a proxied request on; `back` says whom its answer goes to.
    pub(super) fn sip_send_through(&mut self, now: Time, to: Peer, out: Request, back: Proxied) {
        let Some(sip) = &mut self.sip else {
            return;
        };
        let id = back.id;
        match sip.transactions.send(now, to, out) {
            Ok((client, outputs)) => {
                sip.servers.insert(id, Asked::Through(client));
                sip.clients.insert(client, Sent::Through(Box::new(back)));
                self.sip_outputs(now, &crate::registration::NoLeases, outputs);
            }
            Err(_) => {
                let answer = Response::answer(&back.request, Status::SERVICE_UNAVAILABLE);
                self.sip_respond(now, id, &answer);
            }
        }
    }

    /// The trunk that sends from there.
    pub(super) fn trunk_at(&self, from: Peer) -> Option<(&str, Peer)> {
        let is = |way: &Way| match way {
            Way::Sip(peer) if peer.transport != from.transport => false,
            Way::Sip(peer) if from.transport == Transport::Udp => peer.address == from.address,
            // Over a stream it calls from any port.
            Way::Sip(peer) => peer.address.ip() == from.address.ip(),
            Way::Gateway(..) => false,
        };
        let mut trunks = self.settings.trunks.iter();
        let found = trunks.find(|trunk| is(&trunk.way))?;
        let Way::Sip(peer) = found.way else {
            return None;
        };
        Some((&found.name, peer))
    }

    /// Who calls: a trunk by its address, a user by password and with no other name than its own.
    pub(super) fn sip_caller(
        &mut self,
        now: Time,
        from: Peer,
        request: &Request,
    ) -> Result<Caller, Response> {
        let said = request.fields.from();
        let said = said.map_err(|fault| Response::answer(request, fault.status()))?;
        let claimed = said.uri.number().unwrap_or_default().into_owned();
        if let Some((trunk, _)) = self.trunk_at(from) {
            return Ok(Caller {
                name: trunk.to_owned(),
                number: claimed.parse().ok(),
                is_trunk: true,
            });
        }
        let host = said.uri.sip().map(|uri| uri.host);
        // RFC 3323 section 4.1: who calls is not to be told, but we know.
        let anonymous = host.is_some_and(|host| host.eq_ignore_ascii_case("anonymous.invalid"));
        let name = self.sip_authenticate(now, request, true)?;
        let number = self.number_of_user(&name).cloned();
        let own = claimed == name || number.as_ref().is_some_and(|own| own.as_str() == claimed);
        if !own && !anonymous {
            return Err(Response::answer(request, Status::FORBIDDEN));
        }
        Ok(Caller {
            name,
            number,
            is_trunk: false,
        })
    }

    fn sip_invite(
        &mut self,
        now: Time,
        leases: &dyn Leases,
        id: ServerId,
        from: Peer,
        request: Request,
    ) -> Result<(), Response> {
        let refuse = |status| Response::answer(&request, status);
        let caller = self.sip_caller(now, from, &request)?;
        self.sip_is_ours(&request)?;
        if request.fields.contact().is_none() {
            return Err(refuse(Status::BAD_REQUEST));
        }
        let offer = request.fields.body();
        if !offer.is_empty() {
            if !request.fields.is_type("application/sdp") {
                return Err(refuse(Status::UNSUPPORTED_MEDIA));
            }
            Sdp::parse(offer).map_err(|fault| refuse(fault.status()))?;
        }
        let dialled = request.target().ok().and_then(Uri::number);
        let dialled = dialled.unwrap_or_default().into_owned();
        if dialled.len() > LONGEST_NAME {
            return Err(refuse(Status::NOT_FOUND));
        }
        let mut targets = self.targets(&dialled);
        if caller.is_trunk {
            // Nobody calls from one trunk to another at our expense.
            targets.retain(|target| matches!(target, Target::Line(_)));
        }
        let to_line = targets
            .front()
            .is_some_and(|target| matches!(self.sip_destination(now, target), Ok(None)));
        if to_line && request.fields.value(Name::Require).is_some() {
            let mut answer = refuse(Status::BAD_EXTENSION);
            for value in request.fields.values(Name::Require) {
                answer.fields.push(Name::Unsupported, value);
            }
            return Err(answer);
        }
        let (place, _) = placed(leases, from, contact_of(&request.fields));
        let end = End {
            who: Who::Sip(caller.name),
            place,
            number: caller.number,
            local: Some(megaco::Octets::new(offer)),
            made: None,
        };
        let call = self.begin(now, &dialled, end, targets);
        let contact = request.fields.contact();
        let peer = match self.trunk_at(from) {
            // Its connection may be over when it is to be told something.
            Some((_, trunk)) => trunk.with_local(from.local),
            None => connectable(from, contact.and_then(|contact| contact.uri.sip())),
        };
        let Some(sip) = &mut self.sip else {
            return Ok(());
        };
        // Its tag is one of ours, until a called one has another.
        let dialog = Dialog::incoming(&request, sip.unique());
        let party = Party { peer, dialog };
        sip.servers.insert(id, Asked::Invite(call));
        let known = SipCall {
            caller: Some(party),
            asked: Some((id, request)),
            ..SipCall::default()
        };
        sip.calls.insert(call, known);
        let what = format!("INVITE {dialled}");
        self.sip_rung(call, super::Side::Caller, false, what);
        self.offer(now, call);
        Ok(())
    }

    /// Where somebody is who speaks SIP. `None`: the target does not.
    pub(in crate::core) fn sip_destination(
        &self,
        now: Time,
        target: &Target,
    ) -> Result<Option<Destination>, EndReason> {
        match target {
            Target::Line(at) => {
                let line = &self.settings.lines[*at];
                let crate::settings::Owner::User(user) = &line.owner else {
                    return Ok(None);
                };
                let sip = self.sip.as_ref().ok_or(EndReason::Unavailable)?;
                let devices = sip.accounts.get(user).map(|account| &account.devices);
                let mut devices = devices.into_iter().flatten().rev();
                let device = devices.find(|device| device.binding.expires > now);
                let device = device.ok_or(EndReason::Unavailable)?;
                Ok(Some(Destination {
                    name: user.clone(),
                    number: Some(line.number.clone()),
                    place: device.place,
                    peer: reached_at(device),
                    target: device.binding.uri.clone(),
                    path: device.binding.path.clone(),
                }))
            }
            Target::Trunk(at, digits) => {
                let trunk = &self.settings.trunks[*at];
                let Way::Sip(peer) = trunk.way else {
                    return Ok(None);
                };
                let std::net::SocketAddr::V4(address) = peer.address else {
                    return Err(EndReason::Unavailable);
                };
                let parameter = match peer.transport {
                    Transport::Udp => String::new(),
                    other => format!(";transport={}", other.param()),
                };
                Ok(Some(Destination {
                    name: trunk.name.clone(),
                    number: None,
                    place: Place {
                        public: *address.ip(),
                        port: address.port(),
                        private: *address.ip(),
                    },
                    peer,
                    target: format!("sip:{}@{address}{parameter}", escape_user(digits)),
                    path: Vec::new(),
                }))
            }
        }
    }

    /// Offers a call to somebody who speaks SIP.
    pub(in crate::core) fn sip_offer(
        &mut self,
        now: Time,
        id: CallId,
        there: Destination,
    ) -> Result<(), EndReason> {
        let call = self.calls.get_mut(&id).ok_or(EndReason::Refused)?;
        let choice = select(&self.settings.sites, call.caller.place, there.place);
        call.choice = Some(choice);
        call.called = Some(End {
            who: Who::Sip(there.name.clone()),
            place: there.place,
            number: there.number.clone(),
            local: None,
            made: None,
        });
        let (place, is_sip) = (call.caller.place, call.caller.is_sip());
        let caller = self
            .sip
            .as_ref()
            .and_then(|sip| sip.calls.get(&id)?.caller.as_ref());
        let by_trunk = caller.is_some_and(|caller| self.trunk_at(caller.peer).is_some());
        let sip = self.sip.as_mut().ok_or(EndReason::Unavailable)?;
        let (to, out, dialog) = match is_sip {
            true => {
                let known = sip.calls.get(&id).ok_or(EndReason::Refused)?;
                let (_, request) = known.asked.clone().ok_or(EndReason::Refused)?;
                let caller = known.caller.as_ref().ok_or(EndReason::Refused)?;
                let routes = sip.record_routes(id, caller.peer, there.peer);
                let sent_on =
                    self.sip_forward(&request, there.peer, &there.target, &routes, by_trunk);
                let (to, mut out) = sent_on.ok_or(EndReason::Refused)?;
                let _ = retell(&mut out.fields, place, choice);
                let dialog = through(&request, &there.target);
                (to, out, dialog)
            }
            false => {
                let (out, dialog) = self.leg_invite(id, &there)?;
                (there.peer, out, dialog)
            }
        };
        let mut out = out;
        add_path(&mut out, &there.path);
        let to = super::send::hop(&out, to);
        let sip = self.sip.as_mut().ok_or(EndReason::Unavailable)?;
        let sent = sip.transactions.send(now, to, out);
        let (client, outputs) = sent.map_err(|_| EndReason::Congestion)?;
        sip.clients.insert(client, Sent::Invite(id));
        let known = sip.calls.entry(id).or_default();
        known.called = Some(Party {
            peer: there.peer,
            dialog,
        });
        known.sent = Some(client);
        known.refusal = None;
        known.version = 1;
        let address = choice.of(place);
        let shown: String = there.target.chars().take(2 * LONGEST_NAME).collect();
        let what = format!("INVITE {shown} {{R={address}}}");
        self.sip_rung(id, super::Side::Called, true, what);
        self.sip_outputs(now, &crate::registration::NoLeases, outputs);
        Ok(())
    }

    /// The INVITE of a line of H.248.
    fn leg_invite(
        &mut self,
        id: CallId,
        there: &Destination,
    ) -> Result<(Request, Dialog), EndReason> {
        let call = self.calls.get(&id).ok_or(EndReason::Refused)?;
        let (local, choice) = (call.caller.local.as_ref(), call.choice);
        let (local, choice) = local.zip(choice).ok_or(EndReason::Refused)?;
        let address = choice.of(call.caller.place);
        let offer = session::offer(local.as_bytes(), address, id, 1).ok_or(EndReason::Refused)?;
        let number = call.caller.number.as_ref();
        let number = number.map_or_else(|| "anonymous".to_owned(), ToString::to_string);
        let sip = self.sip.as_mut().ok_or(EndReason::Unavailable)?;
        let realm = sip.realm.name().to_owned();
        let (call_id, tag) = (sip.unique(), sip.unique());
        let from = format!("<sip:{}@{realm}>", escape_user(&number));
        let mut dialog = Dialog::outgoing(call_id, from, tag, &there.target);
        let mut request = dialog.request(Method::Invite);
        let via = format!(
            "SIP/2.0/{} {};rport;branch={}{}",
            there.peer.transport.as_str(),
            sip.sent_by(there.peer),
            ::sip::via::COOKIE,
            sip.unique()
        );
        request.fields.push_front(Name::Via, via);
        request
            .fields
            .push(Name::Contact, sip.contact(id, there.peer));
        request.fields.push(Name::Allow, ALLOWED);
        // It stops ringing by itself, should nobody be left to say so.
        let rings = self.settings.no_answer.as_secs() + 5;
        request.fields.push(Name::Expires, rings.to_string());
        request.fields.push(Name::ContentType, "application/sdp");
        request.fields.set_body(&offer);
        Ok((request, dialog))
    }
}

/// What requests to the called one say, in the name of the caller.
fn through(invite: &Request, target: &str) -> Dialog {
    let text = |name| invite.fields.text(name).unwrap_or_default().to_owned();
    Dialog {
        call_id: text(Name::CallId),
        local: text(Name::From),
        local_tag: invite.fields.from_tag().unwrap_or_default().to_owned(),
        remote: text(Name::To),
        remote_tag: None,
        target: target.to_owned(),
        routes: Vec::new(),
        sequence: invite.fields.cseq().map_or(0, |sequence| sequence.number),
        heard: None,
    }
}

/// The way that a registration has come (RFC 3327), before whatever routes there are.
fn add_path(request: &mut Request, path: &[String]) {
    for value in path.iter().rev() {
        request.fields.push_front(Name::Route, value);
    }
}
