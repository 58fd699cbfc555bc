//! `[[class]]`: which clients are answered, and what they get.

use dhcp::{Class, MacRange};
use gateway_common::port_range::MIN_PORTS;
use toml::de::DeValue;

use super::super::pool::Pool;
use super::super::report::{Place, Report};
use super::super::section::{At, Section};
use super::super::values;
use super::clients::{mac_range, pattern};
use super::options;
use super::scope::lease_time_of;

/// Largest range that a lease carries.
pub(super) const MOST_PORTS: u16 = 4096;

pub(super) const KEYS: &[&str] = &[
    "name",
    "macs",
    "vendor_classes",
    "client_ids",
    "ports",
    "pools",
    "primary_switch",
    "backup_switch",
    "enterprise",
    "vendor_options",
    "lease_time",
    "boot_file",
];

/// A class and the line of its ports.
#[derive(Debug)]
pub(super) struct ReadClass {
    pub(super) class: Class,
    pub(super) at: Place,
}

pub(super) fn read(section: &Section<'_>, pool: &Pool) -> Option<ReadClass> {
    let name = section.required_string("name", "\"phone\"");
    let macs = section.all_checked("macs", "[\"00:15:65:*\"]", mac_range);
    let vendor_classes = section.all_checked("vendor_classes", "[\"MyPhone*\"]", pattern);
    let client_ids = section.all_checked("client_ids", "[\"phone-*\"]", pattern);
    let says = |key: &&str| match section.value(key) {
        Some((DeValue::Array(texts), _)) => !texts.is_empty(),
        // What is wrong is said elsewhere.
        found => found.is_some(),
    };
    if !["macs", "vendor_classes", "client_ids"].iter().any(says) {
        section.problem(
            section.at,
            "[[class]] says of no client that it belongs to it",
            "add macs = [\"00:15:65:*\"], vendor_classes = [\"MyPhone*\"] or client_ids; [\"*\"] is any",
        );
    }
    let ports = ports(section);
    let pools = pools(section, pool);
    let switch = |key| {
        let text = section.string(key, "\"198.51.100.200:5060\"");
        section
            .checked(text, values::socket_address)
            .map(|found| found.value)
    };
    let (primary_switch, backup_switch) = (switch("primary_switch"), switch("backup_switch"));
    let lease_time = section.string("lease_time", "\"8h\"");
    let lease_time = section.checked(lease_time, lease_time_of);
    let options = options::read(section);
    let name = name?;
    Some(ReadClass {
        at: ports.map_or(name.at, |ports| ports.at),
        class: Class {
            name: name.value.to_owned(),
            macs,
            vendor_classes,
            client_ids,
            ports: ports.map(|found| found.value),
            pools,
            primary_switch,
            backup_switch,
            enterprise: section
                .integer("enterprise", 1..=u32::MAX)
                .map(|found| found.value),
            lease_time: lease_time.map(|found| found.value),
            boot_file: section
                .string("boot_file", "\"phone.cfg\"")
                .map(|found| found.value.to_owned()),
            vendor_options: section
                .boolean("vendor_options")
                .is_none_or(|found| found.value),
            options,
        },
    })
}

/// A power of two of ports; 0 or no key: no range.
fn ports(section: &Section<'_>) -> Option<At<u16>> {
    let expected = format!("a power of two from {MIN_PORTS} to {MOST_PORTS}");
    if matches!(section.value("ports"), Some((DeValue::Integer(none), _)) if none.as_str() == "0") {
        return None;
    }
    let bounds = u32::from(MIN_PORTS)..=u32::from(MOST_PORTS);
    let found = section.number("ports", bounds, &expected)?;
    let value = u16::try_from(found.value).ok()?;
    if value.is_power_of_two() {
        return Some(At {
            value,
            at: found.at,
        });
    }
    let nearest = value.next_power_of_two();
    section.problem(
        found.at,
        format!("`ports` in [[class]] is {value}, expected {expected}"),
        format!("the next larger is {nearest}"),
    );
    None
}

/// Pools by name; all of them where none is named.
fn pools(section: &Section<'_>, pool: &Pool) -> Vec<usize> {
    let groups = pool.groups();
    let Some(names) = section.strings("pools", "[\"main\"]") else {
        return (0..groups.len()).collect();
    };
    let mut found = Vec::new();
    for name in names {
        match groups.iter().position(|group| group.name == name.value) {
            Some(index) => found.push(index),
            None => {
                let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
                section.problem(
                    name.at,
                    format!("no pool is called \"{}\"", name.value),
                    format!("pools are: {}; a [[pool]] has a `name`", names.join(", ")),
                );
            }
        }
    }
    found
}

/// Warns of classes that `allow_macs` leaves no client: of any hardware address where it is empty.
pub(super) fn check_allowed(classes: &[ReadClass], allowed: &[MacRange], report: &Report) {
    for class in classes {
        let ReadClass { class, at } = class;
        let others = !class.vendor_classes.is_empty() || !class.client_ids.is_empty();
        let meet = |one: &MacRange| {
            let apart = |other: &MacRange| one.last < other.first || other.last < one.first;
            !allowed.iter().all(apart)
        };
        if allowed.is_empty() || others || class.macs.is_empty() || class.macs.iter().any(meet) {
            continue;
        }
        let message = format!(
            "class \"{}\" has no hardware address that `allow_macs` in [dhcp] lets in",
            class.name
        );
        let fix =
            "add its macs to allow_macs, or leave allow_macs out: classes tell who is answered";
        report.warning(*at, message, fix);
    }
}

/// Names twice the same; ranges without pools; ranges smaller than the maps are made for.
pub(super) fn check(classes: &[ReadClass], pool: &Pool, smallest: u16, report: &Report) {
    for (index, one) in classes.iter().enumerate() {
        let name = &one.class.name;
        if classes[..index]
            .iter()
            .any(|other| other.class.name == *name)
        {
            let message = format!("a class is called \"{name}\" already");
            report.problem(one.at, message, "give each class a name of its own");
        }
        let Some(ports) = one.class.ports else {
            continue;
        };
        if pool.groups().is_empty() {
            let message =
                format!("class \"{name}\" has ports, and there is no pool to take them from");
            report.missing(one.at, message, "add [[pool]] with addresses");
        }
        if ports < smallest {
            report.problem(
                one.at,
                format!("class \"{name}\" has {ports} ports, room is made for ranges of {smallest} and more"),
                format!("write smallest_range = {ports} in [limits], or ports = {smallest}"),
            );
        }
    }
}
