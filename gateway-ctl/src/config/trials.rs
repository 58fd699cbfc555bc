//! Templates, tried with invented phones: one of each class, with all that its `[[class]]` and
//! any `[[phone]]` can give it. What even such a phone has not got, no phone will have.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;

use dhcp::Class;
use gateway_common::PortRange;
use gateway_common::port_range::FIRST_PORT;
use provision::{Phone, Rule, TemplateError, Templates};

use super::phones::Phones;
use super::report::{Place, Report};
use super::switch::Switch;

/// What there is of phones.
pub(super) struct Known<'a> {
    pub(super) classes: &'a [Class],
    pub(super) phones: &'a Phones,
    /// The soft switch, for accounts.
    pub(super) switch: Option<&'a Switch>,
}

/// Notes what is wrong for all phones that a template is for, and warns of what is for some.
pub(super) fn check(templates: &Templates, directory: &Path, known: &Known<'_>, report: &Report) {
    let mut sources: BTreeMap<String, u16> = BTreeMap::new();
    let mut place = |error: &TemplateError| Place {
        source: *sources
            .entry(error.file.clone())
            .or_insert_with_key(|file| report.add_source(&directory.join(file))),
        line: error.line,
    };
    let mut noted: Vec<TemplateError> = Vec::new();
    for rule in templates.rules() {
        let mut trials = known.trials(templates, rule);
        let works = trials.iter().any(|(_, error)| error.is_none());
        trials.retain(|(_, error)| error.is_some());
        for (whose, error) in trials {
            let Some(error) = error.filter(|error| !noted.contains(error)) else {
                continue;
            };
            noted.push(error.clone());
            let at = place(&error);
            if works {
                let message = format!("{whose} get no file: {}", error.message);
                report.warning(at, message, error.fix);
            } else {
                report.problem(at, error.message, error.fix);
            }
        }
    }
}

impl Known<'_> {
    /// What became of each phone that may ask for a rule's file, and whose it was.
    fn trials(&self, templates: &Templates, rule: &Rule) -> Vec<(String, Option<TemplateError>)> {
        let of_rule = |class: &&Class| {
            let wanted = rule.class.as_deref();
            wanted.is_none_or(|wanted| wanted == class.name)
        };
        let error = |phone: &Phone| templates.made(&rule.file, phone).err();
        let mut trials = Vec::new();
        for class in self.classes.iter().filter(of_rule) {
            let phone = self.phone(class);
            let failed = error(&phone);
            if failed.is_none() {
                // A phone need not say what it is called.
                let unnamed = Phone {
                    host_name: None,
                    ..phone
                };
                let whose = format!("phones of class \"{}\" without a host name", class.name);
                trials.extend(error(&unnamed).map(|error| (whose, Some(error))));
            }
            trials.push((format!("phones of class \"{}\"", class.name), failed));
        }
        trials
    }

    fn phone(&self, class: &Class) -> Phone {
        let last = |ports: u16| FIRST_PORT.checked_add(ports - 1);
        let ports = class.ports.and_then(last);
        let ports = ports.and_then(|last| PortRange::new(FIRST_PORT, last).ok());
        let all = self.phones.values().flatten();
        let variables = all.map(|(name, value)| (name.clone(), value.clone()));
        let accounts = self
            .switch
            .iter()
            .flat_map(|switch| switch.accounts.values());
        let accounts = accounts.max_by_key(|accounts| accounts.len());
        let sip = self.switch.and_then(|switch| switch.settings.sip.as_ref());
        Phone {
            mac: [0x02, 0, 0, 0, 0, 0x2a],
            address: Ipv4Addr::new(10, 0, 0, 42),
            public: ports.map(|_| Ipv4Addr::new(198, 51, 100, 1)),
            ports,
            class: class.name.clone(),
            host_name: Some("phone".to_owned()),
            primary_switch: class.primary_switch,
            backup_switch: class.backup_switch,
            server: Ipv4Addr::new(10, 0, 0, 1),
            accounts: accounts.cloned().unwrap_or_default(),
            sip_port: sip.map(|sip| sip.port),
            variables: variables.collect(),
        }
    }
}
