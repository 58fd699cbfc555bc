//! The kernel's forwarding table, by `bpf_fib_lookup`.

use core::ffi::c_void;

use aya_ebpf::bindings::{
    BPF_FIB_LKUP_RET_FRAG_NEEDED, BPF_FIB_LKUP_RET_FWD_DISABLED, BPF_FIB_LKUP_RET_NO_NEIGH,
    BPF_FIB_LKUP_RET_NOT_FWDED, BPF_FIB_LKUP_RET_SUCCESS, bpf_fib_lookup as Params,
};
use aya_ebpf::helpers::generated::bpf_fib_lookup;
use gateway_common::tables::{Hop, Route, RouteQuery};

const AF_INET: u8 = 2;

/// Asks for the way of a packet with these addresses and this length.
#[inline(always)]
pub fn look_up(ctx: *mut c_void, query: &RouteQuery, hop: &mut Hop) -> Route {
    // SAFETY: all zeros is a value of this plain C struct.
    let mut params: Params = unsafe { core::mem::zeroed() };
    params.family = AF_INET;
    params.l4_protocol = query.protocol;
    params.ifindex = query.ifindex;
    params.__bindgen_anon_1.tot_len = query.length;
    params.__bindgen_anon_2.tos = query.tos;
    params.__bindgen_anon_3.ipv4_src = query.source.to_be();
    params.__bindgen_anon_4.ipv4_dst = query.destination.to_be();
    // SAFETY: the context of this program, and params of the size we say.
    let answer =
        unsafe { bpf_fib_lookup(ctx, &raw mut params, size_of::<Params>() as i32, 0) } as u32;
    // SAFETY: the kernel has filled in the members that belong to each answer.
    unsafe {
        match answer {
            BPF_FIB_LKUP_RET_SUCCESS | BPF_FIB_LKUP_RET_NO_NEIGH => {
                hop.ifindex = params.ifindex;
                hop.next_hop = u32::from_be(params.__bindgen_anon_4.ipv4_dst);
                hop.resolved = answer == BPF_FIB_LKUP_RET_SUCCESS;
                let [d0, d1, d2] = halves(&params.dmac);
                let [s0, s1, s2] = halves(&params.smac);
                hop.ethernet = [d0, d1, d2, s0, s1, s2];
                Route::Via
            }
            BPF_FIB_LKUP_RET_NOT_FWDED => Route::Local,
            BPF_FIB_LKUP_RET_FRAG_NEEDED => Route::TooBig(params.__bindgen_anon_1.mtu_result),
            BPF_FIB_LKUP_RET_FWD_DISABLED => Route::ForwardingDisabled,
            _ => Route::None,
        }
    }
}

#[inline(always)]
fn halves(mac: &[u8; 6]) -> [u16; 3] {
    // SAFETY: six bytes; in the kernel's struct they are aligned to two.
    let halves = unsafe { mac.as_ptr().cast::<[u16; 3]>().read() };
    halves.map(u16::from_be)
}
