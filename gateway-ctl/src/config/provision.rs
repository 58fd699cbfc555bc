//! `[provision]`: files for phones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dhcp::Class;
use provision::{Pattern, Templates};
use toml::de::DeValue;

use super::phones::{self, Phones};
use super::section::Section;
use super::settings::absolute;
use super::switch::Switch;
use super::templates;
use super::trials::{self, Known};
use super::values::{self, Wrong};
use crate::provision::Quota;

const DEFAULT_ROOT: &str = "/srv/tftp";
const DEFAULT_TEMPLATES: &str = "/etc/gateway/templates";
/// Below the state directory.
const DEFAULT_UPLOADS: &str = "uploads";
const DEFAULT_QUOTA: Quota = Quota {
    bytes: 10 << 20,
    files: 100,
};

/// What is served to phones, and how.
#[derive(Clone, Debug)]
pub(crate) struct Provision {
    /// Directory of files.
    pub(crate) root: PathBuf,
    /// Templates, and the names that they answer to.
    pub(crate) templates: Arc<Templates>,
    /// Directory of what phones write.
    pub(crate) uploads: PathBuf,
    /// What each phone may write.
    pub(crate) quota: Quota,
    /// What the operator adds to phones' templates.
    pub(crate) phones: Phones,
    /// Whether TFTP is served.
    pub(crate) tftp: bool,
    /// The TCP port of HTTP; `None`: not served.
    pub(crate) http: Option<u16>,
}

impl Provision {
    pub(super) const KEYS: &'static [&'static str] = &[
        "root",
        "templates",
        "uploads",
        "upload_quota",
        "upload_files",
        "for_all",
        "tftp",
        "http",
    ];

    /// Reads the section, the sections of templates, and the templates themselves.
    pub(super) fn read(
        section: &Section<'_>,
        rules: &[Section<'_>],
        phones: &[Section<'_>],
        classes: &[Class],
        switch: Option<&Switch>,
        state: &Path,
    ) -> Self {
        let path = |key, example| absolute(section, key, section.string(key, example));
        let root = path("root", "\"/srv/tftp\"").unwrap_or_else(|| DEFAULT_ROOT.into());
        let directory = path("templates", "\"/etc/gateway/templates\"");
        let directory = directory.unwrap_or_else(|| DEFAULT_TEMPLATES.into());
        let uploads = path("uploads", "\"/var/lib/gateway/uploads\"");
        let uploads = uploads.unwrap_or_else(|| state.join(DEFAULT_UPLOADS));
        for (key, other) in [("templates", &directory), ("uploads", &uploads)] {
            if other.starts_with(&root) || root.starts_with(other) {
                let message = format!(
                    "`root` and `{key}` in [provision] lie in each other: {} and {}",
                    root.display(),
                    other.display()
                );
                let fix = "phones read all that is in `root`: choose directories side by side";
                section.problem(section.at, message, fix);
            }
        }
        let files = section.integer("upload_files", 0..=1_000_000);
        let quota = Quota {
            bytes: size(section, "upload_quota").unwrap_or(DEFAULT_QUOTA.bytes),
            files: files.map_or(DEFAULT_QUOTA.files, |found| found.value),
        };
        let at = section
            .string("templates", "")
            .map_or(section.at, |found| found.at);
        let report = section.reader.report;
        if !root.is_dir() {
            let at = section.value("root").map_or(section.at, |(_, at)| at);
            let message = format!(
                "provision root {} is no directory: only templates are served, and what phones have \
                 written",
                root.display()
            );
            section
                .reader
                .report
                .warning(at, message, "make it, or correct `root`");
        }
        let templates = templates::read(&directory, at, rules, report);
        let phones = phones::read(phones, report);
        let known = Known {
            classes,
            phones: &phones,
            switch,
        };
        trials::check(&templates, &directory, &known, report);
        let example = "[\"firmware-*.bin\"]";
        let for_all = section.all_checked("for_all", example, for_all);
        let tftp = section.boolean("tftp").is_none_or(|found| found.value);
        let http = port(section, "http");
        if !tftp && http.is_none() {
            let at = section.value("tftp").map_or(section.at, |(_, at)| at);
            let message = "neither TFTP nor HTTP is on: phones get no files";
            section.problem(
                at,
                message,
                "write tftp = true or http = 80, or leave [provision] out",
            );
        }
        Self {
            root,
            templates: Arc::new(templates.with_for_all(for_all)),
            uploads,
            quota,
            phones,
            tftp,
            http,
        }
    }
}

/// Names of files for all phones.
fn for_all(text: &str) -> Result<Pattern, Wrong> {
    match Pattern::new(text) {
        Ok(pattern) if pattern.is_personal() => Err(Wrong::new(
            format!("\"{text}\" is a name for one phone, `for_all` is for all"),
            "write names without {mac}, like \"firmware-*.bin\"",
        )),
        Ok(pattern) if pattern.takes_bare_macs() => Err(Wrong::new(
            format!(
                "\"{text}\" in `for_all` stands for phones' own files too, like 001565123456.cfg: \
                 every phone could read them"
            ),
            "write how the files for all begin, like \"firmware-*.bin\", or their folder, like \
             \"firmware/*\"",
        )),
        // It says what to write.
        read => read.map_err(|error| Wrong::new(error.to_string(), "")),
    }
}

/// A port, or `"off"`, which it is by default.
fn port(section: &Section<'_>, key: &str) -> Option<u16> {
    match section.value(key)? {
        (DeValue::String(text), _) if text == "off" => None,
        (DeValue::Integer(_), _) => {
            let found = section.integer(key, 1..=u32::from(u16::MAX))?;
            u16::try_from(found.value).ok()
        }
        (other, at) => {
            section.wrong_type(key, at, other, "a port or \"off\"", "80");
            None
        }
    }
}

/// Bytes: a number, or one with a unit.
fn size(section: &Section<'_>, key: &str) -> Option<u64> {
    let (value, at) = section.value(key)?;
    let text = match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
        other => {
            section.wrong_type(key, at, other, "a size", "\"10 MiB\"");
            return None;
        }
    };
    match values::size(&text) {
        Ok(bytes) => Some(bytes),
        Err(Wrong { message, fix }) => {
            section.problem(at, message, fix);
            None
        }
    }
}
