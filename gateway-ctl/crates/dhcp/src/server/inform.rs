//! Clients that want no lease, or know none: INFORM and BOOTP.

use std::net::Ipv4Addr;

use super::Server;
use super::answer::Terms;
use super::hear::Heard;
use crate::counters::Answer;
use crate::ignored::Ignored;

impl Server {
    /// INFORM (RFC 2131 section 4.3.5): options for an address that the client has from elsewhere,
    /// in a network of ours.
    pub(super) fn inform(&mut self, heard: &Heard<'_>) -> Result<(), Ignored> {
        let request = &heard.request;
        // Some clients leave ciaddr empty.
        let ciaddr = Some(request.ciaddr()).filter(|address| !address.is_unspecified());
        let address = ciaddr.unwrap_or(*heard.received.source.ip());
        let subject = self.subject(heard)?;
        let scope = self.site.scope_of(address).ok_or(Ignored::NoScope)?;
        if self.site.link_of(scope) != subject.link {
            return Err(Ignored::NoScope);
        }
        let lease = self.book.lease(address);
        let theirs = lease.filter(|lease| lease.is_active() && lease.client == request.key);
        let terms = Terms {
            answer: Answer::Ack,
            yiaddr: Ipv4Addr::UNSPECIFIED,
            scope,
            grant: theirs.and_then(|lease| lease.grant),
            time: None,
        };
        let reply = self.reply(heard, &subject, &terms);
        self.outputs.push_back(reply);
        Ok(())
    }

    /// BOOTP (RFC 951, RFC 1534): one request, one reply, and a lease without end.
    pub(super) fn bootp(&mut self, heard: &Heard<'_>) -> Result<(), Ignored> {
        let subject = self.subject(heard)?;
        let lease = self.book.active_of(&heard.request.key);
        if lease.is_some_and(|lease| self.is_waiting(lease.address)) {
            return Err(Ignored::Committing);
        }
        // Answering once more costs nothing, so a probe that is over goes this way too.
        if let Some(address) = self.standing_offer(heard, &subject)? {
            return self.grant_promised(heard, &subject, address);
        }
        let reserved = self.reserved_address(&subject);
        let serves = |server: &Self, scope: usize| {
            let here = reserved.and_then(|address| server.site.scope_of(address));
            server.site.scope(scope).bootp || here == Some(scope)
        };
        let served = {
            let mut scopes = self.site.scopes(subject.link, subject.first);
            scopes.any(|scope| serves(self, scope))
        };
        if !served {
            return Err(Ignored::BootpOff);
        }
        let address = self.choose_address(heard, &subject, serves)?;
        let lease = self.book.lease(address);
        if lease.is_some_and(|lease| lease.is_active() && lease.client == heard.request.key) {
            return self.renew(heard, &subject, address);
        }
        match self.promise(heard, &subject, address)? {
            true => Ok(()),
            false => self.grant_promised(heard, &subject, address),
        }
    }

    pub(super) fn grant_promised(
        &mut self,
        heard: &Heard<'_>,
        subject: &super::hear::Subject,
        address: Ipv4Addr,
    ) -> Result<(), Ignored> {
        let offer = self.book.take_offer(&self.site, address);
        let held = offer.and_then(|offer| offer.held);
        self.grant(heard, subject, address, held)
    }
}
