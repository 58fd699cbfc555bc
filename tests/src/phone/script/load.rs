//! Load: many phones register at a rate, or call each other at a rate.
//!
//! ```text
//!   idle pair --lift--> Lifted --dial tone, dial--> Dialing --rings--> Ringing --lift--> Answering
//!      ^                                                                                     |
//!      `-- both idle -- Clearing <--hang up-- Holding <------------- both talk --------------'
//!
//!   any state --too long--> failed, with the state's name; both hang up
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use crate::phone::definition::duration;
use crate::phone::event::Event;
use crate::phone::line::{Act, State, Tone};
use crate::phone::shell::{Engine, Happened, Marker};
use times::Times;

/// How long a call may be in one state but Holding.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    /// Calls begun in a second.
    rate: f64,
    /// How long both talk.
    hold: Duration,
    /// How long calls are begun.
    time: Duration,
    /// How long it rings.
    ring: Duration,
    /// Of a hundred calls, how many may fail.
    failures: f64,
}

impl Settings {
    /// `rate=50 hold=2s for=30s ring=0s failures=0`
    pub(super) fn parse(words: &[&str]) -> Result<Self> {
        let mut settings = Self {
            rate: 10.0,
            hold: Duration::from_secs(2),
            time: Duration::from_secs(10),
            ring: Duration::ZERO,
            failures: 0.0,
        };
        for word in words {
            let (key, value) = word
                .split_once('=')
                .with_context(|| format!("{word}: expected key=value"))?;
            match key {
                "rate" => settings.rate = value.parse().with_context(|| (*word).to_owned())?,
                "hold" => settings.hold = duration(value)?,
                "for" => settings.time = duration(value)?,
                "ring" => settings.ring = duration(value)?,
                "failures" => {
                    settings.failures = value
                        .trim_end_matches('%')
                        .parse()
                        .with_context(|| (*word).to_owned())?
                }
                _ => bail!("{word}: load knows rate, hold, for, ring and failures"),
            }
        }
        ensure!(
            settings.rate > 0.0 && settings.rate <= 1e6,
            "rate={}: expected calls a second",
            settings.rate
        );
        Ok(settings)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// The caller waits for a dial tone.
    Lifted,
    /// Digits are pressed, or sent; the callee does not ring yet.
    Dialing,
    /// The callee rings.
    Ringing,
    /// The callee has lifted.
    Answering,
    /// Both talk.
    Holding,
    /// The caller has hung up.
    Clearing,
}

#[derive(Debug)]
struct Call {
    caller: usize,
    callee: usize,
    stage: Stage,
    since: Duration,
    /// All digits have been pressed.
    dialed: Option<Duration>,
    /// When it is to go on by itself, or has failed.
    next: Duration,
    failed: bool,
}

/// What media came to, over all calls.
#[derive(Debug, Default)]
struct Heard {
    streams: u64,
    packets: u64,
    lost: u64,
    unexpected: u64,
    most_jitter_ms: f64,
}

/// Calls on their way.
#[derive(Debug)]
pub(super) struct Load {
    settings: Settings,
    idle: VecDeque<usize>,
    calls: BTreeMap<u64, Call>,
    /// Which call a phone is in.
    of: BTreeMap<usize, u64>,
    due: BTreeSet<(Duration, u64)>,
    made: u64,
    began: Duration,
    next: Duration,
    completed: u64,
    failed: BTreeMap<String, u64>,
    skipped: u64,
    dial_tone: Times,
    ringing: Times,
    answering: Times,
    heard: Heard,
}

impl Load {
    /// Phones that lie idle on their hooks call each other.
    pub(super) fn new(now: Duration, settings: Settings, whom: &[(usize, usize)]) -> Result<Self> {
        ensure!(whom.len() >= 2, "a call takes two phones");
        ensure!(
            whom.iter().all(|(_, line)| *line == 0),
            "load takes the first line of each phone"
        );
        Ok(Self {
            settings,
            idle: whom.iter().map(|(phone, _)| *phone).collect(),
            calls: BTreeMap::new(),
            of: BTreeMap::new(),
            due: BTreeSet::new(),
            made: 0,
            began: now,
            next: now,
            completed: 0,
            failed: BTreeMap::new(),
            skipped: 0,
            dial_tone: Times::default(),
            ringing: Times::default(),
            answering: Times::default(),
            heard: Heard::default(),
        })
    }

    /// When there is something to do.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let next = (self.next < self.end()).then_some(self.next);
        let due = self.due.first().map(|(at, _)| *at);
        next.into_iter().chain(due).min()
    }

    fn end(&self) -> Duration {
        self.began + self.settings.time
    }

    /// Goes on with what has happened and what is due; whether all is over.
    ///
    /// # Errors
    /// When too many calls failed.
    pub(super) fn proceed(&mut self, engine: &mut Engine, happened: &[Happened]) -> Result<bool> {
        for one in happened {
            if let Event::Media(report) = &one.event {
                self.heard.streams += 1;
                self.heard.packets += report.packets;
                self.heard.lost += report.lost;
                self.heard.unexpected += report.unexpected;
                self.heard.most_jitter_ms = self.heard.most_jitter_ms.max(report.jitter_ms);
            }
            let Some(id) = self.of.get(&one.phone).copied() else {
                continue;
            };
            if let (Event::Dialed { .. }, Some(call)) = (&one.event, self.calls.get_mut(&id)) {
                call.dialed = Some(engine.now());
            }
            self.advance(engine, id)?;
        }
        let now = engine.now();
        while let Some((at, id)) = self.due.first().copied()
            && at <= now
        {
            self.due.pop_first();
            self.time_over(engine, id)?;
        }
        while self.next <= now && self.next < self.end() {
            self.next += Duration::from_secs_f64(1.0 / self.settings.rate);
            self.begin(engine)?;
        }
        if now < self.end() || !self.calls.is_empty() {
            return Ok(false);
        }
        self.finish(engine)?;
        Ok(true)
    }

    fn begin(&mut self, engine: &mut Engine) -> Result<()> {
        if self.idle.len() < 2 {
            self.skipped += 1;
            return Ok(());
        }
        let (Some(caller), Some(callee)) = (self.idle.pop_front(), self.idle.pop_front()) else {
            return Ok(());
        };
        let (now, id) = (engine.now(), self.made);
        self.made += 1;
        let next = now + PATIENCE;
        let call = Call {
            caller,
            callee,
            stage: Stage::Lifted,
            since: now,
            dialed: None,
            next,
            failed: false,
        };
        self.calls.insert(id, call);
        self.of.extend([(caller, id), (callee, id)]);
        self.due.insert((next, id));
        engine.act(caller, 0, &Act::OffHook);
        self.advance(engine, id)
    }

    /// Goes from state to state, as far as the phones are.
    fn advance(&mut self, engine: &mut Engine, id: u64) -> Result<()> {
        while let Some(call) = self.calls.get(&id) {
            let (caller, callee) = (call.caller, call.callee);
            let state = |phone: usize| {
                engine
                    .device(phone)
                    .and_then(|device| device.line(0))
                    .cloned()
                    .unwrap_or_default()
            };
            let (one, other) = (state(caller), state(callee));
            let now = engine.now();
            let stage = match call.stage {
                Stage::Lifted if one.tone == Some(Tone::Dial) => {
                    let number = engine
                        .definition(callee)
                        .number()
                        .context("a phone has no number")?
                        .to_owned();
                    self.dial_tone.add(now - call.since);
                    self.enter(id, Stage::Dialing, now, PATIENCE);
                    engine.act(caller, 0, &Act::Dial(number));
                    continue;
                }
                Stage::Dialing if other.ringing => {
                    self.ringing.add(now - call.dialed.unwrap_or(call.since));
                    (Stage::Ringing, self.settings.ring)
                }
                Stage::Dialing | Stage::Ringing | Stage::Answering if refused(&one) => {
                    let why = one.tone.as_ref().map_or("hung up", Tone::word).to_owned();
                    return self.fail(engine, id, &why);
                }
                Stage::Answering if one.talk.is_some() && other.talk.is_some() => {
                    self.answering.add(now - call.since);
                    (Stage::Holding, self.settings.hold)
                }
                Stage::Holding if one.talk.is_none() || other.talk.is_none() => {
                    return self.fail(engine, id, "cut off");
                }
                Stage::Clearing if other.off_hook && (other.hung_up || call.failed) => {
                    engine.act(callee, 0, &Act::OnHook);
                    return Ok(());
                }
                Stage::Clearing if is_idle(&one) && is_idle(&other) => {
                    self.over(id);
                    return Ok(());
                }
                _ => return Ok(()),
            };
            self.enter(id, stage.0, now, stage.1);
        }
        Ok(())
    }

    fn enter(&mut self, id: u64, stage: Stage, now: Duration, within: Duration) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        self.due.remove(&(call.next, id));
        (call.stage, call.since, call.next) = (stage, now, now + within);
        self.due.insert((call.next, id));
    }

    /// The time of a state is over: for some that is how they end, for others too long.
    fn time_over(&mut self, engine: &mut Engine, id: u64) -> Result<()> {
        let now = engine.now();
        let Some(call) = self.calls.get(&id) else {
            return Ok(());
        };
        let (caller, callee) = (call.caller, call.callee);
        match call.stage {
            Stage::Ringing => {
                self.enter(id, Stage::Answering, now, PATIENCE);
                engine.act(callee, 0, &Act::OffHook);
                self.advance(engine, id)
            }
            Stage::Holding => {
                self.enter(id, Stage::Clearing, now, PATIENCE);
                engine.act(caller, 0, &Act::OnHook);
                self.advance(engine, id)
            }
            Stage::Clearing => {
                // Its phones are in no further call: who knows what they are in.
                self.count_failure(id, "not cleared");
                self.calls.remove(&id);
                Ok(())
            }
            stage => self.fail(
                engine,
                id,
                &format!("{stage:?} for too long").to_lowercase(),
            ),
        }
    }

    fn count_failure(&mut self, id: u64, why: &str) {
        let Some(call) = self.calls.get_mut(&id) else {
            return;
        };
        if !std::mem::replace(&mut call.failed, true) {
            *self.failed.entry(why.to_owned()).or_default() += 1;
        }
    }

    fn fail(&mut self, engine: &mut Engine, id: u64, why: &str) -> Result<()> {
        self.count_failure(id, why);
        let Some(call) = self.calls.get(&id) else {
            return Ok(());
        };
        let (caller, callee) = (call.caller, call.callee);
        self.enter(id, Stage::Clearing, engine.now(), PATIENCE);
        engine.act(caller, 0, &Act::OnHook);
        engine.act(callee, 0, &Act::OnHook);
        self.advance(engine, id)
    }

    fn over(&mut self, id: u64) {
        let Some(call) = self.calls.remove(&id) else {
            return;
        };
        self.due.remove(&(call.next, id));
        self.completed += u64::from(!call.failed);
        for phone in [call.caller, call.callee] {
            self.of.remove(&phone);
            self.idle.push_back(phone);
        }
    }

    fn finish(&mut self, engine: &mut Engine) -> Result<()> {
        let failed: u64 = self.failed.values().sum();
        let report = json!({
            "kind": "calls",
            "calls": self.made,
            "completed": self.completed,
            "failed": failed,
            "failures": self.failed,
            "skipped": self.skipped,
            "seconds": self.settings.time.as_secs_f64(),
            "calls_per_second": self.made as f64 / self.settings.time.as_secs_f64(),
            "dial_tone_ms": self.dial_tone.json(),
            "ringing_ms": self.ringing.json(),
            "answering_ms": self.answering.json(),
            "media": {
                "streams": self.heard.streams,
                "packets": self.heard.packets,
                "lost": self.heard.lost,
                "unexpected": self.heard.unexpected,
                "jitter_ms": self.heard.most_jitter_ms,
            },
        });
        engine.report(&Marker::Load(report));
        let most = self.settings.failures / 100.0 * self.made as f64;
        ensure!(
            failed as f64 <= most,
            "{failed} of {} calls failed: {:?}",
            self.made,
            self.failed
        );
        ensure!(self.made > 0, "no call was begun");
        Ok(())
    }
}

fn refused(state: &State) -> bool {
    matches!(state.tone, Some(Tone::Busy | Tone::Congestion)) || state.hung_up
}

fn is_idle(state: &State) -> bool {
    !state.off_hook && !state.ringing && state.stream.is_none()
}

/// Phones that register at a rate.
#[derive(Debug)]
pub(super) struct Registrations {
    rate: f64,
    left: VecDeque<usize>,
    waiting: BTreeSet<usize>,
    began: Duration,
    last: Duration,
    asked: u64,
    took: Times,
}

impl Registrations {
    /// Phones that are off are switched on, others register anew.
    pub(super) fn new(now: Duration, rate: f64, whom: &[(usize, usize)]) -> Self {
        Self {
            rate,
            left: whom.iter().map(|(phone, _)| *phone).collect(),
            waiting: BTreeSet::new(),
            began: now,
            last: now,
            asked: 0,
            took: Times::default(),
        }
    }

    fn next(&self) -> Duration {
        self.began + Duration::from_secs_f64(self.asked as f64 / self.rate)
    }

    /// When there is something to do.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        (!self.left.is_empty()).then(|| self.next())
    }

    /// How many are not registered.
    pub(super) fn missing(&self) -> usize {
        self.left.len() + self.waiting.len()
    }

    /// Goes on; whether all are registered.
    pub(super) fn proceed(&mut self, engine: &mut Engine, happened: &[Happened]) -> bool {
        self.heed(engine, happened);
        while self.next() <= engine.now()
            && let Some(phone) = self.left.pop_front()
        {
            self.asked += 1;
            self.waiting.insert(phone);
            match engine.is_off(phone) {
                true => engine.start(phone),
                false => engine.restart(phone, crate::phone::h248::Restart::Warm),
            }
        }
        if self.missing() > 0 {
            return false;
        }
        let seconds = (self.last - self.began).as_secs_f64();
        let report = json!({
            "kind": "registrations",
            "registrations": self.asked,
            "seconds": seconds,
            "registrations_per_second": self.asked as f64 / seconds.max(1e-6),
            "took_ms": self.took.json(),
        });
        engine.report(&Marker::Load(report));
        true
    }

    fn heed(&mut self, engine: &Engine, happened: &[Happened]) {
        for one in happened {
            if let Event::Registered { took_ms, .. } = one.event
                && self.waiting.remove(&one.phone)
            {
                self.took.0.push(took_ms);
                self.last = engine.now();
            }
        }
    }
}

#[cfg(test)]
mod tests;
mod times;
