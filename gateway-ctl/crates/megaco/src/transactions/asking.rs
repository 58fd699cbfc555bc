//! Our requests, and replies of others.
//!
//! ```text
//!   Sent --time--> again, again ..  --25 s--> Failed
//!    |-- Pending --> waits longer, again seldom
//!    |-- segment --> waits for the others --10 s--> Failed
//!    `-- reply, last segment --> Reply
//! ```

use std::time::Duration;

use super::hear::Sender;
use super::segments::Gathered;
use super::timers::Timer;
use super::{Address, Dropped, Endpoint, Failure, Output};
use crate::message::{
    ActionRequest, Outcome, SegmentInfo, SegmentReply, Transaction, TransactionReply,
    TransactionRequest,
};

/// A request of ours.
#[derive(Clone, Debug)]
pub(super) struct Asking<A> {
    to: A,
    bytes: Vec<u8>,
    /// The first time, or the last Pending.
    since: Duration,
    sent: u32,
    pendings: u32,
    deadline: Duration,
    gathered: Gathered,
}

impl<A: Address> Endpoint<A> {
    /// Asks somebody. The number is told with what comes of it: [`Output::Reply`] or
    /// [`Output::Failed`].
    pub fn request(
        &mut self,
        now: Duration,
        to: A,
        version: u8,
        actions: Vec<ActionRequest>,
    ) -> u32 {
        let id = self.take_id();
        self.counters.requests_out += 1;
        let request = Transaction::Request(TransactionRequest { id, actions });
        let acks = self.take_acks(to).map(Transaction::Ack);
        let bytes = match acks {
            Some(acks) => self.encoded(version, &[acks, request]),
            None => self.encoded(version, &[request]),
        };
        if bytes.len() > self.settings.message.size {
            self.counters.failed += 1;
            let why = Failure::TooLong;
            self.outputs.push_back(Output::Failed { id, why });
            return id;
        }
        let deadline = now + self.settings.resend.wait(1, id.into());
        self.timers.set(Timer::Asking(id), deadline);
        let asking = Asking {
            to,
            bytes: bytes.clone(),
            since: now,
            sent: 1,
            pendings: 0,
            deadline,
            gathered: Gathered::default(),
        };
        self.asking.insert(id, asking);
        self.send_along(to, bytes);
        id
    }

    fn take_id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        id
    }

    /// Whether we gave this number to a request.
    fn issued(&self, id: u32) -> bool {
        let first = self.settings.first_id.max(1);
        id.wrapping_sub(first) < self.next_id.wrapping_sub(first)
    }

    /// Gives up a request: nothing more is told of it. Whether there was one.
    pub fn cancel(&mut self, id: u32) -> bool {
        match self.asking.remove(&id) {
            Some(asking) => {
                self.timers.unset(Timer::Asking(id), asking.deadline);
                true
            }
            None => false,
        }
    }

    /// Those who are asked are elsewhere now (RFC 3525 annex D.1.5): requests that are not
    /// answered go there.
    pub fn redirect(&mut self, now: Duration, old: A, new: A) {
        for (&id, asking) in &mut self.asking {
            if asking.to == old {
                self.timers.unset(Timer::Asking(id), asking.deadline);
                (asking.to, asking.deadline) = (new, now);
                self.timers.set(Timer::Asking(id), now);
            }
        }
        self.handle_timeout(now);
    }

    /// Whether a request of this number waits for an answer from there.
    pub(super) fn asked_there(&self, id: u32, from: A) -> bool {
        let asking = self.asking.get(&id);
        asking.is_some_and(|asking| asking.to.host() == from.host())
    }

    pub(super) fn fail(&mut self, id: u32, why: Failure) {
        if self.cancel(id) {
            self.counters.failed += 1;
            self.outputs.push_back(Output::Failed { id, why });
        }
    }

    pub(super) fn asking_timeout(&mut self, now: Duration, id: u32) {
        let resend = self.settings.resend;
        let Some(asking) = self.asking.get_mut(&id) else {
            return;
        };
        if asking.gathered.begun() {
            return self.fail(id, Failure::SegmentsLost);
        }
        // Pendings restart the time, but do not shorten what is left of it.
        let patience = if asking.pendings > 0 {
            resend.give_up.max(self.settings.resend_pending * 2)
        } else {
            resend.give_up
        };
        let elapsed = now.saturating_sub(asking.since);
        if elapsed >= patience {
            return self.fail(id, Failure::Timeout);
        }
        asking.sent += 1;
        let wait = if asking.pendings > 0 {
            self.settings.resend_pending
        } else {
            resend.wait(asking.sent, id.into())
        };
        asking.deadline = now + wait.min(patience - elapsed);
        self.timers.set(Timer::Asking(id), asking.deadline);
        let (to, bytes) = (asking.to, asking.bytes.clone());
        self.counters.resent += 1;
        self.send_bytes(to, bytes);
    }

    pub(super) fn hear_pending(&mut self, now: Duration, sender: &Sender<'_, A>, id: u32) {
        if !self.asked_there(id, sender.from) {
            return self.counters.count(Dropped::Unasked);
        }
        self.counters.pendings_in += 1;
        let most = self.settings.most_pendings;
        let Some(asking) = self.asking.get_mut(&id) else {
            return;
        };
        if asking.gathered.begun() {
            return;
        }
        asking.pendings += 1;
        asking.since = now;
        // Its sender gives up first; who sends twice as many never will.
        if asking.pendings > most.saturating_mul(2) {
            return self.fail(id, Failure::TooManyPendings);
        }
        self.timers.unset(Timer::Asking(id), asking.deadline);
        asking.deadline = now + self.settings.resend_pending;
        self.timers.set(Timer::Asking(id), asking.deadline);
    }

    pub(super) fn hear_reply(
        &mut self,
        now: Duration,
        sender: &Sender<'_, A>,
        reply: TransactionReply,
        octets: usize,
    ) {
        let id = reply.id;
        if !self.asked_there(id, sender.from) {
            return self.late(sender, reply);
        }
        let (outcome, immediate) = match (reply.segment, reply.outcome) {
            (Some(segment), Outcome::Actions(actions)) => {
                self.counters.segments_in += 1;
                self.ack_segment(sender, id, segment);
                let Some(asking) = self.asking.get_mut(&id) else {
                    return;
                };
                if !asking
                    .gathered
                    .add(segment, actions, octets, self.settings.message.size)
                {
                    return self.fail(id, Failure::Unreadable);
                }
                let Some(actions) = asking.gathered.complete() else {
                    self.timers.unset(Timer::Asking(id), asking.deadline);
                    asking.deadline = now + self.settings.segment_wait;
                    return self.timers.set(Timer::Asking(id), asking.deadline);
                };
                (Outcome::Actions(actions), reply.immediate_ack)
            }
            (_, outcome) => (outcome, reply.immediate_ack),
        };
        let pendings = self.asking.get(&id).map_or(0, |asking| asking.pendings);
        self.cancel(id);
        self.counters.replies_in += 1;
        if immediate || pendings > 0 {
            self.ack_now(sender, id);
        } else if reply.segment.is_none() {
            self.ack_later(now, sender, id);
        }
        self.outputs.push_back(Output::Reply {
            id,
            from: sender.from,
            mid: sender.mid(),
            version: sender.head.version,
            outcome,
        });
    }

    /// A reply to nothing that waits: again, because our acknowledgement was lost; or somebody
    /// could not read the number of a request.
    fn late(&mut self, sender: &Sender<'_, A>, reply: TransactionReply) {
        match (reply.id, reply.outcome) {
            (0, Outcome::Error(error)) => self.outputs.push_back(Output::MessageError {
                from: sender.from,
                mid: sender.mid(),
                error,
            }),
            (id, _) if self.issued(id) && !self.asking.contains_key(&id) => {
                if let Some(segment) = reply.segment {
                    self.ack_segment(sender, id, segment);
                } else if reply.immediate_ack {
                    self.ack_now(sender, id);
                }
            }
            _ => self.counters.count(Dropped::Unasked),
        }
    }

    fn ack_segment(&mut self, sender: &Sender<'_, A>, id: u32, segment: SegmentInfo) {
        let ack = Transaction::Segment(SegmentReply { id, segment });
        self.send(sender.from, sender.head.version, &[ack]);
    }
}
