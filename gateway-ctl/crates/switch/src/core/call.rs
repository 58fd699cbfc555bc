//! What is known of a call and its ends.

use std::collections::VecDeque;

use megaco::{Octets, TerminationId};

use super::Time;
use crate::address::{Choice, Place};
use crate::dial_plan::Number;
use crate::h248::sdp;
use crate::identity::{GatewayId, is_private};
use crate::record::{CallId, CallRecord};
use crate::record::{EndReason, LiveCall, LoggedEnd, Progress, Side};

/// A line of a media gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LineRef {
    pub(crate) gateway: GatewayId,
    pub(crate) line: TerminationId,
}

/// Who an end is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A line; H.248 is spoken with it.
    Line(LineRef),
    /// A user or trunk of this name that speaks SIP.
    Sip(String),
}

/// An end of a call.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) who: Who,
    pub(crate) place: Place,
    pub(crate) number: Option<Number>,
    /// The media that it offers, as it has described them itself.
    pub(crate) local: Option<Octets>,
    /// Its context, when it is a line and has one.
    pub(crate) made: Option<Made>,
}

/// A context of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) context: u32,
    pub(crate) media: TerminationId,
}

/// Whom a call may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A line, by its index in the settings.
    Line(usize),
    /// A trunk, by its index, and the digits it is given.
    Trunk(usize, String),
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) dialled: String,
    pub(crate) progress: Progress,
    pub(crate) caller: End,
    pub(crate) called: Option<End>,
    pub(crate) choice: Option<Choice>,
    /// Who is tried when this one cannot be had.
    pub(super) targets: VecDeque<Target>,
    /// Why the last one could not be had.
    pub(super) refused: EndReason,
    pub(crate) started: Time,
    pub(crate) rang: Option<Time>,
    pub(crate) answered: Option<Time>,
    /// Answers that connecting still waits for.
    pub(super) connecting: u8,
}

/// A call that is over, until its gateways have told their figures.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) record: CallRecord,
    pub(super) left: u8,
}

impl End {
    /// The line that it is.
    pub(crate) const fn at(&self) -> Option<&LineRef> {
        match &self.who {
            Who::Line(line) => Some(line),
            Who::Sip(_) => None,
        }
    }

    /// Whether it is a line of this gateway.
    pub(crate) fn is_on(&self, gateway: &GatewayId) -> bool {
        self.at().is_some_and(|line| line.gateway == *gateway)
    }

    pub(crate) const fn is_sip(&self) -> bool {
        matches!(self.who, Who::Sip(_))
    }

    /// What media it offers. Who is known by a name says only here which private address it has
    /// behind its gateway.
    pub(super) fn describes(&mut self, local: Octets) {
        let address = sdp::address_in(local.as_bytes());
        if let Some(address) = address.filter(|address| is_private(*address))
            && self.place.private == self.place.public
        {
            self.place.private = address;
        }
        self.local = Some(local);
    }

    /// Who it is, for people.
    pub(crate) fn peer(&self) -> String {
        match &self.who {
            Who::Line(line) => line.gateway.to_string(),
            Who::Sip(name) => name.clone(),
        }
    }

    fn logged(&self) -> LoggedEnd {
        LoggedEnd {
            number: self.number.as_ref().map(ToString::to_string),
            peer: self.peer(),
            line: match &self.who {
                Who::Line(line) => line.line.as_str().to_owned(),
                Who::Sip(_) => "sip".to_owned(),
            },
            place: self.place,
            statistics: Vec::new(),
        }
    }
}

impl Call {
    /// One of its ends.
    pub(crate) const fn end(&self, side: Side) -> Option<&End> {
        match side {
            Side::Caller => Some(&self.caller),
            Side::Called => self.called.as_ref(),
        }
    }

    /// Both ends, as far as there are two.
    pub(super) fn ends(&self) -> impl Iterator<Item = (Side, &End)> {
        let caller = std::iter::once((Side::Caller, &self.caller));
        caller.chain(self.called.as_ref().map(|end| (Side::Called, end)))
    }

    pub(super) fn live(&self, id: CallId) -> LiveCall {
        LiveCall {
            id,
            dialled: self.dialled.clone(),
            progress: self.progress,
            caller: self.caller.logged(),
            called: self.called.as_ref().map(End::logged),
            choice: self.choice,
            started: milliseconds(self.started),
            answered: self.answered.map(milliseconds),
        }
    }

    /// Its line in the log of calls.
    pub(super) fn record(&self, id: CallId, now: Time, reason: EndReason) -> CallRecord {
        CallRecord {
            id,
            dialled: self.dialled.clone(),
            caller: self.caller.logged(),
            called: self.called.as_ref().map(End::logged),
            choice: self.choice,
            started: milliseconds(self.started),
            rang: self.rang.map(milliseconds),
            answered: self.answered.map(milliseconds),
            ended: milliseconds(now),
            reason,
        }
    }
}

/// As records have it.
pub(super) fn milliseconds(time: Time) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
