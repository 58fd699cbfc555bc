//! Phones call each other: each even one the odd one behind it.
//!
//! ```text
//!   Lifted --dial tone--> Dialled --it rings--> Answered --both are connected--> hung up
//!          (digits)       (al/of of the other)             (al/on of both) --both idle--> done
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::super::super::interval::now;
use super::super::place::phone_line;
use super::Crowd;

/// A call that has not gone on for so long has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a phone's user notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    DialTone,
    Rings,
    Connected,
    Over,
    Idle,
}

/// How calls are begun.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum CallPace {
    /// So many under way at any time.
    UnderWay(usize),
    /// So many a second.
    Rate(f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Lifted,
    Dialled,
    Answered,
    HungUp,
}

#[derive(Debug)]
struct Call {
    begun: Instant,
    dialled: Instant,
    state: State,
    connected: [bool; 2],
    idle: [bool; 2],
}

/// Calls that are under way, by the caller's number.
#[derive(Debug, Default)]
pub(super) struct Calls {
    under_way: BTreeMap<u32, Call>,
    free: VecDeque<u32>,
    complete: u64,
    failed: u64,
    set_up: Vec<Duration>,
    /// Calls go on when both are connected.
    held: bool,
    talking: Vec<u32>,
}

/// What came of calls.
#[derive(Clone, Debug)]
pub(in super::super) struct CallOutcome {
    pub(in super::super) complete: u64,
    pub(in super::super) failed: u64,
    /// Calls that had to wait for two idle phones, and were not begun.
    pub(in super::super) skipped: u64,
    /// From the last digit to the other's bell, the shortest first.
    pub(in super::super) set_up: Vec<Duration>,
    pub(in super::super) took: Duration,
    pub(in super::super) cost: Duration,
}

impl Crowd {
    /// Has the first `pairs` pairs call for a while; then all calls are let end.
    pub(in super::super) fn call(
        &mut self,
        pairs: u32,
        pace: CallPace,
        lasting: Duration,
    ) -> Result<CallOutcome> {
        let (begin, cost) = (now(), Self::cost()?);
        self.calls = Calls {
            free: (0..pairs).map(|pair| 2 * pair).collect(),
            ..Calls::default()
        };
        let (mut begun, mut skipped) = (0_u64, 0_u64);
        let mut took = Duration::ZERO;
        let mut complete = 0;
        loop {
            let elapsed = begin.elapsed();
            let due = elapsed < lasting;
            if due {
                (took, complete) = (elapsed, self.calls.complete);
            }
            while due && self.is_due(pace, begun + skipped, elapsed) {
                match self.calls.free.pop_front() {
                    Some(caller) => {
                        self.lift(caller)?;
                        begun += 1;
                    }
                    None if matches!(pace, CallPace::Rate(_)) => skipped += 1,
                    None => break,
                }
            }
            if !due && self.calls.under_way.is_empty() {
                break;
            }
            self.step(Duration::from_micros(500))?;
            if begun % 64 == 0 || !due {
                self.give_up();
            }
        }
        let mut set_up = std::mem::take(&mut self.calls.set_up);
        set_up.sort_unstable();
        Ok(CallOutcome {
            complete,
            failed: self.calls.failed,
            skipped,
            set_up,
            took,
            cost: Self::cost()? - cost,
        })
    }

    /// Has so many pairs call, and stay; how many do.
    pub(in super::super) fn hold(&mut self, pairs: u32, within: Duration) -> Result<u32> {
        let begin = now();
        self.calls = Calls {
            free: (0..pairs).map(|pair| 2 * pair).collect(),
            held: true,
            ..Calls::default()
        };
        while self.calls.talking.len() < pairs as usize && begin.elapsed() < within {
            let on_the_way = self.calls.under_way.len() - self.calls.talking.len();
            if on_the_way < 32
                && let Some(caller) = self.calls.free.pop_front()
            {
                self.lift(caller)?;
            }
            self.step(Duration::from_micros(500))?;
        }
        Ok(u32::try_from(self.calls.talking.len())?)
    }

    /// Ends those calls.
    pub(in super::super) fn let_go(&mut self, within: Duration) -> Result<()> {
        let begin = now();
        self.calls.held = false;
        for caller in std::mem::take(&mut self.calls.talking) {
            self.tell(caller, "al/on")?;
            self.step(Duration::ZERO)?;
        }
        while !self.calls.under_way.is_empty() && begin.elapsed() < within {
            self.step(Duration::from_millis(1))?;
        }
        Ok(())
    }

    fn is_due(&self, pace: CallPace, begun: u64, elapsed: Duration) -> bool {
        match pace {
            CallPace::UnderWay(most) => self.calls.under_way.len() < most,
            CallPace::Rate(rate) => (begun as f64) < elapsed.as_secs_f64() * rate,
        }
    }

    fn lift(&mut self, caller: u32) -> Result<()> {
        let moment = now();
        let call = Call {
            begun: moment,
            dialled: moment,
            state: State::Lifted,
            connected: [false; 2],
            idle: [false; 2],
        };
        self.calls.under_way.insert(caller, call);
        self.tell(caller, "al/of")
    }

    /// What the user of a phone does when this happens.
    pub(super) fn happens(&mut self, phone: u32, event: Event) -> Result<()> {
        let (caller, side) = (phone & !1, (phone & 1) as usize);
        let Some(call) = self.calls.under_way.get_mut(&caller) else {
            return Ok(());
        };
        match (event, call.state) {
            (Event::DialTone, State::Lifted) if side == 0 => {
                (call.state, call.dialled) = (State::Dialled, now());
                let number = phone_line(caller + 1);
                return self.tell(caller, &format!("dd/ce{{ds=\"{number}\",Meth=UM}}"));
            }
            (Event::Rings, State::Dialled) if side == 1 => {
                let set_up = call.dialled.elapsed();
                call.state = State::Answered;
                self.calls.set_up.push(set_up);
                return self.tell(phone, "al/of");
            }
            (Event::Connected, State::Answered) => {
                call.connected[side] = true;
                if call.connected == [true; 2] {
                    call.state = State::HungUp;
                    if self.calls.held {
                        self.calls.talking.push(caller);
                        return Ok(());
                    }
                    return self.tell(caller, "al/on");
                }
            }
            (Event::Over, State::HungUp) => return self.tell(phone, "al/on"),
            (Event::Over, _) => {
                self.calls.failed += 1;
                self.calls.under_way.remove(&caller);
                self.tell(phone, "al/on")?;
            }
            (Event::Idle, State::HungUp) => {
                call.idle[side] = true;
                if call.idle == [true; 2] {
                    self.calls.complete += 1;
                    self.calls.under_way.remove(&caller);
                    self.calls.free.push_back(caller);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn tell(&mut self, phone: u32, event: &str) -> Result<()> {
        let events = self.phones[phone as usize].events;
        self.ask(phone, &format!("N=line1{{OE={events}{{{event}}}}}"))
    }

    fn give_up(&mut self) {
        let before = self.calls.under_way.len();
        let calls = &mut self.calls.under_way;
        calls.retain(|_, call| call.begun.elapsed() < PATIENCE);
        self.calls.failed += (before - self.calls.under_way.len()) as u64;
    }
}
