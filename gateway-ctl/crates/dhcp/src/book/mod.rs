//! What is whose: leases, offers, free addresses and ranges, kept in step.
//!
//! | file | what it keeps |
//! |---|---|
//! | `mod.rs` | leases by address, by client, and by when something happens to them |
//! | `intervals.rs` | free addresses |
//! | `offers.rs` | what was promised, in memory only |
//! | `ranges.rs` | whose ranges are, pool by pool |

pub(crate) mod intervals;
pub(crate) mod offers;
pub(crate) mod ranges;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ports::Grant;

use crate::client::ClientKey;
use crate::lease::{Lease, State};
use crate::output::Time;
use crate::site::Site;
use intervals::Intervals;
use offers::{Offer, Offers};
use ranges::Ranges;

/// How many addresses of a scope are what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) active: usize,
    pub(crate) ended: usize,
    pub(crate) declined: usize,
    pub(crate) offered: usize,
}

/// Addresses of a scope.
#[derive(Clone, Debug, Default)]
struct ScopeBook {
    /// Never leased, or forgotten.
    free: Intervals,
    /// Of leases that ended, by when somebody else may have them.
    reusable: BTreeSet<(u64, Ipv4Addr)>,
    tally: Tally,
}

#[derive(Clone, Debug)]
struct Entry {
    lease: Lease,
    /// When it expires or is forgotten, seconds.
    due: Option<u64>,
    /// When somebody else may have the address.
    reusable: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Book {
    leases: BTreeMap<Ipv4Addr, Entry>,
    by_client: BTreeSet<(ClientKey, Ipv4Addr)>,
    due: BTreeSet<(u64, Ipv4Addr)>,
    /// Addresses of active leases by their public addresses and first ports.
    by_range: BTreeMap<(Ipv4Addr, u16), Ipv4Addr>,
    scopes: Vec<ScopeBook>,
    offers: Offers,
    pub(crate) ranges: Ranges,
    /// Addresses that are somebody's by reservation.
    reserved: BTreeSet<Ipv4Addr>,
}

impl Book {
    pub(crate) fn new(site: &Site) -> Self {
        let mut scopes = vec![ScopeBook::default(); site.settings.scopes.len()];
        for (book, scope) in scopes.iter_mut().zip(&site.settings.scopes) {
            for range in &scope.addresses {
                let first = (*range.start()).max(scope.network.address());
                let last = (*range.end()).min(crate::site::last(scope.network));
                book.free.insert_range(first, last);
                if first <= last {
                    for address in site.kept_out.range(first..=last) {
                        book.free.remove(*address);
                    }
                }
            }
        }
        Self {
            leases: BTreeMap::new(),
            by_client: BTreeSet::new(),
            due: BTreeSet::new(),
            by_range: BTreeMap::new(),
            scopes,
            offers: Offers::default(),
            ranges: Ranges::new(&site.settings),
            reserved: BTreeSet::new(),
        }
    }

    pub(crate) fn lease(&self, address: Ipv4Addr) -> Option<&Lease> {
        self.leases.get(&address).map(|entry| &entry.lease)
    }

    pub(crate) fn leases(&self, from: Ipv4Addr) -> impl Iterator<Item = &Lease> {
        self.leases.range(from..).map(|(_, entry)| &entry.lease)
    }

    pub(crate) fn len(&self) -> usize {
        self.leases.len()
    }

    /// Every lease, when the book is closed.
    pub(crate) fn into_leases(self) -> impl Iterator<Item = Lease> {
        self.leases.into_values().map(|entry| entry.lease)
    }

    /// What a client has and had.
    pub(crate) fn leases_of(&self, client: &ClientKey) -> impl Iterator<Item = &Lease> {
        let from = (client.clone(), Ipv4Addr::UNSPECIFIED);
        let all = self.by_client.range(from..);
        let theirs = all.take_while(move |(found, _)| found == client);
        theirs.filter_map(|(_, address)| self.lease(*address))
    }

    /// The lease that a client has now.
    pub(crate) fn active_of(&self, client: &ClientKey) -> Option<&Lease> {
        self.leases_of(client).find(|lease| lease.is_active())
    }

    /// The active lease that has this range.
    pub(crate) fn holder(&self, grant: Grant) -> Option<&Lease> {
        let lease = self.holder_of(grant.address, grant.ports.first())?;
        (lease.grant == Some(grant)).then_some(lease)
    }

    /// The active lease that has this port.
    pub(crate) fn holder_of(&self, public: Ipv4Addr, port: u16) -> Option<&Lease> {
        let mut before = self.by_range.range(..=(public, port));
        let lease = self.lease(*before.next_back()?.1)?;
        let grant = lease.grant?;
        (grant.address == public && grant.ports.contains(port)).then_some(lease)
    }

    /// Writes a lease instead of what its address had.
    pub(crate) fn put(&mut self, site: &Site, lease: Lease) {
        let address = lease.address;
        self.take(site, address);
        let due = self.due_of(&lease, site);
        if let Some(due) = due {
            self.due.insert((due, address));
        }
        let reusable = match lease.state {
            State::Ended { .. } => Some(self.rested_at(&lease)),
            State::Active | State::Declined { .. } => None,
        };
        self.by_client.insert((lease.client.clone(), address));
        if let (State::Active, Some(grant)) = (lease.state, lease.grant) {
            self.by_range.insert(place(grant), address);
        }
        if let Some(count) = self.count_of(site, &lease) {
            *count += 1;
        }
        let entry = Entry {
            lease,
            due,
            reusable,
        };
        self.leases.insert(address, entry);
        self.refresh(site, address);
    }

    /// Forgets the lease of an address.
    pub(crate) fn remove(&mut self, site: &Site, address: Ipv4Addr) -> Option<Lease> {
        let lease = self.take(site, address);
        self.refresh(site, address);
        lease
    }

    fn take(&mut self, site: &Site, address: Ipv4Addr) -> Option<Lease> {
        let entry = self.leases.remove(&address)?;
        self.by_client
            .remove(&(entry.lease.client.clone(), address));
        if let (State::Active, Some(grant)) = (entry.lease.state, entry.lease.grant) {
            self.by_range.remove(&place(grant));
        }
        if let Some(due) = entry.due {
            self.due.remove(&(due, address));
        }
        let scope = site.scope_of(address);
        if let (Some(scope), Some(when)) = (scope, entry.reusable) {
            self.scopes[scope].reusable.remove(&(when, address));
        }
        if let Some(count) = self.count_of(site, &entry.lease) {
            *count -= 1;
        }
        Some(entry.lease)
    }

    fn count_of(&mut self, site: &Site, lease: &Lease) -> Option<&mut usize> {
        let tally = &mut self.scopes[site.scope_of(lease.address)?].tally;
        Some(match lease.state {
            State::Active => &mut tally.active,
            State::Ended { .. } => &mut tally.ended,
            State::Declined { .. } => &mut tally.declined,
        })
    }

    /// When something happens to a lease, seconds.
    fn due_of(&self, lease: &Lease, site: &Site) -> Option<u64> {
        match lease.state {
            State::Active => lease.expires,
            State::Ended { at } => {
                let forgotten = at.saturating_add(site.settings.remember);
                Some(forgotten.max(self.rested_at(lease)))
            }
            State::Declined { until } => Some(until.max(self.rested_at(lease))),
        }
    }

    /// When all ranges of a lease have rested, seconds.
    pub(crate) fn rested_at(&self, lease: &Lease) -> u64 {
        let own = match (lease.state, lease.grant) {
            (State::Ended { at }, Some(grant)) => at.saturating_add(self.ranges.rest_of(grant)),
            (State::Ended { at }, None) => at,
            _ => 0,
        };
        lease
            .rests
            .iter()
            .map(|rest| rest.until)
            .fold(own, u64::max)
    }

    /// Puts an address where it belongs: free, reusable, or neither.
    pub(crate) fn refresh(&mut self, site: &Site, address: Ipv4Addr) {
        let Some(scope) = site.scope_of(address) else {
            return;
        };
        let entry = self.leases.get(&address);
        let reusable = entry.and_then(|entry| entry.reusable);
        let open = self.is_leasable(site, address) && self.offers.at(address).is_none();
        let is_free = open && entry.is_none();
        let book = &mut self.scopes[scope];
        match is_free {
            true => book.free.insert(address),
            false => book.free.remove(address),
        }
        if let Some(when) = reusable {
            match open {
                true => book.reusable.insert((when, address)),
                false => book.reusable.remove(&(when, address)),
            };
        }
    }

    /// Whether an address is for anybody.
    pub(crate) fn is_leasable(&self, site: &Site, address: Ipv4Addr) -> bool {
        let in_range = |scope: usize| {
            let mut ranges = site.scope(scope).addresses.iter();
            ranges.any(|range| range.contains(&address))
        };
        site.scope_of(address).is_some_and(in_range)
            && !site.kept_out.contains(&address)
            && !self.reserved.contains(&address)
    }

    /// An address of a scope for anybody: one that nobody had, else the one that has rested for
    /// longest.
    pub(crate) fn any_address(&self, scope: usize, now: Time) -> Option<Ipv4Addr> {
        let book = self.scopes.get(scope)?;
        let rested = |(when, address): &(u64, Ipv4Addr)| (*when <= now / 1000).then_some(*address);
        book.free
            .first()
            .or_else(|| book.reusable.first().and_then(rested))
    }

    /// An address becomes a reserved client's, or anybody's again.
    pub(crate) fn set_reserved(&mut self, site: &Site, address: Ipv4Addr, reserved: bool) {
        match reserved {
            true => self.reserved.insert(address),
            false => self.reserved.remove(&address),
        };
        self.refresh(site, address);
    }

    /// When the next lease expires or is forgotten, seconds.
    pub(crate) fn next_due(&self) -> Option<(u64, Ipv4Addr)> {
        self.due.first().copied()
    }

    pub(crate) fn offers(&self) -> &Offers {
        &self.offers
    }

    /// Promises an address.
    pub(crate) fn offer(&mut self, site: &Site, address: Ipv4Addr, offer: Offer) {
        self.take_offer(site, address);
        self.offers.insert(address, offer);
        if let Some(scope) = site.scope_of(address) {
            self.scopes[scope].tally.offered += 1;
        }
        self.refresh(site, address);
    }

    /// Ends a promise; its range is still held.
    pub(crate) fn take_offer(&mut self, site: &Site, address: Ipv4Addr) -> Option<Offer> {
        let offer = self.offers.remove(address)?;
        if let Some(scope) = site.scope_of(address) {
            self.scopes[scope].tally.offered -= 1;
        }
        self.refresh(site, address);
        Some(offer)
    }

    /// Ends a promise, and gives its range back.
    pub(crate) fn withdraw(&mut self, site: &Site, address: Ipv4Addr, now: Time) -> Option<Offer> {
        let offer = self.take_offer(site, address)?;
        if let Some(held) = offer.held {
            self.ranges.withdraw(now, &offer.client, held);
        }
        Some(offer)
    }

    pub(crate) fn change_offer(&mut self, address: Ipv4Addr, until: Time, stage: offers::Stage) {
        self.offers.change(address, until, stage);
    }

    pub(crate) fn tally(&self, scope: usize) -> Tally {
        self.scopes[scope].tally
    }

    pub(crate) fn free(&self, scope: usize) -> u64 {
        self.scopes[scope].free.len()
    }
}

/// Where a range begins.
fn place(grant: Grant) -> (Ipv4Addr, u16) {
    (grant.address, grant.ports.first())
}
