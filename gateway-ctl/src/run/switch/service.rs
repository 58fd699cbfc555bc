//! What runs: the endpoint, the switch, the store, the socket, and the tasks that wake them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use megaco::transactions::{Endpoint, RequestKey as WireKey, Settings as WireSettings};
use store::Embedded;
use switch::registration::{Peer, Transport};
use switch::settings::{Settings, Way};
use switch::{Change, CommitId, RequestKey, Switch, Ticket, Time};
use tokio::sync::{Notify, mpsc};

use super::super::clock::since_epoch;
use super::super::gateway::{Gateway, Shared};
use super::super::leases::{StoreClock, Task, task};
use super::connections;
use super::log::{self, Log};
use super::rate::Rates;
use super::records::Kept;
use super::sip;
use super::socket::{Ends, Socket, Spoken};
use super::tcp::{self, Connections};
use crate::config;

const SPOKEN: Spoken = Spoken {
    what: "H.248",
    key: "`port` in [switch]",
};
/// How often the timer looks when nothing is due: the time of day may jump.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

type Committed = (Vec<CommitId>, Result<store::Revision, store::CommitError>);

/// All that telephony needs.
#[derive(Debug)]
pub(crate) struct Telephony {
    pub(crate) switch: Switch,
    pub(super) wire: Endpoint<Peer>,
    /// Which question each of our transactions is.
    pub(super) tickets: BTreeMap<u32, Ticket>,
    /// Requests that are answered later.
    pub(super) requests: BTreeMap<RequestKey, WireKey>,
    pub(super) next_request: u64,
    pub(super) store: Arc<Embedded>,
    pub(super) clock: StoreClock,
    pub(super) socket: Arc<Socket>,
    pub(super) tcp: Connections,
    pub(super) rates: Rates,
    /// `None`: it is not spoken.
    pub(super) sip: Option<sip::Service>,
    pub(super) log: Log,
    /// What is to be on disk, until the store has it.
    pub(super) unwritten: Vec<(CommitId, Vec<Change>)>,
    pub(super) writer: Arc<Notify>,
    /// The store says here that something is on disk.
    pub(super) committed: mpsc::UnboundedSender<Committed>,
    /// When the timer wakes next.
    pub(super) alarm: Time,
    /// When the ways to trunks were looked up.
    located: Time,
    pub(super) timer: Arc<Notify>,
    port: u16,
    _tasks: Vec<Task>,
}

impl Telephony {
    /// Goes on with what the store has kept.
    ///
    /// # Errors
    /// When the port is taken, or the store cannot be read: what to do is in the error.
    pub(super) fn start(
        config: &config::Switch,
        store: Arc<Embedded>,
        log: Log,
        shared: &Shared,
    ) -> Result<Self> {
        let kept = Kept::load(&store)?;
        let socket = Arc::new(Socket::open(config.port, SPOKEN)?);
        let listener = connections::open(config.port, SPOKEN)?;
        let mut clock = StoreClock::resume(kept.clock);
        let now = Time::from_millis(clock.now());
        let mut switch = Switch::new(located(config.settings.clone()));
        // Numbers of calls grow over restarts, whatever the store still has of them.
        switch.number_calls_from(clock.now());
        switch.set_secret(secret()?);
        let users = kept.accounts.len();
        switch.restore_accounts(now, kept.accounts);
        // What is in the log is over, though the store had not been told so yet.
        let over = match kept.calls.is_empty() {
            true => BTreeSet::new(),
            false => log::just_over(log.path()).context("cannot read the log of calls")?,
        };
        let (over, calls): (Vec<_>, Vec<_>) = kept
            .calls
            .into_iter()
            .partition(|call| over.contains(&call.id));
        let (gateways, count) = (kept.registrations.len(), calls.len());
        switch.restore(now, kept.registrations, calls);
        over.iter().for_each(|call| switch.forget_call(call.id));
        let (committed, answers) = mpsc::unbounded_channel();
        let (timer, writer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let tasks = vec![
            task(messages(shared.clone(), socket.clone())),
            task(tcp::serve(shared.clone(), listener)),
            task(time(shared.clone(), timer.clone())),
            task(write(shared.clone(), writer.clone())),
            task(commits(shared.clone(), answers)),
        ];
        let port = config.port;
        tracing::info!(port, gateways, users, calls = count, "H.248 is spoken");
        Ok(Self {
            wire: Endpoint::new(wire_settings(config)),
            switch,
            tickets: BTreeMap::new(),
            requests: BTreeMap::new(),
            next_request: 1,
            store,
            clock,
            socket,
            tcp: tcp::nobody(),
            rates: Rates::new(config.messages_per_address),
            sip: None,
            log,
            unwritten: Vec::new(),
            writer,
            committed,
            alarm: Time::ZERO,
            located: now,
            timer,
            port,
            _tasks: tasks,
        })
    }

    /// Time of the switch.
    pub(super) fn now(&mut self) -> Time {
        Time::from_millis(self.clock.now())
    }

    /// A message came in.
    pub(super) fn hear(&mut self, now: Time, from: Peer, message: &[u8]) {
        if self.rates.may_speak(now, *from.address.ip()) {
            self.wire.handle(now, from, message);
        }
    }

    /// Messages that were not read, since their address speaks too fast.
    pub(crate) fn messages_too_fast(&self) -> u64 {
        self.rates.refused()
    }

    /// What transactions have counted.
    pub(crate) fn wire_counters(&self) -> &megaco::transactions::Counters {
        self.wire.counters()
    }

    /// The store, for others.
    pub(in crate::run) fn store(&self) -> Arc<Embedded> {
        self.store.clone()
    }

    /// Where the log of calls is.
    pub(crate) fn log_path(&self) -> PathBuf {
        self.log.path().to_owned()
    }
}

impl Drop for Telephony {
    /// What is over when the daemon ends is to be over when it starts again.
    fn drop(&mut self) {
        if let Err(error) = self.write() {
            tracing::error!(%error, "not all is kept");
        }
    }
}

/// What nobody can guess, from the machine's source of random numbers.
fn secret() -> Result<[u8; 32]> {
    let mut secret = [0; 32];
    let source = rustls::crypto::ring::default_provider().secure_random;
    let filled = source.fill(&mut secret);
    filled.map_err(|_| anyhow::anyhow!("the machine has no random numbers"))?;
    Ok(secret)
}

fn wire_settings(config: &config::Switch) -> WireSettings {
    // Numbers that were not used a moment ago, whenever the daemon was killed.
    let moment = since_epoch().as_nanos();
    let first = u32::try_from((moment / 1000) & 0x7fff_ffff).unwrap_or(1);
    WireSettings::new(config.settings.mid.clone(), first.max(1))
}

impl Gateway {
    /// Speaks to phones from now on, as configured.
    pub(crate) fn serve_calls(&mut self, shared: &Shared) {
        let Some(config) = self.plan.config.switch.clone() else {
            self.telephony = None;
            self.telephony_trouble = None;
            return;
        };
        let served = self.serve_h248(&config, shared);
        let served = served.and_then(|()| self.serve_sip(&config, shared));
        let trouble = served.err().map(|error| format!("{error:#}"));
        if let Some(error) = trouble
            .as_ref()
            .filter(|_| trouble != self.telephony_trouble)
        {
            tracing::error!(error, "phones cannot call");
        }
        self.telephony_trouble = trouble;
        self.telephony_turn(|_, _| {});
    }

    fn serve_h248(&mut self, config: &config::Switch, shared: &Shared) -> Result<()> {
        if let Some(telephony) = &mut self.telephony
            && telephony.port == config.port
        {
            telephony.rates.set(config.messages_per_address);
            let settings = located(config.settings.clone());
            if *telephony.switch.settings() != settings {
                telephony.switch.reconfigure(settings);
            }
            return Ok(());
        }
        let store = self.open_store()?;
        let log = Log::in_directory(&self.plan.config.settings.state_directory);
        let new = Telephony::start(config, store, log, shared)?;
        let former = self.telephony.replace(new);
        if let (Some(mut former), Some(new)) = (former, &mut self.telephony) {
            // Its ports would not be free at once, and phones stay connected.
            new.sip = former.sip.take();
        }
        Ok(())
    }
}

/// Messages of H.248 that come in over UDP.
async fn messages(shared: Shared, socket: Arc<Socket>) {
    let hear = |ends: Ends, message: &[u8]| {
        let peer = Peer {
            address: ends.address,
            local: ends.local,
            transport: Transport::Udp,
        };
        shared.lock().telephony_turn(|telephony, now| {
            telephony.hear(now, peer, message);
        });
    };
    socket.receive(hear).await;
}

/// The settings, with our addresses that trunks know us by.
fn located(mut settings: Settings) -> Settings {
    for trunk in &mut settings.trunks {
        if let Way::Sip(peer) = &mut trunk.way {
            peer.local = address_towards(peer.address);
        }
    }
    settings
}

/// Our address on the way to another; `None`: there is no way.
fn address_towards(there: SocketAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // Nothing is sent by this.
    socket.connect(there).ok()?;
    socket.local_addr().ok().map(|local| local.ip())
}

/// Time passes.
async fn time(shared: Shared, timer: Arc<Notify>) {
    loop {
        let wait = shared.lock().telephony.as_mut().map(Telephony::set_alarm);
        let Some(wait) = wait else {
            // The service is being made.
            timer.notified().await;
            continue;
        };
        tokio::select! {
            () = tokio::time::sleep(wait.min(LOOK_AGAIN)) => {}
            () = timer.notified() => continue,
        }
        shared.lock().telephony_turn(|telephony, now| {
            if telephony.located + LOOK_AGAIN <= now {
                // Routes come and go.
                telephony.located = now;
                telephony.switch.locate_trunks(address_towards);
            }
            telephony.wire.handle_timeout(now);
            telephony.switch.handle_timeout(now);
        });
    }
}

impl Telephony {
    /// How long the timer may sleep.
    fn set_alarm(&mut self) -> Duration {
        let timeouts = [self.wire.poll_timeout(), self.switch.poll_timeout()];
        self.alarm = timeouts.into_iter().flatten().min().unwrap_or(Time::MAX);
        let now = self.now();
        self.alarm.saturating_sub(now)
    }
}

/// Has written what is to be: what came of all messages that were read in one go goes together.
async fn write(shared: Shared, writer: Arc<Notify>) {
    loop {
        writer.notified().await;
        let mut gateway = shared.lock();
        let written = gateway.telephony.as_mut().map(Telephony::write);
        if let Some(Err(error)) = written {
            gateway.fail(error);
            return;
        }
    }
}

/// What the store says: it is on disk. An error is the end of the daemon.
async fn commits(shared: Shared, mut answers: mpsc::UnboundedReceiver<Committed>) {
    let mut some = Vec::new();
    while answers.recv_many(&mut some, 1024).await > 0 {
        let mut gateway = shared.lock();
        for (ids, result) in some.drain(..) {
            match result {
                Ok(_) => {
                    for id in ids {
                        gateway.telephony_turn(|telephony, now| {
                            telephony.switch.committed(now, id);
                        });
                    }
                }
                Err(error) => {
                    gateway.fail(anyhow::Error::new(error).context("cannot keep registrations"));
                    return;
                }
            }
        }
    }
}
