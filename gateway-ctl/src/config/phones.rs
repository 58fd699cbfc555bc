//! `[[phone]]`: what the operator adds to a phone's templates, as names and passwords of its
//! accounts.

use std::collections::BTreeMap;

use super::dhcp::mac;
use super::report::Report;
use super::section::Section;
use super::values::Wrong;

/// Variables by hardware address.
pub(crate) type Phones = BTreeMap<[u8; 6], BTreeMap<String, String>>;

pub(super) const KEYS: &[&str] = &["mac", "variables"];

pub(super) fn read(sections: &[Section<'_>], report: &Report) -> Phones {
    let mut phones = Phones::new();
    for section in sections {
        let address = section.required_string("mac", "\"00:15:65:12:34:56\"");
        let mut variables = BTreeMap::new();
        let example = "[\"account=21\", \"password=secret\"]";
        for text in section.required_strings("variables", example) {
            if let Some(found) = section.checked(Some(text), variable) {
                variables.insert(found.value.0.to_owned(), found.value.1.to_owned());
            }
        }
        let Some(address) = section.checked(address, mac) else {
            continue;
        };
        if phones.insert(address.value.0, variables).is_some() {
            let message = format!("{} has a [[phone]] already", address.value);
            report.problem(address.at, message, "write all its variables in one");
        }
    }
    phones
}

/// `name=value`.
fn variable(text: &str) -> Result<(&str, &str), Wrong> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let (name, value) = (name.trim(), value.trim());
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(legal) || !text.contains('=') {
        return Err(Wrong::new(
            format!("\"{text}\" sets no variable"),
            "write name=value, the name of letters, digits and _: \"account=21\"",
        ));
    }
    Ok((name, value))
}
