//! The gateway as its operator runs it, on a router with real sockets around it.
//!
//! | module | what it shows |
//! |---|---|
//! | [`calls`] | UDP and TCP cross it, native and generic; the port stays |
//! | [`hairpin`] | phones reach each other by their public addresses |
//! | [`restart`] | kill -9, SIGTERM and a new program lose nothing |
//! | [`neighbour`] | the first packet to a host that nobody knows yet arrives |
//! | [`shared_address`] | the router and the phones have one public address |
//! | [`fragments`] | datagrams larger than the MTU, in any order |
//! | [`diagnosis`], [`path_mtu`] | ping, traceroute, path MTU discovery |
//! | [`reload`], [`rebuild`] | changed files, refused files, changed limits, another ABI |
//! | [`leases`], [`lease_life`], [`lease_refusals`] | phones with real DHCP clients; what becomes of leases; who gets none |
//! | [`backup`], [`backup_history`] | everything in a file, and back; whose a port was stays true |
//! | [`provisioning`], [`tftp_clients`] | phones fetch files and leave logs; other people's TFTP clients |
//! | [`api`], [`observe`] | bindings by the API; counters, traces, metrics |
//! | [`telephony`] | simulated phones register, call and talk |
//! | [`sip_calls`] | the same by SIP, and between SIP and H.248 |
//! | [`sites`] | two sites at one provider, and hosted telephony for both |
//! | [`alerts`] | what alert rules name is there |
//! | [`spoofing`] | what may not pass does not |
//! | [`tunnel`], [`links`] | an uplink without Ethernet; interfaces that come and go; detach |
//!
//! Every test ends with [`bed::Bed::finish`]: each packet has exactly one counted verdict, and
//! none has left with a private source.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod alerts;
mod backup;
mod backup_history;
mod bed;
mod call;
mod config;

mod api;
mod calls;
mod diagnosis;
mod fragments;
mod hairpin;
mod lease_life;
mod lease_refusals;
mod leases;
mod links;
mod neighbour;
mod observe;
mod path_mtu;
mod provisioning;
mod rebuild;
mod reload;
mod restart;
mod shared_address;
mod sip_calls;
mod sip_files;
mod sites;
mod spoofing;
mod telephony;
mod tftp_clients;
mod tunnel;
