//! The gateway on real VLAN devices: one tag (802.1Q 10), two (802.1ad 100, 802.1Q 20), and an
//! uplink without a tag or with one (802.1Q 200).
//!
//! | module | what it shows |
//! |---|---|
//! | [`lab`] | the router, the trunk and the phones behind it; the gateway |
//! | [`calls`] | UDP, TCP, hairpin and first packets cross it; phones stay in their VLAN |
//! | [`attachment`] | crash, reload and detach: which devices have programs |
//!
//! A kernel without 802.1Q cannot run them; `cargo xtask vm test` does, and there each must.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod lab;

mod attachment;
mod calls;
