//! Which part of a list is asked for.

use std::net::Ipv4Addr;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::Deserialize;

use super::server::Failure;

/// Entries on a page when nothing else is asked for.
const PAGE: usize = 1000;

/// What comes after an address, and how much of it.
#[derive(Debug, Deserialize)]
pub(super) struct PageQuery {
    pub(super) after: Option<Ipv4Addr>,
    limit: Option<usize>,
}

impl PageQuery {
    pub(super) fn of(query: Result<Query<Self>, QueryRejection>) -> Result<Self, Failure> {
        let query = query.map_err(|error| {
            Failure::bad_request(error.body_text(), "give after=ADDRESS and limit=NUMBER")
        });
        query.map(|Query(query)| query)
    }

    /// Entries at most.
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(PAGE).clamp(1, 100 * PAGE)
    }
}
