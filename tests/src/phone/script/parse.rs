//! Lines to commands.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::load;
use super::media::Check;
use super::words::words;
use crate::phone::definition::duration;
use crate::phone::h248::Restart;

/// How long anything may take, if nothing is said.
const USUAL: Duration = Duration::from_secs(10);

/// A command.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Command {
    /// Of all phones that are defined behind it.
    Default(Vec<(String, String)>),
    /// A phone, or so many whose names count from 1.
    Phone {
        name: String,
        count: Option<u32>,
        /// It is not switched on by itself.
        off: bool,
        settings: Vec<(String, String)>,
    },
    /// Something for the reader of the output.
    Note(String),
    /// Of phones that are there.
    Of(Who, Verb),
}

/// Which phones, and which line of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Who {
    /// Names; `*` in them is anything, `all` is all.
    pub(super) names: Vec<String>,
    /// From 0.
    pub(super) line: usize,
}

/// What is done or must be so.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verb {
    Start,
    Stop,
    Restart(Restart),
    Leave,
    OffHook,
    OnHook,
    Flash,
    /// The number, or the name of a phone that has one.
    Dial(String),
    Press(String),
    Expect(Expectation, Duration),
    Talk(Duration),
    Report,
    /// They call each other.
    Load(load::Settings),
    /// They register, so many in a second, all within this time.
    Register(f64, Duration),
}

/// What must be so.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expectation {
    /// By any switch, or by the one that is meant.
    Registered(Option<Switch>),
    Unregistered,
    /// It has booted.
    Up,
    Tone(String),
    Silence,
    /// By somebody whose address has this in it.
    Ringing(Option<String>),
    Quiet,
    Talking(Option<Path>),
    Held,
    HungUp,
    Idle,
    OffHook,
    OnHook,
    Media(Vec<Check>),
    /// An event with these fields was told, and no command has asked for it before.
    Event(String, Vec<(String, String)>),
}

/// A switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    Primary,
    Backup,
    At(Ipv4Addr),
}

/// Where media goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// `private`, `public`, `internal`.
    Choice(String),
    At(Ipv4Addr),
}

impl Command {
    /// Reads a line; none if nothing is on it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(line: &str) -> Result<Option<Self>> {
        let words = words(line)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Ok(Some(match words.as_slice() {
            [] => return Ok(None),
            ["default", settings @ ..] => Self::Default(pairs(settings)?),
            ["phone", name, settings @ ..] => phone(name, settings)?,
            ["note", text @ ..] => Self::Note(text.join(" ")),
            [who, verb, rest @ ..] => Self::Of(Who::parse(who)?, Verb::parse(verb, rest)?),
            [who] => bail!("{who}: what about it?"),
        }))
    }
}

fn phone(name: &str, settings: &[&str]) -> Result<Command> {
    let mut settings = pairs(settings)?;
    let mut take = |key: &str| {
        let at = settings.iter().position(|(found, _)| found == key)?;
        Some(settings.remove(at).1)
    };
    let count = take("count")
        .map(|count| count.parse())
        .transpose()
        .context("count")?;
    let off = match take("start").as_deref() {
        None | Some("yes") => false,
        Some("no") => true,
        Some(other) => bail!("start={other}: expected yes or no"),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    ensure!(
        !name.is_empty() && name.chars().all(plain),
        "{name:?}: a phone's name has letters, digits, - _ ."
    );
    ensure!(
        !["all", "default", "phone", "note"].contains(&name),
        "{name} is no name for a phone"
    );
    let name = name.to_owned();
    Ok(Command::Phone {
        name,
        count,
        off,
        settings,
    })
}

fn pairs(words: &[&str]) -> Result<Vec<(String, String)>> {
    let pair = |word: &&str| {
        let (key, value) = word
            .split_once('=')
            .with_context(|| format!("{word:?}: expected key=value"))?;
        Ok((key.to_owned(), value.to_owned()))
    };
    words.iter().map(pair).collect()
}

impl Who {
    /// `a1`, `a1,a2`, `a*`, `all`, each with `/2` for the second line.
    fn parse(word: &str) -> Result<Self> {
        let (names, line) = word.split_once('/').unwrap_or((word, "1"));
        let line: usize = line
            .parse()
            .with_context(|| format!("{word}: no line {line:?}"))?;
        ensure!(line > 0, "{word}: lines count from 1");
        let names = names.split(',').map(str::to_owned).collect();
        Ok(Self {
            names,
            line: line - 1,
        })
    }
}

impl Verb {
    fn parse(verb: &str, rest: &[&str]) -> Result<Self> {
        Ok(match (verb, rest) {
            ("start", []) => Self::Start,
            ("stop", []) => Self::Stop,
            ("leave", []) => Self::Leave,
            ("restart", [] | ["warm"]) => Self::Restart(Restart::Warm),
            ("restart", ["cold"]) => Self::Restart(Restart::Cold),
            ("offhook" | "answer", []) => Self::OffHook,
            ("onhook" | "hangup" | "refuse", []) => Self::OnHook,
            ("flash", []) => Self::Flash,
            ("dial", [number]) => Self::Dial((*number).to_owned()),
            ("press", [digits]) => Self::Press(digits_of(digits)?),
            ("talk", [time]) => Self::Talk(duration(time)?),
            ("report", []) => Self::Report,
            ("load", settings) => Self::Load(load::Settings::parse(settings)?),
            ("register", rest) => {
                let (rest, within) = within(rest)?;
                let rate = match rest {
                    [] => 1e6,
                    [word] => rate(word)?,
                    _ => bail!("register {}: expected rate=N", rest.join(" ")),
                };
                Self::Register(rate, within)
            }
            ("expect", [what, rest @ ..]) => {
                let (rest, within) = within(rest)?;
                Self::Expect(Expectation::parse(what, rest)?, within)
            }
            _ => bail!(
                "{verb} {}: no such command: docs/simulated-phone.md has all of them",
                rest.join(" ")
            ),
        })
    }
}

fn rate(word: &str) -> Result<f64> {
    let rate = word
        .strip_prefix("rate=")
        .and_then(|rate| rate.parse().ok());
    rate.filter(|rate| *rate > 0.0)
        .with_context(|| format!("{word}: expected rate=N, in a second"))
}

fn digits_of(text: &str) -> Result<String> {
    let key = |c: char| c.is_ascii_digit() || matches!(c, 'A'..='D' | 'a'..='d' | '*' | '#');
    ensure!(
        !text.is_empty() && text.chars().all(key),
        "{text:?}: keys are 0 to 9, A to D, * and #"
    );
    Ok(text.to_owned())
}

/// A time at the end, with or without `within`.
fn within<'a, 'b>(words: &'a [&'b str]) -> Result<(&'a [&'b str], Duration)> {
    match words {
        [rest @ .., "within", time] => Ok((rest, duration(time)?)),
        [rest @ .., time] if !time.contains(['=', '<', '>', ':']) => match duration(time) {
            Ok(time) => Ok((rest, time)),
            Err(_) => Ok((words, USUAL)),
        },
        _ => Ok((words, USUAL)),
    }
}

impl Expectation {
    fn parse(what: &str, rest: &[&str]) -> Result<Self> {
        Ok(match (what, rest) {
            ("registered", []) => Self::Registered(None),
            ("registered", ["primary"]) => Self::Registered(Some(Switch::Primary)),
            ("registered", ["backup"]) => Self::Registered(Some(Switch::Backup)),
            ("registered", [address]) => Self::Registered(Some(Switch::At(address.parse()?))),
            ("unregistered", []) => Self::Unregistered,
            ("up", []) => Self::Up,
            ("dialtone", []) => Self::Tone("dial".to_owned()),
            ("ringback" | "busy" | "congestion", []) => Self::Tone(what.to_owned()),
            ("tone", [name]) => Self::Tone((*name).to_owned()),
            ("silence", []) => Self::Silence,
            ("ringing", []) => Self::Ringing(None),
            ("ringing", ["from", caller]) => Self::Ringing(Some((*caller).to_owned())),
            ("quiet", []) => Self::Quiet,
            ("talking", []) => Self::Talking(None),
            ("talking", [choice @ ("private" | "public" | "internal")]) => {
                Self::Talking(Some(Path::Choice((*choice).to_owned())))
            }
            ("talking", ["to", address]) => Self::Talking(Some(Path::At(address.parse()?))),
            ("held", []) => Self::Held,
            ("hungup", []) => Self::HungUp,
            ("idle", []) => Self::Idle,
            ("offhook", []) => Self::OffHook,
            ("onhook", []) => Self::OnHook,
            ("media", checks) => {
                let checks: Result<Vec<Check>> =
                    checks.iter().map(|word| Check::parse(word)).collect();
                Self::Media(checks?)
            }
            ("event", [name, fields @ ..]) => Self::Event((*name).to_owned(), pairs(fields)?),
            _ => bail!(
                "expect {what} {}: nothing that can be expected",
                rest.join(" ")
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> (Who, Verb) {
        match Command::parse(line).unwrap().unwrap() {
            Command::Of(who, verb) => (who, verb),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn phones_are_defined() {
        let line = "phone a1 address=10.0.0.1 count=3 start=no vendor_class=\"My Phone\"";
        let Some(Command::Phone {
            name,
            count,
            off,
            settings,
        }) = Command::parse(line).unwrap()
        else {
            panic!("no phone");
        };
        assert_eq!((name.as_str(), count, off), ("a1", Some(3), true));
        assert_eq!(
            settings[1],
            ("vendor_class".to_owned(), "My Phone".to_owned())
        );
        assert_eq!(Command::parse("  # nothing").unwrap(), None);
    }

    #[test]
    fn phones_do_and_are() {
        let seconds = Duration::from_secs;
        for (line, expected) in [
            ("a1 dial 5002", Verb::Dial("5002".to_owned())),
            ("a1 answer", Verb::OffHook),
            ("a1 restart cold", Verb::Restart(Restart::Cold)),
            (
                "a1 expect ringing",
                Verb::Expect(Expectation::Ringing(None), USUAL),
            ),
            (
                "a1 expect ringing from 5001 3s",
                Verb::Expect(Expectation::Ringing(Some("5001".to_owned())), seconds(3)),
            ),
            (
                "a1 expect talking private within 5s",
                Verb::Expect(
                    Expectation::Talking(Some(Path::Choice("private".to_owned()))),
                    seconds(5),
                ),
            ),
            (
                "a1 expect registered backup 1m",
                Verb::Expect(Expectation::Registered(Some(Switch::Backup)), seconds(60)),
            ),
            (
                "a1 expect media lost<=1%",
                Verb::Expect(Expectation::Media(vec![Check::LostPercent(1.0)]), USUAL),
            ),
            (
                "a1 expect event refused code=486",
                Verb::Expect(
                    Expectation::Event(
                        "refused".to_owned(),
                        vec![("code".to_owned(), "486".to_owned())],
                    ),
                    USUAL,
                ),
            ),
            ("a1 talk 1500ms", Verb::Talk(Duration::from_millis(1500))),
        ] {
            assert_eq!(of(line).1, expected, "{line}");
        }
        let (who, _) = of("a1,b*/2 hangup");
        assert_eq!(
            (who.names, who.line),
            (vec!["a1".to_owned(), "b*".to_owned()], 1)
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for line in [
            "a1",
            "a1 jump",
            "a1 dial",
            "a1 press 5e",
            "a1 talk long",
            "a1 expect joy",
            "a1 expect talking secretly",
            "a1/0 hangup",
            "phone all",
            "phone a/1",
            "phone a1 address",
            "default x",
            "wait 5s",
        ] {
            assert!(Command::parse(line).is_err(), "{line}");
        }
    }
}
