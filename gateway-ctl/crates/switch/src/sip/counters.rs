//! What SIP counts, beside its transactions.

use std::collections::BTreeMap;

use ::sip::auth::Denied;

/// Counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// REGISTER requests that were accepted.
    pub registers: u64,
    denied: BTreeMap<Denied, u64>,
    malformed: BTreeMap<&'static str, u64>,
    refused: BTreeMap<u16, u64>,
}

impl Counters {
    pub(crate) fn malformed(&mut self, why: &'static str) {
        *self.malformed.entry(why).or_default() += 1;
    }

    pub(crate) fn denied(&mut self, why: Denied) {
        *self.denied.entry(why).or_default() += 1;
    }

    pub(crate) fn refused(&mut self, code: u16) {
        *self.refused.entry(code).or_default() += 1;
    }

    /// Requests without proper credentials: each reason and how many.
    pub fn all_denied(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let count = |why: &Denied| self.denied.get(why).copied().unwrap_or_default();
        Denied::ALL.iter().map(move |why| (why.label(), count(why)))
    }

    /// Messages that could not be read: each reason and how many.
    pub fn all_malformed(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.malformed.iter().map(|(why, count)| (*why, *count))
    }

    /// Final answers from 300 on: each code and how many.
    pub fn all_refused(&self) -> impl Iterator<Item = (u16, u64)> {
        self.refused.iter().map(|(code, count)| (*code, *count))
    }
}
