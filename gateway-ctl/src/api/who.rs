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
use crate::config::Origin;
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
    let (store, in_pool, now, today) = {
        let mut gateway = shared.lock();
        let in_pool = gateway.plan.config.pool.get(address).is_some();
        let today = gateway.plan.ledger.owner_of(address, port);
        let kept = today.filter(|entry| entry.origin != Origin::Lease);
        let today = kept.map(|entry| binding(&gateway, entry));
        let leases = served(&mut gateway)?;
        (leases.store(), in_pool, leases.now_seconds(), today)
    };
    if at > now + 1 {
        return Err(Failure::bad_request(
            format!("{} is yet to come", time_text(at)),
            "leave out the time to ask for now",
        ));
    }
    let found = owner_at(&*store, address, port, at).await;
    let lease = found.map_err(Failure::machine)?.as_ref().map(had);
    // Bindings of the file and the API have no history: who has one now is all that is known.
    let today = today.filter(|_| lease.is_none());
    let owner = match (&lease, &today, in_pool) {
        (Some(_), ..) => "lease",
        (None, Some(_), _) => "binding",
        (None, None, true) => "free",
        (None, None, false) => "not_in_pool",
    };
    Ok(Json(Who {
        address,
        port,
        owner: owner.to_owned(),
        binding: today,
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
