//! What a row of a packet table is.

use std::net::Ipv4Addr;

use gateway_common::Reason;
use gateway_common::abi::Hook;
use gateway_tests::link::mac_of;
use gateway_tests::packet::Packet;

use crate::bed::{
    GATEWAY, INNER, OUTER, R_TAGGED, ROUTER_IN0, ROUTER_IN1, ROUTER_QINQ, ROUTER_VLAN, ROUTER_WAN,
    SHARED, VLAN, WAN_VLAN,
};
pub(crate) use crate::run::run;

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
    pub(crate) fn names(self) -> (&'static str, &'static str) {
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

    /// The router's address there.
    pub(crate) fn router(self) -> Ipv4Addr {
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
    pub(crate) fn has_tags(self, frame: &[u8]) -> bool {
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

    pub(crate) fn without_tags(self, frame: &[u8]) -> Vec<u8> {
        [&frame[..12], &frame[12 + 4 * self.tags().len()..]].concat()
    }

    /// Puts this port's tags on a packet.
    pub(crate) fn tagged(self, packet: Packet) -> Packet {
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
    /// Dropped without the answer that was due: there were too many.
    Limited(Reason),
}

impl Then {
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Sent(reason, ..)
            | Self::Answered(reason, _)
            | Self::Untouched(reason)
            | Self::Given(reason, _)
            | Self::Limited(reason) => *reason,
        }
    }
}

/// One line of a table: a packet, or several in sequence.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) at: Port,
    /// At egress: where the packet came in, `None` if the router made it.
    pub(crate) from: Option<Port>,
    pub(crate) frame: Vec<u8>,
    /// Offset in the IP packet of a checksum that comes, and leaves, one too high.
    pub(crate) wrong_at: Option<usize>,
    pub(crate) xdp: Option<Then>,
    pub(crate) tc: Option<Then>,
    pub(crate) egress: Option<Then>,
    /// The packets that come after this one.
    pub(crate) next: Vec<Row>,
    is_egress: bool,
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

/// A packet that the kernel sends out of out0, having come in on `from`.
pub(crate) fn leaving(name: &'static str, from: Option<Port>, packet: Packet) -> Row {
    let frame = packet.macs(mac_of(SHARED), mac_of(GATEWAY)).bytes();
    Row {
        from,
        is_egress: true,
        ..raw(name, Port::Out0, frame)
    }
}

/// A frame given as bytes.
pub(crate) fn raw(name: &'static str, at: Port, frame: Vec<u8>) -> Row {
    Row {
        name,
        at,
        from: None,
        frame,
        wrong_at: None,
        xdp: None,
        tc: None,
        egress: None,
        next: Vec::new(),
        is_egress: false,
    }
}

/// Packets that show something one after the other.
pub(crate) fn case<const N: usize>(name: &'static str, packets: [Row; N]) -> Row {
    let mut packets = packets.into_iter();
    let Some(first) = packets.next() else {
        panic!("{name}: no packet");
    };
    Row {
        name,
        next: packets.collect(),
        ..first
    }
}

impl Row {
    fn everywhere(mut self, then: Then) -> Self {
        if self.is_egress {
            self.egress = Some(then);
            return self;
        }
        if self.at != Port::Tun {
            self.xdp = Some(then.clone());
        }
        self.tc = Some(then);
        self
    }

    /// It is translated to `packet` (TTL included) and leaves by `port`.
    pub(crate) fn sent(self, reason: Reason, port: Port, packet: Packet) -> Self {
        self.everywhere(Then::Sent(reason, port, packet))
    }

    /// It is dropped, and `packet` goes back.
    pub(crate) fn answered(self, reason: Reason, packet: Packet) -> Self {
        self.everywhere(Then::Answered(reason, packet))
    }

    /// It is dropped, and no answer goes back: there were too many.
    pub(crate) fn limited(self, reason: Reason) -> Self {
        self.everywhere(Then::Limited(reason))
    }

    /// It is left as it is: passed or dropped, as the reason says.
    pub(crate) fn untouched(self, reason: Reason) -> Self {
        self.everywhere(Then::Untouched(reason))
    }

    /// It is changed to `packet`, and the kernel goes on with it.
    pub(crate) fn given(self, reason: Reason, packet: Packet) -> Self {
        self.everywhere(Then::Given(reason, packet))
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

    /// The checksum at this offset of the IP packet is one too high, before and after.
    pub(crate) fn wrong_checksum_at(mut self, offset: usize) -> Self {
        let start = self.frame.len() - ip_part(&self.frame).len();
        raise_checksum(&mut self.frame[start..], offset);
        self.wrong_at = Some(offset);
        self
    }

    /// What becomes of it at a hook.
    pub(crate) fn then(&self, hook: Hook) -> Option<&Then> {
        match hook {
            Hook::Xdp => self.xdp.as_ref(),
            Hook::TcIngress => self.tc.as_ref(),
            Hook::TcEgress => self.egress.as_ref(),
        }
    }
}

/// Adds one to the checksum at `offset`, in its own arithmetic (RFC 1071).
pub(crate) fn raise_checksum(bytes: &mut [u8], offset: usize) {
    let sum = u16::from_be_bytes([bytes[offset], bytes[offset + 1]]);
    let raised = sum.checked_add(1).unwrap_or(1);
    bytes[offset..offset + 2].copy_from_slice(&raised.to_be_bytes());
}

pub(crate) fn is_tag(ethertype: &[u8]) -> bool {
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
