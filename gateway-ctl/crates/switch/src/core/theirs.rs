//! What is a gateway's: calls and questions; and what is one phone's or address's: gateways.
//!
//! Every look at them costs what this one has, however many others there are.

use super::{Call, End, Switch, Ticket};
use crate::identity::GatewayId;
use crate::record::CallId;
use crate::registration::{Origin, Service};

impl Switch {
    /// A call has an end here.
    pub(super) fn joined(&mut self, gateway: &GatewayId, call: CallId) {
        if let Some(there) = self.gateways.get_mut(gateway) {
            there.calls.insert(call);
        }
    }

    /// An end of a call is not there any more; perhaps the other one is.
    pub(super) fn left(&mut self, end: &End, id: CallId) {
        let Some(at) = end.at() else {
            return;
        };
        let call = self.calls.get(&id);
        let mut ends = call.into_iter().flat_map(Call::ends);
        if ends.all(|(_, end)| !end.is_on(&at.gateway))
            && let Some(there) = self.gateways.get_mut(&at.gateway)
        {
            there.calls.remove(&id);
        }
    }

    /// Calls that have an end here.
    pub(super) fn calls_of(&self, gateway: &GatewayId) -> impl Iterator<Item = (CallId, &Call)> {
        let there = self.gateways.get(gateway).into_iter();
        let ids = there.flat_map(|there| &there.calls);
        ids.filter_map(|id| Some((*id, self.calls.get(id)?)))
    }

    /// Takes all questions that a gateway has not answered.
    pub(super) fn questions_to(&mut self, gateway: &GatewayId) -> Vec<Ticket> {
        let there = self.gateways.get_mut(gateway);
        let asked = there.map(|there| std::mem::take(&mut there.asked));
        asked.into_iter().flatten().collect()
    }

    /// Whether a gateway has still to answer a question of this kind.
    pub(super) fn is_asked_for(&self, gateway: &GatewayId, step: &super::Step) -> bool {
        let there = self.gateways.get(gateway).into_iter();
        let mut asked = there.flat_map(|there| &there.asked);
        asked.any(|ticket| {
            let asked = self.asked.get(ticket);
            asked.is_some_and(|asked| asked.step == *step)
        })
    }

    /// Whether a gateway has still to answer something that makes or ends a context.
    pub(super) fn is_told_of_calls(&self, gateway: &GatewayId) -> bool {
        let Some(there) = self.gateways.get(gateway) else {
            return false;
        };
        let mut asked = there
            .asked
            .iter()
            .filter_map(|ticket| self.asked.get(ticket));
        let of_call = |step: &super::Step| step.call().is_some() || *step == super::Step::Late;
        asked.any(|asked| of_call(&asked.step))
            || there
                .lines
                .values()
                .any(|line| line.queue.iter().any(|(_, step)| of_call(step)))
    }

    /// How many gateways have registered from there.
    pub(super) fn count_of(&self, origin: &Origin) -> usize {
        self.by_origin.get(origin).map_or(0, |those| those.len())
    }

    /// A gateway registers from there.
    pub(super) fn moved(&mut self, gateway: &GatewayId, to: Origin) {
        let there = self.gateways.get(gateway);
        let from = there.map(|there| there.registration.origin());
        if let Some(from) = from.filter(|from| *from != to) {
            self.gone_from(gateway, &from);
        }
        self.by_origin
            .entry(to)
            .or_default()
            .insert(gateway.clone());
    }

    pub(super) fn gone_from(&mut self, gateway: &GatewayId, origin: &Origin) {
        if let Some(those) = self.by_origin.get_mut(origin) {
            those.remove(gateway);
            if those.is_empty() {
                self.by_origin.remove(origin);
            }
        }
    }

    /// Forgets a gateway of this origin that is down and has no call; whether there was one.
    pub(super) fn forget_one(&mut self, origin: &Origin) -> bool {
        let idle = |id: &&GatewayId| {
            let there = self.gateways.get(*id);
            there.is_some_and(|there| {
                there.registration.service == Service::Down && there.calls.is_empty()
            })
        };
        let those = self.by_origin.get(origin);
        let found = those.and_then(|those| those.iter().find(idle).cloned());
        if let Some(gateway) = &found {
            self.forget_questions(gateway);
            self.forget(gateway);
        }
        found.is_some()
    }
}
