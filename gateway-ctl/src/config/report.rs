//! What is wrong with a configuration, and where.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// More problems than this are counted, not kept: a person reads them.
const KEPT: usize = 1000;

/// A line of one of the files that make up the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Index in the report's sources; 0 is the main file.
    pub(crate) source: u16,
    /// Line, from 1; 0 stands for the file as a whole.
    pub(crate) line: u32,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    /// The file.
    pub(crate) file: String,
    /// Its line, from 1; 0: the file as a whole.
    pub(crate) line: u32,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it; may be empty when the message says it.
    pub(crate) fix: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)?;
        } else {
            write!(f, "{}:{}: {}", self.file, self.line, self.message)?;
        }
        if !self.fix.is_empty() {
            write!(f, "; {}", self.fix)?;
        }
        Ok(())
    }
}

/// All that is wrong, in the order of files and lines. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problems {
    /// The first of them.
    pub(crate) list: Vec<Problem>,
    /// How many more there are.
    pub(crate) omitted: usize,
}

impl Problems {
    /// A single problem with a file as a whole.
    pub(crate) fn with_file(file: &Path, message: String, fix: &str) -> Self {
        let problem = Problem {
            file: file.display().to_string(),
            line: 0,
            message,
            fix: fix.to_owned(),
        };
        Self {
            list: vec![problem],
            omitted: 0,
        }
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.list.len() + self.omitted
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.list.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        if self.omitted > 0 {
            write!(f, "\n... and {} more", self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Collects problems while the configuration is walked.
#[derive(Debug, Default)]
pub(crate) struct Report {
    sources: RefCell<Vec<PathBuf>>,
    found: RefCell<Vec<(Place, String, String)>>,
    warnings: RefCell<Vec<(Place, String, String)>>,
    omitted: Cell<usize>,
    unreadable: Cell<bool>,
}

impl Report {
    /// A report on the configuration in `main`.
    pub(crate) fn new(main: &Path) -> Self {
        let report = Self::default();
        report.add_source(main);
        report
    }

    /// Names another file that places may lie in.
    pub(crate) fn add_source(&self, path: &Path) -> u16 {
        let mut sources = self.sources.borrow_mut();
        sources.push(path.to_owned());
        u16::try_from(sources.len() - 1).unwrap_or(u16::MAX)
    }

    /// Notes a problem.
    pub(crate) fn problem(&self, at: Place, message: impl Into<String>, fix: impl Into<String>) {
        let mut found = self.found.borrow_mut();
        if found.len() < KEPT {
            found.push((at, message.into(), fix.into()));
        } else {
            self.omitted.set(self.omitted.get() + 1);
        }
    }

    /// Notes what works, but hardly as it is meant.
    pub(crate) fn warning(&self, at: Place, message: impl Into<String>, fix: impl Into<String>) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() < KEPT {
            warnings.push((at, message.into(), fix.into()));
        }
    }

    /// Says that parts of the text could not be read: what is missing may be there.
    pub(crate) fn set_unreadable(&self) {
        self.unreadable.set(true);
    }

    /// Notes that something is missing, unless that may be the fault of a syntax error.
    pub(crate) fn missing(&self, at: Place, message: impl Into<String>, fix: impl Into<String>) {
        if !self.unreadable.get() {
            self.problem(at, message, fix);
        }
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// How to speak of `other` in a message about `at`.
    pub(crate) fn refer(&self, at: Place, other: Place) -> String {
        if at.source == other.source {
            format!("line {}", other.line)
        } else {
            format!("{}:{}", self.file(other), other.line)
        }
    }

    /// The file that a place lies in, as given on the command line.
    pub(crate) fn file(&self, at: Place) -> String {
        let sources = self.sources.borrow();
        sources
            .get(usize::from(at.source))
            .map(|path| path.display().to_string())
            .unwrap_or_default()
    }

    /// All problems, or `None` when there are none.
    pub(crate) fn problems(&self) -> Option<Problems> {
        let found = self.found.borrow().clone();
        if found.is_empty() {
            return None;
        }
        Some(Problems {
            list: self.listed(found),
            omitted: self.omitted.get(),
        })
    }

    /// What works, but hardly as it is meant.
    pub(crate) fn warnings(&self) -> Vec<Problem> {
        self.listed(self.warnings.borrow().clone())
    }

    fn listed(&self, mut found: Vec<(Place, String, String)>) -> Vec<Problem> {
        found.sort_by_key(|(at, ..)| *at);
        let problem = |(at, message, fix)| Problem {
            file: self.file(at),
            line: at.line,
            message,
            fix,
        };
        found.into_iter().map(problem).collect()
    }
}
