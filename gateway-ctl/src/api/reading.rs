//! Status, counters, memory and reload.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dataplane::{HookCounters, Opened, Role, XdpMode};
use gateway_common::Outcome;
use gateway_common::abi::map;

use super::server::Failure;
use super::types::{
    ApiError, Counters, InterfaceStatus, LeaseStatus, MapUse, Memory, PoolStatus, ReasonCount,
    Reloaded, ScopeStatus, Status, Unanswered,
};
use crate::health;
use crate::net::{Links, enabled_features};
use crate::run::{self, Gateway, KnownInterface, ReloadError, Shared};

/// Maps whose size follows `[limits]`; the others are the same for every site.
const GROWING: [&str; 3] = [map::NODES, map::LEAVES, map::BLOCKS];

pub(super) async fn status(State(shared): State<Shared>) -> Result<Json<Status>, Failure> {
    let links = Links::read().await.map_err(Failure::machine)?;
    let devices = health::devices(&shared.lock());
    // Where features cannot be asked for, nothing is known, and nothing is said.
    let features = enabled_features(&devices).await.unwrap_or_default();
    let mut gateway = shared.lock();
    let warnings = health::warnings(&mut gateway, &links, &features);
    let leases = lease_status(&mut gateway);
    let settings = &gateway.plan.config.settings;
    let limits = gateway.dataplane.limits();
    let (dataplane, dataplane_note) = match &gateway.opened {
        Opened::Fresh => ("fresh", None),
        Opened::Adopted => ("adopted", None),
        Opened::Rebuilt { why } => ("rebuilt", Some(why.clone())),
    };
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        started: gateway.started.clone(),
        dataplane: dataplane.to_owned(),
        dataplane_note,
        pin_directory: settings.pin_directory.display().to_string(),
        config: gateway.config_path.display().to_string(),
        reload: gateway.reload.clone(),
        bindings: gateway.plan.ledger.len(),
        bindings_by_api: gateway.api_entries().count(),
        bindings_limit: limits.bindings,
        pool_addresses: gateway.plan.config.pool.len(),
        pool_addresses_limit: limits.pool_addresses,
        tree_nodes: gateway.dataplane.used_tree_nodes(),
        tree_nodes_limit: limits.tree_nodes,
        map_bytes: gateway.dataplane.memory().iter().map(|map| map.bytes).sum(),
        interfaces: gateway
            .interfaces
            .iter()
            .map(|known| interface(known, &links))
            .collect(),
        early_fragments: gateway.fragments,
        leases,
        warnings,
    }))
}

fn lease_status(gateway: &mut Gateway) -> Option<LeaseStatus> {
    let served = gateway.served_interfaces();
    let leases = gateway.leases.as_mut()?;
    let (scopes, pools) = leases.usage();
    let counters = leases.server.counters();
    let reasons = dhcp::Ignored::ALL
        .iter()
        .filter(|of| counters.ignored(**of) > 0);
    let unanswered = reasons.map(|reason| Unanswered {
        reason: reason.label().to_owned(),
        messages: counters.ignored(*reason),
        meaning: reason.help().to_owned(),
    });
    Some(LeaseStatus {
        unanswered: unanswered.collect(),
        active: scopes.iter().map(|scope| scope.active).sum(),
        served,
        scopes: scopes
            .into_iter()
            .map(|scope| ScopeStatus {
                name: scope.name,
                network: scope.network.to_string(),
                free: scope.free,
                active: scope.active,
                ended: scope.ended,
                declined: scope.declined,
                offered: scope.offered,
                refused: scope.refused,
            })
            .collect(),
        pools: pools
            .into_iter()
            .map(|pool| PoolStatus {
                name: pool.name,
                ranges: pool.ranges,
                free_ports: pool.ports.free,
                live_ports: pool.ports.live,
                resting_ports: pool.ports.resting,
                refused: pool.refused,
            })
            .collect(),
    })
}

fn interface(known: &KnownInterface, links: &Links) -> InterfaceStatus {
    let spec = &known.spec;
    let state = match links.named(&spec.name) {
        None => "missing",
        Some(link) if !link.up => "down",
        Some(link) if !link.carrier => "no-carrier",
        Some(_) => "up",
    };
    let done = known
        .attached
        .as_ref()
        .and_then(|attached| attached.as_ref().ok());
    let failed = known
        .attached
        .as_ref()
        .and_then(|attached| attached.as_ref().err());
    let note = known
        .missing
        .as_ref()
        .or(failed)
        .or(done.and_then(|done| done.note.as_ref()));
    InterfaceStatus {
        name: spec.name.clone(),
        role: match spec.role {
            Role::Inside { .. } => "inside",
            Role::Outside => "outside",
        }
        .to_owned(),
        device: spec.port_name.clone(),
        vlans: spec.tags.iter().map(|tag| tag.vid).collect(),
        xdp: done.map(|done| done.xdp.map_or("none", XdpMode::label).to_owned()),
        tc: done.map(|done| done.tc.to_owned()),
        state: state.to_owned(),
        mtu: spec.mtu,
        address: spec.address,
        note: note.cloned(),
    }
}

pub(super) async fn counters(State(shared): State<Shared>) -> Result<Json<Vec<Counters>>, Failure> {
    let gateway = shared.lock();
    let read = gateway.dataplane.counters().map_err(Failure::machine)?;
    let flat = read.iter().flat_map(|of| {
        of.hooks
            .iter()
            .map(|hook| hook_counters(&of.interface, hook))
    });
    Ok(Json(flat.collect()))
}

fn hook_counters(interface: &str, hook: &HookCounters) -> Counters {
    let of = |outcome: Outcome| {
        let matching = hook
            .reasons
            .iter()
            .filter(|(reason, _)| reason.outcome() == outcome);
        matching.map(|(_, packets)| packets).sum()
    };
    let reasons = hook.reasons.iter().map(|(reason, packets)| ReasonCount {
        reason: reason.label().to_owned(),
        outcome: reason.outcome().label().to_owned(),
        packets: *packets,
    });
    Counters {
        interface: interface.to_owned(),
        hook: hook.hook.label().to_owned(),
        received: hook.received,
        redirected: of(Outcome::Redirected),
        passed: of(Outcome::Passed),
        dropped: of(Outcome::Dropped),
        reasons: reasons.collect(),
        icmp_errors_sent: hook.icmp_errors_sent,
        icmp_errors_limited: hook.icmp_errors_limited,
    }
}

pub(super) async fn memory(State(shared): State<Shared>) -> Json<Memory> {
    let gateway: &Gateway = &shared.lock();
    let maps: Vec<MapUse> = gateway
        .dataplane
        .memory()
        .into_iter()
        .map(|map| MapUse {
            map: map.map.to_owned(),
            entries: map.entries,
            bytes: map.bytes,
        })
        .collect();
    let total_bytes: u64 = maps.iter().map(|map| map.bytes).sum();
    let room = u64::from(gateway.dataplane.limits().bindings).max(1);
    let growing = maps.iter().filter(|of| GROWING.contains(&of.map.as_str()));
    let growing: u64 = growing.map(|of| of.bytes).sum();
    Json(Memory {
        maps,
        total_bytes,
        bytes_per_binding: growing.div_ceil(room),
    })
}

pub(super) async fn reload(State(shared): State<Shared>) -> Result<Json<Reloaded>, Failure> {
    run::reload(&shared)
        .await
        .map(Json)
        .map_err(|error| match error {
            ReloadError::Config(problems) => Failure(
                StatusCode::UNPROCESSABLE_ENTITY,
                ApiError {
                    error: ReloadError::Config(problems.clone()).to_string(),
                    fix: "correct the file and reload; `gateway-ctl check FILE` tells the same"
                        .to_owned(),
                    problems: problems.list,
                },
            ),
            ReloadError::Machine(error) => Failure::machine(error),
        })
}
