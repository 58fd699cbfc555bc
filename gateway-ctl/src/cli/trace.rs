//! `trace`: a line for each dropped packet, and once for each reason what it means.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use gateway_common::Reason;

use super::output::{Format, Output, print};
use crate::api::client::Client;
use crate::api::types::TraceLine;

/// Show dropped packets as they happen.
#[derive(Debug, clap::Args)]
pub(super) struct Trace {
    /// Only those dropped for this reason, as in source_port_out_of_range.
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// End after so many.
    #[arg(long, value_name = "NUMBER")]
    count: Option<u64>,
    /// At most so many for each second and CPU.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    rate: u32,
    #[command(flatten)]
    output: Output,
}

impl Trace {
    pub(super) async fn run(&self, client: &Client) -> Result<()> {
        let mut path = format!("/v1/trace?rate={}", self.rate);
        if let Some(reason) = &self.reason {
            // Anything but a word of letters would not pass as a query.
            let word: String = reason
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            path += &format!("&reason={word}");
        }
        let mut lines = client.lines(&path).await?;
        let mut explained = BTreeSet::new();
        let mut left = self.count.unwrap_or(u64::MAX);
        while left > 0 {
            let Ok(Some(line)) = lines.next().await else {
                bail!("the gateway ended");
            };
            match self.output.format {
                Format::Json => print(&String::from_utf8_lossy(&line))?,
                Format::Text => show(&serde_json::from_slice(&line)?, &mut explained)?,
            }
            left -= 1;
        }
        Ok(())
    }
}

fn show(line: &TraceLine, explained: &mut BTreeSet<String>) -> Result<()> {
    if line.missed > 0 {
        print(&format!("... {} missed: too many at once\n", line.missed))?;
    }
    print(&format!("{}\n", text(line)))?;
    if explained.insert(line.reason.clone()) {
        let known = Reason::ALL
            .iter()
            .find(|reason| reason.label() == line.reason);
        if let Some(reason) = known {
            print(&format!("  {}: {}\n", reason.label(), reason.help()))?;
        }
    }
    Ok(())
}

/// `14:04:57.123456 eth1.10 xdp no_binding 203.0.113.10:5060 > 198.51.100.1:40000 udp 214`
fn text(line: &TraceLine) -> String {
    let time = line
        .time
        .split_once('T')
        .map_or(line.time.as_str(), |(_, time)| time);
    let mut text = format!("{} {}", time.trim_end_matches('Z'), line.interface);
    for vlan in &line.vlans {
        text += &format!(" vlan {vlan}");
    }
    text += &format!(" {} {}", line.hook, line.reason);
    let end = |address: Option<std::net::Ipv4Addr>, port: Option<u16>| match (address, port) {
        (Some(address), Some(port)) => format!("{address}:{port}"),
        (Some(address), None) => address.to_string(),
        (None, _) => "?".to_owned(),
    };
    text += &format!(
        " {} > {}",
        end(line.source, line.source_port),
        end(line.destination, line.destination_port)
    );
    if let Some(protocol) = &line.protocol {
        text += &format!(" {protocol}");
    }
    text += &format!(" {}", line.length);
    if let Some(detail) = &line.detail {
        text += &format!(" ({detail})");
    }
    text
}
