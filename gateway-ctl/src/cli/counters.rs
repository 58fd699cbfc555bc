//! `counters`: packets by interface, hook and reason.

use std::time::Duration;

use anyhow::Result;

use super::output::{Output, Table, print};
use crate::api::client::Client;
use crate::api::types;

/// Packets by interface and by how they ended.
#[derive(Debug, clap::Args)]
pub(super) struct Counters {
    #[command(flatten)]
    output: Output,
    /// Show what is added every so many seconds, until interrupted.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1")]
    watch: Option<u32>,
}

impl Counters {
    pub(super) async fn run(&self, client: &Client) -> Result<()> {
        let mut former: Vec<types::Counters> = client.get("/v1/counters").await?;
        let Some(seconds) = self.watch else {
            return self.output.print(&former, |now| text(now));
        };
        let mut tick = tokio::time::interval(Duration::from_secs(seconds.max(1).into()));
        tick.tick().await;
        loop {
            tick.tick().await;
            let now: Vec<types::Counters> = client.get("/v1/counters").await?;
            self.output
                .print(&added(&former, &now), |added| text(added))?;
            print("\n")?;
            former = now;
        }
    }
}

/// What came since.
fn added(former: &[types::Counters], now: &[types::Counters]) -> Vec<types::Counters> {
    now.iter()
        .map(|now| {
            let same =
                |then: &&types::Counters| then.interface == now.interface && then.hook == now.hook;
            let mut added = now.clone();
            if let Some(then) = former.iter().find(same) {
                subtract(&mut added, then);
            }
            added
        })
        .collect()
}

fn subtract(now: &mut types::Counters, then: &types::Counters) {
    let less = |now: &mut u64, then: u64| *now = now.saturating_sub(then);
    less(&mut now.received, then.received);
    less(&mut now.redirected, then.redirected);
    less(&mut now.passed, then.passed);
    less(&mut now.dropped, then.dropped);
    less(&mut now.icmp_errors_sent, then.icmp_errors_sent);
    less(&mut now.icmp_errors_limited, then.icmp_errors_limited);
    for count in &mut now.reasons {
        let before = then
            .reasons
            .iter()
            .find(|before| before.reason == count.reason);
        less(
            &mut count.packets,
            before.map_or(0, |before| before.packets),
        );
    }
    now.reasons.retain(|count| count.packets > 0);
}

fn text(counters: &[types::Counters]) -> String {
    let mut sums = Table::new(&[
        "interface",
        "hook",
        "received",
        "redirected",
        "passed",
        "dropped",
    ]);
    let mut reasons = Table::new(&["interface", "hook", "outcome", "reason", "packets"]);
    for of in counters.iter().filter(|of| of.received > 0) {
        sums.row([
            of.interface.clone(),
            of.hook.clone(),
            of.received.to_string(),
            of.redirected.to_string(),
            of.passed.to_string(),
            of.dropped.to_string(),
        ]);
        for count in &of.reasons {
            reasons.row([
                of.interface.clone(),
                of.hook.clone(),
                count.outcome.clone(),
                count.reason.clone(),
                count.packets.to_string(),
            ]);
        }
    }
    let errors: u64 = counters.iter().map(|of| of.icmp_errors_sent).sum();
    let limited: u64 = counters.iter().map(|of| of.icmp_errors_limited).sum();
    format!("{sums}\n{reasons}\nICMP errors: {errors} sent, {limited} withheld by the rate limit\n")
}
