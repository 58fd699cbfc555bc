//! What runs: the plan, the dataplane, and how it is attached.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dataplane::{Attachment, Changes, Dataplane, Error, InterfaceSpec, Opened};

use crate::api::types::{EarlyFragments, Reload};
use crate::config::{Entry, Origin};
use crate::net::{Links, resolve};
use crate::state::BindingsFile;
use tokio::sync::mpsc;

use super::events::Pump;
use super::leases::Leases;
use super::plan::Plan;
use super::provisioning::Provisioning;
use super::switch::Telephony;
use super::trace::Hub;

/// How an interface is attached to, or why not.
pub(crate) type Attached = Result<Attachment, String>;

/// An interface of the plan as last seen.
#[derive(Clone, Debug)]
pub(crate) struct KnownInterface {
    /// What the dataplane knows; of a missing one, what it last knew.
    pub(crate) spec: InterfaceSpec,
    /// Why it cannot be used now.
    pub(crate) missing: Option<String>,
    /// How it is attached to; `None` when nobody tried.
    pub(crate) attached: Option<Attached>,
}

/// All that the daemon has.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) plan: Plan,
    pub(crate) config_path: PathBuf,
    pub(crate) store: BindingsFile,
    pub(crate) dataplane: Dataplane,
    pub(crate) opened: Opened,
    pub(crate) interfaces: Vec<KnownInterface>,
    /// Trouble that belongs to no interface.
    pub(crate) attach_errors: Vec<String>,
    /// The dataplane may not be what the plan says: applied again at the next occasion.
    pub(crate) dirty: bool,
    pub(crate) reload: Reload,
    /// When the configuration was last taken over, seconds since 1970.
    pub(crate) reloaded_at: u64,
    /// Counts changes that the API made to bindings.
    pub(crate) revision: u64,
    /// Settings that changed in the file and count from the next start on.
    pub(crate) needs_restart: Vec<&'static str>,
    pub(crate) started: String,
    pub(crate) fragments: EarlyFragments,
    pub(crate) hub: Hub,
    /// Reads the dataplane's events; made anew with it.
    pub(crate) pump: Option<Pump>,
    /// DHCP; `None`: not configured.
    pub(crate) leases: Option<Leases>,
    /// Files for phones.
    pub(crate) provisioning: Provisioning,
    /// Calls; `None`: not configured, or not to be had.
    pub(crate) telephony: Option<Telephony>,
    /// Why it is not to be had.
    pub(crate) telephony_trouble: Option<String>,
    /// Takes what the daemon cannot go on with.
    pub(crate) fatal: mpsc::UnboundedSender<anyhow::Error>,
    /// Names of devices, for traced packets.
    pub(crate) device_names: BTreeMap<u32, String>,
}

/// The gateway, shared by the tasks of one thread and the API's.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    gateway: Arc<Mutex<Gateway>>,
    /// Held by the one reload that is under way.
    pub(super) reloading: Arc<tokio::sync::Mutex<()>>,
}

impl Shared {
    pub(crate) fn new(gateway: Gateway) -> Self {
        Self {
            gateway: Arc::new(Mutex::new(gateway)),
            reloading: Arc::default(),
        }
    }

    /// The gateway, for as long as no await comes in between.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Gateway> {
        // A task that panicked has left maps that are whole: each change is.
        self.gateway.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why bindings could not be added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The state could not be written: nothing was changed.
    #[error(transparent)]
    State(anyhow::Error),
    /// The dataplane refused: nothing was changed.
    #[error(transparent)]
    Dataplane(#[from] Error),
}

impl Gateway {
    /// Brings the dataplane to what the plan says and attaches it.
    pub(crate) fn apply(&mut self) -> Result<Changes, Error> {
        self.plan.interfaces = self
            .interfaces
            .iter()
            .map(|known| known.spec.clone())
            .collect();
        self.dirty = true;
        let changes = self.dataplane.reconcile(&self.plan.desired())?;
        self.attach();
        self.dirty = false;
        Ok(changes)
    }

    /// Attaches to all interfaces that are there.
    fn attach(&mut self) {
        let present: Vec<usize> = (0..self.interfaces.len())
            .filter(|i| self.interfaces[*i].missing.is_none())
            .collect();
        let specs: Vec<InterfaceSpec> = present
            .iter()
            .map(|i| self.interfaces[*i].spec.clone())
            .collect();
        let mut results = self
            .dataplane
            .attach(&specs, self.plan.config.settings.xdp)
            .into_iter();
        let before: Vec<Option<Attached>> = self
            .interfaces
            .iter_mut()
            .map(|known| known.attached.take())
            .collect();
        for (i, result) in present.into_iter().zip(&mut results) {
            let name = &self.interfaces[i].spec.name;
            let result = result.map_err(|error| error.to_string());
            match &result {
                // Tried again, with the same success.
                same if before[i].as_ref() == Some(same) => {}
                Ok(done) => tracing::info!(
                    interface = name,
                    device = done.device,
                    xdp = done.xdp.map_or("none", dataplane::XdpMode::label),
                    tc = done.tc,
                    "attached"
                ),
                Err(error) => tracing::error!(interface = name, %error, "cannot attach"),
            }
            self.interfaces[i].attached = Some(result);
        }
        self.attach_errors = results
            .filter_map(Result::err)
            .map(|error| error.to_string())
            .collect();
        for error in &self.attach_errors {
            tracing::error!(%error, "cannot attach");
        }
    }

    /// Says what the daemon cannot go on with: it ends.
    pub(crate) fn fail(&self, error: anyhow::Error) {
        // Nobody listens: it is about to end already.
        let _ = self.fatal.send(error);
    }

    /// Whether a device could not be attached to.
    pub(crate) fn has_failed_to_attach(&self) -> bool {
        self.interfaces
            .iter()
            .any(|known| matches!(known.attached, Some(Err(_))))
    }

    /// Compares interfaces with the machine's links; applies what has changed, and what
    /// could not be applied before.
    pub(crate) fn links_changed(&mut self, links: &Links) -> Result<(), Error> {
        self.device_names = device_names(links);
        let mut changed = false;
        let resolved = resolve(&self.plan.config, links);
        for (known, now) in self.interfaces.iter_mut().zip(resolved) {
            let (spec, missing) = match now {
                Ok(spec) => (spec, None),
                Err(unusable) => (known.spec.clone(), Some(unusable.wrong.message)),
            };
            if spec == known.spec && missing == known.missing {
                continue;
            }
            match &missing {
                Some(why) => tracing::warn!(interface = spec.name, why, "interface lost"),
                None => tracing::info!(
                    interface = spec.name,
                    ifindex = spec.ifindex,
                    "interface changed"
                ),
            }
            (known.spec, known.missing) = (spec, missing);
            changed = true;
        }
        if changed || self.dirty {
            self.apply()?;
        } else if self.has_failed_to_attach() {
            self.attach();
        }
        Ok(())
    }

    /// Adds checked bindings: first to the state, then to the dataplane; all or none.
    pub(crate) fn add(&mut self, entries: Vec<Entry>) -> Result<(), Refused> {
        let added: Vec<Ipv4Addr> = entries.iter().map(|entry| entry.spec.private).collect();
        let mut taken = false;
        for entry in &entries {
            taken |= self.plan.ledger.insert(entry.clone()).is_err();
        }
        debug_assert!(!taken, "entries are checked before they are added");
        if let Err(error) = self.save() {
            self.forget(&added);
            return Err(Refused::State(error));
        }
        let mut result = entries
            .iter()
            .try_for_each(|entry| self.dataplane.add(entry.spec));
        if matches!(result, Err(Error::Limit { .. })) {
            // A reconciliation gives back the tree nodes of bindings removed since the last.
            result = self.reconcile();
        }
        if let Err(error) = result {
            self.forget(&added);
            // All at once: removing each would wait for running packets each time.
            if let Err(error) = self.reconcile() {
                self.dirty = true;
                tracing::error!(%error, "cannot take bindings back that were not all added");
            }
            self.save().map_err(Refused::State)?;
            return Err(error.into());
        }
        for entry in &entries {
            tracing::debug!(
                private = %entry.spec.private,
                public = %entry.spec.public,
                ports = %entry.spec.ports,
                "binding added"
            );
        }
        tracing::info!(bindings = entries.len(), "an operator added bindings");
        self.reconfigure_leases();
        Ok(())
    }

    fn reconcile(&mut self) -> Result<(), Error> {
        self.dataplane.reconcile(&self.plan.desired()).map(drop)
    }

    fn forget(&mut self, added: &[Ipv4Addr]) {
        for private in added {
            self.plan.ledger.remove(*private);
        }
    }

    /// Removes a binding that the API added.
    pub(crate) fn remove(&mut self, private: Ipv4Addr) -> Result<(), Refused> {
        let Some(entry) = self.plan.ledger.remove(private) else {
            return Ok(());
        };
        if let Err(error) = self.save() {
            let restored = self.plan.ledger.insert(entry);
            debug_assert!(restored.is_ok(), "it was there a moment ago");
            return Err(Refused::State(error));
        }
        self.dataplane.remove(private);
        tracing::info!("an operator removed a binding");
        tracing::debug!(%private, "binding removed");
        self.reconfigure_leases();
        Ok(())
    }

    fn save(&mut self) -> anyhow::Result<()> {
        self.revision += 1;
        self.store.save(self.api_entries())
    }

    /// The bindings that the API added.
    pub(crate) fn api_entries(&self) -> impl Iterator<Item = &Entry> {
        self.plan
            .ledger
            .iter()
            .filter(|entry| entry.origin == Origin::Api)
    }
}

/// The plan's interfaces, not attached to yet.
pub(crate) fn known(interfaces: &[InterfaceSpec]) -> Vec<KnownInterface> {
    interfaces
        .iter()
        .map(|spec| KnownInterface {
            spec: spec.clone(),
            missing: None,
            attached: None,
        })
        .collect()
}

/// Names of all devices by index.
pub(crate) fn device_names(links: &Links) -> BTreeMap<u32, String> {
    links
        .iter()
        .map(|link| (link.index, link.name.clone()))
        .collect()
}
