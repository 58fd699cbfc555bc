//! A bare forwarder: FIB, TTL, Ethernet addresses, redirect. What no gateway on this
//! path can be faster than.

use aya_ebpf::{
    EbpfContext as _,
    bindings::{BPF_FIB_LKUP_RET_SUCCESS, bpf_fib_lookup as Params},
    helpers::generated::bpf_fib_lookup,
    programs::XdpContext,
};

use crate::maps;

/// Ethernet and IPv4 headers as 16-bit words, in network byte order.
type Headers = [u16; 17];

const AF_INET: u8 = 2;
const ETHERTYPE: usize = 6;
const VERSION_AND_TOS: usize = 7;
const LENGTH: usize = 8;
const TTL_AND_PROTOCOL: usize = 11;
const CHECKSUM: usize = 12;
const SOURCE: usize = 13;
const DESTINATION: usize = 15;

/// `None`: the kernel's.
#[inline(always)]
pub fn run(ctx: &XdpContext) -> Option<u32> {
    let start = ctx.data();
    if start + size_of::<Headers>() > ctx.data_end() {
        return None;
    }
    // SAFETY: as many bytes are there, as just checked; frames start at even addresses.
    let headers = unsafe { &mut *(start as *mut Headers) };
    let [ttl, protocol] = headers[TTL_AND_PROTOCOL].to_ne_bytes();
    if headers[ETHERTYPE] != 0x0800u16.to_be() || ttl <= 1 {
        return None;
    }
    // SAFETY: all zeros is a value of this plain C struct.
    let mut params: Params = unsafe { core::mem::zeroed() };
    params.family = AF_INET;
    params.l4_protocol = protocol;
    params.ifindex = ctx.ingress_ifindex() as u32;
    params.__bindgen_anon_1.tot_len = u16::from_be(headers[LENGTH]);
    params.__bindgen_anon_2.tos = headers[VERSION_AND_TOS].to_ne_bytes()[1];
    params.__bindgen_anon_3.ipv4_src = word(headers, SOURCE);
    params.__bindgen_anon_4.ipv4_dst = word(headers, DESTINATION);
    // SAFETY: this program's context, and params of the size we say.
    let answer =
        unsafe { bpf_fib_lookup(ctx.as_ptr(), &raw mut params, size_of::<Params>() as i32, 0) };
    if answer != i64::from(BPF_FIB_LKUP_RET_SUCCESS) {
        return None;
    }
    // One less in the upper byte is 0x100 more in the checksum (RFC 1624).
    headers[TTL_AND_PROTOCOL] = u16::from_ne_bytes([ttl - 1, protocol]);
    let sum = u32::from(u16::from_be(headers[CHECKSUM])) + 0x100;
    headers[CHECKSUM] = ((sum + (sum >> 16)) as u16).to_be();
    // SAFETY: an answer of success has filled both addresses in, at even offsets.
    let (to, from) = unsafe {
        (
            params.dmac.as_ptr().cast::<[u16; 3]>().read(),
            params.smac.as_ptr().cast::<[u16; 3]>().read(),
        )
    };
    [headers[0], headers[1], headers[2]] = to;
    [headers[3], headers[4], headers[5]] = from;
    maps::LAB_PORTS.redirect(params.ifindex, 0).ok()
}

/// Four bytes as they stand, from two words of two.
#[inline(always)]
fn word(headers: &Headers, at: usize) -> u32 {
    u32::from(headers[at]) | u32::from(headers[at + 1]) << 16
}
