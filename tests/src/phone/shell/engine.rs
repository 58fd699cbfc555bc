//! One step: what arrived and what is due, for all phones.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::output::{Lines, Report};
use super::slot::{FRAMES, Slot, Want, error};
use crate::phone::assemble::Run;
use crate::phone::definition::Definition;
use crate::phone::device::Device;
use crate::phone::event::Event;
use crate::phone::h248::Restart;
use crate::phone::line::Act;
use crate::phone::random::Random;
use crate::wait::now as clock;

/// Sockets that are served before time is looked at again.
const BATCH: usize = 256;
/// Datagrams that are taken from one socket at a time.
const MOST_DATAGRAMS: usize = 64;
const LONGEST_DATAGRAM: usize = 65_536;
/// In place of a socket: commands.
const INPUT: u64 = u64::MAX;

/// How a run is made.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Messages are told.
    pub trace: bool,
    /// Events of phones are not told.
    pub quiet: bool,
    /// Decides identifiers and where numbers begin.
    pub seed: u64,
}

/// Something that a phone told.
#[derive(Clone, Debug)]
pub struct Happened {
    /// Which phone, by its number in the engine.
    pub phone: usize,
    /// Which line, from 0.
    pub line: Option<usize>,
    /// What.
    pub event: Event,
}

/// All phones of a run.
#[derive(Debug)]
pub struct Engine {
    options: Options,
    begin: Instant,
    epoch: Duration,
    epoll: Epoll,
    slots: Vec<Slot>,
    names: BTreeMap<String, usize>,
    timers: BTreeSet<(Duration, usize)>,
    /// By phone: its entry in `timers`.
    due: Vec<Option<Duration>>,
    lines: Lines,
    happened: Vec<Happened>,
    random: Random,
    buffer: Vec<u8>,
}

impl Engine {
    /// Without phones; events go to `output`.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn new(output: Box<dyn Write>, options: Options) -> Result<Self> {
        // A call of a phone takes three sockets.
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the shell of the phone: events carry the time of day"
        )]
        let epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .context("a clock before 1970")?;
        Ok(Self {
            options,
            begin: clock(),
            epoch,
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            slots: Vec::new(),
            names: BTreeMap::new(),
            timers: BTreeSet::new(),
            due: Vec::new(),
            lines: Lines::new(output, options.quiet),
            happened: Vec::new(),
            random: Random::new(options.seed),
            buffer: vec![0; LONGEST_DATAGRAM],
        })
    }

    /// The time since the engine was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        clock().duration_since(self.begin)
    }

    /// Adds a phone that is switched off; its number.
    ///
    /// # Errors
    /// When there is one of this name, or its namespace is missing.
    pub fn add(&mut self, definition: Definition) -> Result<usize> {
        let number = self.slots.len();
        if self.names.contains_key(&definition.name) {
            bail!("there are two phones of the name {}", definition.name);
        }
        let run = Run {
            epoch: self.epoch,
            number,
            random: Random::new(self.random.next()),
            trace: self.options.trace,
        };
        let name = definition.name.clone();
        let slot = Slot::new(definition, run).with_context(|| format!("phone {name}"))?;
        self.names.insert(name, number);
        self.slots.push(slot);
        self.due.push(None);
        Ok(number)
    }

    /// Sets the addresses of all phones from `first` on at once, which is quicker than one by one.
    ///
    /// # Errors
    /// When `ip` refuses.
    pub fn set_addresses(&mut self, first: usize) -> Result<()> {
        self.slots
            .get_mut(first..)
            .map_or(Ok(()), Slot::set_addresses)
    }

    /// How many phones there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The number of a phone.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// What is said of a phone.
    ///
    /// # Panics
    /// When there is no such phone.
    #[must_use]
    pub fn definition(&self, phone: usize) -> &Definition {
        &self.slots[phone].definition
    }

    /// A phone that has booted.
    #[must_use]
    pub fn device(&self, phone: usize) -> Option<&Device> {
        self.slots.get(phone)?.device()
    }

    /// Why a phone could not boot.
    #[must_use]
    pub fn trouble(&self, phone: usize) -> Option<&str> {
        self.slots.get(phone)?.trouble()
    }

    /// Whether a phone is switched off.
    #[must_use]
    pub fn is_off(&self, phone: usize) -> bool {
        self.slots.get(phone).is_none_or(Slot::is_off)
    }

    /// Switches a phone on, or off and on.
    pub fn start(&mut self, phone: usize) {
        let now = self.now();
        self.serve(phone, |slot, wants| slot.start(now, wants));
    }

    /// Takes a phone's power away.
    pub fn stop(&mut self, phone: usize) {
        self.serve(phone, |slot, _| {
            slot.stop();
            Ok(())
        });
    }

    /// Has a phone register anew.
    pub fn restart(&mut self, phone: usize, restart: Restart) {
        let now = self.now();
        self.with(phone, |device, out| device.start(now, restart, out));
    }

    /// Has a phone say good-bye to its switch.
    pub fn leave(&mut self, phone: usize) {
        let now = self.now();
        self.with(phone, |device, out| device.leave(now, out));
    }

    /// A user does something.
    pub fn act(&mut self, phone: usize, line: usize, act: &Act) {
        let now = self.now();
        self.with(phone, |device, out| device.act(now, line, act, out));
    }

    fn with(
        &mut self,
        phone: usize,
        act: impl FnOnce(&mut Device, &mut Vec<crate::phone::streams::Output>),
    ) {
        self.serve(phone, |slot, wants| {
            slot.with(wants, act);
            Ok(())
        });
    }

    /// Tells something of no phone.
    pub fn report(&mut self, report: &Report<'_>) {
        let time = self.epoch + self.now();
        self.lines.report(time, report);
    }

    /// Tells something of a phone.
    pub fn tell(&mut self, phone: usize, line: Option<usize>, event: Event) {
        let now = self.now();
        if let Some(slot) = self.slots.get(phone) {
            self.lines
                .event(self.epoch + now, &slot.definition.name, line, &event);
            self.happened.push(Happened { phone, line, event });
        }
    }

    /// What phones told since this was asked last.
    pub fn happened(&mut self) -> Vec<Happened> {
        std::mem::take(&mut self.happened)
    }

    /// Writes what was told.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn flush(&mut self) -> Result<()> {
        self.lines.flush().context("write the output")
    }

    /// Has [`Self::step`] end when something can be read there.
    ///
    /// # Errors
    /// When it is nothing that can be waited for, such as a file.
    pub fn watch_input(&mut self, input: &OwnedFd) -> Result<()> {
        self.epoll
            .add(input, EpollEvent::new(EpollFlags::EPOLLIN, INPUT))?;
        Ok(())
    }

    /// Waits until something arrives or is due, or until a moment, and serves it. Whether commands
    /// can be read.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn step(&mut self, until: Option<Duration>) -> Result<bool> {
        self.flush()?;
        let first = self.timers.first().map(|(at, _)| *at);
        let wake = first.into_iter().chain(until).min();
        let left = wake.map(|wake| wake.saturating_sub(self.now()));
        // Rounded up: a moment that is not yet there would be a busy loop.
        let timeout = left.map_or(EpollTimeout::NONE, |left| {
            let left = left + Duration::from_micros(999);
            EpollTimeout::try_from(left).unwrap_or(EpollTimeout::MAX)
        });
        let mut ready = [EpollEvent::empty(); BATCH];
        let count = match self.epoll.wait(&mut ready, timeout) {
            Ok(count) => count,
            Err(nix::errno::Errno::EINTR) => 0,
            Err(why) => return Err(why).context("wait for sockets"),
        };
        let mut input = false;
        for event in &ready[..count] {
            if event.data() == INPUT {
                input = true;
            } else {
                self.readable((event.data() >> 32) as usize, event.data() as u32);
            }
        }
        let now = self.now();
        while let Some((at, phone)) = self.timers.first().copied()
            && at <= now
        {
            self.serve(phone, |slot, wants| slot.handle_timeout(now, wants));
            // What is due again and again at the same moment waits for the next step.
            if self.timers.first() == Some(&(at, phone)) {
                break;
            }
        }
        self.flush()?;
        Ok(input)
    }

    fn readable(&mut self, phone: usize, what: u32) {
        let now = self.now();
        if what == FRAMES {
            return self.serve(phone, |slot, wants| slot.handle_frames(now, wants));
        }
        let port = (what & 0xffff) as u16;
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..MOST_DATAGRAMS {
            let socket = self.slots.get(phone).and_then(|slot| slot.socket(port));
            let (length, from) = match socket.map(|socket| socket.recv_from(&mut buffer)) {
                Some(Ok(received)) => received,
                Some(Err(why)) if why.kind() == ErrorKind::Interrupted => continue,
                _ => break,
            };
            let now = self.now();
            let datagram = &buffer[..length];
            self.serve(phone, |slot, wants| {
                slot.handle(now, port, from, datagram, wants)
            });
        }
        self.buffer = buffer;
    }

    /// Does something with a phone, does what it wants, and looks when it is due next.
    fn serve(&mut self, phone: usize, act: impl FnOnce(&mut Slot, &mut Vec<Want>) -> Result<()>) {
        let Some(slot) = self.slots.get_mut(phone) else {
            return;
        };
        let mut wants = Vec::new();
        if let Err(why) = act(slot, &mut wants) {
            wants.push(error(&why));
            if slot.device().is_none() {
                slot.fail(format!("{why:#}"));
            }
        }
        for want in wants {
            match want {
                Want::Tell(line, event) => self.tell(phone, line, event),
                Want::Watch(what) => {
                    if let Err(why) = self.watch(phone, what) {
                        let what = format!("{why:#}");
                        self.tell(phone, None, Event::Error { what, code: None });
                    }
                }
            }
        }
        let next = self.slots[phone].poll_timeout();
        if next != self.due[phone] {
            if let Some(old) = self.due[phone] {
                self.timers.remove(&(old, phone));
            }
            self.timers.extend(next.map(|next| (next, phone)));
            self.due[phone] = next;
        }
    }

    fn watch(&self, phone: usize, what: u32) -> Result<()> {
        let Some(slot) = self.slots.get(phone) else {
            return Ok(());
        };
        let event = EpollEvent::new(EpollFlags::EPOLLIN, (phone as u64) << 32 | u64::from(what));
        let descriptor = match what {
            FRAMES => slot.frames().map(|frames| frames.descriptor().as_fd()),
            port => slot.socket((port & 0xffff) as u16).map(AsFd::as_fd),
        };
        // It may be gone again.
        if let Some(descriptor) = descriptor {
            self.epoll.add(descriptor, event)?;
        }
        Ok(())
    }
}
