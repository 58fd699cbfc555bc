//! What runs: the server, its store, its sockets, and the tasks that wake it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use dataplane::InterfaceSpec;
use dhcp::{CommitId, Lost, PoolUsage, ScopeUsage, Server};
use store::Embedded;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::super::gateway::{Gateway, Shared};
use super::super::plan::Plan;
use super::bind::binding_of;
use super::clock::StoreClock;
use super::records::Kept;
use super::settings::settings;
use super::sockets::{Icmp, Port};
use super::{history, receive};

/// How a commit ended.
pub(super) type Committed = (CommitId, Result<store::Revision, store::CommitError>);

/// All that leases need.
#[derive(Debug)]
pub(crate) struct Leases {
    pub(crate) server: Server,
    pub(super) store: Arc<Embedded>,
    pub(super) clock: StoreClock,
    /// By the server's number of the interface; `None` where DHCP is not spoken.
    pub(super) ports: Vec<Result<Listening, Unserved>>,
    pub(super) icmp: Arc<Icmp>,
    /// The store says here that something is on disk.
    pub(super) committed: mpsc::UnboundedSender<Committed>,
    /// Commits that are not on disk yet.
    pub(super) outstanding: usize,
    /// Messages that were left unread because of too many of those.
    pub(super) left_unread: u64,
    /// Who waits for a commit.
    pub(super) waiting: BTreeMap<CommitId, oneshot::Sender<()>>,
    /// When the timer wakes next, milliseconds of the clock.
    pub(super) alarm: u64,
    /// Tells the timer to look again.
    pub(super) timer: Arc<Notify>,
    /// Whether an import was broken off: a part of the backup is there.
    pub(crate) half_imported: bool,
    /// Until somebody listens.
    answers: Option<mpsc::UnboundedReceiver<Committed>>,
    tasks: Vec<Task>,
}

/// An interface that is listened on.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) port: Arc<Port>,
    interface: InterfaceSpec,
    _tasks: [Task; 2],
}

/// A task that ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) fn task(future: impl Future<Output = ()> + Send + 'static) -> Task {
    Task(tokio::spawn(future))
}

impl Leases {
    /// Goes on with what the store has kept, as far as the plan allows it, and enters it into
    /// the plan. `None`: the plan has no DHCP. `store`: when it is open already.
    ///
    /// # Errors
    /// When the store cannot be opened or read: what to do is in the error.
    pub(crate) fn resume(plan: &mut Plan, store: Option<Arc<Embedded>>) -> Result<Option<Self>> {
        if plan.config.dhcp.is_none() {
            return Ok(None);
        }
        let store = match store {
            Some(store) => store,
            None => Arc::new(Embedded::open(&plan.config.settings.state_directory)?),
        };
        let (leases, _) = Self::with(store, plan)?;
        Ok(leases)
    }

    /// As [`Self::resume`], with a store that is open; and what had no room.
    pub(super) fn with(store: Arc<Embedded>, plan: &mut Plan) -> Result<(Option<Self>, LostCount)> {
        let Some(dhcp) = &plan.config.dhcp else {
            return Ok((None, LostCount::default()));
        };
        let kept = Kept::load(&store)?;
        let mut clock = StoreClock::resume(kept.clock);
        let mut server = Server::new(settings(plan, dhcp));
        let lost = server.restore(clock.now(), kept.leases, kept.reservations);
        let lost = say_lost(&lost);
        let identifier = u16::try_from(std::process::id() & 0xffff).unwrap_or(1);
        let icmp = Arc::new(Icmp::open(identifier).context("cannot send ICMP probes")?);
        let leases = server.leases(Ipv4Addr::UNSPECIFIED);
        let active = leases.filter(|lease| lease.is_active());
        plan.enter_leases(active.filter_map(binding_of));
        let (committed, answers) = mpsc::unbounded_channel();
        let leases = Self {
            server,
            store,
            clock,
            ports: Vec::new(),
            icmp,
            committed,
            answers: Some(answers),
            outstanding: 0,
            left_unread: 0,
            waiting: BTreeMap::new(),
            alarm: 0,
            timer: Arc::default(),
            half_imported: kept.half_imported,
            tasks: Vec::new(),
        };
        Ok((Some(leases), lost))
    }

    /// Wakes the server from now on.
    fn start(&mut self, shared: &Shared) {
        if let Some(answers) = self.answers.take() {
            self.tasks = vec![
                task(receive::commits(shared.clone(), answers)),
                task(receive::time(shared.clone(), self.timer.clone())),
                task(receive::echoes(shared.clone(), self.icmp.clone())),
                task(history::prune(shared.clone())),
            ];
        }
    }

    /// The store, for questions.
    pub(crate) fn store(&self) -> Arc<Embedded> {
        self.store.clone()
    }

    /// How full scopes and pools are.
    pub(crate) fn usage(&mut self) -> (Vec<ScopeUsage>, Vec<PoolUsage>) {
        let now = self.clock.now();
        (self.server.scopes(), self.server.pools(now))
    }

    /// Commits that are not on disk yet.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Messages left unread because too many commits waited.
    pub(crate) fn left_unread(&self) -> u64 {
        self.left_unread
    }

    /// Milliseconds of the store's clock.
    pub(crate) fn now(&mut self) -> u64 {
        self.clock.now()
    }

    /// Seconds since 1970 by the store's clock.
    pub(crate) fn now_seconds(&mut self) -> u64 {
        self.clock.now() / 1000
    }

    /// Waits for a commit to be on disk.
    pub(crate) fn when_committed(&mut self, id: CommitId) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.insert(id, sender);
        receiver
    }

    /// Listens on the inside interfaces as they are now; those that stay are not touched.
    fn listen(&mut self, inside: &[InterfaceSpec], shared: &Shared) {
        let before = std::mem::take(&mut self.ports).into_iter();
        let mut before: Vec<Listening> = before.flatten().collect();
        for (number, interface) in inside.iter().enumerate() {
            let same = |former: &Listening| {
                former.interface.ifindex == interface.ifindex
                    && former.interface.name == interface.name
                    && interface.address.is_some()
            };
            // A device that is the same is not closed, whatever else has changed of it.
            let now = match before.iter().position(same) {
                Some(at) => {
                    let mut listening = before.swap_remove(at);
                    listening.port.follow(number, interface.mac);
                    listening.interface = interface.clone();
                    Ok(listening)
                }
                None => open(number, interface, shared),
            };
            self.ports.push(now);
        }
    }

    /// The sockets of an interface, if it is served.
    pub(super) fn port(&self, interface: usize) -> Option<&Port> {
        let listening = self.ports.get(interface)?.as_ref().ok()?;
        Some(&listening.port)
    }
}

/// An interface on which DHCP is not spoken.
#[derive(Clone, Debug)]
pub(crate) struct Unserved {
    /// Its name.
    pub(crate) name: String,
    /// Why not.
    pub(crate) why: String,
    /// What to do.
    pub(crate) fix: &'static str,
}

fn open(number: usize, interface: &InterfaceSpec, shared: &Shared) -> Result<Listening, Unserved> {
    let name = interface.name.clone();
    let unserved = |why: &str, fix| Unserved {
        name: name.clone(),
        why: why.to_owned(),
        fix,
    };
    let Some(address) = interface.address else {
        return Err(unserved(
            "the router has no address there",
            "give it one: ip address add ADDRESS/LENGTH dev INTERFACE",
        ));
    };
    if !interface.ethernet {
        return Err(unserved(
            "it has no Ethernet header",
            "lease through a relay agent on an Ethernet interface",
        ));
    }
    match Port::open(number, interface) {
        Ok(port) => {
            let port = Arc::new(port);
            let tasks = [
                task(receive::requests(shared.clone(), port.clone())),
                task(receive::arp(shared.clone(), port.clone())),
            ];
            tracing::info!(interface = name, %address, "DHCP is served");
            Ok(Listening {
                port,
                interface: interface.clone(),
                _tasks: tasks,
            })
        }
        Err(error) => {
            let error = format!("{error:#}");
            tracing::error!(interface = name, error, "DHCP is not served");
            Err(unserved(
                &error,
                "stop the other DHCP server (ss -ulpn sport = :67); it is tried again every 10 seconds",
            ))
        }
    }
}

/// How much did not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LostCount {
    /// Leases that have ended.
    pub(crate) leases: usize,
    /// Reservations that wait.
    pub(crate) reservations: usize,
}

/// Says what did not fit: how much, and one of them; phones' addresses only for developers.
fn say_lost(lost: &[Lost]) -> LostCount {
    let mut count = LostCount::default();
    let (mut of_lease, mut of_reservation) = (None, None);
    for lost in lost {
        match lost {
            Lost::Lease { lease, why } => {
                tracing::debug!(address = %lease.address, client = %lease.client, %why, "a lease ends");
                count.leases += 1;
                of_lease.get_or_insert(why);
            }
            Lost::Reservation { reservation, why } => {
                tracing::debug!(client = %reservation.client, %why, "a reservation has no room");
                count.reservations += 1;
                of_reservation.get_or_insert(why);
            }
        }
    }
    if let Some(first) = of_lease {
        let leases = count.leases;
        tracing::warn!(leases, %first, "leases that do not fit the configuration end");
    }
    if let Some(first) = of_reservation {
        let reservations = count.reservations;
        tracing::warn!(reservations, %first, "reservations cannot be met: they wait for room");
    }
    count
}

impl Gateway {
    /// Serves DHCP and files from now on, as configured, on the interfaces as they are now.
    pub(crate) fn serve_phones(&mut self, shared: &Shared) {
        if let Some(leases) = &mut self.leases {
            leases.start(shared);
        }
        self.serve_leases(shared);
        self.serve_files(shared);
        self.serve_calls(shared);
    }

    /// The store, which leases and calls share.
    pub(in crate::run) fn open_store(&self) -> Result<Arc<Embedded>> {
        let of_leases = self.leases.as_ref().map(Leases::store);
        let of_calls = || self.telephony.as_ref().map(|calls| calls.store());
        match of_leases.or_else(of_calls) {
            Some(store) => Ok(store),
            None => {
                let directory = &self.plan.config.settings.state_directory;
                Ok(Arc::new(Embedded::open(directory)?))
            }
        }
    }

    /// Serves DHCP on the interfaces as they are now.
    fn serve_leases(&mut self, shared: &Shared) {
        let inside = self.plan.config.inside.len();
        let interfaces: Vec<InterfaceSpec> = self.interfaces[..inside.min(self.interfaces.len())]
            .iter()
            .map(|known| {
                let mut spec = known.spec.clone();
                if known.missing.is_some() {
                    spec.address = None;
                }
                spec
            })
            .collect();
        if let (Some(leases), Some(dhcp)) = (&mut self.leases, &self.plan.config.dhcp) {
            leases.listen(&interfaces, shared);
            // An interface may have another address now, which clients know the server by.
            if *leases.server.settings() != settings(&self.plan, dhcp) {
                self.reconfigure_leases();
            }
        }
        self.lease_turn();
    }

    /// Follows a change of the plan: what still fits is untouched, the rest ends.
    pub(crate) fn reconfigure_leases(&mut self) -> LostCount {
        let (Some(leases), Some(dhcp)) = (&mut self.leases, &self.plan.config.dhcp) else {
            return LostCount::default();
        };
        let now = leases.clock.now();
        let lost = leases.server.reconfigure(now, settings(&self.plan, dhcp));
        let count = say_lost(&lost);
        self.lease_turn();
        count
    }

    /// Interfaces on which DHCP is served.
    pub(crate) fn served_interfaces(&self) -> Vec<String> {
        let leases = self.leases.iter();
        let served = leases.flat_map(|leases| leases.ports.iter().flatten());
        served
            .map(|listening| listening.port.name.clone())
            .collect()
    }

    /// Interfaces that a scope names, and on which DHCP is not served all the same.
    pub(crate) fn unserved_interfaces(&self) -> Vec<Unserved> {
        let (Some(leases), Some(dhcp)) = (&self.leases, &self.plan.config.dhcp) else {
            return Vec::new();
        };
        let wanted = |number: usize| dhcp.scopes.iter().any(|of| of.interface == Some(number));
        let ports = leases.ports.iter().enumerate();
        let unserved = ports.filter(|(number, _)| wanted(*number));
        unserved
            .filter_map(|(_, port)| port.as_ref().err().cloned())
            .collect()
    }

    /// Whether phones are not served where they should be: tried again after a while.
    pub(crate) fn is_unserved(&self) -> bool {
        !self.unserved_interfaces().is_empty()
            || self.provisioning.troubles().next().is_some()
            || self.telephony_trouble.is_some()
    }

    /// The store, and before which second its history may be forgotten.
    pub(super) fn history_to_prune(&mut self) -> Option<(Arc<Embedded>, u64)> {
        let keep = self.plan.config.dhcp.as_ref()?.times.history.as_secs();
        let leases = self.leases.as_mut()?;
        let before = leases.now_seconds().saturating_sub(keep);
        Some((leases.store(), before))
    }
}
