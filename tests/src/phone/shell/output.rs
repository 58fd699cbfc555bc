//! Events as JSON lines: one object each, complete when it is written.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::phone::event::{Entry, Event};

/// What is told of no phone, but of the whole run.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Report<'a> {
    /// A line of the script has been done.
    Done {
        /// Its number, from 1.
        script_line: usize,
        /// Itself.
        command: &'a str,
    },
    /// A line of the script failed: the run ends.
    Failed {
        /// Its number, from 1.
        script_line: usize,
        /// Itself.
        command: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// All of the script has been done.
    Passed,
    /// Something for the reader of the output (`note`).
    Note {
        /// What.
        text: &'a str,
    },
    /// What came of a load.
    Load(serde_json::Value),
}

#[derive(Serialize)]
struct Timed<'a, T> {
    time: f64,
    #[serde(flatten)]
    report: &'a T,
}

/// Where events go.
pub(super) struct Lines {
    to: Box<dyn Write>,
    /// Only what is told of no phone.
    quiet: bool,
    text: Vec<u8>,
}

impl Lines {
    pub(super) fn new(to: Box<dyn Write>, quiet: bool) -> Self {
        let text = Vec::new();
        Self { to, quiet, text }
    }

    /// Adds an event of a phone.
    pub(super) fn event(
        &mut self,
        time: Duration,
        phone: &str,
        line: Option<usize>,
        event: &Event,
    ) {
        if self.quiet {
            return;
        }
        let line = line.map(|line| line + 1);
        self.line(&Entry {
            time,
            phone,
            line,
            event,
        });
    }

    /// Adds something of no phone.
    pub(super) fn report(&mut self, time: Duration, report: &Report<'_>) {
        let time = time.as_micros() as f64 / 1e6;
        self.line(&Timed { time, report });
    }

    fn line<T: Serialize>(&mut self, value: &T) {
        // Numbers, texts and lists of them have no reason not to be JSON.
        if serde_json::to_writer(&mut self.text, value).is_ok() {
            self.text.push(b'\n');
        }
    }

    /// Writes what was added.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if !self.text.is_empty() {
            self.to.write_all(&self.text)?;
            self.to.flush()?;
            self.text.clear();
        }
        Ok(())
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines")
            .field("quiet", &self.quiet)
            .finish_non_exhaustive()
    }
}
