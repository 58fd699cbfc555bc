//! udhcpc: everything on the command line; options that it has no name for reach the hook as
//! `opt43` in hex.

use std::net::Ipv4Addr;

use anyhow::Result;

use super::record::Record;
use super::{HOOK, Lease, Spec, unhex};
use crate::link::Interface;

pub(super) fn command(spec: &Spec, interface: &Interface) -> Result<Vec<String>> {
    // In the foreground, one packet a second until there is a lease, only our options.
    let mut words: Vec<String> = ["udhcpc", "-f", "-t", "5", "-T", "1", "-A", "1", "-o"]
        .map(ToOwned::to_owned)
        .to_vec();
    let mut add = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    add("-i", interface.name.clone());
    add("-s", HOOK.to_owned());
    for code in &spec.requested {
        add("-O", code.to_string());
    }
    if let Some(class) = &spec.vendor_class {
        add("-V", class.clone());
    }
    if let Some(name) = &spec.host_name {
        add("-x", format!("hostname:{name}"));
    }
    if let Some(id) = &spec.client_id {
        let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        add("-x", format!("0x3d:{digits}"));
        words.push("-C".to_owned());
    }
    Ok(words)
}

pub(super) fn lease(spec: &Spec, record: &Record) -> Option<Lease> {
    let bytes = |code: u8| match code {
        66 => record.get("tftp").map(|text| text.as_bytes().to_vec()),
        67 => record.get("bootfile").map(|text| text.as_bytes().to_vec()),
        _ => unhex(record.get(&format!("opt{code}"))?),
    };
    let codes = spec.shown();
    Some(Lease {
        address: record.first("ip")?,
        router: record.first("router"),
        server: record.first::<Ipv4Addr>("serverid"),
        lease_time: record.first("lease")?,
        options: codes
            .filter_map(|code| Some((code, bytes(code)?)))
            .collect(),
    })
}
