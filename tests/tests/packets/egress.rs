//! tc at egress of an outside interface: no private source leaves.

use gateway_common::Reason::{Egress, EgressTranslated, PrivateSourceLeak};
use gateway_tests::packet::{echo_request, icmp_error, tcp, udp};

use crate::bed::*;
use crate::row::{Port, Row, leaving};

pub(crate) fn rows() -> Vec<Row> {
    let phone = udp(A, PORT_A, R_SMALL, 5060).ttl(63).payload_of(900);
    let parts = udp(A, PORT_A, R, 9)
        .ttl(63)
        .payload_of(2400)
        .fragments(1280);
    let left = udp(PUBLIC, PORT_A, R, 9)
        .ttl(63)
        .payload_of(2400)
        .fragments(1280);
    let own = tcp(SHARED, 22, R, 5000);
    let after_nat = udp(SHARED, 60000, R, 53);
    vec![
        leaving("egress/router", None, own).untouched(Egress),
        leaving("egress/computer-after-nat", Some(Port::In1), after_nat).untouched(Egress),
        leaving("egress/phone", Some(Port::In0), phone.clone())
            .given(EgressTranslated, phone.source(PUBLIC)),
        leaving("egress/fragment", Some(Port::In0), parts[0].clone())
            .given(EgressTranslated, left[0].clone()),
        leaving("egress/later-fragment", Some(Port::In0), parts[1].clone())
            .given(EgressTranslated, left[1].clone()),
        leaving("egress/ping", Some(Port::In0), echo_request(A, R, PORT_A))
            .given(EgressTranslated, echo_request(PUBLIC, R, PORT_A)),
        leaving(
            "egress/port-out-of-range",
            Some(Port::In0),
            udp(A, 99, R, 9),
        )
        .untouched(PrivateSourceLeak),
        leaving(
            "egress/wrong-interface",
            Some(Port::In1),
            udp(A, PORT_A, R, 9),
        )
        .untouched(PrivateSourceLeak),
        leaving("egress/unbound", Some(Port::In0), udp(UNBOUND, 99, R, 9))
            .untouched(PrivateSourceLeak),
        leaving(
            "egress/computer-before-nat",
            Some(Port::In1),
            udp(COMPUTER, 99, R, 9),
        )
        .untouched(PrivateSourceLeak),
        leaving(
            "egress/router-inside-address",
            None,
            icmp_error(ROUTER_IN0, R, 11, 0),
        )
        .untouched(PrivateSourceLeak),
        leaving("egress/phone-address-made-here", None, udp(A, PORT_A, R, 9))
            .untouched(PrivateSourceLeak),
    ]
}

#[test]
fn no_private_source_leaves() {
    crate::row::run(rows());
}
