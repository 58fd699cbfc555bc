//! What a row of a packet table is, and how it is run.

use std::net::Ipv4Addr;

use dataplane::{InterfaceCounters, RunAt};
use gateway_common::abi::Hook;
use gateway_common::{Outcome, Reason};
use gateway_tests::link::mac_of;
use gateway_tests::packet::{Packet, assert_bytes, assert_ip, check};

use crate::bed::{
    Bed, GATEWAY, INNER, OUTER, R_TAGGED, ROUTER_IN0, ROUTER_IN1, ROUTER_QINQ, ROUTER_VLAN,
    ROUTER_WAN, SHARED, VLAN, WAN_VLAN,
};

/// Where a packet comes in, or goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    In0,
    In1,
    Vlan,
    Qinq,
    Out0,
    Wan,
    /// tc only.
    Tun,
}

impl Port {
    /// The IP interface, and the device under it.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::In0 => ("in0", "in0"),
            Self::In1 => ("in1", "in1"),
            Self::Vlan => ("vlan10", "trunk"),
            Self::Qinq => ("qinq", "trunk"),
            Self::Out0 => ("out0", "out0"),
            Self::Wan => ("wan200", "trunk"),
            Self::Tun => ("tun0", "tun0"),
        }
    }

    fn router(self) -> Ipv4Addr {
        match self {
            Self::In0 => ROUTER_IN0,
            Self::In1 => ROUTER_IN1,
            Self::Vlan => ROUTER_VLAN,
            Self::Qinq => ROUTER_QINQ,
            Self::Out0 | Self::Tun => SHARED,
            Self::Wan => ROUTER_WAN,
        }
    }

    fn tags(self) -> &'static [u16] {
        match self {
            Self::Vlan => &[VLAN],
            Self::Qinq => &[OUTER, INNER],
            Self::Wan => &[WAN_VLAN],
            _ => &[],
        }
    }

    /// Whether a frame has the tags of this port, and no others.
    fn has_tags(self, frame: &[u8]) -> bool {
        let tags = self.tags();
        let found = tags.iter().enumerate().all(|(index, vid)| {
            let at = 14 + 4 * index;
            frame
                .get(at..at + 2)
                .is_some_and(|tci| u16::from_be_bytes([tci[0], tci[1]]) & 0xfff == *vid)
        });
        let end = 12 + 4 * tags.len();
        !tags.is_empty() && found && !is_tag(&frame[end..end + 2])
    }

    fn without_tags(self, frame: &[u8]) -> Vec<u8> {
        [&frame[..12], &frame[12 + 4 * self.tags().len()..]].concat()
    }

    /// Puts this port's tags on a packet.
    fn tagged(self, packet: Packet) -> Packet {
        if !packet.ethernet.tags.is_empty() {
            return packet;
        }
        match self {
            Self::Vlan => packet.vlan(VLAN),
            Self::Qinq => packet.qinq(OUTER, INNER),
            Self::Wan => packet.vlan(WAN_VLAN),
            _ => packet,
        }
    }
}

/// What becomes of a packet.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// Sent out of a port, as this.
    Sent(Reason, Port, Packet),
    /// Answered with this, and dropped.
    Answered(Reason, Packet),
    /// Untouched: passed or dropped, as the reason says.
    Untouched(Reason),
    /// Changed to this and given to the kernel.
    Given(Reason, Packet),
}

/// One line of a table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) at: Port,
    pub(crate) frame: Vec<u8>,
    pub(crate) xdp: Option<Then>,
    pub(crate) tc: Option<Then>,
}

/// A packet that comes in somewhere: `row(name, port, packet).sent(…)`.
pub(crate) fn row(name: &'static str, at: Port, packet: Packet) -> Row {
    let to = mac_of(at.router());
    // Who sent it does not matter to the gateway; answers go back there.
    let from = mac_of(match at {
        Port::Out0 | Port::Tun => GATEWAY,
        Port::Wan => R_TAGGED,
        _ => packet.ip.source,
    });
    let unnamed = Packet::raw([0, 0, 0, 0], [0, 0, 0, 0], 0, &[]);
    let named = packet.ethernet.destination != unnamed.ethernet.destination;
    let packet = at.tagged(packet);
    let frame = match at {
        Port::Tun => packet.ip_bytes(),
        _ if named => packet.bytes(),
        _ => packet.macs(from, to).bytes(),
    };
    raw(name, at, frame)
}

/// A frame given as bytes.
pub(crate) fn raw(name: &'static str, at: Port, frame: Vec<u8>) -> Row {
    Row {
        name,
        at,
        frame,
        xdp: None,
        tc: None,
    }
}

impl Row {
    fn both(mut self, then: Then) -> Self {
        if self.at != Port::Tun {
            self.xdp = Some(then.clone());
        }
        self.tc = Some(then);
        self
    }

    /// It is translated to `packet` (TTL included) and leaves by `port`.
    pub(crate) fn sent(self, reason: Reason, port: Port, packet: Packet) -> Self {
        self.both(Then::Sent(reason, port, packet))
    }

    /// It is dropped, and `packet` goes back.
    pub(crate) fn answered(self, reason: Reason, packet: Packet) -> Self {
        self.both(Then::Answered(reason, packet))
    }

    /// It is left as it is: passed or dropped, as the reason says.
    pub(crate) fn untouched(self, reason: Reason) -> Self {
        self.both(Then::Untouched(reason))
    }

    /// In tc something else becomes of it.
    pub(crate) fn but_in_tc(mut self, then: Then) -> Self {
        self.tc = Some(then);
        self
    }

    /// The kernel does not put such a frame through a tc program.
    pub(crate) fn xdp_only(mut self) -> Self {
        self.tc = None;
        self
    }

    /// Runs the row through both programs.
    pub(crate) fn run(&self, bed: &Bed) {
        if let Some(then) = &self.xdp {
            self.run_at(bed, Hook::Xdp, then);
        }
        if let Some(then) = &self.tc {
            self.run_at(bed, Hook::TcIngress, then);
        }
    }

    /// Runs the row through XDP only.
    pub(crate) fn run_xdp(&self, bed: &Bed) {
        if let Some(then) = &self.xdp {
            self.run_at(bed, Hook::Xdp, then);
        }
    }

    fn run_at(&self, bed: &Bed, hook: Hook, then: &Then) {
        let context = format!("{} ({})", self.name, hook.label());
        let (interface, port) = self.at.names();
        // tc sees what the VLAN device sees: the kernel has taken the tags off.
        let own_tags = self.frame.len() > 14 && self.at.has_tags(&self.frame);
        let (device, frame) = match hook {
            Hook::Xdp => (port, self.frame.clone()),
            _ if own_tags => (interface, self.at.without_tags(&self.frame)),
            _ => (port, self.frame.clone()),
        };
        let before = bed.dataplane.counters().unwrap();
        let ran = bed
            .dataplane
            .run_packet(
                RunAt {
                    hook,
                    ifindex: bed.ifindex(device),
                    ingress_ifindex: 0,
                    repeat: 1,
                },
                &frame,
            )
            .unwrap();
        let after = bed.dataplane.counters().unwrap();
        let reason = counted(&before, &after, interface, hook, &context);
        let expected = match then {
            Then::Sent(reason, ..)
            | Then::Answered(reason, _)
            | Then::Untouched(reason)
            | Then::Given(reason, _) => *reason,
        };
        assert_eq!(reason, expected, "{context}: reason");
        assert_eq!(
            ran.action,
            action(hook, then),
            "{context}: the program's return value"
        );
        println!("{context}: {}", reason.label());
        self.check_frame(hook, then, &frame, &ran.frame);
    }

    fn check_frame(&self, hook: Hook, then: &Then, came: &[u8], frame: &[u8]) {
        match then {
            Then::Untouched(_) => assert_bytes(frame, came),
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
                let ip = match (self.at, frame.first()) {
                    (_, Some(0x45..=0x4f)) => frame,
                    _ => ip_part(frame),
                };
                assert_ip(&ip[..packet.ip_bytes().len().min(ip.len())], packet);
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
                let expected = packet.bytes();
                // Padding of the frame that came in stays behind the packet.
                assert_bytes(&frame[..expected.len().min(frame.len())], &expected);
            }
        }
    }
}

/// The reason that was counted: once, for one packet received, and nothing else.
pub(crate) fn counted(
    before: &[InterfaceCounters],
    after: &[InterfaceCounters],
    interface: &str,
    hook: Hook,
    context: &str,
) -> Reason {
    let before = flat(before);
    let mut changed: Vec<(String, Hook, Option<Reason>, u64)> = Vec::new();
    for ((name, at, reason), count) in flat(after) {
        let old = before
            .iter()
            .find(|(key, _)| *key == (name.clone(), at, reason))
            .map_or(0, |(_, count)| *count);
        if count != old {
            changed.push((name, at, reason, count - old));
        }
    }
    assert_eq!(
        changed.len(),
        2,
        "{context}: counters that moved: {changed:?}"
    );
    let received = changed.iter().find(|(_, _, reason, _)| reason.is_none());
    let ended = changed.iter().find(|(_, _, reason, _)| reason.is_some());
    let (Some(received), Some(ended)) = (received, ended) else {
        panic!("{context}: counters that moved: {changed:?}");
    };
    assert_eq!((received.3, ended.3), (1, 1), "{context}: counted once");
    assert_eq!((received.1, ended.1), (hook, hook), "{context}: hook");
    assert_eq!(received.0, ended.0, "{context}: one interface");
    let reason = ended.2.unwrap();
    if reason != Reason::UnknownInterface && received.0 != "unknown" {
        assert_eq!(received.0, interface, "{context}: interface");
    }
    reason
}

type Flat = Vec<((String, Hook, Option<Reason>), u64)>;

fn flat(counters: &[InterfaceCounters]) -> Flat {
    let mut all = Vec::new();
    for interface in counters {
        for hook in &interface.hooks {
            let key = |reason| (interface.interface.clone(), hook.hook, reason);
            all.push((key(None), hook.received));
            all.extend(
                hook.reasons
                    .iter()
                    .map(|(reason, count)| (key(Some(*reason)), *count)),
            );
        }
    }
    all
}

/// The number a program returns.
fn action(hook: Hook, then: &Then) -> u32 {
    const XDP_DROP: u32 = 1;
    const XDP_PASS: u32 = 2;
    const XDP_TX: u32 = 3;
    const XDP_REDIRECT: u32 = 4;
    const TC_ACT_OK: u32 = 0;
    const TC_ACT_SHOT: u32 = 2;
    const TC_ACT_REDIRECT: u32 = 7;
    let xdp = hook == Hook::Xdp;
    match then {
        Then::Sent(..) if xdp => XDP_REDIRECT,
        Then::Answered(..) if xdp => XDP_TX,
        Then::Sent(..) | Then::Answered(..) => TC_ACT_REDIRECT,
        Then::Untouched(reason) | Then::Given(reason, _) => {
            match (xdp, reason.outcome() == Outcome::Dropped) {
                (true, true) => XDP_DROP,
                (true, false) => XDP_PASS,
                (false, true) => TC_ACT_SHOT,
                (false, false) => TC_ACT_OK,
            }
        }
    }
}

fn is_tag(ethertype: &[u8]) -> bool {
    matches!(ethertype, [0x81, 0x00] | [0x88, 0xa8])
}

/// What stands behind the Ethernet header and its tags.
pub(crate) fn ip_part(frame: &[u8]) -> &[u8] {
    let mut at = 12;
    while is_tag(&frame[at..at + 2]) {
        at += 4;
    }
    &frame[at + 2..]
}

/// Runs a table on a router of its own.
pub(crate) fn run(rows: Vec<Row>) {
    Bed::with(|bed| {
        for row in &rows {
            row.run(bed);
        }
    });
}
