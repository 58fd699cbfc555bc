//! dhcpcd: a configuration file that gives every option we look at a name and the type "hex". It
//! configures the interface itself; the hook only reports.
//!
//! Its helper processes outlive it when it is killed, and as it gives root up it loses the signal
//! that tells of its parent's death. So it gets a process namespace of its own, below a shell that
//! is the first process there: when that ends, all do.
//!
//! ```text
//! unshare --- sh (1) --- dhcpcd --- helpers, hooks
//! ```

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};
use nix::unistd::Pid;

use super::record::Record;
use super::{HOOK, Lease, Spec, colons, unhex};
use crate::link::Interface;

/// Its leases, and what it has of a running one: fixed paths, which the lab must not share with the
/// machine or with another lab.
const KEPT: &str = "/var/lib/dhcpcd";
const RUNNING: &str = "/run/dhcpcd";

pub(super) fn command(spec: &Spec, interface: &Interface, directory: &Path) -> Result<Vec<String>> {
    private(interface, KEPT)?;
    let file = directory.join("dhcpcd.conf");
    std::fs::write(&file, configuration(spec, directory)?)
        .with_context(|| format!("write {}", file.display()))?;
    boot(interface, directory)
}

/// The command for a phone that has been switched on: what was running before has left nothing.
pub(super) fn boot(interface: &Interface, directory: &Path) -> Result<Vec<String>> {
    private(interface, RUNNING)?;
    let file = directory.join("dhcpcd.conf");
    let file = file.to_str().context("the directory is not UTF-8")?;
    // In the foreground, and it says what it does.
    let words = [
        "unshare",
        "--fork",
        "--pid",
        "--kill-child",
        "sh",
        "-c",
        "\"$@\" & wait $!",
        "sh",
        "dhcpcd",
        "-B",
        "-4",
        "-d",
        "-f",
        file,
        "-c",
        HOOK,
        &interface.name,
    ];
    Ok(words.map(ToOwned::to_owned).to_vec())
}

/// An empty directory in place of the machine's, in the lab's mounts only.
fn private(interface: &Interface, path: &str) -> Result<()> {
    // As dhcpcd itself would; empty unless it runs on the machine too.
    std::fs::create_dir_all(path).with_context(|| format!("make {path}"))?;
    const NONE: Option<&str> = None;
    let tmpfs = Some("tmpfs");
    let mounted = interface
        .ns
        .enter(|| mount(tmpfs, path, tmpfs, MsFlags::empty(), NONE));
    mounted.with_context(|| format!("mount {path}"))
}

fn configuration(spec: &Spec, directory: &Path) -> Result<String> {
    let events = directory.join("events");
    let events = events.to_str().context("the directory is not UTF-8")?;
    let mut text = format!(
        "nodelay\nnoarp\nnoipv4ll\nreboot 5\ntimeout 0\n\
         env DHCP_EVENTS={events}\nenv DHCP_CONFIGURES=itself\n"
    );
    for code in spec.shown() {
        writeln!(text, "define {code} binhex bytes{code}")?;
    }
    for code in &spec.requested {
        writeln!(text, "option {code}")?;
    }
    // Without either it sends a DUID of the machine.
    match &spec.client_id {
        Some(id) => writeln!(text, "clientid {}", colons(id))?,
        None => writeln!(text, "clientid")?,
    }
    match &spec.vendor_class {
        Some(class) => writeln!(text, "vendorclassid {class}")?,
        None => writeln!(text, "vendorclassid")?,
    }
    if let Some(name) = &spec.host_name {
        writeln!(text, "hostname {name}")?;
    }
    Ok(text)
}

/// dhcpcd itself, two below the process that was started.
pub(super) fn process(unshare: u32) -> Result<Pid> {
    let dhcpcd = first_child(first_child(unshare)?)?;
    Ok(Pid::from_raw(i32::try_from(dhcpcd)?))
}

/// The oldest one.
fn first_child(parent: u32) -> Result<u32> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let child = text.split_whitespace().next();
    let child = child.with_context(|| format!("{path}: dhcpcd has ended, or not started yet"))?;
    Ok(child.parse()?)
}

pub(super) fn lease(spec: &Spec, record: &Record) -> Option<Lease> {
    let bytes = |code: u8| unhex(record.get(&format!("new_bytes{code}"))?);
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
