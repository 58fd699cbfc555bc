//! SIP: messages, connections, transactions, registrations.

use anyhow::Result;

use super::Page;
use crate::run::{SIP_TRANSPORTS, Telephony};

/// Nothing, when SIP is not spoken.
/// What broken clients and strangers send most.
const USUAL_FAULTS: [&str; 4] = [
    "start-line",
    "missing-field",
    "unreadable-field",
    "body-cut",
];
/// No password, a wrong name, no such number, no answer, busy, cancelled, nothing in common, overload.
const USUAL_CODES: [&str; 9] = [
    "401", "403", "404", "407", "480", "486", "487", "488", "503",
];

pub(super) fn sip(page: &Page, telephony: &Telephony) -> Result<()> {
    if let Some(traffic) = telephony.sip_traffic() {
        let received = page.counters(
            "gateway_sip_messages_in_total",
            "Messages that came in, by transport.",
            &["transport"],
        )?;
        let sent = page.counters(
            "gateway_sip_messages_out_total",
            "Messages that were sent, by transport.",
            &["transport"],
        )?;
        for (label, transport) in SIP_TRANSPORTS {
            received
                .with_label_values(&[label])
                .inc_by(traffic.received(transport));
            sent.with_label_values(&[label])
                .inc_by(traffic.sent(transport));
        }
        for (name, help, count) in [
            (
                "gateway_sip_too_fast_total",
                "Messages that were not read, because their address speaks too fast.",
                telephony.sip_too_fast(),
            ),
            (
                "gateway_sip_unsent_total",
                "Messages that could not be sent.",
                traffic.unsent,
            ),
            (
                "gateway_sip_broken_connections_total",
                "Connections that were closed, because what came is no SIP.",
                traffic.broken,
            ),
            (
                "gateway_sip_connections_refused_total",
                "Connections closed at once, because there were too many.",
                traffic.refused,
            ),
        ] {
            page.counter(name, help, count)?;
        }
        page.gauge(
            "gateway_sip_connections",
            "Connections over TCP and TLS.",
            telephony.sip_connections() as u64,
        )?;
        let devices = telephony
            .switch
            .accounts()
            .map(|account| account.devices.len());
        page.gauge(
            "gateway_sip_registrations",
            "SIP phones that are registered.",
            devices.sum::<usize>() as u64,
        )?;
    }
    transactions(page, telephony)?;
    refusals(page, telephony)
}

/// What was not done, and why.
fn refusals(page: &Page, telephony: &Telephony) -> Result<()> {
    let Some(counters) = telephony.switch.sip_refusals() else {
        return Ok(());
    };
    page.counter(
        "gateway_sip_registers_total",
        "REGISTER requests that were accepted.",
        counters.registers,
    )?;
    let denied = page.counters(
        "gateway_sip_denied_total",
        "Requests without proper credentials, by reason.",
        &["reason"],
    )?;
    for (reason, count) in counters.all_denied() {
        denied.with_label_values(&[reason]).inc_by(count);
    }
    let malformed = page.counters(
        "gateway_sip_malformed_total",
        "Messages that could not be read, by reason.",
        &["reason"],
    )?;
    // The usual ones are there from the start.
    for reason in USUAL_FAULTS {
        malformed.with_label_values(&[reason]).inc_by(0);
    }
    for (reason, count) in counters.all_malformed() {
        malformed.with_label_values(&[reason]).inc_by(count);
    }
    let refused = page.counters(
        "gateway_sip_refused_total",
        "Final answers of the switch from 300 on, by code.",
        &["code"],
    )?;
    for code in USUAL_CODES {
        refused.with_label_values(&[code]).inc_by(0);
    }
    for (code, count) in counters.all_refused() {
        let code = code.to_string();
        refused.with_label_values(&[code.as_str()]).inc_by(count);
    }
    Ok(())
}

fn transactions(page: &Page, telephony: &Telephony) -> Result<()> {
    let Some(counters) = telephony.switch.sip_counters() else {
        return Ok(());
    };
    for (name, help, count) in [
        (
            "gateway_sip_requests_total",
            "Requests that came in, each once, but for ACK.",
            counters.requests,
        ),
        (
            "gateway_sip_requests_repeated_total",
            "Requests and ACKs that came again.",
            counters.requests_repeated,
        ),
        (
            "gateway_sip_responses_repeated_total",
            "Responses that came again.",
            counters.responses_repeated,
        ),
        (
            "gateway_sip_retransmissions_total",
            "Messages that were sent again, for nobody answered.",
            counters.retransmissions,
        ),
        (
            "gateway_sip_timeouts_total",
            "Requests to phones and trunks without a final answer in time.",
            counters.timeouts,
        ),
        (
            "gateway_sip_overload_total",
            "Requests refused with 503, for there were too many at once.",
            counters.overload,
        ),
        (
            "gateway_sip_strays_total",
            "Responses to nothing that was asked.",
            counters.strays,
        ),
        (
            "gateway_sip_merged_total",
            "Requests refused with 482, for they came two ways.",
            counters.merged,
        ),
    ] {
        page.counter(name, help, count)?;
    }
    Ok(())
}
