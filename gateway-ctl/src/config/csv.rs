//! `[[bindings_from]]`: bindings by the thousand, one in a line.
//!
//! ```text
//! # private,public,first,last[,name]
//! 10.10.0.21,198.51.100.1,40000,40063,reception
//! ```

use std::path::{Path, PathBuf};

use super::bindings::Draft;
use super::ledger::Ledger;
use super::pool::Pool;
use super::report::{Place, Report};
use super::section::{At, Section};
use super::sides::Inside;
use super::values::{self, Wrong};

/// What a line looks like.
const FORM: &str = "private,public,first,last[,name]";

/// A file of bindings.
#[derive(Clone, Debug)]
pub(super) struct BindingsFile {
    path: PathBuf,
    /// The line that names it.
    at: Place,
}

impl BindingsFile {
    pub(super) const KEYS: &'static [&'static str] = &["file"];

    /// Relative paths start at the configuration's directory.
    pub(super) fn read(section: &Section<'_>, directory: &Path) -> Option<Self> {
        let file = section.required_string("file", "\"/etc/gateway/bindings.csv\"")?;
        Some(Self {
            path: directory.join(file.value),
            at: file.at,
        })
    }

    /// Reads the file and enters its bindings.
    pub(super) fn enter(
        &self,
        inside: &[Inside],
        pool: &Pool,
        ledger: &mut Ledger,
        report: &Report,
    ) {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("cannot read {}: {error}", self.path.display());
                report.problem(self.at, message, "check the path and its permissions");
                return;
            }
        };
        let source = report.add_source(&self.path);
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            let header = number == 1 && line.starts_with("private,");
            if line.is_empty() || line.starts_with('#') || header {
                continue;
            }
            let at = Place {
                source,
                line: number,
            };
            match draft(line, at) {
                Ok(draft) => draft.enter(inside, pool, ledger, report),
                Err(wrong) => report.problem(at, wrong.message, wrong.fix),
            }
        }
    }
}

fn draft(line: &str, at: Place) -> Result<Draft<'_>, Wrong> {
    let mut fields = line.splitn(5, ',').map(str::trim);
    let mut field = || {
        fields.next().ok_or_else(|| {
            let got = line.split(',').count();
            Wrong::new(
                format!("{got} fields, expected 4 or 5"),
                format!("write {FORM}"),
            )
        })
    };
    let (private, public, first, last) = (field()?, field()?, field()?, field()?);
    let name = fields.next().filter(|name| !name.is_empty());
    Ok(Draft {
        private: Some(At {
            value: values::address(private)?,
            at,
        }),
        public: Some(At {
            value: values::address(public)?,
            at,
        }),
        ports: Some(At {
            value: values::range_of(port(first)?, port(last)?)?,
            at,
        }),
        name,
    })
}

fn port(text: &str) -> Result<u16, Wrong> {
    let number = text.parse();
    number.map_err(|_| {
        Wrong::new(
            format!("\"{text}\" is no port"),
            "write a number from 1024 to 65535",
        )
    })
}
