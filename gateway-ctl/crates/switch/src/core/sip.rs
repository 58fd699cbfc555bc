//! What comes in by SIP.

use super::{Switch, Time};
use crate::registration::Leases;
use crate::sip::{Account, KeptSipCall};

impl Switch {
    /// The secret that nonces, tags and branches are made of: another one with each start, which
    /// nobody can guess.
    pub fn set_secret(&mut self, secret: [u8; 32]) {
        let _ = secret;
    }

    /// A message of SIP: a datagram, or one of a stream.
    pub fn sip_message(
        &mut self,
        now: Time,
        leases: &dyn Leases,
        from: ::sip::Peer,
        message: Vec<u8>,
    ) {
        self.now = now;
        let _ = (leases, from, message);
    }

    /// A request could not be sent.
    pub fn sip_unreachable(&mut self, now: Time, client: ::sip::transaction::ClientId) {
        self.now = now;
        let _ = client;
    }

    /// After a start, behind [`Switch::restore`]: goes on with what the store says.
    pub fn restore_sip(
        &mut self,
        now: Time,
        accounts: impl IntoIterator<Item = Account>,
        calls: impl IntoIterator<Item = KeptSipCall>,
    ) {
        self.now = now;
        let _ = (accounts.into_iter(), calls.into_iter());
    }

    /// Who has registered by SIP, and where.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        std::iter::empty()
    }

    /// What SIP's transactions have counted; `None`: it is not spoken.
    #[must_use]
    pub fn sip_counters(&self) -> Option<::sip::transaction::Counters> {
        None
    }
}
