//! What the tests of the gateway stand on: laboratories of network namespaces, packets built and
//! checked from scratch, and real traffic.
//!
//! | module | what it is for |
//! |---|---|
//! | [`packet`] | build frames for packet tables, verify what came out with every checksum recomputed |
//! | [`netns`] | a network namespace that belongs to one test and goes away with it |
//! | [`process`] | a child process inside a namespace that cannot outlive the test |
//! | [`link`], [`tun`] | veth pairs and TUN devices with the settings that XDP needs |
//! | [`site`] | a customer site: phones, router, provider, the internet; the gateway runs in it |
//! | [`two_sites`] | two customer sites at one provider, and hosted telephony for both |
//! | [`traffic`] | UDP echo, TCP megabytes, constant-rate streams, ping, capture, injection |
//! | [`dhcp`] | real DHCP clients, a relay agent, a client that sends any bytes |
//! | [`demo`] | `cargo xtask demo`: all of it, as a story |
//! | [`wait`] | wait for a condition with a deadline, instead of sleeping |
//!
//! Nothing here uses `gateway-common`: a test must not check the code with itself.
//!
//! Everything but [`packet`] and [`wait`] needs root.

pub mod demo;
pub mod dhcp;
pub mod link;
pub mod netns;
pub mod packet;
pub mod phone;
pub mod process;
pub mod site;
pub mod traffic;
pub mod tun;
pub mod two_sites;
pub mod wait;
