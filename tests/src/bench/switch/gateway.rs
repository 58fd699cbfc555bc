//! The gateway: the daemon as an operator runs it, with its store on the disk.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use gateway_tests::site;

use super::place::{NETWORK, Place, phone_address, phone_line};

pub(super) const START_TIME: Duration = Duration::from_secs(60);

/// A daemon that serves anybody; the first phones have lines.
pub(super) fn start(place: &Place, lines: u32, more: &str) -> Result<site::Gateway> {
    let configuration = configuration(&place.file("state"), lines)? + more;
    let mut gateway = site::Gateway::start(&place.switch, &configuration)?;
    gateway.wait_ready(START_TIME)?;
    Ok(gateway)
}

fn configuration(state: &str, lines: u32) -> Result<String> {
    let mut text = format!(
        r#"[state]
directory = "{state}"

[[inside]]
interface = "eth1"
networks = ["{NETWORK}"]

[[outside]]
interface = "uplink0"

[[pool]]
addresses = ["198.18.0.1"]

[switch]
admission = "anybody"
"#
    );
    for phone in 0..lines {
        let (number, address) = (phone_line(phone), phone_address(phone));
        writeln!(
            text,
            "[[line]]\nnumber = \"{number}\"\nphone = \"[{address}]:2944@{address}\""
        )?;
    }
    Ok(text)
}

/// Memory of a process that is not shared, in bytes.
pub(super) fn resident(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let words = line.and_then(|line| line.split_whitespace().next());
    let kilobytes: f64 = words.context("no RssAnon")?.parse()?;
    Ok(kilobytes * 1024.0)
}

/// Processor time of a process and all its threads so far.
pub(super) fn processor_time(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(format!("{pid}/stat")))?;
    // Behind the name, which may have spaces: user and system time are the 12th and 13th.
    let (_, rest) = stat.rsplit_once(") ").context("no name")?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| -> Result<u64> { Ok(words.get(at).context("too short")?.parse()?) };
    // 100 a second, on every Linux.
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}
