//! How long the gateway takes to be back after a kill: from its start until its API answers, all
//! bindings in the maps.

use anyhow::{Result, ensure};

use super::super::interval::timed;
use super::super::report::{Figure, Report, Target};
use super::super::statistics::median;
use super::Options;
use super::gateway::Gateway;

/// In seconds.
const MOST: f64 = 2.0;

/// Kills it a few times.
pub(super) fn measure(gateway: &mut Gateway, options: &Options, report: &mut Report) -> Result<()> {
    let rounds = if options.quick { 1 } else { 3 };
    let before = gateway.bindings()?;
    let mut seconds = Vec::new();
    for _ in 0..rounds {
        gateway.kill9()?;
        let (took, ready) = timed(|| gateway.restart());
        ready?;
        seconds.push(took.as_secs_f64());
        let after = gateway.bindings()?;
        ensure!(
            after == before,
            "{before} bindings before a kill, {after} after it"
        );
    }
    let case = format!("gateway: ready after a kill, {before} leases");
    report.add(Figure::new(case, median(&seconds), "s").target(Target::AtMost(MOST)));
    Ok(())
}
