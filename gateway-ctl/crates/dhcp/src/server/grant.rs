//! A lease begins or goes on: written, then bound, then answered.

use std::net::Ipv4Addr;

use ports::Grant;

use super::Server;
use super::answer::Terms;
use super::commit::Step;
use super::hear::{Heard, Subject};
use crate::book::ranges::{Held, seconds_begun};
use crate::counters::{Answer, Event, Kind};
use crate::ignored::Ignored;
use crate::lease::{Lease, Relay, Rest, State};
use crate::output::{Change, Output, Time};
use crate::settings::LeaseTime;
use crate::text::printable;
use crate::wire::code;

/// Records of one client that a grant puts in order at most: the rest waits for its end.
const MOST_OTHERS: usize = 16;

impl Server {
    /// The client keeps its address; its range too, unless its class or reservation says otherwise.
    pub(super) fn renew(
        &mut self,
        heard: &Heard<'_>,
        subject: &Subject,
        address: Ipv4Addr,
    ) -> Result<(), Ignored> {
        self.drop_offer(heard);
        let has = self.book.lease(address).and_then(|lease| lease.grant);
        if self.range_fits(heard, subject, has) {
            return self.grant(heard, subject, address, has.map(kept));
        }
        let held = match self.choose_range(heard, subject) {
            // Better the old one than none.
            Err(_) if has.is_some() => has.map(kept),
            chosen => chosen?,
        };
        self.grant(heard, subject, address, held)
    }

    fn range_fits(&self, heard: &Heard<'_>, subject: &Subject, has: Option<Grant>) -> bool {
        let reservation = self.reservations.get(subject.reservation);
        if let Some(reserved) = reservation.and_then(|reservation| reservation.grant) {
            return has == Some(reserved);
        }
        let class = self.site.class(subject.class);
        let Some((class, ports)) = class.and_then(|class| Some((class, class.ports?))) else {
            return has.is_none();
        };
        has.is_some_and(|grant| {
            let pool = self.book.ranges.pool_of(grant);
            grant.ports.ports() == ports
                && pool.is_some_and(|pool| class.pools.contains(&pool))
                && self.book.ranges.is_client(grant, &heard.request.key)
        })
    }

    /// Makes an address and a range a client's.
    pub(super) fn grant(
        &mut self,
        heard: &Heard<'_>,
        subject: &Subject,
        address: Ipv4Addr,
        held: Option<Held>,
    ) -> Result<(), Ignored> {
        let scope = self.site.scope_of(address).ok_or(Ignored::NoScope)?;
        let time = self.lease_time(heard, subject, scope);
        let mut lease = self.draft(heard, subject, address, scope, held, time);
        let previous = self.book.lease(address).cloned();
        let goes_on = previous.as_ref().filter(|previous| {
            let same = previous.client == lease.client && previous.grant == lease.grant;
            previous.is_active() && same
        });
        if let Some(previous) = goes_on {
            go_on(&mut lease, previous);
            lease.rests = unexpired(&previous.rests, heard.seconds());
            if let Some(time) = self.is_early(previous, &lease, time, heard.now) {
                self.counters.count(Event::RenewedEarly);
                let reply = self.acknowledge(heard, subject, &lease, scope, time);
                self.outputs.push_back(reply);
                return Ok(());
            }
        }
        let goes_on = goes_on.is_some();
        let mut step = Step {
            waits: Some(address),
            ..Step::default()
        };
        self.count_grant(&lease, previous.as_ref(), goes_on);
        if !goes_on {
            self.leave_others(heard.now, &lease, &mut step);
            if let Some(previous) = previous {
                self.supersede(heard.now, &previous, &mut lease, &mut step);
            }
            step.changes
                .extend(lease.history(None).map(Change::History));
            if lease.grant.is_some() {
                step.after.push((address, Output::Bind(lease.clone())));
            }
        }
        step.changes.push(Change::Put(lease.clone()));
        let reply = self.acknowledge(heard, subject, &lease, scope, time);
        step.after.push((address, reply));
        self.book.put(&self.site, lease);
        self.commit(step);
        Ok(())
    }

    fn draft(
        &self,
        heard: &Heard<'_>,
        subject: &Subject,
        address: Ipv4Addr,
        scope: usize,
        held: Option<Held>,
        time: LeaseTime,
    ) -> Lease {
        let request = &heard.request;
        let now = heard.seconds();
        let text = |code| {
            let value = request.option(code).map(printable);
            value.filter(|text| !text.is_empty())
        };
        let grant = held.map(|held| held.grant);
        let pool = grant.and_then(|grant| self.book.ranges.pool_of(grant));
        let information = request.option(code::RELAY_INFORMATION);
        Lease {
            address,
            client: request.key.clone(),
            hardware: request.hardware,
            vendor_class: text(code::VENDOR_CLASS),
            host_name: text(code::HOST_NAME),
            scope: self.site.scope_names[scope].clone(),
            class: subject
                .class
                .map(|class| self.site.class_names[class].clone()),
            pool: pool.map(|pool| self.site.pool_names[pool].clone()),
            grant,
            // Not before the end of what ended in this second. A line of the history that begins in
            // the second of another is instead of it: that one was of no time at all.
            granted_at: seconds_begun(heard.now),
            renewed_at: now,
            expires: match time {
                LeaseTime::Finite(seconds) => Some(seconds_begun(heard.now) + u64::from(seconds)),
                LeaseTime::Infinite { .. } => None,
            },
            relay: request.is_relayed().then(|| Relay {
                address: request.giaddr(),
                information: information.unwrap_or_default().to_vec(),
            }),
            state: State::Active,
            rests: Vec::new(),
        }
    }

    /// Whether a renewal changes nothing worth writing, and how long the lease still lasts then.
    fn is_early(
        &self,
        previous: &Lease,
        lease: &Lease,
        time: LeaseTime,
        now: Time,
    ) -> Option<LeaseTime> {
        let timeless = |lease: &Lease| Lease {
            renewed_at: 0,
            expires: None,
            ..lease.clone()
        };
        if !self.site.settings.early_renewal || timeless(previous) != timeless(lease) {
            return None;
        }
        match (time, previous.expires) {
            (LeaseTime::Infinite { .. }, None) => Some(time),
            (LeaseTime::Finite(seconds), Some(expires)) => {
                let left = u32::try_from(expires.checked_sub(seconds_begun(now))?).ok()?;
                let early = left <= seconds && left >= seconds - seconds / 4;
                early.then_some(LeaseTime::Finite(left))
            }
            _ => None,
        }
    }

    fn acknowledge(
        &mut self,
        heard: &Heard<'_>,
        subject: &Subject,
        lease: &Lease,
        scope: usize,
        time: LeaseTime,
    ) -> Output {
        let terms = Terms {
            answer: match heard.request.kind {
                Kind::Bootp => Answer::Bootp,
                _ => Answer::Ack,
            },
            yiaddr: lease.address,
            scope,
            grant: lease.grant,
            time: Some(time),
        };
        self.reply(heard, subject, &terms)
    }

    fn count_grant(&mut self, lease: &Lease, previous: Option<&Lease>, goes_on: bool) {
        let had = previous.is_some_and(|had| had.is_active() && had.client == lease.client);
        self.counters.count(match (goes_on, had) {
            (true, _) => Event::Renewed,
            (false, true) => Event::RangeChanged,
            (false, false) => Event::Granted,
        });
    }

    /// Ends what the client has elsewhere, or another hardware address of the same phone. The range
    /// may come along.
    fn leave_others(&mut self, now: Time, lease: &Lease, step: &mut Step) {
        let elsewhere = |other: &&Lease| other.address != lease.address;
        let active = self
            .book
            .active_of(&lease.client)
            .filter(elsewhere)
            .cloned();
        let holder = lease.grant.and_then(|grant| self.book.holder(grant));
        let holder = holder.filter(|holder| elsewhere(holder) && holder.client != lease.client);
        for other in active.into_iter().chain(holder.cloned()) {
            self.counters.count(Event::Moved);
            self.end(now, &other, lease.grant, step);
        }
        let had = |other: &&Lease| other.grant.is_some() && other.grant == lease.grant;
        let others = self.book.leases_of(&lease.client);
        let others = others.filter(elsewhere).filter(had).take(MOST_OTHERS);
        for mut other in others.cloned().collect::<Vec<_>>() {
            other.grant = None;
            step.changes.push(Change::Put(other.clone()));
            self.book.put(&self.site, other);
        }
    }

    /// Ends what the address was before: another range of the same client, or the lease of another
    /// hardware address of the same phone.
    fn supersede(&mut self, now: Time, previous: &Lease, lease: &mut Lease, step: &mut Step) {
        if previous.is_active() && previous.grant.is_some() {
            let end = Some(seconds_begun(now));
            step.changes
                .extend(previous.history(end).map(Change::History));
            step.after
                .push((previous.address, Output::Unbind(previous.clone())));
        }
        lease.rests = self.rests_of(now, previous, lease.grant);
    }

    /// Ranges of a lease that rest when it is over, but for the one that goes on.
    pub(super) fn rests_of(
        &mut self,
        now: Time,
        lease: &Lease,
        goes_on: Option<Grant>,
    ) -> Vec<Rest> {
        let mut rests = unexpired(&lease.rests, now / 1000);
        rests.retain(|rest| Some(rest.grant) != goes_on);
        let Some(grant) = lease.grant.filter(|grant| Some(*grant) != goes_on) else {
            return rests;
        };
        let until = match lease.state {
            State::Active => self.give_back(now, lease),
            State::Ended { at } => Some(at.saturating_add(self.book.ranges.rest_of(grant))),
            State::Declined { .. } => None,
        };
        if let Some(until) = until.filter(|until| *until > now / 1000) {
            rests.push(Rest { grant, until });
        }
        rests
    }

    /// Ends an active lease, but for a range that goes on elsewhere.
    pub(super) fn end(
        &mut self,
        now: Time,
        lease: &Lease,
        goes_on: Option<Grant>,
        step: &mut Step,
    ) {
        self.drop_offer_of(&lease.client, now);
        let at = seconds_begun(now);
        let mut ended = Lease {
            state: State::Ended { at },
            ..lease.clone()
        };
        match lease.grant.is_some() && lease.grant == goes_on {
            true => ended.grant = None,
            false => drop(self.give_back(now, lease)),
        }
        let end = Some(at);
        step.changes.push(Change::Put(ended.clone()));
        step.changes.extend(lease.history(end).map(Change::History));
        if lease.grant.is_some() {
            step.after
                .push((lease.address, Output::Unbind(lease.clone())));
        }
        self.book.put(&self.site, ended);
    }
}

/// A range that the client has.
fn kept(grant: Grant) -> Held {
    Held { grant, taken: None }
}

fn unexpired(rests: &[Rest], now: u64) -> Vec<Rest> {
    rests
        .iter()
        .filter(|rest| rest.until > now)
        .copied()
        .collect()
}

/// What a client does not say when it renews is as it was: many leave out who they are, and those
/// behind a relay renew without it.
fn go_on(lease: &mut Lease, previous: &Lease) {
    lease.granted_at = previous.granted_at;
    let said = |now: &mut Option<String>, before: &Option<String>| {
        if now.is_none() {
            now.clone_from(before);
        }
    };
    said(&mut lease.vendor_class, &previous.vendor_class);
    said(&mut lease.host_name, &previous.host_name);
    if lease.relay.is_none() {
        lease.relay.clone_from(&previous.relay);
    }
}
