//! Bindings: list, add, remove.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use dataplane::BindingSpec;

use super::page::PageQuery;
use super::server::Failure;
use super::types::{Binding, BindingPage, LostBinding, NewBinding, NewBindings};
use crate::config::{
    self, Conflict, Entry, Origin, Wrong, conflicting, misplaced, most_leases, too_small_a_range,
};
use crate::run::{Gateway, Shared, routers_own};

pub(super) async fn list(
    State(shared): State<Shared>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<BindingPage>, Failure> {
    let query = PageQuery::of(query)?;
    let limit = query.limit();
    let gateway = shared.lock();
    let mut entries = gateway.plan.ledger.after(query.after);
    let bindings: Vec<Binding> = entries
        .by_ref()
        .take(limit)
        .map(|entry| binding(&gateway, entry))
        .collect();
    let more = entries.next().is_some();
    let next = bindings.last().map(|last| last.private).filter(|_| more);
    Ok(Json(BindingPage {
        total: gateway.plan.ledger.len(),
        bindings,
        next,
    }))
}

pub(super) fn binding(gateway: &Gateway, entry: &Entry) -> Binding {
    let state = gateway.dataplane.binding(entry.spec.private);
    let mut binding = Binding {
        private: entry.spec.private,
        public: entry.spec.public,
        ports: entry.spec.ports.to_string(),
        name: entry.name.as_deref().map(ToOwned::to_owned),
        origin: entry.origin.label().to_owned(),
        interface: String::new(),
        out_packets: 0,
        out_bytes: 0,
        in_packets: 0,
        in_bytes: 0,
    };
    // The dataplane's word: what is bound otherwise is not bound.
    if let Some(state) = state.filter(|state| state.spec == entry.spec) {
        binding.interface = state.inside;
        binding.out_packets = state.out_packets;
        binding.out_bytes = state.out_bytes;
        binding.in_packets = state.in_packets;
        binding.in_bytes = state.in_bytes;
    }
    binding
}

pub(super) async fn add(
    State(shared): State<Shared>,
    body: Result<Json<NewBindings>, JsonRejection>,
) -> Result<(StatusCode, Json<Vec<Binding>>), Failure> {
    let Json(body) = body.map_err(|error| {
        let example =
            r#"{"private": "10.10.0.21", "public": "198.51.100.1", "ports": "40000-40063"}"#;
        Failure::bad_request(
            error.body_text(),
            format!("send {example}, or an array of such"),
        )
    })?;
    let wanted = match body {
        NewBindings::One(one) => vec![one],
        NewBindings::Many(many) => many,
    };
    let entries = wanted.into_iter().map(read);
    let entries = entries.collect::<Result<Vec<_>, Wrong>>()?;
    let mut gateway = shared.lock();
    check(&gateway, &entries)?;
    gateway.add(entries.clone()).map_err(Failure::machine)?;
    let added = entries
        .iter()
        .map(|entry| binding(&gateway, entry))
        .collect();
    Ok((StatusCode::CREATED, Json(added)))
}

/// Adds those of a backup that are not there and fit; how many, and which do not.
pub(super) fn add_missing(
    shared: &Shared,
    entries: Vec<Entry>,
) -> Result<(usize, Vec<LostBinding>), Failure> {
    let mut gateway = shared.lock();
    let there = |entry: &Entry| {
        let found = gateway.plan.ledger.get(entry.spec.private);
        found.is_some_and(|found| found.spec == entry.spec)
    };
    let room = Room::of(&gateway);
    let (mut new, mut fitting, mut lost) = (config::Ledger::default(), Vec::new(), Vec::new());
    for entry in entries.into_iter().filter(|entry| !there(entry)) {
        let fits = room.has(fitting.len() + 1);
        match fits.and_then(|()| fits_beside(&gateway, &entry, &mut new)) {
            Ok(()) => fitting.push(entry),
            Err(why) => lost.push(LostBinding {
                private: entry.spec.private,
                error: why.1.error,
            }),
        }
    }
    let added = fitting.len();
    if added > 0 {
        gateway.add(fitting).map_err(|error| {
            let error = anyhow::Error::from(error);
            Failure::machine(
                error.context("leases are taken in, bindings are not: import it again"),
            )
        })?;
    }
    if let Some(first) = lost.first() {
        let bindings = lost.len();
        tracing::warn!(
            bindings,
            first = first.error,
            "bindings of a backup do not fit"
        );
    }
    Ok((added, lost))
}

impl From<Wrong> for Failure {
    fn from(wrong: Wrong) -> Self {
        Self::bad_request(wrong.message, wrong.fix)
    }
}

/// A binding as it is asked for, read.
pub(super) fn read(wanted: NewBinding) -> Result<Entry, Wrong> {
    let spec = BindingSpec {
        private: config::address(&wanted.private)?,
        public: config::address(&wanted.public)?,
        ports: config::port_range(&wanted.ports)?,
    };
    Ok(Entry {
        spec,
        name: wanted.name.map(Into::into),
        origin: Origin::Api,
    })
}

/// All or none: each must fit the configuration, what is there, and the others.
fn check(gateway: &Gateway, entries: &[Entry]) -> Result<(), Failure> {
    Room::of(gateway).has(entries.len())?;
    let mut new = config::Ledger::default();
    let mut all = entries.iter();
    all.try_for_each(|entry| fits_beside(gateway, entry, &mut new))
}

/// How many bindings there may be.
struct Room {
    limit: usize,
    /// Bindings that are no leases.
    there: usize,
    /// All that may be leased.
    leases: usize,
}

impl Room {
    fn of(gateway: &Gateway) -> Self {
        let plan = &gateway.plan;
        let leases = plan.config.dhcp.as_ref();
        let all = plan.ledger.iter();
        Self {
            limit: plan.config.settings.limits.bindings as usize,
            there: all.filter(|entry| entry.origin != Origin::Lease).count(),
            leases: leases.map_or(0, |dhcp| most_leases(dhcp, &plan.config.pool)),
        }
    }

    /// Whether there is room for so many more.
    fn has(&self, more: usize) -> Result<(), Failure> {
        let Self {
            limit,
            there,
            leases,
        } = *self;
        if there + leases + more <= limit {
            return Ok(());
        }
        let leases = match leases {
            0 => String::new(),
            leases => format!(", {leases} that may be leased"),
        };
        Err(Failure::new(
            StatusCode::CONFLICT,
            format!("{there} bindings{leases} and {more} more, room for {limit}"),
            "raise bindings in [limits] of the configuration and reload",
        ))
    }
}

/// Whether one fits the configuration, what is there, and the others that are new with it.
fn fits_beside(gateway: &Gateway, entry: &Entry, new: &mut config::Ledger) -> Result<(), Failure> {
    let plan = &gateway.plan;
    let wrong = misplaced(&plan.config.inside, &plan.config.pool, &entry.spec);
    let too_small = too_small_a_range(&plan.config.settings, &entry.spec);
    let own = routers_own(&plan.interfaces, &entry.spec);
    if let Some(wrong) = wrong.into_iter().chain(own).chain(too_small).next() {
        return Err(wrong.into());
    }
    if let Some(client) = reserved_for(gateway, &entry.spec) {
        return Err(Failure::new(
            StatusCode::CONFLICT,
            format!(
                "{} or its ports {} of {} are reserved for {client}",
                entry.spec.private, entry.spec.ports, entry.spec.public
            ),
            "choose others, or remove the reservation: gateway-ctl leases reservations",
        ));
    }
    let conflict = plan.ledger.check(&entry.spec).err();
    let conflict = conflict.or_else(|| new.insert(entry.clone()).err());
    conflict.map_or(Ok(()), |conflict| Err(taken(entry, &conflict)))
}

/// For whom a binding's address or ports are reserved.
fn reserved_for(gateway: &Gateway, spec: &BindingSpec) -> Option<String> {
    let mut all = gateway.leases.as_ref()?.server.reservations();
    let (one, _) = all.find(|(one, _)| {
        let grant = one.grant.filter(|grant| grant.address == spec.public);
        one.address == Some(spec.private)
            || grant.is_some_and(|grant| grant.ports.overlaps(spec.ports))
    })?;
    Some(one.client.to_string())
}

fn taken(entry: &Entry, conflict: &Conflict) -> Failure {
    let wrong = conflicting(&entry.spec, conflict, |place| {
        format!("in the configuration, line {}", place.line)
    });
    let fix = match conflict {
        Conflict::Private(other) if other.origin == Origin::Api => {
            format!(
                "remove it first: gateway-ctl bindings del {}",
                other.spec.private
            )
        }
        Conflict::Private(other) if other.origin == Origin::Lease => {
            format!(
                "release it first: gateway-ctl leases release {}",
                other.spec.private
            )
        }
        Conflict::Private(_) => "remove it from the configuration first and reload".to_owned(),
        Conflict::Ports(_) => "choose ports that are free: gateway-ctl who ADDRESS:PORT".to_owned(),
    };
    Failure::new(StatusCode::CONFLICT, wrong.message, fix)
}

pub(super) async fn remove(
    State(shared): State<Shared>,
    Path(private): Path<String>,
) -> Result<Json<Binding>, Failure> {
    let private = config::address(&private)?;
    let mut gateway = shared.lock();
    let Some(entry) = gateway.plan.ledger.get(private).cloned() else {
        return Err(Failure::new(
            StatusCode::NOT_FOUND,
            format!("private address {private} has no binding"),
            "see `gateway-ctl bindings list`",
        ));
    };
    if entry.origin == Origin::Lease {
        return Err(Failure::new(
            StatusCode::CONFLICT,
            format!("the binding of {private} is a lease"),
            format!("gateway-ctl leases release {private}"),
        ));
    }
    if let Origin::File(place) = entry.origin {
        return Err(Failure::new(
            StatusCode::CONFLICT,
            format!(
                "the binding of {private} is in the configuration, line {}",
                place.line
            ),
            "remove it there, then `gateway-ctl reload`",
        ));
    }
    let removed = binding(&gateway, &entry);
    gateway.remove(private).map_err(Failure::machine)?;
    Ok(Json(removed))
}
