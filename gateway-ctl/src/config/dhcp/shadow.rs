//! Classes that nobody is of, because a class before has the same clients: the first decides.
//!
//! Hardware addresses are looked at in all classes before vendor classes are, and those before
//! client identifiers, so that each kind is compared with its own.

use dhcp::{MacAddr, MacRange, Pattern};

use super::super::report::Report;
use super::class::ReadClass;

/// Notes classes of which all clients are another's, and warns of those of which some are.
pub(super) fn check(classes: &[ReadClass], report: &Report) {
    for (index, one) in classes.iter().enumerate() {
        let former = &classes[..index];
        let (class, name) = (&one.class, &one.class.name);
        let macs = class.macs.iter();
        let macs = macs.map(|range| (range.to_string(), whose_range(*range, former)));
        let vendors = class.vendor_classes.iter();
        let vendors = vendors.map(|pattern| {
            let whose = whose(pattern, former, |class| &class.class.vendor_classes);
            (text(pattern), whose)
        });
        let identifiers = class.client_ids.iter();
        let identifiers = identifiers.map(|pattern| {
            let whose = whose(pattern, former, |class| &class.class.client_ids);
            (text(pattern), whose)
        });
        let all: Vec<(String, Option<&str>)> = macs.chain(vendors).chain(identifiers).collect();
        let lost = all
            .iter()
            .filter_map(|(what, whose)| Some((what, (*whose)?)));
        let lost: Vec<(&String, &str)> = lost.collect();
        let fix =
            "the first class decides: put the one with fewer clients first, or leave them out";
        if !all.is_empty() && lost.len() == all.len() {
            let (_, whose) = lost[0];
            let message = format!(
                "no client is of class \"{name}\": class \"{whose}\" before it has them all"
            );
            report.problem(one.at, message, fix);
            continue;
        }
        for (what, whose) in lost {
            let message = format!("{what} in class \"{name}\" is class \"{whose}\"'s already");
            report.warning(one.at, message, fix);
        }
    }
}

/// Which of the classes before has these addresses, alone or with others.
fn whose_range(range: MacRange, former: &[ReadClass]) -> Option<&str> {
    let mut ranges: Vec<(MacRange, &str)> = Vec::new();
    for class in former {
        let name = class.class.name.as_str();
        ranges.extend(class.class.macs.iter().map(|range| (*range, name)));
    }
    ranges.sort_unstable_by_key(|(range, _)| range.first);
    let mut next = number(range.first);
    let mut whose = None;
    for (other, name) in ranges {
        if number(other.first) > next {
            break;
        }
        if number(other.last) >= next {
            whose = whose.or(Some(name));
            next = number(other.last) + 1;
        }
    }
    whose.filter(|_| next > number(range.last))
}

fn number(mac: MacAddr) -> u64 {
    mac.0
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn whose<'c>(
    pattern: &Pattern,
    former: &'c [ReadClass],
    patterns: impl Fn(&'c ReadClass) -> &'c Vec<Pattern>,
) -> Option<&'c str> {
    let covers = |other: &Pattern| match other.prefix {
        true => pattern.bytes.starts_with(&other.bytes),
        false => other == pattern,
    };
    let class = former
        .iter()
        .find(|class| patterns(class).iter().any(covers))?;
    Some(&class.class.name)
}

fn text(pattern: &Pattern) -> String {
    let star = if pattern.prefix { "*" } else { "" };
    format!("\"{}{star}\"", pattern.bytes.escape_ascii())
}
