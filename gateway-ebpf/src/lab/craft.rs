//! A random packet for the program under test: each run sees another phone.

use aya_ebpf::helpers::generated::bpf_get_prandom_u32;
use aya_ebpf::programs::XdpContext;

use crate::abi::{self, Traffic};
use crate::generate::first_port;
use crate::headers::{self, Ends};
use crate::maps;

const SIP: u16 = 5060;

/// Never comes back, unless there is no program to call.
#[inline(always)]
pub(crate) fn run(ctx: &XdpContext) -> Option<u32> {
    let traffic = maps::LAB_TRAFFIC.get(0)?;
    let random = random()?;
    let phone = phone(traffic, random);
    let port = random as u32 & (traffic.ports_per_phone - 1);
    let host = traffic.first_remote + (random as u32 >> 12 & 0xff);
    let private = traffic.first_private + phone;
    let public = traffic.first_public + phone / traffic.phones_per_address;
    let own_port = (first_port(traffic, phone) + port) as u16;
    let system_port = random as u16 & 0x3ff;
    let (from, to) = match traffic.kind {
        abi::OUTBOUND => ((private, own_port), (host, SIP)),
        abi::INBOUND => ((host, SIP), (public, own_port)),
        abi::NO_BINDING => ((host, SIP), (public, system_port)),
        abi::FOREIGN_PORT => ((private, system_port), (host, SIP)),
        abi::HAIRPIN => {
            // Another phone, as random as the first.
            let other = self::phone(traffic, random.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let sender = (first_port(traffic, other) + port) as u16;
            ((traffic.first_private + other, sender), (public, own_port))
        }
        _ => return None,
    };
    let ends = Ends {
        source: from.0,
        source_port: from.1,
        destination: to.0,
        destination_port: to.1,
    };
    headers::write(ctx, traffic, &ends)?;
    // SAFETY: only plain values live in this frame.
    unsafe { maps::LAB_TARGETS.tail_call(ctx, traffic.target) };
    None
}

/// One of the phones, each as likely, from the upper half of a random number.
#[inline(always)]
pub(crate) fn phone(traffic: &Traffic, random: u64) -> u32 {
    (((random >> 32) * u64::from(traffic.phones)) >> 32) as u32
}

/// Xorshift (Marsaglia 2003): two dozen instructions less than the kernel's helper.
#[inline(always)]
pub(crate) fn random() -> Option<u64> {
    let state = maps::LAB_STATE.get_ptr_mut(0)?;
    // SAFETY: this CPU's own entry, and a helper without pointers.
    unsafe {
        let mut random = (*state).random;
        if random == 0 {
            random = u64::from(bpf_get_prandom_u32()) | 1 << 32;
        }
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (*state).random = random;
        Some(random)
    }
}
