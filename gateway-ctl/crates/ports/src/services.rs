//! Ports that no phone's range contains, whatever is configured.

use std::ops::RangeInclusive;

/// Ports of telephony's own services (IANA service names). Routers, firewalls and providers
/// treat them specially: what looks like signalling is inspected, rewritten or blocked, and
/// a phone whose media arrives there would be the one that sometimes does not work.
pub const SERVICES: &[RangeInclusive<u16>] = &[
    // H.323 gatekeeper and call signalling (H.225).
    1719..=1720,
    // MGCP, gateway and call agent (RFC 3435).
    2427..=2427,
    2727..=2727,
    // H.248, text and binary (RFC 3525).
    2944..=2945,
    // STUN and TURN, and over TLS (RFC 8489).
    3478..=3478,
    5349..=5349,
    // IAX2 (RFC 5456).
    4569..=4569,
    // SIP, and over TLS (RFC 3261).
    5060..=5061,
];
