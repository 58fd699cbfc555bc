//! `GET /metrics` for Prometheus; what each means is in docs/metrics.md.

mod calls;
mod files;
mod leases;
mod sip;

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use dataplane::HookCounters;
use gateway_common::Reason;
use gateway_common::abi::Hook;
use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
use tokio::net::TcpListener;

use crate::run::{Gateway, Shared};

/// Takes the address.
///
/// # Errors
/// When it is taken already, or none of this machine's.
pub(crate) fn bind(address: SocketAddr) -> Result<std::net::TcpListener> {
    std::net::TcpListener::bind(address).with_context(|| {
        format!("cannot serve metrics at {address}: set metrics.listen, or \"off\"")
    })
}

/// Answers scrapes for as long as the daemon runs.
///
/// # Errors
/// When the socket cannot be used.
pub(crate) fn serve(listener: std::net::TcpListener, shared: Shared) -> Result<()> {
    listener.set_nonblocking(true).context("metrics")?;
    let listener = TcpListener::from_std(listener).context("metrics")?;
    let router = Router::new()
        .route("/metrics", get(scrape))
        .with_state(shared);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "metrics ended");
        }
    });
    Ok(())
}

async fn scrape(State(shared): State<Shared>) -> Result<String, (StatusCode, String)> {
    let failed = |error: anyhow::Error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n"));
    text(&mut shared.lock()).map_err(failed)
}

/// All metrics, in Prometheus' text form.
fn text(gateway: &mut Gateway) -> Result<String> {
    let page = Page(Registry::new());
    packets(&page, gateway)?;
    sizes(&page, gateway)?;
    interfaces(&page, gateway)?;
    daemon(&page, gateway)?;
    if let Some(leases) = &mut gateway.leases {
        leases::leases(&page, leases)?;
    }
    if let Some(telephony) = &gateway.telephony {
        calls::calls(&page, telephony)?;
        sip::sip(&page, telephony)?;
    }
    if gateway.plan.config.provision.is_some() {
        files::files(&page, &gateway.provisioning)?;
    }
    if gateway.plan.config.settings.metrics_per_binding {
        per_binding(&page, gateway)?;
    }
    Ok(TextEncoder::new().encode_to_string(&page.0.gather())?)
}

/// The metrics of one scrape: what is read from the maps has no life of its own.
struct Page(Registry);

impl Page {
    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec> {
        let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec> {
        let metric = IntGaugeVec::new(Opts::new(name, help), labels)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counter(&self, name: &str, help: &str, value: u64) -> Result<()> {
        let metric = IntCounter::new(name, help)?;
        metric.inc_by(value);
        Ok(self.0.register(Box::new(metric))?)
    }

    fn gauge(&self, name: &str, help: &str, value: impl TryInto<i64>) -> Result<()> {
        let metric = IntGauge::new(name, help)?;
        metric.set(value.try_into().unwrap_or(i64::MAX));
        Ok(self.0.register(Box::new(metric))?)
    }
}

fn packets(page: &Page, gateway: &Gateway) -> Result<()> {
    let at = ["interface", "hook"];
    let received = page.counters(
        "gateway_packets_received_total",
        "Packets that came to a hook.",
        &at,
    )?;
    let ended = page.counters(
        "gateway_packets_total",
        "Packets by how they ended; over all reasons, as many as were received.",
        &["interface", "hook", "outcome", "reason"],
    )?;
    let sent = page.counters(
        "gateway_icmp_errors_sent_total",
        "ICMP errors that the dataplane sent.",
        &at,
    )?;
    let limited = page.counters(
        "gateway_icmp_errors_limited_total",
        "ICMP errors not sent because of dataplane.icmp_error_rate.",
        &at,
    )?;
    for of in gateway.dataplane.counters()? {
        // Those that are zero too: a rate needs a first sample.
        for hook in Hook::ALL {
            let seen = of.hooks.iter().find(|seen| seen.hook == hook);
            let at = [of.interface.as_str(), hook.label()];
            let count = |of: fn(&HookCounters) -> u64| seen.map_or(0, of);
            received
                .with_label_values(&at)
                .inc_by(count(|seen| seen.received));
            sent.with_label_values(&at)
                .inc_by(count(|seen| seen.icmp_errors_sent));
            limited
                .with_label_values(&at)
                .inc_by(count(|seen| seen.icmp_errors_limited));
            for reason in Reason::ALL {
                let labels = [at[0], at[1], reason.outcome().label(), reason.label()];
                let packets = seen.and_then(|seen| {
                    let found = seen.reasons.iter().find(|(found, _)| found == reason)?;
                    Some(found.1)
                });
                ended
                    .with_label_values(&labels)
                    .inc_by(packets.unwrap_or(0));
            }
        }
    }
    Ok(())
}

fn sizes(page: &Page, gateway: &Gateway) -> Result<()> {
    let limits = gateway.dataplane.limits();
    page.gauge("gateway_bindings", "Bindings.", gateway.plan.ledger.len())?;
    page.gauge(
        "gateway_bindings_by_api",
        "Those of them that the API added.",
        gateway.api_entries().count(),
    )?;
    page.gauge(
        "gateway_bindings_limit",
        "Bindings there is room for.",
        limits.bindings,
    )?;
    page.gauge(
        "gateway_pool_addresses",
        "Public addresses.",
        gateway.plan.config.pool.len(),
    )?;
    page.gauge(
        "gateway_pool_addresses_limit",
        "Public addresses there is room for.",
        limits.pool_addresses,
    )?;
    page.gauge(
        "gateway_tree_nodes",
        "Nodes of the address tree in use.",
        gateway.dataplane.used_tree_nodes(),
    )?;
    page.gauge(
        "gateway_tree_nodes_limit",
        "Nodes of the address tree there is room for.",
        limits.tree_nodes,
    )?;
    let maps = page.gauges("gateway_map_bytes", "Memory of a BPF map, bytes.", &["map"])?;
    for map in gateway.dataplane.memory() {
        maps.with_label_values(&[map.map])
            .set(map.bytes.try_into().unwrap_or(i64::MAX));
    }
    Ok(())
}

fn interfaces(page: &Page, gateway: &Gateway) -> Result<()> {
    let mode = page.gauges(
        "gateway_interface_xdp_mode",
        "1 for the mode in which XDP runs: native, generic, none (no Ethernet), detached.",
        &["interface", "mode"],
    )?;
    for known in &gateway.interfaces {
        let now = match &known.attached {
            Some(Ok(done)) => done.xdp.map_or("none", dataplane::XdpMode::label),
            _ => "detached",
        };
        for word in ["native", "generic", "none", "detached"] {
            mode.with_label_values(&[known.spec.name.as_str(), word])
                .set(i64::from(word == now));
        }
    }
    Ok(())
}

fn daemon(page: &Page, gateway: &Gateway) -> Result<()> {
    page.gauge(
        "gateway_reload_last_success",
        "1 when the configuration was taken over at the last attempt, 0 when it was refused.",
        i64::from(gateway.reload.ok),
    )?;
    page.gauge(
        "gateway_reload_last_success_timestamp_seconds",
        "When the configuration was last taken over, seconds since 1970.",
        gateway.reloaded_at,
    )?;
    let fragments = gateway.fragments;
    for (name, help, value) in [
        (
            "held",
            "Fragments that came ahead of the first one and were taken in.",
            fragments.held,
        ),
        ("sent", "Early fragments sent on.", fragments.sent),
        ("expired", "Early fragments given up.", fragments.expired),
        (
            "refused",
            "Early fragments not taken in for lack of room.",
            fragments.refused,
        ),
    ] {
        page.counter(
            &format!("gateway_early_fragments_{name}_total"),
            help,
            value,
        )?;
    }
    let build = page.gauges(
        "gateway_build_info",
        "Always 1; says what runs.",
        &["version", "abi"],
    )?;
    let abi = gateway_common::abi::ABI_VERSION.to_string();
    build
        .with_label_values(&[env!("CARGO_PKG_VERSION"), abi.as_str()])
        .set(1);
    Ok(())
}

fn per_binding(page: &Page, gateway: &Gateway) -> Result<()> {
    let labels = ["private", "public", "ports", "direction"];
    let packets = page.counters(
        "gateway_binding_packets_total",
        "Packets translated for a phone.",
        &labels,
    )?;
    let bytes = page.counters(
        "gateway_binding_bytes_total",
        "Bytes of IP packets translated for a phone.",
        &labels,
    )?;
    for state in gateway.dataplane.bindings() {
        let (private, public) = (
            state.spec.private.to_string(),
            state.spec.public.to_string(),
        );
        let ports = state.spec.ports.to_string();
        for (direction, count, volume) in [
            ("out", state.out_packets, state.out_bytes),
            ("in", state.in_packets, state.in_bytes),
        ] {
            let labels = [private.as_str(), public.as_str(), ports.as_str(), direction];
            packets.with_label_values(&labels).inc_by(count);
            bytes.with_label_values(&labels).inc_by(volume);
        }
    }
    Ok(())
}
