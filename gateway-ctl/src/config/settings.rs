//! What is said once: `[dataplane] [limits] [api] [metrics] [state]`, all optional.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use dataplane::{Limits, XdpPreference};
use gateway_common::port_range::{MAX_PORTS, MIN_PORTS};

use super::report::Place;
use super::section::{At, Section};

/// Where maps are pinned when nothing else is said.
pub(crate) const DEFAULT_PIN_DIRECTORY: &str = "/sys/fs/bpf/gateway";
/// The API's socket when nothing else is said.
pub(crate) const DEFAULT_SOCKET: &str = "/run/gateway/ctl.sock";
const DEFAULT_STATE_DIRECTORY: &str = "/var/lib/gateway";
const DEFAULT_METRICS_PORT: u16 = 9630;
const DEFAULT_ICMP_ERROR_RATE: u32 = 1000;
const DEFAULT_BINDINGS: u32 = 65_536;
const DEFAULT_POOL_ADDRESSES: u32 = 256;

/// The settings, defaults filled in.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where maps and links are pinned, on a bpffs.
    pub(crate) pin_directory: PathBuf,
    /// Which kind of XDP to use.
    pub(crate) xdp: XdpPreference,
    /// ICMP errors sent for each second and CPU.
    pub(crate) icmp_error_rate: u32,
    /// Sizes of maps.
    pub(crate) limits: Limits,
    /// Where `[limits]` is, for messages about it.
    pub(super) limits_at: LimitsAt,
    /// The API's socket.
    pub(crate) socket: PathBuf,
    /// Where metrics are served; `None`: nowhere.
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Whether there is a metric for each binding.
    pub(crate) metrics_per_binding: bool,
    /// What must survive a restart.
    pub(crate) state_directory: PathBuf,
}

/// Lines of `[limits]`; line 0 where a default holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LimitsAt {
    pub(super) bindings: Place,
    pub(super) pool_addresses: Place,
    pub(super) tree_nodes: Place,
    pub(super) smallest_range: Place,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pin_directory: DEFAULT_PIN_DIRECTORY.into(),
            xdp: XdpPreference::Auto,
            icmp_error_rate: DEFAULT_ICMP_ERROR_RATE,
            limits: Limits::new(DEFAULT_BINDINGS, DEFAULT_POOL_ADDRESSES),
            limits_at: LimitsAt::default(),
            socket: DEFAULT_SOCKET.into(),
            metrics_listen: Some(SocketAddr::from((
                Ipv4Addr::LOCALHOST,
                DEFAULT_METRICS_PORT,
            ))),
            metrics_per_binding: false,
            state_directory: DEFAULT_STATE_DIRECTORY.into(),
        }
    }
}

impl Settings {
    pub(super) const DATAPLANE: &'static [&'static str] =
        &["pin_directory", "xdp", "icmp_error_rate"];
    pub(super) const LIMITS: &'static [&'static str] =
        &["bindings", "pool_addresses", "tree_nodes", "smallest_range"];
    pub(super) const API: &'static [&'static str] = &["socket"];
    pub(super) const METRICS: &'static [&'static str] = &["listen", "per_binding"];
    pub(super) const STATE: &'static [&'static str] = &["directory"];

    pub(super) fn read_dataplane(&mut self, section: &Section<'_>) {
        let directory = section.string("pin_directory", "\"/sys/fs/bpf/gateway\"");
        set(
            &mut self.pin_directory,
            absolute(section, "pin_directory", directory),
        );
        let words = [
            ("auto", XdpPreference::Auto),
            ("native", XdpPreference::Native),
            ("generic", XdpPreference::Generic),
        ];
        set(
            &mut self.xdp,
            section.choice("xdp", &words).map(|found| found.value),
        );
        let rate = section.integer("icmp_error_rate", 0..=1_000_000);
        set(&mut self.icmp_error_rate, rate.map(|found| found.value));
    }

    pub(super) fn read_limits(&mut self, section: &Section<'_>) {
        let bindings = section.integer("bindings", 1..=16_000_000);
        let addresses = section.integer("pool_addresses", 1..=65_536);
        let nodes = section.integer("tree_nodes", 16..=2_000_000);
        let smallest = smallest_range(section);
        self.limits = Limits::new(
            bindings.map_or(self.limits.bindings, |found| found.value),
            addresses.map_or(self.limits.pool_addresses, |found| found.value),
        );
        set(&mut self.limits.tree_nodes, nodes.map(|found| found.value));
        set(
            &mut self.limits.smallest_range,
            smallest.map(|found| found.value),
        );
        self.limits_at = LimitsAt {
            bindings: bindings.map_or(section.at, |found| found.at),
            pool_addresses: addresses.map_or(section.at, |found| found.at),
            tree_nodes: nodes.map_or(section.at, |found| found.at),
            smallest_range: smallest.map_or(section.at, |found| found.at),
        };
    }

    pub(super) fn read_api(&mut self, section: &Section<'_>) {
        let socket = section.string("socket", "\"/run/gateway/ctl.sock\"");
        if let Some(path) = socket
            && path.value.len() > 107
        {
            let message = format!(
                "`socket` in [api] has {} bytes, expected at most 107",
                path.value.len()
            );
            section.problem(path.at, message, "choose a shorter path");
            return;
        }
        set(&mut self.socket, absolute(section, "socket", socket));
    }

    pub(super) fn read_metrics(&mut self, section: &Section<'_>) {
        set(
            &mut self.metrics_per_binding,
            section.boolean("per_binding").map(|found| found.value),
        );
        let Some(listen) = section.string("listen", "\"127.0.0.1:9630\"") else {
            return;
        };
        if listen.value == "off" {
            self.metrics_listen = None;
        } else if let Ok(address) = listen.value.parse() {
            self.metrics_listen = Some(address);
        } else {
            let message = format!(
                "`listen` in [metrics] is \"{}\", no address with a port",
                listen.value
            );
            section.problem(listen.at, message, "write \"127.0.0.1:9630\", or \"off\"");
        }
    }

    pub(super) fn read_state(&mut self, section: &Section<'_>) {
        let directory = section.string("directory", "\"/var/lib/gateway\"");
        set(
            &mut self.state_directory,
            absolute(section, "directory", directory),
        );
    }
}

fn smallest_range(section: &Section<'_>) -> Option<At<u16>> {
    const KEY: &str = "smallest_range";
    let bounds = u32::from(MIN_PORTS)..=u32::from(MAX_PORTS);
    let At { value, at } = section.integer(KEY, bounds)?;
    if value.is_power_of_two() {
        let value = u16::try_from(value).ok()?;
        return Some(At { value, at });
    }
    let message = format!("`{KEY}` in [limits] is {value}, expected a power of two");
    let below = value.next_power_of_two() / 2;
    section.problem(at, message, format!("the next smaller is {below}"));
    None
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// A path that begins with `/`.
pub(super) fn absolute(
    section: &Section<'_>,
    key: &str,
    path: Option<At<&str>>,
) -> Option<PathBuf> {
    let path = path?;
    if path.value.starts_with('/') {
        return Some(path.value.into());
    }
    let message = format!("`{key}` is \"{}\", a relative path", path.value);
    section.problem(
        path.at,
        message,
        "write it from / on: the daemon has no directory of its own",
    );
    None
}
