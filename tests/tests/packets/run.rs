//! How a row is run: bytes, the program's return value, counters, bindings'
//! counters and early fragments are compared with what the row says.

use dataplane::{HeldFragment, InterfaceCounters, RunAt};
use gateway_common::abi::Hook;
use gateway_common::{Outcome, Reason};
use gateway_tests::link::mac_of;
use gateway_tests::packet::{Packet, assert_bytes, assert_ip, check};

use crate::bed::{Bed, GATEWAY, R_TAGGED};
use crate::row::{Port, Row, Then, ip_part, raise_checksum};
use crate::shared;

/// Runs a table on the router that all tables share.
pub(crate) fn run(rows: Vec<Row>) {
    shared::with(|bed| {
        for row in &rows {
            row.run(bed);
        }
    });
}

impl Row {
    /// Runs the row through every program that sees such a packet.
    pub(crate) fn run(&self, bed: &Bed) {
        for hook in Hook::ALL {
            self.run_at(bed, hook);
            for (index, row) in self.next.iter().enumerate() {
                let name = format!("{}, packet {}", self.name, index + 2);
                row.run_named(bed, hook, &name);
            }
        }
    }

    /// Runs the row at one hook; the copy that the controller gets of an early fragment.
    pub(crate) fn run_at(&self, bed: &Bed, hook: Hook) -> Option<HeldFragment> {
        self.run_named(bed, hook, self.name)
    }

    fn run_named(&self, bed: &Bed, hook: Hook, name: &str) -> Option<HeldFragment> {
        let then = self.then(hook)?;
        let context = format!("{name} ({})", hook.label());
        let (interface, port) = self.at.names();
        // tc sees what the VLAN device sees: the kernel has taken the tags off.
        let own_tags = self.frame.len() > 14 && self.at.has_tags(&self.frame);
        let (device, frame) = match hook {
            Hook::Xdp => (port, self.frame.clone()),
            _ if own_tags => (interface, self.at.without_tags(&self.frame)),
            _ => (port, self.frame.clone()),
        };
        let before = Counted::now(bed);
        let ran = bed
            .dataplane
            .run_packet(
                RunAt {
                    hook,
                    ifindex: bed.ifindex(device),
                    ingress_ifindex: self.from.map_or(0, |port| bed.ifindex(port.names().0)),
                    repeat: 1,
                },
                &frame,
            )
            .unwrap();
        let after = Counted::now(bed);
        println!("{context}: {}", then.reason().label());
        check_counters(&before, &after, interface, hook, then, &context);
        check_bindings(&before, &after, then, &frame, &context);
        assert_eq!(
            ran.action,
            action(hook, then),
            "{context}: the program's return value"
        );
        self.check_frame(hook, then, &frame, &ran.frame);
        check_held(bed, hook, then, &frame, &context)
    }

    fn check_frame(&self, hook: Hook, then: &Then, came: &[u8], frame: &[u8]) {
        match then {
            Then::Untouched(_) | Then::Limited(_) => assert_bytes(frame, came),
            Then::Given(_, packet) => assert_ip(ip_part(frame), packet),
            Then::Answered(_, packet) if self.at == Port::Tun => assert_ip(frame, packet),
            Then::Answered(_, packet) => {
                let sent = check(came).unwrap();
                let mut packet = packet
                    .clone()
                    .macs(sent.ethernet.destination, sent.ethernet.source);
                packet.ethernet.tags = sent.ethernet.tags;
                assert_bytes(frame, &packet.bytes());
            }
            // In tc the kernel finds addresses and tags on the way out.
            Then::Sent(_, _, packet) if hook == Hook::TcIngress => {
                let ip = match frame.first() {
                    Some(0x45..=0x4f) => frame,
                    _ => ip_part(frame),
                };
                let expected = self.with_wrong_checksum(packet.ip_bytes(), 0);
                assert_bytes(&ip[..expected.len().min(ip.len())], &expected);
            }
            Then::Sent(_, port, packet) => {
                let next = match port {
                    Port::Out0 => GATEWAY,
                    Port::Wan => R_TAGGED,
                    _ => packet.ip.destination,
                };
                let packet = port
                    .tagged(packet.clone())
                    .macs(mac_of(port.router()), mac_of(next));
                let start = packet.bytes().len() - packet.ip_bytes().len();
                let expected = self.with_wrong_checksum(packet.bytes(), start);
                // Padding of the frame that came in stays behind the packet.
                assert_bytes(&frame[..expected.len().min(frame.len())], &expected);
            }
        }
    }

    fn with_wrong_checksum(&self, mut bytes: Vec<u8>, ip: usize) -> Vec<u8> {
        if let Some(offset) = self.wrong_at {
            raise_checksum(&mut bytes[ip..], offset);
        }
        bytes
    }
}

/// What can be counted of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Count {
    Received,
    Ended(Reason),
    IcmpErrorSent,
    IcmpErrorLimited,
}

/// Everything that is counted, at one moment.
struct Counted {
    interfaces: Vec<((String, Hook, Count), u64)>,
    /// Packets and bytes out, packets and bytes in, of all phones.
    bindings: [u64; 4],
}

impl Counted {
    fn now(bed: &Bed) -> Self {
        let mut bindings = [0; 4];
        for state in bed.dataplane.bindings() {
            let counts = [
                state.out_packets,
                state.out_bytes,
                state.in_packets,
                state.in_bytes,
            ];
            for (sum, count) in bindings.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        let interfaces = flat(&bed.dataplane.counters().unwrap());
        Self {
            interfaces,
            bindings,
        }
    }
}

fn flat(counters: &[InterfaceCounters]) -> Vec<((String, Hook, Count), u64)> {
    let mut all = Vec::new();
    for interface in counters {
        for hook in &interface.hooks {
            let key = |count| (interface.interface.clone(), hook.hook, count);
            all.push((key(Count::Received), hook.received));
            all.push((key(Count::IcmpErrorSent), hook.icmp_errors_sent));
            all.push((key(Count::IcmpErrorLimited), hook.icmp_errors_limited));
            let reasons = hook.reasons.iter();
            all.extend(reasons.map(|(reason, count)| (key(Count::Ended(*reason)), *count)));
        }
    }
    all
}

/// One packet received and one end of it are counted, the answer if there is one,
/// and nothing else.
fn check_counters(
    before: &Counted,
    after: &Counted,
    interface: &str,
    hook: Hook,
    then: &Then,
    context: &str,
) {
    let mut changed: Vec<((String, Hook, Count), u64)> = Vec::new();
    for (key, count) in &after.interfaces {
        let old = before.interfaces.iter().find(|(known, _)| known == key);
        let old = old.map_or(0, |(_, count)| *count);
        if *count != old {
            changed.push((key.clone(), count - old));
        }
    }
    changed.sort();
    // What is no interface of ours is counted as such.
    let is_unknown = changed
        .first()
        .is_some_and(|((name, ..), _)| name == "unknown");
    let on = if is_unknown { "unknown" } else { interface };
    let mut counts = vec![Count::Received, Count::Ended(then.reason())];
    match then {
        Then::Answered(..) => counts.push(Count::IcmpErrorSent),
        Then::Limited(_) => counts.push(Count::IcmpErrorLimited),
        _ => {}
    }
    let expected: Vec<_> = counts
        .into_iter()
        .map(|count| ((on.to_owned(), hook, count), 1))
        .collect();
    assert_eq!(changed, expected, "{context}: counters that moved");
}

/// A translated packet is counted for the phones it is from and to, no other.
fn check_bindings(before: &Counted, after: &Counted, then: &Then, frame: &[u8], context: &str) {
    let (out, into) = match then {
        Then::Answered(..) | Then::Untouched(_) | Then::Limited(_) => (0, 0),
        Then::Sent(reason, ..) | Then::Given(reason, _) => match reason {
            Reason::Outbound | Reason::EgressTranslated => (1, 0),
            Reason::Inbound | Reason::InboundToStack => (0, 1),
            _ => (1, 1),
        },
    };
    let bytes = u64::from(total_length(frame));
    let moved: Vec<u64> = after
        .bindings
        .iter()
        .zip(before.bindings)
        .map(|(after, before)| after - before)
        .collect();
    let expected = [out, out * bytes, into, into * bytes];
    assert_eq!(moved, expected, "{context}: bindings' packets and bytes");
}

fn total_length(frame: &[u8]) -> u16 {
    let ip = match frame {
        [0x45..=0x4f, ..] => frame,
        _ if frame.len() > 24 => ip_part(frame),
        _ => return 0,
    };
    u16::from_be_bytes([ip[2], ip[3]])
}

/// An early fragment, and no other packet, is copied to the controller.
fn check_held(
    bed: &Bed,
    hook: Hook,
    then: &Then,
    frame: &[u8],
    context: &str,
) -> Option<HeldFragment> {
    let held = bed.events.borrow_mut().next_fragment();
    // On a shared address XDP leaves the copying to tc: both see the fragment.
    let early = match then.reason() {
        Reason::FragmentHeld => true,
        Reason::EarlyFragmentShared => hook == Hook::TcIngress,
        _ => false,
    };
    assert_eq!(
        held.is_some(),
        early,
        "{context}: a copy for the controller"
    );
    let held = held?;
    let packet: Packet = check(frame).unwrap();
    assert_bytes(&held.packet, &packet.ip_bytes());
    let key = (held.key.source, held.key.destination, held.key.id);
    let (source, destination) = (packet.ip.source.into(), packet.ip.destination.into());
    assert_eq!(key, (source, destination, packet.ip.id), "{context}: key");
    let protocol = u16::from(packet.body.protocol());
    assert_eq!(held.key.protocol, protocol, "{context}: key");
    Some(held)
}

/// The number a program returns.
fn action(hook: Hook, then: &Then) -> u32 {
    const XDP_DROP: u32 = 1;
    const XDP_PASS: u32 = 2;
    const XDP_REDIRECT: u32 = 4;
    /// -1: other programs and filters on the device have the word.
    const TC_ACT_UNSPEC: u32 = u32::MAX;
    const TC_ACT_SHOT: u32 = 2;
    const TC_ACT_REDIRECT: u32 = 7;
    let xdp = hook == Hook::Xdp;
    match then {
        // An answer goes back where the packet came from: redirected like any other.
        Then::Sent(..) | Then::Answered(..) if xdp => XDP_REDIRECT,
        Then::Sent(..) | Then::Answered(..) => TC_ACT_REDIRECT,
        Then::Untouched(reason) | Then::Given(reason, _) | Then::Limited(reason) => {
            match (xdp, reason.outcome() == Outcome::Dropped) {
                (true, true) => XDP_DROP,
                (true, false) => XDP_PASS,
                (false, true) => TC_ACT_SHOT,
                (false, false) => TC_ACT_UNSPEC,
            }
        }
    }
}
