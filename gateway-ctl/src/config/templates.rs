//! `[[template]]`, and the directory of templates, which is read and checked with the
//! configuration: a template that cannot be rendered is found by `check`, not by a phone.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use dhcp::Class;
use provision::{Match, Pattern, Rule, TemplateError, Templates};
use toml::de::DeValue;

use super::report::{Place, Report};
use super::section::Section;
use super::suggest::closest;

pub(super) const KEYS: &[&str] = &["name", "file", "class"];

/// Most files that a directory of templates may hold.
const MOST_FILES: usize = 1000;

/// A `[[template]]`.
#[derive(Debug)]
struct Draft {
    rule: Rule,
    at: Place,
    file_at: Place,
}

/// Reads the rules and, if there are any, the templates.
pub(super) fn read(
    directory: &Path,
    at: Place,
    sections: &[Section<'_>],
    report: &Report,
) -> Templates {
    let mut drafts: Vec<Draft> = Vec::with_capacity(sections.len());
    for draft in sections.iter().filter_map(Draft::read) {
        draft.compare(&drafts, report);
        draft.warn_of_shadow(&drafts, report);
        drafts.push(draft);
    }
    if sections.is_empty() {
        return Templates::default();
    }
    let files = match files(directory) {
        Ok(files) => files,
        Err(error) => {
            let message = format!(
                "cannot read templates from {}: {error}",
                directory.display()
            );
            let fix = "set `templates` in [provision] to a directory of UTF-8 files";
            report.problem(at, message, fix);
            return Templates::default();
        }
    };
    drafts.retain(|draft| {
        let is_there = files.contains_key(&draft.rule.file);
        if !is_there {
            draft.name_missing(directory, &files, report);
        }
        is_there
    });
    let rules = drafts.into_iter().map(|draft| draft.rule).collect();
    let mut sources: BTreeMap<String, u16> = BTreeMap::new();
    let mut place = |error: &TemplateError| Place {
        source: *sources
            .entry(error.file.clone())
            .or_insert_with_key(|file| report.add_source(&directory.join(file))),
        line: error.line,
    };
    match Templates::of_files(rules, files) {
        Ok(templates) => {
            for error in templates.spoilt() {
                let fix = "no [[template]] needs it: correct it, or take it away";
                report.warning(place(error), &error.message, fix);
            }
            templates
        }
        Err(errors) => {
            for error in errors {
                report.problem(place(&error), error.message, error.fix);
            }
            Templates::default()
        }
    }
}

impl Draft {
    fn read(section: &Section<'_>) -> Option<Self> {
        let name = section.required_string("name", "\"{mac}.cfg\"");
        let file = section.required_string("file", "\"polycom.xml\"");
        let class = section.string("class", "\"desk\"");
        let (name, file) = (name?, file?);
        let pattern = match Pattern::new(name.value) {
            Ok(pattern) => pattern,
            Err(error) => {
                // It says what to write.
                section.problem(name.at, error.to_string(), "");
                return None;
            }
        };
        let rule = Rule {
            pattern,
            class: class.map(|class| class.value.to_owned()),
            file: file.value.to_owned(),
        };
        Some(Self {
            rule,
            at: section.at,
            file_at: file.at,
        })
    }

    /// Notes a rule that never decides.
    fn compare(&self, formers: &[Self], report: &Report) {
        let former = formers.iter().find(|former| {
            let class = &former.rule.class;
            former.rule.pattern == self.rule.pattern
                && (class.is_none() || *class == self.rule.class)
        });
        if let Some(former) = former {
            let place = report.refer(self.at, former.at);
            let message = format!(
                "a template answers to {} already ({place})",
                self.rule.pattern
            );
            let fix = "the first one decides: remove one, or put the one with a class first";
            report.problem(self.at, message, fix);
        }
    }

    /// Warns of a rule whose names another before it has, as `*.cfg` has those of `{mac}.cfg`.
    fn warn_of_shadow(&self, formers: &[Self], report: &Report) {
        let Some((name, mac)) = self.rule.pattern.example() else {
            return;
        };
        let former = formers.iter().find(|former| {
            let (class, pattern) = (&former.rule.class, &former.rule.pattern);
            *pattern != self.rule.pattern
                && (class.is_none() || *class == self.rule.class)
                && pattern.matches(&name, Some(mac)) == Match::Own
        });
        if let Some(former) = former {
            let message = format!(
                "{} is never asked: {} before it ({}) has such names too",
                self.rule.pattern,
                former.rule.pattern,
                report.refer(self.at, former.at)
            );
            let fix = "the first one decides: put the one with fewer names first";
            report.warning(self.at, message, fix);
        }
    }

    fn name_missing(&self, directory: &Path, files: &Files, report: &Report) {
        let file = &self.rule.file;
        let message = format!("there is no template {file} in {}", directory.display());
        let fix = match closest(file, files.keys().map(String::as_str)) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "put it there, or correct its name".to_owned(),
        };
        report.problem(self.file_at, message, fix);
    }
}

/// Notes rules for classes that no phone is of.
pub(super) fn check_classes(sections: &[Section<'_>], classes: &[Class], report: &Report) {
    let known = || classes.iter().map(|class| class.name.as_str());
    for section in sections {
        let Some((DeValue::String(class), at)) = section.value("class") else {
            continue;
        };
        if known().any(|name| name == class) {
            continue;
        }
        let fix = match closest(class, known()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "add a [[class]] of this name, or leave `class` out".to_owned(),
        };
        report.problem(at, format!("there is no [[class]] named {class}"), fix);
    }
}

/// Bytes by file name, or why there are none.
type Files = BTreeMap<String, Result<Vec<u8>, String>>;

/// All templates, for the rules and for each other.
fn files(directory: &Path) -> io::Result<Files> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Editors' leftovers, and directories, are nobody's templates.
        if name.starts_with('.') || name.ends_with('~') || !path.is_file() {
            continue;
        }
        if files.len() == MOST_FILES {
            let message = format!("it holds more than {MOST_FILES} files");
            return Err(io::Error::other(message));
        }
        let bytes = std::fs::read(&path);
        files.insert(
            name,
            bytes.map_err(|error| format!("cannot read it: {error}")),
        );
    }
    Ok(files)
}
