//! A file comes from the client.
//!
//! ```text
//!   new --OACK or ACK 0--> Receiving --a block that is not full--> Dallying --silence--> over
//!                           |     ^                                 |    ^
//!                           `-----'  ACK each window's end          `----'  ACK the last once more
//! ```
//!
//! A block out of order is not taken: the ACK of the last one in order says where to go on
//! (RFC 7440 section 4), once for each gap. The last ACK may be lost, so that this side
//! stays for a while to repeat it (RFC 1350 section 6).

use std::time::Duration;

use crate::blocks::wire;
use crate::options::{Agreed, Limits, agree};
use crate::pace::{Pace, SHORTEST_FOR_ACK, Timeout};
use crate::packet::{ErrorCode, Packet, ack, error_datagram};
use crate::request::{Direction, Request};
use crate::{Outcome, Step};

/// What a datagram brought, and what to do: keep the bytes, finish the file if it was the
/// last, and only then send the step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "bytes that are acknowledged but not kept are lost"]
pub struct Received<'d> {
    /// The next bytes of the file.
    pub bytes: &'d [u8],
    /// Whether they are the last.
    pub last: bool,
    /// What to send when they are kept. If they cannot be, see [`WriteSession::fail`].
    pub step: Step,
}

impl Received<'_> {
    const fn only(step: Step) -> Self {
        Self {
            bytes: &[],
            last: false,
            step,
        }
    }
}

/// The server's side of a write.
#[derive(Clone, Debug)]
pub struct WriteSession {
    agreed: Agreed,
    /// The OACK, until it is answered.
    oack: Option<Vec<u8>>,
    /// The last block in order.
    taken: u64,
    /// Blocks in order since the last ACK.
    unacked: u16,
    /// A gap was told, and nothing in order came since.
    gap_told: bool,
    /// Since when the file is whole: until when the last ACK is repeated.
    dallying: Option<Duration>,
    resent: u64,
    pace: Pace,
    outcome: Option<Outcome>,
}

impl WriteSession {
    /// Answers a request.
    pub fn new(request: &Request<'_>, limits: &Limits, now: Duration) -> (Self, Step) {
        let (agreed, oack) = agree(&request.offered, Direction::Write, 0, limits);
        let step = Step::Send(oack.clone().unwrap_or_else(|| ack(0)));
        let session = Self {
            agreed,
            oack,
            taken: 0,
            unacked: 0,
            gap_told: false,
            dallying: None,
            resent: 0,
            pace: Pace::new(&agreed, limits, SHORTEST_FOR_ACK, now),
            outcome: None,
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
        self.taken > 0
    }

    /// Datagrams that were sent more than once.
    #[must_use]
    pub const fn resent(&self) -> u64 {
        self.resent
    }

    /// When to call [`Self::handle_timeout`]; never once it is over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let deadline = self.dallying.unwrap_or_else(|| self.pace.deadline());
        self.outcome.is_none().then_some(deadline)
    }

    /// A datagram from the client's port.
    pub fn handle<'d>(&mut self, now: Duration, datagram: &'d [u8]) -> Received<'d> {
        if self.outcome.is_some() {
            return Received::only(Step::Wait);
        }
        match Packet::parse(datagram) {
            Some(Packet::Data { block, bytes }) => self.block(now, block, bytes),
            Some(Packet::Error) => {
                // The file is whole, whatever the client thinks by now.
                let whole = self.dallying.is_some();
                self.end(if whole {
                    Outcome::Complete
                } else {
                    Outcome::Aborted
                })
            }
            // An ACK to one who writes, and what nobody can read: not ours to answer.
            Some(Packet::Ack { .. }) | None => Received::only(Step::Wait),
        }
    }

    /// It may be time to send again.
    pub fn handle_timeout(&mut self, now: Duration) -> Step {
        if self.outcome.is_some() {
            return Step::Wait;
        }
        if let Some(until) = self.dallying {
            if now >= until {
                self.outcome = Some(Outcome::Complete);
            }
            return Step::Wait;
        }
        match self.pace.timeout(now) {
            Timeout::Early => Step::Wait,
            Timeout::GiveUp => {
                self.outcome = Some(Outcome::Silent);
                Step::Wait
            }
            Timeout::Again => {
                self.gap_told = false;
                self.repeat()
            }
        }
    }

    /// The network says that nobody listens at the client's port.
    pub fn gone(&mut self) {
        let whole = self.dallying.is_some();
        let outcome = if whole {
            Outcome::Complete
        } else {
            Outcome::Gone
        };
        self.outcome.get_or_insert(outcome);
    }

    /// The bytes cannot be kept: tells the client, and is over.
    pub fn fail(&mut self, code: ErrorCode, message: &str) -> Step {
        self.outcome = Some(Outcome::Failed);
        Step::Send(error_datagram(code, message))
    }

    fn block<'d>(&mut self, now: Duration, block: u16, bytes: &'d [u8]) -> Received<'d> {
        let ahead = block.wrapping_sub(wire(self.taken));
        if self.dallying.is_none() && ahead == 1 {
            return self.in_order(now, bytes);
        }
        let repeated = ahead == 0 && self.unacked == 0 && self.taken > 0;
        let gap =
            self.dallying.is_none() && (2..=self.agreed.window).contains(&ahead) && !self.gap_told;
        if repeated {
            // It has not got the ACK.
            return Received::only(self.repeat());
        }
        if gap {
            self.gap_told = true;
            return Received::only(self.repeat());
        }
        Received::only(Step::Wait)
    }

    fn in_order<'d>(&mut self, now: Duration, bytes: &'d [u8]) -> Received<'d> {
        let size = usize::from(self.agreed.block_size);
        if bytes.len() > size {
            return Received::only(self.fail(ErrorCode::Illegal, "block longer than agreed"));
        }
        let last = bytes.len() < size;
        self.oack = None;
        self.taken += 1;
        self.unacked += 1;
        self.gap_told = false;
        self.pace.answered(now);
        let step = if last || self.unacked == self.agreed.window {
            self.acknowledge()
        } else {
            Step::Wait
        };
        // Of a window only the first block tells a round trip.
        self.pace.sent(now, step != Step::Wait);
        if last {
            self.dallying = Some(now + self.pace.dally());
        }
        Received { bytes, last, step }
    }

    fn acknowledge(&mut self) -> Step {
        self.unacked = 0;
        Step::Send(ack(wire(self.taken)))
    }

    fn repeat(&mut self) -> Step {
        self.resent += 1;
        match &self.oack {
            Some(oack) => Step::Send(oack.clone()),
            None => self.acknowledge(),
        }
    }

    fn end(&mut self, outcome: Outcome) -> Received<'static> {
        self.outcome = Some(outcome);
        Received::only(Step::Wait)
    }
}

#[cfg(test)]
mod tests;
