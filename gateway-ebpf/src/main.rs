//! The dataplane in the kernel. The packet's way:
//!
//! ```text
//! NIC -> gateway_xdp            frame -> arrival -> packet -> decide -> route -> rewrite -> redirect
//!          | pass                        (xdp.rs; what it means: gateway-common/src/{parse,nat})
//!          v
//!        gateway_tc_ingress     the same steps over an skb (tc.rs): resolves neighbours, takes
//!          | pass               tunnels and devices without Ethernet header
//!          v
//!        kernel                 ARP, own services, fragmentation
//!          |
//!          v
//!        gateway_tc_egress      at the uplink (egress.rs): no private source leaves untranslated
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `maps.rs` | the maps, laid out in gateway-common/src/abi.rs |
//! | `xdp.rs`, `tc.rs`, `egress.rs` | one entry point each, and its packet view |
//! | `look_up.rs`, `fib.rs` | the engine's `Tables` over maps and the kernel's FIB |
//! | `count.rs`, `trace.rs` | every packet ends in one counter; sampled drops go to the tracer |
//! | `answer.rs` | ICMP errors of the gateway's own, rate limited |
//! | `early_fragment.rs` | fragments that come before the one with the ports |
//! | `diagnose.rs` | rare lines for the controller's log |
//! | `bounded.rs` | bounds that the verifier sees |
#![no_std]
#![no_main]
// For the one atomic add in look_up.rs.
#![feature(asm_experimental_arch)]

mod answer;
mod bounded;
mod count;
mod diagnose;
mod early_fragment;
mod egress;
mod fib;
mod look_up;
mod maps;
mod tc;
mod trace;
mod xdp;

use aya_ebpf::{
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};

#[xdp(frags)]
pub fn gateway_xdp(ctx: XdpContext) -> u32 {
    xdp::run(&ctx)
}

#[classifier]
pub fn gateway_tc_ingress(ctx: TcContext) -> i32 {
    tc::run(&ctx)
}

#[classifier]
pub fn gateway_tc_egress(ctx: TcContext) -> i32 {
    egress::run(&ctx)
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    // No path of this program panics; the verifier would not let a loop pass.
    unsafe { core::hint::unreachable_unchecked() }
}

/// The kernel side is offered under the GPL too: GPL-only helpers need it.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
