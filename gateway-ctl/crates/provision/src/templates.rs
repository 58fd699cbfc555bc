//! Which template answers to a name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::value::{Object, Value};
use minijinja::{Environment, Error, ErrorKind};

use crate::carried;
use crate::engine::{self, FUNCTIONS, MOST_TEXT};
use crate::phone::VARIABLES;
use crate::trouble::{self, described, innermost, line_of};
use crate::{Match, Name, Pattern, Phone, RenderError, TemplateError};

/// Bytes of a rendered file at most.
pub const MOST_OUTPUT: usize = 1 << 20;

/// Names, and the template that answers to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The names.
    pub pattern: Pattern,
    /// Only for phones of this class.
    pub class: Option<String>,
    /// The template's file.
    pub file: String,
}

/// Checked templates. The first rule that fits a name and a class decides.
#[derive(Clone, Debug)]
pub struct Templates {
    rules: Vec<Rule>,
    for_all: Vec<Pattern>,
    environment: Environment<'static>,
    spoilt: Vec<TemplateError>,
}

/// A file made for a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Its bytes: UTF-8.
    pub bytes: Vec<u8>,
    /// The template it was made from.
    pub file: String,
}

impl Default for Templates {
    /// None at all.
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            for_all: Vec::new(),
            environment: engine::environment(),
            spoilt: Vec::new(),
        }
    }
}

impl Templates {
    /// Takes rules, and all files that they or an `include` of theirs may name.
    ///
    /// # Errors
    /// As [`Self::of_files`].
    pub fn new(
        rules: Vec<Rule>,
        files: BTreeMap<String, String>,
    ) -> Result<Self, Vec<TemplateError>> {
        let files = files.into_iter();
        let files = files.map(|(file, text)| (file, Ok(text.into_bytes())));
        Self::of_files(rules, files.collect())
    }

    /// Takes rules, and all files that there are: their bytes, or why they cannot be read.
    ///
    /// Every template that a rule names is tried: a variable, filter or file that there is
    /// not is found here and not by a phone. Files that neither a rule nor a template names may
    /// be anything, see [`Self::spoilt`].
    ///
    /// # Errors
    /// All that is wrong with the templates, by file and line.
    pub fn of_files(
        rules: Vec<Rule>,
        files: BTreeMap<String, Result<Vec<u8>, String>>,
    ) -> Result<Self, Vec<TemplateError>> {
        let mut environment = engine::environment();
        let mut errors = Vec::new();
        let mut texts = BTreeMap::new();
        for (file, bytes) in files {
            match text(bytes) {
                Ok(text) => {
                    if let Err(error) = environment.add_template_owned(file.clone(), text.clone()) {
                        errors.push(described(&file, &error));
                    }
                    texts.insert(file, text);
                }
                Err(why) => errors.push(whole(&file, why)),
            }
        }
        let named: BTreeSet<&str> = rules.iter().map(|rule| rule.file.as_str()).collect();
        let needed = needed(&named, &texts, &errors);
        let (mut errors, spoilt): (Vec<_>, Vec<_>) = errors
            .into_iter()
            .partition(|error| needed.contains(&error.file));
        let broken: BTreeSet<String> = errors.iter().map(|error| error.file.clone()).collect();
        for file in named {
            if !broken.contains(file) {
                errors.extend(check(&environment, file));
            }
        }
        if errors.is_empty() {
            Ok(Self {
                rules,
                for_all: Vec::new(),
                environment,
                spoilt,
            })
        } else {
            // That one is not there is only so because it is wrong.
            let is_missing = |error: &TemplateError| {
                let mut names = broken.iter();
                names.any(|name| error.file != *name && error.message.contains(name.as_str()))
            };
            errors.retain(|error| !is_missing(error));
            errors.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
            errors.dedup();
            Err(errors)
        }
    }

    /// What is wrong with files that nothing needs.
    #[must_use]
    pub fn spoilt(&self) -> &[TemplateError] {
        &self.spoilt
    }

    /// Names that only look as if they carried a MAC address: their files are for all phones.
    #[must_use]
    pub fn with_for_all(self, for_all: Vec<Pattern>) -> Self {
        Self { for_all, ..self }
    }

    /// Whether the phone that asks may have a file of this name, wherever it comes from:
    /// names with a MAC address in them are that phone's alone, whether a rule has the
    /// address in its pattern or the name looks so. Classes do not matter here.
    ///
    /// # Errors
    /// [`RenderError::Others`], [`RenderError::NoLease`].
    pub fn guard(&self, name: &Name, phone: Option<&Phone>) -> Result<(), RenderError> {
        let mac = phone.map(|phone| phone.mac);
        let anothers = |rule: &Rule| rule.pattern.matches(name, mac) == Match::Others;
        let for_all = || {
            let mut patterns = self.for_all.iter();
            patterns.any(|pattern| pattern.matches(name, mac) == Match::Own)
        };
        let looks_so = || carried::is_anothers(name, mac) && !for_all();
        if self.rules.iter().any(anothers) || looks_so() {
            return Err(refused(name, phone));
        }
        Ok(())
    }

    /// Makes the file that a phone asks for; `None`: no template answers to its name.
    ///
    /// # Errors
    /// When the file is another phone's, nothing is known of who asks, or the template and
    /// the phone's values do not go together.
    pub fn render(
        &self,
        name: &Name,
        phone: Option<&Phone>,
    ) -> Result<Option<Rendered>, RenderError> {
        let Some((rule, phone)) = self.rule(name, phone)? else {
            return Ok(None);
        };
        let bytes = self.made(&rule.file, phone)?;
        let file = rule.file.clone();
        Ok(Some(Rendered { bytes, file }))
    }

    /// The rules, the first before the others.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Renders a template for a phone, whatever it asks for.
    ///
    /// # Errors
    /// When there is no such template, or it and the phone's values do not go together.
    pub fn made(&self, file: &str, phone: &Phone) -> Result<Vec<u8>, TemplateError> {
        let variables = phone.variables.iter();
        let variables = variables.map(|(name, value)| (name.as_str(), Value::from(value.as_str())));
        let values = phone.values(Value::from_pairs(variables));
        engine::render(&self.environment, file, values, MOST_OUTPUT)
            .map_err(|error| trouble::for_phone(&self.environment, file, &error, phone))
    }

    /// The rule that answers, and for whom.
    fn rule<'t, 'p>(
        &'t self,
        name: &Name,
        phone: Option<&'p Phone>,
    ) -> Result<Option<(&'t Rule, &'p Phone)>, RenderError> {
        for rule in &self.rules {
            let class = rule.class.as_deref();
            let Some(phone) = phone else {
                if rule.pattern.matches(name, None) == Match::No {
                    continue;
                }
                return Err(refused(name, None));
            };
            if class.is_some_and(|class| class != phone.class) {
                continue;
            }
            match rule.pattern.matches(name, Some(phone.mac)) {
                Match::No => {}
                Match::Own => return Ok(Some((rule, phone))),
                Match::Others => return Err(refused(name, Some(phone))),
            }
        }
        Ok(None)
    }
}

/// Why it is not for who asks.
fn refused(name: &Name, phone: Option<&Phone>) -> RenderError {
    let name = name.to_string();
    match phone {
        None => RenderError::NoLease { name },
        Some(phone) => RenderError::Others {
            name,
            asking: phone.mac_with(":"),
        },
    }
}

/// A template's text.
fn text(bytes: Result<Vec<u8>, String>) -> Result<String, String> {
    let bytes = bytes?;
    if bytes.len() > MOST_TEXT {
        let got = bytes.len();
        return Err(format!("it has {got} bytes, expected at most {MOST_TEXT}"));
    }
    String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text".to_owned())
}

/// Those of the wrong files that a rule names, or a template that one needs.
fn needed(
    named: &BTreeSet<&str>,
    texts: &BTreeMap<String, String>,
    wrong: &[TemplateError],
) -> BTreeSet<String> {
    let mut needed: BTreeSet<String> = named.iter().map(|name| (*name).to_owned()).collect();
    let mut next: Vec<String> = needed.iter().cloned().collect();
    let wrong: Vec<&str> = wrong.iter().map(|error| error.file.as_str()).collect();
    while let Some(text) = next.pop().map(|file| texts.get(&file)) {
        let Some(text) = text.filter(|_| !wrong.is_empty()) else {
            continue;
        };
        let files = texts
            .keys()
            .map(String::as_str)
            .chain(wrong.iter().copied());
        for file in files.filter(|file| text.contains(file)) {
            if needed.insert(file.to_owned()) {
                next.push(file.to_owned());
            }
        }
    }
    needed
}

/// What is wrong with a template that was read, as far as that can be told without a phone.
fn check(environment: &Environment<'_>, file: &str) -> Vec<TemplateError> {
    let template = match environment.get_template(file) {
        Ok(template) => template,
        Err(_) => return vec![whole(file, "there is no such file".into())],
    };
    let mut errors = Vec::new();
    let undeclared: BTreeSet<String> = template.undeclared_variables(false).into_iter().collect();
    let known = |name: &str| VARIABLES.contains(&name) || FUNCTIONS.contains(&name);
    for name in undeclared.iter().filter(|name| !known(name)) {
        errors.push(TemplateError {
            file: file.to_owned(),
            line: line_of(template.source(), name),
            message: format!("there is no variable `{name}`"),
            fix: format!(
                "variables: {}; your own: variables.{name}",
                VARIABLES.join(", ")
            ),
        });
    }
    let values = Phone::example().values(Value::from_object(AnyVariable));
    match engine::render(environment, file, values, MOST_OUTPUT) {
        // That one was found above, or is defined by another file.
        Err(error) if depends_on_values(&error) => {}
        Err(error) if errors.is_empty() => errors.push(described(file, &error)),
        _ => {}
    }
    errors
}

/// Whether another phone, or the operator's own variables, may do better.
fn depends_on_values(error: &Error) -> bool {
    !matches!(
        innermost(error).kind(),
        ErrorKind::SyntaxError
            | ErrorKind::TemplateNotFound
            | ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownMethod
            | ErrorKind::UndefinedError
            | ErrorKind::OutOfFuel
    )
}

/// Stands for the operator's variables, whichever there are.
#[derive(Debug)]
struct AnyVariable;

impl Object for AnyVariable {
    fn get_value(self: &Arc<Self>, _: &Value) -> Option<Value> {
        Some(Value::from("1"))
    }
}

fn whole(file: &str, message: String) -> TemplateError {
    TemplateError {
        file: file.to_owned(),
        line: 0,
        message,
        fix: String::new(),
    }
}

#[cfg(test)]
mod tests;
