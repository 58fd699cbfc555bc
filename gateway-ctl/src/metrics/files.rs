//! Files that phones fetch and leave, over TFTP and HTTP.

use anyhow::Result;
use tftp::{Direction, Outcome};

use super::Page;
use crate::run::{Provisioning, TftpRefusal};

pub(super) fn files(page: &Page, provisioning: &Provisioning) -> Result<()> {
    tftp(page, provisioning)?;
    let counters = &provisioning.http_counters;
    let requests = page.counters(
        "gateway_http_requests_total",
        "HTTP requests of phones by how they ended.",
        &["result"],
    )?;
    for (result, count) in counters.requests() {
        requests.with_label_values(&[result]).inc_by(count);
    }
    page.counter(
        "gateway_http_sent_bytes_total",
        "Bytes of files to phones over HTTP.",
        counters.sent_bytes(),
    )?;
    page.counter(
        "gateway_http_received_bytes_total",
        "Bytes of files from phones over HTTP.",
        counters.received_bytes(),
    )?;
    page.counter(
        "gateway_http_connections_refused_total",
        "HTTP connections closed at once, because there were too many.",
        counters.refused_connections(),
    )
}

fn tftp(page: &Page, provisioning: &Provisioning) -> Result<()> {
    let counters = &provisioning.tftp_counters;
    let transfers = page.counters(
        "gateway_tftp_transfers_total",
        "TFTP transfers that have ended, by how.",
        &["direction", "result"],
    )?;
    let bytes = page.counters(
        "gateway_tftp_bytes_total",
        "Bytes of files over TFTP, what was sent twice included.",
        &["direction"],
    )?;
    let resent = page.counters(
        "gateway_tftp_resent_total",
        "TFTP datagrams that were sent once more.",
        &["direction"],
    )?;
    for direction in Direction::ALL {
        let way = direction.label();
        for outcome in Outcome::ALL {
            transfers
                .with_label_values(&[way, outcome.label()])
                .inc_by(counters.ended(direction, outcome));
        }
        bytes
            .with_label_values(&[way])
            .inc_by(counters.bytes(direction));
        resent
            .with_label_values(&[way])
            .inc_by(counters.resent(direction));
    }
    let refused = page.counters(
        "gateway_tftp_refused_total",
        "TFTP requests that became no transfer, by reason.",
        &["reason"],
    )?;
    for refusal in TftpRefusal::all() {
        refused
            .with_label_values(&[refusal.label()])
            .inc_by(counters.refused(refusal));
    }
    page.counter(
        "gateway_tftp_strangers_total",
        "Datagrams to a transfer's port from somebody else.",
        counters.strangers(),
    )?;
    page.gauge(
        "gateway_tftp_transfers",
        "TFTP transfers that run.",
        counters.running(),
    )
}
