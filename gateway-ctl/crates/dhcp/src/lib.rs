//! DHCPv4 (RFC 2131, 2132): leases of addresses and of ranges of public ports.
#![forbid(unsafe_code)]
