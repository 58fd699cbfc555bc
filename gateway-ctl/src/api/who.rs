//! Whose a public port is, or was.

use std::net::Ipv4Addr;
use std::time::UNIX_EPOCH;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::bindings::binding;
use super::leases::{had, served};
use super::server::Failure;
use super::types::Who;
use crate::run::{Shared, owner_at, time_text};

#[derive(Debug, Deserialize)]
pub(super) struct WhoQuery {
    address: Ipv4Addr,
    port: u16,
    /// RFC 3339.
    at: Option<String>,
}

pub(super) async fn who(
    State(shared): State<Shared>,
    query: Result<Query<WhoQuery>, QueryRejection>,
) -> Result<Json<Who>, Failure> {
    let Query(query) = query.map_err(|error| {
        Failure::bad_request(
            error.body_text(),
            "give address=ADDRESS&port=PORT, and at=TIME if it is not now",
        )
    })?;
    match &query.at {
        None => now(&shared, query.address, query.port).await,
        Some(at) => then(&shared, query.address, query.port, seconds(at)?).await,
    }
}

async fn now(shared: &Shared, address: Ipv4Addr, port: u16) -> Result<Json<Who>, Failure> {
    let (mut who, history) = {
        let mut gateway = shared.lock();
        let owner = gateway.plan.ledger.owner_of(address, port);
        let owner_kind = match (owner, gateway.plan.config.pool.get(address)) {
            (Some(_), _) => "binding",
            (None, Some(public)) if public.shared => "router",
            (None, Some(_)) => "free",
            (None, None) => "not_in_pool",
        };
        let who = Who {
            address,
            port,
            owner: owner_kind.to_owned(),
            binding: owner.map(|entry| binding(&gateway, entry)),
            at: None,
            lease: None,
        };
        let leases = gateway.leases.as_mut();
        // A range begins with the next whole second.
        (
            who,
            leases.map(|leases| (leases.store(), leases.now_seconds() + 1)),
        )
    };
    if let (Some(binding), Some((store, now))) = (&who.binding, history)
        && binding.origin == "lease"
    {
        let found = owner_at(&*store, address, port, now).await;
        who.lease = found.map_err(Failure::machine)?.as_ref().map(had);
    }
    Ok(Json(who))
}

async fn then(
    shared: &Shared,
    address: Ipv4Addr,
    port: u16,
    at: u64,
) -> Result<Json<Who>, Failure> {
    let (store, in_pool) = {
        let mut gateway = shared.lock();
        let in_pool = gateway.plan.config.pool.get(address).is_some();
        (served(&mut gateway)?.store(), in_pool)
    };
    let found = owner_at(&*store, address, port, at).await;
    let lease = found.map_err(Failure::machine)?.as_ref().map(had);
    let owner = match (&lease, in_pool) {
        (Some(_), _) => "lease",
        (None, true) => "free",
        (None, false) => "not_in_pool",
    };
    Ok(Json(Who {
        address,
        port,
        owner: owner.to_owned(),
        binding: None,
        at: Some(time_text(at)),
        lease,
    }))
}

fn seconds(text: &str) -> Result<u64, Failure> {
    let parsed = humantime::parse_rfc3339_weak(text).ok();
    let since = parsed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map(|since| since.as_secs()).ok_or_else(|| {
        Failure::bad_request(
            format!("\"{text}\" is no time"),
            "write it in UTC, like 2026-11-21T10:00:00Z",
        )
    })
}
