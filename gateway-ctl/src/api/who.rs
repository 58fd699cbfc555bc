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
use crate::run::{Gateway, LAST_SECOND, Shared, owner_at, time_text};

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
            reserved_for: reserved_for(&gateway, address, port),
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
        reserved_for: None,
    }))
}

/// For whom a port is kept.
fn reserved_for(gateway: &Gateway, address: Ipv4Addr, port: u16) -> Option<String> {
    let mut all = gateway.leases.as_ref()?.server.reservations();
    let (one, _) = all.find(|(one, _)| {
        let grant = one.grant.filter(|grant| grant.address == address);
        grant.is_some_and(|grant| grant.ports.contains(port))
    })?;
    Some(one.client.to_string())
}

/// Seconds since 1970 of a time in UTC or with an offset (RFC 3339 section 5.6).
fn seconds(text: &str) -> Result<u64, Failure> {
    read_time(text).map_err(|unread| match unread {
        Unread::NoTime => Failure::bad_request(
            format!("\"{text}\" is no time"),
            "write it in UTC, like 2026-11-21T10:00:00Z, or with an offset, like \
             2026-11-21T11:00:00+01:00",
        ),
        Unread::OutOfRange => Failure::bad_request(
            format!("no history goes as far as \"{text}\""),
            "give a time that there is, from 1970 on: gateway-ctl leases show tells since when a \
             phone has its ports",
        ),
    })
}

/// Why it is no time to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unread {
    /// It is written otherwise.
    NoTime,
    /// No such day or hour, before 1970, or after the year 9999.
    OutOfRange,
}

fn read_time(text: &str) -> Result<u64, Unread> {
    let offset_at = text.len().checked_sub("+01:00".len());
    let split = offset_at.and_then(|at| text.split_at_checked(at));
    let offset = split.and_then(|(time, offset)| Some((time, read_offset(offset)?)));
    let (local, offset) = offset.unwrap_or((text, 0));
    let parsed = humantime::parse_rfc3339_weak(local).map_err(|error| match error {
        humantime::TimestampError::OutOfRange => Unread::OutOfRange,
        _ => Unread::NoTime,
    })?;
    let seconds = parsed.duration_since(UNIX_EPOCH);
    let seconds = seconds.map_or(None, |time| time.as_secs().checked_add_signed(-offset));
    let in_range = seconds.filter(|seconds| *seconds <= LAST_SECOND);
    in_range.ok_or(Unread::OutOfRange)
}

/// Seconds that `+01:00` is ahead of UTC.
fn read_offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
    (hours < 24 && minutes < 60).then_some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_utc_and_elsewhere() {
        let noon = read_time("2026-11-21T12:00:00Z");
        assert_eq!(noon, Ok(1_795_262_400));
        for same in [
            "2026-11-21T13:00:00+01:00",
            "2026-11-21T06:30:00-05:30",
            "2026-11-21 12:00:00",
            "2026-11-22T00:00:00+12:00",
        ] {
            assert_eq!(read_time(same), noon, "{same}");
        }
        for wrong in [
            "",
            "noon",
            "2026-11-21",
            "2026-11-21T12:00:00+1:00",
            "2026-11-21T12:00:00+25:00",
            "12:00",
        ] {
            assert_eq!(read_time(wrong), Err(Unread::NoTime), "{wrong}");
        }
    }

    #[test]
    fn times_at_the_ends_of_time() {
        assert_eq!(read_time("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(read_time("9999-12-31T23:59:59Z"), Ok(LAST_SECOND));
        assert_eq!(
            read_time("9999-12-31T23:59:59+10:00"),
            Ok(LAST_SECOND - 36_000)
        );
        for beyond in [
            "9999-12-31T23:59:59-10:00",
            "1970-01-01T00:00:00+01:00",
            "1969-12-31T23:59:59Z",
            "2026-02-30T12:00:00Z",
            "2026-11-21T25:00:00Z",
        ] {
            assert_eq!(read_time(beyond), Err(Unread::OutOfRange), "{beyond}");
        }
    }
}
