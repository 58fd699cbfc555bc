//! A file goes to the client.
//!
//! ```text
//!   new --options--> Offering --ACK 0--> Sending --ACK of the last block--> over
//!    `----------------without------------^  |  ^
//!                                           `--'  ACK of any block that was sent: go on after it
//! ```
//!
//! A window is sent from the block after the last acknowledged one (RFC 7440 section 4).
//! An acknowledgement that tells nothing new never makes this side send: else each DATA
//! would go twice from the first doubled ACK on (the sorcerer's apprentice, RFC 1123
//! section 4.2.3.1). What is lost without being told is sent again by the timer.

use std::time::Duration;

use crate::blocks::{Blocks, wire};
use crate::options::{Agreed, Limits, agree};
use crate::pace::{Pace, SHORTEST_FOR_DATA, Timeout};
use crate::packet::{ErrorCode, Packet, error_datagram};
use crate::request::{Direction, Request};
use crate::{Outcome, Step};

/// The server's side of a read.
#[derive(Clone, Debug)]
pub struct ReadSession {
    agreed: Agreed,
    length: u64,
    /// Number of the last block: the one that is not full.
    last: u64,
    /// The OACK, until it is answered.
    oack: Option<Vec<u8>>,
    /// The last block that the client is known to have.
    acked: u64,
    /// The last block that was ever sent.
    sent: u64,
    resent: u64,
    heard: bool,
    pace: Pace,
    outcome: Option<Outcome>,
}

impl ReadSession {
    /// Answers a request with a file of `length` bytes (of netascii: of the text as it is
    /// sent).
    pub fn new(request: &Request<'_>, length: u64, limits: &Limits, now: Duration) -> (Self, Step) {
        let (agreed, oack) = agree(&request.offered, Direction::Read, length, limits);
        let mut session = Self {
            agreed,
            length,
            last: length / u64::from(agreed.block_size) + 1,
            oack,
            acked: 0,
            sent: 0,
            resent: 0,
            heard: false,
            pace: Pace::new(&agreed, limits, SHORTEST_FOR_DATA, now),
            outcome: None,
        };
        let step = match &session.oack {
            Some(oack) => Step::Send(oack.clone()),
            None => session.window(now),
        };
        (session, step)
    }

    /// What both sides go by.
    #[must_use]
    pub const fn agreed(&self) -> Agreed {
        self.agreed
    }

    /// How it ended, if it has.
    #[must_use]
    pub const fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// Whether the client has answered.
    #[must_use]
    pub const fn heard(&self) -> bool {
        self.heard
    }

    /// Datagrams that were sent more than once.
    #[must_use]
    pub const fn resent(&self) -> u64 {
        self.resent
    }

    /// When to call [`Self::handle_timeout`]; never once it is over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.outcome.is_none().then(|| self.pace.deadline())
    }

    /// A datagram from the client's port.
    pub fn handle(&mut self, now: Duration, datagram: &[u8]) -> Step {
        if self.outcome.is_some() {
            return Step::Wait;
        }
        match Packet::parse(datagram) {
            Some(Packet::Ack { block }) => self.acknowledged(now, block),
            Some(Packet::Error) => self.end(Outcome::Aborted),
            // DATA to one who reads, and what nobody can read: not ours to answer.
            Some(Packet::Data { .. }) | None => Step::Wait,
        }
    }

    /// It may be time to send again.
    pub fn handle_timeout(&mut self, now: Duration) -> Step {
        if self.outcome.is_some() {
            return Step::Wait;
        }
        match self.pace.timeout(now) {
            Timeout::Early => Step::Wait,
            Timeout::GiveUp => self.end(self.without_an_answer(Outcome::Silent)),
            Timeout::Again => match &self.oack {
                Some(oack) => {
                    self.resent += 1;
                    Step::Send(oack.clone())
                }
                None => self.window(now),
            },
        }
    }

    /// The network says that nobody listens at the client's port.
    pub fn gone(&mut self) {
        if self.outcome.is_none() {
            self.outcome = Some(self.without_an_answer(Outcome::Gone));
        }
    }

    /// The file cannot be read any further: tells the client, and is over.
    pub fn fail(&mut self, code: ErrorCode, message: &str) -> Step {
        self.outcome = Some(Outcome::Failed);
        Step::Send(error_datagram(code, message))
    }

    fn acknowledged(&mut self, now: Duration, block: u16) -> Step {
        let step = u64::from(block.wrapping_sub(wire(self.acked)));
        let offering = self.oack.is_some();
        // An ACK of something else is old, or of nothing that was ever sent.
        if step > self.sent - self.acked || (step == 0 && !offering) {
            return Step::Wait;
        }
        self.heard = true;
        self.oack = None;
        self.acked += step;
        self.pace.answered(now);
        if self.acked == self.last {
            return self.end(Outcome::Complete);
        }
        self.window(now)
    }

    /// The blocks after the last acknowledged one.
    fn window(&mut self, now: Duration) -> Step {
        let first = self.acked + 1;
        let last = self.last.min(self.acked + u64::from(self.agreed.window));
        let again = (self.sent + 1).saturating_sub(first).min(last + 1 - first);
        self.resent += again;
        self.sent = self.sent.max(last);
        self.pace.sent(now, again == 0);
        let size = u64::from(self.agreed.block_size);
        let offset = self.acked * size;
        let end = self.length.min(last * size);
        // Both are at most 65535 blocks of 65464 bytes.
        let count = u16::try_from(last + 1 - first).unwrap_or(u16::MAX);
        let length = usize::try_from(end - offset).unwrap_or(usize::MAX);
        Step::Data(Blocks {
            offset,
            length,
            count,
            block_size: self.agreed.block_size,
            first,
        })
    }

    /// Who has been sent everything and then falls silent probably has it.
    fn without_an_answer(&self, otherwise: Outcome) -> Outcome {
        if self.sent == self.last {
            Outcome::Unconfirmed
        } else {
            otherwise
        }
    }

    fn end(&mut self, outcome: Outcome) -> Step {
        self.outcome = Some(outcome);
        Step::Wait
    }
}

#[cfg(test)]
mod tests;
