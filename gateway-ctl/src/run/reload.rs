//! A new plan in place of the old: only the difference is written.

use dataplane::{Dataplane, Opened};

use crate::api::types::{Reload, Reloaded};
use crate::config::{Entry, Origin, Problems, Settings};
use crate::net::Links;

use super::clock::{now_text, since_epoch};
use super::events::Pump;
use super::gateway::{Shared, device_names, known};
use super::interfaces;
use super::leases::{Leases, LostCount};
use super::plan::{FromApi, Plan};

/// Why a reload was refused; what ran before goes on running.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReloadError {
    /// The configuration is wrong.
    #[error("{} in the configuration; what ran before goes on running", errors(.0.count()))]
    Config(Problems),
    /// The machine refused.
    #[error(transparent)]
    Machine(#[from] anyhow::Error),
}

fn errors(count: usize) -> String {
    if count == 1 {
        "1 error".to_owned()
    } else {
        format!("{count} errors")
    }
}

/// Reads the configuration again and applies the difference.
///
/// # Errors
/// [`ReloadError`]; the gateway remembers it for its status.
pub(crate) async fn reload(shared: &Shared) -> Result<Reloaded, ReloadError> {
    // One after the other: the file that was read last is the one that runs.
    let _turn = shared.reloading.lock().await;
    let result = attempt(shared).await;
    let mut gateway = shared.lock();
    gateway.reload = match &result {
        Ok(_) => Reload {
            ok: true,
            at: now_text(),
            error: None,
            problems: Vec::new(),
        },
        Err(error) => Reload {
            ok: false,
            at: now_text(),
            error: Some(error.to_string()),
            problems: match error {
                ReloadError::Config(problems) => problems.list.clone(),
                ReloadError::Machine(_) => Vec::new(),
            },
        },
    };
    match &result {
        Ok(done) => {
            gateway.reloaded_at = since_epoch().as_secs();
            tracing::info!(
                added = done.added,
                removed = done.removed,
                kept = done.kept,
                leases_ended = done.leases_ended,
                "reloaded"
            );
        }
        Err(ReloadError::Config(problems)) => {
            tracing::error!("configuration refused:\n{problems}");
        }
        Err(error) => tracing::error!(%error, "reload failed"),
    }
    result
}

async fn attempt(shared: &Shared) -> Result<Reloaded, ReloadError> {
    let (path, entries, kept_in, revision) = {
        let gateway = shared.lock();
        let entries: Vec<Entry> = gateway.api_entries().cloned().collect();
        let kept_in = gateway.store.path().display().to_string();
        (
            gateway.config_path.clone(),
            entries,
            kept_in,
            gateway.revision,
        )
    };
    let links = Links::read().await.map_err(anyhow::Error::from)?;
    let names = device_names(&links);
    // A million bindings take seconds to read: on another thread, packets' events go on.
    let made = tokio::task::spawn_blocking(move || {
        Plan::make(&path, Some(&links), |_| Ok(FromApi { entries, kept_in }))
    });
    let plan = made
        .await
        .map_err(anyhow::Error::from)?
        .map_err(ReloadError::Config)?;
    let mut plan = plan;
    let mut beginning = None;
    let (off, store) = {
        let gateway = shared.lock();
        let telephony = gateway.telephony.as_ref();
        (
            gateway.leases.is_none(),
            telephony.map(|calls| calls.store()),
        )
    };
    if off {
        // DHCP is turned on.
        beginning = Leases::resume(&mut plan, store)?;
    }
    let reloaded = {
        let mut gateway = shared.lock();
        if gateway.revision != revision {
            let busy = "bindings changed while the configuration was read: reload again";
            return Err(anyhow::anyhow!(busy).into());
        }
        gateway.device_names = names;
        gateway.take_over(plan, beginning)
    };
    if reloaded.is_ok() {
        shared.lock().serve_phones(shared);
    }
    if shared.lock().pump.is_none() {
        let pump = Pump::start(shared)?;
        let mut gateway = shared.lock();
        gateway.pump = Some(pump);
        gateway.set_trace_rate();
    }
    // Links may have changed while the configuration was read.
    interfaces::look(shared).await;
    Ok(reloaded.map_err(anyhow::Error::from)?)
}

impl super::gateway::Gateway {
    /// Runs a new plan; when the dataplane refuses, the old one is put back.
    fn take_over(
        &mut self,
        mut plan: Plan,
        beginning: Option<Leases>,
    ) -> Result<Reloaded, dataplane::Error> {
        if self.leases.is_some() && plan.config.dhcp.is_some() {
            // Those that are bound: others are not on disk yet, and are bound when they are.
            let bound = self.plan.ledger.iter();
            let leased = bound.filter(|entry| entry.origin == Origin::Lease);
            plan.enter_leases(leased.cloned());
        }
        let limits = plan.config.settings.limits;
        let former_limits = self.dataplane.limits();
        let rebuilt = !limits.same_maps(former_limits);
        let mut former_dataplane = None;
        if rebuilt {
            let directory = &self.plan.config.settings.pin_directory;
            let (dataplane, opened) = Dataplane::open(directory, limits)?;
            tracing::warn!("limits have changed: maps are made anew, counters start at zero");
            let opened = match opened {
                Opened::Rebuilt { .. } => Opened::Rebuilt {
                    why: "limits have changed".to_owned(),
                },
                other => other,
            };
            // The new maps' events need a new reader.
            former_dataplane = Some((
                std::mem::replace(&mut self.dataplane, dataplane),
                std::mem::replace(&mut self.opened, opened),
                self.pump.take(),
            ));
        }
        self.dataplane.allow_bindings(limits.bindings);
        let needs_restart =
            fixed_until_restart(&self.plan.config.settings, &mut plan.config.settings);
        let former_needs_restart = std::mem::replace(&mut self.needs_restart, needs_restart);
        let mut interfaces = known(&plan.interfaces);
        for known in &mut interfaces {
            // How it was attached to: said again only when that changes.
            let mut before = self.interfaces.iter();
            let same = before.find(|before| before.spec.ifindex == known.spec.ifindex);
            known.attached = same.and_then(|same| same.attached.clone());
        }
        let former_interfaces = std::mem::replace(&mut self.interfaces, interfaces);
        let former = std::mem::replace(&mut self.plan, plan);
        match self.apply() {
            Ok(changes) => {
                let mut lost = LostCount::default();
                if self.plan.config.dhcp.is_none() {
                    self.leases = None;
                } else if beginning.is_some() {
                    self.leases = beginning;
                } else {
                    lost = self.reconfigure_leases();
                }
                Ok(Reloaded {
                    added: changes.added,
                    removed: changes.removed,
                    kept: changes.kept,
                    rebuilt,
                    leases_ended: lost.leases,
                    reservations_unmet: lost.reservations,
                })
            }
            Err(error) => {
                self.plan = former;
                self.interfaces = former_interfaces;
                self.needs_restart = former_needs_restart;
                if let Some((dataplane, opened, pump)) = former_dataplane {
                    // What is attached has never left the former maps.
                    self.dataplane = dataplane;
                    self.opened = opened;
                    self.pump = pump;
                }
                self.dataplane.allow_bindings(former_limits.bindings);
                if let Err(error) = self.apply() {
                    tracing::error!(%error, "cannot go back to the former configuration");
                }
                Err(error)
            }
        }
    }
}

/// Keeps the settings that are bound at start; names those that differ in the file.
fn fixed_until_restart(running: &Settings, wanted: &mut Settings) -> Vec<&'static str> {
    let mut differ = Vec::new();
    let mut keep = |same: bool, name| {
        if !same {
            differ.push(name);
        }
    };
    keep(running.socket == wanted.socket, "api.socket");
    keep(
        running.metrics_listen == wanted.metrics_listen,
        "metrics.listen",
    );
    keep(
        running.state_directory == wanted.state_directory,
        "state.directory",
    );
    keep(
        running.pin_directory == wanted.pin_directory,
        "dataplane.pin_directory",
    );
    wanted.socket.clone_from(&running.socket);
    wanted.metrics_listen = running.metrics_listen;
    wanted.state_directory.clone_from(&running.state_directory);
    wanted.pin_directory.clone_from(&running.pin_directory);
    differ
}
