//! DHCP in the labs: real clients and a real relay agent, and a client that sends what no real one
//! would.
//!
//! | module | what it is for |
//! |---|---|
//! | [`client`] | udhcpc, dhclient and dhcpcd on an interface of a lab: what they got, renewal, release |
//! | [`branch`] | a network behind a relay agent (dhcrelay) |
//! | [`message`] | DHCP messages from and to bytes, with nothing of the code under test |
//! | [`raw`] | a client that sends any bytes and shows every answer |
//! | [`dnsmasq`] | another's server, to try all of this with |
//! | [`unconfined`] | programs that AppArmor would keep out of a lab |
//!
//! Nothing that runs here touches the machine: the clients call a hook of our own
//! (`tests/fixtures/dhcp-hook.sh`) that knows only the interface it was called for.

pub mod branch;
pub mod client;
pub mod dnsmasq;
pub mod message;
pub mod raw;
pub mod unconfined;
