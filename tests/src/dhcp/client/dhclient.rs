//! dhclient: a configuration file that gives every option we look at a name and the type "array of
//! bytes", so that it reaches the hook as decimal numbers.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::record::Record;
use super::{HOOK, Lease, Spec, colons};
use crate::dhcp::unconfined::unconfined;
use crate::link::Interface;

/// Run by another path: see [`unconfined`].
const PROGRAM: &str = "/sbin/dhclient";

pub(super) fn command(spec: &Spec, interface: &Interface, directory: &Path) -> Result<Vec<String>> {
    let file = directory.join("dhclient.conf");
    std::fs::write(&file, configuration(spec)?)
        .with_context(|| format!("write {}", file.display()))?;
    unconfined(&interface.ns, Path::new(PROGRAM), directory)?;
    arguments(interface, directory)
}

pub(super) fn arguments(interface: &Interface, directory: &Path) -> Result<Vec<String>> {
    words(interface, directory, "-d")
}

/// A second dhclient that sends the release and ends; it ends the first one too.
pub(super) fn release(interface: &Interface, directory: &Path) -> Result<Vec<String>> {
    words(interface, directory, "-r")
}

fn words(interface: &Interface, directory: &Path, what: &str) -> Result<Vec<String>> {
    let path = |name: &str| {
        let path = directory.join(name);
        let text = path.to_str().map(ToOwned::to_owned);
        text.with_context(|| format!("not UTF-8: {}", path.display()))
    };
    // Its scripts see no environment but what it is told to give them.
    let events = format!("DHCP_EVENTS={}", path("events")?);
    Ok(vec![
        path("dhclient")?,
        "-4".to_owned(),
        what.to_owned(),
        "-v".to_owned(),
        "-sf".to_owned(),
        HOOK.to_owned(),
        "-cf".to_owned(),
        path("dhclient.conf")?,
        "-lf".to_owned(),
        path("leases")?,
        "-pf".to_owned(),
        path("pid")?,
        "-e".to_owned(),
        events,
        "-e".to_owned(),
        "DHCP_CONFIGURES=script".to_owned(),
        interface.name.clone(),
    ])
}

fn configuration(spec: &Spec) -> Result<String> {
    let mut text = String::from(
        "initial-interval 1; backoff-cutoff 2; retry 1; select-timeout 0; reboot 5; timeout 60;\n",
    );
    for code in spec.shown() {
        writeln!(
            text,
            "option bytes{code} code {code} = array of unsigned integer 8;"
        )?;
    }
    let names: Vec<String> = spec.requested.iter().map(|code| name(*code)).collect();
    writeln!(text, "request {};", names.join(", "))?;
    if let Some(class) = &spec.vendor_class {
        writeln!(text, "send vendor-class-identifier {class:?};")?;
    }
    if let Some(host) = &spec.host_name {
        writeln!(text, "send host-name {host:?};")?;
    }
    if let Some(id) = &spec.client_id {
        writeln!(text, "send dhcp-client-identifier {};", colons(id))?;
    }
    Ok(text)
}

/// What it calls an option.
fn name(code: u8) -> String {
    match code {
        1 => "subnet-mask".to_owned(),
        3 => "routers".to_owned(),
        6 => "domain-name-servers".to_owned(),
        15 => "domain-name".to_owned(),
        51 => "dhcp-lease-time".to_owned(),
        54 => "dhcp-server-identifier".to_owned(),
        _ => format!("bytes{code}"),
    }
}

pub(super) fn lease(spec: &Spec, record: &Record) -> Option<Lease> {
    let bytes = |code: u8| -> Option<Vec<u8>> {
        let numbers = record.get(&format!("new_bytes{code}"))?;
        numbers
            .split_whitespace()
            .map(|number| number.parse().ok())
            .collect()
    };
    let codes = spec.shown();
    Some(Lease {
        address: record.first("new_ip_address")?,
        router: record.first("new_routers"),
        server: record.first("new_dhcp_server_identifier"),
        lease_time: record.first("new_dhcp_lease_time")?,
        options: codes
            .filter_map(|code| Some((code, bytes(code)?)))
            .collect(),
    })
}
