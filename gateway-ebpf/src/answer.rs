//! Which ICMP error answers a packet that cannot go on, and whether one may be sent.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use gateway_common::Reason;
use gateway_common::abi::{Hook, ICMP_ERRORS_LIMITED, ICMP_ERRORS_SENT, Interface};
use gateway_common::icmp_answer::{self, Answer};
use gateway_common::nat::Step;
use gateway_common::parse::Packet;

use crate::{count, look_up::settings, maps};

const SECOND_NS: u64 = 1_000_000_000;

/// Why the packet ends, and the answer to be sent, if any.
#[inline(always)]
pub fn to(
    step: &Step<'_>,
    packet: &Packet,
    arrival: &Interface,
    hook: Hook,
) -> (Reason, Option<Answer>) {
    let (reason, answer) = match *step {
        Step::TooBig(mtu) => (Reason::TooBig, Answer::too_big(arrival.address, mtu)),
        _ => (Reason::TtlExpired, Answer::ttl_expired(arrival.address)),
    };
    if arrival.address == 0 || !icmp_answer::is_answerable(packet) {
        return (reason, None);
    }
    let sent = within_rate();
    if let Some(counters) = count::at(hook, arrival.slot) {
        count::add(
            counters,
            if sent {
                ICMP_ERRORS_SENT
            } else {
                ICMP_ERRORS_LIMITED
            },
        );
    }
    (reason, sent.then_some(answer))
}

/// A limit of errors a second and CPU (RFC 1812 section 4.3.2.8).
#[inline(always)]
fn within_rate() -> bool {
    let Some(budget) = maps::ANSWERS.get_ptr_mut(0) else {
        return false;
    };
    // SAFETY: this CPU's own entry.
    unsafe {
        let now = bpf_ktime_get_ns();
        if now.wrapping_sub((*budget).answers_since_ns) >= SECOND_NS {
            (*budget).answers_since_ns = now;
            (*budget).answers = 0;
        }
        (*budget).answers += 1;
        (*budget).answers <= u64::from(settings().icmp_error_rate)
    }
}
