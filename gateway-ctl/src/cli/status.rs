//! `status`: one screen that says how things are, what is wrong and what to do.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::output::{Output, Table, bytes, print};
use crate::api::client::{Client, ClientError};
use crate::api::types;
use crate::config::{self, DEFAULT_PIN_DIRECTORY};

/// How the gateway is.
#[derive(Debug, clap::Args)]
pub(super) struct Status {
    #[command(flatten)]
    output: Output,
    /// The configuration, asked only when the daemon does not answer.
    #[arg(long, default_value = "/etc/gateway/gateway.toml", value_name = "FILE")]
    config: PathBuf,
}

impl Status {
    pub(super) async fn run(&self, client: &Client) -> Result<()> {
        match client.get::<types::Status>("/v1/status").await {
            Ok(status) => self.output.print(&status, text),
            Err(error) => {
                if matches!(error, ClientError::Unreachable { .. }) {
                    print(&self.without_daemon())?;
                }
                Err(error.into())
            }
        }
    }

    /// Whether traffic flows without a daemon: links that are pinned forward.
    fn without_daemon(&self) -> String {
        let settings = config::load(&self.config)
            .ok()
            .map(|loaded| loaded.config().settings.clone());
        let directory =
            settings.map_or_else(|| DEFAULT_PIN_DIRECTORY.into(), |of| of.pin_directory);
        match pinned_links(&directory) {
            Ok(0) => format!(
                "the daemon does not run, and nothing is pinned at {}: phones are cut off\n",
                directory.display()
            ),
            Ok(count) => format!(
                "the daemon does not run; the dataplane pinned at {} goes on forwarding ({count} \
                 attachments), but nobody follows changes\n",
                directory.display()
            ),
            Err(error) => format!(
                "the daemon does not run; whether the dataplane forwards cannot be seen: {}: {error}\n",
                directory.display()
            ),
        }
    }
}

fn pinned_links(directory: &Path) -> std::io::Result<usize> {
    match std::fs::read_dir(directory.join("links")) {
        Ok(entries) => Ok(entries.count()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

fn text(status: &types::Status) -> String {
    let mut text = format!(
        "gateway {} runs since {} (process {}), dataplane {}\n",
        status.version, status.started, status.pid, status.dataplane
    );
    text += &format!(
        "{} of {} bindings ({} by the API), {} of {} public addresses, maps {}\n",
        status.bindings,
        status.bindings_limit,
        status.bindings_by_api,
        status.pool_addresses,
        status.pool_addresses_limit,
        bytes(status.map_bytes)
    );
    text += &format!(
        "{} {} {}\n\n",
        status.config,
        if status.reload.ok {
            "taken over"
        } else {
            "REFUSED"
        },
        status.reload.at
    );
    for problem in status.reload.problems.iter().take(10) {
        text += &format!("  {problem}\n");
    }
    text += &interfaces(&status.interfaces);
    if let Some(of) = &status.leases {
        text += &format!("\n{}", leases(of));
    }
    if status.warnings.is_empty() {
        text += "\nnothing is wrong\n";
    }
    for warning in &status.warnings {
        text += &format!(
            "\n{}: {}\n  fix: {}\n",
            warning.severity.label(),
            warning.message,
            warning.fix
        );
    }
    text
}

fn leases(of: &types::LeaseStatus) -> String {
    let mut table = Table::new(&[
        "scope", "network", "leases", "free", "offered", "ended", "declined", "refused",
    ]);
    for scope in &of.scopes {
        table.row([
            scope.name.clone(),
            scope.network.clone(),
            scope.active.to_string(),
            scope.free.to_string(),
            scope.offered.to_string(),
            scope.ended.to_string(),
            scope.declined.to_string(),
            scope.refused.to_string(),
        ]);
    }
    let mut pools = Table::new(&["pool", "ranges", "free ports", "live", "resting", "refused"]);
    for pool in &of.pools {
        pools.row([
            pool.name.clone(),
            pool.ranges.to_string(),
            pool.free_ports.to_string(),
            pool.live_ports.to_string(),
            pool.resting_ports.to_string(),
            pool.refused.to_string(),
        ]);
    }
    let served = match of.served.is_empty() {
        true => "nowhere".to_owned(),
        false => format!("on {}", of.served.join(", ")),
    };
    format!("{} leases, DHCP served {served}\n{table}{pools}", of.active)
}

fn interfaces(interfaces: &[types::InterfaceStatus]) -> String {
    let mut table = Table::new(&[
        "interface",
        "side",
        "device",
        "vlans",
        "state",
        "xdp",
        "tc",
        "mtu",
        "address",
    ]);
    let or_dash = |text: Option<String>| {
        text.filter(|text| !text.is_empty())
            .unwrap_or("-".to_owned())
    };
    for of in interfaces {
        let vlans: Vec<String> = of.vlans.iter().map(ToString::to_string).collect();
        table.row([
            of.name.clone(),
            of.role.clone(),
            of.device.clone(),
            or_dash(Some(vlans.join("."))),
            of.state.clone(),
            or_dash(of.xdp.clone()),
            or_dash(of.tc.clone()),
            of.mtu.to_string(),
            or_dash(of.address.map(|address| address.to_string())),
        ]);
    }
    table.to_string()
}
