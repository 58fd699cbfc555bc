//! From the file to a checked [`Config`].

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::bindings::Draft;
use super::csv::BindingsFile;
use super::dhcp::{self, Dhcp};
use super::ledger::Ledger;
use super::pool::Pool;
use super::provision::Provision;
use super::report::{Place, Problem, Problems, Report};
use super::section::{Lines, Reader, Section, kind};
use super::settings::Settings;
use super::sides::{self, Inside, Outside};
use super::switch::{self, Switch};
use super::{capacity, phones, suggest, templates};

/// A configuration in which everything holds, save what only the machine can say
/// (whether interfaces exist: `crate::net::resolve`).
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// What is said once.
    pub(crate) settings: Settings,
    /// Interfaces with phones behind them.
    pub(crate) inside: Vec<Inside>,
    /// Interfaces with the world behind them.
    pub(crate) outside: Vec<Outside>,
    /// Public addresses.
    pub(crate) pool: Pool,
    /// Files for phones; `None`: none are served.
    pub(crate) provision: Option<Provision>,
    /// Bindings of the file (and of files it names).
    pub(crate) ledger: Ledger,
    /// Who is leased what; `None`: nobody.
    pub(crate) dhcp: Option<Dhcp>,
    /// The soft switch; `None`: there is none.
    pub(crate) switch: Option<Switch>,
    /// What works, but hardly as it is meant.
    pub(crate) warnings: Vec<Problem>,
}

/// Every key of the top level.
const SECTIONS: &[&str] = &[
    "dataplane",
    "limits",
    "api",
    "metrics",
    "state",
    "inside",
    "outside",
    "pool",
    "binding",
    "bindings_from",
    "provision",
    "template",
    "phone",
    "dhcp",
    "scope",
    "class",
    "reservation",
    "switch",
    "sip",
    "line",
    "trunk",
    "route",
    "site",
];

/// A configuration as read, and what is wrong with it so far: others may find more.
#[derive(Debug)]
pub(crate) struct Loaded {
    config: Config,
    report: Report,
}

impl Loaded {
    /// What could be read, for further checks.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Takes the file's bindings out, a million perhaps, to go on with them.
    pub(crate) fn take_ledger(&mut self) -> Ledger {
        std::mem::take(&mut self.config.ledger)
    }

    /// Where further checks note what they find.
    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    /// The configuration, if nothing is wrong with it.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn finish(self) -> Result<Config, Problems> {
        match self.report.problems() {
            Some(problems) => Err(problems),
            None => Ok(Config {
                warnings: self.report.warnings(),
                ..self.config
            }),
        }
    }
}

/// Reads a configuration file and checks all that the file alone can tell.
///
/// # Errors
/// When there is no text to read.
pub(crate) fn load(path: &Path) -> Result<Loaded, Problems> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot read the configuration: {error}");
        Problems::with_file(path, message, "check its path and who may read it")
    })?;
    let loaded = parse(path, &text);
    warn_of_readers(path, &loaded);
    Ok(loaded)
}

/// Warns when whoever has an account on this machine may read the passwords of others.
fn warn_of_readers(path: &Path, loaded: &Loaded) {
    let switch = loaded.config.switch.as_ref();
    let sip = switch.and_then(|switch| switch.settings.sip.as_ref());
    let mode = path.metadata().map(|metadata| metadata.mode());
    if sip.is_some_and(|sip| !sip.users.is_empty()) && mode.is_ok_and(|mode| mode & 0o004 != 0) {
        let message = "it holds passwords, and every user of this machine may read it";
        let fix = format!("chmod 0640 {}", path.display());
        loaded.report.warning(Place::default(), message, fix);
    }
}

/// As [`load`], from text.
pub(super) fn parse(path: &Path, text: &str) -> Loaded {
    let report = Report::new(path);
    let lines = Lines::of(text);
    let (document, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        let at = lines.place(&error.span().unwrap_or(0..0));
        let message = error.message().replace('\n', ", ");
        report.problem(at, message, "correct the TOML syntax here");
        report.set_unreadable();
    }
    let reader = Reader {
        lines: &lines,
        report: &report,
    };
    let config = Document {
        reader,
        table: document.get_ref(),
    }
    .read(path);
    Loaded { config, report }
}

/// A section of settings: its key, its name in messages, its keys, and who reads it.
type SettingsSection = (
    &'static str,
    &'static str,
    &'static [&'static str],
    fn(&mut Settings, &Section<'_>),
);

struct Document<'a> {
    reader: Reader<'a>,
    table: &'a DeTable<'a>,
}

impl<'a> Document<'a> {
    fn read(&self, path: &Path) -> Config {
        let report = self.reader.report;
        self.name_unknown_sections();
        let settings = self.settings();
        let inside: Vec<Inside> = self
            .many("inside", "[[inside]]", Inside::KEYS)
            .iter()
            .filter_map(Inside::read)
            .collect();
        let outside: Vec<Outside> = self
            .many("outside", "[[outside]]", Outside::KEYS)
            .iter()
            .filter_map(Outside::read)
            .collect();
        // A side whose section is wrong is there all the same.
        if (inside.is_empty() && self.table.contains_key("inside"))
            || (outside.is_empty() && self.table.contains_key("outside"))
        {
            report.set_unreadable();
        }
        let has_switch = self.table.contains_key("switch");
        sides::check(&inside, &outside, has_switch, report);
        let mut pool = Pool::default();
        for section in self.many("pool", "[[pool]]", Pool::KEYS) {
            pool.read(&section, &inside);
        }
        let mut ledger = Ledger::default();
        self.bindings(path, &inside, &pool, &mut ledger);
        let dhcp = self.dhcp().read(&settings, &inside, &pool, &ledger, report);
        let switch = self.switch().read(&pool, report);
        let provision = self.provision(&settings, dhcp.as_ref(), switch.as_ref());
        capacity::check(&settings, &inside, &pool, &ledger, dhcp.as_ref(), report);
        Config {
            settings,
            inside,
            outside,
            pool,
            provision,
            ledger,
            dhcp,
            switch,
            warnings: Vec::new(),
        }
    }

    fn switch(&self) -> switch::Sections<'a> {
        switch::Sections {
            switch: self.one("switch", "[switch]", switch::KEYS),
            sip: self.one("sip", "[sip]", switch::SIP_KEYS),
            lines: self.many("line", "[[line]]", switch::LINE_KEYS),
            trunks: self.many("trunk", "[[trunk]]", switch::TRUNK_KEYS),
            routes: self.many("route", "[[route]]", switch::ROUTE_KEYS),
            sites: self.many("site", "[[site]]", switch::SITE_KEYS),
        }
    }

    fn dhcp(&self) -> dhcp::Sections<'a> {
        let [scope, class, reservation] = dhcp::keys();
        dhcp::Sections {
            dhcp: self.one("dhcp", "[dhcp]", dhcp::KEYS),
            scopes: self.many("scope", "[[scope]]", &scope),
            classes: self.many("class", "[[class]]", &class),
            reservations: self.many("reservation", "[[reservation]]", &reservation),
        }
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        let read: [SettingsSection; 5] = [
            (
                "dataplane",
                "[dataplane]",
                Settings::DATAPLANE,
                Settings::read_dataplane,
            ),
            (
                "limits",
                "[limits]",
                Settings::LIMITS,
                Settings::read_limits,
            ),
            ("api", "[api]", Settings::API, Settings::read_api),
            (
                "metrics",
                "[metrics]",
                Settings::METRICS,
                Settings::read_metrics,
            ),
            ("state", "[state]", Settings::STATE, Settings::read_state),
        ];
        for (key, name, keys, read) in read {
            if let Some(section) = self.one(key, name, keys) {
                read(&mut settings, &section);
            }
        }
        settings
    }

    fn provision(
        &self,
        settings: &Settings,
        dhcp: Option<&Dhcp>,
        switch: Option<&Switch>,
    ) -> Option<Provision> {
        let rules = self.many("template", "[[template]]", templates::KEYS);
        let phones = self.many("phone", "[[phone]]", phones::KEYS);
        let Some(section) = self.one("provision", "[provision]", Provision::KEYS) else {
            for (lonely, message) in [
                (rules.first(), "[[template]] without [provision]"),
                (phones.first(), "[[phone]] without [provision]"),
            ] {
                if let Some(section) = lonely {
                    let fix = "add [provision]: all its keys have defaults";
                    self.reader.report.missing(section.at, message, fix);
                }
            }
            return None;
        };
        let classes = dhcp.map_or(&[][..], |dhcp| &dhcp.classes);
        templates::check_classes(&rules, classes, self.reader.report);
        Some(Provision::read(
            &section,
            &rules,
            &phones,
            classes,
            switch,
            &settings.state_directory,
        ))
    }

    fn bindings(&self, path: &Path, inside: &[Inside], pool: &Pool, ledger: &mut Ledger) {
        let report = self.reader.report;
        for section in self.many("binding", "[[binding]]", Draft::KEYS) {
            Draft::read(&section).enter(inside, pool, ledger, report);
        }
        let directory = path.parent().unwrap_or(Path::new("."));
        for section in self.many("bindings_from", "[[bindings_from]]", BindingsFile::KEYS) {
            if let Some(file) = BindingsFile::read(&section, directory) {
                file.enter(inside, pool, ledger, report);
            }
        }
    }

    fn name_unknown_sections(&self) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if SECTIONS.contains(&name) {
                continue;
            }
            let fix = match suggest::closest(name, SECTIONS.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known sections: {}", SECTIONS.join(", ")),
            };
            let at = self.reader.lines.place(&key.span());
            self.reader
                .report
                .problem(at, format!("unknown section `{name}`"), fix);
        }
    }

    fn one(&self, key: &str, name: &'static str, keys: &[&'static str]) -> Option<Section<'a>> {
        let value: &'a Spanned<DeValue<'a>> = self.table.get(key)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some(Section::new(self.reader, name, table, &value.span(), keys));
        }
        self.wrong_shape(key, value, "a table", format!("write {name} once"));
        None
    }

    fn many(&self, key: &str, name: &'static str, keys: &[&'static str]) -> Vec<Section<'a>> {
        let Some(value): Option<&'a Spanned<DeValue<'a>>> = self.table.get(key) else {
            return Vec::new();
        };
        let DeValue::Array(array) = value.get_ref() else {
            self.wrong_shape(
                key,
                value,
                "an array of tables",
                format!("write {name}, in two pairs of brackets"),
            );
            return Vec::new();
        };
        let mut sections = Vec::with_capacity(array.len());
        for element in array {
            match element.get_ref() {
                DeValue::Table(table) => {
                    sections.push(Section::new(
                        self.reader,
                        name,
                        table,
                        &element.span(),
                        keys,
                    ));
                }
                _ => self.wrong_shape(key, element, "an array of tables", format!("write {name}")),
            }
        }
        sections
    }

    fn wrong_shape(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str, fix: String) {
        let at = self.reader.lines.place(&value.span());
        let got = kind(value.get_ref());
        self.reader
            .report
            .problem(at, format!("`{key}` is {got}, expected {expected}"), fix);
    }
}
