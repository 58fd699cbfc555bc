//! Leases: list, show, release, reserve; and who had a port at some time.

use std::net::Ipv4Addr;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use dhcp::{HistoryRecord, ReservedClient, State as LeaseState};
use ports::Grant;

use super::named::Named;
use super::page::PageQuery;
use super::server::Failure;
use super::types::{Had, Lease, LeasePage, Reservation};
use crate::config;
use crate::run::{Gateway, Leases, Shared, time_text};

pub(super) async fn list(
    State(shared): State<Shared>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<LeasePage>, Failure> {
    let query = PageQuery::of(query)?;
    let limit = query.limit();
    let mut gateway = shared.lock();
    let leases = served(&mut gateway)?;
    let from = query
        .after
        .map_or(0, |after| u32::from(after).saturating_add(1));
    let mut found = leases.server.leases(from.into());
    let page: Vec<Lease> = found.by_ref().take(limit).map(lease).collect();
    let more = found.next().is_some();
    let next = page.last().map(|last| last.address).filter(|_| more);
    Ok(Json(LeasePage {
        total: leases.server.lease_count(),
        leases: page,
        next,
    }))
}

/// Leases are only where DHCP is.
pub(super) fn served(gateway: &mut Gateway) -> Result<&mut Leases, Failure> {
    gateway.leases.as_mut().ok_or_else(|| {
        Failure::new(
            StatusCode::CONFLICT,
            "DHCP is not turned on: there are no leases",
            "add [dhcp], [[scope]] and [[class]] to the configuration and reload",
        )
    })
}

fn lease(of: &dhcp::Lease) -> Lease {
    let (state, ended) = match of.state {
        LeaseState::Active => ("active", None),
        LeaseState::Ended { at } => ("ended", Some(at)),
        LeaseState::Declined { until } => ("declined", Some(until)),
    };
    Lease {
        address: of.address,
        state: state.to_owned(),
        mac: of.hardware.to_string(),
        client_id: of.client.to_string(),
        host_name: of.host_name.clone(),
        vendor_class: of.vendor_class.clone(),
        class: of.class.as_ref().map(ToString::to_string),
        scope: of.scope.to_string(),
        pool: of.pool.as_ref().map(ToString::to_string),
        public: of.grant.map(|grant| grant.address),
        ports: of.grant.map(|grant| grant.ports.to_string()),
        granted: time_text(of.granted_at),
        renewed: time_text(of.renewed_at),
        expires: of.expires.map(time_text),
        ended: ended.map(time_text),
        relay: of.relay.as_ref().map(|relay| relay.address),
    }
}

/// By private address, hardware address or client identifier; a phone may have several.
pub(super) async fn show(
    State(shared): State<Shared>,
    Path(who): Path<String>,
) -> Result<Json<Vec<Lease>>, Failure> {
    let named = Named::read(&who)?;
    let mut gateway = shared.lock();
    let leases = served(&mut gateway)?;
    let found: Vec<Lease> = leases_of(leases, &named).map(lease).collect();
    if found.is_empty() {
        return Err(unknown(&who));
    }
    Ok(Json(found))
}

/// A phone's leases, whatever their state.
fn leases_of<'a>(leases: &'a Leases, named: &'a Named) -> impl Iterator<Item = &'a dhcp::Lease> {
    // One by address is found at once.
    let (from, most) = match named {
        Named::Address(address) => (*address, 1),
        _ => (Ipv4Addr::UNSPECIFIED, usize::MAX),
    };
    let all = leases.server.leases(from).take(most);
    all.filter(|lease| named.has_lease(lease))
}

fn unknown(who: &str) -> Failure {
    Failure::new(
        StatusCode::NOT_FOUND,
        format!("{who} has no lease"),
        "see `gateway-ctl leases list`; a phone is named by private address, hardware address or \
         client identifier",
    )
}

pub(super) async fn release(
    State(shared): State<Shared>,
    Path(who): Path<String>,
) -> Result<Json<Lease>, Failure> {
    let named = Named::read(&who)?;
    let (released, done) = {
        let mut gateway = shared.lock();
        let leases = served(&mut gateway)?;
        let mut active = leases_of(leases, &named).filter(|lease| lease.is_active());
        let one = active.next().ok_or_else(|| unknown(&who))?;
        if let Some(other) = active.next() {
            return Err(Failure::new(
                StatusCode::CONFLICT,
                format!(
                    "{who} has several leases: {}, {} …",
                    one.address, other.address
                ),
                "name the one that is to end by its private address",
            ));
        }
        let (address, released) = (one.address, lease(one));
        drop(active);
        let now = leases.now();
        let id = leases
            .server
            .release(now, address)
            .map_err(Failure::conflict)?;
        let done = leases.when_committed(id);
        gateway.lease_turn();
        (released, done)
    };
    on_disk(done).await?;
    tracing::info!("a lease was released by an operator");
    tracing::debug!(address = %released.address, mac = released.mac, "released");
    Ok(Json(released))
}

/// Waits until what was asked for is on disk.
async fn on_disk(done: tokio::sync::oneshot::Receiver<()>) -> Result<(), Failure> {
    let ended = |_| Failure::machine("the daemon ends: what was asked for may not be on disk");
    done.await.map_err(ended)
}

pub(super) async fn reservations(
    State(shared): State<Shared>,
) -> Result<Json<Vec<Reservation>>, Failure> {
    let mut gateway = shared.lock();
    let leases = served(&mut gateway)?;
    let all = leases.server.reservations();
    Ok(Json(
        all.map(|(one, in_file)| shown(one, in_file)).collect(),
    ))
}

fn shown(reservation: &dhcp::Reservation, in_file: bool) -> Reservation {
    Reservation {
        client: reservation.client.to_string(),
        address: reservation.address,
        public: reservation.grant.map(|grant| grant.address),
        ports: reservation.grant.map(|grant| grant.ports.to_string()),
        class: reservation.class.clone(),
        origin: Some(if in_file { "file" } else { "api" }.to_owned()),
    }
}

pub(super) async fn reserve(
    State(shared): State<Shared>,
    body: Result<Json<Reservation>, JsonRejection>,
) -> Result<(StatusCode, Json<Reservation>), Failure> {
    let Json(wanted) = body.map_err(|error| {
        Failure::bad_request(
            error.body_text(),
            r#"send {"client": "00:15:65:12:34:56", "address": "10.10.0.21"}"#,
        )
    })?;
    let reservation = read(&wanted)?;
    let done = {
        let mut gateway = shared.lock();
        let leases = served(&mut gateway)?;
        let now = leases.now();
        let id = leases
            .server
            .reserve(now, reservation)
            .map_err(Failure::conflict)?;
        let done = leases.when_committed(id);
        gateway.lease_turn();
        done
    };
    on_disk(done).await?;
    tracing::info!("a reservation was made by an operator");
    tracing::debug!(client = wanted.client, address = ?wanted.address, "reserved");
    Ok((StatusCode::CREATED, Json(wanted)))
}

fn read(wanted: &Reservation) -> Result<dhcp::Reservation, Failure> {
    let client = client(&wanted.client)?;
    let grant = match (wanted.public, &wanted.ports) {
        (Some(address), Some(ports)) => Some(Grant {
            address,
            ports: config::port_range(ports)?,
        }),
        (None, None) => None,
        _ => {
            return Err(Failure::bad_request(
                "a reserved range is a public address and ports: one is missing",
                "give both, or neither",
            ));
        }
    };
    Ok(dhcp::Reservation {
        client,
        address: wanted.address,
        grant,
        class: wanted.class.clone(),
        options: Vec::new(),
    })
}

fn client(text: &str) -> Result<ReservedClient, Failure> {
    let wrong = |error: dhcp::NoReservedClient| Failure::bad_request(error, "");
    text.parse().map_err(wrong)
}

pub(super) async fn unreserve(
    State(shared): State<Shared>,
    Path(who): Path<String>,
) -> Result<Json<Reservation>, Failure> {
    let named = Named::read(&who)?;
    let (removed, done) = {
        let mut gateway = shared.lock();
        let leases = served(&mut gateway)?;
        let mut all = leases.server.reservations();
        let there = all.find(|(there, _)| named.has_reservation(there));
        let (client, removed) = match there {
            Some((one, in_file)) => (one.client.clone(), shown(one, in_file)),
            // One that the configuration leaves no room for is forgotten too.
            None => aside(&who)?,
        };
        drop(all);
        let now = leases.now();
        let id = leases
            .server
            .unreserve(now, &client)
            .map_err(Failure::conflict)?;
        let done = leases.when_committed(id);
        gateway.lease_turn();
        (removed, done)
    };
    on_disk(done).await?;
    tracing::info!("a reservation was removed by an operator");
    tracing::debug!(client = removed.client, "no longer reserved");
    Ok(Json(removed))
}

/// A reservation of which nothing is known but its client.
fn aside(who: &str) -> Result<(ReservedClient, Reservation), Failure> {
    let client = client(who).map_err(|_| {
        Failure::new(
            StatusCode::NOT_FOUND,
            format!("{who} has no reservation"),
            "see `gateway-ctl leases reservations`",
        )
    })?;
    let shown = Reservation {
        client: who.to_owned(),
        address: None,
        public: None,
        ports: None,
        class: None,
        origin: Some("api".to_owned()),
    };
    Ok((client, shown))
}

/// Who had a port, for people.
pub(super) fn had(record: &HistoryRecord) -> Had {
    Had {
        private: record.private,
        ports: record.ports.to_string(),
        mac: record.hardware.to_string(),
        client_id: record.client.to_string(),
        begin: time_text(record.begin),
        end: record.end.map(time_text),
    }
}
