//! Command after command.

use anyhow::{Context as _, Result};

use super::command::{Progress, Running};
use super::expect::Memory;
use super::parse::Command;
use super::source::{Next, Source};
use crate::phone::definition::Definition;
use crate::phone::shell::{Engine, Marker};

/// How a script ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of it was done.
    Passed,
    /// A line failed.
    Failed {
        /// Its number, from 1.
        line: usize,
        /// Itself.
        command: String,
        /// Why.
        reason: String,
    },
}

/// A script at work.
struct Script<'a> {
    engine: &'a mut Engine,
    defaults: Vec<(String, String)>,
    /// Phones that are to be switched on before the next command.
    to_start: Vec<usize>,
    memory: Memory,
    running: Option<Running>,
}

/// Runs a script to its end.
///
/// # Errors
/// When a line cannot be understood (none is executed then, if all of them are there), or the
/// output is closed.
pub fn run(
    engine: &mut Engine,
    mut source: Source,
    defaults: Vec<(String, String)>,
) -> Result<Outcome> {
    for (number, line) in source.rest() {
        Command::parse(line).with_context(|| format!("line {number}: {}", line.trim()))?;
    }
    if let Some(input) = source.descriptor() {
        engine.watch_input(input)?;
    }
    let mut script = Script {
        to_start: (0..engine.len()).collect(),
        engine,
        defaults,
        memory: Memory::default(),
        running: None,
    };
    let mut current = (0, String::new());
    loop {
        while script.running.is_none() {
            match source.next() {
                Next::Line(number, line) => {
                    let line = line.trim().to_owned();
                    let parsed =
                        Command::parse(&line).with_context(|| format!("line {number}: {line}"))?;
                    current = (number, line);
                    let begun = parsed.map_or(Ok(()), |command| script.begin(command));
                    if let Err(why) = begun {
                        return script.failed(current, format!("{why:#}"));
                    }
                    if script.running.is_none() {
                        script.done(&current);
                    }
                }
                Next::Later => break,
                Next::End => {
                    script.engine.report(&Marker::Passed);
                    script.engine.flush()?;
                    return Ok(Outcome::Passed);
                }
            }
        }
        match script.proceed() {
            Ok(true) => script.done(&current),
            Ok(false) => {
                let until = script.running.as_ref().map(Running::wake);
                if script.engine.step(until)? {
                    source.fill()?;
                }
            }
            Err(reason) => return script.failed(current, reason),
        }
    }
}

impl Script<'_> {
    fn begin(&mut self, command: Command) -> Result<()> {
        match command {
            Command::Default(settings) => self.defaults.extend(settings),
            Command::Phone {
                name,
                count,
                off,
                settings,
            } => self.define(&name, count, off, &settings)?,
            Command::Note(text) => self.engine.report(&Marker::Note { text: &text }),
            Command::Of(who, verb) => {
                for phone in std::mem::take(&mut self.to_start) {
                    self.engine.start(phone);
                }
                self.running = Some(Running::begin(self.engine, &who, verb)?);
            }
        }
        Ok(())
    }

    fn define(
        &mut self,
        name: &str,
        count: Option<u32>,
        off: bool,
        settings: &[(String, String)],
    ) -> Result<()> {
        let mut definition = Definition::new(name);
        for (key, value) in self.defaults.iter().chain(settings) {
            definition.set(key, value)?;
        }
        let all = match count {
            None => vec![definition],
            Some(count) => (0..count)
                .map(|step| definition.counted(&format!("{name}{}", step + 1), step))
                .collect(),
        };
        let first = self.engine.len();
        for definition in all {
            let phone = self.engine.add(definition)?;
            self.to_start.extend((!off).then_some(phone));
        }
        self.engine.set_addresses(first)
    }

    /// Whether the command is done.
    fn proceed(&mut self) -> Result<bool, String> {
        let happened = self.engine.happened();
        self.memory.keep(&happened);
        let Some(running) = &mut self.running else {
            return Ok(false);
        };
        let over = self.engine.now() >= running.deadline();
        let progress = running.proceed(self.engine, &mut self.memory, &happened);
        match progress.map_err(|why| format!("{why:#}"))? {
            Progress::Done => Ok(true),
            Progress::Waits(why) if over && !running.ends_by_time() => Err(why),
            Progress::Waits(_) => Ok(false),
        }
    }

    fn done(&mut self, (number, command): &(usize, String)) {
        self.running = None;
        if !command.is_empty() && !command.starts_with('#') {
            self.engine.report(&Marker::Done {
                script_line: *number,
                command,
            });
        }
    }

    fn failed(&mut self, (line, command): (usize, String), reason: String) -> Result<Outcome> {
        self.engine.report(&Marker::Failed {
            script_line: line,
            command: &command,
            reason: &reason,
        });
        self.engine.flush()?;
        Ok(Outcome::Failed {
            line,
            command,
            reason,
        })
    }
}
