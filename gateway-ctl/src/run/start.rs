//! The order in which things start. Until the last step nothing is announced; a
//! failure ends the daemon with what to do about it.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use dataplane::{Dataplane, Opened};
use nix::fcntl::Flock;
use tokio::sync::mpsc;

use crate::api;
use crate::api::types::{EarlyFragments, Reload};
use crate::metrics;
use crate::net::Links;
use crate::state::{self, BindingsFile};

use super::clock::{now_text, since_epoch};
use super::gateway::{Gateway, Shared, device_names, known};
use super::leases::Leases;
use super::logging::{self, LogFormat};
use super::notify::notify;
use super::plan::{FromApi, Plan};
use super::provisioning::Provisioning;
use super::signals::Signals;
use super::{events, interfaces, privileges};

/// Runs the daemon until it is told to end.
///
/// # Errors
/// When it cannot start. What an earlier daemon pinned goes on as it was.
pub(crate) fn run(config: &Path, format: LogFormat, debug: bool) -> Result<()> {
    logging::start(format, debug);
    privileges::check()?;
    let config = std::path::absolute(config).context("cannot find the configuration")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(daemon(config))
}

async fn daemon(config: PathBuf) -> Result<()> {
    let signals = Signals::listen()?;
    let links = Links::read()
        .await
        .context("cannot ask the kernel for its interfaces")?;
    let mut lock = None;
    let plan = Plan::make(&config, Some(&links), |settings| {
        // Locked before it is read: a daemon that still runs may add bindings.
        match lock.insert(state::lock(&settings.state_directory)) {
            Ok(_) => FromApi::load(settings),
            Err(_) => Ok(FromApi::default()),
        }
    });
    let _lock: Option<Flock<File>> = lock.transpose()?;
    let plan =
        plan.map_err(|problems| anyhow::anyhow!("{} wrong:\n{problems}", config.display()))?;
    let mut plan = plan;
    privileges::check_ports(&plan.config)?;
    let settings = plan.config.settings.clone();
    Dataplane::prepare(&settings.pin_directory).context("cannot open the dataplane")?;
    let _pins = state::lock_pins(&settings.pin_directory, &settings.state_directory)?;
    let leases = Leases::resume(&mut plan, None)?;
    // Sockets first: when one is taken, the dataplane is left as it is.
    let socket = api::bind(&settings.socket)?;
    let metrics = settings.metrics_listen.map(metrics::bind).transpose()?;

    let (fatal, failed) = mpsc::unbounded_channel();
    let shared = Shared::new(open(config, plan, &links, leases, fatal)?);
    let changes = shared
        .lock()
        .apply()
        .context("cannot bring the dataplane up to date")?;
    tracing::info!(
        changes.added,
        changes.removed,
        changes.kept,
        "bindings in the dataplane"
    );
    let pump = events::Pump::start(&shared)?;
    shared.lock().pump = Some(pump);
    shared.lock().serve_phones(&shared);
    interfaces::watch(shared.clone())?;
    api::serve(socket, shared.clone());
    if let Some(listener) = metrics {
        metrics::serve(listener, shared.clone())?;
    }
    notify("READY=1");
    tracing::info!("ready");

    let why = signals.heed(&shared, failed).await?;
    notify("STOPPING=1");
    shared.lock().dataplane.set_trace_rate(0);
    // The lock goes with the process: the path must not outlive the one who listens.
    let _ = std::fs::remove_file(&settings.socket);
    tracing::info!(why, "ends; the dataplane goes on forwarding");
    Ok(())
}

fn open(
    config_path: PathBuf,
    plan: Plan,
    links: &Links,
    leases: Option<Leases>,
    fatal: mpsc::UnboundedSender<anyhow::Error>,
) -> Result<Gateway> {
    let settings = &plan.config.settings;
    let (dataplane, opened) = Dataplane::open(&settings.pin_directory, settings.limits)
        .context("cannot open the dataplane")?;
    match &opened {
        Opened::Fresh => tracing::info!("the dataplane is new"),
        Opened::Adopted => tracing::info!("the dataplane that was pinned goes on"),
        Opened::Rebuilt { why } => tracing::warn!(
            why,
            "the pinned dataplane could not be taken over and is built anew from the configuration; \
             counters start at zero, echo identifiers and fragments on their way are forgotten"
        ),
    }
    let store = BindingsFile::in_directory(&settings.state_directory);
    Ok(Gateway {
        interfaces: known(&plan.interfaces),
        device_names: device_names(links),
        plan,
        config_path,
        store,
        dataplane,
        opened,
        attach_errors: Vec::new(),
        dirty: false,
        reload: Reload {
            ok: true,
            at: now_text(),
            error: None,
            problems: Vec::new(),
        },
        reloaded_at: since_epoch().as_secs(),
        revision: 0,
        needs_restart: Vec::new(),
        started: now_text(),
        fragments: EarlyFragments::default(),
        hub: super::trace::Hub::default(),
        pump: None,
        leases,
        provisioning: Provisioning::default(),
        telephony: None,
        telephony_trouble: None,
        fatal,
    })
}
