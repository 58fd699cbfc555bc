//! Calls: live, and those that are over; phones that are sent elsewhere.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use switch::Rung;
use switch::identity::GatewayId;
use switch::record::{CallRecord, LiveCall, LoggedEnd};

use super::server::Failure;
use super::types::{HandOff, HandedOff};
use crate::run::{Gateway, Shared, Telephony, last_calls};

/// Calls of the log that are given when nothing else is asked for.
const SOME: usize = 100;
const MOST: usize = 100_000;

pub(super) fn served(gateway: &mut Gateway) -> Result<&mut Telephony, Failure> {
    let trouble = gateway.telephony_trouble.clone();
    gateway.telephony.as_mut().ok_or_else(|| match trouble {
        Some(trouble) => Failure::new(StatusCode::CONFLICT, trouble, "see `gateway-ctl status`"),
        None => Failure::new(
            StatusCode::CONFLICT,
            "there is no soft switch here",
            "add [switch] to the configuration and reload",
        ),
    })
}

pub(super) async fn hand_off(
    State(shared): State<Shared>,
    body: Result<Json<HandOff>, JsonRejection>,
) -> Result<Json<HandedOff>, Failure> {
    let Json(wanted) = body.map_err(|error| {
        Failure::bad_request(error.body_text(), r#"send {"to": "[192.0.2.5]:2944"}"#)
    })?;
    let name = |text: &str| {
        let wrong = |error: switch::identity::NoGateway| Failure::bad_request(error, "");
        text.parse::<GatewayId>().map_err(wrong)
    };
    let to = switch::identity::read_mid(&wanted.to).ok_or_else(|| {
        Failure::bad_request(
            format!("\"{}\" names no controller", wanted.to),
            "write its mId: [192.0.2.5]:2944 or <other.example>",
        )
    })?;
    let mut gateway = shared.lock();
    let telephony = served(&mut gateway)?;
    let whom: Vec<GatewayId> = match &wanted.gateway {
        Some(one) => vec![name(one)?],
        None => {
            let all = telephony.switch.registrations();
            all.map(|(registration, _)| registration.id.clone())
                .collect()
        }
    };
    let mut told = 0;
    for one in &whom {
        told += usize::from(telephony.switch.hand_off(one, to.clone()));
    }
    if let (0, Some(one)) = (told, &wanted.gateway) {
        return Err(Failure::new(
            StatusCode::NOT_FOUND,
            format!("{one} is not registered"),
            "see `gateway-ctl phones`",
        ));
    }
    gateway.telephony_wake();
    tracing::info!(phones = told, %to, "an operator has sent phones to another controller");
    Ok(Json(HandedOff { told }))
}

pub(super) async fn live(State(shared): State<Shared>) -> Result<Json<Vec<LiveCall>>, Failure> {
    let mut gateway = shared.lock();
    let telephony = served(&mut gateway)?;
    Ok(Json(telephony.switch.calls().collect()))
}

pub(super) async fn end(
    State(shared): State<Shared>,
    Path(id): Path<u64>,
) -> Result<Json<LiveCall>, Failure> {
    let mut gateway = shared.lock();
    let telephony = served(&mut gateway)?;
    let call = telephony.switch.calls().find(|call| call.id == id);
    let call = call.ok_or_else(|| {
        Failure::new(
            StatusCode::NOT_FOUND,
            format!("call {id} is not under way"),
            "see `gateway-ctl calls`",
        )
    })?;
    gateway.end_call(id);
    tracing::info!(call = id, "an operator has ended a call");
    Ok(Json(call))
}

/// What was said in the last call of a number.
pub(super) async fn trace(
    State(shared): State<Shared>,
    Path(number): Path<String>,
) -> Result<Json<Vec<Rung>>, Failure> {
    let mut gateway = shared.lock();
    let found = served(&mut gateway)?.switch.trace(&number);
    if found.is_empty() {
        return Err(Failure::new(
            StatusCode::NOT_FOUND,
            format!("nothing was said to or by {number} since the daemon started"),
            "name a number of `gateway-ctl phones`",
        ));
    }
    Ok(Json(found))
}

#[derive(Debug, Deserialize)]
pub(super) struct HistoryQuery {
    /// Who has called or was called.
    number: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn history(
    State(shared): State<Shared>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Json<Vec<CallRecord>>, Failure> {
    let Query(query) = query.map_err(|error| {
        Failure::bad_request(error.body_text(), "give number=DIGITS and limit=NUMBER")
    })?;
    let path = {
        let mut gateway = shared.lock();
        served(&mut gateway)?.log_path()
    };
    let most = query.limit.unwrap_or(SOME).clamp(1, MOST);
    // Files may be long.
    let read = tokio::task::spawn_blocking(move || {
        let number = query.number.as_deref();
        last_calls(&path, most, |record| {
            number.is_none_or(|number| has_number(record, number))
        })
    });
    let records = read.await.map_err(Failure::machine)?;
    Ok(Json(records.map_err(Failure::machine)?))
}

fn has_number(record: &CallRecord, number: &str) -> bool {
    let is = |end: &LoggedEnd| end.number.as_deref() == Some(number);
    record.dialled == number || is(&record.caller) || record.called.as_ref().is_some_and(is)
}
