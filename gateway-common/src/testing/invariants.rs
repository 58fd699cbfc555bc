//! What must hold whatever comes in: the check behind the fuzz targets, the replayed
//! corpus and the property tests. A violation panics.
//!
//! An [`engine`] input is a [`Case`] of [`Case::BYTES`] bytes and a packet:
//!
//! ```text
//!   | arrival, stage | FIB's answer | later fragments | echo ids | frame or packet ...
//! ```

use std::vec::Vec;

use super::run::{End, forward};
use super::site::{self, ALICE, BOB, CAROL, ifindex, site};
use super::sums::sums;
use super::tables::FakeTables;
use crate::abi::EchoKey;
use crate::icmp_answer::{self, Answer, HEADERS};
use crate::nat::{self, Stage, Translation};
use crate::parse::{self, Fragment, Packet, Transport};
use crate::tables::{FragmentReceiver, Hop, Route, Tables as _};
use crate::verdict::Reason;
use crate::view::SliceView;

/// What is around a packet, from the first bytes of an input. Every value is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// Slot where it comes in.
    pub slot: u16,
    /// Whether an Ethernet header comes first.
    pub ethernet: bool,
    /// Which program.
    pub stage: Stage,
    /// The FIB's answer, see [`Self::answer`].
    pub answer: u8,
    /// Who gets later fragments: 0 unknown, 1 the router, then bindings.
    pub fragments: u8,
    /// Echo identifiers in use: outside ones stand for themselves xor this; 0: none.
    pub echo_ids: u8,
}

impl Case {
    /// Bytes it takes.
    pub const BYTES: usize = 4;

    /// Reads it.
    #[must_use]
    pub const fn from_bytes([first, answer, fragments, echo_ids]: [u8; Self::BYTES]) -> Self {
        Self {
            slot: (first & 3) as u16 + 1,
            ethernet: first & 4 != 0,
            stage: if first & 8 == 0 {
                Stage::Xdp
            } else {
                Stage::Tc
            },
            answer: answer & 7,
            fragments: fragments % 6,
            echo_ids,
        }
    }

    /// The bytes that [`Self::from_bytes`] reads as this case.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        let stage = match self.stage {
            Stage::Xdp => 0,
            Stage::Tc => 8,
        };
        let first = (self.slot - 1) as u8 | (self.ethernet as u8) << 2 | stage;
        [first, self.answer, self.fragments, self.echo_ids]
    }

    /// The FIB's answer; `None`: straight on.
    #[must_use]
    pub fn answer(self) -> Option<(Route, Hop)> {
        let via = |slot, resolved| Hop {
            ifindex: ifindex(slot),
            resolved,
            ..Hop::default()
        };
        match self.answer {
            1 => Some((Route::Local, Hop::default())),
            2 => Some((Route::TooBig(576), Hop::default())),
            3 => Some((Route::None, Hop::default())),
            4 => Some((Route::ForwardingDisabled, Hop::default())),
            5 => Some((Route::Via, via(99, true))),
            6 => Some((Route::Via, via(site::TUNNEL, true))),
            7 => Some((Route::Via, via(site::OUTSIDE, false))),
            _ => None,
        }
    }

    fn tables(self, view: &SliceView<'_>, ip: u16) -> FakeTables {
        let tables = site();
        tables.answer.set(self.answer());
        if let (Ok(packet), 1..) = (parse::ipv4(view, ip), self.fragments) {
            let block = u32::from(self.fragments - 1);
            let private = tables.phone(block).map_or(0, |phone| phone.private);
            let receiver = FragmentReceiver { block, private };
            tables.remember_fragment(nat::fragment_key(&packet), receiver);
        }
        if self.echo_ids != 0 {
            for phone in [ALICE, BOB, CAROL] {
                for outside in phone.first_port..=phone.last_port {
                    let key = EchoKey {
                        public: phone.public,
                        id: u32::from(outside),
                    };
                    tables.remember_echo_id(key, outside ^ u16::from(self.echo_ids));
                }
            }
        }
        tables
    }
}

/// Takes an input through parse, decide, route, rewrite or answer. Returns how it
/// ended, `None` for an input without packet.
///
/// # Panics
/// When an invariant does not hold.
pub fn engine(input: &[u8]) -> Option<Result<End, Reason>> {
    let (case, frame) = input.split_first_chunk()?;
    let case = Case::from_bytes(*case);
    let mut after = frame.to_vec();
    let view = SliceView(&mut after);
    let ip = match case.ethernet {
        true => parse::frame(&view).ok()?.ip,
        false => 0,
    };
    let tables = case.tables(&view, ip);
    let arrival = *tables.interface(case.slot)?;
    let forwarded = match forward(&tables, &arrival, case.stage, &mut after, ip) {
        Ok(forwarded) => forwarded,
        Err(reason) => {
            assert_eq!(after, frame, "refused as {reason:?}, but written to");
            return Some(Err(reason));
        }
    };
    let (packet, translation) = (forwarded.packet, forwarded.translation);
    match forwarded.end {
        End::Sent(_) => rewritten(&packet, frame, &after, 1),
        End::Stack => rewritten(&packet, frame, &after, 0),
        End::TtlExpired => answered(&packet, frame, &Answer::ttl_expired(arrival.address)),
        End::TooBig(mtu) => answered(&packet, frame, &Answer::too_big(arrival.address, mtu)),
    }
    match forwarded.end {
        End::Sent(_) | End::Stack => translated(&packet, &translation, &after, &tables),
        _ => assert_eq!(after, frame, "answered, but written to"),
    }
    Some(Ok(forwarded.end))
}

/// Only what a translation may change has changed, and no checksum became more or
/// less wrong than it was.
fn rewritten(packet: &Packet, before: &[u8], after: &[u8], hops: u8) {
    let start = usize::from(packet.ip);
    let end = start + usize::from(packet.total_length);
    let (old, new) = (&before[start..end], &after[start..end]);
    assert_eq!(sums(old), sums(new), "checksums\n{old:02x?}\n{new:02x?}");
    assert_eq!(old[8] - hops, new[8], "time to live");
    let [mut before, mut after] = [before.to_vec(), after.to_vec()];
    for at in variable(old) {
        before[start + at] = 0;
        after[start + at] = 0;
    }
    assert_eq!(before, after, "a byte that no translation may change");
}

/// Offsets in an IP packet that a translation may write to.
fn variable(packet: &[u8]) -> Vec<usize> {
    let header = |ip: usize| (ip + 10..ip + 20).collect::<Vec<_>>();
    let mut offsets = header(0);
    offsets.push(8);
    if u16::from_be_bytes([packet[6], packet[7]]) & 0x1fff != 0 {
        return offsets;
    }
    let body = usize::from(packet[0] & 0x0f) * 4;
    offsets.extend(transport(packet[9], &packet[body..], body));
    if packet[9] == 1 && matches!(packet[body], 3 | 11 | 12) {
        let ip = body + 8;
        let inner = ip + usize::from(packet[ip] & 0x0f) * 4;
        offsets.extend(header(ip));
        offsets.extend(transport(packet[ip + 9], &packet[inner..], inner));
    }
    offsets
}

/// Checksum and echo identifier of a transport header at `at`.
fn transport(protocol: u8, header: &[u8], at: usize) -> Vec<usize> {
    match (protocol, header.first()) {
        (17, _) => vec![at + 6, at + 7],
        (6, _) if header.len() >= 18 => vec![at + 16, at + 17],
        (1, Some(0 | 8)) => vec![at + 2, at + 3, at + 4, at + 5],
        (1, _) => vec![at + 2, at + 3],
        _ => vec![],
    }
}

/// What leaves is what was decided, and shows outside nothing but public addresses
/// and a phone's own ports.
fn translated(packet: &Packet, translation: &Translation, after: &[u8], tables: &FakeTables) {
    let mut copy = after.to_vec();
    let sent = parse::ipv4(&SliceView(&mut copy), packet.ip).expect("it parsed before");
    let change = translation.change;
    assert_eq!(
        (sent.source, sent.destination),
        (change.source, change.destination)
    );
    assert_eq!(
        (sent.transport, sent.fragment),
        (packet.transport, packet.fragment)
    );
    let (from, to) = match translation.reason {
        Reason::Outbound => (true, false),
        Reason::Inbound => (false, true),
        Reason::Hairpin => (true, true),
        other => panic!("sent as {other:?}"),
    };
    let [old_source, source] = [packet.source, sent.source].map(|at| tables.owner(at));
    let [old_destination, destination] =
        [packet.destination, sent.destination].map(|at| tables.owner(at));
    // A router inside may have any address: its errors leave with the phone's.
    let is_error = packet.transport == Transport::IcmpError;
    let was_inside = old_source.is_inside() || from && is_error;
    assert_eq!((was_inside, source.is_pool()), (from, from));
    assert_eq!(
        (old_destination.is_pool(), destination.is_inside()),
        (to, to)
    );
    assert_eq!((translation.from != 0, translation.to != 0), (from, to));
    let has_port = !matches!(sent.transport, Transport::Unknown | Transport::IcmpError);
    if from && has_port {
        let phone = tables.phone(translation.from).expect("the sender is bound");
        assert!(phone.owns(sent.source_port), "{sent:?}");
    }
    if to && has_port {
        let phone = tables.phone(translation.to).expect("the receiver is bound");
        assert!(phone.owns(packet.destination_port), "{packet:?}");
    }
}

/// The answer is a right ICMP error to the sender that quotes what it sent.
fn answered(packet: &Packet, before: &[u8], answer: &Answer) {
    if !icmp_answer::is_answerable(packet) {
        return;
    }
    assert!(packet.fragment != Fragment::Later);
    let quote = icmp_answer::quote_length(packet);
    let ip = usize::from(packet.ip);
    let quoted = &before[ip..ip + quote];
    let mut frame = before[..ip].to_vec();
    frame.resize(ip + HEADERS, 0xaa);
    frame.extend_from_slice(quoted);
    icmp_answer::write(&mut SliceView(&mut frame), packet, answer, quote)
        .expect("there is room for the headers");
    assert_eq!(frame[..ip], before[..ip], "the Ethernet header");
    assert_eq!(frame[ip + HEADERS..], *quoted, "the quote");
    let sums = sums(&frame[ip..]);
    assert_eq!((sums.ip, sums.transport), (Some(0), Some(0)));
    let told = parse::ipv4(&SliceView(&mut frame), packet.ip).expect("it is a packet");
    assert_eq!(
        (told.source, told.destination),
        (answer.source, packet.source)
    );
    assert_eq!(told.transport, Transport::IcmpError);
    assert_eq!(
        usize::from(told.total_length) + ip,
        frame.len(),
        "its length"
    );
}

/// Reads an input as a frame and as a packet: what is found lies inside it.
///
/// # Panics
/// When an invariant does not hold.
pub fn parse(input: &[u8]) {
    let mut bytes = input.to_vec();
    let view = SliceView(&mut bytes);
    let _ = parse::addressed_to(&view, [0x0200, 0, 1]);
    if let Ok(frame) = parse::frame(&view) {
        assert!(matches!(frame.ip, 14 | 18 | 22), "{frame:?}");
        assert!(usize::from(frame.ip) <= input.len(), "{frame:?}");
        assert_eq!(frame.vids & 0xf000_f000, 0);
        parse_packet(&view, input, frame.ip);
    }
    parse_packet(&view, input, 0);
}

fn parse_packet(view: &SliceView<'_>, input: &[u8], ip: u16) {
    let Ok(packet) = parse::ipv4(view, ip) else {
        return;
    };
    let end = usize::from(ip) + usize::from(packet.total_length);
    let needed = match (packet.fragment, packet.protocol) {
        (Fragment::Later, _) => 0,
        (_, 1 | 17) => 8,
        (_, 6) => 20,
        (_, 132) => 12,
        _ => 0,
    };
    assert!(end <= input.len(), "{packet:?}");
    assert!(
        usize::from(packet.transport_at) + needed <= end,
        "{packet:?}"
    );
    if packet.transport != Transport::IcmpError {
        return;
    }
    if let Ok(quoted) = parse::quoted(view, &packet) {
        assert_eq!(quoted.end as usize, end, "{quoted:?}");
        assert_eq!(quoted.ip, packet.transport_at + 8, "{quoted:?}");
        assert!(usize::from(quoted.transport_at) + 8 <= end, "{quoted:?}");
        assert!(quoted.transport_at - quoted.ip >= 20, "{quoted:?}");
    }
}
