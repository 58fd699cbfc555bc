//! Figures for status and metrics.

use gateway_common::Prefix;
use ports::Ports;

use super::Server;
use crate::output::Time;

/// How full a scope is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeUsage {
    /// Its name.
    pub name: String,
    /// Its network.
    pub network: Prefix,
    /// Addresses that nobody had, or that are forgotten.
    pub free: u64,
    /// Addresses of active leases.
    pub active: usize,
    /// Addresses of ended leases, which are remembered.
    pub ended: usize,
    /// Addresses that were found in use and are left alone.
    pub declined: usize,
    /// Addresses that are offered.
    pub offered: usize,
    /// Clients that went without for want of an address, since the last start or reload.
    pub refused: u64,
    /// What the last one of them was for.
    pub error: Option<String>,
}

/// How full a pool is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUsage {
    /// Its name.
    pub name: String,
    /// Ports by state.
    pub ports: Ports,
    /// Ranges that are somebody's, promised ones included.
    pub ranges: usize,
    /// Times that it had no range, since the last start or reload.
    pub refused: u64,
    /// Why it had none; `None` when it had one since.
    pub error: Option<String>,
}

impl Server {
    /// How full the scopes are.
    #[must_use]
    pub fn scopes(&self) -> Vec<ScopeUsage> {
        let scopes = self.site.settings.scopes.iter().zip(&self.full).enumerate();
        let usage = scopes.map(|(at, (scope, (refused, error)))| {
            let tally = self.book.tally(at);
            ScopeUsage {
                name: scope.name.clone(),
                network: scope.network,
                free: self.book.free(at),
                active: tally.active,
                ended: tally.ended,
                declined: tally.declined,
                offered: tally.offered,
                refused: *refused,
                error: error.clone(),
            }
        });
        usage.collect()
    }

    /// How full the pools are.
    pub fn pools(&mut self, now: Time) -> Vec<PoolUsage> {
        let names = self
            .site
            .settings
            .pools
            .iter()
            .map(|pool| pool.name.clone());
        let names: Vec<String> = names.collect();
        let usage = names.into_iter().enumerate().map(|(at, name)| {
            let (ports, ranges, refused, error) = self.book.ranges.usage(at, now);
            PoolUsage {
                name,
                ports,
                ranges,
                refused,
                error,
            }
        });
        usage.collect()
    }

    /// How many reservations cannot be met by these settings: they wait for room.
    #[must_use]
    pub fn unmet_reservations(&self) -> usize {
        self.reservations
            .unmet(self.site.settings.reservations.len())
    }

    /// How many offers wait for a probe or a request.
    #[must_use]
    pub fn offers(&self) -> usize {
        self.book.offers().len()
    }
}
