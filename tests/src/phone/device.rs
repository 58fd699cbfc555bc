//! A phone that has booted: one protocol or the other, and what it does by itself.

use std::net::SocketAddrV4;
use std::time::Duration;

use super::event::Event;
use super::h248::{Gateway, Restart};
use super::line::{Act, State};
use super::media::Report;
use super::sip::Phone;
use super::streams::{Output, Streams};

/// What it speaks.
#[derive(Debug)]
pub enum Protocol {
    /// A media gateway.
    H248(Box<Gateway>),
    /// A SIP user agent.
    Sip(Box<Phone>),
}

/// What it does without a hand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habits {
    /// Answers when it has rung for so long.
    pub answer: Option<Duration>,
    /// Puts the handset down when the other side has ended the call, after so long.
    pub hang_up: Option<Duration>,
}

/// A phone.
#[derive(Debug)]
pub struct Device {
    protocol: Protocol,
    habits: Habits,
    /// By line: what it will do, and when.
    plans: Vec<Option<(Duration, Act)>>,
    /// By line: how its last stream went.
    last: Vec<Option<Report>>,
}

impl Device {
    /// Not started yet.
    #[must_use]
    pub fn new(protocol: Protocol, habits: Habits, lines: usize) -> Self {
        Self {
            protocol,
            habits,
            plans: vec![None; lines],
            last: vec![None; lines],
        }
    }

    /// How many lines it has.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.plans.len()
    }

    /// Registers.
    pub fn start(&mut self, now: Duration, restart: Restart, out: &mut Vec<Output>) {
        match &mut self.protocol {
            Protocol::H248(gateway) => gateway.start(now, restart, out),
            Protocol::Sip(phone) => phone.start(now, out),
        }
        self.watch(now, out);
    }

    /// Says good-bye to the switch.
    pub fn leave(&mut self, now: Duration, out: &mut Vec<Output>) {
        match &mut self.protocol {
            Protocol::H248(gateway) => gateway.leave_switch(now, out),
            Protocol::Sip(phone) => phone.leave_switch(now, out),
        }
    }

    /// The switch that has it registered.
    #[must_use]
    pub fn registered(&self) -> Option<SocketAddrV4> {
        match &self.protocol {
            Protocol::H248(gateway) => gateway.registered(),
            Protocol::Sip(phone) => phone.registered(),
        }
    }

    /// Whether that one is the first of its list; none when no switch has it.
    #[must_use]
    pub fn is_primary(&self) -> Option<bool> {
        match &self.protocol {
            Protocol::H248(gateway) => gateway.is_primary(),
            Protocol::Sip(phone) => phone.is_primary(),
        }
    }

    /// What it says, in Hz.
    #[must_use]
    pub fn tone_hz(&self) -> u16 {
        self.streams().common().tone_hz
    }

    /// Whether a lifted handset waits for a tone of the switch before anything can be dialled.
    #[must_use]
    pub fn waits_for_dial_tone(&self) -> bool {
        matches!(self.protocol, Protocol::H248(_))
    }

    /// How a line is.
    #[must_use]
    pub fn line(&self, line: usize) -> Option<&State> {
        match &self.protocol {
            Protocol::H248(gateway) => gateway.line(line),
            Protocol::Sip(phone) => (line == 0).then(|| phone.line()),
        }
    }

    fn streams(&self) -> &Streams {
        match &self.protocol {
            Protocol::H248(gateway) => gateway.streams(),
            Protocol::Sip(phone) => phone.streams(),
        }
    }

    /// How the stream of a line goes, or how its last one went.
    #[must_use]
    pub fn report(&self, line: usize) -> Option<Report> {
        let session = self
            .line(line)?
            .stream
            .and_then(|port| self.streams().get(port));
        let now = session.map(|session| session.summary());
        now.or_else(|| self.last.get(line).cloned().flatten())
    }

    /// A user does something.
    pub fn act(&mut self, now: Duration, line: usize, act: &Act, out: &mut Vec<Output>) {
        match &mut self.protocol {
            Protocol::H248(gateway) => gateway.act(now, line, act, out),
            Protocol::Sip(phone) => phone.act(now, act, out),
        }
        self.watch(now, out);
    }

    /// A datagram that arrived at one of its ports.
    pub fn handle(
        &mut self,
        now: Duration,
        port: u16,
        from: SocketAddrV4,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        match &mut self.protocol {
            Protocol::H248(gateway) => gateway.handle(now, port, from, bytes, out),
            Protocol::Sip(phone) => phone.handle(now, port, from, bytes, out),
        }
        self.watch(now, out);
    }

    /// When there is something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let own = match &self.protocol {
            Protocol::H248(gateway) => gateway.poll_timeout(),
            Protocol::Sip(phone) => phone.poll_timeout(),
        };
        let plans = self.plans.iter().flatten().map(|(at, _)| *at);
        plans.chain(own).min()
    }

    /// What is due by now.
    pub fn handle_timeout(&mut self, now: Duration, out: &mut Vec<Output>) {
        match &mut self.protocol {
            Protocol::H248(gateway) => gateway.handle_timeout(now, out),
            Protocol::Sip(phone) => phone.handle_timeout(now, out),
        }
        for line in 0..self.plans.len() {
            let due = |plan: &(Duration, Act)| plan.0 <= now;
            if let Some((_, act)) = self.plans[line].take_if(|plan| due(plan)) {
                match &mut self.protocol {
                    Protocol::H248(gateway) => gateway.act(now, line, &act, out),
                    Protocol::Sip(phone) => phone.act(now, &act, out),
                }
            }
        }
        self.watch(now, out);
    }

    /// Plans by what is told, and keeps reports.
    fn watch(&mut self, now: Duration, out: &[Output]) {
        for output in out {
            let Output::Tell(Some(line), event) = output else {
                continue;
            };
            let (plan, last) = match (self.plans.get_mut(*line), self.last.get_mut(*line)) {
                (Some(plan), Some(last)) => (plan, last),
                _ => continue,
            };
            match event {
                Event::Ringing { .. } => {
                    *plan = self.habits.answer.map(|after| (now + after, Act::OffHook));
                }
                Event::Quiet | Event::OnHook => *plan = None,
                Event::HungUp { .. } => {
                    *plan = self.habits.hang_up.map(|after| (now + after, Act::OnHook));
                }
                Event::Media(report) => *last = Some((**report).clone()),
                _ => {}
            }
        }
    }
}
