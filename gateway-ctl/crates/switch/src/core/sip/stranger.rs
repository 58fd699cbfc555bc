//! Who has not shown a password yet: is asked for it, and leaves nothing here (RFC 3261 section
//! 8.2.7).

use ::sip::{Method, Name, Peer, Request, Response};

use super::super::{Output, Switch, Time};

impl Switch {
    /// Whether a request needs a password and has none.
    pub(super) fn sip_is_stranger(&self, from: Peer, request: &Request) -> bool {
        let fields = &request.fields;
        let none = |name| fields.value(name).is_none();
        match request.method {
            Method::Register => none(Name::Authorization) && fields.to_tag().is_none(),
            Method::Invite | Method::Message => {
                none(Name::ProxyAuthorization)
                    && fields.to_tag().is_none()
                    && self.trunk_at(from).is_none()
            }
            _ => false,
        }
    }

    /// Answers a stranger, each time anew.
    pub(super) fn sip_turn_away(&mut self, now: Time, from: Peer, mut request: Request) {
        let sip = self.sip.as_ref();
        let to = sip.and_then(|sip| sip.transactions.stateless(from, &mut request));
        let refused = self.sip_turned_away(now, from, &mut request);
        let (Some(to), Err(answer), Some(sip)) = (to, refused, &mut self.sip) else {
            return;
        };
        sip.counters.refused(answer.status.code());
        let (bytes, client) = (answer.encode().into(), None);
        self.outputs.push_back(Output::Sip { to, bytes, client });
    }

    /// Nobody gets past this: what it is told is what it would be with a transaction.
    fn sip_turned_away(
        &mut self,
        now: Time,
        from: Peer,
        request: &mut Request,
    ) -> Result<(), Response> {
        self.sip_arrived(request)?;
        match request.method {
            Method::Register => drop(self.sip_registrant(now, request)?),
            Method::Message => {
                self.sip_is_ours(request)?;
                self.sip_caller(now, from, request)?;
            }
            _ => drop(self.sip_caller(now, from, request)?),
        }
        Ok(())
    }
}
