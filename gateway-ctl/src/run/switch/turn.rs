//! What the endpoint and the switch want done, in their order.

use megaco::Outcome;
use megaco::transactions::Output as Wire;
use store::Store as _;
use switch::registration::Transport;
use switch::{Heard, NoAnswer, Output, RequestKey, Time};

use super::super::gateway::Gateway;
use super::places::Here;
use super::records::Records;
use super::service::Telephony;
use super::socket::Ends;
use super::tcp;

impl Gateway {
    /// Does what the switch wants done, after `what` has happened.
    pub(super) fn telephony_turn(&mut self, what: impl FnOnce(&mut Telephony, Time)) {
        self.telephony_turn_here(|telephony, now, _| what(telephony, now));
    }

    /// The same, for who asks whose an address is.
    pub(super) fn telephony_turn_here(
        &mut self,
        what: impl FnOnce(&mut Telephony, Time, &Here<'_>),
    ) {
        let Some(telephony) = &mut self.telephony else {
            return;
        };
        let now = telephony.now();
        let here = Here {
            leases: self.leases.as_ref(),
            ledger: &self.plan.ledger,
        };
        what(telephony, now, &here);
        telephony.turn(now, &here);
    }
}

impl Gateway {
    /// Does what the API has had the switch want.
    pub(crate) fn telephony_wake(&mut self) {
        self.telephony_turn(|_, _| {});
    }

    /// Ends a call.
    pub(crate) fn end_call(&mut self, call: switch::record::CallId) {
        self.telephony_turn(|telephony, now| {
            telephony.switch.end_call(now, call);
        });
    }
}

impl Telephony {
    /// Until nothing is left to do.
    fn turn(&mut self, now: Time, here: &Here<'_>) {
        loop {
            // What the switch wants said to one gateway is said in one message.
            if let Some(output) = self.switch.next_output() {
                self.wanted(now, output);
            } else if let Some(output) = self.wire.next_output() {
                self.heard(now, here, output);
            } else {
                break;
            }
        }
        let timeouts = [self.wire.poll_timeout(), self.switch.poll_timeout()];
        let due = timeouts.into_iter().flatten().min().unwrap_or(Time::MAX);
        if due < self.alarm {
            self.timer.notify_one();
        }
    }

    /// What came over the wire.
    fn heard(&mut self, now: Time, here: &Here<'_>, output: Wire<switch::registration::Peer>) {
        match output {
            Wire::Send { to, bytes } if to.transport == Transport::Tcp => {
                tcp::send(&self.tcp, to, &bytes);
            }
            Wire::Send { to, bytes } => {
                let (address, local) = (to.address, to.local);
                if let Err(error) = self.socket.send(Ends { address, local }, &bytes) {
                    // It is sent again.
                    tracing::debug!(to = %to.address, %error, "cannot send");
                }
            }
            Wire::Request {
                request,
                from,
                mid,
                actions,
                ..
            } => {
                let key = RequestKey(self.next_request);
                self.next_request += 1;
                match self.switch.asked(now, here, from, &mid, actions, key) {
                    Heard::Answer(actions) => {
                        self.wire.reply(now, request, Outcome::Actions(actions));
                    }
                    Heard::Later => drop(self.requests.insert(key, request)),
                    Heard::Refuse(error) => {
                        let (code, text) = (error.code.0, error.text.as_str());
                        tracing::debug!(%mid, from = %from.address, code, text, "refused");
                        self.wire.reply(now, request, Outcome::Error(error));
                    }
                }
            }
            Wire::Reply {
                id,
                from,
                mid,
                outcome,
                ..
            } => {
                self.switch.is_heard(now, here, from, &mid);
                if let Some(ticket) = self.tickets.remove(&id) {
                    let answer = match outcome {
                        Outcome::Actions(actions) => Ok(actions),
                        Outcome::Error(error) => Err(NoAnswer::Refused(error)),
                    };
                    self.switch.answered(now, ticket, answer);
                }
            }
            Wire::Failed { id, why } => {
                tracing::debug!(id, ?why, "a gateway has not answered");
                if let Some(ticket) = self.tickets.remove(&id) {
                    self.switch.answered(now, ticket, Err(NoAnswer::Silent));
                }
            }
            Wire::Repeated {
                from, mid, restart, ..
            } => {
                tracing::debug!(from = %from.address, restart, "a request came again");
                if restart {
                    self.switch.restarted_again(now, here, from, &mid);
                }
            }
            Wire::Expired { request } => self.requests.retain(|_, other| *other != request),
            Wire::MessageError { from, error, .. } => {
                let (code, text) = (error.code.0, error.text.as_str());
                tracing::debug!(from = %from.address, code, text, "a gateway cannot read us");
            }
            Wire::Malformed { from, error } => {
                tracing::debug!(from = %from.address, %error, "cannot be read");
            }
        }
    }

    /// What the switch wants.
    fn wanted(&mut self, now: Time, output: Output) {
        match output {
            Output::Ask {
                ticket,
                peer,
                version,
                actions,
                ..
            } => {
                let id = self.wire.request(now, peer, version, actions);
                self.tickets.insert(id, ticket);
            }
            Output::Answer { request, actions } => {
                if let Some(request) = self.requests.remove(&request) {
                    self.wire.reply(now, request, Outcome::Actions(actions));
                }
            }
            Output::Commit { id, changes } => {
                self.unwritten.push((id, changes));
                self.writer.notify_one();
            }
            Output::Sip { to, bytes, client } => self.send_sip(now, to, bytes, client),
            Output::Ended(record) => {
                let (call, reason) = (record.id, record.reason.label());
                tracing::debug!(call, reason, dialled = record.dialled, "a call is over");
                self.log.add(&record);
            }
        }
    }

    /// Hands over to the store what is to be on disk: in as few batches as hold it.
    pub(super) fn write(&mut self) -> anyhow::Result<()> {
        let mut unwritten = std::mem::take(&mut self.unwritten).into_iter().peekable();
        while unwritten.peek().is_some() {
            let mut records = Records::stamped(self.clock.now())?;
            let mut ids = Vec::new();
            while !records.is_full()
                && let Some((id, changes)) = unwritten.next()
            {
                records.add(&changes)?;
                ids.push(id);
            }
            let committed = self.committed.clone();
            let answer = move |result| {
                // Nobody listens: the service has ended.
                let _ = committed.send((ids, result));
            };
            self.store.submit(records.batch, Box::new(answer));
        }
        Ok(())
    }
}
