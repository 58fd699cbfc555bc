//! What came in, what went out, what was done.

use crate::ignored::Ignored;
use crate::labels::labelled;

labelled! {
    /// Messages of clients.
    Kind {
        /// DHCPDISCOVER.
        Discover, "discover", "a client looks for a server";
        /// DHCPREQUEST.
        Request, "request", "a client wants an offer, or to keep its lease";
        /// DHCPDECLINE.
        Decline, "decline", "a client found its address in use";
        /// DHCPRELEASE.
        Release, "release", "a client gives its lease back";
        /// DHCPINFORM.
        Inform, "inform", "a client with an address wants options only";
        /// BOOTP.
        Bootp, "bootp", "a BOOTP client (RFC 951)";
    }
}

labelled! {
    /// Messages to clients.
    Answer {
        /// DHCPOFFER.
        Offer, "offer", "an address is offered";
        /// DHCPACK.
        Ack, "ack", "a lease is granted or renewed, or options are told";
        /// DHCPNAK.
        Nak, "nak", "a client must not use its address any more";
        /// BOOTREPLY.
        Bootp, "bootp", "a BOOTP client is answered";
    }
}

labelled! {
    /// What was done.
    Event {
        /// An offer waits for a probe.
        Probed, "probed", "an address was probed before it was offered";
        /// A probe was answered.
        InUse, "in_use", "an address was found in use before it was offered: who has it?";
        /// DECLINE.
        Declined, "declined", "a client found its address in use: who has it?";
        /// RELEASE.
        Released, "released", "a client gave its lease back";
        /// An operator ended a lease.
        Revoked, "revoked", "the operator ended a lease";
        /// A lease ended by itself.
        Expired, "expired", "a lease was not renewed in time";
        /// A client came up elsewhere.
        Moved, "moved", "a client got a lease of another network";
        /// A lease began.
        Granted, "granted", "a client got a lease";
        /// A lease goes on, and was written.
        Renewed, "renewed", "a lease was renewed";
        /// A lease goes on, and nothing had to be written.
        RenewedEarly, "renewed_early", "a lease was renewed so early that nothing was written";
        /// Another range on the same address.
        RangeChanged, "range_changed", "a lease got another range";
        /// An offer was not taken.
        OfferForgotten, "offer_forgotten", "an offer was not taken in time";
        /// An offer had to make room.
        OfferEvicted, "offer_evicted", "an offer was given up, because there were too many";
        /// Another server's offer was taken.
        OfferWithdrawn, "offer_withdrawn", "the client took another server's offer";
        /// Options did not fit.
        OptionsDropped, "options_dropped",
            "a reply without some options: they do not fit what the client can take";
    }
}

/// Counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    received: [u64; Kind::ALL.len()],
    answered: [u64; Answer::ALL.len()],
    ignored: [u64; Ignored::ALL.len()],
    events: [u64; Event::ALL.len()],
}

impl Counters {
    /// Messages that came in and could be read.
    #[must_use]
    pub fn received(&self, kind: Kind) -> u64 {
        self.received[kind.index()]
    }

    /// Messages that went out.
    #[must_use]
    pub fn answered(&self, answer: Answer) -> u64 {
        self.answered[answer.index()]
    }

    /// Messages that were not answered.
    #[must_use]
    pub fn ignored(&self, reason: Ignored) -> u64 {
        self.ignored[reason.index()]
    }

    /// What was done.
    #[must_use]
    pub fn events(&self, event: Event) -> u64 {
        self.events[event.index()]
    }

    pub(crate) fn count_received(&mut self, kind: Kind) {
        self.received[kind.index()] += 1;
    }

    pub(crate) fn count_answered(&mut self, answer: Answer) {
        self.answered[answer.index()] += 1;
    }

    pub(crate) fn count_ignored(&mut self, reason: Ignored) {
        self.ignored[reason.index()] += 1;
    }

    pub(crate) fn count(&mut self, event: Event) {
        self.events[event.index()] += 1;
    }
}
