//! What is to run: the configuration, the API's bindings and the machine's
//! interfaces, checked together before anything is touched.

use std::path::Path;

use dataplane::{BindingSpec, Desired, InterfaceSpec};

use crate::config::{
    self, Config, Conflict, Entry, Ledger, Loaded, Place, Problems, Settings, Wrong, conflicting,
    misplaced, most_leases, too_small_a_range,
};
use crate::net::{Links, reserved_of_router, resolve, scopes_without_address, tftp_that_is_off};
use crate::state::BindingsFile;

/// A plan that holds.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The configuration; its own ledger has moved into `ledger`.
    pub(crate) config: Config,
    /// All bindings, the file's and the API's.
    pub(crate) ledger: Ledger,
    /// Every interface of the configuration, inside first; empty when links were not
    /// asked for.
    pub(crate) interfaces: Vec<InterfaceSpec>,
}

/// The API's bindings and where they are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct FromApi {
    pub(crate) entries: Vec<Entry>,
    pub(crate) kept_in: String,
}

impl FromApi {
    /// What the API added in former lives of the daemon.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn load(settings: &Settings) -> Result<Self, Problems> {
        let store = BindingsFile::in_directory(&settings.state_directory);
        let entries = store
            .load()
            .map_err(|error| Problems::with_file(store.path(), format!("{error:#}"), ""))?;
        Ok(Self {
            entries,
            kept_in: store.path().display().to_string(),
        })
    }
}

impl Plan {
    /// Makes a plan from the file at `path`.
    ///
    /// Without `links`, interfaces are not looked up. `from_api` is asked for with the
    /// settings, which say where it is kept.
    ///
    /// # Errors
    /// All that is wrong.
    pub(crate) fn make(
        path: &Path,
        links: Option<&Links>,
        from_api: impl FnOnce(&Settings) -> Result<FromApi, Problems>,
    ) -> Result<Self, Problems> {
        let mut loaded = config::load(path)?;
        let interfaces = links
            .map(|links| look_up(&loaded, links))
            .unwrap_or_default();
        if let Some(links) = links {
            let (config, report) = (loaded.config(), loaded.report());
            let homeless = scopes_without_address(config, links);
            for found in homeless.into_iter().chain(tftp_that_is_off(config, links)) {
                report.warning(found.at, found.wrong.message, found.wrong.fix);
            }
            for own in reserved_of_router(config, links) {
                report.problem(own.at, own.wrong.message, own.wrong.fix);
            }
        }
        let from_api = from_api(&loaded.config().settings)?;
        let ledger = with_api(&mut loaded, from_api);
        for interface in &interfaces {
            let entry = interface.address.and_then(|address| ledger.get(address));
            if let Some(entry) = entry
                && let Some(wrong) = routers_own(&interfaces, &entry.spec)
            {
                let at = entry.origin.place();
                loaded.report().problem(at, wrong.message, wrong.fix);
            }
        }
        let config = loaded.finish()?;
        // The daemon's log; `check`, which has none, prints them.
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        Ok(Self {
            config,
            ledger,
            interfaces,
        })
    }

    /// Enters the bindings of leases, as far as nothing of the plan is in their place.
    pub(crate) fn enter_leases(&mut self, bindings: impl IntoIterator<Item = Entry>) {
        for entry in bindings {
            let Config { inside, pool, .. } = &self.config;
            let small = too_small_a_range(&self.config.settings, &entry.spec);
            if small.is_none() && misplaced(inside, pool, &entry.spec).is_empty() {
                // What is in its place wins: the lease is about to end.
                let _ = self.ledger.insert(entry);
            }
        }
    }

    /// As the dataplane wants it.
    pub(crate) fn desired(&self) -> Desired {
        Desired {
            interfaces: self.interfaces.clone(),
            pool: self.config.pool.specs(),
            bindings: self.ledger.specs(),
            icmp_error_rate: self.config.settings.icmp_error_rate,
        }
    }
}

/// What is wrong with a binding of an address that the router has itself.
pub(crate) fn routers_own(interfaces: &[InterfaceSpec], spec: &BindingSpec) -> Option<Wrong> {
    let is_own = |interface: &&InterfaceSpec| interface.address == Some(spec.private);
    let interface = interfaces.iter().find(is_own)?;
    Some(Wrong::new(
        format!(
            "private address {} is the router's own, on {}",
            spec.private, interface.name
        ),
        "write the phone's address",
    ))
}

fn look_up(loaded: &Loaded, links: &Links) -> Vec<InterfaceSpec> {
    let mut found = Vec::new();
    for interface in resolve(loaded.config(), links) {
        match interface {
            Ok(spec) => found.push(spec),
            Err(unusable) => {
                loaded
                    .report()
                    .problem(unusable.at, unusable.wrong.message, unusable.wrong.fix);
            }
        }
    }
    found
}

/// The file's bindings and the API's, as far as they go together.
fn with_api(loaded: &mut Loaded, from_api: FromApi) -> Ledger {
    let mut ledger = loaded.take_ledger();
    let (config, report) = (loaded.config(), loaded.report());
    let smallest = from_api.entries.iter().map(|entry| &entry.spec);
    if let Some(spec) = smallest.min_by_key(|spec| spec.ports.ports())
        && let Some(wrong) = too_small_a_range(&config.settings, spec)
    {
        let message = format!("{}; the API added it ({})", wrong.message, from_api.kept_in);
        let fix = format!(
            "{}, or before that gateway-ctl bindings del {}",
            wrong.fix, spec.private
        );
        report.problem(Place::default(), message, fix);
    }
    for entry in from_api.entries {
        let (spec, whole) = (entry.spec, Place::default());
        let fix = format!(
            "change the file, or remove the API's binding: gateway-ctl bindings del {} (kept in {})",
            spec.private, from_api.kept_in
        );
        let about = format!(
            "binding {} {} {}, added by the API",
            spec.private, spec.public, spec.ports
        );
        for wrong in misplaced(&config.inside, &config.pool, &spec) {
            report.problem(whole, format!("{about}: {}", wrong.message), fix.clone());
        }
        if let Err(conflict) = ledger.insert(entry) {
            let (Conflict::Private(other) | Conflict::Ports(other)) = &conflict;
            let at = other.origin.place();
            let wrong = conflicting(&spec, &conflict, |_| "here".to_owned());
            report.problem(at, format!("{about}: {}", wrong.message), fix);
        }
    }
    let room = config.settings.limits.bindings as usize;
    let leases = config.dhcp.as_ref();
    let leases = leases.map_or(0, |dhcp| most_leases(dhcp, &config.pool));
    let wanted = ledger.len() + leases;
    if report.is_clean() && wanted > room {
        let message = format!(
            "{wanted} bindings with those added by the API and {leases} that may be leased, room \
             for {room}"
        );
        let fix = format!(
            "write bindings = {} in [limits]",
            wanted.next_multiple_of(256)
        );
        report.problem(Place::default(), message, fix);
    }
    ledger
}
