//! `[[line]]`: numbers, and whose they are: a media gateway's termination, or a SIP phone's account.

use std::collections::BTreeMap;

use megaco::TerminationId;
use switch::dial_plan::Number;
use switch::settings::{Line, Owner};
use switch::sip::User;

use super::super::dhcp::mac;
use super::super::report::{Place, Report};
use super::super::section::{At, Section};
use super::super::values::Wrong;
use super::{gateway_of, number_of, termination};

/// What the lines of most phones are called.
const FIRST_LINE: &str = "line1";
/// Bytes of a password at most.
const LONGEST_PASSWORD: usize = 128;
/// Bytes of a user's name at most.
const LONGEST_USER: usize = 64;

pub(in crate::config) const KEYS: &[&str] =
    &["number", "phone", "termination", "password", "user", "name"];

/// All lines.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) all: Vec<Line>,
    /// Who registers by SIP.
    pub(super) users: BTreeMap<String, User>,
    /// What goes into phones' files.
    pub(super) accounts: BTreeMap<[u8; 6], Vec<provision::Account>>,
    /// The first line that only SIP can serve, and what it is.
    pub(super) needs_sip: Option<(Place, &'static str)>,
    /// Where each user was named.
    named: BTreeMap<String, Place>,
}

pub(super) fn read(sections: &[Section<'_>], report: &Report) -> Lines {
    let mut numbers: BTreeMap<Number, Place> = BTreeMap::new();
    let mut places: BTreeMap<(Owner, TerminationId), Place> = BTreeMap::new();
    let mut lines = Lines::default();
    for section in sections {
        let number = section.required_string("number", "\"5001\"");
        let number = section.checked(number, number_of);
        if let Some(number) = &number
            && let Some(other) = numbers.insert(number.value.clone(), number.at)
        {
            let other = report.refer(number.at, other);
            let message = format!("number {} is another line's ({other})", number.value);
            report.problem(number.at, message, "give each line a number of its own");
        }
        if section.has("password") {
            lines.of_a_user(section, number.map(|found| found.value), report);
            continue;
        }
        for key in ["user", "name"] {
            if let Some((_, at)) = section.value(key) {
                let message = format!("`{key}` in [[line]] without `password`");
                let fix = "add password = \"...\" if a SIP phone has this line, or remove it";
                report.problem(at, message, fix);
            }
        }
        let owner = section.required_string("phone", "\"00:15:65:12:34:56\"");
        let owner = section.checked(owner, owner_of);
        let termination = termination(section, FIRST_LINE);
        let (Some(number), Some(owner), Some(termination)) = (number, owner, termination) else {
            continue;
        };
        let place = (owner.value.clone(), termination.clone());
        if let Some(other) = places.insert(place, owner.at) {
            let other = report.refer(owner.at, other);
            let message = format!(
                "this phone's {} has a number ({other})",
                termination.as_str()
            );
            let fix = "name another termination, or remove one of the two";
            report.problem(owner.at, message, fix);
        }
        lines.all.push(Line {
            number: number.value,
            owner: owner.value,
            termination,
        });
    }
    lines
}

impl Lines {
    /// A SIP phone's.
    fn of_a_user(&mut self, section: &Section<'_>, number: Option<Number>, report: &Report) {
        self.needs_sip
            .get_or_insert((section.at, "a [[line]] with `password`"));
        if let Some((_, at)) = section.value("termination") {
            let message = "`termination` in a [[line]] with `password`: SIP phones have none";
            report.problem(at, message, "remove one of the two");
        }
        let password = section.string("password", "\"correct horse\"");
        let password = section.checked(password, password_of);
        let phone = section.string("phone", "\"00:15:65:12:34:56\"");
        let phone = section.checked(phone, hardware_address);
        let name = section.string("name", "\"Reception\"");
        let name = section.checked(name, display_of);
        let user = user_named(section, number.as_ref());
        let (Some(number), Some(user), Some(password)) = (number, user, password) else {
            return;
        };
        if let Some(other) = self.named.insert(user.value.clone(), user.at) {
            let other = report.refer(user.at, other);
            let message = format!("user \"{}\" is another line's ({other})", user.value);
            report.problem(user.at, message, "give each line a `user` of its own");
        }
        if [user.value.as_str(), number.as_str()].contains(&password.value) {
            let message = "this password is guessed at once: it is the user or the number";
            report.warning(password.at, message, "write a long one of random letters");
        }
        let user = user.value;
        if let Some(phone) = phone {
            let account = provision::Account {
                number: number.to_string(),
                user: user.clone(),
                password: password.value.to_owned(),
                display: name.map_or(number.as_str(), |name| name.value).to_owned(),
            };
            self.accounts.entry(phone.value).or_default().push(account);
        }
        let password = password.value.to_owned();
        self.users.insert(user.clone(), User { password });
        self.all.push(Line {
            number,
            owner: Owner::User(user),
            termination: Line::OF_A_USER,
        });
    }
}

/// What it says, or else its number.
fn user_named(section: &Section<'_>, number: Option<&Number>) -> Option<At<String>> {
    let text = match section.value("user") {
        Some(_) => section.string("user", "\"5001\""),
        None => number.map(|number| At {
            value: number.as_str(),
            at: section.value("number").map_or(section.at, |(_, at)| at),
        }),
    };
    let At { value, at } = section.checked(text, user_of)?;
    let value = value.to_owned();
    Some(At { value, at })
}

fn owner_of(text: &str) -> Result<Owner, Wrong> {
    match mac(text) {
        Ok(mac) => Ok(Owner::Mac(mac.0)),
        Err(_) => gateway_of(text).map(Owner::Gateway),
    }
}

fn hardware_address(text: &str) -> Result<[u8; 6], Wrong> {
    mac(text).map(|mac| mac.0).map_err(|_| {
        Wrong::new(
            format!("\"{text}\" is no hardware address, as `phone` of a line with `password` is"),
            "write that of the phone whose file has this account, or leave `phone` out",
        )
    })
}

/// What needs no escapes in a SIP URI (RFC 3261 section 25.1), less what phones get wrong.
fn user_of(text: &str) -> Result<&str, Wrong> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+*~".contains(&byte);
    if (1..=LONGEST_USER).contains(&text.len()) && text.bytes().all(legal) {
        return Ok(text);
    }
    Err(Wrong::new(
        format!("\"{text}\" cannot be the user of a SIP phone"),
        format!(
            "write a `user` of 1 to {LONGEST_USER} letters without accents, digits, and - _ . + * ~"
        ),
    ))
}

/// It never is in a message: those are logged.
fn password_of(text: &str) -> Result<&str, Wrong> {
    let wrong = |what: &str, fix: &str| Err(Wrong::new(format!("this password {what}"), fix));
    match text {
        "" => wrong("is empty", "write a long one of random letters"),
        _ if text.len() > LONGEST_PASSWORD => {
            let what = format!(
                "has {} bytes, expected at most {LONGEST_PASSWORD}",
                text.len()
            );
            wrong(&what, "write a shorter one")
        }
        _ if text.chars().any(char::is_control) => {
            wrong("has control characters", "write one that can be typed")
        }
        _ => Ok(text),
    }
}

fn display_of(text: &str) -> Result<&str, Wrong> {
    match text.chars().any(char::is_control) {
        true => Err(Wrong::new(
            "`name` in [[line]] has control characters",
            "write what a phone's display can show",
        )),
        false => Ok(text),
    }
}
