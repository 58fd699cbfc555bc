//! Programs that tests and benches put beside the gateway: traffic, its peers, its
//! end. Never shipped.
//!
//! | file | program | what it does |
//! |---|---|---|
//! | `generate.rs` | `lab_generate` | one flow after the other, redirected to a device (live frames) |
//! | `craft.rs` | `lab_craft`, `lab_end` | a random packet, then a tail call into the program measured |
//! | `turn.rs` | `lab_turn` | a tail call into the program whose turn it is |
//! | `forward.rs` | `lab_forward` | a bare FIB forwarder: the limit of a path |
//! | `count.rs` | `lab_count`, `lab_pass` | where packets end, and a device that only needs NAPI |
//! | `look_up.rs` | `lab_keys`, `lab_{hash,tree}_{out,in}` | hash or tree and arrays? |
//! | `abi.rs` | | what the bench tells them; the bench includes the same file |
//! | `headers.rs`, `maps.rs` | | all bytes of a packet's headers; the maps |
#![no_std]
#![no_main]

mod abi;
mod count;
mod craft;
mod forward;
mod generate;
mod headers;
mod look_up;
mod maps;
mod turn;

use aya_ebpf::{bindings::xdp_action, macros::xdp, programs::XdpContext};

#[xdp]
pub fn lab_generate(ctx: XdpContext) -> u32 {
    generate::run(&ctx).unwrap_or(xdp_action::XDP_ABORTED)
}

// Tail calls want the same kind of program at both ends: the gateway has `frags`.
#[xdp(frags)]
pub fn lab_craft(ctx: XdpContext) -> u32 {
    craft::run(&ctx).unwrap_or(xdp_action::XDP_ABORTED)
}

#[xdp(frags)]
pub fn lab_turn(ctx: XdpContext) -> u32 {
    turn::run(&ctx).unwrap_or(xdp_action::XDP_ABORTED)
}

#[xdp(frags)]
pub fn lab_end(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_DROP
}

#[xdp(frags)]
pub fn lab_forward(ctx: XdpContext) -> u32 {
    forward::run(&ctx).unwrap_or(xdp_action::XDP_PASS)
}

#[xdp]
pub fn lab_count(ctx: XdpContext) -> u32 {
    count::arrival(&ctx);
    xdp_action::XDP_DROP
}

#[xdp]
pub fn lab_pass(_ctx: XdpContext) -> u32 {
    xdp_action::XDP_PASS
}

#[xdp]
pub fn lab_keys(_ctx: XdpContext) -> u32 {
    look_up::keys()
}

#[xdp]
pub fn lab_hash_out(_ctx: XdpContext) -> u32 {
    look_up::verdict(look_up::hash_out())
}

#[xdp]
pub fn lab_tree_out(_ctx: XdpContext) -> u32 {
    look_up::verdict(look_up::tree_out())
}

#[xdp]
pub fn lab_hash_in(_ctx: XdpContext) -> u32 {
    look_up::verdict(look_up::hash_in())
}

#[xdp]
pub fn lab_tree_in(_ctx: XdpContext) -> u32 {
    look_up::verdict(look_up::tree_in())
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    // SAFETY: nothing here panics.
    unsafe { core::hint::unreachable_unchecked() }
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
