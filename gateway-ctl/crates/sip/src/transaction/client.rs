//! Client transactions (RFC 3261 section 17.1, with the Accepted state of RFC 6026).
//!
//! ```text
//!   INVITE                                     others
//!   Calling    A: again, B: timed out          Trying      E: again, F: timed out
//!     | 1xx                                      | 1xx
//!   Proceeding C: no answer                    Proceeding  E: again every T2, F: timed out
//!     | 2xx             | 300-699                | 200-699
//!   Accepted M: over  Completed D: over        Completed   K: over
//!     2xx: passed on    again: ACK               again: absorbed
//! ```

use std::sync::Arc;
use std::time::Duration;

use super::key::Key;
use super::settings::Settings;
use crate::message::{Method, Name, Request, Response};
use crate::transport::Peer;

/// Where it stands; Calling and Trying are both the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Calling,
    Proceeding,
    Accepted,
    Completed,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) key: Key,
    pub(super) to: Peer,
    pub(super) state: State,
    /// The transaction of this crate's own CANCEL: nobody is told of it.
    pub(super) own: bool,
    /// What is sent again.
    bytes: Arc<[u8]>,
    /// An INVITE, as long as an ACK or CANCEL may be made of it.
    invite: Option<Box<Request>>,
    /// The ACK, once there is one.
    ack: Option<Arc<[u8]>>,
    pub(super) cancel: Cancel,
    again: Option<(Duration, Duration)>,
    ends: Option<Duration>,
    ringing: Option<Duration>,
}

/// Whether an INVITE is to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cancel {
    No,
    /// As soon as there is a provisional answer (section 9.1).
    Wanted,
    Sent,
}

/// What a response means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Tell the user.
    Pass,
    /// Tell the user, and send this ACK.
    PassAndAck(Arc<[u8]>),
    /// Send the ACK again.
    Ack(Arc<[u8]>),
    /// Known already.
    Absorb,
}

/// What a deadline means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Again(Arc<[u8]>),
    TimedOut,
    NoAnswer,
    Over,
}

impl Client {
    pub(super) fn new(
        now: Duration,
        key: Key,
        to: Peer,
        request: Request,
        settings: &Settings,
    ) -> Self {
        let bytes: Arc<[u8]> = request.encode().into();
        let again = (!to.transport.is_reliable()).then_some((now + settings.t1, settings.t1));
        let invite = (request.method == Method::Invite).then(|| Box::new(request));
        Self {
            key,
            to,
            state: State::Calling,
            own: false,
            bytes,
            invite,
            ack: None,
            cancel: Cancel::No,
            again,
            ends: Some(now + settings.patience()),
            ringing: None,
        }
    }

    pub(super) fn bytes(&self) -> Arc<[u8]> {
        Arc::clone(&self.bytes)
    }

    pub(super) const fn is_invite(&self) -> bool {
        self.invite.is_some() || matches!(self.state, State::Accepted) || self.ack.is_some()
    }

    /// The earliest moment anything is to be done.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let again = self.again.map(|(at, _)| at);
        [again, self.ends, self.ringing].into_iter().flatten().min()
    }

    pub(super) fn hear(
        &mut self,
        now: Duration,
        response: &Response,
        settings: &Settings,
    ) -> Heard {
        if self.is_invite() {
            self.hear_invite(now, response, settings)
        } else {
            self.hear_other(now, response, settings)
        }
    }

    fn hear_invite(&mut self, now: Duration, response: &Response, settings: &Settings) -> Heard {
        let status = response.status;
        match self.state {
            State::Calling | State::Proceeding if status.is_provisional() => {
                self.state = State::Proceeding;
                self.again = None;
                if self.cancel != Cancel::Sent {
                    self.ends = None;
                    // A 100 says nothing about the callee (section 16.7, step 2).
                    if status.code() > 100 || self.ringing.is_none() {
                        self.ringing = settings.ringing.map(|time| now + time);
                    }
                }
                Heard::Pass
            }
            State::Calling | State::Proceeding | State::Accepted if status.is_success() => {
                if self.state != State::Accepted {
                    self.state = State::Accepted;
                    self.settle(now + settings.patience());
                    self.invite = None;
                }
                Heard::Pass
            }
            State::Calling | State::Proceeding if !status.is_provisional() => {
                self.state = State::Completed;
                // Timer D is at least 32 s, whatever T1 is.
                let time = settings.patience().max(Duration::from_secs(32));
                self.settle(now + Settings::absorb(self.to.transport, time));
                let invite = self.invite.take();
                let ack: Arc<[u8]> = match &invite {
                    Some(invite) => ack(invite, response).encode().into(),
                    None => return Heard::Pass,
                };
                self.ack = Some(Arc::clone(&ack));
                Heard::PassAndAck(ack)
            }
            State::Completed if !status.is_provisional() && !status.is_success() => {
                match &self.ack {
                    Some(ack) => Heard::Ack(Arc::clone(ack)),
                    None => Heard::Absorb,
                }
            }
            _ => Heard::Absorb,
        }
    }

    fn hear_other(&mut self, now: Duration, response: &Response, settings: &Settings) -> Heard {
        match self.state {
            State::Calling | State::Proceeding if response.status.is_provisional() => {
                self.state = State::Proceeding;
                if let Some((at, interval)) = &mut self.again {
                    (*at, *interval) = (now + settings.t2, settings.t2);
                }
                Heard::Pass
            }
            State::Calling | State::Proceeding => {
                self.state = State::Completed;
                self.settle(now + Settings::absorb(self.to.transport, settings.t4));
                Heard::Pass
            }
            State::Accepted | State::Completed => Heard::Absorb,
        }
    }

    fn settle(&mut self, ends: Duration) {
        (self.again, self.ringing, self.ends) = (None, None, Some(ends));
        self.bytes = Arc::from([]);
    }

    pub(super) fn due(&mut self, now: Duration, settings: &Settings) -> Due {
        if self.ends.is_some_and(|at| at <= now) {
            return match self.state {
                State::Calling | State::Proceeding => Due::TimedOut,
                State::Accepted | State::Completed => Due::Over,
            };
        }
        if self.ringing.is_some_and(|at| at <= now) {
            self.ringing = None;
            return Due::NoAnswer;
        }
        if let Some((at, interval)) = &mut self.again
            && *at <= now
        {
            *interval *= 2;
            // An INVITE's interval doubles without end, others' up to T2.
            if self.invite.is_none() {
                *interval = (*interval).min(settings.t2);
            }
            *at = now + *interval;
            return Due::Again(self.bytes());
        }
        Due::Nothing
    }

    /// The CANCEL for this INVITE, if now is the time for it.
    pub(super) fn take_cancel(&mut self, now: Duration, settings: &Settings) -> Option<Request> {
        if self.cancel != Cancel::Wanted || self.state != State::Proceeding {
            return None;
        }
        let cancel = cancel(self.invite.as_deref()?);
        self.cancel = Cancel::Sent;
        // Without a final answer by then it never comes (section 9.1).
        self.ends = Some(now + settings.patience());
        self.ringing = None;
        Some(cancel)
    }
}

/// The ACK for a final answer that is no success (section 17.1.1.3).
fn ack(invite: &Request, response: &Response) -> Request {
    let mut ack = like(invite, Method::Ack);
    ack.fields.copy(&response.fields, Name::To);
    ack
}

/// The CANCEL for an INVITE (section 9.1).
fn cancel(invite: &Request) -> Request {
    let mut cancel = like(invite, Method::Cancel);
    cancel.fields.copy(&invite.fields, Name::To);
    cancel
}

/// A request with the same top Via, Route, From, Call-ID and CSeq number; To is left to add.
fn like(invite: &Request, method: Method) -> Request {
    let number = invite.fields.cseq().map_or(0, |sequence| sequence.number);
    let mut request = Request::new(method, invite.uri());
    let via = invite.fields.first(Name::Via).unwrap_or_default();
    request.fields.push(Name::Via, via);
    for name in [Name::Route, Name::From, Name::CallId] {
        request.fields.copy(&invite.fields, name);
    }
    let sequence = format!("{number} {}", request.method);
    request.fields.push(Name::CSeq, sequence);
    request.fields.push(Name::MaxForwards, "70");
    request
}
