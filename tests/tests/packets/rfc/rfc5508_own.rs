//! RFC 5508: ICMP errors of the gateway's own, when there are none, and ICMP that
//! it refuses.

use std::net::Ipv4Addr;
use std::time::Instant;

use dataplane::RunAt;
use gateway_common::Reason::{SourcePortOutOfRange, TtlExpired, UnsupportedIcmp};
use gateway_common::abi::Hook;
use gateway_tests::packet::{icmp_error, udp, unreachable};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use super::ways::{expires, left};
use crate::bed::*;
use crate::row::{Port, Row, case, row};

pub(super) fn rows() -> Vec<Row> {
    [own(), refused()].concat()
}

/// REQ-8, REQ-10: what is answered, and what is not.
fn own() -> Vec<Row> {
    let call = udp(A, PORT_A, R, 5060).ttl(1).payload_of(20);
    let sent = udp(PUBLIC, PORT_A, R, 5060);
    vec![
        case(
            "rfc5508-req8-refused-flow-is-silent",
            [left(
                Port::In0,
                udp(A, FREE_PORT, R, 5060),
                SourcePortOutOfRange,
            )],
        ),
        case(
            "rfc5508-req10a-time-exceeded-sent",
            [expires(Port::In0, call.clone())],
        ),
        // The answer's TOS is 0xc0; what it quotes has the packet's.
        case(
            "rfc5508-req10d-own-error-has-cs6",
            [expires(Port::In0, call.tos(0xb8))],
        ),
        case(
            "rfc5508-req10e-no-error-about-an-error",
            [left(
                Port::Out0,
                unreachable(R, PUBLIC, 3).quoting(&sent).ttl(1),
                TtlExpired,
            )],
        ),
    ]
}

/// REQ-10, REQ-11: types that are dropped.
fn refused() -> Vec<Row> {
    let from_phone = |kind| {
        let packet = icmp_error(A, R, kind, 0);
        left(Port::In0, packet, UnsupportedIcmp)
    };
    let from_world = |kind, code| {
        let about = udp(PUBLIC, PORT_A, R, 5060);
        let packet = icmp_error(R, PUBLIC, kind, code).quoting(&about);
        left(Port::Out0, packet, UnsupportedIcmp)
    };
    let timestamp = |from: Ipv4Addr, to| icmp_error(from, to, 13, 0);
    vec![
        case(
            "rfc5508-req10b-timestamp-dropped",
            [
                left(Port::In0, timestamp(A, R), UnsupportedIcmp),
                left(Port::Out0, timestamp(R, PUBLIC), UnsupportedIcmp),
            ],
        ),
        case("rfc5508-req10b-redirect-dropped", [from_world(5, 1)]),
        case("rfc5508-req10c-source-quench-dropped", [from_world(4, 0)]),
        case(
            "rfc5508-req10c-information-request-dropped",
            [from_phone(15)],
        ),
        case("rfc5508-req11-other-icmp-dropped", [from_phone(40)]),
    ]
}

/// REQ-10f. A second may pass between two packets of a busy machine: what is asked
/// is that no more answers go out than seconds have begun.
#[test]
#[expect(clippy::disallowed_methods, reason = "the limit is one of real time")]
pub(super) fn errors_are_rate_limited() {
    const MORE: u64 = 20;
    Bed::with_icmp_error_rate(1, |bed| {
        // Each CPU has an allowance of its own.
        let mut one = CpuSet::new();
        one.set(first_cpu()).unwrap();
        sched_setaffinity(Pid::from_raw(0), &one).unwrap();
        let start = Instant::now();
        let answered = expires(Port::In0, udp(A, PORT_A, R, 33434).ttl(1).payload_of(24));
        answered.run_at(bed, Hook::Xdp);
        let at = RunAt {
            hook: Hook::Xdp,
            ifindex: bed.ifindex("in0"),
            ingress_ifindex: 0,
            repeat: 1,
        };
        for _ in 0..MORE {
            bed.dataplane.run_packet(at, &answered.frame).unwrap();
        }
        let seconds = start.elapsed().as_secs();
        let counters = bed.dataplane.counters().unwrap();
        let inside = counters.iter().find(|one| one.interface == "in0").unwrap();
        let (sent, limited) = (
            inside.hooks[0].icmp_errors_sent,
            inside.hooks[0].icmp_errors_limited,
        );
        assert_eq!(sent + limited, 1 + MORE, "each is answered or counted");
        assert!(
            sent <= 1 + seconds,
            "{sent} answers within {seconds} seconds"
        );
        let expired = inside.hooks[0].reasons.clone();
        assert_eq!(expired, [(TtlExpired, 1 + MORE)]);
    });
    // None at all: dropped as it came.
    Bed::with_icmp_error_rate(0, |bed| {
        let packet = udp(A, PORT_A, R, 33434).ttl(1).payload_of(24);
        row("no answers wanted", Port::In0, packet)
            .limited(TtlExpired)
            .run(bed);
    });
}

/// A CPU that this thread may run on.
fn first_cpu() -> usize {
    let allowed = nix::sched::sched_getaffinity(Pid::from_raw(0)).unwrap();
    let is_allowed = |cpu: &usize| allowed.is_set(*cpu).unwrap();
    (0..CpuSet::count()).find(is_allowed).unwrap()
}
