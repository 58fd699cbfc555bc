//! What must hold whatever comes in: the check behind the fuzz target and the replayed
//! corpus. A violation panics.
//!
//! ```text
//!   | 0: values, 1: text; + 2: no lease | name FF pattern FF host name FF class
//!                                       | a template's text
//! ```

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use gateway_common::PortRange;

use crate::{MOST_OUTPUT, Match, Name, Pattern, Phone, RenderError, Rule, Templates};

/// How an input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// It is none.
    NoInput,
    /// No name, or no pattern.
    Unreadable,
    /// No template answers.
    NoTemplate,
    /// Nothing is known of who asks.
    NoLease,
    /// The file is another phone's.
    Others,
    /// The template is refused when it is loaded.
    Wrong,
    /// Template and values do not go together.
    Broken,
    /// A file was made.
    Rendered,
}

impl End {
    /// Every end.
    pub const ALL: [Self; 8] = [
        Self::NoInput,
        Self::Unreadable,
        Self::NoTemplate,
        Self::NoLease,
        Self::Others,
        Self::Wrong,
        Self::Broken,
        Self::Rendered,
    ];
}

/// Longest text of a template, bytes: long ones say nothing new, and slowly.
const MOST_TEXT: usize = 400;

const MAC: &str = "0004f2aabb0c";

const FILES: [(&str, &str); 3] = [
    ("t.cfg", "host = {{ host_name }}\nclass = {{ class }}\n"),
    ("t.xml", "<a b=\"{{ host_name }}\">{{ host_name }}</a>\n"),
    ("t.json", "{\"host\": {{ host_name }}}\n"),
];

fn phone(host_name: &str, class: &str) -> Phone {
    Phone {
        mac: [0x00, 0x04, 0xf2, 0xaa, 0xbb, 0x0c],
        address: Ipv4Addr::new(10, 10, 0, 21),
        public: Some(Ipv4Addr::new(198, 51, 100, 1)),
        ports: PortRange::new(40000, 40063).ok(),
        class: class.to_owned(),
        host_name: Some(host_name.to_owned()),
        primary_switch: None,
        backup_switch: None,
        server: Ipv4Addr::new(10, 10, 0, 1),
        accounts: Vec::new(),
        sip_port: None,
        variables: BTreeMap::new(),
    }
}

/// A name, a pattern and a phone's values, or a template's text.
///
/// # Panics
/// When an invariant does not hold.
pub fn template(input: &[u8]) -> End {
    match input.split_first() {
        Some((kind @ 0..=3, rest)) if kind & 1 == 0 => values(rest, kind & 2 == 0),
        Some((1 | 3, rest)) => text(rest),
        _ => End::NoInput,
    }
}

fn text(input: &[u8]) -> End {
    let Some(text) = std::str::from_utf8(input)
        .ok()
        .filter(|text| text.len() <= MOST_TEXT)
    else {
        return End::NoInput;
    };
    let mut last = End::NoInput;
    for (file, _) in FILES {
        let files = BTreeMap::from([(file.to_owned(), text.to_owned())]);
        let Ok(pattern) = Pattern::new("*") else {
            return End::NoInput;
        };
        let rule = Rule {
            pattern,
            class: None,
            file: file.to_owned(),
        };
        last = match Templates::new(vec![rule], files) {
            Err(errors) => {
                assert!(!errors.is_empty(), "refused without a reason");
                End::Wrong
            }
            Ok(templates) => rendered(&templates, "file", Some(&phone("<name>", "class"))).0,
        };
    }
    last
}

fn rendered(templates: &Templates, name: &str, phone: Option<&Phone>) -> (End, Option<Made>) {
    let Ok(name) = Name::new(name) else {
        return (End::Unreadable, None);
    };
    match templates.render(&name, phone) {
        Ok(None) => (End::NoTemplate, None),
        Err(RenderError::NoLease { .. }) => (End::NoLease, None),
        Err(RenderError::Others { .. }) => (End::Others, None),
        Err(RenderError::Template(_)) => (End::Broken, None),
        Ok(Some(made)) => {
            assert!(made.bytes.len() <= MOST_OUTPUT);
            let text = String::from_utf8(made.bytes).expect("text of text is text");
            let file = made.file;
            (End::Rendered, Some(Made { file, text }))
        }
    }
}

struct Made {
    file: String,
    text: String,
}

fn values(input: &[u8], has_lease: bool) -> End {
    let fields: Result<Vec<&str>, _> = input
        .split(|byte| *byte == 0xff)
        .map(std::str::from_utf8)
        .collect();
    let Ok([name, pattern, host_name, class]) = fields.as_deref() else {
        return End::NoInput;
    };
    let Ok(own) = Pattern::new(pattern) else {
        return End::Unreadable;
    };
    let mut rules = vec![rule("{mac}.cfg", "t.cfg"), rule("cfg{mac}.xml", "t.xml")];
    rules.push(Rule {
        pattern: own.clone(),
        class: None,
        file: "t.json".to_owned(),
    });
    let files = FILES.map(|(file, text)| (file.to_owned(), text.to_owned()));
    let templates = Templates::new(rules, files.into()).expect("these are good");
    let phone = phone(host_name, class);
    let asking = has_lease.then_some(&phone);
    let (end, made) = rendered(&templates, name, asking);
    let Some(made) = made else {
        return end;
    };
    assert!(has_lease, "made for nobody");
    let name = Name::new(name).expect("it was one before");
    assert_eq!(
        templates.guard(&name, asking),
        Ok(()),
        "made, but not to be had"
    );
    let is_personal = made.file != "t.json" || own.is_personal();
    let digits: String = name.as_str().to_ascii_lowercase().replace([':', '-'], "");
    assert!(
        !is_personal || digits.contains(MAC),
        "{name} is not this phone's"
    );
    if made.file == "t.json" {
        assert_eq!(own.matches(&name, Some(phone.mac)), Match::Own);
    }
    contained(&made, host_name, class);
    end
}

fn rule(pattern: &str, file: &str) -> Rule {
    Rule {
        pattern: Pattern::new(pattern).expect("a pattern"),
        class: None,
        file: file.to_owned(),
    }
}

/// No value says more than itself.
fn contained(made: &Made, host_name: &str, class: &str) {
    let text = &made.text;
    if made.file == "t.cfg" {
        assert_eq!(*text, format!("host = {host_name}\nclass = {class}\n"));
        assert_eq!(
            text.chars().filter(|c| c.is_control()).count(),
            2,
            "{text:?}"
        );
        return;
    }
    let (before, after) = match made.file.as_str() {
        "t.xml" => ("<a b=\"", "</a>\n"),
        _ => ("{\"host\": \"", "\"}\n"),
    };
    let inside = text
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    let inside = inside.expect("the template's own text stays");
    assert!(
        !inside.contains(|c: char| c.is_control() && c < ' '),
        "{text:?}"
    );
    if made.file == "t.xml" {
        let (attribute, element) = inside.split_once("\">").expect("both are there");
        assert_eq!(attribute, element);
        assert!(!element.contains(['<', '>', '"', '\'']), "{text:?}");
        return;
    }
    let mut is_escaped = false;
    for c in inside.chars() {
        assert!(is_escaped || c != '"', "{text:?}");
        is_escaped = c == '\\' && !is_escaped;
    }
    assert!(!is_escaped, "{text:?}");
}
