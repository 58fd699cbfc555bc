//! Phones and trunks that speak SIP.
//!
//! ```text
//!   REGISTER --> register.rs --commit--> 200
//!   INVITE ----> invite.rs --> calls.rs: offer --+--> invite.rs  forwarded, with addresses chosen
//!                                                `--> a line of H.248; leg.rs speaks to the caller
//!   a line of H.248 calls --> calls.rs: offer -------> leg.rs    INVITE
//!   responses --> answers.rs       what comes within a dialog --> within.rs
//! ```
//! Between two ends that speak SIP the switch is a record-routing proxy; towards a line of H.248 it is
//! a user agent for it. Requests within a dialog find their call by a token: the user part of the
//! Record-Route, or of the user agent's Contact.
//!
//! | file | what it does |
//! |---|---|
//! | `register.rs` | who is where, who asks |
//! | `invite.rs` | calls that begin; whom they are offered to |
//! | `answers.rs` | what the called ones answer |
//! | `within.rs` | requests within a dialog |
//! | `leg.rs` | the user agent of a line of H.248 |
//! | `end.rs` | calls that end |
//! | `send.rs` | what every request that leaves has |
//! | `stranger.rs` | who has not shown a password yet |
//! | `reach.rs` | where phones are reached |
//! | `rewrite.rs` | other addresses in Contact and descriptions |

mod answers;
mod end;
mod invite;
mod leg;
mod reach;
mod register;
mod rewrite;
mod send;
mod stranger;
mod within;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ::sip::auth::{Algorithm, Ha1, Realm, RealmSettings};
use ::sip::proxy::Own;
use ::sip::transaction::{self, ClientId, Output as Wire, ServerId, Transactions};
use ::sip::ua::Dialog;
use ::sip::{Limits, Message, Peer, Request, Response, Status};

use super::{CallId, Output, Side, Switch, Time};
use crate::record::EndReason;
use crate::registration::{Leases, NoLeases};
use crate::sip::{Account, Counters, Party, Settings};

pub(super) use rewrite::for_line;

/// All of SIP.
#[derive(Debug)]
pub(super) struct Sip {
    transactions: Transactions,
    realm: Realm,
    passwords: BTreeMap<String, [Ha1; 2]>,
    own: Own,
    accounts: BTreeMap<String, Arc<Account>>,
    servers: BTreeMap<ServerId, Asked>,
    clients: BTreeMap<ClientId, Sent>,
    calls: BTreeMap<CallId, SipCall>,
    /// Trunks that have not answered, and until when others are preferred.
    silent: BTreeMap<String, Time>,
    counters: Counters,
    secret: [u8; 32],
    /// Identifiers that were made.
    made: u64,
    /// The last address of ours that somebody has spoken to: most speak to the same.
    spoken_to: Option<IpAddr>,
}

/// What a request that came in waits for.
#[derive(Debug)]
enum Asked {
    /// A call's.
    Invite(CallId),
    /// A proxied one: the other one's answer.
    Through(ClientId),
}

/// What a request that was sent is for.
#[derive(Debug)]
enum Sent {
    /// The called one's answer.
    Invite(CallId),
    /// A proxied one.
    Through(Box<Proxied>),
    /// A call that is over: if it is answered all the same, that is taken back.
    Gone(Box<Gone>),
    /// Nothing depends on it.
    Own,
}

/// Whom an INVITE of a call was sent to that is over.
#[derive(Clone, Debug)]
struct Gone {
    peer: Peer,
    dialog: Dialog,
    /// It was the caller's, and has the caller's routes.
    is_through: bool,
}

/// A request that was passed on: its answer goes back.
#[derive(Debug)]
struct Proxied {
    id: ServerId,
    request: Request,
    /// The call that it belongs to, and the side that it was sent to.
    of: Option<(CallId, Side)>,
}

/// What SIP knows of a call that it has an end of.
#[derive(Debug, Default)]
struct SipCall {
    caller: Option<Party>,
    called: Option<Party>,
    /// The caller's INVITE, until it has its final answer.
    asked: Option<(ServerId, Request)>,
    /// The INVITE that the called one has not answered yet.
    sent: Option<ClientId>,
    /// Its answer: the caller has it when the call is on disk.
    held: Option<Response>,
    /// The caller's INVITE, once it has that answer.
    answered: Option<ServerId>,
    /// How the last one refused.
    refusal: Option<Response>,
    /// The caller has cancelled it.
    cancelled: bool,
    /// Its BYE is on its way from one end to the other.
    goodbye: bool,
    /// An answer of ours that waits for its ACK.
    accepted: Option<leg::Accepted>,
    /// A change that one end wants, until the other one has made it.
    change: Option<(ServerId, Request)>,
    /// The ACK of the called one's answer, should the answer come again.
    ack: Option<Request>,
    /// Descriptions that its line has given: each has a higher version (RFC 3264 section 8).
    version: u32,
}

impl SipCall {
    fn party(&mut self, side: Side) -> Option<&mut Party> {
        match side {
            Side::Caller => self.caller.as_mut(),
            Side::Called => self.called.as_mut(),
        }
    }

    /// Both ends speak SIP: it is proxied.
    fn is_through(&self) -> bool {
        self.caller.is_some() && self.called.is_some()
    }
}

impl Sip {
    pub(super) fn new(settings: &Settings, secret: [u8; 32]) -> Self {
        let mut realm = RealmSettings::new(&settings.realm);
        realm.remembered = realm.remembered.max(2 * settings.users.len());
        let timers = transaction::Settings {
            force_rport: true,
            ..transaction::Settings::default()
        };
        let mut sip = Self {
            transactions: Transactions::new(timers),
            realm: Realm::new(realm, secret),
            passwords: BTreeMap::new(),
            own: Own::default(),
            accounts: BTreeMap::new(),
            servers: BTreeMap::new(),
            clients: BTreeMap::new(),
            calls: BTreeMap::new(),
            silent: BTreeMap::new(),
            counters: Counters::default(),
            secret,
            made: 0,
            spoken_to: None,
        };
        sip.configure(settings);
        sip
    }

    /// Other settings from now on.
    fn configure(&mut self, settings: &Settings) {
        let realm = settings.realm.as_str();
        let hashes = |(name, user): (&String, &crate::sip::User)| {
            let hash = |algorithm| Ha1::new(algorithm, name, realm, &user.password);
            let both = [hash(Algorithm::Sha256), hash(Algorithm::Md5)];
            (name.clone(), both)
        };
        self.passwords = settings.users.iter().map(hashes).collect();
        if self.realm.name() != realm {
            self.realm = Realm::new(RealmSettings::new(realm), self.secret);
        }
        self.realm.ask_for(&settings.digest);
        let addresses = self
            .own
            .hosts
            .iter()
            .filter(|host| host.parse::<IpAddr>().is_ok());
        let mut hosts: Vec<String> = addresses.cloned().collect();
        hosts.push(realm.to_owned());
        hosts.extend(settings.names.iter().cloned());
        hosts.dedup();
        let ports = [Some(settings.port), settings.tls_port];
        self.own = Own {
            hosts,
            ports: ports.into_iter().flatten().collect(),
        };
    }

    /// An address of ours: somebody has spoken to it.
    fn learn(&mut self, peer: Peer) {
        if let Some(local) = peer.local
            && self.spoken_to != Some(local)
        {
            self.spoken_to = Some(local);
            let host = local.to_string();
            if !self.own.is_host(&host) {
                self.own.hosts.push(host);
            }
        }
    }
}

impl Switch {
    /// The secret that nonces and tags are made of: another one with each start, that nobody can guess.
    /// Without it, SIP is not spoken.
    pub fn set_secret(&mut self, secret: [u8; 32]) {
        self.secret = Some(secret);
        self.configure_sip();
    }

    /// Follows the settings.
    pub(super) fn configure_sip(&mut self) {
        match (&self.settings.sip, self.secret, &mut self.sip) {
            (Some(settings), Some(_), Some(sip)) => sip.configure(settings),
            (Some(settings), Some(secret), None) => {
                self.sip = Some(Box::new(Sip::new(settings, secret)));
            }
            _ => {
                // Nobody would hear of their end.
                let now = self.now;
                let by_sip = |call: &super::Call| call.ends().any(|(_, end)| end.is_sip());
                self.release_all(now, EndReason::Operator, by_sip);
                self.sip = None;
            }
        }
        self.forget_users();
    }

    /// Finds out by which address of ours each trunk is reached: `from` says it.
    pub fn locate_trunks(&mut self, from: impl Fn(std::net::SocketAddr) -> Option<IpAddr>) {
        for trunk in &mut self.settings.trunks {
            if let crate::settings::Way::Sip(peer) = &mut trunk.way {
                peer.local = from(peer.address).or(peer.local);
                if let Some(sip) = &mut self.sip {
                    sip.learn(*peer);
                }
            }
        }
    }

    /// A message of SIP: a datagram, or one of a stream.
    pub fn sip_message(&mut self, now: Time, leases: &dyn Leases, from: Peer, message: Vec<u8>) {
        self.now = now;
        let Some(sip) = &mut self.sip else {
            return;
        };
        sip.learn(from);
        let message = match Message::parse(message, &Limits::default()) {
            Ok(message) => message,
            Err(refusal) => {
                sip.counters.malformed(refusal.fault.label());
                if let Some(answer) = refusal.answer() {
                    let (bytes, client) = (answer.encode().into(), None);
                    let to = from;
                    self.outputs.push_back(Output::Sip { to, bytes, client });
                }
                return;
            }
        };
        match message {
            Message::Request(request) if self.sip_is_stranger(from, &request) => {
                self.sip_turn_away(now, from, request);
            }
            message => {
                if let Some(sip) = &mut self.sip {
                    let outputs = sip.transactions.handle(now, from, message);
                    self.sip_outputs(now, leases, outputs);
                }
            }
        }
    }

    /// A request could not be sent.
    pub fn sip_unreachable(&mut self, now: Time, client: ClientId) {
        self.now = now;
        if let Some(sip) = &mut self.sip {
            let outputs = sip.transactions.unreachable(now, client);
            self.sip_outputs(now, &NoLeases, outputs);
        }
    }

    /// When SIP has something to do.
    pub(super) fn sip_timeout(&self) -> Option<Time> {
        self.sip.as_ref()?.transactions.poll_timeout()
    }

    /// Does what is due.
    pub(super) fn sip_due(&mut self, now: Time) {
        if let Some(sip) = &mut self.sip
            && sip
                .transactions
                .poll_timeout()
                .is_some_and(|due| due <= now)
        {
            let outputs = sip.transactions.handle_timeout(now);
            self.sip_outputs(now, &NoLeases, outputs);
        }
    }

    fn sip_outputs(&mut self, now: Time, leases: &dyn Leases, outputs: Vec<Wire>) {
        for output in outputs {
            match output {
                Wire::Send { to, bytes, client } => {
                    self.outputs.push_back(Output::Sip { to, bytes, client });
                }
                Wire::Request { id, from, request } => {
                    if let Err(answer) = self.sip_request(now, leases, id, from, request) {
                        self.sip_refuse(now, id, &answer);
                    }
                }
                Wire::Cancel { id, .. } => self.sip_cancelled(now, id),
                Wire::Ack { from, request } => self.sip_acknowledged(now, from, request),
                Wire::Response { id, response, .. } => self.sip_answer(now, id, response),
                Wire::NoAnswer { id } => self.sip_rings_for_ever(now, id),
                Wire::TimedOut { id } => self.sip_failed(now, id, Status::REQUEST_TIMEOUT),
                Wire::Unreachable { id } => {
                    self.sip_failed(now, id, Status::SERVICE_UNAVAILABLE);
                }
                Wire::ServerOver { id } => {
                    if let Some(sip) = &mut self.sip {
                        sip.servers.remove(&id);
                    }
                }
                Wire::ClientOver { id } => {
                    if let Some(sip) = &mut self.sip {
                        sip.clients.remove(&id);
                    }
                }
                Wire::Stray { .. } | Wire::Unacknowledged { .. } => {}
            }
        }
    }

    /// Answers a request.
    pub(super) fn sip_respond(&mut self, now: Time, id: ServerId, response: &Response) {
        let Some(sip) = &mut self.sip else {
            return;
        };
        if response.status.code() >= 300 {
            sip.counters.refused(response.status.code());
        }
        let outputs = sip.transactions.respond(now, id, response);
        self.sip_outputs(now, &NoLeases, outputs);
    }

    /// Answers a request with a refusal. Whom nobody knows leaves no transaction: it would be sent the
    /// answer again, and whose address it has written is not known either.
    fn sip_refuse(&mut self, now: Time, id: ServerId, answer: &Response) {
        let asks = [Status::UNAUTHORIZED, Status::PROXY_UNAUTHORIZED];
        let Some(sip) = self.sip.as_mut().filter(|_| asks.contains(&answer.status)) else {
            return self.sip_respond(now, id, answer);
        };
        sip.counters.refused(answer.status.code());
        let outputs = sip.transactions.refuse(id, answer);
        self.sip_outputs(now, &NoLeases, outputs);
    }

    /// Nothing of a call or request is left.
    #[cfg(test)]
    pub(super) fn sip_is_quiet(&self) -> bool {
        let sip = self.sip.as_ref().expect("SIP");
        // Registrations may be under way.
        sip.servers.is_empty() && sip.clients.is_empty() && sip.calls.is_empty()
    }

    #[cfg(test)]
    pub(super) fn sip_transactions(&self) -> usize {
        let sip = self.sip.as_ref().expect("SIP");
        sip.transactions.len()
    }

    /// Who has registered by SIP, and where.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        let sip = self.sip.iter();
        sip.flat_map(|sip| sip.accounts.values().map(AsRef::as_ref))
    }

    /// What SIP's transactions have counted; `None`: it is not spoken.
    #[must_use]
    pub fn sip_counters(&self) -> Option<transaction::Counters> {
        self.sip.as_ref().map(|sip| sip.transactions.counters())
    }

    /// What else SIP has counted.
    #[must_use]
    pub fn sip_refusals(&self) -> Option<&Counters> {
        self.sip.as_ref().map(|sip| &sip.counters)
    }

    /// After a start, behind [`Switch::set_secret`] and before [`Switch::restore`]: where users are.
    pub fn restore_accounts(&mut self, now: Time, accounts: impl IntoIterator<Item = Account>) {
        self.now = now;
        for account in accounts {
            let Some(sip) = &mut self.sip else {
                return;
            };
            for device in &account.devices {
                sip.learn(device.binding.source);
            }
            let user = account.user.clone();
            sip.accounts.insert(user.clone(), Arc::new(account));
            self.watch_account(&user);
        }
    }
}
