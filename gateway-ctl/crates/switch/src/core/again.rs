//! A restart that comes again, octet by octet, while its reply is still kept.
//!
//! ```text
//!   Restart --> reply .... the same Restart --> the same reply, and the gateway is asked:
//!                          contexts: calls whose context is gone are over
//!                          lines: those that are hung up wait to be lifted, again
//!                          events of lines that dial: are they still waited for?
//! ```
//!
//! The network has doubled the message, and nothing may be lost by that; or the phone has started
//! twice within half a minute, counts its transactions from the same number, and has forgotten all
//! that it was told. Only the gateway knows which.

use megaco::{ActionReply, AuditReply, Mid, RequestId, Response, TerminationId};

use super::register::asker;
use super::{After, Change, LineState, Step, Switch, Time};
use crate::h248::commands;
use crate::identity::GatewayId;
use crate::registration::{Leases, Peer, Service};

impl Switch {
    /// The restart of a gateway came again, and so did the reply that it was given.
    pub fn restarted_again(&mut self, now: Time, leases: &dyn Leases, peer: Peer, mid: &Mid) {
        self.now = now;
        let id = asker(leases, peer, mid).id;
        let Some(there) = self.gateways.get_mut(&id) else {
            return;
        };
        if there.registration.peer.address.ip() != peer.address.ip() {
            return;
        }
        there.heard = now;
        there.registration.peer = peer;
        if there.registration.service != Service::Up {
            // It had left meanwhile, and is told that it is registered.
            there.registration.service = Service::Up;
            let registration = Box::new(there.registration.clone());
            self.commit(vec![Change::Register(registration)], After::Nothing);
        }
        if self.is_asked_for(&id, &Step::Contexts) {
            return;
        }
        self.greet(now, &id);
        for (line, request) in self.lifted_lines(&id) {
            let action = commands::audit_events(&line);
            self.ask(&id, action, Step::Armed(line, request));
        }
    }

    /// Lines that are lifted and have no call, with the number of the events that they were asked
    /// for, and have said that they wait for.
    fn lifted_lines(&self, gateway: &GatewayId) -> Vec<(TerminationId, u32)> {
        let there = self.gateways.get(gateway).into_iter();
        let lines = there.flat_map(|there| &there.lines);
        let lifted = lines.filter(|(_, line)| {
            let lifted = matches!(line.state, LineState::Dialling { .. } | LineState::Over);
            lifted && line.asked.is_none()
        });
        lifted
            .map(|(id, line)| (id.clone(), line.request))
            .collect()
    }

    /// A lifted line has told for which events it waits. If they are none of ours, its phone has
    /// started anew.
    pub(super) fn is_armed(
        &mut self,
        gateway: &GatewayId,
        line: &TerminationId,
        request: u32,
        actions: &[ActionReply],
    ) {
        let responses = actions.iter().flat_map(|action| &action.responses);
        let told = responses.filter_map(|response| match response {
            Response::AuditValue(AuditReply::Terminations(amm)) => Some(&amm.descriptors),
            _ => None,
        });
        let waits = told
            .filter_map(|descriptors| descriptors.events())
            .any(|events| events.request == Some(RequestId::Id(request)));
        let lifted = self.line(gateway, line).is_some_and(|there| {
            matches!(there.state, LineState::Dialling { .. } | LineState::Over)
                && there.is_current(request)
        });
        if lifted && !waits {
            self.make_idle(gateway, line);
        }
    }
}
