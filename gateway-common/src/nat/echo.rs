//! Echo identifiers (RFC 5508): a host chooses its own, outside it gets one of
//! the phone's range, and the reply gets the host's back.
//!
//! A bounded map (oldest entry out first) remembers which stands for which. Two
//! pings that would share an identifier look for the next free one.

use crate::abi::EchoKey;
use crate::tables::{Phone, Tables};

/// How many identifiers are tried before the oldest pretender gives way.
const TRIES: u16 = 4;

/// The identifier that the request `id` leaves with.
#[inline(always)]
pub(super) fn leave(phone: &Phone, id: u16, tables: &impl Tables) -> u16 {
    // The range is a power of two and aligned, so masks stay inside it.
    let mask = phone.last_port - phone.first_port;
    let key = |outside: u16| EchoKey {
        public: phone.public,
        id: u32::from(outside),
    };
    let first_choice = phone.first_port | (id & mask);
    let mut outside = first_choice;
    let mut tried = 0;
    while tried < TRIES {
        outside = phone.first_port | (id.wrapping_add(tried) & mask);
        match tables.echo_id(key(outside)) {
            Some(chosen) if chosen == id => return outside,
            Some(_) => tried += 1,
            None => break,
        }
    }
    if tried == TRIES {
        outside = first_choice;
    }
    tables.remember_echo_id(key(outside), id);
    outside
}

/// The identifier that stands outside for `id`, for an error about a reply to it.
/// Nothing is remembered and nothing gives way (RFC 5508 REQ-6): `None` if there was
/// no such request.
#[inline(always)]
pub(super) fn left_as(phone: &Phone, id: u16, tables: &impl Tables) -> Option<u16> {
    let mask = phone.last_port - phone.first_port;
    let mut tried = 0;
    while tried < TRIES {
        let outside = phone.first_port | (id.wrapping_add(tried) & mask);
        let key = EchoKey {
            public: phone.public,
            id: u32::from(outside),
        };
        match tables.echo_id(key) {
            Some(chosen) if chosen == id => return Some(outside),
            // A reply that nobody asked for came in as it was.
            None if outside == id => return Some(id),
            _ => tried += 1,
        }
    }
    None
}

/// The identifier that the host chose for `outside`; its own if none was replaced.
#[inline(always)]
pub(super) fn come_back(phone: &Phone, outside: u16, tables: &impl Tables) -> u16 {
    let key = EchoKey {
        public: phone.public,
        id: u32::from(outside),
    };
    tables.echo_id(key).unwrap_or(outside)
}

/// Whether a request of the phone left with this identifier.
#[inline(always)]
pub(super) fn was_asked(phone: &Phone, outside: u16, tables: &impl Tables) -> bool {
    let key = EchoKey {
        public: phone.public,
        id: u32::from(outside),
    };
    tables.echo_id(key).is_some()
}
