//! Who is where, and who asks (RFC 3261 sections 10.3 and 22).

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ::sip::auth::Algorithm;
use ::sip::registrar::{self, Binding};
use ::sip::transaction::ServerId;
use ::sip::{Address, Fields, Peer, Request, Response, Status};

use super::super::register::located;
use super::super::{After, Call, CallId, Change, End, Switch, Time, Timer, Who};
use super::Sip;
use crate::address::Place;
use crate::record::EndReason;
use crate::registration::Leases;
use crate::sip::{Account, Device};

/// Phones of one user.
const MOST: usize = 10;
/// Octets of one registration.
const LONGEST: usize = 2048;

impl Switch {
    /// A REGISTER: it is answered when it is on disk.
    pub(super) fn sip_register(
        &mut self,
        now: Time,
        leases: &dyn Leases,
        id: ServerId,
        from: Peer,
        request: &Request,
    ) -> Result<(), Response> {
        let (user, settings) = self.sip_registrant(now, request)?;
        let refuse = |why: registrar::Refused| why.answer(request, &settings);
        let Some(sip) = &mut self.sip else {
            return Ok(());
        };
        let before = sip.accounts.get(&user).map(|account| &account.devices[..]);
        let before = before.unwrap_or_default();
        let stored: Vec<&Binding> = before.iter().map(|device| &device.binding).collect();
        let update = match registrar::register(now, request, from, &stored, &settings) {
            // One that forgets who it was, at each start: the oldest makes room.
            Err(registrar::Refused::TooMany) if !stored.is_empty() => {
                registrar::register(now, request, from, &stored[1..], &settings)
            }
            update => update,
        };
        let update = update.map_err(refuse)?;
        for binding in &update.bindings {
            if let Some(status) = unfit(binding) {
                return Err(Response::answer(request, status));
            }
        }
        sip.counters.registers += 1;
        let answer = registrar::accept(now, request, &update.bindings);
        if !update.changed {
            self.sip_respond(now, id, &answer);
            return Ok(());
        }
        let (place, mac) = placed(leases, from, contact_of(&request.fields));
        let device = |binding: Binding| {
            let same = |device: &&Device| device.binding.uri == binding.uri;
            let known = before.iter().find(same);
            match known {
                Some(known) if known.binding == binding => known.clone(),
                known => Device {
                    binding,
                    place,
                    mac,
                    since: known.map_or(now.as_secs(), |known| known.since),
                },
            }
        };
        let mut devices: Vec<Device> = update.bindings.into_iter().map(device).collect();
        let moves = moved(before, &devices);
        // Who has just spoken stands last.
        devices.sort_by_key(|device| !before.contains(device));
        let account = Arc::new(Account {
            user: user.clone(),
            devices,
        });
        let change = Change::Account(Arc::clone(&account));
        sip.accounts.insert(user.clone(), account);
        sip.follow(&moves);
        self.watch_account(&user);
        self.commit(vec![change], After::Answer(id, Box::new(answer)));
        Ok(())
    }

    /// Who registers, and how that may be.
    pub(super) fn sip_registrant(
        &mut self,
        now: Time,
        request: &Request,
    ) -> Result<(String, registrar::Settings), Response> {
        let wanted = self.settings.sip.as_ref();
        let wanted =
            wanted.ok_or_else(|| Response::answer(request, Status::SERVICE_UNAVAILABLE))?;
        let settings = registrar::Settings {
            shortest: wanted.shortest,
            longest: wanted.longest,
            usual: wanted.longest,
            bindings: MOST,
        };
        let refuse = |why: registrar::Refused| why.answer(request, &settings);
        let (user, host) = registrar::address_of_record(request).map_err(refuse)?;
        self.sip_is_ours(request)?;
        let name = self.sip_authenticate(now, request, false)?;
        let is_ours = self.sip.as_ref().is_some_and(|sip| sip.own.is_host(&host));
        if name != user || !is_ours {
            return Err(Response::answer(request, Status::FORBIDDEN));
        }
        Ok((user, settings))
    }

    /// Looks after a user's registrations when the first of them ends.
    pub(super) fn watch_account(&mut self, user: &str) {
        let Some(sip) = &mut self.sip else {
            return;
        };
        let devices = sip.accounts.get(user).map(|account| &account.devices);
        let first = devices.and_then(|all| all.iter().map(|one| one.binding.expires).min());
        match first {
            Some(first) => drop(self.timers.insert((first, Timer::Account(user.to_owned())))),
            None => drop(sip.accounts.remove(user)),
        }
    }

    /// Registrations of a user may have ended.
    /// Whether the user is nowhere from now on.
    pub(in crate::core) fn account_due(&mut self, now: Time, user: &str) -> bool {
        let account = self.sip.as_mut().and_then(|sip| sip.accounts.get_mut(user));
        let Some(account) = account.map(Arc::make_mut) else {
            return false;
        };
        let before = account.devices.len();
        account
            .devices
            .retain(|device| device.binding.expires > now);
        let gone = account.devices.is_empty();
        if account.devices.len() < before {
            let change = Change::Account(Arc::new(account.clone()));
            self.commit(vec![change], After::Nothing);
        }
        self.watch_account(user);
        gone
    }

    /// Nothing was heard of these users for so long: whoever talks to them talks to nobody.
    pub(in crate::core) fn lose_users(&mut self, now: Time, users: &BTreeSet<String>) {
        let is_theirs = |call: &Call| {
            let is_one = |end: &End| matches!(&end.who, Who::Sip(name) if users.contains(name));
            call.ends().any(|(_, end)| is_one(end))
        };
        if !users.is_empty() {
            self.release_all(now, EndReason::GatewayLost, is_theirs);
        }
    }

    /// Ends calls.
    pub(super) fn release_all(
        &mut self,
        now: Time,
        reason: EndReason,
        which: impl Fn(&Call) -> bool,
    ) {
        let found = self.calls.iter().filter(|(_, call)| which(call));
        let found: Vec<CallId> = found.map(|(id, _)| *id).collect();
        for id in found {
            self.release(now, id, reason, None);
        }
    }

    /// Forgets users that there are no more.
    pub(super) fn forget_users(&mut self) {
        let (Some(sip), Some(wanted)) = (&mut self.sip, &self.settings.sip) else {
            return;
        };
        let names = sip.accounts.keys();
        let gone = names.filter(|name| !wanted.users.contains_key(*name));
        let gone: Vec<String> = gone.cloned().collect();
        for name in &gone {
            sip.accounts.remove(name);
        }
        let empty = |user| {
            let devices = Vec::new();
            Change::Account(Arc::new(Account { user, devices }))
        };
        let changes: Vec<Change> = gone.into_iter().map(empty).collect();
        if !changes.is_empty() {
            self.commit(changes, After::Nothing);
        }
    }

    /// Whether a request names this switch.
    pub(super) fn sip_is_ours(&self, request: &Request) -> Result<(), Response> {
        let not_found = || Response::answer(request, Status::NOT_FOUND);
        let target = request.target();
        let target = target.map_err(|fault| Response::answer(request, fault.status()))?;
        let sip = self.sip.as_ref().ok_or_else(not_found)?;
        match target.sip() {
            Some(uri) if sip.own.is_host(uri.host) => Ok(()),
            Some(_) => Err(not_found()),
            // A number is looked up wherever it is asked for.
            None => Ok(()),
        }
    }

    /// The user who asks; who cannot prove it is asked for a password.
    pub(super) fn sip_authenticate(
        &mut self,
        now: Time,
        request: &Request,
        proxy: bool,
    ) -> Result<String, Response> {
        let Some(sip) = &mut self.sip else {
            return Err(Response::answer(request, Status::SERVICE_UNAVAILABLE));
        };
        let passwords = &sip.passwords;
        let known = |user: &str, algorithm: Algorithm| {
            let both = passwords.get(user)?;
            both.iter()
                .find(|one| one.algorithm() == algorithm)
                .cloned()
        };
        let checked = sip.realm.check(now, request, proxy, known);
        checked.map_err(|denied| {
            sip.counters.denied(denied);
            sip.made += 1;
            sip.realm.challenge(now, request, denied, proxy, sip.made)
        })
    }
}

/// Why a registration is not kept: it is too much; it names a way (RFC 3327) that it has not come
/// itself, and anybody may be there.
fn unfit(binding: &Binding) -> Option<Status> {
    let agent = binding.agent.as_deref().unwrap_or_default();
    let texts = [
        &binding.uri,
        &binding.display,
        &binding.params,
        &binding.call_id,
    ];
    let texts = texts.into_iter().chain(&binding.path).map(String::as_str);
    let mut texts = texts.chain([agent]);
    if texts.clone().map(str::len).sum::<usize>() > LONGEST {
        return Some(Status::TOO_LARGE);
    }
    if texts.any(|text| text.chars().any(char::is_control)) {
        return Some(Status::BAD_REQUEST);
    }
    let first = binding.path.first()?;
    let first = Address::parse(first.as_bytes()).and_then(|path| path.uri.sip()?.ip());
    (first != Some(binding.source.address.ip())).then_some(Status::FORBIDDEN)
}

impl Sip {
    /// Ends of calls are where their phones are now: on other connections, or behind other ports.
    fn follow(&mut self, moves: &[(Peer, Peer)]) {
        for known in self.calls.values_mut() {
            for party in [&mut known.caller, &mut known.called].into_iter().flatten() {
                let at = |peer: Peer| (peer.transport, peer.address);
                let moved = moves.iter().find(|(from, _)| at(*from) == at(party.peer));
                if let Some((_, to)) = moved {
                    party.peer = to.with_listens(party.peer.listens);
                }
            }
        }
    }
}

/// From where to where phones have moved that have registered the same Contact again.
fn moved(before: &[Device], now: &[Device]) -> Vec<(Peer, Peer)> {
    let sources = now.iter().filter_map(|device| {
        let same = |known: &&Device| known.binding.uri == device.binding.uri;
        let known = before.iter().find(same)?;
        Some((known.binding.source, device.binding.source))
    });
    sources.filter(|(from, to)| from != to).collect()
}

/// The addresses for media of who sends from there, and its hardware address if a lease says so.
pub(super) fn placed(
    leases: &dyn Leases,
    from: Peer,
    claimed: Option<Ipv4Addr>,
) -> (Place, Option<[u8; 6]>) {
    let SocketAddr::V4(address) = from.address else {
        // IPv6 has no private addresses to choose: none is listened to so far.
        let nowhere = Place {
            public: Ipv4Addr::UNSPECIFIED,
            port: 0,
            private: Ipv4Addr::UNSPECIFIED,
        };
        return (nowhere, None);
    };
    let (place, leased) = located(leases, address, claimed);
    (place, leased.and_then(|leased| leased.mac))
}

/// The address that a Contact names.
pub(super) fn contact_of(fields: &Fields) -> Option<Ipv4Addr> {
    match fields.contact()?.uri.sip()?.ip()? {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}
