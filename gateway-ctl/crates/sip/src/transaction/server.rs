//! Server transactions (RFC 3261 section 17.2, with the Accepted state of RFC 6026 and what RFC
//! 4320 forbids).
//!
//! ```text
//!   INVITE                                          others
//!   Proceeding  100 after 200 ms                    Trying, Proceeding  100 after 3.5 s
//!     | 2xx             | 300-699                     | 200-699 (a 408 is not sent)
//!   Accepted L: over  Completed G: again, H: over   Completed  J: over
//!     2xx: sent         | ACK                         again: sent again
//!                     Confirmed I: over
//! ```

use std::sync::Arc;
use std::time::Duration;

use super::key::Key;
use super::settings::Settings;
use crate::message::{Method, Request, Response, Status};
use crate::transport::Peer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Proceeding,
    Accepted,
    Completed,
    Confirmed,
}

#[derive(Debug)]
pub(super) struct Server {
    pub(super) key: Key,
    pub(super) merged: Option<Key>,
    /// Where answers go.
    pub(super) to: Peer,
    pub(super) state: State,
    pub(super) invite: bool,
    /// This crate answered it itself: nobody is told of it.
    pub(super) own: bool,
    /// What is sent again when the request is.
    last: Option<Arc<[u8]>>,
    /// A 100, and when it is sent.
    trying: Option<(Duration, Vec<u8>)>,
    again: Option<(Duration, Duration)>,
    ends: Option<Duration>,
}

/// What a deadline means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Send(Arc<[u8]>),
    Again(Arc<[u8]>),
    /// No ACK came for a final answer.
    Unacknowledged,
    Over,
}

impl Server {
    pub(super) fn new(
        now: Duration,
        key: Key,
        to: Peer,
        request: &Request,
        settings: &Settings,
    ) -> Self {
        let invite = request.method == Method::Invite;
        // RFC 4320 section 4.1: not before the client's timer has grown to T2.
        let wait = if invite {
            Duration::from_millis(200)
        } else {
            settings.t1 * 7
        };
        Self {
            key,
            merged: None,
            to,
            state: State::Proceeding,
            invite,
            own: false,
            last: None,
            trying: Some((now + wait, Response::trying(request))),
            again: None,
            ends: None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        let trying = self.trying.as_ref().map(|(at, _)| *at);
        let again = self.again.map(|(at, _)| at);
        [trying, again, self.ends].into_iter().flatten().min()
    }

    /// The request came again: what is sent for it.
    pub(super) fn repeated(&mut self) -> Option<Arc<[u8]>> {
        match (self.state, self.invite) {
            (State::Proceeding, true) if self.last.is_none() => {
                self.last = self.trying.take().map(|(_, bytes)| bytes.into());
                self.last.clone()
            }
            (State::Proceeding, _) | (State::Completed, _) => self.last.clone(),
            (State::Accepted | State::Confirmed, _) => None,
        }
    }

    /// An ACK came; whether it is for the user, as one for a 2xx is.
    pub(super) fn acknowledged(&mut self, now: Duration, settings: &Settings) -> bool {
        if self.state == State::Completed {
            self.state = State::Confirmed;
            self.again = None;
            self.ends = Some(now + Settings::absorb(self.to.transport, settings.t4));
        }
        self.state == State::Accepted
    }

    /// The user answers; what is sent of it.
    pub(super) fn answer(
        &mut self,
        now: Duration,
        response: &Response,
        settings: &Settings,
    ) -> Option<Arc<[u8]>> {
        let status = response.status;
        match self.state {
            State::Proceeding if status.is_provisional() => {
                // RFC 4320 section 4.1: nothing but 100, and that at its own time.
                if !self.invite {
                    return None;
                }
                self.trying = None;
                self.last = Some(response.encode().into());
                self.last.clone()
            }
            State::Proceeding => {
                self.trying = None;
                let bytes: Arc<[u8]> = response.encode().into();
                let reliable = self.to.transport.is_reliable();
                self.ends = Some(now + settings.patience());
                if !self.invite {
                    self.state = State::Completed;
                    self.ends =
                        Some(now + Settings::absorb(self.to.transport, settings.patience()));
                    // RFC 4320 section 4.2: who asked has given up by itself by then.
                    let late = status == Status::REQUEST_TIMEOUT;
                    self.last = (!late).then_some(bytes);
                } else if status.is_success() {
                    self.state = State::Accepted;
                    self.last = None;
                    return Some(bytes);
                } else {
                    self.state = State::Completed;
                    self.again = (!reliable).then_some((now + settings.t1, settings.t1));
                    self.last = Some(bytes);
                }
                self.last.clone()
            }
            State::Accepted if status.is_success() => Some(response.encode().into()),
            _ => None,
        }
    }

    pub(super) fn due(&mut self, now: Duration, settings: &Settings) -> Due {
        if self.ends.is_some_and(|at| at <= now) {
            return match (self.state, self.invite) {
                (State::Completed, true) => Due::Unacknowledged,
                _ => Due::Over,
            };
        }
        if let Some((at, _)) = &self.trying
            && *at <= now
            && let Some((_, bytes)) = self.trying.take()
        {
            let bytes: Arc<[u8]> = bytes.into();
            self.last = Some(Arc::clone(&bytes));
            return Due::Send(bytes);
        }
        if let Some((at, interval)) = &mut self.again
            && *at <= now
        {
            *interval = (*interval * 2).min(settings.t2);
            *at = now + *interval;
            return self.last.clone().map_or(Due::Nothing, Due::Again);
        }
        Due::Nothing
    }
}
