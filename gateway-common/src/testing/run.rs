//! A shell around the engine: what XDP and tc do with one packet, on bytes in memory.

use crate::abi::Interface;
use crate::nat::{self, Stage, Step, Translation, TtlChange};
use crate::parse::{self, Packet};
use crate::tables::{Hop, Tables};
use crate::verdict::Reason;
use crate::view::SliceView;

/// A packet that the engine has translated or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// As it came.
    pub packet: Packet,
    /// What was decided.
    pub translation: Translation,
    /// What becomes of it.
    pub end: End,
}

/// [`Step`] without its borrows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Rewritten, leaves by the interface in this slot.
    Sent(u16),
    /// Rewritten and left to the kernel.
    Stack,
    /// As it came; its sender is to be told.
    TtlExpired,
    /// As it came; its sender is to be told of this MTU.
    TooBig(u16),
}

/// Takes the IPv4 packet at `ip` of `frame` as far as it goes.
///
/// # Errors
/// Why it is not translated.
pub fn forward(
    tables: &impl Tables,
    arrival: &Interface,
    stage: Stage,
    frame: &mut [u8],
    ip: u16,
) -> Result<Forwarded, Reason> {
    let mut view = SliceView(frame);
    let packet = parse::ipv4(&view, ip)?;
    let mut translation = Translation::of(&packet);
    let refused = nat::decide(&view, &packet, arrival, tables, &mut translation).err();
    if let Some(reason @ (Reason::FragmentHeld | Reason::EarlyFragmentShared)) = refused {
        return Err(reason);
    }
    let query = nat::query(&packet, &translation, arrival, packet.total_length);
    let decided = refused.map_or(Ok(&translation), Err);
    let mut hop = Hop::default();
    let step = nat::route(&packet, decided, &query, tables, stage, &mut hop)?;
    let (end, ttl) = match step {
        Step::Send(egress) => (End::Sent(egress.slot), Some(TtlChange::Decrement)),
        Step::Stack => (End::Stack, Some(TtlChange::Keep)),
        Step::TtlExpired => (End::TtlExpired, None),
        Step::TooBig(mtu) => (End::TooBig(mtu), None),
    };
    if let Some(ttl) = ttl {
        nat::rewrite(&mut view, &packet, &translation, ttl)?;
    }
    Ok(Forwarded {
        packet,
        translation,
        end,
    })
}
