//! What each answer of the FIB means, by direction and by stage.

use super::{Ran, framed};
use crate::nat::Stage::{self, Tc, Xdp};
use crate::tables::{Hop, Route};
use crate::testing::packet::{Sample, raw, tcp, udp, unreachable};
use crate::testing::run::End;
use crate::testing::site::{
    ALICE, BOB, CAROL, COMPUTERS, DEDICATED, OUTSIDE, PHONES, REMOTE, SHARED, TUNNEL, ifindex, site,
};
use crate::verdict::Reason;

fn outbound() -> (u16, Sample) {
    (PHONES, udp(ALICE.private, 40000, REMOTE, 5060))
}

fn inbound() -> (u16, Sample) {
    (OUTSIDE, udp(REMOTE, 5060, DEDICATED, 40000))
}

fn hairpin() -> (u16, Sample) {
    (PHONES, udp(BOB.private, 40064, DEDICATED, 40000))
}

fn via(slot: u16) -> Option<(Route, Hop)> {
    let hop = Hop {
        ifindex: ifindex(slot),
        resolved: true,
        ..Hop::default()
    };
    Some((Route::Via, hop))
}

fn unresolved(slot: u16) -> Option<(Route, Hop)> {
    via(slot).map(|(route, hop)| {
        let hop = Hop {
            resolved: false,
            ..hop
        };
        (route, hop)
    })
}

fn says(route: Route) -> Option<(Route, Hop)> {
    Some((route, Hop::default()))
}

type Row = (
    fn() -> (u16, Sample),
    Option<(Route, Hop)>,
    Stage,
    Result<End, Reason>,
);

#[track_caller]
fn check(rows: &[Row]) {
    for (make, answer, stage, expected) in rows {
        let (slot, sample) = make();
        ends(slot, &sample, *answer, *stage, *expected);
    }
}

#[track_caller]
fn ends(
    slot: u16,
    sample: &Sample,
    answer: Option<(Route, Hop)>,
    stage: Stage,
    expected: Result<End, Reason>,
) {
    let tables = site();
    tables.answer.set(answer);
    let ran = Ran::new(&tables, slot, stage, &sample.bytes());
    let end = ran.ended.map(|forwarded| forwarded.end);
    assert_eq!(end, expected, "{answer:?} at {stage:?} for {sample:?}");
    let untouched = ran.frame == framed(&sample.bytes());
    let written = matches!(end, Ok(End::Sent(_) | End::Stack));
    assert_eq!(written, !untouched, "written to if and only if it is sent");
}

#[test]
fn a_way_out() {
    use Reason::*;
    check(&[
        (outbound, via(OUTSIDE), Xdp, Ok(End::Sent(OUTSIDE))),
        (outbound, via(OUTSIDE), Tc, Ok(End::Sent(OUTSIDE))),
        // A tunnel, which takes no frames from XDP.
        (outbound, via(TUNNEL), Xdp, Err(StackEgress)),
        (outbound, via(TUNNEL), Tc, Ok(End::Sent(TUNNEL))),
        (outbound, unresolved(TUNNEL), Xdp, Err(StackEgress)),
        // No neighbour yet: tc has it resolved.
        (outbound, unresolved(OUTSIDE), Xdp, Err(NeighbourUnknown)),
        (outbound, unresolved(OUTSIDE), Tc, Ok(End::Sent(OUTSIDE))),
        // Out of an inside interface, or of one that is not configured.
        (outbound, via(COMPUTERS), Xdp, Err(InsideToInside)),
        (outbound, via(COMPUTERS), Tc, Err(InsideToInside)),
        (outbound, via(77), Xdp, Err(NotTranslated)),
        (outbound, via(77), Tc, Err(NotTranslated)),
    ]);
}

#[test]
fn a_way_in() {
    use Reason::*;
    for make in [inbound, hairpin] {
        check(&[
            (make, via(PHONES), Xdp, Ok(End::Sent(PHONES))),
            (make, via(PHONES), Tc, Ok(End::Sent(PHONES))),
            (make, unresolved(PHONES), Xdp, Err(NeighbourUnknown)),
            (make, unresolved(PHONES), Tc, Ok(End::Sent(PHONES))),
            // Only to where the phone is.
            (make, via(COMPUTERS), Xdp, Err(WrongEgress)),
            (make, via(COMPUTERS), Tc, Err(WrongEgress)),
            (make, via(OUTSIDE), Xdp, Err(WrongEgress)),
            (make, via(OUTSIDE), Tc, Err(WrongEgress)),
            (make, via(77), Xdp, Err(WrongEgress)),
            (make, via(77), Tc, Err(WrongEgress)),
        ]);
    }
}

#[test]
fn no_way() {
    use Reason::*;
    for stage in [Xdp, Tc] {
        check(&[
            (outbound, says(Route::None), stage, Err(NoRouteOutbound)),
            (inbound, says(Route::None), stage, Err(NoRoute)),
            (hairpin, says(Route::None), stage, Err(NoRoute)),
            (outbound, says(Route::Local), stage, Err(RouterLocal)),
            (inbound, says(Route::Local), stage, Err(WrongEgress)),
            (hairpin, says(Route::Local), stage, Err(WrongEgress)),
        ]);
        for make in [outbound, inbound, hairpin] {
            let answer = says(Route::ForwardingDisabled);
            check(&[(make, answer, stage, Err(ForwardingDisabled))]);
        }
    }
}

#[test]
fn too_big() {
    use Reason::*;
    let answer = says(Route::TooBig(1400));
    check(&[
        (outbound, answer, Xdp, Err(NeedsFragmentation)),
        (outbound, answer, Tc, Err(NeedsFragmentation)),
        (inbound, answer, Xdp, Err(NeedsFragmentation)),
        (inbound, answer, Tc, Ok(End::Stack)),
        (hairpin, answer, Xdp, Err(HairpinTooBig)),
        (hairpin, answer, Tc, Err(HairpinTooBig)),
    ]);
    for make in [outbound, inbound, hairpin] {
        for stage in [Xdp, Tc] {
            let (slot, sample) = make();
            ends(
                slot,
                &sample.clone().df(),
                answer,
                stage,
                Ok(End::TooBig(1400)),
            );
            // A used-up time to live comes first.
            for sample in [sample.clone().ttl(1), sample.df().ttl(0)] {
                ends(slot, &sample, answer, stage, Ok(End::TtlExpired));
            }
        }
    }
}

#[test]
fn the_kernel_gets_a_large_one_translated_with_its_time_to_live() {
    let tables = site();
    tables.answer.set(says(Route::TooBig(1400)));
    let (slot, sample) = inbound();
    let ran = Ran::new(&tables, slot, Tc, &sample.bytes());
    let left = sample.forwarded(REMOTE, ALICE.private).ttl(64);
    assert_eq!(ran.frame, framed(&left.bytes()));
}

#[test]
fn time_to_live() {
    for make in [outbound, inbound, hairpin] {
        for stage in [Xdp, Tc] {
            let (slot, sample) = make();
            for ttl in [0, 1] {
                ends(
                    slot,
                    &sample.clone().ttl(ttl),
                    None,
                    stage,
                    Ok(End::TtlExpired),
                );
            }
            let Ok(End::Sent(_)) = Ran::new(&site(), slot, stage, &sample.ttl(2).bytes())
                .ended
                .map(|forwarded| forwarded.end)
            else {
                panic!("two hops are enough");
            };
        }
    }
    // To the router itself it need not go on.
    let (slot, sample) = outbound();
    let local = says(Route::Local);
    ends(slot, &sample.ttl(1), local, Xdp, Err(Reason::RouterLocal));
}

#[test]
fn what_is_refused_may_still_be_for_the_router() {
    let local = says(Route::Local);
    let to = |from, port| tcp(from, port, REMOTE, 22);
    for stage in [Xdp, Tc] {
        for (slot, sample) in [
            // Strange port, unknown host, wrong interface, ESP, timestamp, strange error.
            (PHONES, to(ALICE.private, 50000)),
            (PHONES, to(ALICE.private + 9, 50000)),
            (COMPUTERS, to(ALICE.private, 40000)),
            (PHONES, raw(ALICE.private, REMOTE, 50, &[0; 8])),
            (PHONES, raw(ALICE.private, REMOTE, 1, &[13; 8])),
            (PHONES, unreachable(ALICE.private, REMOTE, to(REMOTE, 1), 8)),
        ] {
            ends(slot, &sample, local, stage, Err(Reason::RouterLocal));
        }
        // But these are refused whoever they are for.
        for (slot, sample, reason) in [
            (OUTSIDE, to(ALICE.private, 40000), Reason::SpoofedSource),
            (OUTSIDE, tcp(REMOTE, 1, DEDICATED, 1), Reason::NoBinding),
            (COMPUTERS, to(CAROL.private + 9, 1), Reason::UnboundHost),
            (OUTSIDE, tcp(REMOTE, 1, SHARED, 22), Reason::RouterPort),
        ] {
            ends(slot, &sample, local, stage, Err(reason));
        }
    }
}
