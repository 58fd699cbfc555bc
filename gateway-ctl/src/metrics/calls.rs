//! Registrations and calls.

use anyhow::Result;
use megaco::transactions::Dropped;
use switch::record::EndReason;
use switch::registration::Service;
use switch::{BOUNDS, Histogram};

use super::Page;
use crate::run::Telephony;

/// No context, unknown or no more terminations, in a context already, too many for one; no
/// resources; on or off the hook already.
const USUAL_ERRORS: [&str; 9] = [
    "412", "430", "431", "432", "433", "434", "435", "510", "540",
];

pub(super) fn calls(page: &Page, telephony: &Telephony) -> Result<()> {
    let switch = &telephony.switch;
    let counters = switch.counters();
    let registrations = page.gauges(
        "gateway_switch_registrations",
        "Media gateways by service: up, leaving, down (heard of no more).",
        &["service"],
    )?;
    for (label, service) in [
        ("up", Service::Up),
        ("leaving", Service::Leaving),
        ("down", Service::Down),
    ] {
        let all = switch.registrations();
        let count = all.filter(|(one, _)| one.service == service).count();
        registrations
            .with_label_values(&[label])
            .set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    page.gauge(
        "gateway_switch_calls",
        "Calls that are under way.",
        switch.call_count() as u64,
    )?;
    for (name, help, count) in [
        (
            "gateway_switch_calls_begun_total",
            "Calls that were dialled.",
            counters.calls,
        ),
        (
            "gateway_switch_calls_answered_total",
            "Calls that were answered.",
            counters.answered,
        ),
        (
            "gateway_switch_service_changes_total",
            "ServiceChange of media gateways themselves: registrations, restarts, departures.",
            counters.service_changes,
        ),
        (
            "gateway_switch_refused_registrations_total",
            "Registrations of media gateways that nobody knows.",
            counters.unknown,
        ),
        (
            "gateway_switch_too_many_registrations_total",
            "Registrations of media gateways that are too many of one phone or address.",
            counters.too_many,
        ),
        (
            "gateway_switch_lost_total",
            "Media gateways that were heard of no more.",
            counters.lost,
        ),
    ] {
        page.counter(name, help, count)?;
    }
    let ended = page.counters(
        "gateway_switch_calls_ended_total",
        "Calls that are over, by reason.",
        &["reason"],
    )?;
    for reason in EndReason::ALL {
        ended
            .with_label_values(&[reason.label()])
            .inc_by(counters.calls_ended(reason));
    }
    let errors = page.counters(
        "gateway_switch_errors_total",
        "Commands that media gateways have refused, by error code of H.248.8.",
        &["code"],
    )?;
    // Those that say why a call failed are there from the start.
    for code in USUAL_ERRORS {
        errors.with_label_values(&[code]).inc_by(0);
    }
    for (code, count) in counters.errors() {
        errors
            .with_label_values(&[code.to_string().as_str()])
            .inc_by(count);
    }
    connecting(page, &counters.connecting)?;
    transactions(page, telephony)
}

/// A histogram, as its three series.
fn connecting(page: &Page, times: &Histogram) -> Result<()> {
    let buckets = page.counters(
        "gateway_switch_connect_seconds_bucket",
        "From lifting the called phone to both ends connected: calls within so many seconds.",
        &["le"],
    )?;
    let bounds = BOUNDS.iter().map(|bound| *bound as f64 / 1000.0);
    let names = bounds.map(|bound| bound.to_string());
    let mut calls = 0;
    for (name, count) in names.chain(["+Inf".to_owned()]).zip(times.buckets) {
        calls += count;
        buckets.with_label_values(&[name.as_str()]).inc_by(calls);
    }
    page.counter(
        "gateway_switch_connect_seconds_count",
        "From lifting the called phone to both ends connected: calls.",
        calls,
    )?;
    let sum = prometheus::Counter::new(
        "gateway_switch_connect_seconds_sum",
        "From lifting the called phone to both ends connected: seconds of all calls together.",
    )?;
    sum.inc_by(times.sum.as_secs_f64());
    Ok(page.0.register(Box::new(sum))?)
}

fn transactions(page: &Page, telephony: &Telephony) -> Result<()> {
    let counters = telephony.wire_counters();
    for (name, help, count) in [
        (
            "gateway_h248_messages_in_total",
            "Messages that came in.",
            counters.messages_in,
        ),
        (
            "gateway_h248_messages_out_total",
            "Messages that were sent.",
            counters.messages_out,
        ),
        (
            "gateway_h248_requests_in_total",
            "Requests of gateways, each once.",
            counters.requests_in,
        ),
        (
            "gateway_h248_repeated_in_total",
            "Requests of gateways that came again.",
            counters.repeated_in,
        ),
        (
            "gateway_h248_requests_out_total",
            "Requests to gateways, each once.",
            counters.requests_out,
        ),
        (
            "gateway_h248_resent_total",
            "Requests and replies that were sent again.",
            counters.resent,
        ),
        (
            "gateway_h248_failed_total",
            "Requests to gateways that were not answered.",
            counters.failed,
        ),
        (
            "gateway_h248_malformed_total",
            "Messages and transactions that could not be read.",
            counters.malformed,
        ),
    ] {
        page.counter(name, help, count)?;
    }
    let dropped = page.counters(
        "gateway_h248_dropped_total",
        "What came in and was not used, by reason.",
        &["reason"],
    )?;
    dropped
        .with_label_values(&["address_too_fast"])
        .inc_by(telephony.messages_too_fast());
    for why in Dropped::ALL {
        dropped
            .with_label_values(&[why.label()])
            .inc_by(counters.dropped(why));
    }
    Ok(())
}
