//! A command from its begin to its end.

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::expect::{Memory, describe};
use super::load::{Load, Registrations};
use super::parse::{Verb, Who};
use crate::phone::event::Event;
use crate::phone::line::{Act, Tone};
use crate::phone::shell::{Engine, Happened};

/// How long a dial tone and the pressing of digits may take.
const DIAL: Duration = Duration::from_secs(10);
/// Of the packets that the time of a talk is worth, how many must arrive.
const ENOUGH: f64 = 0.5;
/// Packets of a second.
const RATE: f64 = 50.0;
/// More phones than these are not all looked at whenever something happens to one,
const FEW: usize = 64;
/// but this often.
const LOOK: Duration = Duration::from_millis(50);

/// A command that has begun.
#[derive(Debug)]
pub(super) struct Running {
    whom: Vec<(usize, usize)>,
    verb: Verb,
    deadline: Duration,
    /// Of each phone: how far it is.
    parts: Vec<Part>,
    many: Option<Many>,
    /// When all phones are looked at again, if they are many.
    look: Duration,
}

/// What many phones do at a rate.
#[derive(Debug)]
enum Many {
    Calls(Box<Load>),
    Registrations(Registrations),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    /// Waits for a dial tone.
    Lifted,
    /// Waits until all digits are pressed.
    Dialing,
    /// Talks; so many packets had arrived when it began.
    Talks(u64),
    /// Waits for what is expected.
    Waits,
    Over,
}

/// How far a command is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Done,
    /// Not yet, and why not.
    Waits(String),
}

impl Running {
    /// Does what can be done at once.
    pub(super) fn begin(engine: &mut Engine, who: &Who, verb: Verb) -> Result<Self> {
        let whom = find(engine, who)?;
        let now = engine.now();
        let deadline = now
            + match &verb {
                Verb::Expect(_, within) | Verb::Register(_, within) => *within,
                Verb::Talk(time) => *time,
                // It ends by itself.
                Verb::Load(_) => Duration::MAX / 2,
                _ => DIAL,
            };
        let many = match &verb {
            Verb::Load(settings) => Some(Many::Calls(Box::new(Load::new(
                now,
                settings.clone(),
                &whom,
            )?))),
            Verb::Register(rate, _) => {
                Some(Many::Registrations(Registrations::new(now, *rate, &whom)))
            }
            _ => None,
        };
        let mut running = Self {
            parts: vec![Part::Over; whom.len()],
            whom,
            verb,
            deadline,
            many,
            look: now,
        };
        for at in 0..running.whom.len() {
            running.parts[at] = running.begin_one(engine, at)?;
        }
        Ok(running)
    }

    fn begin_one(&self, engine: &mut Engine, at: usize) -> Result<Part> {
        let (phone, line) = self.whom[at];
        let name = engine.definition(phone).name.clone();
        match &self.verb {
            Verb::Start => engine.start(phone),
            Verb::Stop => engine.stop(phone),
            Verb::Expect(..) => return Ok(Part::Waits),
            Verb::Register(..) => return Ok(Part::Over),
            Verb::Restart(_)
            | Verb::Leave
            | Verb::OffHook
            | Verb::OnHook
            | Verb::Flash
            | Verb::Dial(_)
            | Verb::Press(_)
            | Verb::Talk(_)
            | Verb::Report
            | Verb::Load(_) => {
                let Some(device) = engine.device(phone) else {
                    bail!("{name} has not booted")
                };
                ensure!(line < device.lines(), "{name} has no line {}", line + 1);
            }
        }
        let state = engine
            .device(phone)
            .and_then(|device| device.line(line))
            .cloned()
            .unwrap_or_default();
        match &self.verb {
            Verb::Restart(how) => engine.restart(phone, *how),
            Verb::Leave => engine.leave(phone),
            Verb::OffHook => engine.act(phone, line, &Act::OffHook),
            Verb::OnHook => engine.act(phone, line, &Act::OnHook),
            Verb::Flash => engine.act(phone, line, &Act::Flash),
            Verb::Press(digits) => {
                engine.act(phone, line, &Act::Dial(digits.clone()));
                return Ok(Part::Dialing);
            }
            Verb::Dial(_) => {
                let waits = engine
                    .device(phone)
                    .is_some_and(|device| device.waits_for_dial_tone());
                if waits {
                    engine.act(phone, line, &Act::OffHook);
                    return Ok(Part::Lifted);
                }
                self.dial(engine, at)?;
                return Ok(Part::Dialing);
            }
            Verb::Talk(_) => {
                ensure!(
                    state.talk.is_some(),
                    "{name} does not talk: {}",
                    describe(&state)
                );
                let report = engine.device(phone).and_then(|device| device.report(line));
                return Ok(Part::Talks(report.map_or(0, |report| report.packets)));
            }
            Verb::Report => tell_media(engine, phone, line),
            Verb::Start | Verb::Stop | Verb::Expect(..) | Verb::Load(_) | Verb::Register(..) => {}
        }
        Ok(Part::Over)
    }

    fn dial(&self, engine: &mut Engine, at: usize) -> Result<()> {
        let Verb::Dial(number) = &self.verb else {
            return Ok(());
        };
        let (phone, line) = self.whom[at];
        let number = match engine.find(number) {
            None => number.clone(),
            Some(other) => match engine.definition(other).number() {
                Some(number) => number.to_owned(),
                None => bail!("{number} has no number: number="),
            },
        };
        engine.act(phone, line, &Act::Dial(number));
        Ok(())
    }

    /// By when it must be done.
    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// When it is to go on, whatever happens.
    pub(super) fn wake(&self) -> Duration {
        let next = match &self.many {
            Some(Many::Calls(load)) => load.poll_timeout(),
            Some(Many::Registrations(registrations)) => registrations.poll_timeout(),
            None if self.whom.len() > FEW => Some(self.look),
            None => None,
        };
        next.map_or(self.deadline, |next| next.min(self.deadline))
    }

    /// How far it is.
    ///
    /// # Errors
    /// When it will never be done.
    pub(super) fn proceed(
        &mut self,
        engine: &mut Engine,
        memory: &mut Memory,
        happened: &[Happened],
    ) -> Result<Progress> {
        match &mut self.many {
            Some(Many::Calls(load)) => {
                let over = load.proceed(engine, happened)?;
                return Ok(progress(over, || "calls go on".to_owned()));
            }
            Some(Many::Registrations(all)) => {
                let over = all.proceed(engine, happened);
                return Ok(progress(over, || {
                    format!("{} are not registered", all.missing())
                }));
            }
            None => {}
        }
        let now = engine.now();
        if self.whom.len() > FEW && now < self.look.min(self.deadline) {
            return Ok(Progress::Waits("it goes on".to_owned()));
        }
        self.look = now + LOOK;
        let mut waits = None;
        for at in 0..self.whom.len() {
            let (phone, line) = self.whom[at];
            let part = self.parts[at];
            let next = match part {
                Part::Over => continue,
                Part::Lifted => self.lifted(engine, at)?,
                Part::Dialing => {
                    let of = |one: &&Happened| (one.phone, one.line) == (phone, Some(line));
                    let dialed = happened
                        .iter()
                        .filter(of)
                        .any(|one| matches!(one.event, Event::Dialed { .. }));
                    if dialed {
                        Ok(Part::Over)
                    } else {
                        Err("not all digits are pressed".to_owned())
                    }
                }
                Part::Talks(before) => self.talks(engine, at, before)?,
                Part::Waits => match &self.verb {
                    Verb::Expect(what, _) => {
                        what.is_so(engine, memory, phone, line).map(|()| Part::Over)
                    }
                    _ => Ok(Part::Over),
                },
            };
            match next {
                Ok(next) => self.parts[at] = next,
                Err(why) => {
                    let name = &engine.definition(phone).name;
                    waits.get_or_insert(format!("{name}: {why}"));
                }
            }
            if self.parts[at] != Part::Over {
                waits.get_or_insert_with(|| "it goes on".to_owned());
            }
        }
        Ok(waits.map_or(Progress::Done, Progress::Waits))
    }

    fn lifted(&self, engine: &mut Engine, at: usize) -> Result<Result<Part, String>> {
        let (phone, line) = self.whom[at];
        let state = engine.device(phone).and_then(|device| device.line(line));
        let Some(state) = state else {
            bail!("it is switched off")
        };
        if state.tone != Some(Tone::Dial) {
            return Ok(Err(format!("no dial tone: {}", describe(state))));
        }
        self.dial(engine, at)?;
        Ok(Ok(Part::Dialing))
    }

    fn talks(&self, engine: &mut Engine, at: usize, before: u64) -> Result<Result<Part, String>> {
        let (phone, line) = self.whom[at];
        let Verb::Talk(time) = &self.verb else {
            return Ok(Ok(Part::Over));
        };
        let device = engine.device(phone);
        let state = device.and_then(|device| device.line(line));
        let name = &engine.definition(phone).name;
        let Some(state) = state.filter(|state| state.talk.is_some()) else {
            bail!(
                "{name} talks no more: {}",
                state.map_or("it is switched off".to_owned(), describe)
            );
        };
        if engine.now() < self.deadline {
            return Ok(Err("it goes on".to_owned()));
        }
        let report = device
            .and_then(|device| device.report(line))
            .filter(|_| state.stream.is_some());
        if let Some(report) = report {
            let arrived = report.packets.saturating_sub(before);
            let expected = time.as_secs_f64() * RATE;
            ensure!(
                arrived as f64 >= expected * ENOUGH,
                "{name} heard {arrived} packets in {time:?}, expected {expected}: {report:?}"
            );
            tell_media(engine, phone, line);
        }
        Ok(Ok(Part::Over))
    }

    /// Whether its deadline is its end, not its failure.
    pub(super) fn ends_by_time(&self) -> bool {
        matches!(self.verb, Verb::Talk(_))
    }
}

fn progress(over: bool, why: impl FnOnce() -> String) -> Progress {
    if over {
        Progress::Done
    } else {
        Progress::Waits(why())
    }
}

fn tell_media(engine: &mut Engine, phone: usize, line: usize) {
    let report = engine.device(phone).and_then(|device| device.report(line));
    if let Some(report) = report {
        engine.tell(phone, Some(line), Event::Media(Box::new(report)));
    }
}

/// Phones by names and patterns; at least one.
fn find(engine: &Engine, who: &Who) -> Result<Vec<(usize, usize)>> {
    let mut whom = Vec::new();
    for name in &who.names {
        let fits = |phone: &usize| {
            let own = engine.definition(*phone).name.as_str();
            match name.split_once('*') {
                _ if name == "all" => true,
                Some((begin, end)) => {
                    own.len() >= begin.len() + end.len()
                        && own.starts_with(begin)
                        && own.ends_with(end)
                }
                None => own == name,
            }
        };
        let found: Vec<usize> = (0..engine.len()).filter(fits).collect();
        ensure!(!found.is_empty(), "there is no phone {name}");
        whom.extend(found.into_iter().map(|phone| (phone, who.line)));
    }
    Ok(whom)
}
